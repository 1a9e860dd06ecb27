"""The national fit against ordinary least squares, and on paths that the model made itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from past_cases import WINDOW, fitted, registry
from scipy import optimize

from hukou_opt.errors import DataError
from hukou_opt.fit.forecast import hukou_rates, run
from hukou_opt.fit.national import BOUNDS, FITTED, fit_national

YEARS = tuple(range(2011, 2019))
TRUTH = np.array([0.25, 0.18])
BEGIN = {"settlement_hazard_max": 0.5, "reclassified_share": 0.05}
#: Percentage points of the national rate per unit of either parameter, by year.
EFFECT = np.column_stack([4.0 * np.arange(1, 9), 0.6 * np.arange(1, 9) ** 1.7])
START = 35.0
#: Two-sided 95 % quantiles of Student's t from a printed table: six and seven degrees of freedom.
T_95 = {6: 2.4469, 7: 2.3646}


def straight(values):
    return (START + EFFECT @ values) / 100


def path(points):
    return dict(zip(YEARS, points, strict=True))


def fit(observed, *, begin=BEGIN, with_ridge=False, level=0.95):
    return fit_national(straight, path(observed), begin, level=level, with_ridge=with_ridge)


def noise(seed, size=0.1):
    return size / 100 * np.random.default_rng(seed).standard_normal(len(YEARS))


def test_planted_values_are_found_without_noise():
    found = fit(straight(TRUTH))
    np.testing.assert_allclose(found.values, TRUTH, atol=1e-6)
    assert found.names == FITTED
    assert found.at_bound == ()
    assert found.scatter < 1e-6
    assert found.years == YEARS
    assert found.as_constants() == dict(zip(FITTED, found.values, strict=True))
    assert found.ridge == ()


def test_estimates_errors_and_correlation_are_those_of_least_squares():
    observed = straight(TRUTH) + noise(1)
    found = fit(observed)
    solution, rest, *_ = np.linalg.lstsq(EFFECT, 100 * observed - START, rcond=None)
    np.testing.assert_allclose(found.values, solution, atol=1e-6)
    variance = rest[0] / 6
    covariance = variance * np.linalg.inv(EFFECT.T @ EFFECT)
    assert found.scatter == pytest.approx(np.sqrt(variance), rel=1e-6)
    np.testing.assert_allclose(found.errors, np.sqrt(np.diag(covariance)), rtol=1e-6)
    between = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.correlation[0, 1] == pytest.approx(between, rel=1e-6)
    np.testing.assert_allclose(np.diag(found.correlation), 1, rtol=1e-12)
    assert found.correlation[0, 1] < -0.9
    np.testing.assert_allclose(found.high - found.values, T_95[6] * found.errors, rtol=1e-4)
    np.testing.assert_allclose(found.values - found.low, T_95[6] * found.errors, rtol=1e-4)
    np.testing.assert_allclose(found.fitted, straight(solution), atol=1e-8)
    np.testing.assert_array_equal(found.observed, observed)


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = np.zeros(2)
    for seed in range(200):
        found = fit(straight(TRUTH) + noise(seed, 0.05))
        assert found.at_bound == ()
        inside += (found.low <= TRUTH) & (found.high >= TRUTH)
    # Standard error of the share: 1.5 %.
    assert (np.abs(inside / 200 - 0.95) < 0.05).all()


@pytest.mark.parametrize(
    ("truth", "at"),
    [
        ([0.25, -0.2], ("reclassified_share",)),
        ([0.25, 0.6], ("reclassified_share",)),
        ([-0.05, 0.35], ("settlement_hazard_max",)),
        ([-0.5, -0.5], FITTED),
    ],
)
def test_what_lies_beyond_a_bound_stands_at_it_and_is_flagged(truth, at):
    observed = straight(np.array(truth)) + noise(2)
    found = fit(observed)
    exact = optimize.lsq_linear(EFFECT, 100 * observed - START, tuple(np.array(BOUNDS).T)).x
    np.testing.assert_allclose(found.values, exact, atol=1e-4)
    assert found.at_bound == at
    lower, upper = np.array(BOUNDS).T
    assert (found.low >= lower).all()
    assert (found.high <= upper).all()
    for index, name in enumerate(FITTED):
        assert np.isnan(found.errors[index]) == (name in at)


def test_with_one_at_its_bound_the_other_has_the_error_of_a_fit_alone():
    observed = straight(np.array([0.25, 0.6])) + noise(3)
    found = fit(observed)
    rest = 100 * observed - START - EFFECT[:, 1] * BOUNDS[1][1]
    alone = EFFECT[:, 0] @ rest / (EFFECT[:, 0] @ EFFECT[:, 0])
    scatter = np.sqrt(((rest - EFFECT[:, 0] * alone) ** 2).sum() / 7)
    assert found.values[0] == pytest.approx(alone, abs=1e-4)
    assert found.scatter == pytest.approx(scatter, rel=1e-3)
    assert found.errors[0] == pytest.approx(scatter / np.linalg.norm(EFFECT[:, 0]), rel=1e-3)


def test_the_ridge_is_settlement_for_given_reclassification():
    observed = straight(TRUTH) + noise(4)
    ridge = fit(observed, with_ridge=True).ridge
    assert [each.reclassified for each in ridge] == [0.0, 0.1, 0.2, 0.3, 0.4]
    for each in ridge:
        rest = 100 * observed - START - EFFECT[:, 1] * each.reclassified
        alone = EFFECT[:, 0] @ rest / (EFFECT[:, 0] @ EFFECT[:, 0])
        scatter = np.sqrt(((rest - EFFECT[:, 0] * alone) ** 2).sum() / 7)
        half = T_95[7] * scatter / np.linalg.norm(EFFECT[:, 0])
        assert each.settlement == pytest.approx(alone, abs=1e-5)
        assert each.scatter == pytest.approx(scatter, rel=1e-4)
        assert each.low == pytest.approx(max(0, alone - half), abs=1e-4)
        assert each.high == pytest.approx(min(1, alone + half), abs=1e-4)
    assert all(a.settlement > b.settlement for a, b in pairwise(ridge))


def test_where_the_search_begins_does_not_matter():
    observed = straight(TRUTH) + noise(5)
    for begin in ((0.0, 0.0), (1.0, 0.4), (0.02, 0.39), (5.0, -3.0)):
        other = fit(observed, begin=dict(zip(FITTED, begin, strict=True)))
        np.testing.assert_allclose(other.values, fit(observed).values, atol=1e-6)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_too_few_years_are_named(number):
    few = dict(zip(YEARS[:number], straight(TRUTH), strict=False))
    with pytest.raises(DataError, match=rf"too few years to fit \({number} for 2 parameters\)"):
        fit_national(straight, few, BEGIN, level=0.95)


def by_model(values):
    """National hukou rate of 2011 to 2015 as the shipped model gives it."""
    changed = dict(zip(FITTED, map(float, values), strict=True))
    path = run(fitted("first_published").begun, WINDOW, registry(), changed=changed)
    return hukou_rates(path).sel(year=range(2011, 2016)).to_numpy()


@pytest.mark.parametrize("truth", [(0.20, 0.15), (0.35, 0.05)])
def test_the_model_finds_what_it_was_given(truth):
    years = range(2011, 2016)
    clean = dict(zip(years, by_model(truth), strict=True))
    found = fit_national(by_model, clean, BEGIN, level=0.95)
    np.testing.assert_allclose(found.values, truth, atol=2e-3)
    assert found.at_bound == ()
    assert (found.low <= truth).all()
    assert (found.high >= truth).all()
    assert (found.high - found.low < 0.05).all()


def test_reclassification_makes_urban_hukou_of_villagers():
    none, some = by_model((0.2, 0.0)), by_model((0.2, 0.2))
    assert (np.diff(some - none) > 0).all()
    assert some[0] > none[0]
    assert (by_model((0.3, 0.1)) > by_model((0.2, 0.1))).all()
