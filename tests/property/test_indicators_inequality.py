"""Weighted indices against PySAL at equal weights, and what weights must mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from inequality.atkinson import atkinson as pysal_atkinson
from inequality.gini import Gini
from inequality.schutz import Schutz
from inequality.theil import Theil, TheilD
from scipy.optimize import linprog

from hukou_opt.indicators import (
    atkinson,
    concentration_index,
    erreygers_index,
    gini,
    half_mean_difference,
    hoover,
    mean_absolute_deviation,
    range_ratio,
    theil,
    theil_parts,
    value_range,
    worst_mean,
)

LEVEL = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-3, 1e3))
POSITIVE = st.lists(st.floats(1e-2, 1e3), min_size=2, max_size=12)
LEVELS = st.lists(LEVEL, min_size=2, max_size=12)
WEIGHTED = st.lists(st.tuples(LEVEL, st.floats(1e-2, 1e2)), min_size=2, max_size=10)
#: Level, people, rank (with ties) and group of each region.
REGIONS = st.lists(
    st.tuples(LEVEL, st.floats(1e-2, 1e2), st.integers(0, 4), st.sampled_from("abc")),
    min_size=2,
    max_size=10,
)

Index = Callable[..., float]
Weighted = list[tuple[float, float]]

atkinson_half = partial(atkinson, epsilon=0.5)
atkinson_one = partial(atkinson, epsilon=1.0)
atkinson_two = partial(atkinson, epsilon=2.0)
RELATIVE: list[Index] = [gini, hoover, theil, atkinson_half, atkinson_one, atkinson_two]
IN_UNIT: list[Index] = [
    mean_absolute_deviation,
    half_mean_difference,
    value_range,
    worst_mean,
    partial(worst_mean, high_is_bad=True),
]
RELATIVES = pytest.mark.parametrize("index", RELATIVE)
INDICES = pytest.mark.parametrize("index", [*RELATIVE, *IN_UNIT])


def columns(cells: Weighted) -> tuple[np.ndarray, np.ndarray]:
    levels, weights = (np.array(column) for column in zip(*cells, strict=True))
    return levels, weights


@given(LEVELS)
def test_gini_is_that_of_pysal_at_equal_weights(levels: list[float]) -> None:
    assume(sum(levels) > 0)
    expected = float(Gini(np.array(levels)).g)
    assert gini(levels, np.ones(len(levels))) == pytest.approx(expected, abs=1e-10)


@given(LEVELS)
def test_theil_is_that_of_pysal_at_equal_weights(levels: list[float]) -> None:
    assume(sum(levels) > 0)
    expected = float(Theil(np.array(levels)).T)
    assert theil(levels, np.ones(len(levels))) == pytest.approx(expected, abs=1e-10)


@given(POSITIVE, st.data())
def test_parts_of_theil_are_those_of_pysal(levels: list[float], data: st.DataObject) -> None:
    size = len(levels)
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    expected = TheilD(np.array(levels), groups)
    found = theil_parts(levels, np.ones(size), groups)
    assert found.between == pytest.approx(float(expected.bg.sum()), abs=1e-9)
    assert found.within == pytest.approx(float(expected.wg.sum()), abs=1e-9)


@given(POSITIVE, st.sampled_from([0.0, 0.5, 1.0, 1.5, 3.0]))
def test_atkinson_is_that_of_pysal_at_equal_weights(levels: list[float], epsilon: float) -> None:
    expected = float(pysal_atkinson(np.array(levels), epsilon))
    assert atkinson(levels, np.full(len(levels), 2.0), epsilon) == pytest.approx(expected, abs=1e-9)


@given(POSITIVE)
def test_hoover_is_the_distance_of_pysal_s_schutz(levels: list[float]) -> None:
    expected = float(Schutz(pd.DataFrame({"y": levels}), "y").distance)
    assert hoover(levels, np.ones(len(levels))) == pytest.approx(expected, abs=1e-9)


@given(LEVELS)
def test_mean_deviation_is_that_of_numpy_at_equal_weights(levels: list[float]) -> None:
    y = np.array(levels)
    expected = np.abs(y - y.mean()).mean()
    assert mean_absolute_deviation(y, np.full(len(y), 3.0)) == pytest.approx(expected, rel=1e-10)


@given(WEIGHTED)
def test_half_mean_difference_is_that_of_all_pairs(cells: Weighted) -> None:
    levels, weights = columns(cells)
    w = weights / weights.sum()
    pairs = sum(
        w[i] * w[j] * abs(levels[i] - levels[j]) for i in range(len(w)) for j in range(len(w))
    )
    assert half_mean_difference(levels, weights) == pytest.approx(pairs / 2, abs=1e-10)


@given(WEIGHTED, st.floats(0.01, 1.0), st.booleans())
def test_worst_mean_is_the_optimum_of_its_linear_program(
    cells: Weighted, part: float, high_is_bad: bool
) -> None:
    levels, weights = columns(cells)
    w = weights / weights.sum()
    sign = -1.0 if high_is_bad else 1.0
    found = linprog(
        sign * levels, A_eq=np.ones((1, len(w))), b_eq=[part], bounds=[(0, each) for each in w]
    )
    # Weights that sum to 1 but for rounding leave no point for a part of 1.
    assume(found.status == 0)
    assert found.fun is not None
    expected = sign * found.fun / part
    assert worst_mean(levels, weights, part, high_is_bad=high_is_bad) == pytest.approx(
        expected, rel=1e-7, abs=1e-7
    )


@given(REGIONS)
def test_concentration_index_is_twice_the_covariance_with_the_rank(
    regions: list[tuple[float, float, int, str]],
) -> None:
    levels, weights, rank, _ = (np.array(column) for column in zip(*regions, strict=True))
    assume(levels.sum() > 0)
    w = weights / weights.sum()
    place = np.array([w[rank < r].sum() + w[rank == r].sum() / 2 for r in rank])
    mean = w @ levels
    covariance = w @ ((levels - mean) * (place - w @ place))
    expected = 2 * covariance / mean
    assert concentration_index(levels, weights, rank) == pytest.approx(expected, abs=1e-9)


@given(WEIGHTED)
def test_ranked_by_itself_concentration_is_the_gini(cells: Weighted) -> None:
    levels, weights = columns(cells)
    expected = gini(levels, weights)
    assert concentration_index(levels, weights, levels) == pytest.approx(expected, abs=1e-9)
    assert concentration_index(levels, weights, -levels) == pytest.approx(-expected, abs=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(1e-2, 1e2), st.integers(0, 4)), min_size=2, max_size=9
    )
)
def test_erreygers_says_the_same_of_need_met_and_unmet(
    regions: list[tuple[float, float, int]],
) -> None:
    rates, weights, rank = (np.array(column) for column in zip(*regions, strict=True))
    unmet = erreygers_index(rates, weights, rank)
    assert erreygers_index(1 - rates, weights, rank) == pytest.approx(-unmet, abs=1e-9)
    assert -1 - 1e-9 <= unmet <= 1 + 1e-9


@INDICES
@given(cells=WEIGHTED, part=st.floats(0.05, 0.95))
def test_a_region_cut_in_two_alike_parts_changes_nothing(
    index: Index, cells: Weighted, part: float
) -> None:
    levels, weights = columns(cells)
    halves = np.append(weights, weights[0] * part)
    halves[0] *= 1 - part
    whole = index(levels, weights)
    assert index(np.append(levels, levels[0]), halves) == pytest.approx(whole, rel=1e-9, abs=1e-12)


@INDICES
@given(cells=st.lists(st.tuples(LEVEL, st.integers(1, 5)), min_size=2, max_size=6))
def test_a_whole_weight_is_so_many_equal_people(
    index: Index, cells: list[tuple[float, int]]
) -> None:
    levels, weights = (np.array(column) for column in zip(*cells, strict=True))
    people = np.repeat(levels, weights)
    expected = index(people, np.ones(len(people)))
    assert index(levels, weights) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@INDICES
@given(cells=WEIGHTED, scale=st.floats(0.1, 10))
def test_the_unit_of_the_weights_does_not_matter(
    index: Index, cells: Weighted, scale: float
) -> None:
    levels, weights = columns(cells)
    assert index(levels, scale * weights) == pytest.approx(
        index(levels, weights), rel=1e-9, abs=1e-12
    )


@INDICES
@given(cells=WEIGHTED, data=st.data())
def test_the_order_of_the_regions_does_not_matter(
    index: Index, cells: Weighted, data: st.DataObject
) -> None:
    levels, weights = columns(cells)
    order = np.array(data.draw(st.permutations(range(len(levels)))))
    assert index(levels[order], weights[order]) == pytest.approx(
        index(levels, weights), rel=1e-9, abs=1e-12
    )


@INDICES
@given(cells=WEIGHTED, level=LEVEL)
def test_a_region_without_people_does_not_count(
    index: Index, cells: Weighted, level: float
) -> None:
    levels, weights = columns(cells)
    assert index(np.append(levels, level), np.append(weights, 0.0)) == pytest.approx(
        index(levels, weights), rel=1e-12, abs=1e-12
    )


@RELATIVES
@given(cells=WEIGHTED, scale=st.floats(0.1, 10))
def test_relative_indices_ignore_the_unit_of_the_levels(
    index: Index, cells: Weighted, scale: float
) -> None:
    levels, weights = columns(cells)
    assert index(scale * levels, weights) == pytest.approx(index(levels, weights), abs=1e-9)


@pytest.mark.parametrize("index", IN_UNIT)
@given(cells=WEIGHTED, scale=st.floats(0.1, 10))
def test_spreads_and_means_have_the_unit_of_the_levels(
    index: Index, cells: Weighted, scale: float
) -> None:
    levels, weights = columns(cells)
    assert index(scale * levels, weights) == pytest.approx(
        scale * index(levels, weights), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    "index", [*RELATIVE, mean_absolute_deviation, half_mean_difference, value_range]
)
@given(cells=WEIGHTED, part=st.floats(0.0, 0.5))
def test_a_transfer_from_rich_to_poor_never_raises_inequality(
    index: Index, cells: Weighted, part: float
) -> None:
    levels, weights = columns(cells)
    rich, poor = int(np.argmax(levels)), int(np.argmin(levels))
    assume(rich != poor)
    # At most what makes the two alike.
    equal = (weights[rich] * levels[rich] + weights[poor] * levels[poor]) / (
        weights[rich] + weights[poor]
    )
    moved = levels.copy()
    amount = 2 * part * weights[rich] * (levels[rich] - equal)
    moved[rich] -= amount / weights[rich]
    moved[poor] += amount / weights[poor]
    assert index(moved, weights) <= index(levels, weights) + 1e-9 * (1 + levels.max())


@given(REGIONS)
def test_parts_of_theil_add_up(regions: list[tuple[float, float, int, str]]) -> None:
    levels, weights, _, groups = (np.array(column) for column in zip(*regions, strict=True))
    found = theil_parts(levels, weights, groups)
    assert found.total == pytest.approx(theil(levels, weights), abs=1e-12)
    assert found.between + found.within == pytest.approx(found.total, abs=1e-9)
    assert sum(found.by_group.values()) == pytest.approx(found.within, abs=1e-12)
    # Between groups: every region with the mean of its group.
    means = np.array(
        [np.average(levels[groups == g], weights=weights[groups == g]) for g in groups]
    )
    assert found.between == pytest.approx(theil(means, weights), abs=1e-9)


@given(WEIGHTED)
def test_bounds(cells: Weighted) -> None:
    levels, weights = columns(cells)
    mean = weights @ levels / weights.sum()
    for index in RELATIVE:
        if index is not theil:
            assert 0 <= index(levels, weights) <= 1
    assert 0 <= theil(levels, weights) <= np.log(weights.sum() / weights.min()) + 1e-9
    # Half the mean deviation over the mean is the Hoover index, which never exceeds the Gini.
    deviation = mean_absolute_deviation(levels, weights)
    assert deviation == pytest.approx(2 * mean * hoover(levels, weights), abs=1e-9)
    assert hoover(levels, weights) <= gini(levels, weights) + 1e-12
    # A society that minds inequality more gives up more to be rid of it.
    ladder = [atkinson(levels, weights, epsilon) for epsilon in (0.0, 0.5, 1.0, 2.0)]
    assert all(low <= high + 1e-9 for low, high in pairwise(ladder))
    assert worst_mean(levels, weights) <= mean + 1e-9
    assert worst_mean(levels, weights, high_is_bad=True) >= mean - 1e-9
    assert range_ratio(levels, weights) >= 1
