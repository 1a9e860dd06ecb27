"""The central fund: its volume over time, its sectors, and its three-year shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import SECTORS, SWITCH, Block, Problem
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="fund_volume",
        title="The fund fills in equal yearly parts; what is not spent is carried over",
        title_zh="基金按年等额到位，未用部分结转下年",
        equation="sum_{u<=t} F <= t C / years",
        latex=r"\sum_{u \le t} \sum_{g,r} F_{gru} \le \frac{t}{|T|}\, C",
        unit="100m yuan",
        section="plan 7.1",
        kind="hard",
        parameters=("central_fund_total",),
    ),
    Rule(
        name="sector_shares",
        title="Over all years the fund is split between sectors as the plan says",
        title_zh="全期基金按方案比例在部门间分配",
        equation="sum F_g = share_g sum F",
        latex=r"\sum_{r,t} F_{grt} = q_g \sum_{r,b} \bar F_{rb}",
        unit="100m yuan",
        section="plan 7.1",
        kind="hard",
        modes=SWITCH,
        default="on",
        parameters=(
            "sector_share_education",
            "sector_share_health",
            "sector_share_social_security",
            "sector_share_other",
        ),
    ),
    Rule(
        name="sector_band",
        title="In each block the sectors stay near their shares",
        title_zh="各时段部门比例偏离不超过允许幅度",
        equation="|F_g,b - share_g F_b| <= band F_b",
        latex=(
            r"\Bigl| \sum_r \sum_{t \in b} F_{grt} - q_g \sum_r \bar F_{rb} \Bigr| \le "
            r"\varepsilon \sum_r \bar F_{rb}"
        ),
        unit="100m yuan",
        section="plan 7.1; band: assumption",
        kind="hard",
        modes=SWITCH,
        default="on",
        switch="sector_shares",
        parameters=(
            "sector_share_band",
            "sector_share_education",
            "sector_share_health",
            "sector_share_social_security",
            "sector_share_other",
        ),
    ),
    Rule(
        name="block_money",
        title="A region's money is set for a block of years at a time, its years follow the bill",
        title_zh="地区资金按三年时段核定，各年按账单分配",
        equation=(
            "sum_g F[t] = profile[t] Fb, profile: cost beyond local ceiling and levy, over the "
            "block's (cost where there is none)"
        ),
        latex=(
            r"\sum_g F_{grt} = \xi_{rt}\, \bar F_{rb(t)}, \qquad \xi_{rt} = \frac{\max\left( 0,\, "
            r"\sum_g c_{grt} - \bar A_{rt} - \bar E_{rt} \right)}{\sum_{u \in b(t)} "
            r"\max\left( 0,\, \sum_g c_{gru} - \bar A_{ru} - \bar E_{ru} \right)}"
        ),
        unit="100m yuan",
        section="plan 6.1",
        kind="hard",
        modes=SWITCH,
        default="on",
    ),
    Rule(
        name="block_sum",
        title="Where years are set freely, a region's block money is the sum of its years",
        title_zh="各年可自由确定时，时段资金为各年之和",
        equation="Fb = sum_{g, t in b} F (only where block_money is off)",
        latex=r"\bar F_{rb} = \sum_{t \in b} \sum_g F_{grt}",
        unit="100m yuan",
        section="bookkeeping",
        kind="hard",
    ),
    Rule(
        name="formula_ceiling",
        title="Comparators only: a formula fixes each region's transfers over the horizon",
        title_zh="仅用于对照：公式确定各地区全期转移支付",
        equation="sum_b Fb <= formula",
        latex=r"\sum_b \bar F_{rb} \le \Phi_r",
        unit="100m yuan",
        section="comparator",
        kind="hard",
    ),
)


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row, profile = p.rows(), p.profile
    shares = {g: float(share) for g, share in zip(SECTORS, p.sector_share, strict=True)}
    blocks = {block.label: block for block in p.blocks}
    in_blocks = p.on("block_money")

    def year_total(m: Any, t: int) -> Any:
        if not in_blocks:
            return sum(m.central[g, r, t] for g in SECTORS for r in m.R)
        # The same by block money and profile, which takes far fewer coefficients.
        return sum(
            m.central_block[r, m.block_of[t]] * number(profile[row[r], p.column(t)]) for r in m.R
        )

    def volume(m: Any, t: int) -> Any:
        part = (p.column(t) + 1) / len(p.years)
        return sum(year_total(m, u) for u in p.years if u <= t) <= part * p.fund

    m.fund_volume = pyo.Constraint(m.T, rule=volume)

    if p.on("sector_shares"):
        _add_sector_shares(m, p, shares, blocks)

    def block_money(m: Any, r: str, t: int) -> Any:
        share = number(profile[row[r], p.column(t)])
        return sum(m.central[g, r, t] for g in SECTORS) == share * m.central_block[r, m.block_of[t]]

    def block_sum(m: Any, r: str, b: str) -> Any:
        spent = sum(m.central[g, r, t] for g in SECTORS for t in blocks[b].years)
        return m.central_block[r, b] == spent

    if in_blocks:
        m.block_money = pyo.Constraint(m.R, m.T, rule=block_money)
    else:
        m.block_sum = pyo.Constraint(m.R, m.B, rule=block_sum)

    fixed = p.fund_by_region
    formula = {} if fixed is None else {r: number(fixed[row[r]]) for r in p.labels}
    m.formula_ceiling = pyo.Constraint(
        pyo.Set(initialize=list(formula)),
        rule=lambda m, r: sum(m.central_block[r, b] for b in m.B) <= formula[r],
    )


def _add_sector_shares(
    m: Any, p: Problem, shares: Mapping[str, float], blocks: Mapping[str, Block]
) -> None:
    band = p.parameters["sector_share_band"]

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
