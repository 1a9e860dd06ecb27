"""Demands that nothing can meet are named before the solve, and no other demand is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import made_up_problem
from scipy.optimize import linprog

from hukou_opt.allocation.conflicts import conflicts
from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.problem import DEFAULT_MODES, Array, Problem
from hukou_opt.allocation.rules.places import reachable

#: Money and posts that never bind.
PLENTY = 1e6


def demanding(*rules: str, p: Problem, **modes: str) -> Problem:
    """The same problem in which these rules are hard."""
    return replace(p, modes={**p.modes, **dict.fromkeys(rules, "hard"), **modes})


def rich(seed: int, **parameters: float) -> Problem:
    """Two regions whose only limits are those of building and teachers."""
    p: Problem = made_up_problem(2, 3, 1, seed=seed, parameters=parameters)
    return replace(p, local_ceiling=np.full_like(p.local_ceiling, PLENTY), fund=PLENTY)


def highest(p: Problem, weights: dict[str, float]) -> float:
    """Most that the linear program's own rows allow of a weighted sum of columns, by SciPy."""
    program = compile_model(build_model(p))
    columns, upper = program.columns(), program.upper.copy()
    reached = reachable(p)
    dropped = set()
    for i, code in enumerate(p.codes):
        for k, year in enumerate(p.years):
            # As the solve does: no slip where the places can be reached, shares alike elsewhere.
            if reached[i, k]:
                upper[columns[f"slip[{code},{year}]"]] = 0.0
                dropped.add(f"places_alike[{code},{year}]")
    kept = [i for i, name in enumerate(program.row_names) if name not in dropped]
    matrix, low, high = program.matrix[kept], program.row_lower[kept], program.row_upper[kept]
    equal = low == high
    above, below = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    cost = np.zeros(len(upper))
    for name, weight in weights.items():
        cost[columns[name]] = -weight
    answer = linprog(
        cost,
        A_ub=np.vstack([matrix[above].toarray(), -matrix[below].toarray()]),
        b_ub=np.concatenate([high[above], -low[below]]),
        A_eq=matrix[equal].toarray(),
        b_eq=low[equal],
        bounds=np.column_stack([program.lower, upper]),
    )
    assert answer.status == 0
    return float(-answer.fun)


def seats(p: Problem, year: int, counts: str) -> dict[str, float]:
    """Columns of the new urban seats of a year."""
    k = p.column(year)
    share = np.ones(k + 1) if counts == "started" else p.standing[0, k::-1]
    weights = {}
    for code in p.codes:
        for u in range(k + 1):
            weights[f"starts[urban,seats,{code},{p.years[u]}]"] = float(share[u])
            weights[f"partner_starts[seats,{code},{p.years[u]}]"] = float(share[u])
    return weights


def test_nothing_demanded_is_nothing_in_conflict() -> None:
    p = made_up_problem(2, 3, 1, parameters={"seat_target": 1e9, "public_share_target": 1.0})
    assert conflicts(p) == []
    assert conflicts(replace(p, modes={**p.modes, "seat_target": "law"})) == []


@pytest.mark.parametrize("counts", ["completed", "started"])
@pytest.mark.parametrize("seed", range(4))
def test_the_seat_target_is_refused_beyond_what_can_be_built(seed: int, counts: str) -> None:
    def asked(target: float) -> Problem:
        p = rich(seed, teacher_posts=100.0, seat_target=target, seat_target_year=2025)
        return demanding("seat_target", p=p, seat_target_counts=counts)

    most = highest(asked(1.0), seats(asked(1.0), 2025, counts))
    assert conflicts(asked(most * (1 - 1e-6))) == []
    (fault,) = conflicts(asked(most * (1 + 1e-6)))
    assert fault.where == "rule seat_target (plan 3.1), nation, 2025"
    assert f"at most {most:.6g} 10k new urban seats can be {counts}" in fault.what
    assert "(rule build_rate)" in fault.what


@pytest.mark.parametrize("seed", range(4))
def test_the_seat_target_is_refused_beyond_what_can_be_taught(seed: int) -> None:
    def asked(target: float) -> Problem:
        p = rich(seed, teacher_posts=0.1, seat_target=target, seat_target_year=2026)
        freed = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1]])
        return demanding("seat_target", p=replace(p, redeployed=freed))

    # 17 pupils for each of 1,000 new and 1,000 freed posts: 34,000 seats.
    most = 17 * (0.1 + 0.1)
    assert highest(asked(1.0), seats(asked(1.0), 2026, "completed")) <= most * (1 + 1e-9)
    assert conflicts(asked(most * (1 - 1e-6))) == []
    (fault,) = conflicts(asked(most * (1 + 1e-6)))
    assert f"at most {most:.6g} 10k" in fault.what
    assert "(rule teachers)" in fault.what
    # What has only been started needs no teachers yet.
    p = asked(most * (1 + 1e-6))
    assert conflicts(replace(p, modes={**p.modes, "seat_target_counts": "started"})) == []


@pytest.mark.parametrize(("year", "standing"), [(2025, 0.75), (2026, 0.65)])
@pytest.mark.parametrize("seed", range(4))
def test_the_public_share_is_refused_beyond_the_places_there_can_be(
    seed: int, year: int, standing: float
) -> None:
    def asked(share: float) -> Problem:
        p = rich(
            seed, teacher_posts=100.0, public_share_target=share, public_share_target_year=year
        )
        short = p.existing.copy()
        short[0, 0] *= standing
        return demanding("public_share", p=replace(p, existing=short))

    p = asked(0.5)
    most = highest(p, {f"places_migrant[{code},{year}]": 1.0 for code in p.codes})
    share = most / float(p.children_migrant[:, p.column(year)].sum())
    assert 0 < share < 1
    assert conflicts(asked(share - 1e-6)) == []
    (fault,) = conflicts(asked(share + 1e-6))
    assert fault.where == f"rule public_share (plan 3.1), nation, {year}"
    assert f"at most {most:.6g} 10k migrant children" in fault.what


@pytest.mark.parametrize("rule", ["no_dilution", "rural_level"])
def test_levels_are_refused_in_cells_that_building_cannot_lift(rule: str) -> None:
    p = rich(0)
    existing = 1.2 * p.need
    p = demanding(rule, p=replace(p, existing=existing))
    assert conflicts(p) == []
    existing = p.existing.copy()
    existing[1, 1, 0] = 0.1 * p.need[1, 1, 0]
    p = replace(p, existing=existing)
    total, *cells = conflicts(p)
    assert total.where == f"rule {rule}"
    assert f"cannot hold in {len(cells)} cells" in total.what
    assert cells
    for fault in cells:
        assert "region 110000, 202" in fault.where
        assert "beds" in fault.where
        year = next(t for t in p.years if str(t) in fault.where)
        most = highest(p, {f"capacity[rural,beds,110000,{year}]": 1.0})
        reached = most / float(p.need[1, 1, 0, p.column(year)])
        assert f"at most {reached:.6g} of need" in fault.what
    assert conflicts(demanding(rule, p=p, build_rate="off")) == []


def test_a_countryside_without_a_town_has_nothing_to_reach() -> None:
    p = made_up_problem(2, 3, 1)
    existing, need = 1.2 * p.need, p.need.copy()
    existing[1, 1, 0] = 0.1 * need[1, 1, 0]
    p = demanding("rural_level", p=replace(p, existing=existing))
    assert conflicts(p)
    need[0, 1, 0] = 0.0
    assert conflicts(replace(p, need=need)) == []


def cost_of(p: Problem) -> Array:
    return p.cost.sum(axis=0)


def test_floors_are_refused_beyond_the_fund_that_has_come_in() -> None:
    p = made_up_problem(3, 6, 1)
    cost = cost_of(p)[p.supported]
    # In three years half of the fund is there; costs grow, so that only the second block is short.
    promised = 0.5 * np.array([cost[:, :3].sum(), cost.sum()])
    enough = demanding("support_floor", p=replace(p, fund=float(promised[1]) * (1 + 1e-6)))
    assert promised[0] < promised[1] / 2
    assert conflicts(enough) == []
    (fault,) = conflicts(replace(enough, fund=float(promised[1]) * (1 - 1e-6)))
    assert fault.where == "rule support_floor, 2024-2029"
    assert f"2 regions are promised {promised[1]:.6g} up to the block 2027-2029" in fault.what
    first, second = conflicts(replace(enough, fund=1.9 * float(promised[0])))
    assert first.where == "rule support_floor, 2024-2026"
    assert f"the fund has {0.95 * promised[0]:.6g} 100m yuan" in first.what
    assert second.where == "rule support_floor, 2024-2029"


def test_a_reward_above_the_ceiling_is_refused() -> None:
    p = made_up_problem(2, 6, 1, parameters={"reward_share": 0.3, "other_support_ceiling": 0.0})
    p = demanding("performance_reward", p=replace(p, fund=PLENTY))
    assert conflicts(p) == []
    total, *cells = conflicts(replace(p, modes={**p.modes, "support_ceiling": "on"}))
    assert total.where == "rule performance_reward"
    assert "rule performance_reward, region 120000, 2027-2029" in {each.where for each in cells}
    assert all("rule support_ceiling" in each.what for each in cells)


def test_all_conflicts_come_at_once() -> None:
    p = made_up_problem(2, 3, 1, parameters={"seat_target": 1e6})
    p = demanding("seat_target", "support_floor", p=replace(p, fund=1.0))
    assert [fault.where for fault in conflicts(p)] == [
        "rule support_floor, 2024-2026",
        "rule seat_target (plan 3.1), nation, 2026",
    ]
    assert set(DEFAULT_MODES) == set(p.modes)
