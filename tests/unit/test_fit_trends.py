"""What a window says of each region, against closed forms and simulated random walks."""

from __future__ import annotations

import numpy as np
import pytest
from past_cases import found, window

from hukou_opt.errors import DataError
from hukou_opt.fit.trends import Drift, Trends, Window, expit, logit, trends

#: Two-sided 95 % quantile of Student's t with four degrees of freedom, from a printed table.
T_95_4 = 2.7764
UNEQUAL = np.array([1.0, 2.0, 1.0, 1.0, 3.0])


def walks(number, drift, sigma, steps, seed):
    """Changes of random walks with drift over intervals of unequal length."""
    random = np.random.default_rng(seed)
    return drift * steps + sigma * np.sqrt(steps) * random.standard_normal((number, len(steps)))


def made(population, *, share=None, natural=0.0, years=None, earlier=None, later=None):
    population = np.asarray(population, dtype=float)
    years = tuple(range(2010, 2010 + population.shape[1])) if years is None else years
    return Window(
        codes=tuple(str(i) for i in range(len(population))),
        years=years,
        population=population,
        urban_share=np.full(population.shape, 0.5) if share is None else np.asarray(share),
        natural_rate=np.broadcast_to(natural, (len(population), len(years) - 1)).astype(float),
        earlier_moves=earlier,
        later_moves=later,
    )


def grown(start, rates):
    """Populations whose change over the middle of each year is the rate; dims (region, year)."""
    rates = np.asarray(rates, dtype=float)
    factors = (1 + rates / 2) / (1 - rates / 2)
    return np.asarray(start, dtype=float)[:, None] * np.cumprod(
        np.column_stack([np.ones(len(rates)), factors]), axis=1
    )


# Mean changes and their errors.


def test_drift_is_the_least_squares_of_scaled_changes():
    changes = walks(6, 0.02, 0.01, UNEQUAL, seed=1)
    drift = Drift.of(changes, UNEQUAL)
    regressor = np.sqrt(UNEQUAL)
    for row, mean, error in zip(changes, drift.mean, drift.error, strict=True):
        solution, rest, *_ = np.linalg.lstsq(regressor[:, None], row / regressor, rcond=None)
        assert mean == pytest.approx(solution[0], rel=1e-12)
        variance = rest[0] / (len(UNEQUAL) - 1) / (regressor @ regressor)
        assert error == pytest.approx(np.sqrt(variance), rel=1e-9)
    low, high = drift.interval(0.95)
    np.testing.assert_allclose(high - drift.mean, T_95_4 * drift.error, rtol=1e-4)
    np.testing.assert_allclose(drift.mean - low, high - drift.mean, rtol=1e-12)


def test_equal_steps_give_the_usual_standard_error():
    changes = walks(4, 0.02, 0.01, np.ones(5), seed=2)
    drift = Drift.of(changes, np.ones(5))
    np.testing.assert_allclose(drift.mean, changes.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(drift.error, changes.std(axis=1, ddof=1) / np.sqrt(5), rtol=1e-9)


def test_errors_and_intervals_are_calibrated_over_unequal_steps():
    drift = Drift.of(walks(20_000, 0.03, 0.01, UNEQUAL, seed=3), UNEQUAL)
    variance = 0.01**2 / UNEQUAL.sum()
    assert drift.mean.mean() == pytest.approx(0.03, abs=4 * np.sqrt(variance / 20_000))
    # A plain mean of yearly rates would have a variance that is 23 % higher.
    assert drift.mean.var() == pytest.approx(variance, rel=0.05)
    assert np.mean(drift.error**2) == pytest.approx(variance, rel=0.05)
    for level in (0.5, 0.95):
        low, high = drift.interval(level)
        assert np.mean((low < 0.03) & (high > 0.03)) == pytest.approx(level, abs=0.011)


# Pooling.


def test_nothing_is_pooled_where_nothing_scatters():
    steady = np.outer([0.01, 0.02, 0.05], np.ones(5))
    drift = Drift.of(steady, np.ones(5))
    assert drift.noise_share == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(drift.pooled(drift.noise_share), [0.01, 0.02, 0.05], rtol=1e-9)


def test_everything_is_pooled_where_all_is_noise():
    drift = Drift.of(walks(5_000, 0.03, 0.01, UNEQUAL, seed=4), UNEQUAL)
    assert 0.93 < drift.noise_share <= 1


def test_the_noise_share_finds_a_planted_one():
    true = 0.03 + 0.01 / np.sqrt(UNEQUAL.sum()) * np.random.default_rng(5).standard_normal(20_000)
    drift = Drift.of(walks(20_000, true[:, None], 0.01, UNEQUAL, seed=6), UNEQUAL)
    assert drift.noise_share == pytest.approx(0.5, abs=0.03)
    pooled = drift.pooled(drift.noise_share)
    miss = [np.mean((each - true) ** 2) for each in (pooled, drift.mean, drift.pooled(1.0))]
    # Equal variances: pooling by one half halves either error.
    assert miss[0] == pytest.approx(miss[1] / 2, rel=0.05)
    assert miss[0] == pytest.approx(miss[2] / 2, rel=0.05)


def test_one_region_and_equal_regions_have_no_noise_share():
    assert Drift.of(walks(1, 0.03, 0.01, np.ones(5), seed=7), np.ones(5)).noise_share == 0
    same = np.tile([0.25, 0.5, 0.75], (3, 1))
    assert Drift.of(same, np.ones(3)).noise_share == 0


def test_pooling_keeps_the_mean_and_shrinks_the_spread():
    drift = Drift(np.array([0.01, 0.03, 0.08]), np.full(3, 0.01), 5)
    np.testing.assert_allclose(drift.pooled(0.25), [0.0175, 0.0325, 0.07], rtol=1e-12)


# Net moves and natural growth.


def test_net_moves_are_growth_beyond_births_and_deaths():
    start, planted = np.array([1000.0, 4000, 5000]), np.array([0.012, -0.003, 0.0])
    natural = np.array([0.004, 0.006, 0.002])
    population = grown(start, np.repeat((planted + natural)[:, None], 3, axis=1))
    result = trends(made(population, natural=natural[:, None]))
    np.testing.assert_allclose(result.net_moves.mean, planted, atol=5e-5)
    np.testing.assert_allclose(result.natural, natural, rtol=1e-12)


def test_what_the_country_gains_is_no_migration():
    random = np.random.default_rng(8)
    start, planted = random.uniform(500, 9000, 7), random.normal(0, 0.01, 7)
    planted -= (planted * start).sum() / start.sum()
    for gain in (0.0, 0.004, -0.004):
        population = grown(start, np.repeat(planted[:, None] + gain, 4, axis=1))
        np.testing.assert_allclose(trends(made(population)).net_moves.mean, planted, atol=1e-4)


def test_equal_growth_is_no_move_at_all():
    population = grown([100.0, 9000, 20], np.full((3, 4), 0.02))
    np.testing.assert_allclose(trends(made(population)).net_moves.mean, 0, atol=1e-15)


@pytest.mark.parametrize("name", ["revised", "first_published", "known_by_2015", "to_2023"])
def test_net_moves_of_the_shipped_windows_cancel(name):
    people = window(name).population.mean(axis=1)
    moved = found(name).net_moves.mean * people
    assert abs(moved.sum()) < 5e-3 * np.abs(moved).sum()
    assert np.abs(moved).sum() > 100


def test_intervals_count_by_their_length():
    rates = np.array([[0.02, 0.02, 0.0, 0.0]])
    yearly = grown([1000.0, 1000.0], np.vstack([rates, -rates]))
    gaps = made(yearly[:, [0, 2, 4]], natural=np.array([0.01, 0.03]), years=(2010, 2012, 2014))
    np.testing.assert_allclose(trends(gaps).natural, 0.02, rtol=1e-12)
    longer = Window(
        gaps.codes, (2010, 2011, 2014), gaps.population, gaps.urban_share, gaps.natural_rate
    )
    np.testing.assert_allclose(trends(longer).natural, (0.01 + 3 * 0.03) / 4, rtol=1e-12)
    np.testing.assert_allclose(trends(gaps).net_moves.mean, [0.01, -0.01], atol=3e-4)


def test_the_slope_joins_both_ends_on_the_logit_scale():
    share = expit(np.array([[-0.4, -0.25, 0.1, 0.2], [1.0, 1.1, 0.9, 1.3]]))
    result = trends(made(np.full((2, 4), 1000.0), share=share))
    np.testing.assert_allclose(result.slope.mean, [0.2, 0.1], rtol=1e-9)
    np.testing.assert_allclose(logit(np.array([0.5, 0.75])), [0, np.log(3)], atol=1e-12)


# Persistence, damping and forecasts.


def test_persistence_is_the_slope_between_two_tables():
    earlier = np.array([120.0, -80, 30, -70])
    later = 0.7 * earlier + np.array([3.0, -1, -4, 2])
    people = np.full((4, 3), 1000.0)
    result = trends(made(people, earlier=earlier, later=later))
    assert result.persistence == pytest.approx(np.polyfit(earlier, later, 1)[0], rel=1e-12)
    assert trends(made(people, earlier=earlier)).persistence == 1
    assert trends(made(people)).persistence == 1


def test_expected_pools_slopes_and_damps_moves():
    slope, net = (
        Drift(np.array(mean), np.array([0.01, 0.01]), 5) for mean in ([0.02, 0.06], [0.01, -0.02])
    )
    said = Trends(slope, net, np.zeros(2), persistence=0.64, pooling=0.25)
    both = said.expected(pooled=True, damped=True, years_ahead=2.5)
    np.testing.assert_allclose(both[0], [0.025, 0.055], rtol=1e-12)
    np.testing.assert_allclose(both[1], [0.008, -0.016], rtol=1e-12)
    assert both[2] == pytest.approx(0.8)
    neither = said.expected(pooled=False, damped=False, years_ahead=2.5)
    np.testing.assert_array_equal(neither[0], slope.mean)
    np.testing.assert_array_equal(neither[1], net.mean)
    assert neither[2] == 1
    assert said.expected(pooled=False, damped=True, years_ahead=5)[2] == pytest.approx(0.64)
    assert said.expected(pooled=False, damped=True, years_ahead=0)[2] == 1


def test_the_shipped_windows_say_what_earlier_trials_found():
    """Slope between the tables .67; 22 % of the variance of the revised slopes is noise."""
    assert found("revised").persistence == pytest.approx(0.67, abs=0.005)
    assert found("revised").pooling == pytest.approx(0.22, abs=0.02)
    assert found("known_by_2015").persistence == 1


# Refusals.


@pytest.mark.parametrize("years", [(2015,), (2014, 2015)])
def test_too_few_years_are_named(years):
    shape = (2, len(years))
    with pytest.raises(DataError, match=rf"to 2015 \| has too few years to fit \({len(years)}\)"):
        made(np.full(shape, 1000.0), years=years)
