"""``hukou-opt parameters``: every number of the model, its range and source, and what it yields."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hukou_opt.cli.columns import columns, entries, items_text, wrapped

if TYPE_CHECKING:
    import pandas as pd

    from hukou_opt.experiment import Experiment
    from hukou_opt.parameters import Parameters

FORMATS = ("text", "csv", "latex", "json")
#: Formats told by the ending of the file to write.
_ENDINGS = {".csv": "csv", ".tex": "latex", ".json": "json"}
#: Width of text that goes to no terminal.
_WIDTH = 120
#: So many parameters or fewer that a search finds are shown in full.
_IN_FULL = 3
EXAMPLES = """Examples:

\b
  hukou-opt parameters                              the registry
  hukou-opt parameters --search "school seat"       what a search finds
  hukou-opt parameters my.yaml --status assumption  values of an experiment
  hukou-opt parameters --out parameters.tex         LaTeX for a paper
  hukou-opt parameters --derived                    base year with low and high
  hukou-opt parameters --derived --region Guangdong one region of it
"""


def parameters(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="Shipped experiment by name, or a YAML file; the registry where none is named.",
            show_default=False,
        ),
    ] = None,
    room: Annotated[
        str,
        typer.Option("--room", help="Only model, allocation or derivation.", show_default=False),
    ] = "",
    status: Annotated[
        str,
        typer.Option(
            "--status",
            help="Only official, plan, paper or assumption; with --derived: official, derived or "
            "assumption.",
            show_default=False,
        ),
    ] = "",
    search: Annotated[
        str,
        typer.Option(
            "--search",
            help="Only those with these words in name, meaning, source or unit.",
            show_default=False,
        ),
    ] = "",
    derived: Annotated[
        bool, typer.Option("--derived", help="Show the estimated base year with low and high.")
    ] = False,
    region: Annotated[
        str,
        typer.Option(
            "--region", help="With --derived: one region, by code or name.", show_default=False
        ),
    ] = "",
    style: Annotated[
        str,
        typer.Option(
            "--format",
            help="text, csv, latex or json.",
            show_default="by the ending of --out, else text",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write to instead of the screen.", show_default=False),
    ] = None,
) -> None:
    """List parameters with range, unit, status and source, or the base year made from them."""
    from hukou_opt.report.publish import check_writable, staged

    form = _form(style, out)
    _fit_together(room, derived, region)
    if out is not None:
        _a_file(out)
        check_writable(out.parent)
    settings, values = _values(experiment)
    width = None if out is not None else shutil.get_terminal_size((_WIDTH, 24)).columns
    if derived:
        text = _derived(settings, values, status, search, region, form, width)
    else:
        text = _registry(settings, values, room, status, search, form, width)
    if out is None:
        typer.echo(text, nl=False)
        return
    with staged(out.parent) as written:
        (written.folder / out.name).write_text(text, encoding="utf-8")
    typer.echo(f"Written to {out}")


def _form(style: str, out: Path | None) -> str:
    from hukou_opt.errors import Fault, OutputError, did_you_mean

    if style and style not in FORMATS:
        raise OutputError(
            Fault(f"--format {style!r}", "is unknown", did_you_mean(style, list(FORMATS)))
        )
    return style or _ENDINGS.get("" if out is None else out.suffix.lower(), "text")


def _a_file(out: Path) -> None:
    from hukou_opt.errors import Fault, OutputError

    if out.is_dir():
        raise OutputError(
            Fault(f"--out {str(out)!r}", "is a folder", f"name a file, like {out / 'table.csv'}")
        )


def _fit_together(room: str, derived: bool, region: str) -> None:
    from hukou_opt.errors import Fault, ParameterError

    faults = []
    if derived and room:
        faults.append(Fault(f"--room {room!r}", "says nothing about the base year", "leave it out"))
    if region and not derived:
        faults.append(
            Fault(f"--region {region!r}", "parameters hold for all regions", "add --derived")
        )
    if faults:
        raise ParameterError(faults)


def _values(experiment: str | None) -> tuple[Experiment | None, Parameters]:
    """The experiment, where one is named, and the parameters in use."""
    from hukou_opt import bundled
    from hukou_opt.errors import Fault, ParameterError
    from hukou_opt.experiment import load_experiment
    from hukou_opt.parameters import load_parameters

    registry = load_parameters()
    if experiment is None:
        return None, registry
    if experiment in registry and experiment not in bundled.experiments():
        raise ParameterError(
            Fault(
                f"experiment {experiment!r}",
                "is the name of a parameter",
                f"use hukou-opt parameters --search {experiment}",
            )
        )
    settings = load_experiment(experiment)
    # Imported late: the planning room brings model and solver along.
    from hukou_opt.planning.inputs import parameters_of

    return settings, parameters_of(settings)


def _registry(
    settings: Experiment | None,
    values: Parameters,
    room: str,
    status: str,
    search: str,
    form: str,
    width: int | None,
) -> str:
    from hukou_opt.report.parameter_table import (
        parameter_table,
        parameters_to_latex,
        status_counts,
        status_sentence,
        typed,
    )

    table = parameter_table(values, room=room, status=status, search=search)
    name = "" if settings is None else settings.name
    if form == "csv":
        return str(table.to_csv(index=False, lineterminator="\n"))
    if form == "latex":
        return parameters_to_latex(table, experiment=name)
    counts = status_counts(table)
    if form == "json":
        count = {str(row): counts.loc[row].to_dict() for row in counts.index}
        return _json(
            {"experiment": name or None, "parameters": table.to_dict("records"), "count": count}
        )
    rows = table.to_dict("records")
    if search and len(rows) <= _IN_FULL:
        parts = [_in_full(row, bool(name), width) for row in rows]
        parts.append(status_sentence(table))
    else:
        head = ["name", "value", *(["registry"] if name else []), "low", "high", "known"]
        head += ["unit", "status"]
        cells = [
            [
                row["name"],
                typed(row["value"], row["unit"]) + _mark(row),
                *([typed(row["registry_value"], row["unit"])] if name else []),
                typed(row["low"], row["unit"]),
                typed(row["high"], row["unit"]),
                str(row["known_year"]),
                row["unit"],
                row["status"],
            ]
            for row in rows
        ]
        words = [[f"{row['meaning']} [{row['source']}]"] for row in rows]
        table_text = entries(head, cells, words, width, heading="meaning [source]")
        grid = [["", *map(str, counts.columns)]]
        grid += [[str(row), *map(str, counts.loc[row])] for row in counts.index]
        parts = [table_text, columns(grid, len(counts.columns)), status_sentence(table)]
    parts += _remarks(settings, rows, width)
    return "\n\n".join(parts) + "\n"


def _remarks(
    settings: Experiment | None, rows: Sequence[Mapping[Any, Any]], width: int | None
) -> list[str]:
    """What a reader of an experiment's values must know."""
    if settings is None:
        return []
    changed = [row["name"] for row in rows if row["changed"]]
    lines = [
        f"* {len(changed)} changed by {settings.name} (range, year known, status and source are "
        f"the registry's): {', '.join(changed)}"
        if changed
        else f"None of these is changed by {settings.name}."
    ]
    outside = [row["name"] for row in rows if row["out_of_range"]]
    if outside:
        lines.append(f"! outside the registry's range, as it allows: {', '.join(outside)}")
    if not settings.reform:
        lines.append("reform: false - the plan's levers have no effect in this experiment.")
    return ["\n".join(wrapped(line, width) for line in lines)]


def _derived(
    settings: Experiment | None,
    values: Parameters,
    status: str,
    search: str,
    region: str,
    form: str,
    width: int | None,
) -> str:
    from hukou_opt.regions import load_regions
    from hukou_opt.report import base_year_table
    from hukou_opt.report.base_year_ends import estimate_with_ends

    if settings is None:
        regions, years = load_regions(), None
    else:
        regions = load_regions(settings.regions_source, base=settings.base_year)
        years = range(settings.base_year + 1, settings.horizon.tail + 1)
    code = base_year_table.find_region(regions, region) if region else ""
    estimates = estimate_with_ends(regions, values, years=years)
    table = (
        base_year_table.region_table(estimates, code)
        if code
        else base_year_table.derived_table(estimates)
    )
    table = base_year_table.keep(table, status=status, search=search)
    experiment = "" if settings is None else settings.name
    place = str(regions.labels.loc[code, "name_en"]) if code else ""
    if form == "csv":
        return str(table.to_csv(index=False, lineterminator="\n"))
    if form == "latex":
        return base_year_table.derived_to_latex(table, region=place, experiment=experiment)
    if form == "json":
        about = {
            "experiment": experiment or None,
            "regions": regions.name,
            "base_year": regions.base_year,
            "region": code or None,
        }
        return _json({**about, "variables": table.to_dict("records")})
    where = f"{place} ({code})" if code else f"{len(regions.codes)} regions together"
    with_ = f", parameters of {experiment}" if experiment else ""
    parts = [
        f"Base year {regions.base_year}, {regions.name}, {where}{with_}",
        _estimates(table, bool(code), width),
        base_year_table.status_sentence(table),
        wrapped(" ".join(base_year_table.remarks(estimates, bool(code))), width),
    ]
    return "\n\n".join(parts) + "\n"


def _estimates(table: pd.DataFrame, one_region: bool, width: int | None) -> str:
    """Figures in columns; below each of them regions at both ends and, once, the method."""
    from hukou_opt.report.base_year_table import estimate_figure, in_a_region

    value = "value" if one_region else "national"
    head = ["variable", value, "low", "high", *([] if one_region else ["one region"])]
    cells, words = [], []
    before = ""
    for row in table.to_dict("records"):
        name, at = str(row["variable"]), str(row["at"])
        pairs = at if " " in at else ""
        figures = [estimate_figure(row[column]) for column in (value, "low", "high")]
        if not one_region:
            figures.append(in_a_region(row["region_low"], row["region_high"]))
        cells.append([name if pairs else f"{name} {at}".strip(), *figures])
        cells[-1] += [row["unit"], row["status"]]
        formed = "" if one_region else f"{row['formed']}; {row['extremes']}"
        about = "; ".join(filter(None, (pairs, formed)))
        method = f"from: {row['method']}" if name != before else ""
        words.append([text for text in (about, method) if text])
        before = name
    return entries([*head, "unit", "status"], cells, words, width)


def _mark(row: Mapping[Any, Any]) -> str:
    return ("*" if row["changed"] else "") + ("!" if row["out_of_range"] else "")


def _in_full(row: Mapping[Any, Any], in_experiment: bool, width: int | None) -> str:
    """All that is known of one parameter, one item a line."""
    from hukou_opt.report.parameter_table import typed

    unit = row["unit"]
    items = {
        "value": typed(row["value"], unit) + _mark(row),
        **({"registry": typed(row["registry_value"], unit)} if in_experiment else {}),
        "range": f"{typed(row['low'], unit)} to {typed(row['high'], unit)}",
        "unit": unit,
        "status": row["status"],
        "became known": str(row["known_year"]),
        "meaning": row["meaning"],
        "source": row["source"],
        **({"plan fact": row["plan_fact"]} if row["plan_fact"] else {}),
        "room": row["room"],
    }
    return "\n".join([row["name"], *items_text(items, width)])


def _json(content: dict[str, Any]) -> str:
    return json.dumps(_plain(content), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Values as JSON knows them: no numpy types, null for what is missing."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and value != value else value
