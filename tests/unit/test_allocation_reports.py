"""What is reported of an answer, and which rules bind in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from problems import made_up_problem

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.binding import Binding, binding_rules
from hukou_opt.allocation.rules.cells import Asked
from hukou_opt.allocation.rules.slack_table import asked, soft_rules
from hukou_opt.allocation.solve import Allocation, solve, with_formula


@cache
def answered() -> tuple[Problem, Allocation]:
    p = made_up_problem(3, 6, 2, seed=1)
    return p, solve(p)


def cells(p: Problem, s: Any, rule: str) -> list[Asked]:
    return [cell for cell in asked(p, s) if cell.rule == rule]


def test_seats_are_counted_both_ways() -> None:
    p, answer = answered()
    s = answer.solution
    new = s.starts[0, 0].sum(axis=0) + s.partner_starts[0].sum(axis=0)
    completed, started = cells(p, s, "seat_target")
    assert (completed.where, started.where) == ("nation, 2026, completed", "nation, 2026, started")
    assert started.got == pytest.approx(new[:3].sum())
    stands = new[0] * p.standing[0, 2] + new[1] * p.standing[0, 1] + new[2] * p.standing[0, 0]
    assert completed.got == pytest.approx(stands)
    assert completed.asked == started.asked == 1000.0
    assert completed.short_by == pytest.approx(1000 - stands)
    assert {completed.kind, started.kind} == {"report"}


def test_the_counted_seats_are_soft_and_the_others_reported() -> None:
    p, answer = answered()
    p = replace(p, modes={**p.modes, "seat_target": "law", "seat_target_counts": "started"})
    kinds = {
        cell.where.split(", ")[2]: cell.kind for cell in cells(p, answer.solution, "seat_target")
    }
    assert kinds == {"started": "soft", "completed": "report"}


def test_room_beyond_a_regions_own_migrant_children_counts_nowhere() -> None:
    p, answer = answered()
    s = answer.solution
    capacity = s.capacity.copy()
    hukou, migrant = p.children_hukou[:, 2], p.children_migrant[:, 2]
    capacity[0, 0, :, 2] = hukou + np.array([0.5, 9.0, -0.5]) * migrant
    s = replace(s, capacity=capacity, temporary=np.zeros_like(s.temporary))
    (cell,) = cells(p, s, "capacity_share")
    assert cell.got == pytest.approx((0.5 * migrant[0] + migrant[1]) / migrant.sum())
    temporary = np.zeros_like(s.temporary)
    temporary[0, 2] = 0.25 * migrant[0]
    (more,) = cells(p, replace(s, temporary=temporary), "capacity_share")
    assert more.got == pytest.approx((0.75 * migrant[0] + migrant[1]) / migrant.sum())


def test_spending_is_the_real_money_of_a_mean_year() -> None:
    p, answer = answered()
    s = answer.solution
    assert not cells(p, s, "city_spending_share")
    p = replace(p, expenditure=np.array([100.0, 0.0, 50.0]))
    first, third = cells(p, s, "city_spending_share")
    money = p.cost + s.building_cost(p) + s.partner_payments(p) - s.unfunded
    money[0] += p.parameters["temporary_place_cost"] * s.temporary
    total = money.sum(axis=(0, 2)) / 6
    assert first.got == pytest.approx(total[0] / 100, rel=1e-6)
    assert third.got == pytest.approx(total[2] / 50, rel=1e-6)


def test_the_bill_after_the_last_year_is_covered_region_by_region() -> None:
    p, answer = answered()
    bill = p.cost[..., -1].sum(axis=0)
    bill += sum(
        0.09 * 0.5 * p.unit_cost[0, k] * answer.solution.partner_starts[k].sum(axis=-1)
        for k in (0, 1)
    )
    (cell,) = cells(p, answer.solution, "running_bill")
    assert cell.asked == pytest.approx(bill.sum())
    local = p.local_ceiling[:, -1] + p.levy_ceiling[:, -1]
    assert cell.got == pytest.approx(sum(min(a, b) for a, b in zip(bill, local, strict=True)))


def test_the_fund_that_is_not_used_is_reported() -> None:
    p, answer = answered()
    (cell,) = cells(p, answer.solution, "fund_used")
    assert (cell.asked, cell.got) == (p.fund, pytest.approx(answer.solution.central.sum()))


def test_one_table_holds_soft_rules_and_reports() -> None:
    p, answer = answered()
    table = asked(replace(p, expenditure=np.ones(3)), answer.solution)
    assert [cell for cell in table if cell.kind == "soft"] == soft_rules(p, answer.solution)
    assert {cell.rule for cell in table if cell.kind == "report"} - {"seat_target"} == {
        rule.name for rule in RULES if rule.kind == "report"
    }
    sections = {rule.name: rule.section for rule in RULES}
    assert all(sections[cell.rule].startswith(cell.section) for cell in table)


def program(**bounds: Any) -> LinearProgram:
    """Rows fund_volume[1], fund_volume[2], local_ceiling[1] over unfunded[1] and starts[1]."""
    given: dict[str, Any] = {
        "row_lower": np.full(3, -np.inf),
        "row_upper": np.array([4.0, 9.0, 0.0]),
        "upper": np.array([np.inf, 3.0]),
        **bounds,
    }
    return LinearProgram(
        {},
        sp.csr_array(np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 0.0]])),
        given["row_lower"],
        given["row_upper"],
        np.zeros(2),
        given["upper"],
        ("fund_volume[1]", "fund_volume[2]", "local_ceiling[1]"),
        ("unfunded[1]", "starts[1]"),
        (),
    )


def found(x: list[float], **bounds: Any) -> dict[str, Binding]:
    p = made_up_problem(2, 3, 1)
    return {b.rule: b for b in binding_rules(RULES, p, program(**bounds), np.array(x))}


def test_rows_and_bounds_at_their_limit_bind() -> None:
    at = found([1.0, 3.0])
    assert (at["fund_volume"].rows, at["fund_volume"].binding) == (2, 1)
    assert (at["build_rate"].rows, at["build_rate"].binding) == (1, 1)
    assert found([1.0, 2.0])["fund_volume"].binding == 0
    assert found([1.0, 2.0])["build_rate"].binding == 0
    assert found([3.0, 3.0])["fund_volume"].binding == 1
    assert found([1.0, 2.0], row_lower=np.array([3.0, -np.inf, 0]))["fund_volume"].binding == 1


def test_a_row_without_amounts_does_not_bind() -> None:
    assert found([1.0, 3.0])["local_ceiling"].rows == 1
    assert found([1.0, 3.0])["local_ceiling"].binding == 0


def test_every_rule_is_listed_with_its_mode() -> None:
    p, answer = answered()
    assert [each.rule for each in answer.binding] == [rule.name for rule in RULES]
    by_name = {each.rule: each for each in answer.binding}
    assert by_name["support_ceiling"].mode == "off"
    assert by_name["support_ceiling"].rows == 0
    assert by_name["money_balance"].binding == by_name["money_balance"].rows == 4 * 3 * 6
    assert by_name["build_rate"].binding > 0
    plenty = replace(
        p, bond_total=1e6 * p.bond_total, parameters={**p.parameters, "teacher_posts": 100.0}
    )
    loose = {each.rule: each.binding for each in solve(plenty).binding}
    assert loose["bonds_nation"] == loose["teacher_posts"] == 0


def test_a_formula_takes_the_place_of_what_is_promised_to_regions() -> None:
    p, _ = answered()
    p = replace(
        p,
        modes={**p.modes, "support_floor": "hard", "performance_reward": "hard"},
        fund=0.2 * p.fund,
    )
    modes = with_formula(p, np.zeros(3)).modes
    assert {modes[name] for name in ("support_floor", "performance_reward", "support_ceiling")} == {
        "off"
    }
