"""The program tiled from groups of regions is, to the last bit, the one built for all regions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from problems import asking, made_up_problem, own_level, permuted
from rules_toy import EVERY_RULE, toy
from tiling_checks import both, check_tiled, differences

from hukou_opt import bundled
from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.names import ListedNames
from hukou_opt.allocation.objectives import INDICES, MEASURES, terms
from hukou_opt.allocation.objectives.pools import INSIDE
from hukou_opt.allocation.problem import DEFAULT_MODES, SEAT_COUNTS, Problem
from hukou_opt.allocation.rules import RULES, capacity
from hukou_opt.allocation.solution import read_solution
from hukou_opt.allocation.spec import DEFAULT_LEVELS, SHIPPED, Limit, Term
from hukou_opt.allocation.tiling.groups import CannotTile, GroupedProblem, groups_of
from hukou_opt.allocation.tiling.tile import LEAST_REGIONS, compile_problem, tiled
from hukou_opt.dynamics import ArrayEngine, model_constants
from hukou_opt.parameters import load_parameters
from hukou_opt.planning.coupling import Coupling
from hukou_opt.regions import derive_base_year, load_regions

REGIONS = 4
#: Every mode in which a rule is not by itself; the shipped plan has all others.
MODES = sorted(
    {(rule.key, mode) for rule in RULES for mode in rule.modes if mode != DEFAULT_MODES[rule.key]}
)
TERMS = [
    (measure.name, between, index)
    for measure in MEASURES.values()
    for between in measure.groupings
    for index in INDICES
    if measure.good or INDICES[index].applies_to == "all"
]
#: Indices whose rows for one region have the columns of all others.
LINKED = ("mean_deviation", "hoover")
#: Indices that write out all pairs when they are told to.
PAIRED = ("gini_difference", "gini", "averse_mean")


def mixed_up(p: Problem, seed: int = 0) -> Problem:
    """The regions in another order, so that the regions of a group do not stand together."""
    return permuted(p, np.random.default_rng(seed).permutation(len(p.codes)))


def several(**changes: Any) -> Problem:
    return mixed_up(made_up_problem(REGIONS, years=4, tail=1, **changes))


def one_term(measure: str, between: str, index: str, **settings: Any) -> Term:
    standard = 0.5 if index == "shortfall" else None
    return Term(measure, index, between, standard=standard, **settings)


def test_the_shipped_plan_on_the_real_provinces() -> None:
    parameters = load_parameters()
    base = derive_base_year(load_regions(), parameters)
    engine = ArrayEngine(bundled.model(), base.codes, range(2024, 2039))
    engine.reset(model_constants(base, parameters, reform=True))
    coupling = Coupling(engine, base, parameters, 2033, DEFAULT_MODES, lambda _: None)
    p = coupling.problem(coupling.needs(coupling.first_run, coupling.nothing()))
    assert len(groups_of(p)) <= len(p.codes) / LEAST_REGIONS
    program = check_tiled(p)
    assert differences(program, compile_problem(p)) == []


@pytest.mark.parametrize(("rule", "mode"), MODES)
def test_every_mode_of_every_rule(rule: str, mode: str) -> None:
    check_tiled(several(modes={rule: mode}, parameters={"reward_share": 0.1}))


@pytest.mark.parametrize("counts", SEAT_COUNTS)
def test_every_rule_at_once(counts: str) -> None:
    modes = {**EVERY_RULE, "seat_target_counts": counts}
    check_tiled(toy(modes))
    check_tiled(replace(several(modes=modes), fund_by_region=np.arange(1.0, REGIONS + 1)))


@pytest.mark.parametrize(("measure", "between", "index"), TERMS)
def test_every_index_of_every_measure(
    measure: str, between: str, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few pairs would be written out, which is another program.
    monkeypatch.setattr(terms, "FEW_PAIRS", 0)
    p = asking(several(), own_level(one_term(measure, between, index)))
    if index in LINKED and between not in INSIDE:
        with pytest.raises(CannotTile, match="links regions"):
            tiled(p, groups_of(p))
        assert differences(compile_model(build_model(p)), compile_problem(p)) == []
    else:
        check_tiled(p)


@pytest.mark.parametrize("index", PAIRED)
@pytest.mark.parametrize("between", ["cells", "urban_rural"])
def test_pairs_are_tiled_inside_regions_only(index: str, between: str) -> None:
    term = one_term("seats_per_child", between, index, years=(2025,), pairwise=True)
    p = asking(several(), own_level(term))
    if between in INSIDE:
        check_tiled(p)
    else:
        with pytest.raises(CannotTile, match="pairs"):
            tiled(p, groups_of(p))
        assert differences(compile_model(build_model(p)), compile_problem(p)) == []


def test_levels_of_several_terms_that_share_cells() -> None:
    last, first = one_term("unmet_rate", "cells", "worst", years=(2026,)), (2024, 2025, 2026)
    p = asking(
        several(),
        own_level(last, one_term("unmet_rate", "hukou_migrant", "mean", years=first), name="two"),
        own_level(one_term("unmet_rate", "regions", "averse_mean", weight=2.0), guarded=True),
        SHIPPED["unfunded_total"],
        *DEFAULT_LEVELS[3:],
    )
    check_tiled(p)


def test_limits_over_the_nation_are_tiled_and_limits_in_each_region_are_not() -> None:
    inside, outside = (
        Limit(one_term("seats_per_child", between, "worst_mean"), 0.5)
        for between in ("urban_rural", "regions")
    )
    check_tiled(asking(several(), limits=(outside,)))
    p = asking(several(), limits=(outside, inside))
    with pytest.raises(CannotTile, match="limit"):
        tiled(p, groups_of(p))
    assert differences(compile_model(build_model(p)), compile_problem(p)) == []


def with_zeros() -> Problem:
    """Three regions of each of three kinds; nothing is due, or nobody lives in some years."""
    p = mixed_up(made_up_problem(9, years=4, tail=1), seed=3)
    need, cost, rural = p.need.copy(), p.cost.copy(), p.children_rural.copy()
    settlers, migrant = p.settlers_mid.copy(), p.children_migrant.copy()
    need[1, 0, 2:5] = rural[2:5] = 0.0
    cost[:, 2:5, :3] = settlers[2:5, :3] = 0.0
    migrant[[0, 7], 1] = 0.0
    return replace(
        p,
        need=need,
        cost=cost,
        children_rural=rural,
        settlers_mid=settlers,
        children_migrant=migrant,
    )


def test_regions_with_zeros_are_groups_of_their_own() -> None:
    p = with_zeros()
    assert len(groups_of(p)) > 3
    check_tiled(p)


def test_regions_that_only_a_rule_tells_apart_are_split_while_it_is_built() -> None:
    p = with_zeros()
    one_group = (np.array([0]), np.arange(1, 9))
    assert differences(compile_model(build_model(p)), tiled(p, one_group)) == []


def test_the_columns_that_are_met_first_come_first() -> None:
    """Members of one cell are its column, others have a column of their own."""
    p = several()
    rural = p.children_rural.copy()
    # By structure alone the second region's group, whose members are of one cell, would come first.
    rural[1] = 0.0
    p = replace(p, children_rural=rural)
    check_tiled(asking(p, own_level(one_term("seats_per_child", "regions", "mean"))))


def test_coefficients_that_are_zero_in_some_regions_are_left_out() -> None:
    p = several()
    stretch = p.stretch.copy()
    stretch[1] = 0.0
    # The share of a block's money in years that local money covers is 0.
    ceiling = np.full_like(p.local_ceiling, 1.0)
    ceiling[2, 0] = 1e6
    check_tiled(replace(p, stretch=stretch, local_ceiling=ceiling))


def test_regions_with_little_in_common_are_built_one_by_one() -> None:
    p = toy()
    with pytest.raises(CannotTile, match="little in common"):
        tiled(p, groups_of(p), LEAST_REGIONS)
    assert differences(compile_model(build_model(p)), compile_problem(p)) == []


def test_figures_in_the_wrong_order_are_seen() -> None:
    """What the comparison of this file would find if groups and regions were mixed up."""
    p = several()
    full = compile_model(build_model(p))
    turned = replace(p, **{name: getattr(p, name)[::-1] for name in ("stretch", "redeployed")})
    assert differences(full, tiled(turned, groups_of(p)))


def test_a_row_of_one_region_with_columns_of_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add = capacity.add

    def linking(m: Any, p: Problem) -> None:
        add(m, p)
        m.linking = pyo.Constraint(
            m.R, rule=lambda m, r: m.slip[r, 2024] <= sum(m.slip[q, 2024] for q in m.R)
        )

    monkeypatch.setattr(capacity, "add", linking)
    p = made_up_problem(6)
    with pytest.raises(CannotTile, match="linking links regions"):
        tiled(p, groups_of(p))


def test_positions_by_label_are_those_of_the_names() -> None:
    p = several()
    full, other = both(p)
    assert isinstance(full.column_names, ListedNames)
    cells = {
        "starts": (("urban", "rural"), ("seats", "beds"), p.codes, p.years),
        "slip": (p.codes, p.years),
        "central_block": (p.codes, ("2024-2026", "2027-2027", "never")),
        "slack_public_share": (p.years,),
        "nothing": (p.codes,),
    }
    for variable, axes in cells.items():
        there = other.column_cells(variable, *axes)
        assert np.array_equal(there, full.column_cells(variable, *axes))
        assert np.array_equal(
            other.column_names.members(variable), full.column_names.members(variable)
        )
    at = other.column_cells("starts", *cells["starts"])
    name = f"starts[rural,beds,{p.codes[3]},2025]"
    assert other.column_names[at[1, 1, 3, 1]] == name
    assert other.column_names.index(name) == other.columns()[name] == at[1, 1, 3, 1]
    assert (other.column_cells("nothing", p.codes) == -1).all()
    # Regions in another order than the problem's, and one that it does not have.
    some = (p.codes[3], "none", p.codes[0])
    assert np.array_equal(other.row_cells("teachers", some, p.years)[1], [-1] * 4)
    assert np.array_equal(
        other.row_cells("teachers", some, p.years), full.row_cells("teachers", some, p.years)
    )
    assert np.array_equal(other.row_names.families, full.row_names.families)
    with pytest.raises(ValueError, match="nobody"):
        other.row_names.index("nobody")


def test_an_answer_is_read_by_label() -> None:
    p = several()
    full, other = both(p)
    x = np.random.default_rng(0).uniform(0.0, 1.0, len(other.lower))
    x[:5] = -1e-9
    s = read_solution(other, p, x)
    column = full.columns()[f"local[health,{p.codes[2]},2026]"]
    assert s.local[1, 2, 2] == np.clip(x[column], full.lower[column], full.upper[column])
    for name in ("central", "bonds", "starts", "partner_starts", "temporary", "teachers"):
        assert np.array_equal(getattr(s, name), getattr(read_solution(full, p, x), name))


def test_a_group_says_yes_or_no_for_all_of_its_regions() -> None:
    p = made_up_problem(6)
    grouped = GroupedProblem.of(p, (np.array([0, 2]), np.array([1, 3, 4, 5])))
    first, second = grouped.labels
    assert grouped.same(first, np.array([True, True]))
    assert not grouped.same(second, np.zeros(4, dtype=bool))
    assert (grouped.count(first), grouped.count(second)) == (2, 4)
    assert grouped.codes == p.codes
    with pytest.raises(CannotTile):
        grouped.same(second, np.array([True, False, True, True]))
