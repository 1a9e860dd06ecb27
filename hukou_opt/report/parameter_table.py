"""The registry of parameters as a table: frame, counts by status, LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hukou_opt import __version__
from hukou_opt.errors import Fault, ParameterError, did_you_mean
from hukou_opt.parameters.registry import STATUSES, Parameter, Parameters, load_parameters
from hukou_opt.report.latex import latex_escape
from hukou_opt.report.longtable import (
    Column,
    latex_emphasis,
    latex_figure,
    latex_name,
    latex_range,
    latex_unit,
    longtable,
)

#: Digits that show every value of the registry as it was typed.
TYPED_DIGITS = 10
#: What a suggestion starts with, where a known name is near.
_NEAR = "did you mean"
#: Columns in which a search looks.
_SEARCHED = ("name", "meaning", "source", "unit", "plan_fact")


def parameter_table(
    parameters: Parameters, *, room: str = "", status: str = "", search: str = ""
) -> pd.DataFrame:
    """List parameters with value in use, registry value, range, unit, status and source.

    Parameters
    ----------
    parameters : Parameters
        The registry, or the parameters of one experiment.
    room : str, optional
        Keep one file of the registry: ``model``, ``allocation`` or ``derivation``.
    status : {"official", "plan", "paper", "assumption"}, optional
        Keep parameters of this status.
    search : str, optional
        Keep parameters in whose name, meaning, source, unit or plan fact all of these words occur.

    Returns
    -------
    DataFrame
        One row per parameter, in the registry's order: name, room, value, registry_value, low,
        high, unit, status, known_year (year in which the value became known), source, plan_fact,
        meaning, changed (value differs from the registry's), out_of_range. Status, known_year and
        source are those of the registry's value.

    Raises
    ------
    ParameterError
        If the room or status is unknown, or no parameter is left.
    """
    rows = list(parameters.rows.values())
    rooms = list(dict.fromkeys(row.room for row in rows))
    faults = [
        Fault(f"{kind} {given!r}", "is unknown", did_you_mean(given, known))
        for kind, given, known in (("room", room, rooms), ("status", status, STATUSES))
        if given and given not in known
    ]
    if faults:
        raise ParameterError(faults)
    registry = load_parameters().rows
    kept = [
        _row(row, registry.get(row.name, row))
        for row in rows
        if (not room or row.room == room)
        and (not status or row.status == status)
        and _found(row, search)
    ]
    if not kept:
        raise ParameterError(_nothing_left(rows, room, status, search))
    return pd.DataFrame(kept)


def status_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count parameters by status and room.

    Parameters
    ----------
    table : DataFrame
        From `parameter_table`.

    Returns
    -------
    DataFrame
        One row per room and one for all; one column per status and one for all.
    """
    counts = pd.crosstab(table["room"], table["status"])
    counts = counts.reindex(index=list(dict.fromkeys(table["room"])), columns=list(STATUSES))
    counts = counts.fillna(0).astype(int)
    counts["all"] = counts.sum(axis=1)
    counts.loc["all"] = counts.sum()
    counts.index.name = counts.columns.name = None
    return counts


def status_sentence(table: pd.DataFrame) -> str:
    """Say in one sentence how many parameters there are of each status."""
    counts = table["status"].value_counts().to_dict()
    parts = ", ".join(f"{counts.get(status, 0)} {status}" for status in STATUSES)
    number = len(table)
    return f"{number} parameter{'' if number == 1 else 's'}: {parts}"


def typed(value: float, unit: str = "") -> str:
    """Write a parameter's value as it was typed; years without a thousands separator."""
    return f"{value:.{TYPED_DIGITS}g}" if unit == "year" else f"{value:,.{TYPED_DIGITS}g}"


def parameters_to_latex(table: pd.DataFrame, *, experiment: str = "") -> str:
    """LaTeX text of a parameter table, for a document that loads array, booktabs and longtable.

    Parameters
    ----------
    table : DataFrame
        From `parameter_table`.
    experiment : str, optional
        Name of the experiment whose values these are; the registry's where empty.

    Returns
    -------
    str
        A ``longtable`` in sections by room, with caption, label, and the counts by status below.
    """
    columns = [
        Column("Parameter", 0.18),
        Column("Value"),
        *([Column("Registry")] if experiment else []),
        Column("Range", 0.11),
        Column("Unit", 0.11),
        Column("Status, known", 0.125),
        Column("Meaning and source", 0.18 if experiment else 0.27),
    ]
    sections = []
    for room, part in table.groupby("room", sort=False):
        lines = []
        for row in part.to_dict("records"):
            mark = (r"\textsuperscript{*}" if row["changed"] else "") + (
                r"\textsuperscript{!}" if row["out_of_range"] else ""
            )
            unit = row["unit"]
            given = [latex_figure(typed(row["registry_value"], unit))] if experiment else []
            lines.append(
                [
                    latex_name(row["name"]),
                    latex_figure(typed(row["value"], unit)) + mark,
                    *given,
                    latex_range(typed(row["low"], unit), typed(row["high"], unit)),
                    latex_unit(unit),
                    latex_escape(f"{row['status']}, {row['known_year']}"),
                    latex_escape(f"{row['meaning']}. ") + latex_emphasis(row["source"]),
                ]
            )
        sections.append((latex_escape(f"Room: {room}"), lines))
    notes = [
        f"{status_sentence(table)}.",
        "Unit 1: a share, an index or a switch. Sections are those of the plan (plan 7.1). "
        "Known: year in which the value became known.",
    ]
    if table["changed"].any():
        notes.append(
            "* changed by the experiment; range, status, year and source are those of the registry."
        )
    if table["out_of_range"].any():
        notes.append("! outside its range, which the experiment allows.")
    notes.append(f"hukou-opt {__version__}.")
    title = f"Parameters of the experiment {experiment}" if experiment else "Parameters"
    return longtable(
        columns,
        sections,
        caption=f"{title}: value, range, unit, status, meaning and source",
        label="parameters" + (f"_{experiment}" if experiment else ""),
        notes=notes,
    )


def _row(row: Parameter, registered: Parameter) -> dict[str, object]:
    return {
        "name": row.name,
        "room": row.room,
        "value": row.value,
        "registry_value": registered.value,
        "low": row.low,
        "high": row.high,
        "unit": row.unit,
        "status": row.status,
        "known_year": registered.known_year,
        "source": row.source,
        "plan_fact": row.plan_fact,
        "meaning": row.meaning,
        "changed": row.value != registered.value,
        "out_of_range": not row.low <= row.value <= row.high,
    }


def _found(row: Parameter, search: str) -> bool:
    text = " ".join(str(getattr(row, column)) for column in _SEARCHED).casefold()
    return all(word in text for word in search.casefold().split())


def _nothing_left(rows: Sequence[Parameter], room: str, status: str, search: str) -> Fault:
    """Say which filter left nothing, with the nearest name where a word was misspelt."""
    filters = (("room", room), ("status", status), ("search", search))
    where = ", ".join(f"{kind} {given!r}" for kind, given in filters if given) or "parameters"
    anywhere = [row.name for row in rows if search.strip() and _found(row, search)]
    if anywhere:
        return Fault(where, "matches no parameter", f"drop a filter: {', '.join(anywhere[:5])}")
    if not search.strip():
        return Fault(where, "matches no parameter", "drop one of the filters")
    hint = search_hint(search, [row.name for row in rows])
    return Fault(where, "matches no parameter", hint)


def search_hint(search: str, names: Sequence[str]) -> str:
    """Suggest the nearest name, or the name with the nearest word in it, for a vain search."""
    wanted = search.strip().replace(" ", "_").casefold()
    words = sorted({word for name in names for word in name.split("_")})
    for known in (names, words):
        hint = did_you_mean(wanted, known)
        if hint.startswith(_NEAR):
            return hint
    return "search for a word of a name, unit or source; without a filter all are listed"
