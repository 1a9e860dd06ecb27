"""The inequality-averse mean and the mean of the worst-off part, against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from hukou_opt.allocation.objectives.inequality import (
    InequalityIndex,
    inequality_averse_mean,
    order_coefficients,
)
from hukou_opt.indicators import worst_mean

#: Few distinct values, so that ties and zeros are common.
RATE = st.one_of(st.sampled_from([0.0, 0.25, 1.0]), st.floats(0, 1))
WEIGHT = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-3, 1e3))
CELLS = st.lists(st.tuples(RATE, WEIGHT), min_size=1, max_size=9)
AVERSION = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))

Cells = list[tuple[float, float]]


def split(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Rates, and weights scaled to sum to 1."""
    rates, weights = (np.array(column) for column in zip(*cells, strict=True))
    assume(weights.sum() > 0)
    return rates, weights / weights.sum()


def pairwise(rates: np.ndarray, weights: np.ndarray, aversion: float) -> float:
    """The definition, pair by pair: mean plus aversion times half the mean difference."""
    n = len(rates)
    spread = sum(
        weights[i] * weights[j] * abs(rates[i] - rates[j]) for i in range(n) for j in range(i)
    )
    return float(weights @ rates + aversion * spread)


@given(CELLS, AVERSION)
def test_equals_the_pairwise_definition(cells: Cells, aversion: float) -> None:
    rates, weights = split(cells)
    expected = pairwise(rates, weights, aversion)
    assert inequality_averse_mean(rates, weights, aversion) == pytest.approx(
        expected, rel=1e-12, abs=1e-12
    )


@given(CELLS, AVERSION, st.data())
def test_never_falls_when_a_rate_rises(cells: Cells, aversion: float, data: st.DataObject) -> None:
    rates, weights = split(cells)
    worse = rates.copy()
    cell = data.draw(st.integers(0, len(rates) - 1))
    worse[cell] += data.draw(st.floats(0, 1))
    before = inequality_averse_mean(rates, weights, aversion)
    assert inequality_averse_mean(worse, weights, aversion) >= before - 1e-12


@given(CELLS, AVERSION, st.data())
def test_every_order_bounds_from_below_and_the_sorted_one_is_exact(
    cells: Cells, aversion: float, data: st.DataObject
) -> None:
    rates, weights = split(cells)
    order = np.array(data.draw(st.permutations(range(len(rates)))), dtype=np.int64)
    coefficients = order_coefficients(order, weights, aversion)
    value = pairwise(rates, weights, aversion)
    assert (coefficients >= -1e-15).all()
    assert coefficients.sum() == pytest.approx(1.0, abs=1e-12)
    assert coefficients @ rates <= value + 1e-12
    index = InequalityIndex("i", "l", 0, np.arange(1, len(rates) + 1), weights, aversion)
    x = np.concatenate([[0.0], rates])
    assert index.cut(index.order(x)) @ rates == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert index.value(x) == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(CELLS, AVERSION, st.floats(0.05, 0.95))
def test_a_cell_cut_in_two_counts_as_before(cells: Cells, aversion: float, part: float) -> None:
    rates, weights = split(cells)
    halves = np.concatenate([weights, [weights[0] * part]])
    halves[0] *= 1 - part
    assert inequality_averse_mean(np.append(rates, rates[0]), halves, aversion) == pytest.approx(
        inequality_averse_mean(rates, weights, aversion), abs=1e-12
    )


@given(CELLS, st.floats(0.02, 1.0))
def test_worst_mean_is_the_largest_mean_of_that_part(cells: Cells, part: float) -> None:
    """The definition as a small linear program: the worst choice of `part` of the weight."""
    rates, weights = split(cells)
    found: Any = linprog(
        -rates / part,
        A_eq=np.ones((1, len(rates))),
        b_eq=[part],
        bounds=[(0.0, weight) for weight in weights],
    )
    assert found.status == 0
    assert worst_mean(rates, weights, part, high_is_bad=True) == pytest.approx(-found.fun, abs=1e-7)


@given(CELLS, st.floats(0.02, 1.0))
def test_worst_mean_lies_between_mean_and_maximum(cells: Cells, part: float) -> None:
    rates, weights = split(cells)
    value = worst_mean(rates, weights, part, high_is_bad=True)
    assert weights @ rates - 1e-12 <= value <= rates.max() + 1e-12
    assert worst_mean(rates, weights, 1.0, high_is_bad=True) == pytest.approx(
        weights @ rates, abs=1e-12
    )


def test_worst_mean_splits_the_last_cell() -> None:
    # Worst fifth of the weight: all of the first cell (.1), half of the second (.1 of .2).
    assert worst_mean([0.2, 0.9, 0.5], [0.7, 0.1, 0.2], 0.2, high_is_bad=True) == pytest.approx(
        (0.1 * 0.9 + 0.1 * 0.5) / 0.2
    )
