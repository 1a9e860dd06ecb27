"""The second program and `solve` reach the same value at every level, in every scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from problems import made_up_problem
from second_program import Toy

from hukou_opt.allocation.problem import Block, Problem
from hukou_opt.allocation.solve import solve


def scarce(p: Problem, **changes: Any) -> Problem:
    """The problem with fewer seats in town: some cells are out of reach of hukou children."""
    existing = p.existing.copy()
    existing[0, 0] *= np.array([0.88, 0.60])[:, None]
    return replace(p, existing=existing, **changes)


def with_parameters(p: Problem, **values: float) -> Problem:
    return replace(p, parameters={**p.parameters, **values})


def toy(seed: int = 0, **values: float) -> Problem:
    """Two regions, three years and two of tail; the guard is off."""
    p: Problem = made_up_problem(2, 3, 2, seed=seed, parameters={"guard": 1.0, **values})
    return p


def poor() -> Problem:
    p = scarce(toy(1, inequality_aversion=0.4))
    return replace(
        p,
        fund=0.3 * p.fund,
        bond_total=0.05 * p.bond_total,
        local_ceiling=0.1 * p.local_ceiling,
        supported=np.ones(2, dtype=bool),
    )


def no_teachers() -> Problem:
    """Seats could be built in time, but nobody may teach in them: slip decides the regime."""
    p = toy(3, teacher_posts=0.05)
    existing = p.existing.copy()
    existing[0, 0] *= 0.85
    return replace(
        p,
        existing=existing,
        redeployed=np.zeros_like(p.redeployed),
        local_ceiling=0.3 * p.local_ceiling,
    )


def uneven_bill() -> Problem:
    """Two blocks, central money only, and little due for other tasks in the first block."""
    p = toy(5, sector_share_band=0.02)
    cost = p.cost.copy()
    cost[3] *= np.array([0.3, 0.3, 2.0])
    nothing = np.zeros_like(p.local_ceiling)
    return replace(
        p,
        cost=cost,
        blocks=(Block(2024, 2025), Block(2026, 2026)),
        local_ceiling=nothing,
        levy_ceiling=nothing,
        fund=1.5 * p.fund,
    )


def with_law() -> Problem:
    p = toy(0)
    modes = {"support_floor": "law", "public_share": "law", "rural_level": "off"}
    return replace(p, modes={**p.modes, **modes})


def early_bill() -> Problem:
    """Most is due in the first year, when the fund has only just begun to fill."""
    p = toy(2)
    cost = p.cost[..., ::-1].copy()
    fund = 0.9 * float(cost.sum())
    return replace(p, cost=cost, fund=fund, local_ceiling=0.2 * p.local_ceiling)


def few_rural_beds() -> Problem:
    p = toy(2)
    existing, start = p.existing.copy(), p.start_coverage.copy()
    existing[1, 1] *= 0.6
    start[1, 1] *= 0.6
    return replace(p, existing=existing, start_coverage=start)


def switched(p: Problem, **modes: str) -> Problem:
    return replace(p, modes={**p.modes, **modes})


def two_blocks(seed: int = 5, **values: float) -> Problem:
    """Two blocks, and one region that wins most settlers in the first."""
    p = toy(seed, **values)
    settlers = p.settlers_mid.copy()
    settlers[0] *= 3
    blocks = (Block(2024, 2025), Block(2026, 2026))
    return replace(p, blocks=blocks, settlers_mid=settlers)


def few_other_tasks() -> Problem:
    """Hardly anything is due for other tasks, and nearly all money is local."""
    p = toy(5)
    cost = p.cost.copy()
    cost[3] *= 0.05
    return replace(p, cost=cost, levy_ceiling=0 * p.levy_ceiling, fund=0.1 * p.fund)


#: Partners who build some of what is missing.
PARTNERS = {"partner_schools": 4.0, "partner_hospitals": 400.0}

SCENARIOS: dict[str, Callable[[], Problem]] = {
    "plain": lambda: toy(0),
    "worst three fifths": lambda: toy(2, worst_share=0.6),
    "no bonds, less averse": lambda: replace(
        toy(6, inequality_aversion=0.4), bond_total=np.zeros(3)
    ),
    "short of seats": lambda: scarce(toy(0)),
    "short of seats and money": poor,
    "short of teachers": no_teachers,
    "uneven bill": uneven_bill,
    "early bill": early_bill,
    "few rural beds": few_rural_beds,
    "slow building": lambda: toy(6, build_rate_limit=0.05),
    "laws": with_law,
    "few bonds": lambda: replace(toy(4), bond_total=0.2 * toy(4).bond_total),
    "few regional bonds": lambda: replace(toy(4), bond_ceiling=0.02 * toy(4).bond_ceiling),
    "partners": lambda: scarce(toy(4, **PARTNERS)),
    "partners' hospitals": lambda: toy(6, **PARTNERS),
    "partners who build a lot": lambda: scarce(toy(6, build_rate_limit=0.05)),
    "no partners": lambda: switched(scarce(toy(0)), private_partners="off"),
    "free regional bonds": lambda: switched(SCENARIOS["few regional bonds"](), bonds_region="off"),
    "free building": lambda: switched(scarce(toy(0)), build_rate="off"),
    "small steps": lambda: switched(toy(6, building_step=0.05), building_steps="on"),
    "no teachers needed": lambda: switched(no_teachers(), teachers="off"),
    "free sectors": lambda: switched(uneven_bill(), sector_shares="off"),
    "local sectors": lambda: switched(few_other_tasks(), local_sector_shares="on"),
    "free years": lambda: switched(early_bill(), block_money="off"),
    "ceiling of support": lambda: switched(
        toy(1, central_support_ceiling=0.3, other_support_ceiling=0.1), support_ceiling="on"
    ),
    "seats completed": lambda: switched(toy(6, seat_target=70), seat_target="soft"),
    "seats started": lambda: switched(
        toy(6, seat_target=70), seat_target="law", seat_target_counts="started"
    ),
    "reward": lambda: switched(two_blocks(reward_share=0.3), performance_reward="law"),
    "reward, soft": lambda: switched(two_blocks(2, reward_share=0.3), performance_reward="soft"),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_value_at_every_level(scenario: str) -> None:
    p = SCENARIOS[scenario]()
    second = Toy(p)
    expected = second.solve()
    answer = solve(p)
    reached = {level.name: level.value for level in answer.levels if level.name in expected}
    assert reached == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert list(reached) == list(expected)
    np.testing.assert_array_equal(answer.solution.alike, second.alike)


#: A rule made loose, and a scenario in which it matters: what proves that the scenarios test it.
RELAXED: dict[str, tuple[str, Callable[[Problem], Problem]]] = {
    "build_rate": ("slow building", lambda p: with_parameters(p, build_rate_limit=0.15)),
    "teacher_posts": ("short of teachers", lambda p: with_parameters(p, teacher_posts=20)),
    "temporary": ("short of seats", lambda p: with_parameters(p, temporary_place_limit=0.1)),
    "sector_band": ("uneven bill", lambda p: with_parameters(p, sector_share_band=1.0)),
    "fund": ("short of seats and money", lambda p: replace(p, fund=2 * p.fund)),
    "fund in time": ("early bill", lambda p: replace(p, fund=3 * p.fund)),
    "rural_level": ("few rural beds", lambda p: with_parameters(p, rural_level_target=0.0)),
    "worst_share": ("worst three fifths", lambda p: with_parameters(p, worst_share=0.2)),
    "local": ("plain", lambda p: replace(p, local_ceiling=1.1 * p.local_ceiling)),
    "levy": ("plain", lambda p: replace(p, levy_ceiling=1.1 * p.levy_ceiling)),
    "bonds_region": ("few regional bonds", lambda p: replace(p, bond_ceiling=1e4 + p.bond_ceiling)),
    "bonds_nation": ("few bonds", lambda p: replace(p, bond_total=1e4 + p.bond_total)),
    "stretch": ("short of seats", lambda p: replace(p, stretch=1.5 * p.stretch)),
    "private_partners": ("partners", lambda p: with_parameters(p, partner_schools=8)),
    "beds of partners": (
        "partners' hospitals",
        lambda p: with_parameters(p, partner_hospital_beds=60),
    ),
    "capital of partners": ("partners", lambda p: with_parameters(p, partner_capital_share=0.7)),
    "payment": ("partners", lambda p: with_parameters(p, partner_yearly_payment=0.0)),
    "build_rate_together": (
        "partners who build a lot",
        lambda p: with_parameters(p, build_rate_limit=0.06),
    ),
    "partners at all": ("no partners", lambda p: switched(p, private_partners="on")),
    "bonds_region at all": ("free regional bonds", lambda p: switched(p, bonds_region="on")),
    "build_rate at all": ("free building", lambda p: switched(p, build_rate="on")),
    "building_steps": ("small steps", lambda p: switched(p, building_steps="off")),
    "teachers at all": ("no teachers needed", lambda p: switched(p, teachers="on")),
    "sector_shares at all": ("free sectors", lambda p: switched(p, sector_shares="on")),
    "local_sector_shares": ("local sectors", lambda p: switched(p, local_sector_shares="off")),
    "block_money": ("free years", lambda p: switched(p, block_money="on")),
    "support_ceiling": ("ceiling of support", lambda p: switched(p, support_ceiling="off")),
    "other_support_ceiling": (
        "ceiling of support",
        lambda p: with_parameters(p, other_support_ceiling=0.2),
    ),
    "seat_target": ("seats completed", lambda p: with_parameters(p, seat_target=60)),
    "seat_target_counts": (
        "seats started",
        lambda p: switched(p, seat_target_counts="completed"),
    ),
    "performance_reward": ("reward", lambda p: with_parameters(p, reward_share=0.05)),
    "soft reward": ("reward, soft", lambda p: with_parameters(p, reward_share=0.05)),
    "hukou_first": ("short of seats", lambda p: replace(p, hukou_first=0 * p.hukou_first)),
}


@pytest.mark.parametrize("rule", RELAXED)
def test_scenarios_feel_the_rule(rule: str) -> None:
    scenario, relax = RELAXED[rule]
    p = SCENARIOS[scenario]()
    before, after = Toy(p).solve(), Toy(relax(p)).solve()
    assert max(abs(before[name] - after[name]) for name in before) > 1e-4


def test_scenarios_reach_every_regime() -> None:
    """Cells out of reach from the start, and cells that only the first level finds out of reach."""
    unreachable, late = Toy(scarce(toy(0))), Toy(no_teachers())
    unreachable.solve()
    late.solve()
    assert unreachable.alike.any()
    assert not unreachable.late.any()
    assert late.late.any()
    assert not late.alike.all()
