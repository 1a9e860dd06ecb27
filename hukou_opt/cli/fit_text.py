"""What `calibrate` and `backtest` print: estimates, scores, and what they can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hukou_opt.cli.columns import columns, wrapped

if TYPE_CHECKING:
    from pandas import DataFrame

    from hukou_opt.fit.calibrate import Calibration
    from hukou_opt.report.backtest_tables import Scores
    from hukou_opt.report.text_table import TextTable

#: Correlation from which on two estimates are one: their intervals overlap whatever the data say.
INSEPARABLE = 0.95
#: Assumptions named for each test and quantity.
LARGEST = 3


def calibration_lines(made: Calibration) -> Iterator[str]:
    """Window, free parameters against observations, estimates, and what is not identified."""
    from hukou_opt.fit.used import known_later, used_parameters
    from hukou_opt.report.backtest_tables import SERIES

    window, found, fit = made.window, made.national, made.fit
    rows = made.parameters.rows
    limit = made.history.known_by
    access = "held at the first year's level" if fit.form.access_held else "simulated"
    yield f"Calibration to {window.years[0]}-{window.last}, series {SERIES[made.vintage]}"
    yield f"Known by: {limit}. Years with figures: {', '.join(map(str, window.years))}."
    yield f"Access to schools and hospitals: {access}."
    yield ""
    yield f"Free parameters: {_counted(made.free)}"
    yield f"Observations:    {_counted(made.observations)}"
    yield ""
    yield f"National estimates with {100 * made.level:g} % interval:"
    yield columns(
        [
            [
                f"  {name}",
                f"{found.values[at]:.3g}",
                f"[{found.low[at]:.3g}, {found.high[at]:.3g}]",
                _unit(rows[name].unit)
                + (", at the bound of its range" if name in found.at_bound else ""),
            ]
            for at, name in enumerate(found.names)
        ],
        2,
    )
    together = float(found.correlation[0, 1])
    yield f"  correlation of the two {together:.3f}, scatter {found.scatter:.2f} points"
    if found.ridge:
        yield "Settlement for a given share of reclassified villages:"
        yield columns(
            [
                ["  share", "settlement", "interval", "scatter, points"],
                *(
                    [
                        f"  {each.reclassified:g}",
                        f"{each.settlement:.3f}",
                        f"[{each.low:.3f}, {each.high:.3f}]",
                        f"{each.scatter:.3f}",
                    ]
                    for each in found.ridge
                ),
            ],
            3,
        )
    yield "National hukou rate, %:"
    yield columns(
        [
            ["  year", *map(str, found.years)],
            ["  observed", *(f"{100 * value:.1f}" for value in found.observed)],
            ["  fitted", *(f"{100 * value:.1f}" for value in found.fitted)],
        ],
        len(found.years),
    )
    yield ""
    yield "Not identified, or no evidence:"
    used = used_parameters(made)
    later = () if limit is None else known_later(used, limit)
    for line in _limits(made, together, len(used), later):
        yield _item(line)
    yield ""


def _limits(made: Calibration, together: float, used: int, later: Sequence[str]) -> Iterator[str]:
    """What the data do not tell, in words."""
    found, fit = made.national, made.fit
    rest = len(found.years) - len(found.names)
    if abs(together) > INSEPARABLE:
        line = (
            f"Settlement and reclassification apart: {len(found.years)} hukou rates for "
            f"{len(found.names)} parameters, which the series tells only together "
            f"(correlation {together:.3f})."
        )
        if found.ridge:
            scatters = [each.scatter for each in found.ridge]
            line += (
                f" Any share between {found.ridge[0].reclassified:g} and "
                f"{found.ridge[-1].reclassified:g} fits within {min(scatters):.2f} to "
                f"{max(scatters):.2f} points: take the settlement that goes with the share in use."
            )
        yield line
    yield (
        f"Slopes and net moves of the {len(made.window.codes)} provinces: means of the window's "
        "changes, one number per series. The end of the window is met by construction. Only the "
        f"hukou rate could contradict the model, with {rest} more observations than parameters."
    )
    if fit.fixed:
        from hukou_opt.regions import load_regions

        names = load_regions().labels["name_en"]
        codes = ", ".join(str(names[made.window.codes[at]]) for at in fit.fixed)
        yield f"Provinces whose moves stand at their floor, and which cannot follow: {codes}."
    if made.observed.persistence == 1.0:
        yield (
            "Damping of net moves: no two successive migration tables were at hand, so that net "
            "moves are carried on as they are."
        )
    line = f"Everything else is taken from the registry: {used} parameters move the window."
    if later:
        limit = made.history.known_by
        line += f" {len(later)} of them became known after {limit}; the file names them."
    yield line


def backtest_lines(given: Scores) -> Iterator[str]:
    """The model against the best naive forecast, all forms, and how to read them."""
    from hukou_opt.report.backtest_tables import against_naive, how_to_read, ladder

    for table in (against_naive(given), ladder(given)):
        yield f"{table.caption}"
        yield from _sections(table)
        yield ""
    yield "How to read it:"
    for line in how_to_read(given):
        yield _item(line)
    fixed = given.fixed
    yield _item(
        f"Protocol version {fixed.version} of {fixed.fixed_on}, {fixed.identity[:12]}; "
        f"{fixed.draws} bootstrap draws, seed {fixed.seed}."
    )


def assumption_lines(moved: DataFrame) -> Iterator[str]:
    """Lines that say which later assumptions move a score most, by test and quantity."""
    if moved.empty:
        return
    yield ""
    yield "Assumptions later than the vintage, at the ends of their ranges (assumptions.csv):"
    for test, of_test in moved.groupby("test", sort=False):
        for quantity, lines in of_test.groupby("quantity", sort=False):
            largest = lines.loc[lines["change"].abs().groupby(lines["parameter"]).idxmax()]
            largest = largest.sort_values("change", key=abs, ascending=False).head(LARGEST)
            said = ", ".join(
                f"{row.parameter} {row.value:g} {row.change:+.2f}" for row in largest.itertuples()
            )
            yield _item(f"{test}, {str(quantity).replace('_', ' ')}: {said}.")


def _sections(table: TextTable) -> Iterator[str]:
    """A table for a terminal, its columns lined up over all sections."""
    heads = [column.head for column in table.columns]
    figures = sum(1 for column in table.columns if not column.width)
    rows = [row for _, part in table.sections for row in part]
    lines = columns([heads, *rows], figures).split("\n")
    at = 1
    for heading, part in table.sections:
        yield f"\n{heading}"
        yield f"  {lines[0]}"
        for line in lines[at : at + len(part)]:
            yield f"  {line}"
        at += len(part)


def _unit(unit: str) -> str:
    """The registry writes 1 for a share."""
    return "share" if unit == "1" else unit


def _counted(counts: Mapping[str, int]) -> str:
    parts = ", ".join(f"{number} {name}" for name, number in counts.items())
    return f"{sum(counts.values())} ({parts})"


def _item(text: str) -> str:
    """A paragraph with a dash before it."""
    first, *more = wrapped(text, None).split("\n")
    return "\n".join([f"- {first}", *(f"  {line}" for line in more)])
