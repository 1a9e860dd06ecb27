"""What the centre owes a region, and what it pays at most: floor, ceiling and reward by block."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import MODES, SWITCH, Problem
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="support_floor",
        title="The centre pays at least its share of the certified cost of supported regions",
        title_zh="中央对受支持地区承担核定成本的最低比例",
        equation="Fb + slack >= rate x block cost",
        latex=(
            r"\bar F_{rb} + z_{rb} \ge \phi \sum_{t \in b} \sum_g c_{grt}, \qquad r \in "
            r"\text{supported}"
        ),
        unit="100m yuan",
        section="plan 6.1",
        kind="soft",
        modes=MODES,
        default="soft",
        parameters=("central_support_rate",),
    ),
    Rule(
        name="support_ceiling",
        title="The centre pays at most its highest share of a region's certified cost",
        title_zh="中央承担核定成本的比例不超过上限",
        equation="Fb <= ceiling x block cost (own ceiling for regions without the promise)",
        latex=r"\bar F_{rb} \le \bar\phi_r \sum_{t \in b} \sum_g c_{grt}",
        unit="100m yuan",
        section="plan 6.1; ceiling of other regions: assumption",
        kind="hard",
        modes=SWITCH,
        default="off",
        parameters=(
            "central_support_ceiling",
            "other_support_ceiling",
        ),
    ),
    Rule(
        name="performance_reward",
        title="A part of the fund follows the settlers of the block before",
        title_zh="部分基金按上一时段落户人数奖励分配",
        equation=(
            "Fb + slack >= min(reward x C x years of b / all years x share_r of the settlers "
            "won in the block before, block cost)"
        ),
        latex=(
            r"\bar F_{rb} + z_{rb} \ge \min\left( \omega_R\, C\, \frac{|b|}{|T|}\, "
            r"\frac{\Delta_{r,b-1}}{\sum_{r'} \Delta_{r',b-1}},\; \sum_{t \in b} \sum_g c_{grt} "
            r"\right), \qquad b \ge 2"
        ),
        unit="100m yuan",
        section="plan 7.1; share: assumption",
        kind="soft",
        modes=MODES,
        default="off",
        parameters=(
            "reward_share",
            "central_fund_total",
        ),
    ),
)

#: Rules that fix or limit the money of single regions.
BY_REGION = tuple(rule.name for rule in RULES)


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row, cost, reward, ceiling = p.rows(), p.block_cost, p.reward, p.support_ceiling
    columns = {block.label: index for index, block in enumerate(p.blocks)}

    def floor(m: Any, r: str, b: str) -> Any:
        promised = p.parameters["central_support_rate"] * number(cost[row[r], columns[b]])
        return m.central_block[r, b] + m.slack_support_floor[r, b] >= promised

    supported = [
        (r, b)
        for r in p.labels
        for b in columns
        if p.on("support_floor") and p.same(r, p.supported[row[r]])
    ]
    m.support_floor = pyo.Constraint(pyo.Set(initialize=supported, dimen=2), rule=floor)

    def rewarded(m: Any, r: str, b: str) -> Any:
        money = number(reward[row[r], columns[b]])
        return m.central_block[r, b] + m.slack_performance_reward[r, b] >= money

    winners = [
        (r, b)
        for r in p.labels
        for b in columns
        if p.on("performance_reward") and p.same(r, reward[row[r], columns[b]] > 0)
    ]
    m.performance_reward = pyo.Constraint(pyo.Set(initialize=winners, dimen=2), rule=rewarded)

    if p.on("support_ceiling"):
        m.support_ceiling = pyo.Constraint(
            m.R,
            m.B,
            rule=lambda m, r, b: (
                m.central_block[r, b] <= number(ceiling[row[r]] * cost[row[r], columns[b]])
            ),
        )
