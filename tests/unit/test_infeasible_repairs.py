"""Least changes of levers: against closed formulas, and confirmed by the whole solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from demands import demanding, floors, least_fund, parts, three_rules, with_parameters
from problems import made_up_problem

from hukou_opt.allocation.infeasible import Change, explain, repair
from hukou_opt.allocation.infeasible.least import Search
from hukou_opt.allocation.infeasible.levers import (
    LEVERS,
    RULE,
    changed,
    levers_named,
    outward,
    relative,
)
from hukou_opt.allocation.infeasible.words import said, title_en, title_zh
from hukou_opt.allocation.problem import SOFT_RULES, Problem
from hukou_opt.allocation.solve import solve
from hukou_opt.errors import ExperimentError, InfeasibleError
from hukou_opt.parameters import load_parameters

#: What rounding to four digits may add.
ROUNDING = 1.1e-3
PLENTY = 1e6


def poor(seed: int = 0) -> Problem:
    """Floors that the fund cannot pay in time."""
    p = made_up_problem(4, 6, 1, seed=seed)
    return demanding(replace(p, fund=0.8 * least_fund(p)), "support_floor")


def crowded(seed: int = 0, **parameters: float) -> Problem:
    """More seats demanded than teachers serve; money and building are plenty."""
    p = made_up_problem(2, 3, 1, seed=seed)
    p = replace(
        p,
        local_ceiling=np.full_like(p.local_ceiling, PLENTY),
        fund=PLENTY,
        redeployed=np.zeros_like(p.redeployed),
    )
    given = {"seat_target": 40.0, "seat_target_year": 2026, "teacher_posts": 1.5} | parameters
    return demanding(with_parameters(p, **given), "seat_target", build_rate="off")


def value(changes: tuple[Change, ...], lever: str) -> float:
    (change,) = changes
    assert change.lever.name == lever
    assert change.after is not None
    return change.after


@pytest.mark.parametrize("seed", range(3))
def test_the_fund_is_raised_to_what_the_floors_cost(seed: int) -> None:
    p = poor(seed)
    after = value(repair(p, ["fund"]), "fund")
    least = least_fund(p)
    assert least * (1 - 1e-9) <= after <= least * (1 + ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_the_rate_is_lowered_to_what_the_fund_pays(seed: int) -> None:
    p = poor(seed)
    after = value(repair(p, ["support_rate"]), "support_rate")
    most = 0.5 * float((p.fund * parts(p) / floors(p).sum(axis=0).cumsum()).min())
    assert most * (1 - ROUNDING) <= after <= most * (1 + 1e-9)


def test_posts_are_raised_and_seats_lowered_by_what_is_not_taught() -> None:
    p = crowded()
    per = p.parameters["pupils_per_teacher"]
    posts = value(repair(p, ["teachers"]), "teachers")
    assert 40 / per * (1 - 1e-9) <= posts <= 40 / per * (1 + ROUNDING)
    seats = value(repair(p, ["seats"]), "seats")
    assert 1.5 * per * (1 - ROUNDING) <= seats <= 1.5 * per * (1 + 1e-9)


def test_a_later_year_is_found_by_trying_and_only_where_time_is_what_lacks() -> None:
    # What can stand at the end of each year is the build rate's doing.
    p = demanding(crowded(teacher_posts=100.0, seat_target_year=2024), build_rate="on")
    limit = p.build_limit[0, 0].sum(axis=0)
    stands = [
        sum(p.standing[0, k - u] * limit[u] for u in range(k + 1)) for k in range(len(p.years))
    ]
    assert stands[0] < 40
    p = with_parameters(p, seat_target=0.5 * (stands[1] + stands[2]))
    assert value(repair(p, ["seat_year"]), "seat_year") == 2026.0
    assert repair(with_parameters(p, seat_target=1.1 * stands[2]), ["seat_year"]) == ()


def test_a_lever_that_cannot_help_says_so() -> None:
    assert repair(poor(), ["teachers"]) == ()
    assert repair(poor(), ["bonds"]) == ()
    assert repair(crowded(), ["fund"]) == ()


def test_nothing_is_repaired_that_holds() -> None:
    p = poor()
    p = replace(p, fund=2 * p.fund)
    assert repair(p, ["fund"]) == ()
    assert repair(p) == ()


def test_a_rule_can_become_law_and_says_what_it_then_lacks() -> None:
    p = poor()
    (change,) = repair(p, [f"{RULE}support_floor"])
    assert change.amount is not None
    missing = float((floors(p).sum(axis=0).cumsum() - p.fund * parts(p)).max())
    assert change.amount.total == pytest.approx(missing, rel=1e-4)
    assert 0 < change.size <= 1
    answer = solve(changed(p, {change.lever.name: 1.0}))
    level = next(each for each in answer.levels if each.name == "law")
    assert level.value == pytest.approx(missing / floors(p).sum(), rel=1e-4)


@pytest.mark.slow
def test_single_repairs_are_the_least_and_the_whole_solve_confirms_them() -> None:
    p = three_rules()
    report = explain(p)
    assert report is not None
    (only,) = report.alternatives
    helping = {each.lever.name: each for each in only.changes if each.after is not None}
    assert {"fund", "support_rate", "reward"} <= set(helping)
    sizes = [each.size for each in only.changes if each.after is not None and each.in_range]
    assert sizes == sorted(sizes)
    assert report.smallest[0] in helping.values()
    for name in ("fund", "support_rate", "reward"):
        change = helping[name]
        assert change.after is not None
        solve(changed(p, {name: change.after}), break_ties=False)
        lever = change.lever
        # A little less of it, and the rules do not hold.
        less = change.before + 0.97 * (change.after - change.before)
        assert less < change.after if lever.up else less > change.after
        with pytest.raises(InfeasibleError):
            solve(changed(p, {name: less}), break_ties=False)


@pytest.mark.slow
def test_several_rules_that_fail_alone_are_repaired_together() -> None:
    p = crowded()
    p = demanding(replace(p, fund=0.8 * least_fund(p)), "support_floor")
    report = explain(p)
    assert report is not None
    assert {each.demands for each in report.alternatives} == {("seat_target",), ("support_floor",)}
    used = {change.lever.name for change in report.smallest}
    assert used <= {"fund", "support_rate", "teachers", "seats", "seat_year"}
    assert len(used) == 2
    values = {change.lever.name: change.after or 0.0 for change in report.smallest}
    solve(changed(p, values), break_ties=False)
    for name, after in values.items():
        lever, before = LEVERS[name], LEVERS[name].value(p)
        with pytest.raises(InfeasibleError):
            solve(changed(p, values | {name: before + 0.97 * (after - before)}), break_ties=False)
        assert relative(lever, p, after) > 0.1


@pytest.mark.slow
def test_a_level_without_a_parameter_becomes_law() -> None:
    p = crowded(seat_target=1.0)
    existing = p.existing.copy()
    existing[1, 1, 0] = 0.5 * p.need[1, 1, 0]
    # Beds that are started in a year do not stand in it, so that no amount of anything helps.
    standing = p.standing.copy()
    standing[1, 0] = 0.0
    p = replace(p, existing=existing, standing=standing)
    p = demanding(p, "no_dilution", build_rate="on")
    report = explain(p)
    assert report is not None
    assert [change.lever.name for change in report.smallest] == [f"{RULE}no_dilution"]
    assert "law instead of hard" in title_en(report.smallest)
    solve(changed(p, {f"{RULE}no_dilution": 1.0}), break_ties=False)


def test_every_lever_reads_a_parameter_that_a_rule_reads() -> None:
    rows = load_parameters().rows
    for name, lever in LEVERS.items():
        assert lever.name == name
        assert lever.title
        assert lever.title_zh
        assert lever.families, name
        if lever.rule:
            assert lever.rule in SOFT_RULES
        else:
            assert lever.parameter in rows


def test_unknown_levers_are_named_all_at_once() -> None:
    with pytest.raises(ExperimentError) as caught:
        levers_named(["fnd", "fund", "seets"])
    first, second = map(str, caught.value.faults)
    assert first == "repair 'fnd' | is no lever | did you mean 'fund'?"
    assert "did you mean 'seats'?" in second


def test_levers_whose_effect_is_no_straight_line_are_changed_alone_only() -> None:
    with pytest.raises(ExperimentError) as caught:
        repair(poor(), ["fund", "local", "seat_year"])
    (fault,) = caught.value.faults
    assert fault.what == "local and seat_year can only be changed alone"


@pytest.mark.parametrize(
    ("lever", "exact", "rounded"),
    [
        ("fund", 51774.31, 51780.0),
        ("fund", 51780.0, 51780.0),
        ("seats", 753.2162, 753.2),
        ("build_rate", 0.150012, 0.1501),
        ("support_rate", 0.52048, 0.5204),
        ("seat_year", 2027.0, 2027.0),
        ("seats", 0.0, 0.0),
    ],
)
def test_values_are_rounded_away_from_what_fails(lever: str, exact: float, rounded: float) -> None:
    assert outward(LEVERS[lever], exact) == rounded


def test_titles_say_what_was_changed_in_two_languages() -> None:
    change = Change(LEVERS["fund"], 50000.0, 61234.0, 0.22468)
    law = Change(LEVERS["rule:no_dilution"], 1.0, 1.0, 0.1)
    assert title_en([change]) == " (repaired: central fund 50,000 -> 61,234)"
    assert title_zh([change]) == "（修复：中央基金 50,000 -> 61,234）"
    assert title_en([change, law]).endswith("61,234; rule no_dilution law instead of hard)")
    assert "优先目标" in title_zh([change, law])
    assert said(change) == ("central fund (central_fund_total) 50,000 -> 61,234 100m yuan (+22.5%)")
    beyond = Change(LEVERS["build_rate"], 0.15, 0.9, 5.0)
    assert "outside the registry's range" in said(beyond)
    year = Change(LEVERS["seat_year"], 2026.0, 2027.0, 0.1)
    assert "2026 -> 2027 (1 year later)" in said(year)


def test_slopes_are_those_of_the_program_built_anew() -> None:
    p = made_up_problem(2, 3, 1)
    p = demanding(p, *SOFT_RULES, support_ceiling="on")
    search = Search(p)
    for name, lever in LEVERS.items():
        slope = search._slope(lever)
        # The yearly profile of block money follows local money and levy.
        if lever.rule or not lever.linear or name in ("local", "levy"):
            assert slope is None, name
            continue
        assert slope is not None, name
        moved = any(np.any(side != 0) for side in (slope.row_lower, slope.row_upper, slope.upper))
        assert moved == lever.applies(p), name


@pytest.mark.parametrize(
    ("lever", "least"),
    [
        ("fund", lambda p: least_fund(p) / p.fund - 1),
        (
            "support_rate",
            lambda p: 1 - float((p.fund * parts(p) / floors(p).sum(axis=0).cumsum()).min()),
        ),
    ],
)
def test_one_program_gives_the_exact_change(lever: str, least: Callable[[Problem], float]) -> None:
    p = poor()
    search = Search(p)
    found = search._together([LEVERS[lever]], [], ["support_floor"])
    assert found is not None
    assert found[lever] == pytest.approx(least(p), rel=1e-6)
