"""Indices at values worked out by hand, and what they refuse."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import hukou_opt.indicators
from hukou_opt.errors import DataError
from hukou_opt.indicators import (
    INDICATORS,
    atkinson,
    concentration_index,
    erreygers_index,
    gini,
    half_mean_difference,
    hoover,
    indicator_table,
    indicator_values,
    mean_absolute_deviation,
    range_ratio,
    theil,
    theil_parts,
    value_range,
    worst_mean,
)

EVERY: list[Callable[..., float]] = [
    gini,
    half_mean_difference,
    hoover,
    theil,
    partial(atkinson, epsilon=0.5),
    partial(atkinson, epsilon=1.0),
    mean_absolute_deviation,
    value_range,
    range_ratio,
    worst_mean,
]
LEVELS_ONLY = [gini, hoover, theil, range_ratio, partial(atkinson, epsilon=1.0)]


@pytest.mark.parametrize(
    ("levels", "weights", "expected"),
    [
        ([1, 1, 1], [1, 2, 3], 0.0),
        ([0, 0], [1, 1], 0.0),
        ([0, 1], [3, 1], 0.75),
        # Pairs: 1*1*1 + 1*2*3 + 1*2*2 = 11 of 16; over the mean 7/4 (each pair counted once).
        ([0, 1, 3], [1, 1, 2], (11 / 16) / (7 / 4)),
    ],
)
def test_gini(levels: list[float], weights: list[float], expected: float) -> None:
    assert gini(levels, weights) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("levels", "weights", "expected"),
    [
        ([2, 2], [1, 5], 0.0),
        ([0, 1], [3, 1], 0.375),
        ([-1, 3], [1, 1], 2.0),
    ],
)
def test_mean_absolute_deviation(
    levels: list[float], weights: list[float], expected: float
) -> None:
    assert mean_absolute_deviation(levels, weights) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        # Three in four people have nothing, the fourth has four times the mean.
        (theil, np.log(4)),
        (hoover, 0.75),
        (partial(atkinson, epsilon=0.5), 1 - 0.25),
        (partial(atkinson, epsilon=1.0), 1.0),
        (partial(atkinson, epsilon=2.0), 1.0),
        (half_mean_difference, 0.75 * 0.25),
        (worst_mean, 0.0),
        (partial(worst_mean, high_is_bad=True), 1.0),
        (partial(worst_mean, part=0.5, high_is_bad=True), 0.5),
        (value_range, 1.0),
        (range_ratio, np.inf),
    ],
)
def test_many_without_anything(index: Callable[..., float], expected: float) -> None:
    assert index([0, 1], [3, 1]) == pytest.approx(expected, abs=1e-15)


def test_atkinson_by_hand() -> None:
    # Geometric mean 2, harmonic mean 8/5, of 1 and 4 with mean 5/2.
    assert atkinson([1, 4], [1, 1], 1.0) == pytest.approx(1 - 2 / 2.5)
    assert atkinson([1, 4], [1, 1], 2.0) == pytest.approx(1 - 1.6 / 2.5)
    # The smallest numbers there are neither overflow nor warn.
    assert atkinson([2.2e-313, 1.0], [1, 1], 2.0) == pytest.approx(1.0)
    assert atkinson([1, 4], [1, 1], 0.0) == pytest.approx(0.0, abs=1e-15)
    # A high aversion comes near the least level and does not overflow.
    assert atkinson([1, 4], [1, 1], 400.0) == pytest.approx(1 - 1 / 2.5, abs=1e-3)


def test_concentration_by_hand() -> None:
    # Ranks 1/4 and 3/4: 2/2 * (0.5*1*0.25 + 0.5*3*0.75) - 1.
    assert concentration_index([1, 3], [1, 1], [5, 9]) == pytest.approx(0.25)
    assert concentration_index([1, 3], [1, 1], [9, 5]) == pytest.approx(-0.25)
    assert concentration_index([1, 3], [1, 1], [5, 5]) == pytest.approx(0.0, abs=1e-15)
    assert concentration_index([0, 0], [1, 1], [5, 9]) == 0
    assert erreygers_index([0.1, 0.3], [1, 1], [5, 9]) == pytest.approx(4 * 0.2 * 0.25)


def test_parts_of_theil_by_hand() -> None:
    parts = theil_parts([0, 2, 1, 1], [1, 1, 1, 1], ["a", "a", "b", "b"])
    # The groups have the same mean; within a, half the people have twice its mean.
    assert parts.between == pytest.approx(0.0, abs=1e-15)
    assert parts.by_group == pytest.approx({"a": 0.5 * np.log(2), "b": 0.0})
    assert parts.between_share == pytest.approx(0.0, abs=1e-15)
    assert np.isnan(theil_parts([1, 1], [1, 1], ["a", "b"]).between_share)


@pytest.mark.parametrize("index", EVERY)
def test_all_zero_is_equal(index: Callable[..., float]) -> None:
    assert index([0, 0, 0], [1, 2, 3]) == (1.0 if index is range_ratio else 0.0)


@pytest.mark.parametrize("index", EVERY)
@pytest.mark.parametrize(
    ("levels", "weights", "match"),
    [
        ([], [], "at least 1"),
        ([1, 2], [1], "one weight for each value"),
        ([[1, 2]], [[1, 1]], "one weight for each value"),
        ([1, 2], [0, 0], "nobody is concerned"),
        ([1, 2], [1, -1], r"weights \| below 0 at position 1 \(-1\)"),
        ([1, np.nan], [1, 1], r"values \| no figure at position 1"),
        ([1, 2], [np.inf, 1], r"weights \| no figure at position 0"),
    ],
)
def test_what_is_refused(
    index: Callable[..., float], levels: list[float], weights: list[float], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        index(levels, weights)


@pytest.mark.parametrize("index", LEVELS_ONLY)
def test_negative_levels_have_no_relative_inequality(index: Callable[..., float]) -> None:
    with pytest.raises(DataError, match=r"values \| below 0 at position 0 \(-3\)"):
        index([-3, 1], [1, 1])


def test_all_faults_at_once() -> None:
    with pytest.raises(DataError) as caught:
        gini([-1, np.nan, 2], [1, -2, 1])
    assert len(caught.value.faults) == 3


def test_what_else_is_refused() -> None:
    with pytest.raises(DataError, match=r"rank .* another shape"):
        concentration_index([1, 2], [1, 1], [1, 2, 3])
    with pytest.raises(DataError, match=r"rank .* no figure at position 0"):
        concentration_index([1, 2], [1, 1], [np.nan, 2])
    with pytest.raises(DataError, match=r"above the bound 1 \(1.5\)"):
        erreygers_index([0, 1.5], [1, 1], [1, 2])
    with pytest.raises(DataError, match=r"groups .* another shape"):
        theil_parts([1, 2], [1, 1], ["a"])
    with pytest.raises(DataError, match=r"epsilon .* \(-1\)"):
        atkinson([1, 2], [1, 1], -1)
    for part in (0.0, 1.1):
        with pytest.raises(DataError, match="part"):
            worst_mean([1, 2], [1, 1], part)


def test_the_table_of_all_indicators() -> None:
    levels, people = [0.0, 0.2, 0.4], [1.0, 1.0, 2.0]
    short = indicator_table(levels, people)
    assert not {"theil_between", "concentration", "erreygers"} & set(short.index)
    whole = indicator_table(
        levels, people, groups=["a", "a", "b"], rank=[3, 1, 2], high_is_bad=True
    )
    assert list(whole.index) == [each.name for each in INDICATORS]
    assert whole.loc["mean", "value"] == pytest.approx(0.25)
    # The worst off are those with the most unmet need.
    assert whole.loc["worst_fifth", "value"] == pytest.approx(0.4)
    assert short.loc["worst_fifth", "value"] == pytest.approx(0.0)
    assert whole.loc["concentration", "value"] == pytest.approx(
        concentration_index(levels, people, [3, 1, 2])
    )
    assert whole["value"].to_dict() == indicator_values(
        levels, people, groups=["a", "a", "b"], rank=[3, 1, 2], high_is_bad=True
    )
    assert whole.loc[["range", "gini"], "in_unit"].tolist() == [True, False]


def test_what_is_better() -> None:
    by_name = {each.name: each for each in INDICATORS}
    assert by_name["mean"].better(high_is_bad=True) == "small"
    assert by_name["worst_fifth"].better(high_is_bad=False) == "large"
    assert by_name["mean_deviation"].better(high_is_bad=True) == "small"
    # The Gini of unmet need rises when all rates fall alike: it judges levels only.
    assert gini([0.1, 0.3], [1, 1]) > gini([0.2, 0.4], [1, 1])
    assert by_name["gini"].better(high_is_bad=True) == "none"
    assert by_name["gini"].better(high_is_bad=False) == "small"
    assert by_name["concentration"].better(high_is_bad=False) == "none"


def test_the_examples_in_the_documentation_hold() -> None:
    tried = 0
    for module in pkgutil.iter_modules(hukou_opt.indicators.__path__):
        found = doctest.testmod(importlib.import_module(f"hukou_opt.indicators.{module.name}"))
        assert found.failed == 0
        tried += found.attempted
    assert tried >= 15
