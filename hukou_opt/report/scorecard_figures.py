"""Figures of a saved result that are held against the plan's targets.

Each is a national figure as the result has it. What needs an allocation has no figure in a run
without one, and a target outside the model never has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hukou_opt.errors import ResultError
from hukou_opt.outcome_figures import last_year
from hukou_opt.outcomes import series
from hukou_opt.plan.scorecard import Score, score
from hukou_opt.plan.targets import Target, load_targets
from hukou_opt.report.table import require_proof
from hukou_opt.result import Result

#: Schools and hospitals are counted one by one, seats and beds in ten thousands.
PLACES = 10_000.0
PARTNERS = {
    "partner_schools": ("seats", "partner_school_seats"),
    "partner_hospitals": ("beds", "partner_hospital_beds"),
}


@dataclass(frozen=True)
class Figure:
    """A figure of a run, and where the run started from.

    Parameters
    ----------
    value : float or None
        Figure in the judged year.
    begins : float or None
        The same at the end of the base year, where it is defined then.
    """

    value: float | None
    begins: float | None = None


_Measure = Callable[[Result, Target, int], Figure]
NOTHING = Figure(None)


def scorecard(result: Result) -> list[Score]:
    """Score every target of the plan by one result.

    Parameters
    ----------
    result : Result
        A run, with a certificate or without allocation.

    Returns
    -------
    list of Score
        One for each row of `targets.csv`, in its order.

    Raises
    ------
    ResultError
        If the result has an allocation without certificate.
    """
    require_proof(result)
    last = last_year(result)
    start = int(result["trajectory"]["year"].values[0])
    scores = []
    for target in load_targets():
        judged = last if target.year is None else min(target.year, last)
        found = MEASURES[target.measure](result, target, judged) if target.measure else NOTHING
        scores.append(
            score(
                target,
                value=found.value,
                judged=judged,
                begins=found.begins,
                official=_base(result),
                start=start,
            )
        )
    return scores


def _base(result: Result) -> bool | None:
    """Whether the stated official baselines fit the run, or the plan's; None for other regions."""
    if result.attrs.get("region_notes"):
        return None
    return str(result.attrs["base"]) == "official"


def _series(result: Result, name: str) -> pd.Series | None:
    """An outcome year by year; None where the result does not hold it."""
    try:
        return series(result, name)
    except ResultError:
        return None


def _at(values: pd.Series | None, year: int) -> float | None:
    return None if values is None or year not in values.index else float(values[year])


def _level(name: str) -> _Measure:
    """A state at the end of the judged year, and at the end of the base year."""

    def measure(result: Result, _target: Target, judged: int) -> Figure:
        values = _series(result, name)
        return Figure(_at(values, judged), _at(values, int(result["trajectory"]["year"].values[0])))

    return measure


def _per_year(name: str, cumulative: bool) -> _Measure:
    """Mean of the years of the target's span that the run reaches."""

    def measure(result: Result, target: Target, judged: int) -> Figure:
        values = _series(result, name)
        first = target.first_year
        if values is None or first is None or judged not in values.index:
            return NOTHING
        before = _at(values, first - 1)
        if before is None and cumulative:
            # Money starts in the first decision year: nothing was spent before.
            before = 0.0 if first == values.index[0] else None
        if before is None:
            return NOTHING
        return Figure((float(values[judged]) - before) / (judged - first + 1))

    return measure


def _rural_service(result: Result, _target: Target, judged: int) -> Figure:
    both = [_at(_series(result, f"rural_{name}_level"), judged) for name in ("seats", "beds")]
    found = [each for each in both if each is not None]
    # One service alone would say less than is asked for.
    return Figure(min(found) if len(found) == len(both) else None, _rural_start(result))


def _rural_start(result: Result) -> float | None:
    """The same at the start: coverage of the base year, regions weighted by the first year's need.

    The result holds no need of beds for the base year itself.
    """
    if "problem" not in result:
        return None
    problem = result["problem"]
    need = problem["need"].isel(need_year=0, drop=True)
    met = (problem["start_coverage"].clip(max=1.0) * need).sum("region") / need.sum("region")
    level = met.sel(area="rural") / met.sel(area="urban")
    return float(level.min())


def _reported(rule: str, suffix: str = "") -> _Measure:
    """What the linear program's report says of the nation in the target's year."""

    def measure(result: Result, target: Target, _judged: int) -> Figure:
        if "slack" not in result:
            return NOTHING
        slack = result["slack"]
        where = f"nation, {target.year}{suffix}"
        rows = (slack["rule"].values == rule) & (slack["where"].values == where)
        found = slack["got"].values[rows]
        return Figure(float(found[0])) if found.size else NOTHING

    return measure


def _allocated(measure: Callable[[Result], float | None]) -> _Measure:
    """A figure of all decision years; nothing where nothing was allocated."""

    def found(result: Result, _target: Target, _judged: int) -> Figure:
        return Figure(measure(result)) if result.has_allocation else NOTHING

    return found


def _sector(name: str) -> Callable[[Result], float | None]:
    def share(result: Result) -> float | None:
        money = result["allocation"]["central_transfers"].sum(["region", "year"])
        total = float(money.sum())
        return float(money.sel(sector=name)) / total if total > 0 else None

    return share


def _support(result: Result) -> float | None:
    supported = result["regions"]["supported"].astype(bool)
    money = result["allocation"][["central_transfers", "certified_cost"]].sum(["sector", "year"])
    inside = money.where(supported, 0.0).sum("region")
    cost = float(inside["certified_cost"])
    return float(inside["central_transfers"]) / cost if cost > 0 else None


def _levy(result: Result) -> float | None:
    regions, path = result["regions"], result["trajectory"]
    if not {"eastern", "hardship"} <= set(regions.data_vars) or "land_revenue" not in path:
        return None
    years = result["allocation"]["year"]
    payers = regions["eastern"].astype(bool) & ~regions["hardship"].astype(bool)
    revenue = float(path["land_revenue"].sel(year=years).where(payers, 0.0).sum())
    return float(result["allocation"]["east_levy"].sum()) / revenue if revenue > 0 else None


def _city_spending(result: Result) -> float | None:
    if "problem" not in result or "expenditure" not in result["problem"]:
        return None
    names = ["central_transfers", "local_money", "bonds", "east_levy"]
    allocation = result["allocation"]
    money = sum(float(allocation[name].sum()) for name in names) / allocation.sizes["year"]
    spent = float(result["problem"]["expenditure"].sum())
    return money / spent if spent > 0 else None


def _partners(measure: str) -> Callable[[Result], float | None]:
    service, size = PARTNERS[measure]

    def built(result: Result) -> float | None:
        values = result["parameters"]["value"].to_series()
        if "partner_starts" not in result["allocation"] or not values.get(size, np.nan) > 0:
            return None
        starts = result["allocation"]["partner_starts"].sel(service=service)
        return float(starts.sum()) * PLACES / float(values[size])

    return built


#: Measures by the name that targets use.
MEASURES: Mapping[str, _Measure] = {
    "hukou_rate": _level("hukou_rate"),
    "settlers_per_year": _per_year("settlers_total", cumulative=False),
    "settlers_total": _level("settlers_total"),
    "public_share": _level("migrant_public_share"),
    "new_seats": _reported("seat_target", ", completed"),
    "rural_service": _rural_service,
    "abandoned_share": _level("abandoned_share"),
    "east_levy_share": _allocated(_levy),
    "central_used": _level("central_money"),
    **{
        f"sector_{name}": _allocated(_sector(name))
        for name in ("education", "health", "social_security", "other")
    },
    "support_share": _allocated(_support),
    "bonds_per_year": _per_year("bonds", cumulative=True),
    "city_spending_share": _allocated(_city_spending),
    "capacity_share": _reported("capacity_share"),
    **{name: _allocated(_partners(name)) for name in PARTNERS},
}
