"""Every case measured by every indicator, and what each region has behind the figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.indicators import INDICATORS, indicator_values
from hukou_opt.planning.cases import Case, residents_at_start
from hukou_opt.planning.region_levels import SCORED, RegionLevels
from hukou_opt.regions.base_year import BaseYear


def revenue_per_head(base: BaseYear) -> Array | None:
    """Own budget revenue per resident at the start, which orders the regions from poor to rich.

    Returns
    -------
    ndarray, shape (region,), or None
        10,000 yuan a year; none where the regions state no revenue.
    """
    revenue: Array = base.data["budget_revenue"].values.astype(float)
    people = residents_at_start(base)
    if not np.isfinite(revenue).all() or not (people > 0).all():
        return None
    per_head: Array = revenue / people
    return per_head


def scores(cases: Sequence[Case], base: BaseYear, groups: Sequence[str]) -> xr.Dataset:
    """Indicators of all cases, with the levels by region that they are made of.

    Parameters
    ----------
    cases : sequence of Case
        Without plan, plan and comparators.
    base : BaseYear
        Revenue per head of its regions is the rank of the concentration index.
    groups : sequence of str, shape (region,)
        Macro-regions, for the parts of the Theil index.

    Returns
    -------
    Dataset
        ``value`` (case, measure, period, indicator), not a number where a measure has no such
        figure or an infinite one; ``better`` (measure, indicator); ``level`` and ``people`` (case,
        measure, period, region).
    """
    periods = list(dict.fromkeys(each.period for case in cases for each in case.levels))
    names = [each.name for each in SCORED]
    bad = {each.name: each.high_is_bad for each in SCORED}
    kinds = [each.name for each in INDICATORS]
    shape = (len(cases), len(names), len(periods))
    value = np.full((*shape, len(kinds)), np.nan)
    level = np.full((*shape, len(base.codes)), np.nan)
    people = np.zeros((*shape, len(base.codes)))
    rank = revenue_per_head(base)

    def figures(each: RegionLevels) -> list[float]:
        if not each.weights.sum() > 0:
            return [np.nan] * len(kinds)
        found = indicator_values(
            each.values,
            each.weights,
            groups=np.asarray(groups),
            rank=rank,
            high_is_bad=bad[each.measure],
        )
        # Highest over lowest has no value where somebody has nothing.
        return [found[kind] if np.isfinite(found.get(kind, np.nan)) else np.nan for kind in kinds]

    for at, case in enumerate(cases):
        for each in case.levels:
            cell = (at, names.index(each.measure), periods.index(each.period))
            value[cell], level[cell], people[cell] = figures(each), each.values, each.weights
    better = np.array(
        [[kind.better(high_is_bad=each.high_is_bad) for kind in INDICATORS] for each in SCORED]
    )
    unit = np.array(
        [[each.unit if kind.in_unit else "1" for kind in INDICATORS] for each in SCORED]
    )
    cell_dims = ("case", "measure", "period")
    return xr.Dataset(
        {
            "value": ((*cell_dims, "indicator"), value),
            "better": (("measure", "indicator"), better),
            "unit": (("measure", "indicator"), unit),
            "level": ((*cell_dims, "region"), level),
            "people": ((*cell_dims, "region"), people, {"units": "10k persons"}),
            "measure_en": ("measure", np.array([each.label_en for each in SCORED])),
            "measure_zh": ("measure", np.array([each.label_zh for each in SCORED])),
            "in_unit": ("indicator", np.array([int(each.in_unit) for each in INDICATORS])),
            "indicator_en": ("indicator", np.array([each.label_en for each in INDICATORS])),
            "indicator_zh": ("indicator", np.array([each.label_zh for each in INDICATORS])),
        },
        {
            "case": [case.name for case in cases],
            "measure": names,
            "period": periods,
            "indicator": kinds,
            "region": list(base.codes),
        },
    )


def comparators(cases: Sequence[Case], p: Problem) -> xr.Dataset | None:
    """Money under each plain formula, and what its regions could not use; none without any.

    Parameters
    ----------
    cases : sequence of Case
        Those without a formula are passed over.
    p : Problem
        Its regions and blocks.

    Returns
    -------
    Dataset or None
        ``central_transfers`` (comparator, region, block); ``formula`` and ``unused`` (comparator,
        region) over the horizon; 100m yuan.
    """
    compared = [
        (case.name, case.problem, case.allocation.solution)
        for case in cases
        if case.allocation and case.problem and case.problem.fund_by_region is not None
    ]
    if not compared:
        return None
    central = np.stack([s.central_by_block(q) for _, q, s in compared])
    formula = np.stack([np.asarray(q.fund_by_region) for _, q, _ in compared])
    # A solve may spend more than its ceiling by its tolerance; that is no negative rest.
    unused = np.maximum(0.0, formula - central.sum(axis=2))
    cell = ("comparator", "region")
    unit = {"units": "100m yuan"}
    return xr.Dataset(
        {
            "central_transfers": ((*cell, "block"), central),
            "formula": (cell, formula, unit | {"long_name": "Central money by the formula"}),
            "unused": (cell, unused, unit | {"long_name": "Central money that cannot be used"}),
        },
        {
            "comparator": [name for name, _, _ in compared],
            "region": list(p.codes),
            "block": [block.label for block in p.blocks],
        },
    )
