"""Level 6: of all allocations that are as good, the one nearest to need and smoothest in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, SECTORS, SERVICES, Array, Problem

#: Money that moves away from need weighs ten times as much as building that jumps between years.
JUMP_WEIGHT = 0.1


def reference(p: Problem) -> Array:
    """Fund split in proportion to cost that local money and levy cannot cover, (region, block)."""
    cost = p.cost.sum(axis=0)
    rest = np.maximum(0.0, cost - p.local_ceiling - p.levy_ceiling)
    blocks = np.stack([rest[:, p.block_columns(b)].sum(axis=1) for b in p.blocks], axis=1)
    if blocks.sum() <= 0:
        blocks = p.block_cost
    return p.fund * blocks / max(float(blocks.sum()), 1e-9)


def add(m: Any, p: Problem) -> None:
    """Sum of absolute deviations from need and from evenness, in shares of the fund."""
    row, aim = p.rows(), reference(p)
    years = {block.label: block.years for block in p.blocks}
    position = {block.label: i for i, block in enumerate(p.blocks)}
    share = {g: float(v) for g, v in zip(SECTORS, p.sector_share, strict=True)}

    m.far_block = pyo.Var(m.R, m.B, domain=pyo.NonNegativeReals)
    m.far_sector = pyo.Var(m.G, m.R, m.B, domain=pyo.NonNegativeReals)
    m.far_block_definition = pyo.Constraint(
        m.R,
        m.B,
        [1, -1],
        rule=lambda m, r, b, sign: (
            m.far_block[r, b] >= sign * (m.central_block[r, b] - float(aim[row[r], position[b]]))
        ),
    )
    m.far_sector_definition = pyo.Constraint(
        m.G,
        m.R,
        m.B,
        [1, -1],
        rule=lambda m, g, r, b, sign: (
            m.far_sector[g, r, b]
            >= sign * (sum(m.central[g, r, t] for t in years[b]) - share[g] * m.central_block[r, b])
        ),
    )
    far = sum(m.far_block[r, b] for r in m.R for b in m.B)
    far += sum(m.far_sector[g, r, b] for g in m.G for r in m.R for b in m.B)
    later = list(p.years[1:])
    m.jump = pyo.Var(m.AREA, m.SERVICE, m.R, pyo.Set(initialize=later), domain=pyo.NonNegativeReals)
    m.jump_definition = pyo.Constraint(
        m.AREA,
        m.SERVICE,
        m.R,
        later,
        [1, -1],
        rule=lambda m, j, s, r, t, sign: (
            m.jump[j, s, r, t] >= sign * (m.starts[j, s, r, t] - m.starts[j, s, r, t - 1])
        ),
    )
    jumps = sum(
        float(p.unit_cost[i, k]) * m.jump[j, s, r, t]
        for i, j in enumerate(AREAS)
        for k, s in enumerate(SERVICES)
        for r in m.R
        for t in later
    )
    # One sum: as two levels the second had to be solved inside a needle of held levels, which
    # neither simplex nor interior point does reliably.
    m.level_near_need = pyo.Objective(expr=(far + JUMP_WEIGHT * jumps) / p.fund)
