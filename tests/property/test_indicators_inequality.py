"""Weighted indices against PySAL at equal weights, and what weights must mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from inequality.gini import Gini

from hukou_opt.indicators.gini import gini
from hukou_opt.indicators.mean_deviation import mean_absolute_deviation

LEVEL = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-3, 1e3))
LEVELS = st.lists(LEVEL, min_size=2, max_size=12)
WEIGHTED = st.lists(st.tuples(LEVEL, st.floats(1e-2, 1e2)), min_size=2, max_size=10)
INDICES = pytest.mark.parametrize("index", [gini, mean_absolute_deviation])

Weighted = list[tuple[float, float]]


def columns(cells: Weighted) -> tuple[np.ndarray, np.ndarray]:
    levels, weights = (np.array(column) for column in zip(*cells, strict=True))
    return levels, weights


@given(LEVELS)
def test_gini_is_that_of_pysal_at_equal_weights(levels: list[float]) -> None:
    assume(sum(levels) > 0)
    expected = float(Gini(np.array(levels)).g)
    assert gini(levels, np.ones(len(levels))) == pytest.approx(expected, abs=1e-10)


@given(LEVELS)
def test_mean_deviation_is_that_of_numpy_at_equal_weights(levels: list[float]) -> None:
    y = np.array(levels)
    expected = np.abs(y - y.mean()).mean()
    assert mean_absolute_deviation(y, np.full(len(y), 3.0)) == pytest.approx(expected, rel=1e-10)


@INDICES
@given(cells=WEIGHTED, part=st.floats(0.05, 0.95))
def test_a_region_cut_in_two_alike_parts_changes_nothing(
    index: object, cells: Weighted, part: float
) -> None:
    levels, weights = columns(cells)
    halves = np.append(weights, weights[0] * part)
    halves[0] *= 1 - part
    assert callable(index)
    whole = index(levels, weights)
    assert index(np.append(levels, levels[0]), halves) == pytest.approx(whole, rel=1e-9, abs=1e-12)


@INDICES
@given(cells=st.lists(st.tuples(LEVEL, st.integers(1, 5)), min_size=2, max_size=6))
def test_a_whole_weight_is_so_many_equal_people(
    index: object, cells: list[tuple[float, int]]
) -> None:
    levels, weights = (np.array(column) for column in zip(*cells, strict=True))
    people = np.repeat(levels, weights)
    assert callable(index)
    expected = index(people, np.ones(len(people)))
    assert index(levels, weights) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@INDICES
@given(cells=WEIGHTED, scale=st.floats(0.1, 10))
def test_the_unit_of_the_weights_does_not_matter(
    index: object, cells: Weighted, scale: float
) -> None:
    levels, weights = columns(cells)
    assert callable(index)
    assert index(levels, scale * weights) == pytest.approx(
        index(levels, weights), rel=1e-9, abs=1e-12
    )


@given(WEIGHTED, st.floats(0.1, 10))
def test_gini_ignores_the_unit_of_the_levels_and_the_deviation_has_it(
    cells: Weighted, scale: float
) -> None:
    levels, weights = columns(cells)
    assert gini(scale * levels, weights) == pytest.approx(gini(levels, weights), abs=1e-9)
    deviation = mean_absolute_deviation(levels, weights)
    assert mean_absolute_deviation(scale * levels, weights) == pytest.approx(
        scale * deviation, rel=1e-9, abs=1e-9
    )


@given(WEIGHTED)
def test_bounds(cells: Weighted) -> None:
    levels, weights = columns(cells)
    mean = weights @ levels / weights.sum()
    assert -1e-12 <= gini(levels, weights) <= 1
    # Half the mean deviation over the mean is the Hoover index, which never exceeds the Gini.
    assert mean_absolute_deviation(levels, weights) <= 2 * mean * gini(levels, weights) + 1e-9
