"""Naive forecasts against numbers worked out by hand, and their limits."""

from __future__ import annotations

import numpy as np
import pytest

from hukou_opt.fit.naive import FORECASTS, saturating
from hukou_opt.fit.protocol import load_protocol


def one(name, first, last, length, ahead):
    return float(FORECASTS[name](np.array([first]), np.array([last]), length, ahead)[0])


@pytest.mark.parametrize(
    ("name", "first", "last", "length", "ahead", "expected"),
    [
        ("persistence", 0.50, 0.60, 5, 5, 0.60),
        ("linear", 0.50, 0.60, 5, 5, 0.70),
        ("linear", 0.50, 0.60, 5, 3, 0.66),
        ("linear", 100.0, 80.0, 4, 6, 50.0),
        ("geometric", 100.0, 110.0, 5, 5, 121.0),
        ("geometric", 100.0, 121.0, 2, 1, 133.1),
        ("geometric", 100.0, 80.0, 5, 5, 64.0),
        # Odds 1 -> 2 -> 4, and 1 -> 4 -> 8 in half the time.
        ("logistic", 0.5, 2 / 3, 5, 5, 0.8),
        ("logistic", 0.5, 0.8, 4, 2, 8 / 9),
        # Distances to .80: .4 -> .2 -> .1; to .90: .4 -> .1 -> .05 in half the time.
        ("saturating_80", 0.4, 0.6, 5, 5, 0.7),
        ("saturating_90", 0.5, 0.8, 4, 2, 0.85),
    ],
)
def test_forecasts_worked_out_by_hand(name, first, last, length, ahead, expected):
    assert one(name, first, last, length, ahead) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", FORECASTS)
def test_no_time_ahead_is_the_last_figure(name):
    last = np.array([0.55, 0.79, 0.95, 0.30])
    first = np.array([0.50, 0.60, 0.93, 0.35])
    np.testing.assert_allclose(FORECASTS[name](first, last, 5, 0), last, rtol=1e-12)


@pytest.mark.parametrize("name", FORECASTS)
def test_no_change_in_the_window_is_no_change_after_it(name):
    last = np.array([0.55, 0.79, 0.85, 0.95])
    np.testing.assert_allclose(FORECASTS[name](last, last, 5, 7), last, rtol=1e-12)


def test_forecasts_go_to_their_limits():
    assert one("logistic", 0.5, 0.6, 1, 500) == pytest.approx(1, abs=1e-12)
    assert one("saturating_80", 0.5, 0.6, 1, 500) == pytest.approx(0.8, abs=1e-12)
    # Beyond the level a region has one of its own, a little above its last share.
    beyond = one("saturating_80", 0.86, 0.88, 5, 500)
    assert 0.88 < beyond <= 0.89 + 1e-12
    assert one("saturating_80", 0.5, 0.6, 1, 20) < one("saturating_90", 0.5, 0.6, 1, 20)


@pytest.mark.parametrize("first", [0.62, 0.70, 0.895])
def test_a_share_that_has_fallen_stays_where_it_is(first):
    """What the saturating forecast says of itself; Shanghai fell from .893 to .876 to 2015."""
    found = saturating(0.80)(np.array([first]), np.array([first - 0.02]), 5, 5)
    assert found[0] == pytest.approx(first - 0.02, abs=1e-12)


def test_the_protocol_asks_for_forecasts_that_there_are():
    for quantity, names in load_protocol().naive.items():
        assert len(set(names)) == len(names)
        extra = {"cohorts_in_place"} if quantity == "children" else set()
        assert set(names) <= set(FORECASTS) | extra
