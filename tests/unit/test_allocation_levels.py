"""Levels of an experiment's own: faults, limits, guard, ratios, leximin and levelling down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from problems import asking, made_up_problem, own_level

from hukou_opt.allocation.goals import RATIO_ROOM
from hukou_opt.allocation.objectives import INDICES, MEASURES, check
from hukou_opt.allocation.objectives.pools import pools
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.recompute import recompute, standard_levels
from hukou_opt.allocation.recompute_terms import cell_values, sorted_losses, term_value, worst_pool
from hukou_opt.allocation.rules.places import rationed
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.allocation.spec import DEFAULT_LEVELS, SHIPPED, Aims, Limit, Term
from hukou_opt.errors import CertificateError, InfeasibleError, SolveError

CLOSE = 1e-6
UNFUNDED = Term("unfunded_share", "averse_mean")
BEDS = Term("beds_per_1000", "gini", "regions")
SPENDING = Term("spending_per_head", "gini", "regions")


def by_name(answer: Allocation) -> dict[str, Any]:
    return {level.name: level for level in answer.levels}


def random_answer(p: Problem, seed: int = 0) -> Solution:
    """Tables that need not be allowed by any rule: what is measured does not depend on that."""
    draw = np.random.default_rng(seed)
    years = len(p.years)
    places = p.existing[0, 0, :, :years] + p.stretch
    s = Solution.empty(p, *rationed(p, places))
    central, local, levy, bonds = (draw.random(p.cost.shape) for _ in range(4))
    return replace(
        s,
        central=central,
        local=local,
        levy=levy,
        bonds=bonds,
        unfunded=p.cost * draw.random(p.cost.shape),
        capacity=p.existing * draw.uniform(0.5, 1.2, p.existing.shape),
        shortage=p.need[..., :years] * draw.random((*p.need.shape[:3], years)),
        places_hukou=p.children_hukou * draw.random((len(p.codes), years)),
        places_migrant=p.children_migrant * draw.random((len(p.codes), years)),
        temporary=draw.random((len(p.codes), years)),
    )


COMPARISONS = [
    (name, between) for name, measure in MEASURES.items() for between in measure.groupings
]


@pytest.mark.parametrize(("measure", "between"), COMPARISONS)
@pytest.mark.parametrize("index", ["mean", "averse_mean", "worst"])
def test_pools_and_tables_say_the_same(measure: str, between: str, index: str) -> None:
    """Two ways to gather the cells: by pools of the program, and from arrays of the answer."""
    p = made_up_problem(3, 6, 1, seed=5)
    s = random_answer(p)
    term = Term(measure, index, between, aversion=0.5 if index == "averse_mean" else None)
    cells, sign, total = cell_values(p, s, measure), MEASURES[measure].sign, 0.0
    found = pools(MEASURES[measure], p, term)
    assert sum(pool.portion for pool in found) == pytest.approx(1.0)
    for pool in found:
        y = np.array([
            sign * sum(share * cells[label] for label, share in member.parts)
            for member in pool.members
        ])  # fmt: skip
        w = pool.weights
        assert w.sum() == pytest.approx(1.0)
        spread = 0.5 * (w[:, None] * w[None, :] * np.abs(y[:, None] - y[None, :])).sum()
        value = {"mean": w @ y, "averse_mean": w @ y + 0.5 * spread, "worst": y.max()}[index]
        total += pool.portion * float(value)
    assert term_value(p, s, term) == pytest.approx(total, rel=1e-12)


def test_unmet_seats_of_regions_by_hand() -> None:
    """Children of a region are one group, whoever they are; regions weigh their children."""
    p = made_up_problem(2, 3, 1)
    s = random_answer(p)
    term = Term("unmet_rate", "gini_difference", "regions", ("seats",), (2025,))
    k, rates, people = 1, [], []
    for r in range(2):
        groups = (
            (p.children_hukou[r, k], 1 - s.places_hukou[r, k] / p.children_hukou[r, k]),
            (p.children_migrant[r, k], 1 - s.places_migrant[r, k] / p.children_migrant[r, k]),
            (p.children_rural[r, k], s.shortage[1, 0, r, k] / p.need[1, 0, r, k]),
        )
        people.append(sum(n for n, _ in groups))
        rates.append(sum(n * y for n, y in groups) / people[-1])
    w = np.array(people) / sum(people)
    assert term_value(p, s, term) == pytest.approx(w[0] * w[1] * abs(rates[0] - rates[1]))


def test_hukou_and_migrant_children_by_hand() -> None:
    """Each region is a pool of its own and counts by its children in town; years count alike."""
    p = made_up_problem(2, 3, 1)
    s = random_answer(p)
    total = 0.0
    for k in range(3):
        nation = float((p.children_hukou[:, k] + p.children_migrant[:, k]).sum())
        for r in range(2):
            h, m = p.children_hukou[r, k], p.children_migrant[r, k]
            gap = abs(s.places_hukou[r, k] / h - s.places_migrant[r, k] / m)
            total += (h + m) / nation * h * m / (h + m) ** 2 * gap / 3
    term = Term("unmet_rate", "gini_difference", "hukou_migrant")
    assert term_value(p, s, term) == pytest.approx(float(total))


def test_means_are_the_nations_own_figures() -> None:
    p = made_up_problem(3, 6, 1)
    s = random_answer(p)
    residents = p.population.sum(axis=(0, 1))
    beds = s.capacity[:, 1, :, :6].sum(axis=(0, 1))
    expected = float((1000 * beds / residents).mean())
    assert -term_value(p, s, Term("beds_per_1000", "mean")) == pytest.approx(expected)
    money = sum(float(x.sum()) for x in (s.central, s.local, s.levy, s.bonds))
    for between in ("cells", "regions"):
        found = -term_value(p, s, Term("spending_per_head", "mean", between))
        assert found == pytest.approx(money / float(p.population.sum()))
    seats = s.capacity[:, 0, :, :6].sum(axis=(0, 1)) + s.temporary.sum(axis=0)
    children = (p.children_hukou + p.children_migrant + p.children_rural).sum(axis=0)
    expected = float((seats / children).mean())
    assert -term_value(p, s, Term("seats_per_child", "mean")) == pytest.approx(expected)


def test_standard_levels_are_the_default_levels() -> None:
    p = made_up_problem(3, 6, 1)
    s = random_answer(p)
    assert standard_levels(p, s) == pytest.approx(
        {name: recompute(p, s)[name] for name in ("unfunded_worst", "unfunded", "unmet")}
    )


def poor_and_rich() -> Problem:
    """Two regions with equal cost; local money covers all of it in one and a quarter in the other.

    Nothing else is there: no fund to speak of, no bonds, no levy, nothing to build.
    """
    p = made_up_problem(2, 3, 0, seed=1)
    cost = np.stack([p.cost[:, 0], p.cost[:, 0]], axis=1)
    total = cost.sum(axis=0)
    return replace(
        p,
        cost=cost,
        settlers_mid=total / 1.2,
        local_ceiling=np.array([1.0, 0.25])[:, None] * total,
        bond_total=np.zeros(3),
        levy_ceiling=np.zeros((2, 3)),
        existing=1.2 * p.need,
        start_coverage=1.2 * np.ones((2, 2, 2)),
        fund=1e-3,
    )


def test_a_pure_gini_levels_down_and_is_caught() -> None:
    """Shares of 0 and .75 unfunded become equal: .75 for both, or nothing at all for anybody."""
    level = own_level(Term("unfunded_share", "gini_difference", "regions"))
    for later, equal in (((), 1.0), ((SHIPPED["unfunded_mean"],), 0.75)):
        found = by_name(solve(asking(poor_and_rich(), level, *later)))["own"]
        assert found.value == pytest.approx(0, abs=CLOSE)
        assert found.levelled_down is not None
        assert found.levelled_down.mean == pytest.approx(equal, abs=1e-3)
        assert found.levelled_down.reachable == pytest.approx(0.375, abs=1e-3)
    p = asking(poor_and_rich(), level)
    # The inequality-averse mean of the same shares leaves no one worse off.
    averse = own_level(Term("unfunded_share", "averse_mean", "regions"))
    s = solve(asking(poor_and_rich(), averse)).solution
    share = s.unfunded.sum(axis=(0, 2)) / p.cost.sum(axis=(0, 2))
    assert share == pytest.approx([0.0, 0.75], abs=1e-3)
    # Refused unless it is accepted, and harmless behind a level that holds the shares.
    assert check(replace(p, aims=Aims((level,))))
    held = by_name(solve(asking(poor_and_rich(), replace(averse, name="held"), level)))["own"]
    assert held.levelled_down is None
    assert held.value == pytest.approx(0.25 * 0.75, abs=1e-3)


def test_a_ratio_that_levels_down_is_caught_too() -> None:
    """Spending per head becomes equal when the rich region leaves its money idle."""
    p = asking(poor_and_rich(), own_level(SPENDING))
    found = by_name(solve(p))["own"]
    assert found.value == pytest.approx(0, abs=1e-5)
    assert found.levelled_down is not None
    assert found.levelled_down.reachable > 1.2 * found.levelled_down.mean


@pytest.mark.parametrize("index", ["gini_difference", "mean_deviation"])
def test_a_pure_gini_that_overstates_need_is_caught(index: str) -> None:
    """Need without a bed is only bounded from below: the program calls met need unmet."""
    p = asking(made_up_problem(2, 3, 1, seed=2), own_level(Term("unmet_rate", index)), guard=1.0)
    with pytest.raises(CertificateError, match="counts need as unmet that is met") as caught:
        solve(p)
    assert "averse_mean of the same measure" in caught.value.faults[0].fix
    # Behind a level that holds the unmet need it has nothing to overstate.
    p = asking(p, SHIPPED["unmet"], own_level(Term("unmet_rate", index)), guard=1.0)
    found = by_name(solve(p))
    assert found["own"].recomputed == pytest.approx(found["own"].final, abs=1e-3)


def test_goods_are_reported_in_their_own_sense() -> None:
    worst = Term("beds_per_1000", "worst", "regions")
    p = asking(made_up_problem(3, 4, 1, seed=2), own_level(worst), *DEFAULT_LEVELS)
    answer = solve(p)
    found = by_name(answer)["own"]
    assert found.sense == "large"
    assert found.value > found.held_at > 0
    assert found.final >= found.held_at - CLOSE
    assert found.given_up == pytest.approx(found.value - found.final, abs=CLOSE)
    tables = cell_values(p, answer.solution, "beds_per_1000")
    assert found.recomputed >= min(tables.values())


@pytest.mark.parametrize(
    "term", [BEDS, SPENDING, Term("beds_per_1000", "hoover"), Term("seats_per_child", "gini")]
)
def test_a_ratio_is_held_and_recomputed(term: Term) -> None:
    p = asking(made_up_problem(3, 4, 1, seed=2), own_level(term), *DEFAULT_LEVELS)
    found = by_name(solve(p))["own"]
    assert found.final <= found.held_at + 10 * CLOSE
    assert found.recomputed == pytest.approx(found.final, abs=1e-4)
    # No answer to other levels has a smaller one.
    for levels in (DEFAULT_LEVELS, (SHIPPED["unmet"],), (SHIPPED["cost"],)):
        other = solve(asking(p, *levels))
        assert term_value(p, other.solution, term) >= found.value - 10 * CLOSE


def test_a_ratio_of_nothing_is_refused() -> None:
    p = made_up_problem(2, 3, 0)
    none = np.zeros_like(p.local_ceiling)
    p = replace(p, local_ceiling=none, levy_ceiling=none, bond_total=np.zeros(3), fund=1e-12)
    with pytest.raises(SolveError, match="divides by a mean that cannot be above 0"):
        solve(asking(p, own_level(SPENDING)))


def test_leximin_gives_the_sorted_shares_and_holds_them() -> None:
    term = Term("unfunded_share", "leximin", "regions")
    p = asking(made_up_problem(4, 6, 1, seed=2), own_level(term), *DEFAULT_LEVELS, guard=1.0)
    answer = solve(p)
    found = by_name(answer)["own"]
    assert found.sorted == pytest.approx(sorted_losses(p, answer.solution, term))
    assert list(found.sorted) == sorted(found.sorted, reverse=True)
    assert found.sorted[0] <= found.held_at + CLOSE
    worst = by_name(solve(asking(p, own_level(replace(term, index="worst")), guard=1.0)))["own"]
    assert found.value == pytest.approx(worst.value, abs=CLOSE)


def test_weighted_terms_add_up() -> None:
    terms = (replace(UNFUNDED, weight=3.0), Term("unmet_rate", "mean", weight=0.5))
    p = asking(made_up_problem(2, 3, 1), own_level(*terms), guard=1.0)
    answer = solve(p)
    expected = 3 * term_value(p, answer.solution, terms[0])
    expected += 0.5 * term_value(p, answer.solution, terms[1])
    assert by_name(answer)["own"].recomputed == pytest.approx(expected)


def test_one_level_is_the_weighted_sum_of_others_when_they_are_far_apart() -> None:
    """A huge weight on the first term is the same as putting it first."""
    p = made_up_problem(2, 3, 1)
    first, second = Term("unfunded_share", "mean"), Term("unmet_rate", "mean")
    one = by_name(solve(asking(p, own_level(replace(first, weight=1e3), second), guard=1.0)))["own"]
    two = by_name(
        solve(asking(p, own_level(first, name="a"), own_level(second, name="b"), guard=1.0))
    )
    assert one.value == pytest.approx(1e3 * two["a"].value + two["b"].value, rel=1e-3)


#: In years in which building has changed something, but not all that one may wish.
LIMITED = [
    replace(BEDS, years=(2025,)),
    Term("beds_per_1000", "hoover", years=(2026,)),
    Term("unmet_rate", "averse_mean", years=(2026, 2027), services=("beds",)),
    Term("unfunded_share", "worst"),
]
IDS = [f"{term.measure}-{term.index}" for term in LIMITED]


@pytest.mark.parametrize("term", LIMITED, ids=IDS)
def test_a_limit_holds_or_says_what_can_be_reached(term: Term) -> None:
    p = made_up_problem(3, 4, 1, seed=2)
    free = worst_pool(p, solve(p).solution, term)
    with pytest.raises(InfeasibleError, match="limit_1") as caught:
        solve(asking(p, limits=(Limit(term, 0.0),)))
    least = float(caught.value.faults[0].what.rsplit(" ", 1)[1])
    # The answer without the limit exceeds what it could be, else the test shows nothing.
    assert 0 < least < 0.99 * free
    with pytest.raises(InfeasibleError):
        solve(asking(p, limits=(Limit(term, 0.99 * least - 2 * CLOSE),)))
    for at_most in (1.0001 * least + 2 * CLOSE, (least + free) / 2):
        answer = solve(asking(p, limits=(Limit(term, at_most),)))
        found = by_name(answer)["limit_1"]
        assert found.sense == "at most"
        assert found.final <= at_most + 10 * CLOSE
        assert least - 10 * CLOSE <= worst_pool(p, answer.solution, term) <= at_most + 10 * CLOSE


def test_all_pairs_can_be_a_limit() -> None:
    p = made_up_problem(3, 4, 1, seed=2)
    term = Term("unfunded_share", "gini_difference", "regions", pairwise=True)
    at_most = 0.5 * worst_pool(p, solve(p).solution, term)
    assert at_most > 1e-4
    answer = solve(asking(p, limits=(Limit(term, at_most),)))
    assert worst_pool(p, answer.solution, term) <= at_most + 10 * CLOSE


def test_limits_hold_together_and_the_impossible_one_is_named() -> None:
    p = made_up_problem(3, 4, 1, seed=2)
    first = Limit(Term("unfunded_share", "worst"), 0.9)
    second = Limit(Term("unfunded_share", "mean"), 1e-3)
    with pytest.raises(InfeasibleError, match="limit_2: mean of unfunded_share"):
        solve(asking(p, limits=(first, second)))


def test_a_loose_limit_changes_nothing() -> None:
    p = made_up_problem(3, 4, 1, seed=2)
    plain, limited = solve(p), solve(asking(p, limits=(Limit(BEDS, 0.9),)))
    for level in plain.levels:
        assert by_name(limited)[level.name].value == pytest.approx(level.value, abs=2 * CLOSE)


@pytest.mark.parametrize(
    "term", [Term("beds_per_1000", "worst", "regions"), Term("unmet_rate", "mean"), BEDS]
)
def test_the_guard_holds_a_level_of_ones_own_level(term: Term) -> None:
    p = replace(made_up_problem(3, 4, 1, seed=2), bond_total=np.zeros(4))
    level = own_level(term, guarded=True)
    places = p.existing[0, 0, :, :4] + p.stretch
    nothing = term_value(p, Solution.empty(p, *rationed(p, places)), term)
    values = []
    for guard in (0.0, 0.3, 1.0):
        found = by_name(solve(asking(p, SHIPPED["unfunded"], level, guard=guard)))
        sign = -1.0 if found["own"].sense == "large" else 1.0
        values.append(sign * found["own"].value)
        if guard < 1:
            best = sign * found["guard"].value
            allowed = best + guard * max(0.0, nothing - best)
            room = RATIO_ROOM if INDICES[term.index].ratio else CLOSE
            assert values[-1] <= allowed + max(1e-4 * abs(allowed), room) + CLOSE
        else:
            assert "guard" not in found
    assert values[0] <= values[1] + 1e-3 <= values[2] + 2e-3
    assert values[0] < values[2] - 1e-4


def test_two_guarded_levels_have_two_guards() -> None:
    beds = own_level(Term("beds_per_1000", "worst", "regions"), guarded=True)
    found = by_name(solve(asking(made_up_problem(2, 3, 1), SHIPPED["unmet"], beds)))
    assert {"guard_unmet", "guard_own"} <= set(found)


@pytest.mark.parametrize("term", [BEDS, Term("unfunded_share", "leximin", "regions"), SPENDING])
def test_the_order_of_regions_does_not_change_own_levels(term: Term) -> None:
    p = asking(made_up_problem(3, 4, 1, seed=2), own_level(term))
    turn = np.array([2, 0, 1])
    area = ("need", "existing", "start_coverage")
    changes: dict[str, Any] = {name: getattr(p, name)[:, :, turn] for name in area}
    changes |= {name: getattr(p, name)[:, turn] for name in ("population", "cost")}
    for name in ("children_hukou", "children_migrant", "children_rural", "stretch", "settlers_mid",
                 "local_ceiling", "bond_ceiling", "levy_ceiling", "supported",
                 "redeployed"):  # fmt: skip
        changes[name] = getattr(p, name)[turn]
    turned = replace(p, codes=tuple(p.codes[i] for i in turn), **changes)
    ours, theirs = by_name(solve(p))["own"], by_name(solve(turned))["own"]
    assert ours.value == pytest.approx(theirs.value, abs=10 * CLOSE)
    assert ours.sorted == pytest.approx(theirs.sorted, abs=10 * CLOSE)
