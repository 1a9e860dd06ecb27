"""The central fund: its volume over time, its sectors, its promise, and its three-year shares."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import SECTORS, Problem
from hukou_opt.allocation.rules.rule import Rule

RULES = (
    Rule(
        "fund_volume",
        "The fund fills in equal yearly parts; what is not spent is carried over",
        "sum_{u<=t} F <= t C / years",
        "100m yuan",
        "plan 7.1",
        "hard",
    ),
    Rule(
        "sector_shares",
        "Over all years the fund is split between sectors as the plan says",
        "sum F_g = share_g sum F",
        "100m yuan",
        "plan 7.1",
        "hard",
    ),
    Rule(
        "sector_band",
        "In each block the sectors stay near their shares",
        "|F_g,b - share_g F_b| <= band F_b",
        "100m yuan",
        "plan 7.1; band: assumption",
        "hard",
    ),
    Rule(
        "block_money",
        "A region's money is set for a block of years at a time, its years follow the bill",
        "sum_g F[t] = profile[t] Fb",
        "100m yuan",
        "plan 6.1",
        "hard",
    ),
    Rule(
        "support_floor",
        "The centre pays at least its share of the certified cost of supported regions",
        "sum F + slack >= rate x cost",
        "100m yuan",
        "plan 6.1",
        "soft",
    ),
    Rule(
        "formula_ceiling",
        "Comparators only: a formula fixes each region's transfers over the horizon",
        "sum F <= formula",
        "100m yuan",
        "comparator",
        "hard",
    ),
)


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row = p.rows()
    shares = {g: float(share) for g, share in zip(SECTORS, p.sector_share, strict=True)}
    band = p.parameters["sector_share_band"]
    blocks = {block.label: block for block in p.blocks}

    def year_total(m: Any, t: int) -> Any:
        return sum(m.central_block[r, m.block_of[t]] * profile[row[r], p.column(t)] for r in m.R)

    profile = p.profile

    def volume(m: Any, t: int) -> Any:
        part = (p.column(t) + 1) / len(p.years)
        return sum(year_total(m, u) for u in p.years if u <= t) <= part * p.fund

    m.fund_volume = pyo.Constraint(m.T, rule=volume)

    def block_total(m: Any, b: str) -> Any:
        return sum(m.central_block[r, b] for r in m.R)

    m.sector_shares = pyo.Constraint(
        m.G,
        rule=lambda m, g: (
            sum(m.central[g, r, t] for r in m.R for t in m.T)
            == shares[g] * sum(block_total(m, b) for b in m.B)
        ),
    )

    def in_band(m: Any, g: str, b: str, sign: int) -> Any:
        spent = sum(m.central[g, r, t] for r in m.R for t in blocks[b].years)
        return sign * (spent - shares[g] * block_total(m, b)) <= band * block_total(m, b)

    m.sector_band = pyo.Constraint(m.G, m.B, [1, -1], rule=in_band)

    def block_money(m: Any, r: str, t: int) -> Any:
        share = float(profile[row[r], p.column(t)])
        return sum(m.central[g, r, t] for g in SECTORS) == share * m.central_block[r, m.block_of[t]]

    m.block_money = pyo.Constraint(m.R, m.T, rule=block_money)

    asked = p.modes["support_floor"] != "off"
    cost = p.block_cost
    columns = {block.label: index for index, block in enumerate(p.blocks)}

    def floor(m: Any, r: str, b: str) -> Any:
        promised = p.parameters["central_support_rate"] * float(cost[row[r], columns[b]])
        return m.central_block[r, b] + m.slack_support_floor[r, b] >= promised

    supported = [(r, b) for r in p.codes for b in blocks if asked and p.supported[row[r]]]
    m.support_floor = pyo.Constraint(pyo.Set(initialize=supported, dimen=2), rule=floor)

    formula = {} if p.fund_by_region is None else dict(zip(p.codes, p.fund_by_region, strict=True))
    m.formula_ceiling = pyo.Constraint(
        pyo.Set(initialize=list(formula)),
        rule=lambda m, r: sum(m.central_block[r, b] for b in m.B) <= float(formula[r]),
    )
