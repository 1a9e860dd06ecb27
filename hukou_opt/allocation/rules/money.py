"""The balance of money, and the ceilings of province, city, bonds and the eastern levy."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, BUILDING_SECTORS, PAYER, SECTORS, SERVICES, Problem
from hukou_opt.allocation.rules.rule import Rule

RULES = (
    Rule(
        "money_balance",
        "All money of a sector equals its certified cost less what stays unfunded, plus building",
        "F + A + bonds + levy + unfunded = cost + sum uc starts + uc temporary",
        "100m yuan",
        "plan 6.1, 7.1",
        "hard",
    ),
    Rule(
        "unfunded_is_running_cost",
        "Only running cost can stay unfunded; building is paid with real money (bounds)",
        "0 <= unfunded <= cost",
        "100m yuan",
        "assumption",
        "hard",
    ),
    Rule(
        "local_ceiling",
        "Province and city pay within their earmarks",
        "sum_g A <= effort ((province + city share) net land revenue + share of general transfers)",
        "100m yuan",
        "plan 6.1, 7.1",
        "hard",
    ),
    Rule(
        "bonds_build",
        "Bonds pay for building only",
        "bonds <= sum uc starts",
        "100m yuan",
        "plan 7.1; rules of special bonds",
        "hard",
    ),
    Rule(
        "bonds_region",
        "A region's bonds follow its land revenue",
        "sum_g bonds <= multiple x share of land revenue x total",
        "100m yuan",
        "assumption",
        "hard",
    ),
    Rule(
        "bonds_nation",
        "All bonds of a year stay within the plan's volume",
        "sum_r bonds <= total",
        "100m yuan",
        "plan 7.1",
        "hard",
    ),
    Rule(
        "levy_entitlement",
        "The eastern levy is shared by migrants and fiscal weakness",
        "sum_g levy <= rate x eastern land revenue x share_r",
        "100m yuan",
        "plan 6.4",
        "hard",
    ),
)


def building_cost(m: Any, p: Problem, g: str, r: str, t: int) -> Any:
    """Building cost that sector g pays in region r and year t, 100m yuan."""
    return sum(
        float(p.unit_cost[i, k]) * m.starts[j, s, r, t]
        for i, j in enumerate(AREAS)
        for k, s in enumerate(SERVICES)
        if PAYER[s] == g
    )


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row = p.rows()
    sector = {g: i for i, g in enumerate(SECTORS)}

    def balance(m: Any, g: str, r: str, t: int) -> Any:
        cost = float(p.cost[sector[g], row[r], p.column(t)])
        money = m.central[g, r, t] + m.local[g, r, t] + m.levy[g, r, t] + m.unfunded[g, r, t]
        spending = cost + building_cost(m, p, g, r, t)
        if g in BUILDING_SECTORS:
            money += m.bonds[g, r, t]
        if g == PAYER["seats"]:
            spending += p.parameters["temporary_place_cost"] * m.temporary[r, t]
        return money == spending

    m.money_balance = pyo.Constraint(m.G, m.R, m.T, rule=balance)
    for g, r, t in m.G * m.R * m.T:
        m.unfunded[g, r, t].setub(float(p.cost[sector[g], row[r], p.column(t)]))

    def ceiling(rows: Any) -> Any:
        return lambda r, t: float(rows[row[r], p.column(t)])

    local, bond, levy = (ceiling(x) for x in (p.local_ceiling, p.bond_ceiling, p.levy_ceiling))
    m.local_ceiling = pyo.Constraint(
        m.R, m.T, rule=lambda m, r, t: sum(m.local[g, r, t] for g in SECTORS) <= local(r, t)
    )
    m.levy_entitlement = pyo.Constraint(
        m.R, m.T, rule=lambda m, r, t: sum(m.levy[g, r, t] for g in SECTORS) <= levy(r, t)
    )
    m.bonds_build = pyo.Constraint(
        m.GB, m.R, m.T, rule=lambda m, g, r, t: m.bonds[g, r, t] <= building_cost(m, p, g, r, t)
    )
    m.bonds_region = pyo.Constraint(
        m.R, m.T, rule=lambda m, r, t: sum(m.bonds[g, r, t] for g in BUILDING_SECTORS) <= bond(r, t)
    )
    m.bonds_nation = pyo.Constraint(
        m.T,
        rule=lambda m, t: (
            sum(m.bonds[g, r, t] for g in BUILDING_SECTORS for r in m.R)
            <= float(p.bond_total[p.column(t)])
        ),
    )
