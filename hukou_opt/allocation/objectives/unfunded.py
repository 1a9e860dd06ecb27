"""Level 2: the unfunded share of certified cost, by region and block of years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.objectives.inequality import InequalityIndex
from hukou_opt.allocation.problem import SECTORS, Problem


def cells(p: Problem) -> list[tuple[str, str, float, float]]:
    """Region, block, cost and weight of every cell with a certified cost."""
    cost, weight = p.block_cost, p.block_weight
    return [
        (code, block.label, float(cost[i, b]), float(weight[i, b]))
        for i, code in enumerate(p.codes)
        for b, block in enumerate(p.blocks)
        if weight[i, b] > 0
    ]


def add(m: Any, p: Problem) -> None:
    """Shares, the mean of the worst-off part, and the column of the inequality-averse mean."""
    listed = cells(p)
    weight = {(r, b): w for r, b, _, w in listed}
    cost = {(r, b): c for r, b, c, _ in listed}
    years = {block.label: block.years for block in p.blocks}
    m.CELLS = pyo.Set(initialize=list(weight), dimen=2, ordered=True)
    m.unfunded_share = pyo.Var(m.CELLS, domain=pyo.NonNegativeReals)
    m.unfunded_above = pyo.Var(m.CELLS, domain=pyo.NonNegativeReals)
    m.unfunded_level = pyo.Var(domain=pyo.NonNegativeReals)
    m.unfunded_index = pyo.Var(domain=pyo.NonNegativeReals)
    m.unfunded_share_definition = pyo.Constraint(
        m.CELLS,
        rule=lambda m, r, b: (
            m.unfunded_share[r, b]
            == sum(m.unfunded[g, r, t] for g in SECTORS for t in years[b]) / cost[r, b]
        ),
    )
    m.unfunded_above_definition = pyo.Constraint(
        m.CELLS,
        rule=lambda m, r, b: m.unfunded_above[r, b] >= m.unfunded_share[r, b] - m.unfunded_level,
    )
    part = p.parameters["worst_share"]
    # Rockafellar and Uryasev: level plus mean excess over the worst part of the weight.
    m.level_unfunded_worst = pyo.Objective(
        expr=m.unfunded_level + sum(weight[c] * m.unfunded_above[c] for c in m.CELLS) / part
    )
    m.level_unfunded = pyo.Objective(expr=1.0 * m.unfunded_index)
    # The mean is the cut of an order in which all are equal; the others are added when violated.
    m.unfunded_mean = pyo.Constraint(
        expr=m.unfunded_index >= sum(weight[c] * m.unfunded_share[c] for c in m.CELLS)
    )


def indices(p: Problem, column: Mapping[str, int]) -> tuple[InequalityIndex, ...]:
    """The one index of this level; empty when nothing has a cost."""
    listed = cells(p)
    if not listed:
        return ()
    weights = np.array([w for *_, w in listed])
    return (
        InequalityIndex(
            "unfunded_index",
            "unfunded",
            column["unfunded_index"],
            np.array([column[f"unfunded_share[{r},{b}]"] for r, b, *_ in listed]),
            weights / weights.sum(),
            p.parameters["inequality_aversion"],
        ),
    )
