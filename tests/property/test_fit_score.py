"""Theil's parts and skill for any errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from hukou_opt.fit.score import theil

PAIRS = st.integers(2, 40).flatmap(
    lambda size: st.tuples(*2 * [hn.arrays(float, size, elements=st.floats(-100, 100, width=32))])
)


@given(PAIRS)
def test_the_parts_add_up_to_one_and_none_is_negative(pair):
    predicted, actual = pair
    assume(np.abs(predicted - actual).max() > 1e-3)
    assume(np.abs(actual).max() > 1e-3)
    parts = theil(predicted, actual)
    found = np.array([parts.bias, parts.variance, parts.covariance])
    # Cancellation: the parts are differences of means of squares.
    scale = max(np.abs(pair).max() ** 2 / np.mean((predicted - actual) ** 2), 1)
    assert found.sum() == pytest.approx(1, abs=1e-12 * scale)
    assert found.min() > -1e-12 * scale
    over = np.linalg.norm(predicted - actual) / np.linalg.norm(actual)
    assert parts.inequality == pytest.approx(over, rel=1e-9)


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_regions_does_not_matter(pair, random):
    predicted, actual = pair
    assume(np.abs(predicted - actual).max() > 1e-2)
    assume(np.abs(actual).max() > 1e-2)
    order = list(range(len(actual)))
    random.shuffle(order)
    one, other = theil(predicted, actual), theil(predicted[order], actual[order])
    assert one.inequality == pytest.approx(other.inequality, rel=1e-9)
    scale = max(np.abs(pair).max() ** 2 / np.mean((predicted - actual) ** 2), 1)
    assert one.bias == pytest.approx(other.bias, abs=1e-12 * scale)
    assert one.covariance == pytest.approx(other.covariance, abs=1e-11 * scale)
