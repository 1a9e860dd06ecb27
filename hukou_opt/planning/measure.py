"""Gaps as the simulated path has them: what a policy researcher compares between answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hukou_opt.allocation.objectives.unmet import needed, people
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute import standard_levels, unmet_index
from hukou_opt.allocation.recompute_terms import unmet_rates
from hukou_opt.allocation.solution import Solution, capacity_of
from hukou_opt.dynamics import Trajectory
from hukou_opt.indicators.mean_deviation import mean_absolute_deviation

#: Years, besides the start, for which rates are published: end of the plan's first and last phase.
PUBLISHED_YEARS = (2026, 2033)
GROUP_LABELS: Mapping[str, tuple[str, str]] = {
    "hukou_children": ("hukou children without a public place", "无公办学位的户籍儿童"),
    "migrant_children": ("migrant children without a public place", "无公办学位的随迁子女"),
    "rural_children": ("rural children without a seat", "无学位的农村儿童"),
    "urban_residents": ("urban need of beds unmet", "城镇床位需求缺口"),
    "rural_residents": ("rural need of beds unmet", "乡村床位需求缺口"),
}


@dataclass(frozen=True)
class Measure:
    """One published gap."""

    name: str
    value: float
    label_en: str
    label_zh: str
    unit: str


def simulated(p: Problem, answer: Solution, certified: Array, run: Trajectory) -> Solution:
    """The answer as the simulated path has it.

    Parameters
    ----------
    p : Problem
        Made from the needs of the very run in which the answer was simulated.
    answer : Solution
        Answer of the linear program.
    certified : ndarray, shape (sector, region, year)
        Certified cost that the answer was made for, 100m yuan.
    run : Trajectory
        The run under the answer's decisions.

    Returns
    -------
    Solution
        Same money and starts; capacity, shortage, places and unfunded cost of the run.
    """
    years = len(p.years)
    capacity = capacity_of(p, answer.all_starts)
    served = capacity[..., :years].copy()
    served[0, 0] += answer.temporary
    paid = certified - answer.unfunded

    def share(name: str) -> Array:
        values: Array = (
            run.data[name].transpose("region", "year").sel(year=list(p.years)).values.astype(float)
        )
        return values

    return replace(
        answer,
        capacity=capacity,
        shortage=np.maximum(0.0, p.need[..., :years] - served),
        places_hukou=share("hukou_place_share_year_end") * p.children_hukou,
        places_migrant=share("migrant_place_share_year_end") * p.children_migrant,
        unfunded=np.clip(p.cost - paid, 0.0, p.cost),
    )


def start_rates(run: Trajectory, p: Problem, year: int) -> dict[str, tuple[Array, Array]]:
    """Unmet rates and people concerned at the end of the base year, by group, shape (region,)."""
    at = run.data.sel(year=year)
    short = 1 - np.minimum(1.0, p.start_coverage)
    return {
        "hukou_children": (
            1 - at["hukou_place_share_year_end"].values,
            at["urban_hukou_children"].values,
        ),
        "migrant_children": (
            1 - at["migrant_place_share_year_end"].values,
            at["migrant_children"].values,
        ),
        "rural_children": (short[1, 0], at["rural_children"].values),
        "urban_residents": (short[0, 1], at["urban_residents"].values),
        "rural_residents": (short[1, 1], at["rural_residents"].values),
    }


def measures(p: Problem, s: Solution, run: Trajectory, base_year: int) -> list[Measure]:
    """All published gaps of one simulated answer.

    Parameters
    ----------
    p : Problem
        Made from the run's needs.
    s : Solution
        As `simulated` gives it.
    run : Trajectory
        The run.
    base_year : int
        Year of the start.
    """
    level = standard_levels(p, s)
    total = s.unfunded.sum()
    cost = p.cost.sum()
    by_region = p.cost.sum(axis=(0, 2))
    region_share = np.divide(
        s.unfunded.sum(axis=(0, 2)), by_region, out=np.zeros_like(by_region), where=by_region > 0
    )
    settled = p.settlers_mid.mean(axis=1)
    index = unmet_index(p, s).mean(axis=1)
    span_en, span_zh = f"{p.years[0]}-{p.years[-1]}", f"{p.years[0]}—{p.years[-1]}年"
    out = [
        Measure(
            "unfunded", float(total), f"unfunded cost {span_en}", f"{span_zh}资金缺口", "100m yuan"
        ),
        Measure(
            "unfunded_share",
            float(total / cost) if cost > 0 else 0.0,
            f"unfunded share of certified cost {span_en}",
            f"{span_zh}资金缺口占核定成本比重",
            "1",
        ),
        Measure(
            "unfunded_worst",
            level["unfunded_worst"],
            "unfunded share, worst-off fifth of region-blocks",
            "资金缺口比重：最差五分之一",
            "1",
        ),
        Measure(
            "unfunded_mad",
            mean_absolute_deviation(region_share, settled) if settled.sum() > 0 else 0.0,
            "unfunded share, mean absolute deviation between regions",
            "资金缺口比重：地区间平均绝对偏差",
            "1",
        ),
        Measure(
            "unmet_education",
            float(index[0]),
            f"unmet education need, inequality-averse mean {span_en}",
            f"教育未满足需求（不平等厌恶均值，{span_zh}）",
            "1",
        ),
        Measure(
            "unmet_health",
            float(index[1]),
            f"unmet health need, inequality-averse mean {span_en}",
            f"医疗未满足需求（不平等厌恶均值，{span_zh}）",
            "1",
        ),
    ]
    states = {base_year: start_rates(run, p, base_year)}
    rates, weights, need = unmet_rates(p, s), people(p), needed(p)
    for year in PUBLISHED_YEARS:
        if year in p.years:
            k = p.column(year)
            states[year] = {
                g: (rates[g][:, k], np.where(need[g][:, k] > 0, weights[g][:, k], 0.0))
                for g in rates
            }
    for year, state in states.items():
        out += _state_measures(year, state)
    return out


def _state_measures(year: int, state: Mapping[str, tuple[Array, Array]]) -> list[Measure]:
    def mean(group: str) -> float:
        rate, weight = state[group]
        return float(rate @ weight / weight.sum()) if weight.sum() > 0 else 0.0

    def spread(group: str) -> float:
        rate, weight = state[group]
        return mean_absolute_deviation(rate, weight) if weight.sum() > 0 else 0.0

    out = [
        Measure(f"unmet_{group}_{year}", mean(group), f"{en} {year}", f"{year}年{zh}", "1")
        for group, (en, zh) in GROUP_LABELS.items()
    ]
    out.append(
        Measure(
            f"gap_hukou_migrant_{year}",
            mean("migrant_children") - mean("hukou_children"),
            f"hukou-migrant gap in public places {year}",
            f"{year}年户籍与随迁子女学位差距",
            "1",
        )
    )
    out.append(
        Measure(
            f"gap_urban_rural_beds_{year}",
            mean("rural_residents") - mean("urban_residents"),
            f"rural minus urban unmet need of beds {year}",
            f"{year}年城乡床位缺口之差",
            "1",
        )
    )
    out += [
        Measure(
            f"spread_{group}_{year}",
            spread(group),
            f"between-region deviation: {GROUP_LABELS[group][0]} {year}",
            f"{year}年地区间偏差：{GROUP_LABELS[group][1]}",
            "1",
        )
        for group in ("migrant_children", "urban_residents")
    ]
    return out
