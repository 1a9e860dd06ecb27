"""The balance of money and its ceilings, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows
from hukou_opt.allocation.problem import Array

_CELL = ("region", "year")


def public_building(t: Tables, v: Values) -> Array:
    """What the purse pays for building when it starts, shape (service, region, year)."""
    own: Array = (t.p.unit_cost[..., None, None] * v["starts"]).sum(axis=0)
    part = 1 - t.par("partner_capital_share")
    joint: Array = part * t.p.unit_cost[0][:, None, None] * v["partner_starts"]
    return own + joint


def paid_back(t: Tables, v: Values) -> Array:
    """Payments for what partners have built in the years before, (service, region, year)."""
    rate = t.par("partner_yearly_payment") * t.par("partner_capital_share")
    capital = t.p.unit_cost[0][:, None, None] * v["partner_starts"]
    payments: Array = np.zeros_like(capital)
    payments[..., 1:] = rate * np.cumsum(capital, axis=-1)[..., :-1]
    return payments


def money_balance(t: Tables, v: Values) -> Rows:
    """All money less building, payments and temporary places is the certified cost."""
    rest = v["central"] + v["local"] + v["levy"] + v["unfunded"]
    # Education and health are the first two sectors, as seats and beds are the services.
    rest[:2] += v["bonds"] - public_building(t, v) - paid_back(t, v)
    rest[0] -= t.par("temporary_place_cost") * v["temporary"]
    bill = t.p.cost
    return make_rows("money_balance", t.labels("sector", *_CELL), rest, lower=bill, upper=bill)


def local_ceiling(t: Tables, v: Values) -> Rows:
    """Province and city, all sectors."""
    total = v["local"].sum(axis=0)
    return make_rows("local_ceiling", t.labels(*_CELL), total, upper=t.p.local_ceiling)


def levy_entitlement(t: Tables, v: Values) -> Rows:
    """Eastern levy, all sectors."""
    total = v["levy"].sum(axis=0)
    return make_rows("levy_entitlement", t.labels(*_CELL), total, upper=t.p.levy_ceiling)


def local_sector_shares(t: Tables, v: Values) -> Rows | None:
    """Local money of each sector is its share of all local money."""
    if not t.on("local_sector_shares"):
        return None
    spent = v["local"].sum(axis=(1, 2))
    apart = spent - t.sector_part * spent.sum()
    return make_rows("local_sector_shares", t.labels("sector"), apart, lower=0.0, upper=0.0)


def bonds_build(t: Tables, v: Values) -> Rows:
    """Bonds stay within what is built."""
    rest = v["bonds"] - public_building(t, v)
    return make_rows("bonds_build", t.labels("builder", *_CELL), rest, upper=0.0)


def bonds_region(t: Tables, v: Values) -> Rows | None:
    """Bonds of a region and year."""
    if not t.on("bonds_region"):
        return None
    total = v["bonds"].sum(axis=0)
    return make_rows("bonds_region", t.labels(*_CELL), total, upper=t.p.bond_ceiling)


def bonds_nation(t: Tables, v: Values) -> Rows:
    """Bonds of all regions in a year."""
    total = v["bonds"].sum(axis=(0, 1))
    return make_rows("bonds_nation", t.labels("year"), total, upper=t.p.bond_total)


ROWS = (
    money_balance,
    local_ceiling,
    levy_entitlement,
    local_sector_shares,
    bonds_build,
    bonds_region,
    bonds_nation,
)
