"""Hospital beds per 1,000 residents, adjusted for the ages of a region's people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, years_of
from hukou_opt.allocation.objectives.seats import SIDES
from hukou_opt.allocation.problem import AREAS, Array, Problem
from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import number

#: Beds are counted per this many residents.
RESIDENTS = 1000.0


def adjusted_residents(p: Problem) -> Array:
    """Residents of national age structure with the same need, shape (area, region, year), 10k.

    A region whose people need twice the nation's beds per head counts each resident twice, so that
    an old province is not called rich in beds for having what its people need.
    """
    need = p.need[:, 1, :, : len(p.years)]
    nation = need.sum(axis=(0, 1))
    residents = p.population.sum(axis=(0, 1))
    per_need: Array = np.divide(residents, nation, out=np.zeros_like(nation), where=nation > 0)
    adjusted: Array = need * per_need
    return adjusted


def cells(p: Problem, term: Term) -> list[Cell]:
    """Area, region and year of every cell with need; it weighs its age-adjusted residents."""
    weight, row = adjusted_residents(p), p.rows()
    return [
        Cell((area, r, t), (t,), r, number(weight[a, row[r], p.column(t)]), SIDES[a])
        for t in years_of(p, term)
        for a, area in enumerate(AREAS)
        for r in p.labels
        if p.same(r, weight[a, row[r], p.column(t)] > 0)
    ]


def define(m: Any, p: Problem) -> Callable[[Label], Any]:
    """Standing beds over age-adjusted residents."""
    residents, row = adjusted_residents(p), p.rows()

    def per_thousand(label: Label) -> Any:
        area, r, t = label
        count = number(residents[AREAS.index(str(area)), row[str(r)], p.column(int(t))])
        return m.capacity[area, "beds", r, t] * (RESIDENTS / count)

    return per_thousand


MEASURE = Measure(
    name="beds_per_1000",
    title="Hospital beds per 1,000 residents, adjusted for age",
    title_zh="每千人口床位数（按年龄结构调整）",
    equation="x = 1000 capacity / (need x national residents / national need)",
    latex=r"x_{jrt}=1000\,\mathit{cap}_{jrt}\Big/\Big(n_{jrt}\,\frac{\sum N_t}{\sum n_t}\Big)",
    unit="beds per 1,000 residents",
    people="residents, adjusted for age",
    good=True,
    by="year",
    services=False,
    groupings=("cells", "regions", "urban_rural"),
    cells=cells,
    define=define,
)
