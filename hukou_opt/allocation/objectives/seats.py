"""Public school seats per child, in town and in the countryside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, years_of
from hukou_opt.allocation.problem import AREAS, Array, Problem
from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import number

SIDES = ("town", "countryside")


def children(p: Problem) -> tuple[Array, Array]:
    """School-age children in town and countryside, shape (region, year) each, 10k."""
    return p.children_hukou + p.children_migrant, p.children_rural


def cells(p: Problem, term: Term) -> list[Cell]:
    """Area, region and year of every cell with children, who are its weight."""
    count, row = children(p), p.rows()
    return [
        Cell((area, r, t), (t,), r, number(count[a][row[r], p.column(t)]), SIDES[a])
        for t in years_of(p, term)
        for a, area in enumerate(AREAS)
        for r in p.labels
        if p.same(r, count[a][row[r], p.column(t)] > 0)
    ]


def define(m: Any, p: Problem) -> Callable[[Label], Any]:
    """Standing seats, and temporary places in town, over children."""
    count, row = children(p), p.rows()

    def per_child(label: Label) -> Any:
        area, r, t = label
        seats = m.capacity[area, "seats", r, t]
        if area == "urban":
            seats = seats + m.temporary[r, t]
        return seats / number(count[AREAS.index(str(area))][row[str(r)], p.column(int(t))])

    return per_child


MEASURE = Measure(
    name="seats_per_child",
    title="Public school seats per child",
    title_zh="每名儿童公办学位数",
    equation="x = (capacity + temporary places in town) / children of the area",
    latex=r"x_{jrt}=(\mathit{cap}_{jrt}+\mathit{tp}_{jrt})/K_{jrt}",
    unit="seats per child",
    people="children of the area",
    good=True,
    by="year",
    services=False,
    groupings=("cells", "regions", "urban_rural"),
    cells=cells,
    define=define,
)
