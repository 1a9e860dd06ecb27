"""Indices at values worked out by hand."""

from __future__ import annotations

import pytest

from hukou_opt.indicators.gini import gini
from hukou_opt.indicators.mean_deviation import mean_absolute_deviation


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
