"""Bounds are never wrong and prices are slopes, whatever the program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hukou_opt.allocation.explain.dual_bound import polytope
from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.explain.levers import Direction
from hukou_opt.allocation.explain.parametric import ValueOf, price_range
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.session import Session

SEED = st.integers(0, 2**31)


def program(
    rng: np.random.Generator, rows: int, columns: int, *, only_first: bool = False
) -> LinearProgram:
    """A program with a known point inside; some columns, or the first, have no upper bound."""
    a = rng.integers(-3, 4, (rows, columns)) * (rng.random((rows, columns)) < 0.7)
    inside = rng.integers(0, 4, columns).astype(float)
    activity = a @ inside
    low = np.where(rng.random(rows) < 0.6, activity - rng.integers(0, 3, rows), -np.inf)
    high = np.where(rng.random(rows) < 0.6, activity + rng.integers(0, 3, rows), np.inf)
    free = np.arange(columns) == 0 if only_first else rng.random(columns) < 0.3
    upper = np.where(free, np.inf, inside + rng.integers(0, 4, columns))
    return LinearProgram(
        costs={},
        matrix=sp.csr_array(a.astype(float)),
        row_lower=low,
        row_upper=high,
        lower=np.zeros(columns),
        upper=upper,
        row_names=tuple(f"row[{i}]" for i in range(rows)),
        column_names=tuple(f"x[{i}]" for i in range(columns)),
        indices=(),
    )


def optimum(lp: LinearProgram, cost: np.ndarray) -> float | None:
    """Optimum by SciPy; None where there is none."""
    a, rows = lp.matrix.toarray(), []
    bounds = []
    for sign, bound in ((1.0, lp.row_upper), (-1.0, lp.row_lower)):
        real = np.isfinite(bound)
        rows.append(sign * a[real])
        bounds.append(sign * bound[real])
    found = linprog(
        cost,
        A_ub=np.vstack(rows),
        b_ub=np.concatenate(bounds),
        bounds=np.column_stack([lp.lower, lp.upper]),
    )
    return float(found.fun) if found.status == 0 else None


@given(SEED)
@settings(max_examples=250, deadline=None)
def test_no_dual_values_prove_too_much(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lp = program(rng, 5, 6, only_first=bool(rng.random() < 0.7))
    cost = np.where(np.isfinite(lp.upper), rng.integers(-3, 4, 6), rng.integers(0, 4, 6)) * 1.0
    true = optimum(lp, cost)
    if true is None:
        return
    region = polytope(lp.matrix, lp.row_lower, lp.row_upper, lp.lower, lp.upper)
    for y in (np.zeros(5), rng.standard_normal(5), 10 * rng.standard_normal(5)):
        assert region.lowest(cost, y) <= true + 1e-9 * (1 + abs(true))


@given(SEED)
@settings(max_examples=250, deadline=None)
def test_implied_bounds_leave_out_no_optimum(seed: int) -> None:
    """With the bounds that rows imply, or can need at most, the optimum is what it was."""
    rng = np.random.default_rng(seed)
    lp = program(rng, 5, 6, only_first=True)
    cost = np.where(np.isfinite(lp.upper), rng.integers(-3, 4, 6), 0) * 1.0
    true = optimum(lp, cost)
    region = polytope(lp.matrix, lp.row_lower, lp.row_upper, lp.lower, lp.upper)
    inside = optimum(replace(lp, lower=region.lower, upper=region.upper), cost)
    if true is not None:
        assert inside is not None
        assert abs(inside - true) <= 1e-6 * (1 + abs(true))


@given(SEED)
@settings(max_examples=60, deadline=None)
def test_prices_are_slopes_and_hold_as_far_as_they_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lp = program(rng, 4, 6)
    cost = rng.integers(0, 5, 6) * 1.0
    rows = np.flatnonzero(np.isfinite(lp.row_lower))
    if not rows.size or not cost.any():
        return
    point = Session(lp).minimise(cost)
    level = LevelProgram("random", lp, cost, 0.0, point)
    low, none = np.zeros(4), np.zeros(6)
    low[rows[0]] = 1.0
    high = np.where(np.isfinite(lp.row_upper), low, 0.0)
    found = price_range(ValueOf(level), Direction(low, high, none, none), 4.0)

    def at(step: float) -> float | None:
        moved = LinearProgram(
            costs={},
            matrix=lp.matrix,
            row_lower=lp.row_lower + step * low,
            row_upper=lp.row_upper + step * high,
            lower=lp.lower,
            upper=lp.upper,
            row_names=lp.row_names,
            column_names=lp.column_names,
            indices=(),
        )
        return optimum(moved, cost)

    for side, sign in ((found.more, 1.0), (found.less, -1.0)):
        for part in (0.5, 1.0):
            value = at(sign * part * side.until * (1 - 1e-7))
            assert value is not None
            told = point.value + side.slope * sign * part * side.until
            assert abs(value - told) <= 1e-5 * (1 + abs(told))
        # Beyond the end the optimum lies above the line: the range is not too short either.
        if np.isfinite(side.not_beyond) and not side.blocked:
            step = sign * (side.not_beyond * 1.01 + 1e-3)
            value = at(step)
            assert value is None or value > point.value + side.slope * step + 1e-5
    assert found.less.slope <= found.more.slope + 1e-7
