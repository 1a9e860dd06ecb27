r"""The last level: of all allocations that are as good, the one nearest to need.

Nearest means the smallest sum of absolute distances of the transfers from the split in proportion
to what local money cannot cover, and the smallest jumps of building. Where even that leaves a
choice, small preferences decide it in the same way everywhere: money of the eastern levy before
local money before debt, earlier building, later hiring. What regions could still swap with each
other is decided by digits drawn from their codes, so that the answer never depends on the order of
the regions in the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    SECTORS,
    SERVICES,
    Array,
    Problem,
)
from hukou_opt.allocation.tiling.across import number

#: Money that moves away from need weighs ten times as much as building that jumps between years.
JUMP_WEIGHT = 0.1
#: Weight of the preferences against the distance from need: far below it, far above the solver's
#: tolerance.
PREFERENCE = 1e-2
#: What one unit of money from each source counts; what is unfunded is given by the held levels.
SOURCES: Mapping[str, float] = {"unfunded": 0.0, "levy": 0.5, "local": 1.0, "bonds": 2.0}
#: Later years count more by this over the whole span, later sectors by this each, and the digits
#: drawn from a region's code by at most this.
LATER, NEXT_SECTOR, DRAWN = 0.1, 0.03, 0.01
#: The same for building, temporary places and, the other way round, hiring.
LATER_BUILDING = 0.3


def reference(p: Problem) -> Array:
    """Fund split in proportion to cost that local money and levy cannot cover, (region, block).

    Where a formula caps each region's transfers, its money is split over the blocks in that
    proportion, so that it is used wherever an equally good answer has room for it.
    """
    cost = p.cost.sum(axis=0)
    rest = np.maximum(0.0, cost - p.local_ceiling - p.levy_ceiling)
    blocks = _by_block(p, rest)
    if p.fund_by_region is not None:
        share = np.zeros_like(blocks)
        for basis in (blocks, p.block_cost, _by_block(p, np.ones_like(cost))):
            use = (share.sum(axis=1) == 0) & (basis.sum(axis=1) > 0)
            share[use] = basis[use] / basis[use].sum(axis=1, keepdims=True)
        by_formula: Array = p.fund_by_region[:, None] * share
        return by_formula
    if blocks.sum() <= 0:
        blocks = p.block_cost
    return p.fund * blocks / max(float(blocks.sum()), 1e-9)


def _by_block(p: Problem, values: Array) -> Array:
    """Sum of yearly values by block, shape (region, block)."""
    return np.stack([values[:, p.block_columns(b)].sum(axis=1) for b in p.blocks], axis=1)


def _drawn(codes: tuple[str, ...], what: str, *shape: int) -> Array:
    """Digits in [0, 1) drawn from the regions' codes, shape (region, ...)."""
    count = int(np.prod(shape))
    rows = [
        np.frombuffer(hashlib.shake_256(f"{code}|{what}".encode()).digest(4 * count), "<u4")
        for code in codes
    ]
    digits: Array = np.array(rows).reshape(len(codes), *shape) / 2.0**32
    return digits


def preferences(p: Problem) -> dict[str, Array]:
    """Small costs that choose between answers that are equally near to need, by variable.

    Returns
    -------
    dict of str to ndarray
        Money by source: shape (sector, region, year); ``starts``: (area, service, region, year);
        ``partner_starts``: (service, region, year); ``temporary`` and ``teachers``:
        (region, year).
    """
    years, later = len(p.years), np.arange(len(p.years)) / len(p.years)
    out: dict[str, Array] = {}
    for source, level in SOURCES.items():
        steps = level + LATER * later + NEXT_SECTOR * np.arange(len(SECTORS))[:, None]
        drawn = np.moveaxis(_drawn(p.codes, source, len(SECTORS), years), 1, 0)
        out[source] = steps[:, None, :] + DRAWN * drawn
    drawn = np.moveaxis(_drawn(p.codes, "starts", len(AREAS), len(SERVICES), years), 0, 2)
    out["starts"] = p.unit_cost[..., None, None] * (LATER_BUILDING * later + DRAWN * drawn)
    drawn = np.moveaxis(_drawn(p.codes, "partner_starts", len(SERVICES), years), 0, 1)
    out["partner_starts"] = p.unit_cost[0, :, None, None] * (LATER_BUILDING * later + DRAWN * drawn)
    out["temporary"] = LATER_BUILDING * later + DRAWN * _drawn(p.codes, "temporary", years)
    out["teachers"] = 1.0 - LATER_BUILDING * later + DRAWN * _drawn(p.codes, "teachers", years)
    return out


def _preferred(m: Any, p: Problem) -> Any:
    """Sum of the preferences as an expression of the model's variables."""
    small, row = preferences(p), p.rows()
    total: Any = 0.0
    for r, t in m.R * m.T:
        i, k = row[r], p.column(t)
        for q, g in enumerate(SECTORS):
            total += number(small["local"][q, i, k]) * m.local[g, r, t]
            total += number(small["levy"][q, i, k]) * m.levy[g, r, t]
            total += number(small["unfunded"][q, i, k]) * m.unfunded[g, r, t]
            if g in BUILDING_SECTORS:
                total += number(small["bonds"][q, i, k]) * m.bonds[g, r, t]
        for q, s in enumerate(SERVICES):
            total += number(small["partner_starts"][q, i, k]) * m.partner_starts[s, r, t]
            for a, j in enumerate(AREAS):
                total += number(small["starts"][a, q, i, k]) * m.starts[j, s, r, t]
        total += number(small["temporary"][i, k]) * m.temporary[r, t]
        total += number(small["teachers"][i, k]) * m.teachers_hired[r, t]
    return total


def add(m: Any, p: Problem) -> None:
    """Absolute deviations from need and evenness, with preferences, in shares of the fund."""
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
            m.far_block[r, b] >= sign * (m.central_block[r, b] - number(aim[row[r], position[b]]))
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
    distance = far + JUMP_WEIGHT * jumps + PREFERENCE * _preferred(m, p)
    m.level_near_need = pyo.Objective(expr=distance / p.fund)
