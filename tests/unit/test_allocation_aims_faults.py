"""What is refused of levels and limits before the solve, and what the catalogue says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problems import asking, made_up_problem, own_level

from hukou_opt.allocation.objectives import INDICES, MEASURES, check
from hukou_opt.allocation.solve import solve
from hukou_opt.allocation.spec import SHIPPED, LevelSpec, Limit, Term
from hukou_opt.errors import SolveError

UNFUNDED = Term("unfunded_share", "averse_mean")
BEDS = Term("beds_per_1000", "gini", "regions")

FAULTS = [
    (Term("nothing", "mean"), "unknown measure"),
    (Term("unmet_rate", "nothing"), "unknown index"),
    (Term("unmet_rate", "mean", "nobody"), "unknown comparison"),
    (Term("unmet_rate", "mean", years=(2040,)), "years outside the plan (2040)"),
    (Term("unfunded_share", "mean", years=(2024,)), "no whole block"),
    (Term("unmet_rate", "gini"), "less is better"),
    (Term("unfunded_share", "hoover"), "less is better"),
    (Term("beds_per_1000", "mean", "hukou_migrant"), "does not tell apart"),
    (Term("unfunded_share", "mean", "urban_rural"), "does not tell apart"),
    (Term("unmet_rate", "mean", "hukou_migrant", ("beds",)), "nobody to compare"),
    (Term("beds_per_1000", "shortfall"), "no standard above 0 (None)"),
    (Term("beds_per_1000", "shortfall", standard=0.0), "no standard above 0 (0.0)"),
    (Term("beds_per_1000", "shortfall", standard=-1.0), "no standard above 0 (-1.0)"),
    (Term("unmet_rate", "shortfall", standard=-0.1), "standard is not a share"),
    (Term("unmet_rate", "mean", standard=0.1), "no use for standard"),
    (Term("unmet_rate", "mean", part=0.1), "no use for part"),
    (Term("unmet_rate", "worst_mean", part=0.0), "part is no share"),
    (Term("unmet_rate", "averse_mean", aversion=1.5), "aversion is no share"),
    (Term("unmet_rate", "mean", pairwise=True), "no use for pairwise"),
    (Term("unmet_rate", "mean", weight=0.0), "weight is not positive"),
    (Term("unmet_rate", "leximin"), "orders 120 cells one by one, at most 60"),
]


@pytest.mark.parametrize(("term", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_a_term_that_makes_no_sense_is_refused_before_the_solve(term: Term, words: str) -> None:
    p = asking(made_up_problem(4, 6, 1), own_level(term))
    faults = check(p)
    assert [f.where for f in faults] == ["objective 'own'"]
    assert words in faults[0].what
    with pytest.raises(SolveError, match="objective 'own'"):
        solve(p)


def test_all_pairs_of_many_cells_are_refused() -> None:
    p = asking(
        made_up_problem(25, 3, 1), own_level(Term("unmet_rate", "averse_mean", pairwise=True))
    )
    assert "all pairs of 75 cells, at most 60" in check(p)[0].what


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((own_level(UNFUNDED), own_level(UNFUNDED)), "is listed 2 times"),
        ((own_level(UNFUNDED, name="guard"),), "name that is taken"),
        ((own_level(UNFUNDED, name="limit_1"),), "name that is taken"),
        ((own_level(UNFUNDED, name="cost"),), "name that is taken"),
        ((own_level(UNFUNDED, BEDS),), "adds up terms of which one is no sum (gini)"),
        ((own_level(Term("unfunded_share", "leximin"), guarded=True),), "no single value"),
        ((own_level(),), "has no terms"),
    ],
)
def test_levels_that_make_no_sense_are_refused(levels: tuple[LevelSpec, ...], words: str) -> None:
    faults = check(asking(made_up_problem(2, 3, 1), *levels))
    assert len(faults) == 1
    assert words in faults[0].what


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(Term("unfunded_share", "leximin"), 0.1), "no single value"),
        (Limit(Term("beds_per_1000", "worst"), 0.1), "better when it is more"),
        (Limit(UNFUNDED, -0.1), "at_most is negative"),
        (Limit(Term("unmet_rate", "hoover"), 0.1), "less is better"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limit: Limit, words: str) -> None:
    faults = check(asking(made_up_problem(2, 3, 1), limits=(limit,)))
    assert len(faults) == 1
    assert words in faults[0].what
    assert faults[0].where.startswith("limit 1")


def test_every_shipped_level_is_accepted() -> None:
    p = asking(made_up_problem(2, 3, 1), *SHIPPED.values(), accept=False)
    assert check(p) == []


@pytest.mark.parametrize("index", [n for n, each in INDICES.items() if not each.monotone])
def test_what_can_level_down_needs_a_level_that_holds_the_quantity(index: str) -> None:
    p = made_up_problem(2, 3, 1)
    spread = own_level(Term("beds_per_1000", index, years=(2025,)))
    held = own_level(Term("beds_per_1000", "averse_mean"), name="held")
    other = own_level(Term("beds_per_1000", "averse_mean", years=(2024,)), name="other")
    alone = check(asking(p, spread, accept=False))
    assert len(alone) == 1
    assert "making people worse off" in alone[0].what
    assert check(asking(p, spread, accept=True)) == []
    assert check(asking(p, held, spread, accept=False)) == []
    # A level that comes later, or holds other years, does not help.
    assert len(check(asking(p, spread, held, accept=False))) == 1
    assert len(check(asking(p, other, spread, accept=False))) == 1
    guarded = replace(held, guarded=True)
    assert check(asking(p, spread, guarded, accept=False, guard=0.05)) == []
    assert len(check(asking(p, spread, guarded, accept=False, guard=1.0))) == 1


def test_every_measure_and_index_says_all_of_itself() -> None:
    for name, each in [*MEASURES.items(), *INDICES.items()]:
        for field in ("name", "title", "title_zh", "equation", "latex"):
            assert getattr(each, field).strip(), (name, field)
    assert {index.exact for index in INDICES.values()} - {""}
    assert all(index.reference for index in INDICES.values())
