"""The unfunded share of certified cost, by region and block of years."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, blocks_of
from hukou_opt.allocation.problem import SECTORS, Problem
from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import number


def cells(p: Problem, term: Term) -> list[Cell]:
    """Region and block of every cell with a certified cost; it weighs its mean settlers."""
    weight, row = p.block_weight, p.rows()
    return [
        Cell((r, p.blocks[b].label), (), r, number(weight[row[r], b]))
        for r in p.labels
        for b in blocks_of(p, term)
        if p.same(r, weight[row[r], b] > 0)
    ]


def define(m: Any, p: Problem) -> Callable[[Label], Any]:
    """Unfunded running cost over certified cost of a region and block."""
    cost, row = p.block_cost, p.rows()
    position = {block.label: b for b, block in enumerate(p.blocks)}

    def share(label: Label) -> Any:
        code, b = str(label[0]), position[str(label[1])]
        unfunded = sum(m.unfunded[g, code, t] for g in SECTORS for t in p.blocks[b].years)
        return unfunded / number(cost[row[code], b])

    return share


MEASURE = Measure(
    name="unfunded_share",
    title="Unfunded share of certified running cost",
    title_zh="核定经费缺口比重",
    equation="y_rb = sum_g,t unfunded_grt / sum_g,t cost_grt, t in block b",
    latex=r"y_{rb}=\sum_{g,\,t\in b} u_{grt}\Big/\sum_{g,\,t\in b} c_{grt}",
    unit="1",
    people="settlers, mean of the block",
    good=False,
    by="block",
    services=False,
    groupings=("cells", "regions"),
    cells=cells,
    define=define,
)
