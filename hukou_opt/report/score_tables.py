"""Cases compared: every measure by every indicator, and the money under plain formulas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.errors import Fault, ResultError
from hukou_opt.report.rounding import largest_remainder, round_half_up, snap
from hukou_opt.report.table import MARK, Kind, Table, notes, printed, require_allocation, title
from hukou_opt.report.tables import ALL_REGIONS, FUND, NOT_USED, rounded_money
from hukou_opt.result import Result
from hukou_opt.vocabulary import label, vocabulary

PLAN = "plan"
#: What the short table of comparators shows of each measure.
HEADLINES = ("mean", "worst_fifth", "mean_deviation")
MONEY_USED = ("central_used", "central money used", "已用中央资金")
MONEY_UNUSED = ("central_unused", "central money not used", "未使用中央资金")


@dataclass(frozen=True)
class Row:
    """One figure of all cases, and its value at the start.

    Parameters
    ----------
    measure, indicator : tuple of str
        Name, English and Chinese label.
    period : str
        Year, or first and last year.
    unit, better : str
        Unit; and ``large``, ``small`` or ``none``.
    kind : Kind
        How it is written.
    start : float
        Figure at the start, the same in all cases; not a number for money.
    values : ndarray, shape (case,)
        Figures of the cases.
    """

    measure: tuple[str, str, str]
    indicator: tuple[str, str, str]
    period: str
    unit: str
    better: str
    kind: Kind
    start: float
    values: np.ndarray

    def best(self) -> set[int]:
        """Cases with the best figure as printed; none where all are equal or none is better."""
        if self.better == "none" or np.isnan(self.values).all():
            return set()
        shown = self.shown()
        best = np.nanmax(shown) if self.better == "large" else np.nanmin(shown)
        found = {int(at) for at in np.flatnonzero(shown == best)}
        return found if len(found) < np.isfinite(shown).sum() else set()

    def shown(self) -> np.ndarray:
        """Figures as printed."""
        return np.array([printed(float(value), self.kind) for value in self.values])

    def against(self, plan: int) -> list[str]:
        """Each case's figure against the plan's: better, worse, equal; empty without judgement."""
        shown = self.shown()
        if self.better == "none":
            return [""] * len(shown)
        sign = 1 if self.better == "large" else -1
        words = {1.0: "better", 0.0: "equal", -1.0: "worse"}
        return [words.get(float(np.sign(sign * (each - shown[plan]))), "") for each in shown]


def require_indicators(result: Result) -> xr.Dataset:
    """The group of indicators.

    Raises
    ------
    ResultError
        If the result has no allocation, one without certificate, or no indicators.
    """
    require_allocation(result)
    if "indicators" not in result:
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                "has no indicators: it was written by an earlier version",
                "run the experiment again",
            )
        )
    return result["indicators"]


def _kind(unit: str, in_unit: bool) -> Kind:
    if not in_unit:
        return "index"
    if unit.startswith("yuan"):
        return "whole"
    return "fine_percent" if unit == "1" else "figure"


def _rows(result: Result) -> Iterator[Row]:
    """Every figure that is defined, measure by measure, years before indicators."""
    group = require_indicators(result)
    start = str(int(result["trajectory"]["year"].values[0]))
    periods = [str(period) for period in group["period"].values]
    names = [str(name) for name in group["measure"].values]
    kinds = [str(name) for name in group["indicator"].values]
    value = group["value"].transpose("measure", "period", "indicator", "case").values
    unit, better, in_unit = (group[name].values for name in ("unit", "better", "in_unit"))
    labels = list(zip(group["indicator_en"].values, group["indicator_zh"].values, strict=True))
    for i, measure in enumerate(names):
        words = (measure, str(group["measure_en"].values[i]), str(group["measure_zh"].values[i]))
        at_start = value[i, periods.index(start)] if start in periods else None
        for k, period in enumerate(periods):
            if period == start:
                continue
            for j, indicator in enumerate(kinds):
                if np.isnan(value[i, k, j]).all():
                    continue
                yield Row(
                    words,
                    (indicator, str(labels[j][0]), str(labels[j][1])),
                    period,
                    str(unit[i, j]),
                    str(better[i, j]),
                    _kind(str(unit[i, j]), bool(in_unit[j])),
                    np.nan if at_start is None else float(at_start[j].mean()),
                    value[i, k, j],
                )


def _cases(result: Result) -> list[str]:
    return [str(case) for case in require_indicators(result)["case"].values]


def _money_rows(result: Result) -> list[Row]:
    """Central money used and not used, by case; the case without the plan has none."""
    fund = float(result.attrs["central_fund"])
    used = {PLAN: fund - float(result["allocation"]["central_unused"])}
    if "comparators" in result:
        given = result["comparators"]["central_transfers"].sum(["region", "block"])
        used |= {
            str(name): float(given.sel(comparator=name)) for name in given["comparator"].values
        }
    values = np.array([used.get(case, np.nan) for case in _cases(result)])
    years = result["allocation"]["year"].values
    unit = vocabulary()["central_transfers"].unit
    return [
        Row(
            words,
            ("total", "total", "合计"),
            f"{int(years[0])}-{int(years[-1])}",
            unit,
            "none",
            "whole",
            np.nan,
            amount,
        )
        for words, amount in ((MONEY_USED, values), (MONEY_UNUSED, np.maximum(0.0, fund - values)))
    ]


def _table(name: str, caption: str, result: Result, rows: Sequence[Row], *, listed: bool) -> Table:
    """A table of cases; its notes count, or list, where each is better than the plan."""
    cases = _cases(result)
    plan = cases.index(PLAN)
    frame = pd.DataFrame(
        np.array([[row.start, *row.values] for row in rows]),
        index=pd.MultiIndex.from_tuples(
            [(_head(row), row.period, row.indicator[1]) for row in rows],
            names=["Measure", "Years", "Indicator"],
        ),
        columns=pd.Index([label("base_year"), *(label(case) for case in cases)]),
    )
    marked = {(at, 1 + case) for at, row in enumerate(rows) for case in row.best()}
    return Table(
        name,
        title(result, caption),
        frame,
        (),
        tuple(row.kind for row in rows),
        _tidy(rows, cases),
        (),
        True,
        (*_lines(rows, cases, plan, listed=listed), *notes(result)),
        frozenset(marked),
    )


def _head(row: Row) -> str:
    return row.measure[1] if row.unit != "100m yuan" else f"{row.measure[1]}, {row.unit}"


def _tidy(rows: Sequence[Row], cases: Sequence[str]) -> pd.DataFrame:
    """One row per figure and case."""
    plan = cases.index(PLAN)
    lines = []
    for row in rows:
        best, against = row.best(), row.against(plan)
        for at, case in enumerate(cases):
            lines.append(
                {
                    "measure": row.measure[0],
                    "measure_en": row.measure[1],
                    "measure_zh": row.measure[2],
                    "period": row.period,
                    "indicator": row.indicator[0],
                    "indicator_en": row.indicator[1],
                    "indicator_zh": row.indicator[2],
                    "unit": row.unit,
                    "case": case,
                    "start": row.start,
                    "value": row.values[at],
                    "better_if": row.better,
                    "best": int(at in best),
                    "against_plan": against[at],
                }
            )
    return pd.DataFrame(lines)


def _lines(rows: Sequence[Row], cases: Sequence[str], plan: int, *, listed: bool) -> list[str]:
    """On how many figures each case is better than the plan, and on which, case by case."""
    judged = [(row, row.against(plan)) for row in rows if row.better != "none"]
    lines = [
        f"{MARK} best of the row, compared on the digits printed; no mark where all are equal or "
        "no direction is better.",
        "Seats and beds count in full, also those that stand idle beyond need.",
    ]
    for at, case in enumerate(cases):
        if at == plan:
            continue
        better = [row for row, against in judged if against[at] == "better"]
        worse = sum(against[at] == "worse" for _, against in judged)
        head = f"{label(case)} is better than the plan on {len(better)} of {len(judged)} figures"
        lines.append(f"{head} and worse on {worse}{_listed(better) if listed else ''}.")
    return lines


def _listed(rows: Sequence[Row]) -> str:
    """Measures with their years and indicators, each measure once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(f"{row.measure[1]} {row.period}", []).append(row.indicator[1])
    if not found:
        return ""
    return ": " + "; ".join(f"{what} ({', '.join(how)})" for what, how in found.items())


def indicators_table(result: Result) -> Table:
    """Every measure of every case by every indicator, with the best case marked.

    Raises
    ------
    ResultError
        If the result has no indicators, no allocation, or one without certificate.
    """
    caption = "all measures by all indicators of inequality"
    return _table("indicators", caption, result, list(_rows(result)), listed=False)


def comparators_table(result: Result) -> Table:
    """The plan against no plan and plain formulas: level, worst-off fifth and spread.

    Raises
    ------
    ResultError
        If the result has no indicators, no allocation, or one without certificate.
    """
    rows = [row for row in _rows(result) if row.indicator[0] in HEADLINES]
    caption = "the plan against plain formulas for the central money"
    return _table("comparators", caption, result, [*_money_rows(result), *rows], listed=True)


def with_best(table: Table) -> pd.DataFrame:
    """Figures of a table of cases, and a last column with the names of the best cases."""
    names = [str(name) for name in table.frame.columns]
    best = [
        ", ".join(name for column, name in enumerate(names) if (row, column) in table.marked)
        for row in range(len(table.frame))
    ]
    return table.frame.assign(Best=best)


def formula_table(result: Result) -> Table:
    """Central money of all years by region, under the plan and under each plain formula.

    Raises
    ------
    ResultError
        If the result has no comparators, no allocation, or one without certificate.
    """
    plan, unused, fund = rounded_money(result)
    if "comparators" not in result:
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                "has no comparators",
                "list some in the experiment under allocation.comparators",
            )
        )
    group = result["comparators"]
    columns = {label(PLAN): plan.sum(["block", "sector"]).values}
    rest = {label(PLAN): unused}
    for name in group["comparator"].values:
        exact = group["central_transfers"].sel(comparator=name).sum("block").values
        exact = snap(np.maximum(exact, 0.0))
        used = min(float(round_half_up(float(exact.sum()))), fund)
        columns[label(str(name))] = largest_remainder(exact, used)
        rest[label(str(name))] = fund - used
    regions = [str(name) for name in result["regions"]["name_en"].values]
    frame = pd.DataFrame(columns, index=pd.Index(regions, name="Region"))
    for name, line in (
        (ALL_REGIONS, frame.sum().to_dict()),
        (NOT_USED, rest),
        (FUND, dict.fromkeys(columns, fund)),
    ):
        frame.loc[name] = pd.Series(line, dtype=float)
    unit = vocabulary()["central_transfers"].unit
    whole: Kind = "whole"
    return Table(
        "formula_money",
        title(result, f"central money of all years by formula, {unit}"),
        frame,
        tuple(whole for _ in columns),
        (),
        _tidy_formula(result),
        (len(regions), len(regions) + 1, len(regions) + 2),
        False,
        (
            "Money that a region cannot use under its formula, in the years and sectors in which "
            "the fund gives it, stays unused; of equally good answers the one nearest to the "
            "formula is taken.",
            *notes(result),
        ),
    )


def _tidy_formula(result: Result) -> pd.DataFrame:
    """What each formula gives a region, what it uses of it and what stays unused."""
    group = result["comparators"]
    regions = result["regions"]
    used = group["central_transfers"].sum("block").rename("used")
    frame = xr.merge([group["formula"].drop_attrs(), used, group["unused"].drop_attrs()])
    tidy = frame.to_dataframe().reset_index()
    tidy.insert(2, "name_en", tidy["region"].map(regions["name_en"].to_series()))
    tidy.insert(3, "name_zh", tidy["region"].map(regions["name_zh"].to_series()))
    tidy["unit"] = vocabulary()["central_transfers"].unit
    return tidy
