"""The central fund over time, by sector and by block, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, both_ways, make_rows


def fund_volume(t: Tables, v: Values) -> Rows:
    """Money spent up to a year stays within what has come in; a year that needs none has no row."""
    part = np.arange(1, t.years + 1) / t.years * t.p.fund
    labels = t.labels("year")
    if not t.on("block_money"):
        spent = v["central"].sum(axis=(0, 1))
        return make_rows("fund_volume", labels, np.cumsum(spent), upper=part)
    yearly = (t.profile * v["central_block"][:, t.block_of]).sum(axis=0)
    some = np.cumsum(np.abs(t.profile).sum(axis=0)) > 0
    return make_rows("fund_volume", labels, np.cumsum(yearly), upper=part, keep=some)


def sector_shares(t: Tables, v: Values) -> Rows | None:
    """A sector's money over all years is its share of all blocks' money."""
    if not t.on("sector_shares"):
        return None
    spent = v["central"].sum(axis=(1, 2))
    apart = spent - t.sector_part * v["central_block"].sum()
    return make_rows("sector_shares", t.labels("sector"), apart, lower=0.0, upper=0.0)


def sector_band(t: Tables, v: Values) -> Rows | None:
    """A sector's money in a block strays from its share by the band at most."""
    if not t.on("sector_shares"):
        return None
    spent = t.by_block(v["central"]).sum(axis=1)
    given = v["central_block"].sum(axis=0)
    apart = spent - t.sector_part[:, None] * given
    room = t.par("sector_share_band") * given
    return both_ways(t, "sector_band", ("sector", "block"), apart, within=room)


def block_money(t: Tables, v: Values) -> Rows | None:
    """A year's money is its part of the block's."""
    if not t.on("block_money"):
        return None
    apart = v["central"].sum(axis=0) - t.profile * v["central_block"][:, t.block_of]
    return make_rows("block_money", t.labels("region", "year"), apart, lower=0.0, upper=0.0)


def block_sum(t: Tables, v: Values) -> Rows | None:
    """A block's money is that of its years."""
    if t.on("block_money"):
        return None
    apart = v["central_block"] - t.by_block(v["central"].sum(axis=0))
    return make_rows("block_sum", t.labels("region", "block"), apart, lower=0.0, upper=0.0)


def formula_ceiling(t: Tables, v: Values) -> Rows | None:
    """A region's money of all blocks stays within what a formula gives."""
    if t.p.fund_by_region is None:
        return None
    given = v["central_block"].sum(axis=1)
    return make_rows("formula_ceiling", t.labels("region"), given, upper=t.p.fund_by_region)


ROWS = (fund_volume, sector_shares, sector_band, block_money, block_sum, formula_ceiling)
