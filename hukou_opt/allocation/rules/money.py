"""The balance of money, and the ceilings of province, city, bonds and the eastern levy."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    PAYER,
    SECTORS,
    SERVICES,
    SWITCH,
    Problem,
)
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="money_balance",
        title=(
            "All money of a sector equals its certified cost less what stays unfunded, plus "
            "building"
        ),
        title_zh="各部门全部资金等于核定成本减去资金缺口再加建设支出",
        equation=(
            "F + A + B + E + U = c + sum uc starts + (1 - private) uc partner starts + payment "
            "x private x uc earlier partner starts + uc temporary"
        ),
        latex=(
            r"F_{grt} + A_{grt} + B_{grt} + E_{grt} + U_{grt} = c_{grt} + Q_{grt} + \sum_{s \in "
            r"g} \eta\, \alpha\, \kappa_{\mathrm{urban},s} \sum_{u < t} y_{sru} + [g = "
            r"\mathrm{education}]\, \kappa_\tau \tau_{rt}, \qquad Q_{grt} = \sum_{s \in g} "
            r"\Bigl( \sum_j \kappa_{js} x_{jsrt} + (1 - \alpha)\, \kappa_{\mathrm{urban},s}\, "
            r"y_{srt} \Bigr)"
        ),
        unit="100m yuan",
        section="plan 6.1, 7.1",
        kind="hard",
        parameters=(
            "service_cost_per_settler",
            "cost_split_education",
            "cost_split_health",
            "cost_split_social_security",
            "cost_split_other",
            "unit_cost_urban_seat",
            "unit_cost_rural_seat",
            "unit_cost_urban_bed",
            "unit_cost_rural_bed",
            "temporary_place_cost",
            "partner_capital_share",
            "partner_yearly_payment",
        ),
    ),
    Rule(
        name="unfunded_is_running_cost",
        title="Only running cost can stay unfunded; building is paid with real money",
        title_zh="只有运行成本可以留有缺口，建设须用实有资金支付",
        equation="0 <= U <= c",
        latex=r"0 \le U_{grt} \le c_{grt}",
        unit="100m yuan",
        section="assumption",
        kind="hard",
        form="bounds",
    ),
    Rule(
        name="local_ceiling",
        title="Province and city pay within their earmarks",
        title_zh="省、市资金不超过其计提额度",
        equation=(
            "sum_g A <= effort ((province + city share) net land revenue + share of general "
            "transfers)"
        ),
        latex=(
            r"\sum_g A_{grt} \le \epsilon \left( (\gamma_p + \gamma_c)\, \nu\, L_{rt} + "
            r"\gamma_T\, \omega\, V_r \right)"
        ),
        unit="100m yuan",
        section="plan 6.1, 7.1",
        kind="hard",
        parameters=(
            "local_effort",
            "province_land_share",
            "city_land_share",
            "land_net_share",
            "province_transfer_share",
            "general_transfer_share",
        ),
    ),
    Rule(
        name="local_sector_shares",
        title="Money of provinces and cities is split between sectors like the fund",
        title_zh="省、市资金按与中央基金相同的比例在部门间分配",
        equation="sum_{r,t} A_g = share_g sum_{g,r,t} A",
        latex=r"\sum_{r,t} A_{grt} = q_g \sum_{g',r,t} A_{g'rt}",
        unit="100m yuan",
        section="assumption: shares of plan 7.1",
        kind="hard",
        modes=SWITCH,
        default="off",
        parameters=(
            "sector_share_education",
            "sector_share_health",
            "sector_share_social_security",
            "sector_share_other",
        ),
    ),
    Rule(
        name="bonds_build",
        title="Bonds pay for building only",
        title_zh="专项债券只能用于建设",
        equation="B <= building cost of the public purse",
        latex=r"B_{grt} \le Q_{grt}",
        unit="100m yuan",
        section="plan 7.1; rules of special bonds",
        kind="hard",
    ),
    Rule(
        name="bonds_region",
        title="A region's bonds follow its land revenue",
        title_zh="各地区专项债券规模与其土地收入挂钩",
        equation="sum_g B <= multiple x share of land revenue x total",
        latex=r"\sum_g B_{grt} \le \chi\, \frac{L_{rt}}{\sum_{r'} L_{r't}}\, \bar B",
        unit="100m yuan",
        section="assumption",
        kind="hard",
        modes=SWITCH,
        default="on",
        parameters=(
            "bond_region_multiple",
            "bonds_per_year",
        ),
    ),
    Rule(
        name="bonds_nation",
        title="All bonds of a year stay within the plan's volume",
        title_zh="全国每年专项债券不超过方案规定的规模",
        equation="sum_{g,r} B <= total",
        latex=r"\sum_{g,r} B_{grt} \le \bar B",
        unit="100m yuan",
        section="plan 7.1",
        kind="hard",
        parameters=("bonds_per_year",),
    ),
    Rule(
        name="levy_entitlement",
        title="The eastern levy is shared by migrants and fiscal weakness",
        title_zh="东部土地收入统筹资金按流动人口与财力薄弱程度分配",
        equation=(
            "sum_g E <= rate x eastern land revenue x share_r, share: migrants x part of spending "
            "that own revenue does not cover"
        ),
        latex=(
            r"\sum_g E_{grt} \le \psi\, e_r \sum_{r' \in \mathrm{East}} L_{r't}, \qquad e_r "
            r"\propto [r \in \text{supported}]\, M_r \max\left( 0,\, 1 - \frac{\text{own "
            r"revenue}_r}{\text{expenditure}_r} \right)"
        ),
        unit="100m yuan",
        section="plan 6.4",
        kind="hard",
        parameters=("east_levy_share",),
    ),
)


def building_cost(m: Any, p: Problem, g: str, r: str, t: int) -> Any:
    """Building cost that sector g pays in region r and year t, 100m yuan.

    Of what private partners build, the public purse pays its part when building starts.
    """
    public = 1.0 - p.parameters["partner_capital_share"]
    return sum(
        float(p.unit_cost[i, k]) * m.starts[j, s, r, t]
        for i, j in enumerate(AREAS)
        for k, s in enumerate(SERVICES)
        if PAYER[s] == g
    ) + sum(
        public * float(p.unit_cost[0, k]) * m.partner_starts[s, r, t]
        for k, s in enumerate(SERVICES)
        if PAYER[s] == g
    )


def partner_payment(m: Any, p: Problem, g: str, r: str, t: int) -> Any:
    """What sector g pays back in year t to the partners of all earlier years, 100m yuan."""
    yearly = p.parameters["partner_yearly_payment"] * p.parameters["partner_capital_share"]
    return sum(
        yearly * float(p.unit_cost[0, k]) * m.partner_starts[s, r, u]
        for k, s in enumerate(SERVICES)
        if PAYER[s] == g
        for u in p.years[: p.column(t)]
    )


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row = p.rows()
    sector = {g: i for i, g in enumerate(SECTORS)}

    def balance(m: Any, g: str, r: str, t: int) -> Any:
        cost = number(p.cost[sector[g], row[r], p.column(t)])
        money = m.central[g, r, t] + m.local[g, r, t] + m.levy[g, r, t] + m.unfunded[g, r, t]
        spending = cost + building_cost(m, p, g, r, t) + partner_payment(m, p, g, r, t)
        if g in BUILDING_SECTORS:
            money += m.bonds[g, r, t]
        if g == PAYER["seats"]:
            spending += p.parameters["temporary_place_cost"] * m.temporary[r, t]
        return money == spending

    m.money_balance = pyo.Constraint(m.G, m.R, m.T, rule=balance)
    for g, r, t in m.G * m.R * m.T:
        m.unfunded[g, r, t].setub(number(p.cost[sector[g], row[r], p.column(t)]))

    def ceiling(rows: Any) -> Any:
        return lambda r, t: number(rows[row[r], p.column(t)])

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
    if p.on("bonds_region"):
        m.bonds_region = pyo.Constraint(
            m.R,
            m.T,
            rule=lambda m, r, t: sum(m.bonds[g, r, t] for g in BUILDING_SECTORS) <= bond(r, t),
        )
    m.bonds_nation = pyo.Constraint(
        m.T,
        rule=lambda m, t: (
            sum(m.bonds[g, r, t] for g in BUILDING_SECTORS for r in m.R)
            <= float(p.bond_total[p.column(t)])
        ),
    )
    if p.on("local_sector_shares"):
        m.local_sector_shares = pyo.Constraint(
            m.G,
            rule=lambda m, g: (
                sum(m.local[g, r, t] for r in m.R for t in m.T)
                == float(p.sector_share[sector[g]])
                * sum(m.local[h, r, t] for h in m.G for r in m.R for t in m.T)
            ),
        )
