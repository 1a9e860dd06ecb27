"""Prices, their ranges and the ranges of cells, against finite differences and SciPy's HiGHS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from problems import made_up_problem
from scipy.optimize import linprog

from hukou_opt.allocation.certificate import certify
from hukou_opt.allocation.explain.cells import ALL, cells
from hukou_opt.allocation.explain.dual_bound import Polytope, polytope
from hukou_opt.allocation.explain.face import corner, limited, polytope_of
from hukou_opt.allocation.explain.level_program import LevelProgram, Watch
from hukou_opt.allocation.explain.levers import Direction, direction, levers
from hukou_opt.allocation.explain.parametric import PriceRange, ValueOf, price_range, slope_of
from hukou_opt.allocation.explain.prices import PriceBook, first_levels
from hukou_opt.allocation.explain.ranges import cell_ranges
from hukou_opt.allocation.explain.study import Study, money_check
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.session import Point
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import CertificateError, SolveError


def quiet(_: str) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, Watch, Allocation]:
    p = made_up_problem(seed=2)
    watch = Watch()
    answer = solve(p, break_ties=False, watch=watch)
    return p, watch, answer


def scipy_lp(
    level: LevelProgram, cost: np.ndarray, program: LinearProgram | None = None
) -> tuple[float, np.ndarray]:
    """Optimum and row marginals of a level's program by SciPy, shape (row,)."""
    program = program or level.program
    low, high = program.row_lower, program.row_upper
    equal = low == high
    above, below = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
    a = sp.csr_array(program.matrix)
    found = linprog(
        cost,
        A_ub=sp.vstack([a[above], -a[below]]),
        b_ub=np.concatenate([high[above], -low[below]]),
        A_eq=a[equal],
        b_eq=low[equal],
        bounds=np.column_stack([program.lower, program.upper]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    assert found.status == 0, found.message
    y = np.zeros(low.size)
    y[equal] = found.eqlin.marginals
    y[above] += found.ineqlin.marginals[: above.sum()]
    y[below] -= found.ineqlin.marginals[above.sum() :]
    return float(found.fun), y


# Prices


def test_prices_are_the_marginals_of_another_solver(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    """Where a price is unique, any solver has it; its sum over the rows of a rule is the rule's."""
    p, watch, _ = solved
    level = watch.levels["unfunded_worst"]
    value, y = scipy_lp(level, level.cost)
    assert value + level.constant == pytest.approx(level.point.value, abs=1e-7)
    found = {each.rule: each for each in PriceBook(level.program, p, RULES).prices(level)}
    rows = level.program.row_names.members("fund_volume")
    assert found["fund_volume"].every_row == pytest.approx(-y[rows].sum(), rel=1e-5)
    assert found["fund_volume"].every_row > 0
    assert found["fund_volume"].priced >= 1


def test_every_solve_has_the_prices_of_all_rules(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    p, watch, answer = solved
    levels = list(watch.levels)
    assert [each.level for each in answer.rule_prices][:: len(answer.rule_prices) // 5] == levels
    fund = {e.level: e for e in answer.rule_prices if e.rule == "fund_volume"}
    first = first_levels(answer.rule_prices)["fund_volume"]
    assert first == "unfunded_worst"
    # The sum of the rows' prices by year is the rule's, and none belongs to a region.
    assert fund[first].by_period.sum() == pytest.approx(fund[first].every_row)
    assert not fund[first].by_region.any()
    ceiling = next(e for e in answer.rule_prices if e.rule == "local_ceiling" and e.level == first)
    assert ceiling.by_region.shape == (len(p.codes),)
    assert ceiling.by_region.sum() == pytest.approx(ceiling.every_row)
    code, year = ceiling.where.split(",")
    assert 0 < ceiling.largest <= ceiling.by_region[p.codes.index(code)]
    assert ceiling.largest <= ceiling.by_period[p.years.index(int(year))]


def change(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Change of bounds; 0 where there is none."""
    return np.where(np.isfinite(old), new, 0.0) - np.where(np.isfinite(old), old, 0.0)


LEVERS: dict[str, Callable[[Problem, float], Problem]] = {
    "central_fund": lambda p, by: replace(p, fund=p.fund + by),
    "bonds": lambda p, by: replace(
        p,
        bond_total=p.bond_total + by,
        bond_ceiling=p.bond_ceiling * (1 + by / p.bond_total),
    ),
    "build_rate_limit": lambda p, by: replace(
        p,
        parameters={
            **p.parameters,
            "build_rate_limit": p.parameters["build_rate_limit"] + by / 100,
        },
    ),
}


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_moves_a_level_by_its_price(
    solved: tuple[Problem, Watch, Allocation], name: str
) -> None:
    """Finite differences: SciPy solves the level with the lever moved, within its range."""
    p, watch, _ = solved
    lever = next(each for each in levers(p) if each.name == name)
    moved = direction(p, lever, compile_problem(p))
    prices = {n: -slope_of(level, level.point, moved) for n, level in watch.levels.items()}
    first = next(n for n, price in prices.items() if abs(price) > 1e-9)
    level = watch.levels[first]
    found = price_range(ValueOf(level), moved, 0.05 * lever.amount)
    for side, sign in ((found.more, 1.0), (found.less, -1.0)):
        step = sign * 0.9 * side.until
        if not step:
            continue
        program, rules = level.program, level.rules
        changed, base = compile_problem(LEVERS[name](p, step)), compile_problem(p)
        row_upper, upper = program.row_upper.copy(), program.upper.copy()
        row_upper[:rules] += change(changed.row_upper, base.row_upper)
        upper[: len(base.upper)] += change(changed.upper, base.upper)
        value, _ = scipy_lp(level, level.cost, replace(program, row_upper=row_upper, upper=upper))
        expected = level.point.value + side.slope * step
        assert value + level.constant == pytest.approx(expected, abs=2e-6)


def test_outside_its_range_a_price_tells_too_much(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    """The optimum is convex: beyond the end of the range it lies above the line of the price."""
    p, watch, _ = solved
    level = watch.levels["unfunded_worst"]
    lever = next(each for each in levers(p) if each.name == "central_fund")
    moved = direction(p, lever, compile_problem(p))
    value = ValueOf(level)
    found = price_range(value, moved, 0.5 * lever.amount)
    assert found.more.until < 0.5 * lever.amount
    beyond = 2 * found.more.not_beyond
    line = level.point.value + found.more.slope * beyond
    assert value.solve(moved, beyond).value > line + 1e-6


def tiny(
    cost: list[float], matrix: list[list[float]], upper: list[float], lower: list[float]
) -> LevelProgram:
    """``min cost x, matrix x >= lower, 0 <= x <= upper``, as a level."""
    a = sp.csr_array(np.array(matrix, dtype=float))
    program = LinearProgram(
        costs={"tiny": (np.array(cost, dtype=float), 0.0)},
        matrix=a,
        row_lower=np.array(lower, dtype=float),
        row_upper=np.full(a.shape[0], np.inf),
        lower=np.zeros(a.shape[1]),
        upper=np.array(upper, dtype=float),
        row_names=tuple(f"row[{i}]" for i in range(a.shape[0])),
        column_names=tuple(f"x[{i}]" for i in range(a.shape[1])),
        indices=(),
    )
    proof = certify(
        np.array(cost),
        a,
        program.row_lower,
        program.row_upper,
        program.lower,
        program.upper,
        np.zeros(a.shape[1]),
        np.zeros(a.shape[0]),
    )
    point = Point(np.zeros(a.shape[1]), np.zeros(a.shape[0]), 0.0, proof)
    return LevelProgram("tiny", program, np.array(cost, dtype=float), 0.0, point)


def raised(level: LevelProgram, row: int) -> Direction:
    """One more unit is asked in one row."""
    low = np.zeros(level.rules)
    low[row] = 1.0
    none = np.zeros(len(level.cost))
    return Direction(low, np.zeros(level.rules), none, none)


def ranged(level: LevelProgram, row: int, reach: float) -> PriceRange:
    return price_range(ValueOf(level), raised(level, row), reach)


def test_a_price_that_is_not_unique_is_told_as_two() -> None:
    """Two sources of one good, the cheap one just enough: less saves 1, more costs 3."""
    level = tiny([1.0, 3.0], [[1.0, 1.0]], [2.0, 5.0], [2.0])
    found = ranged(level, 0, 1.0)
    assert not found.unique()
    assert (-found.high, -found.low) == pytest.approx((1.0, 3.0))
    assert found.less.slope == pytest.approx(1.0)
    assert found.more.slope == pytest.approx(3.0)
    assert found.less.until == pytest.approx(1.0)
    assert found.more.until == pytest.approx(1.0)


def test_a_range_ends_where_the_next_source_begins() -> None:
    """The cheap source gives 2, 1.5 are asked: the price holds for 0.5 more and 1.5 less."""
    level = tiny([1.0, 3.0, 10.0], [[1.0, 1.0, 1.0]], [2.0, 1.0, 9.0], [1.5])
    found = ranged(level, 0, 5.0)
    assert found.unique()
    assert -found.high == pytest.approx(1.0)
    assert found.more.until == pytest.approx(0.5, abs=1e-5)
    assert found.more.not_beyond == pytest.approx(0.5, abs=1e-5)
    assert found.less.until == pytest.approx(1.5, abs=1e-5)


def test_a_lever_that_cannot_move_says_so() -> None:
    """All that there is is asked for: one more has no answer."""
    level = tiny([1.0], [[1.0]], [2.0], [2.0])
    found = ranged(level, 0, 1.0)
    assert found.more.blocked
    assert found.more.until == 0.0
    assert not found.less.blocked


def test_one_per_cent_more_money_is_checked_by_solving_anew(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    p, watch, _ = solved
    study = Study(p, watch.levels, quiet)
    fund = study.lever_prices()[0]
    check = money_check(study, fund)
    assert check is not None
    # Independent of it: SciPy with the fund's rows raised.
    level = watch.levels[check.level]
    rows = level.program.row_names.members("fund_volume")
    upper = level.program.row_upper.copy()
    upper[rows] *= 1.01
    value, _ = scipy_lp(level, level.cost, replace(level.program, row_upper=upper))
    assert check.found == pytest.approx(level.point.value - value - level.constant, abs=1e-7)
    if check.within:
        assert check.found == pytest.approx(check.told, abs=2e-6)
    else:
        assert check.found < check.told


def test_levers_that_move_coefficients_are_measured(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    """The years' profile of the money follows local money: its price holds for small steps."""
    p, watch, _ = solved
    study = Study(p, watch.levels, quiet)
    lever = next(each for each in levers(p) if each.name == "local_ceiling")
    assert direction(p, lever, compile_problem(p)).matrix is not None
    found = next(each for each in study.lever_prices() if each.name == "local_ceiling")
    assert found.secant is not None
    # The optimum is curved here, so steps on either side give nearly the price, not exactly.
    assert found.secant == pytest.approx((found.by_level[found.level],) * 2, rel=1e-3)


# Cells


def face_of(watch: Watch) -> LevelProgram:
    assert watch.face is not None
    return watch.face


@pytest.mark.parametrize("epsilon", [None, 0.05])
def test_ranges_are_the_smallest_and_largest_values(
    solved: tuple[Problem, Watch, Allocation], epsilon: float | None
) -> None:
    """Brute force: two programs of SciPy for every cell."""
    p, watch, answer = solved
    limits = {}
    if epsilon is not None:
        limits = {
            level.name: level.value + epsilon * abs(level.value)
            for level in answer.levels
            if level.name != "guard"
        }
    asked = cells(p, face_of(watch).program, region_by_sector=True)
    found = cell_ranges(face_of(watch), asked, limits=limits)
    face = limited(face_of(watch), limits)
    widths = []
    for cell, its in list(zip(asked, found, strict=True))[::5]:
        cost = np.zeros(len(face.program.lower))
        cost[cell.columns] = 1.0
        low, high = scipy_lp(face, cost)[0], -scipy_lp(face, -cost)[0]
        near = 1e-3
        assert its.lowest <= low + near, cell.name
        assert its.highest >= high - near, cell.name
        # A cell that is not unique has been solved for: its bounds are reached.
        if not its.unique:
            assert its.lowest == pytest.approx(low, abs=0.02), cell.name
            assert its.highest == pytest.approx(high, abs=0.02), cell.name
        assert its.least >= low - near
        assert its.most <= high + near
        widths.append(its.width)
    assert any(its.unique for its in found) or epsilon
    assert any(not its.unique for its in found)


def test_wider_limits_give_wider_ranges(solved: tuple[Problem, Watch, Allocation]) -> None:
    p, watch, answer = solved
    asked = cells(p, face_of(watch).program)
    narrow = cell_ranges(face_of(watch), asked)
    limits = {level.name: 1.02 * level.value for level in answer.levels if level.name != "guard"}
    wide = cell_ranges(face_of(watch), asked, limits=limits)
    assert all(
        w.lowest <= n.least + 1e-3 and w.highest >= n.most - 1e-3
        for n, w in zip(narrow, wide, strict=True)
    )
    assert sum(w.width for w in wide) > sum(n.width for n in narrow)


def test_sums_of_cells_have_their_own_range(solved: tuple[Problem, Watch, Allocation]) -> None:
    p, watch, _ = solved
    found = cell_ranges(face_of(watch), cells(p, face_of(watch).program))
    whole = found[-1]
    assert (whole.region, whole.block, whole.sector) == (ALL, ALL, ALL)
    assert whole.highest <= p.fund * (1 + 1e-6)
    regions = [its for its in found if its.region != ALL and its.block == ALL]
    assert len(regions) == len(p.codes)
    assert sum(its.lowest for its in regions) <= whole.highest + 1e-3


def test_an_answer_that_no_limit_allows_is_refused(
    solved: tuple[Problem, Watch, Allocation],
) -> None:
    p, watch, answer = solved
    limits = {"cost": 0.5 * next(each.value for each in answer.levels if each.name == "cost")}
    with pytest.raises(SolveError, match="cannot be within its limit"):
        cell_ranges(face_of(watch), cells(p, face_of(watch).program), limits=limits)


# Proofs


def test_a_bound_is_proved_by_its_dual_values(solved: tuple[Problem, Watch, Allocation]) -> None:
    """Any dual values give a true bound; good ones a good one; a claim beyond them is refused."""
    _, watch, _ = solved
    face = face_of(watch)
    at, region = corner(face), polytope_of(face)
    assert at is not None
    column = face.program.column_names.members("central_block")[-1]
    cost = np.zeros(len(face.program.lower))
    cost[column] = 1.0
    true, y = scipy_lp(face, cost)
    proved = region.lowest(cost, y)
    assert true - 1e-3 <= proved <= true + 1e-6
    region.require(cost, y, proved, name="cell")
    rng = np.random.default_rng(3)
    for _ in range(20):
        tampered = y * rng.uniform(0.0, 2.0, y.size) + 1e-4 * rng.standard_normal(y.size)
        assert region.lowest(cost, tampered) <= true + 1e-6
        with pytest.raises(CertificateError, match="the dual values prove"):
            region.require(cost, tampered, true + 1e-3, name="cell")
    with pytest.raises(CertificateError, match="range of cell"):
        region.require(cost, y, true + 0.01, name="cell")


def test_what_is_free_upwards_is_bounded_by_what_its_rows_need() -> None:
    """``s >= 3 - x``, x in [1, 2]: no s above 2 is ever needed; a cell that counts it has none."""
    a = sp.csr_array(np.array([[1.0, 1.0]]))
    region = polytope(
        a, np.array([3.0]), np.array([np.inf]), np.array([0.0, 1.0]), np.array([np.inf, 2.0])
    )
    assert isinstance(region, Polytope)
    assert region.lowered.tolist() == [True, False]
    assert region.upper[0] == pytest.approx(2.0)
    assert region.lowest(np.array([0.0, -1.0]), np.array([0.0])) == pytest.approx(-2.0)
    assert region.lowest(np.array([-1.0, 0.0]), np.array([0.0])) == -np.inf
    # A dual value of rounding's size leaves the bound as it is.
    assert region.lowest(np.array([0.0, -1.0]), np.array([1e-14])) == pytest.approx(-2.0)
