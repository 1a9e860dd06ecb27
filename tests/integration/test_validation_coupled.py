"""Checks of the rounds and of money between model and program: each holds, and each is broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_base_year import YEARS, base_year, parameters

from hukou_opt import bundled
from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.problem import DEFAULT_MODES
from hukou_opt.dynamics import PysdEngine, model_constants
from hukou_opt.planning import coupling as rounds
from hukou_opt.planning import validate_coupled as checks
from hukou_opt.planning.coupling import Coupling

TOLERANCE = 0.005
LAST = 2029
#: Enough money for part of the bill, so that every level has something to weigh.
REGISTRY = parameters().override({"central_fund_total": 400.0})


def coupling_of(step):
    base = base_year()
    engine = PysdEngine(bundled.model(), base.codes, YEARS, time_step=step)
    engine.reset(model_constants(base, REGISTRY, reform=True))
    return Coupling(engine, base, REGISTRY, LAST, DEFAULT_MODES, lambda _: None)


@pytest.fixture(scope="module")
def coupling():
    return coupling_of(1.0)


@pytest.fixture(scope="module")
def coupled(coupling):
    return coupling.iterate(max_rounds=8, tolerance=TOLERANCE)


@pytest.fixture(scope="module")
def best(coupled):
    return coupled.best


@pytest.fixture
def p(best):
    return best.problem


@pytest.fixture
def s(best):
    return best.allocation.solution


def states(findings):
    return [finding.state for finding in findings]


def test_rounds_that_rest_pass_and_rounds_that_move_fail(coupled):
    assert states(checks.judge_rest(coupled, TOLERANCE)) == ["pass", "pass"]
    for field, expected in (("moved_fund", ["fail", "pass"]), ("moved_need", ["pass", "fail"])):
        restless = replace(coupled, best=replace(coupled.best, **{field: 0.02}))
        assert states(checks.judge_rest(restless, TOLERANCE)) == expected


def test_one_more_round_changes_nothing_or_fails(coupling, best):
    p, s, need = checks.once_more(coupling, best)
    assert states(checks.judge_again(best, p, s, need, TOLERANCE)) == ["pass", "pass"]
    central = s.central.copy()
    central[0, 0, 0] += 0.02 * p.fund
    moved = replace(s, central=central)
    assert states(checks.judge_again(best, p, moved, 0.01, TOLERANCE)) == ["fail", "fail"]


def test_a_watch_that_sees_no_cycle_or_sees_one_everywhere_fails(coupling, best, monkeypatch):
    assert states(checks.judge_cycles(coupling, best)) == ["pass", "pass"]
    with monkeypatch.context() as blind:
        blind.setattr(rounds, "CYCLE_ROUNDS", 99)
        assert states(checks.judge_cycles(coupling, best)) == ["fail", "pass"]
    with monkeypatch.context() as nervous:
        nervous.setattr(rounds, "CYCLE", 0.1)
        assert states(checks.judge_cycles(coupling, best)) == ["pass", "fail"]


@pytest.mark.parametrize("name", ["central", "local", "bonds", "levy", "unfunded", "temporary"])
def test_money_that_is_lost_in_one_cell_fails_the_balance(p, s, name):
    assert checks.judge_balance(p, s).state == "pass"
    money = getattr(s, name).copy()
    money[..., 1, 2] += 0.01
    found = checks.judge_balance(p, replace(s, **{name: money}))
    assert found.state == "fail"
    assert f"region {p.codes[1]}, {p.years[2]}" in found.detail


def test_outlays_of_the_model_are_those_of_the_program(best):
    told = best.simulated
    assert float(told.starts.sum()) > 0
    found = checks.judge_outlays(best.run, best.problem, told)
    assert states(found) == ["pass"] * 3
    for at, name in enumerate(("starts", "temporary", "bonds")):
        other = getattr(told, name).copy()
        other[..., 0, 1] += 1.0
        found = checks.judge_outlays(best.run, best.problem, replace(told, **{name: other}))
        assert found[at].state == "fail"
        assert states(found).count("fail") == 1
    # A year too late: the rate saved at a year's end is the next year's.
    late = replace(told, starts=np.roll(told.starts, 1, axis=-1))
    assert checks.judge_outlays(best.run, best.problem, late)[0].state == "fail"


def test_the_bill_is_the_models_own(best):
    after = best.simulated_problem
    assert checks.judge_bill(best.run, after).state == "pass"
    cost = after.cost.copy()
    cost[0, 0, 0] *= 1.001
    found = checks.judge_bill(best.run, replace(after, cost=cost))
    assert found.state == "fail"
    assert f"region {after.codes[0]}, {after.years[0]}" in found.detail


def test_a_bill_that_moved_since_the_answer_fails(best):
    assert checks.judge_certified(best, TOLERANCE).state == "pass"
    after = replace(best.simulated_problem, cost=best.problem.cost * 1.01)
    found = checks.judge_certified(replace(best, simulated_problem=after), TOLERANCE)
    assert found.state == "fail"
    assert found.figure == pytest.approx(0.01)


def test_money_spent_before_it_came_in_fails(p, s):
    assert checks.judge_fund(p, s).state == "pass"
    central = np.zeros_like(s.central)
    # The whole fund at once, in the first year: no more than the fund, but too early.
    central[0, 0, 0] = p.fund
    found = checks.judge_fund(p, replace(s, central=central))
    assert found.state == "fail"
    assert found.figure == pytest.approx(1 - 1 / len(p.years))
    assert checks.judge_fund(p, replace(s, central=2 * s.central + p.fund)).state == "fail"


@pytest.mark.parametrize("value", [2 * LIMIT, np.nan, np.inf])
def test_a_level_without_proof_fails(best, value):
    allocation = best.allocation
    assert checks.judge_certificates([allocation]).state == "pass"
    first, *others = allocation.certificates
    unproved = replace(first, dual_residual=value)
    broken = replace(allocation, certificates=(*others, unproved))
    found = checks.judge_certificates([allocation, broken])
    assert found.state == "fail"
    assert first.name in found.detail


def test_half_the_step_is_judged_by_fund_and_unfunded_share(coupled, p, s):
    assert states(checks.judge_half_step(coupled, coupled)) == ["pass", "pass"]
    central = s.central.copy()
    central[0, 0, 0] += 0.015 * p.fund
    central[0, 1, 0] -= 0.015 * p.fund
    allocation = replace(coupled.best.allocation, solution=replace(s, central=central))
    moved = replace(coupled, best=replace(coupled.best, allocation=allocation))
    assert states(checks.judge_half_step(coupled, moved)) == ["fail", "pass"]
    cost = coupled.best.simulated_problem.cost
    seen = replace(coupled.best.simulated, unfunded=coupled.best.simulated.unfunded + 0.01 * cost)
    dearer = replace(coupled, best=replace(coupled.best, simulated=seen), converged=False)
    found = checks.judge_half_step(coupled, dearer)
    assert states(found) == ["pass", "fail"]
    assert found[1].figure == pytest.approx(0.01)
    assert "did not come to rest" in found[1].detail


@pytest.mark.parametrize(
    ("change", "judge"),
    [
        (checks.with_larger_bill, checks.judge_bill_sign),
        (checks.with_more_pupils, checks.judge_seat_sign),
        (checks.with_more_local_money, checks.judge_ceiling_sign),
    ],
)
def test_the_program_answers_in_the_right_direction(coupling, best, change, judge):
    after = coupling.answer(change(best.problem), "changed", break_ties=False)
    assert judge(best.allocation, after).state == "pass"
    # The same pair the other way round: less of it has the opposite effect.
    assert judge(after, best.allocation).state == "fail"
