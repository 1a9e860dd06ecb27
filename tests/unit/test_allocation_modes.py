"""Which rules an experiment can switch, and what each says of itself."""

from __future__ import annotations

import re
import typing
from dataclasses import replace

import numpy as np
import pytest
from problems import made_up_problem

from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.problem import DEFAULT_MODES, SEAT_COUNTS, SOFT_RULES, SWITCH, Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.slack_table import BY_AMOUNT, CELLS
from hukou_opt.allocation.solve import solve
from hukou_opt.errors import InfeasibleError
from hukou_opt.experiment.schema import Rules
from hukou_opt.parameters import load_parameters
from hukou_opt.plan.facts import load_facts

#: Way of counting: no rule of its own.
COUNTS = "seat_target_counts"


def allowed(key: str) -> tuple[str, ...]:
    return typing.get_args(Rules.model_fields[key].annotation)


def families(p: Problem) -> set[str]:
    """Names of the families of rows in the linear program."""
    return {name.split("[")[0] for name in compile_model(build_model(p)).row_names}


def switched(p: Problem, **modes: str) -> Problem:
    return replace(p, modes={**p.modes, **modes})


def test_a_problem_has_the_defaults_of_an_experiment() -> None:
    assert dict(DEFAULT_MODES) == Rules().model_dump()
    assert made_up_problem(modes={"support_floor": "law"}).modes == {
        **DEFAULT_MODES,
        "support_floor": "law",
    }


@pytest.mark.parametrize("key", sorted(set(DEFAULT_MODES) - {COUNTS}))
def test_every_switch_belongs_to_rules_with_the_same_modes(key: str) -> None:
    rules = [rule for rule in RULES if rule.modes and rule.key == key]
    assert {rule.name for rule in rules} >= {key}
    assert {(rule.modes, rule.default) for rule in rules} == {(allowed(key), DEFAULT_MODES[key])}


def test_no_rule_has_a_switch_that_no_experiment_has() -> None:
    assert {rule.key for rule in RULES if rule.modes} == set(DEFAULT_MODES) - {COUNTS}
    assert allowed(COUNTS) == SEAT_COUNTS
    assert all(rule.default == "on" for rule in RULES if not rule.modes)


def test_names_are_unique_and_soft_rules_are_those_with_a_slack() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    soft = {rule.name for rule in RULES if rule.kind == "soft"}
    assert soft == set(SOFT_RULES) == set(CELLS)
    assert set(BY_AMOUNT) < soft


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_all_that_a_reader_needs(rule: typing.Any) -> None:
    assert re.search(r"[\u4e00-\u9fff]", rule.title_zh)
    for text in (rule.title, rule.equation, rule.latex, rule.unit, rule.section):
        assert text == text.strip() != ""
        assert "  " not in text
    for left, right in ("{}", ("\\left", "\\right"), ("\\Bigl", "\\Bigr")):
        opened = len(
            re.findall(re.escape(left) + ("(?![a-z])" if len(left) > 1 else ""), rule.latex)
        )
        closed = len(
            re.findall(re.escape(right) + ("(?![a-z])" if len(right) > 1 else ""), rule.latex)
        )
        assert opened == closed
    assert set(rule.parameters) <= set(load_parameters())


def test_targets_have_the_figures_of_the_plan() -> None:
    registry, facts = load_parameters(), load_facts()
    for name, fact in {
        "seat_target": "new_seats_2026",
        "partner_schools": "ppp_schools",
        "partner_hospitals": "ppp_hospitals",
        "capacity_share_target": "public_capacity_2026",
        "city_spending_share_target": "city_spend_share",
    }.items():
        assert registry.rows[name].plan_fact == fact
        assert registry[name] == pytest.approx(facts[fact].value)


SWITCHES = sorted({rule.key for rule in RULES if rule.modes == SWITCH})


@pytest.mark.parametrize("key", SWITCHES)
def test_a_rule_that_is_off_has_no_rows_and_no_bounds(key: str) -> None:
    p = made_up_problem(3, 4, 1)
    off, on = switched(p, **{key: "off"}), switched(p, **{key: "on"})
    rows = {rule.name for rule in RULES if rule.key == key and rule.form == "rows"}
    assert not rows & families(off)
    assert rows & families(on)
    program = compile_model(build_model(switched(p, build_rate="off")))
    free = [name.startswith("starts[") for name in program.column_names]
    assert np.isinf(program.upper[np.array(free)]).all()


@pytest.mark.parametrize("name", SOFT_RULES)
def test_a_soft_rule_has_rows_only_where_it_acts(name: str) -> None:
    p = made_up_problem(3, 4, 1)
    for mode in allowed(name):
        acts = mode in ("soft", "law", "hard")
        assert (name in families(switched(p, **{name: mode}))) == acts


def test_years_set_freely_spend_what_the_block_is_given() -> None:
    p = switched(made_up_problem(3, 6, 1, seed=2), block_money="off")
    x = solve(p)
    assert x.solution.central.sum() <= p.fund * (1 + 1e-6)
    yearly = np.cumsum(x.solution.central.sum(axis=(0, 1)))
    assert (yearly <= p.fund * np.arange(1, 7) / 6 * (1 + 1e-6)).all()


@pytest.mark.parametrize("counts", SEAT_COUNTS)
def test_a_demanded_seat_target_that_cannot_hold_is_refused_with_its_amounts(counts: str) -> None:
    p = made_up_problem(3, 4, 1, parameters={"seat_target": 3000.0})
    p = switched(p, seat_target="hard", seat_target_counts=counts)
    with pytest.raises(InfeasibleError, match="rule seat_target") as caught:
        solve(p)
    assert f"nation, 2026, {counts}" in str(caught.value)


def test_a_seat_target_that_can_hold_is_met_as_law() -> None:
    p = made_up_problem(3, 4, 1, seed=3)
    free = solve(p).solution
    seats = float(free.all_starts[0, 0, :, :3].sum()) + 1.0
    p = replace(p, parameters={**p.parameters, "seat_target": seats})
    law = solve(switched(p, seat_target="law", seat_target_counts="started")).solution
    assert law.starts[0, 0, :, :3].sum() + law.partner_starts[0, :, :3].sum() >= seats - 1e-4


def test_a_reward_goes_to_those_who_won_settlers() -> None:
    p = made_up_problem(2, 6, 1, parameters={"reward_share": 0.3})
    settlers = np.array([[1.0, 2, 3, 4, 5, 6], [3, 6, 9, 9, 9, 9]])
    p = replace(p, settlers_mid=settlers, fund=100.0, cost=100 * np.ones_like(p.cost))
    # Blocks of three years: the first region has won 3, the second 9 settlers in the first.
    np.testing.assert_allclose(p.reward, 0.3 * 100 / 2 * np.array([[0, 0.25], [0, 0.75]]))
    capped = replace(p, cost=p.cost * 1e-2 * np.array([1.0, 0.01])[:, None])
    np.testing.assert_allclose(capped.reward[:, 1], [0.3 * 100 / 2 * 0.25, 12 * 0.01])
    nobody = replace(p, settlers_mid=0 * settlers)
    assert not nobody.reward.any()


def test_a_reward_counts_what_a_block_has_added_not_what_it_found() -> None:
    p = made_up_problem(2, 9, 1, parameters={"reward_share": 0.3})
    # The second region wins 8 settlers early and none later, the first 2 in every block.
    settlers = np.array([np.repeat([2.0, 4, 6], 3), np.repeat([8.0, 8, 8], 3)])
    p = replace(p, settlers_mid=settlers, fund=100.0, cost=100 * np.ones_like(p.cost))
    np.testing.assert_allclose(p.settlers_won, [[2, 2, 2], [8, 0, 0]])
    np.testing.assert_allclose(p.reward, [[0, 2, 10], [0, 8, 0]])


def test_without_partners_nobody_builds_but_the_public() -> None:
    p = made_up_problem(3, 4, 1, seed=1)
    s = solve(switched(p, private_partners="off")).solution
    assert not s.partner_starts.any()
    assert not s.partner_payments(p).any()
    np.testing.assert_array_equal(s.all_starts, s.starts)
    np.testing.assert_allclose(s.building_cost(p), s.construction(p))


def test_partners_are_paid_back_from_the_year_after_they_build() -> None:
    p = made_up_problem(
        2, 4, 1, parameters={"partner_capital_share": 0.4, "partner_yearly_payment": 0.1}
    )
    s = solve(p).solution
    partners = np.zeros_like(s.partner_starts)
    partners[0, 0, 1], partners[1, 1, 0] = 10.0, 2.0
    s = replace(s, starts=0 * s.starts, partner_starts=partners)
    # 10 seats at 6 and 2 beds at 100, of which partners pay 0.4.
    paid = np.zeros_like(s.central)
    paid[0, 0, 2:], paid[1, 1, 1:] = 0.1 * 0.4 * 60, 0.1 * 0.4 * 200
    np.testing.assert_allclose(s.partner_payments(p), paid)
    np.testing.assert_allclose(s.payments_after(p)[:2], np.diag([0.1 * 0.4 * 60, 0.1 * 0.4 * 200]))
    cost = np.zeros_like(s.central)
    cost[0, 0, 1], cost[1, 1, 0] = 0.6 * 60, 0.6 * 200
    np.testing.assert_allclose(s.building_cost(p), cost)
