"""Rows and cost of the tie-break, by the tables."""

from __future__ import annotations

import hashlib

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, both_ways
from hukou_opt.allocation.objectives.tie_break import (
    DRAWN,
    JUMP_WEIGHT,
    LATER,
    LATER_BUILDING,
    NEXT_SECTOR,
    PREFERENCE,
    SOURCES,
)
from hukou_opt.allocation.problem import Array

#: Size of the numbers that are drawn from a region's code.
DRAW = np.dtype("<u4")


def by_need(t: Tables) -> Array:
    """Fund, or each region's formula, split by what local money cannot cover, (region, block)."""
    p, left = t.p, t.by_block(t.uncovered)
    if p.fund_by_region is None:
        basis = left if left.sum() > 0 else t.block_bill
        return p.fund * basis / max(float(basis.sum()), 1e-9)
    out = np.zeros_like(left)
    length = np.array([float(len(years)) for years in t.blocks])
    for region, given in enumerate(p.fund_by_region):
        for parts in (left[region], t.block_bill[region], length):
            if parts.sum() > 0:
                out[region] = given * parts / parts.sum()
                break
    return out


def far_block_definition(t: Tables, v: Values) -> Rows:
    """Distance of block money from the split by need."""
    # The split is a constant: it stands on the right-hand side with the sign of the row.
    aim = by_need(t)
    rows = both_ways(
        t, "far_block_definition", ("region", "block"), v["central_block"], within=v["far_block"]
    )
    most = np.stack([aim, -aim], axis=-1).ravel()
    return Rows(rows.family, rows.index, rows.activity, rows.lower, most)


def far_sector_definition(t: Tables, v: Values) -> Rows:
    """Distance of a sector's block money from its share."""
    apart = t.by_block(v["central"]) - t.sector_part[:, None, None] * v["central_block"]
    axes = ("sector", "region", "block")
    return both_ways(t, "far_sector_definition", axes, apart, within=v["far_sector"])


def jump_definition(t: Tables, v: Values) -> Rows:
    """Change of building from year to year."""
    change = np.diff(v["starts"], axis=-1)
    axes = ("area", "service", "region", "later")
    return both_ways(t, "jump_definition", axes, change, within=v["jump"])


ROWS = (far_block_definition, far_sector_definition, jump_definition)


def _drawn(t: Tables, what: str, *shape: int) -> Array:
    """Numbers in [0, 1) drawn from the codes, shape (region, ...)."""
    size = int(np.prod(shape)) * DRAW.itemsize
    bits = b"".join(
        hashlib.shake_256(bytes(f"{code}|{what}", "utf-8")).digest(size) for code in t.p.codes
    )
    return np.frombuffer(bits, DRAW).reshape(len(t.p.codes), *shape) / float(2**32)


def _preferred(t: Tables, v: Values) -> float:
    """Small costs that choose between equally near answers."""
    n = t.years
    later = np.arange(n) / n
    sectors = v["central"].shape[0]
    builders = v["bonds"].shape[0]
    services = v["partner_starts"].shape[0]
    total = 0.0
    for source, level in SOURCES.items():
        steps = level + LATER * later[None, :] + NEXT_SECTOR * np.arange(sectors)[:, None]
        cost = steps[:, None, :] + DRAWN * _drawn(t, source, sectors, n).transpose(1, 0, 2)
        # Only sectors that build have bonds, and they come first.
        total += float((cost[: builders if source == "bonds" else sectors] * v[source]).sum())
    price = t.p.unit_cost
    drawn = _drawn(t, "starts", *price.shape, n).transpose(1, 2, 0, 3)
    rising = LATER_BUILDING * later
    total += float((price[..., None, None] * (rising + DRAWN * drawn) * v["starts"]).sum())
    drawn = _drawn(t, "partner_starts", services, n).transpose(1, 0, 2)
    cost = price[0][:, None, None] * (rising + DRAWN * drawn)
    total += float((cost * v["partner_starts"]).sum())
    total += float(((rising + DRAWN * _drawn(t, "temporary", n)) * v["temporary"]).sum())
    early = 1 - rising + DRAWN * _drawn(t, "teachers", n)
    return total + float((early * v["teachers_hired"]).sum())


def near_need(t: Tables, v: Values) -> float:
    """Distances, jumps and preferences, in shares of the fund."""
    far = float(v["far_block"].sum() + v["far_sector"].sum())
    jumps = float((t.p.unit_cost[..., None, None] * v["jump"]).sum())
    return (far + JUMP_WEIGHT * jumps + PREFERENCE * _preferred(t, v)) / t.p.fund
