"""All money that the plan moves per resident and year, by region and block of years."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, blocks_of
from hukou_opt.allocation.problem import BUILDING_SECTORS, SECTORS, Array, Block, Problem
from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import number


def resident_years(p: Problem, block: Block) -> Array:
    """Residents summed over the years of a block, shape (region,), 10k person-years."""
    total: Array = p.population[:, :, p.block_columns(block)].sum(axis=(0, 2))
    return total


def cells(p: Problem, term: Term) -> list[Cell]:
    """Region and block; it weighs its resident-years, so that the mean is the nation's spending."""
    people, row = {b: resident_years(p, p.blocks[b]) for b in blocks_of(p, term)}, p.rows()
    return [
        Cell((r, p.blocks[b].label), (), r, number(weight[row[r]]))
        for r in p.labels
        for b, weight in people.items()
        if p.same(r, weight[row[r]] > 0)
    ]


def define(m: Any, p: Problem) -> Callable[[Label], Any]:
    """Central and local money, levy and bonds of a block over its resident-years, 10k yuan."""
    row, blocks = p.rows(), {block.label: block for block in p.blocks}
    people = {label: resident_years(p, block) for label, block in blocks.items()}

    def per_head(label: Label) -> Any:
        code, name = str(label[0]), str(label[1])
        money = sum(
            m.central[g, code, t] + m.local[g, code, t] + m.levy[g, code, t]
            for g in SECTORS
            for t in blocks[name].years
        ) + sum(m.bonds[g, code, t] for g in BUILDING_SECTORS for t in blocks[name].years)
        return money / number(people[name][row[code]])

    return per_head


MEASURE = Measure(
    name="spending_per_head",
    title="Plan money per resident and year",
    title_zh="人均年度计划支出",
    equation="x_rb = sum_t (central + local + levy + bonds) / sum_t residents, t in block b",
    latex=r"x_{rb}=\sum_{g,\,t\in b}(F+A+E+B)_{grt}\Big/\sum_{t\in b} N_{rt}",
    unit="10k yuan per resident and year",
    people="residents, summed over the years of the block",
    good=True,
    by="block",
    services=False,
    groupings=("cells", "regions"),
    cells=cells,
    define=define,
)
