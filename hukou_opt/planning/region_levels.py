"""What each region has in one case, measure by measure, whether or not it was optimised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.objectives.unmet import needed, people
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute_terms import unmet_rates
from hukou_opt.allocation.solution import Solution
from hukou_opt.dynamics import Trajectory
from hukou_opt.planning.measure import GROUP_LABELS, PUBLISHED_YEARS, start_rates

#: 10k beds per 10k persons are so many beds per 1,000.
PER_THOUSAND = 1_000.0
#: 100m yuan per 10k persons are 10,000 yuan per person.
YUAN_PER_PERSON = 10_000.0


@dataclass(frozen=True)
class Scored:
    """A measure on which cases are compared.

    Parameters
    ----------
    name : str
        Name in results.
    label_en, label_zh : str
        Labels in tables.
    unit : str
        Unit; ``1`` for rates.
    high_is_bad : bool
        True for rates of what is missing, False for what people have.
    """

    name: str
    label_en: str
    label_zh: str
    unit: str
    high_is_bad: bool


SCORED: tuple[Scored, ...] = (
    Scored(
        "unfunded_share", "unfunded share of certified cost", "资金缺口占核定成本比重", "1", True
    ),
    *(Scored(f"unmet_{name}", en, zh, "1", True) for name, (en, zh) in GROUP_LABELS.items()),
    Scored(
        "seats_per_child",
        "public seats per child of school age",
        "每名学龄儿童公办学位",
        "seats per child",
        False,
    ),
    Scored(
        "beds_per_1000",
        "hospital beds per 1,000 residents, adjusted for age",
        "每千名年龄调整人口床位",
        "beds per 1,000",
        False,
    ),
    Scored(
        "beds_per_1000_crude",
        "hospital beds per 1,000 residents",
        "每千名常住人口床位",
        "beds per 1,000",
        False,
    ),
    Scored(
        "spending_per_head",
        "plan money per resident and year",
        "年人均方案资金",
        "yuan per resident and year",
        False,
    ),
)


@dataclass(frozen=True)
class RegionLevels:
    """One measure in one year or over all years of a case, by region.

    Parameters
    ----------
    measure : str
        Name of a `Scored` measure.
    period : str
        Year, or first and last year.
    values, weights : ndarray, shape (region,)
        Levels, and people concerned (10k); weight 0 where there are none.
    """

    measure: str
    period: str
    values: Array
    weights: Array


def _ratio(over: Array, under: Array) -> Array:
    """Quotient by region; 0 where the denominator is."""
    quotient: Array = np.divide(over, under, out=np.zeros_like(under), where=under > 0)
    return quotient


def _rate(measure: str, period: str, values: Array, weights: Array) -> RegionLevels:
    """Levels of a rate; a simulated share may miss 0 or 1 by rounding."""
    return RegionLevels(measure, period, np.clip(values, 0.0, 1.0), weights)


def _services(
    period: str, seats: Array, children: Array, beds: Array, need: Array, residents: Array
) -> list[RegionLevels]:
    """Seats and beds per head, from the sums of town and countryside, each shape (region,).

    Beds per 1,000 adjusted for age are beds over the need of beds, times the nation's need per
    1,000 residents: what the region would have if its residents were as old as the nation's.
    """
    standard = need.sum() / residents.sum() if residents.sum() > 0 else 0.0
    adjusted = need / standard if standard > 0 else np.zeros_like(need)
    return [
        RegionLevels("seats_per_child", period, _ratio(seats, children), children),
        RegionLevels("beds_per_1000", period, PER_THOUSAND * _ratio(beds, adjusted), adjusted),
        RegionLevels(
            "beds_per_1000_crude", period, PER_THOUSAND * _ratio(beds, residents), residents
        ),
    ]


def _start(p: Problem, run: Trajectory, year: int) -> list[RegionLevels]:
    """State at the end of the base year, the same in every case."""
    at = run.data.sel(year=year)
    out = [
        _rate(f"unmet_{group}", str(year), *state)
        for group, state in start_rates(run, p, year).items()
    ]
    beds = np.stack([at["urban_beds"].values, at["rural_beds"].values])
    need = np.divide(
        beds, p.start_coverage[:, 1], out=np.zeros_like(beds), where=p.start_coverage[:, 1] > 0
    )
    children = sum(
        at[name].values for name in ("urban_hukou_children", "migrant_children", "rural_children")
    )
    return out + _services(
        str(year),
        at["urban_seats"].values + at["rural_seats"].values,
        np.asarray(children),
        beds.sum(axis=0),
        need.sum(axis=0),
        at["urban_residents"].values + at["rural_residents"].values,
    )


def _year(p: Problem, s: Solution, year: int) -> list[RegionLevels]:
    """State in one decision year."""
    k = p.column(year)
    rates, weights, need = unmet_rates(p, s), people(p), needed(p)
    out = [
        _rate(
            f"unmet_{group}",
            str(year),
            rates[group][:, k],
            np.where(need[group][:, k] > 0, weights[group][:, k], 0.0),
        )
        for group in GROUP_LABELS
    ]
    children = p.children_hukou[:, k] + p.children_migrant[:, k] + p.children_rural[:, k]
    standing = s.capacity[..., k].sum(axis=0)
    return out + _services(
        str(year),
        standing[0] + s.temporary[:, k],
        children,
        standing[1],
        p.need[:, 1, :, k].sum(axis=0),
        p.population[..., k].sum(axis=0),
    )


def _horizon(p: Problem, s: Solution) -> list[RegionLevels]:
    """Money over all decision years."""
    period = f"{p.years[0]}-{p.years[-1]}"
    cost = p.cost.sum(axis=(0, 2))
    residents = p.population.sum(axis=0).mean(axis=1)
    money = (s.central + s.local + s.bonds + s.levy).sum(axis=(0, 2)) / len(p.years)
    return [
        _rate(
            "unfunded_share",
            period,
            _ratio(s.unfunded.sum(axis=(0, 2)), cost),
            np.where(cost > 0, p.settlers_mid.mean(axis=1), 0.0),
        ),
        RegionLevels(
            "spending_per_head", period, YUAN_PER_PERSON * _ratio(money, residents), residents
        ),
    ]


def region_levels(p: Problem, s: Solution, run: Trajectory, base_year: int) -> list[RegionLevels]:
    """Every scored measure of one simulated answer, by region.

    Parameters
    ----------
    p : Problem
        Made from the run's needs.
    s : Solution
        The answer as the simulated path has it.
    run : Trajectory
        The run.
    base_year : int
        Year of the start.
    """
    out = _start(p, run, base_year)
    for year in PUBLISHED_YEARS:
        if year in p.years:
            out += _year(p, s, year)
    return out + _horizon(p, s)
