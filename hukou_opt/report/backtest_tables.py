"""Tables of a back-test: the primary form against the best naive forecast, and all forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hukou_opt import __version__
from hukou_opt.report.longtable import Column
from hukou_opt.report.table import MISSING
from hukou_opt.report.text_table import TextTable, html_page

#: Quantities in print, in their order.
QUANTITIES = {
    "urban_share": "urban share",
    "population": "population",
    "children": "children 6-14",
    "beds": "beds",
    "hukou_rate": "national hukou rate",
}
#: Heads of narrow columns.
SHORT = {
    "urban_share": "Urban, pts",
    "population": "People, %",
    "children": "Children, %",
    "beds": "Beds, %",
    "hukou_rate": "Hukou, pts",
}
UNITS = {"percentage points": "points", "percent": "%"}
SERIES = {"revised": "as revised since", "first": "as first published"}
#: A bound of an interval this near to 0 is within what another seed could move.
EDGE = 0.01
REFERENCES = {"census": "census of {year}", "year_end": "year end of {year}"}
#: Theil's parts of the mean squared error.
PARTS = ("theil_um", "theil_us", "theil_uc")
#: Figures of an identity that are printed.
IDENTITY = 12
PRIMARY_MARK, LATER_MARK = " *", " †"
HEADING = "Back-test of the stock-flow model"


@dataclass(frozen=True)
class Fixed:
    """What was fixed before scoring.

    Parameters
    ----------
    version : int
        Version of the protocol.
    fixed_on, identity, knowledge : str
        Date, SHA-256 of the file, what its authors knew of the outcomes.
    primary : str
        Form on which claims rest.
    level : float
        Confidence level.
    draws, seed : int
        Of the bootstrap.
    """

    version: int
    fixed_on: str
    identity: str
    knowledge: str
    primary: str
    level: float
    draws: int
    seed: int


@dataclass(frozen=True, eq=False)
class Scores:
    """All that the tables of a back-test are made from.

    Parameters
    ----------
    scores : DataFrame
        One line per test, quantity and forecast: ``mean_absolute_error``, ``theil_um`` and so on.
    skills : DataFrame
        Skill of forms over naive forecasts with intervals.
    regions : DataFrame
        Forecast, outcome and error by region.
    tests : mapping
        ``vintage``, ``first``, ``last``, ``known_by``, ``target``, ``reference``, ``hindsight`` by
        test.
    forms : mapping
        ``text`` and ``added_later`` by form.
    revision : mapping of str to mapping of str to float
        Mean absolute error of the published figures of the base year by test and quantity, in the
        unit of the quantity's errors; no entry for a test on revised series.
    known_later : mapping of str to int
        Number of parameters in use that became known after the vintage, by test.
    fixed : Fixed
        The protocol.
    """

    scores: pd.DataFrame
    skills: pd.DataFrame
    regions: pd.DataFrame
    tests: Mapping[str, Mapping[str, Any]]
    forms: Mapping[str, Mapping[str, Any]]
    revision: Mapping[str, Mapping[str, float]]
    known_later: Mapping[str, int]
    fixed: Fixed


def tables(given: Scores) -> list[TextTable]:
    """All tables of a back-test; the last only where published figures were revised."""
    made = [against_naive(given), ladder(given)]
    return [*made, revision(given)] if given.revision else made


def against_naive(given: Scores) -> TextTable:
    """The primary form beside the best naive forecast, with skill and Theil's parts."""
    sections = []
    for test in given.tests:
        rows = []
        for quantity, unit in _quantities(given, test):
            own = _score(given, test, quantity, given.fixed.primary)
            naive = best_naive(given, test, quantity)
            skill, words = _skill(given, test, quantity, str(naive["forecast"]))
            # One number has no spread and no correlation.
            whole = skill != MISSING
            rows.append(
                (
                    f"{QUANTITIES[quantity]} ({unit})",
                    _two(own["mean_absolute_error"]),
                    _two(naive["mean_absolute_error"]),
                    skill,
                    *(_two(own[part]) if whole else MISSING for part in PARTS),
                    words,
                )
            )
        sections.append((heading(given, test), tuple(rows)))
    percent = f"{100 * given.fixed.level:g} %"
    return TextTable(
        "backtest",
        f"{HEADING}: form “{given.fixed.primary}” against the best naive forecast",
        (
            Column("Quantity", 0.15),
            Column("Model"),
            Column("Naive"),
            Column(f"Skill [{percent}]"),
            *(Column(head) for head in ("UM", "US", "UC")),
            Column("Model is", 0.17),
        ),
        tuple(sections),
        (
            "Model, naive: mean absolute error, every province counts once; of the national rate, "
            "the error of one number. Naive: the best naive forecast, named in the last column.",
            "UM, US, UC: parts of the model's mean squared error of changes from unequal means, "
            "unequal spread and imperfect correlation (Theil 1966).",
            *notes(given),
        ),
    )


def ladder(given: Scores) -> TextTable:
    """Errors of all forms and of all naive forecasts."""
    present = [quantity for quantity, _ in _quantities(given)]
    sections = []
    for test in given.tests:
        part = given.scores[given.scores["test"] == test]
        rows = []
        for kind, name in dict.fromkeys(zip(part["kind"], part["forecast"], strict=True)):
            mine = part[(part["forecast"] == name) & (part["kind"] == kind)]
            errors = dict(zip(mine["quantity"], mine["mean_absolute_error"], strict=True))
            rows.append(
                (
                    _named(given, kind, name),
                    *(
                        _two(errors[quantity]) if quantity in errors else MISSING
                        for quantity in present
                    ),
                )
            )
        sections.append((heading(given, test), tuple(rows)))
    return TextTable(
        "backtest-forms",
        f"{HEADING}: mean absolute errors of all forms and naive forecasts",
        (
            Column("Forecast", 0.2),
            *(Column(SHORT[quantity]) for quantity in present),
        ),
        tuple(sections),
        (
            f"{PRIMARY_MARK.strip()} primary form, on which claims rest.",
            f"{LATER_MARK.strip()} added after the first scoring; no claim rests on it.",
            "Urban: urban share; people: residents; children of 6-14; hukou: national hukou rate. "
            "pts: percentage points.",
            *(f"{name}: {row['text']}" for name, row in _forms(given)),
            *notes(given),
        ),
    )


def revision(given: Scores) -> TextTable:
    """Part of the error that the later revision of the published base year explains."""
    sections = []
    for test, errors in given.revision.items():
        rows = []
        for quantity, error in errors.items():
            own = _score(given, test, quantity, given.fixed.primary)
            rows.append(
                (
                    f"{QUANTITIES[quantity]} ({UNITS[str(own['unit'])]})",
                    _two(error),
                    _two(own["mean_absolute_error"]),
                    _two(best_naive(given, test, quantity)["mean_absolute_error"]),
                )
            )
        sections.append((heading(given, test), tuple(rows)))
    return TextTable(
        "backtest-revision",
        f"{HEADING}: part of the error that the revision of the base year explains",
        (
            Column("Quantity", 0.24),
            Column("Base year as published"),
            Column("Model"),
            Column("Best naive"),
        ),
        tuple(sections),
        (
            "Base year as published: mean absolute difference from the figure as revised since. "
            "Model and best naive: mean absolute error at the target. A forecast starts from the "
            "error of its base year; what lies beyond it is the forecast's. The two may add or "
            "cancel, so that they are not to be subtracted.",
            *notes(given),
        ),
    )


def heading(given: Scores, test: str) -> str:
    """What a test forecasts from what."""
    row = given.tests[test]
    reference = REFERENCES[row["reference"]].format(year=row["target"])
    return (
        f"{test}: {row['first']}-{row['last']} {SERIES[row['vintage']]}, known by "
        f"{row['known_by']}; {reference}"
    )


def notes(given: Scores) -> tuple[str, ...]:
    """References, vintages, bootstrap and protocol."""
    fixed = given.fixed
    tests = "; ".join(heading(given, test) for test in given.tests)
    return (
        f"Tests (window, series, last year of knowledge; reference): {tests}. Census: counted one "
        "by one; year end: published estimates.",
        f"Intervals: {100 * fixed.level:g} %, bias-corrected and accelerated, {fixed.draws} paired "
        f"bootstrap draws over provinces, seed {fixed.seed}.",
        f"Protocol version {fixed.version}, fixed on {fixed.fixed_on}, "
        f"{fixed.identity[:IDENTITY]}; hukou-opt {__version__}.",
    )


def how_to_read(given: Scores) -> list[str]:
    """What the figures can tell, and what they cannot."""
    fixed = given.fixed
    lines = [
        "Skill is one less the ratio of the model's error to the naive forecast's: 1 is perfect, 0 "
        "no better, below 0 worse. The best naive forecast is chosen in hindsight, which favours "
        "it. Where the interval includes 0, the two cannot be told apart.",
        f"At the edge: a bound of the interval lies within {EDGE:g} of 0, nearer than the "
        "bootstrap tells.",
        "A good forecast has most of its error in UC; UM is a common bias, US a wrong spread over "
        "provinces.",
        f"What was known when the protocol was fixed: {fixed.knowledge}",
    ]
    for test, row in given.tests.items():
        if row["hindsight"]:
            lines.append(
                f"Test {test} has hindsight: its series were rebuilt when the target was known, so "
                "that model and naive forecasts are both closer than they could have been."
            )
    for test, errors in given.revision.items():
        for quantity, error in errors.items():
            own = _score(given, test, quantity, fixed.primary)
            unit = UNITS[str(own["unit"])]
            lines.append(
                f"Test {test}, {QUANTITIES[quantity]}: the published figures of the base year were "
                f"themselves off by {_two(error)} {unit} on average, as revised since; the model's "
                f"error at the target is {_two(own['mean_absolute_error'])}."
            )
    if any(given.known_later.values()):
        counts = ", ".join(f"{test} {number}" for test, number in given.known_later.items())
        lines.append(
            "The figures of a test are those of its time, the assumptions of the model are not: "
            f"parameters that move the window and became known later: {counts}. The calibration "
            "files name them."
        )
    if later := [name for name, row in _forms(given) if row["added_later"]]:
        lines.append(f"Added after the first scoring, shown without any claim: {', '.join(later)}.")
    return lines


def to_markdown(given: Scores) -> str:
    """One page with all tables and how to read them."""
    parts = [f"# {HEADING}\n", *(table.markdown() for table in tables(given))]
    lines = "\n".join(f"- {line}" for line in how_to_read(given))
    return "\n".join([*parts, "## How to read it\n", lines, ""])


def to_latex(given: Scores) -> str:
    """All tables as LaTeX, for a document that loads array, booktabs and longtable."""
    return "\n".join(_typeset(table.latex()) for table in tables(given))


def to_html(given: Scores) -> str:
    """One HTML page with all tables and how to read them."""
    return html_page(HEADING, tables(given), how_to_read(given))


def best_naive(given: Scores, test: str, quantity: str) -> Mapping[str, Any]:
    """Line of the naive forecast with the smallest error."""
    found = _lines(given.scores, test=test, quantity=quantity, kind="naive")
    return min(found, key=lambda line: float(line["mean_absolute_error"]))


def verdict(low: float, high: float) -> str:
    """Whether a skill is above 0, below it, or neither."""
    if low > 0:
        return "better than"
    return "worse than" if high < 0 else "not distinguishable from"


def _typeset(text: str) -> str:
    """Marks and quotes that older LaTeX engines do not read as letters."""
    for letter, command in (("†", r"\dag{}"), ("“", "``"), ("”", "''")):
        text = text.replace(letter, command)
    return text


def _quantities(given: Scores, test: str | None = None) -> list[tuple[str, str]]:
    """Quantities that were scored, in print order, with the unit of their errors."""
    scores = given.scores if test is None else given.scores[given.scores["test"] == test]
    units = dict(zip(scores["quantity"], scores["unit"], strict=True))
    return [(quantity, UNITS[units[quantity]]) for quantity in QUANTITIES if quantity in units]


def _lines(frame: pd.DataFrame, **wanted: str) -> Sequence[Mapping[str, Any]]:
    """Lines of a frame that have the wanted values."""
    chosen = frame
    for column, value in wanted.items():
        chosen = chosen[chosen[column] == value]
    return [{str(name): cell for name, cell in row.items()} for row in chosen.to_dict("records")]


def _score(given: Scores, test: str, quantity: str, name: str) -> Mapping[str, Any]:
    return _lines(given.scores, test=test, quantity=quantity, forecast=name, kind="model")[0]


def _skill(given: Scores, test: str, quantity: str, naive: str) -> tuple[str, str]:
    """Skill with its interval, and the verdict in words."""
    found = _lines(
        given.skills, test=test, quantity=quantity, form=given.fixed.primary, naive=naive
    )
    name = naive.replace("_", " ")
    if not found:
        return MISSING, f"{name}; one number, no interval"
    row = found[0]
    low, high = float(row["skill_low"]), float(row["skill_high"])
    edge = " (at the edge)" if min(abs(low), abs(high)) < EDGE else ""
    words = f"{verdict(low, high)} {name}{edge}"
    return f"{_two(row['skill'])} [{_two(low)}, {_two(high)}]", words


def _forms(given: Scores) -> list[tuple[str, Mapping[str, Any]]]:
    """Forms that were run."""
    run = set(given.scores.loc[given.scores["kind"] == "model", "forecast"])
    return [(name, row) for name, row in given.forms.items() if name in run]


def _named(given: Scores, kind: str, name: str) -> str:
    """Name of a forecast with its marks."""
    if kind == "naive":
        return f"naive: {name.replace('_', ' ')}"
    later = LATER_MARK if given.forms[name]["added_later"] else ""
    return name + (PRIMARY_MARK if name == given.fixed.primary else "") + later


def _two(value: float) -> str:
    """Two decimals; a rounded zero has no sign."""
    return f"{round(float(value), 2) + 0.0:.2f}"
