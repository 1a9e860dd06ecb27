"""Unmet rates of schools and hospitals, by region, group and year."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, years_of
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.spec import BETWEEN, Term
from hukou_opt.allocation.tiling.across import number

#: Groups of people within each service; a surplus of one never makes up for a shortage of another.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "seats": ("hukou_children", "migrant_children", "rural_children"),
    "beds": ("urban_residents", "rural_residents"),
}
#: Groups by hukou; residents are not told apart.
HUKOU: Mapping[str, str] = {"hukou_children": "hukou", "migrant_children": "migrant"}


def people(p: Problem) -> dict[str, Array]:
    """People concerned by group, shape (region, year), 10k; the weights of the rates."""
    years = len(p.years)
    return {
        "hukou_children": p.children_hukou[:, :years],
        "migrant_children": p.children_migrant[:, :years],
        "rural_children": p.children_rural[:, :years],
        "urban_residents": p.population[0, :, :years],
        "rural_residents": p.population[1, :, :years],
    }


def needed(p: Problem) -> dict[str, Array]:
    """Denominator of the rate of each group, shape (region, year), 10k."""
    years = len(p.years)
    return {
        **people(p),
        "rural_children": p.need[1, 0, :, :years],
        "urban_residents": p.need[0, 1, :, :years],
        "rural_residents": p.need[1, 1, :, :years],
    }


def cells(p: Problem, term: Term) -> list[Cell]:
    """Service, group, region and year of every cell with people and need."""
    need, weight, row = needed(p), people(p), p.rows()
    return [
        Cell(
            (s, group, r, t),
            (s, t),
            r,
            number(weight[group][row[r], p.column(t)]),
            "countryside" if group.startswith("rural") else "town",
            HUKOU.get(group, ""),
        )
        for s, groups in GROUPS.items()
        if s in term.services
        for t in years_of(p, term)
        for group in groups
        for r in p.labels
        if p.same(r, need[group][row[r], p.column(t)] > 0)
        and p.same(r, weight[group][row[r], p.column(t)] > 0)
    ]


def define(m: Any, p: Problem) -> Callable[[Label], Any]:
    """One less the places of children in town; shortage over need elsewhere."""
    every, row = needed(p), p.rows()

    def rate(label: Label) -> Any:
        service, group, r, t = label
        need = number(every[str(group)][row[str(r)], p.column(int(t))])
        if group == "hukou_children":
            return 1 - m.places_hukou[r, t] / need
        if group == "migrant_children":
            return 1 - m.places_migrant[r, t] / need
        area = "rural" if str(group).startswith("rural") else "urban"
        return m.shortage[area, service, r, t] / need

    return rate


MEASURE = Measure(
    name="unmet_rate",
    title="Unmet rate of school places and hospital beds",
    title_zh="学位与床位未满足率",
    equation="y = 1 - places / children (town); shortage / need (rural children, beds)",
    latex=r"y=1-a_{rt}/K_{rt}\ \text{(town)},\quad y=s_{jrt}/n_{jrt}\ \text{(rural, beds)}",
    unit="1",
    people="children or residents of the group",
    good=False,
    by="year",
    services=True,
    groupings=BETWEEN,
    cells=cells,
    define=define,
)
