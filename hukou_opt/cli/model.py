"""``hukou-opt model``: a model of your own held to the contract, and models for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.dynamics.contract import Term

app = typer.Typer(
    help="The stock-flow model: contract and check of your own, export for Vensim.",
    no_args_is_help=True,
)

#: Name of a result inside the folder that a run writes.
RESULT_FILE = "result.nc"


FORMATS = ("text", "csv", "markdown")


@app.command()
def contract(
    style: Annotated[
        str, typer.Option("--format", help="text, csv or markdown.", show_default=True)
    ] = "text",
    inputs: Annotated[
        bool,
        typer.Option("--inputs", help="Also what a model may take: base year and parameters."),
    ] = False,
) -> None:
    """List the names that a model needs: what the toolkit writes, sets and reads."""
    if style not in FORMATS:
        raise typer.BadParameter(f"choose one of {', '.join(FORMATS)}", param_hint="--format")

    from hukou_opt.dynamics import contract as of

    terms = [*of.contract(), *(of.offered() if inputs else ())]
    typer.echo(_listed(terms, of.ROLES) if style == "text" else _table(terms, of.ROLES, style))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Vensim model file.")],
    trust: Annotated[
        bool,
        typer.Option("--trust", help="You have read the file; needed where it is not shipped."),
    ] = False,
) -> None:
    """Check a model of your own: safe to run, contract, units; all faults at once."""
    from hukou_opt.dynamics.own_model import examine

    found = examine(file, trust=trust)
    typer.echo(f"{file}: {found.words}")
    typer.echo(f"Required names: all {found.required} are there")
    typer.echo(f"Taken from base year and parameters: {', '.join(found.taken) or 'nothing'}")
    if found.computed:
        typer.echo(f"Computed by the model, so not passed: {', '.join(found.computed)}")
    lost: dict[str, list[str]] = {}
    for term in found.absent:
        lost.setdefault(term.without, []).append(term.left_side)
    if lost:
        typer.echo("Optional and absent, by what a run is without:")
        for without, names in lost.items():
            typer.echo(f"  {without}: {', '.join(names)}")
    if found.units:
        typer.echo("Units that do not fit (the model runs all the same):")
        for line in found.units:
            typer.echo(f"  {line}")
    else:
        typer.echo("Units: every equation gives the unit that it declares")


def _table(terms: Sequence[Term], roles: Mapping[str, str], style: str) -> str:
    """The contract as CSV or as a Markdown table."""
    head = ["name", "the toolkit", "unit", "needed", "meaning", "without it"]
    rows = [
        [
            term.left_side,
            roles[term.role],
            term.unit,
            "required" if term.required else "optional",
            term.meaning,
            term.without,
        ]
        for term in terms
    ]
    if style == "csv":
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([head, *rows])
        return stream.getvalue().rstrip("\n")
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _listed(terms: Sequence[Term], roles: Mapping[str, str]) -> str:
    """The contract as text, name by name under what the toolkit does with it."""
    from hukou_opt.cli.columns import columns

    parts = []
    for role, words in roles.items():
        those = [term for term in terms if term.role == role]
        if not those:
            continue
        rows = [
            [term.left_side, term.unit or "-", "required" if term.required else "optional"]
            for term in those
        ]
        below = [
            [term.meaning, *([f"without it: {term.without}"] if term.without else [])]
            for term in those
        ]
        parts.append(f"{words[:1].upper()}{words[1:]}\n\n{columns(rows, 0, below=below)}")
    return "\n\n".join(parts)


@app.command()
def export(
    result: Annotated[Path, typer.Argument(help="Saved result, or the folder of a run.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Model file to write.", show_default="EXPERIMENT.mdl beside the result"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            "--regions",
            help="The run's region table, where it no longer lies where the experiment says.",
            show_default=False,
        ),
    ] = None,
    second_reader: Annotated[
        bool,
        typer.Option(
            "--second-reader", help="Let another simulator run the file too (pip install pysimlin)."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write one Vensim file with data and decisions of a run inside, checked against the run."""
    from hukou_opt.result import open_result

    source = result / RESULT_FILE if result.is_dir() else result
    opened = open_result(source)
    target = source.with_name(f"{opened.name}.mdl") if out is None else out

    from hukou_opt.planning.export import export_model

    done = export_model(
        opened, target, regions=regions, overwrite=force, second_reader=second_reader
    )
    typer.echo(f"Written to {done.path} ({done.size:,} bytes)")
    typer.echo(f"Largest difference to the saved run, read by PySD: {done.difference}")
    if done.second_reader is not None:
        typer.echo(f"The same, read by the second reader: {done.second_reader}")
