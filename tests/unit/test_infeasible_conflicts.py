"""Conflicts of demanded rules: irreducible by another solver, planted ones by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest
from demands import demanding, floors, parts, three_rules, with_parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import made_up_problem
from scipy.optimize import linprog

from hukou_opt.allocation.infeasible import explain
from hukou_opt.allocation.infeasible.amounts import Amount, amounts
from hukou_opt.allocation.infeasible.conflict import RuleSet, rule_sets
from hukou_opt.allocation.infeasible.elastic import Elastic
from hukou_opt.allocation.infeasible.families import BOOKKEEPING, demanded, limits, place
from hukou_opt.allocation.infeasible.least import Search
from hukou_opt.allocation.infeasible.words import faults
from hukou_opt.allocation.problem import SOFT_RULES, Problem
from hukou_opt.allocation.rules import RULES

#: Rows and bounds of each limit, written down here a second time.
ROWS = {
    "teachers": ("teachers", "teacher_posts"),
    "build_rate": ("build_rate_together",),
    "private_partners": ("private_partners",),
    "places_total": (),
    "places_hukou_first": ("places_hukou_first", "places_alike"),
    "unfunded_is_running_cost": (),
    "local_ceiling": ("local_ceiling",),
    "bonds_build": ("bonds_build",),
    "bonds_region": ("bonds_region",),
    "bonds_nation": ("bonds_nation",),
    "levy_entitlement": ("levy_entitlement",),
    "fund_volume": ("fund_volume",),
    "sector_shares": ("sector_shares", "sector_band"),
    "block_money": ("block_money",),
    "support_ceiling": ("support_ceiling",),
    "building_steps": ("building_steps",),
    "local_sector_shares": ("local_sector_shares",),
    "formula_ceiling": ("formula_ceiling",),
}
BOUNDS = {
    "build_rate": ("starts", "partner_starts"),
    "places_total": ("temporary",),
    "unfunded_is_running_cost": ("unfunded",),
}


def first(name: str) -> str:
    return name.split("[", maxsplit=1)[0]


def possible(elastic: Elastic, demands: Collection[str], kept: Collection[str]) -> bool:
    """Whether some demands can hold under some limits only, by SciPy on the same rows."""
    program = elastic.program
    dropped = {row for name, rows in ROWS.items() if name not in kept for row in rows}
    freed = {column for name, columns in BOUNDS.items() if name not in kept for column in columns}
    rows = [i for i, name in enumerate(program.row_names) if first(name) not in dropped]
    upper = program.upper.copy()
    for i, name in enumerate(program.column_names):
        if first(name) in freed:
            upper[i] = np.inf
        if first(name).removeprefix("slack_") in demands:
            upper[i] = 0.0
    matrix = program.matrix[rows]
    low, high = program.row_lower[rows], program.row_upper[rows]
    equal = low == high
    above, below = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    answer = linprog(
        np.zeros(len(upper)),
        A_ub=np.vstack([matrix[above].toarray(), -matrix[below].toarray()]),
        b_ub=np.concatenate([high[above], -low[below]]),
        A_eq=matrix[equal].toarray(),
        b_eq=low[equal],
        bounds=np.column_stack([program.lower, upper]),
        method="highs-ds",
    )
    assert answer.status in (0, 2), answer.message
    return bool(answer.status == 0)


def sets_of(p: Problem) -> tuple[Elastic, tuple[RuleSet, ...]]:
    elastic = Search(p).elastic
    return elastic, rule_sets(elastic, demanded(p))


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_conflict_of_three_rules_is_found_by_name_without_bystanders(seed: int) -> None:
    elastic, found = sets_of(three_rules(seed))
    assert found == (RuleSet(("support_floor", "performance_reward"), ("fund_volume",)),)
    both, fund = found[0].demands, found[0].limits
    assert not possible(elastic, both, fund)
    assert possible(elastic, both, ())
    assert possible(elastic, both[:1], elastic.limits)
    assert possible(elastic, both[1:], elastic.limits)


def test_its_amounts_are_what_the_fund_lacks() -> None:
    p = three_rules()
    elastic, (found,) = sets_of(p)
    asked = np.maximum(floors(p), p.reward).sum(axis=0).cumsum()
    missing = float((asked - p.fund * parts(p)).max())
    floor, reward, fund = amounts(elastic, found)
    assert missing > 1
    for amount in (floor, reward, fund):
        assert amount.total == pytest.approx(missing, rel=1e-4)
    assert floor.demanded
    assert floor.asked == pytest.approx(floors(p).sum())
    assert reward.asked == pytest.approx(p.reward.sum())
    assert fund.asked is None
    assert not fund.demanded
    assert fund.where == "nation, 2029"
    assert fund.stated == pytest.approx(p.fund)
    assert fund.reached == pytest.approx(p.fund + missing, rel=1e-6)
    assert fund.unit == "100m yuan"
    # The cell named is one that the rule asks something of.
    assert floor.stated is not None
    assert np.isclose(floors(p)[p.supported], floor.stated).any()
    for part in reward.where.removeprefix("region ").split(", "):
        assert part in (*p.codes, *(block.label for block in p.blocks))


@pytest.mark.slow
def test_the_words_name_each_rule_its_section_and_the_repairs() -> None:
    report = explain(three_rules())
    assert report is not None
    lines = [str(fault) for fault in faults(report)]
    assert lines[0] == (
        "conflict 1 of 1 | these 3 rules cannot hold together: support_floor, performance_reward "
        "and fund_volume | any one of them has to give way; without it the others can hold"
    )
    heads = [line.split(" | ")[0] for line in lines]
    assert "conflict 1 of 1, rule support_floor (plan 6.1)" in heads
    assert "conflict 1 of 1, rule fund_volume (plan 7.1)" in heads
    for lever in ("fund", "support_rate", "reward", "rule:support_floor"):
        assert f"repair by {lever}" in heads
    assert "repair by rule:public_share" not in heads
    assert not any("rule public_share" in head or "rule seat_target" in head for head in heads)
    assert heads[-1] == "smallest repair"
    (idle,) = (line for line in lines if line.startswith("no repair | no amount"))
    assert "(teachers)" in idle
    assert "(fund)" not in idle


def test_nothing_to_explain_where_all_can_hold() -> None:
    p = three_rules()
    assert explain(replace(p, fund=2 * p.fund)) is None


def test_rules_that_fail_alone_are_found_each_with_every_limit_that_forbids_it() -> None:
    p = made_up_problem(2, 4, 1, seed=1)
    money = replace(p, local_ceiling=np.full_like(p.local_ceiling, 1e6), fund=1e6)
    p = with_parameters(money, seat_target=5000.0, seat_target_year=2026)
    p = demanding(p, "seat_target", "support_floor")
    _, found = sets_of(p)
    assert {one.demands for one in found} == {("seat_target",)}
    limits_found = [set(one.limits) for one in found]
    assert {"build_rate"} in limits_found
    assert {"teachers"} in limits_found
    # Lifted one after the other, so that none stands twice.
    assert sum(len(each) for each in limits_found) == len(set().union(*limits_found))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 60),
    seats=st.floats(5, 400),
    share=st.floats(0.6, 1.0),
    rate=st.floats(0.2, 0.8),
    posts=st.floats(0.1, 5),
    rules=st.sets(st.sampled_from(SOFT_RULES), min_size=1),
)
def test_every_set_is_irreducible_and_none_is_missed(
    seed: int, seats: float, share: float, rate: float, posts: float, rules: set[str]
) -> None:
    p = made_up_problem(2, 3, 1, seed=seed)
    p = with_parameters(
        p,
        seat_target=seats,
        seat_target_year=2025,
        public_share_target=share,
        public_share_target_year=2026,
        central_support_rate=rate,
        teacher_posts=posts,
    )
    p = demanding(p, *rules)
    elastic, found = sets_of(p)
    assert bool(found) != possible(elastic, demanded(p), elastic.limits)
    for one in found:
        assert not possible(elastic, one.demands, one.limits)
        for name in one.names:
            fewer = [each for each in one.demands if each != name]
            less = [each for each in one.limits if each != name]
            assert possible(elastic, fewer, less), (one, name)


def test_every_row_of_the_program_belongs_to_a_rule_a_demand_or_the_bookkeeping() -> None:
    p = made_up_problem(2, 3, 1)
    modes = {"support_ceiling": "on", "building_steps": "on", "local_sector_shares": "on"}
    p = demanding(p, *SOFT_RULES, **modes)
    program = Search(p).program
    found = limits(program)
    own = {int(row) for family in found.values() for row in family.rows}
    for i, name in enumerate(program.row_names):
        rule = first(name)
        known = (*BOOKKEEPING, *SOFT_RULES, "places_total")
        assert (i in own) != (rule in known or rule not in {each.name for each in RULES}), name
    for name, family in found.items():
        assert {first(program.row_names[row]) for row in family.rows} == set(ROWS[name])
        columns = {first(program.column_names[column]) for column in family.bounds}
        assert columns == set(BOUNDS.get(name, ()))
        assert any(rule.name in (name, *ROWS[name]) for rule in family.rules)


def test_places_are_named_by_region_or_nation() -> None:
    p = made_up_problem(2, 3, 1)
    assert place("starts[urban,seats,110000,2024]", p) == "urban, seats, region 110000, 2024"
    assert place("fund_volume[2024]", p) == "nation, 2024"
    assert place("teacher_posts", p) == "nation"
    assert place("sector_band[social_security,2024-2026,-1]", p) == (
        "nation, social security, 2024-2026"
    )


def test_a_share_falls_short_relative_to_what_it_asks() -> None:
    share = Amount("no_dilution", True, 1, "x", 0.8, 0.6, 0.2, 0.2)
    assert share.part == pytest.approx(0.25)
    assert share.unit == ""
    assert replace(share, stated=None).part == pytest.approx(0.2)
