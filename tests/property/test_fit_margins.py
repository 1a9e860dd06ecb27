"""Moves of the base year for any people and any trend: what was asked for comes about."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hukou_opt.fit.margins import Stocks, between_regions, inside_regions
from hukou_opt.parameters import load_parameters
from hukou_opt.regions.vital import growth_by_group

PARAMETERS = load_parameters()
RETURNS, FLOOR = 0.045, 0.3
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cases(draw, least=1):
    """People, and what is expected of them: slope, net moves, natural growth by region."""
    size = draw(st.integers(least, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    urban = random.uniform(300, 6000, size)
    migrants = random.uniform(0.15, 0.4, size) * urban
    inflow = random.dirichlet(np.ones(size), size).T + np.eye(size)
    stocks = Stocks(
        rural=random.uniform(300, 5000, size),
        urban_hukou=urban - migrants,
        migrants=inflow / inflow.sum(axis=0) * migrants,
    )
    wide = draw(st.sampled_from([0.2, 1.0, 3.0]))
    slope = random.normal(0.05, 0.02 * wide, size)
    net = random.normal(0, 0.004 * wide, size)
    return stocks, slope, net, random.normal(0.004, 0.003, size)


def growth(stocks, natural):
    return growth_by_group(
        natural * stocks.total,
        stocks.rural,
        stocks.migrants_here,
        stocks.urban_hukou,
        PARAMETERS,
    )


def change(stocks, rates, moves):
    """Yearly change of country and town, counted person by person as the model counts them."""
    country, town = np.zeros(len(stocks.rural)), np.zeros(len(stocks.rural))
    for i in range(len(country)):
        country[i] += rates[0][i] * stocks.rural[i]
        town[i] += rates[2][i] * stocks.urban_hukou[i]
        settled = stocks.urban_hukou[i] / (stocks.urban_hukou[i] + stocks.rural[i])
        country[i] += (1 - settled) * moves.other[i]
        town[i] += settled * moves.other[i]
        for j in range(len(country)):
            town[j] += rates[1][j] * stocks.migrants[i, j]
            country[i] -= moves.matrix[i, j]
            town[j] += moves.matrix[i, j]
            town[j] -= RETURNS * stocks.migrants[i, j]
            country[i] += RETURNS * stocks.migrants[i, j]
    return country, town


def asked_for(stocks, slope, net, natural, country, town):
    """Slope, net moves and growth of the country that the changes mean; each should be zero."""
    total, share = stocks.total, stocks.urban / stocks.total
    all_people = country + town
    rise = town / total - share * all_people / total
    moved = all_people - natural * total
    wanted = net * total - total * (net @ total) / total.sum()
    return rise / (share * (1 - share)) - slope, (moved - wanted) / total, moved.sum() / total.sum()


@SETTINGS
@given(cases())
def test_moves_between_regions_give_the_slope_and_the_net_moves_asked_for(case):
    stocks, slope, net, natural = case
    rates = growth(stocks, natural)
    moves = between_regions(stocks, rates, slope, net, natural, return_rate=RETURNS, floor=FLOOR)
    assert (moves.matrix >= 0).all()
    assert (moves.other == 0).all()
    assume(not moves.floored)
    for missing in asked_for(*case, *change(stocks, rates, moves)):
        np.testing.assert_allclose(missing, 0, atol=1e-8)


@SETTINGS
@given(cases())
def test_moves_inside_regions_give_the_same_with_net_moves_beside_them(case):
    stocks, slope, net, natural = case
    rates = growth(stocks, natural)
    moves = inside_regions(stocks, rates, slope, net, natural, return_rate=RETURNS)
    assert (moves.matrix >= 0).all()
    assert np.count_nonzero(moves.matrix - np.diag(np.diag(moves.matrix))) == 0
    # Net moves leave the country as it is.
    assert moves.other.sum() == pytest.approx(0, abs=1e-9 * stocks.total.sum())
    slopes, moved, country = asked_for(*case, *change(stocks, rates, moves))
    np.testing.assert_allclose(moved, 0, atol=1e-9)
    assert country == pytest.approx(0, abs=1e-9)
    free = np.ones(len(slope), dtype=bool)
    free[list(moves.floored)] = False
    np.testing.assert_allclose(slopes[free], 0, atol=1e-9)
    # A region at its floor urbanises faster than asked for: nobody can move a negative number.
    assert (slopes[~free] > 0).all()


@SETTINGS
@given(cases(least=2))
def test_every_margin_is_at_least_its_part_of_the_returns(case):
    stocks, slope, net, natural = case
    moves = between_regions(
        stocks, growth(stocks, natural), slope, net, natural, return_rate=RETURNS, floor=FLOOR
    )
    leaving = FLOOR * RETURNS * stocks.migrants.sum(axis=1)
    assert (moves.matrix.sum(axis=1) >= leaving * (1 - 1e-9)).all()
    assume(not moves.floored)
    arriving = FLOOR * RETURNS * stocks.migrants_here
    assert (moves.matrix.sum(axis=0) >= arriving * (1 - 1e-9)).all()


@SETTINGS
@given(cases(least=2))
def test_the_country_loses_and_gains_nobody_by_moves_even_at_the_floor(case):
    stocks, slope, net, natural = case
    rates = growth(stocks, natural)
    moves = between_regions(stocks, rates, slope, net, natural, return_rate=RETURNS, floor=FLOOR)
    country, town = change(stocks, rates, moves)
    expected = (natural * stocks.total).sum()
    assert (country + town).sum() == pytest.approx(expected, abs=1e-8 * stocks.total.sum())


@SETTINGS
@given(cases(least=2), st.permutations(range(6)))
def test_the_order_of_regions_does_not_matter(case, order):
    stocks, slope, net, natural = case
    at = [each for each in order if each < len(slope)]
    turned = Stocks(stocks.rural[at], stocks.urban_hukou[at], stocks.migrants[np.ix_(at, at)])
    one = between_regions(
        stocks, growth(stocks, natural), slope, net, natural, return_rate=RETURNS, floor=FLOOR
    )
    other = between_regions(
        turned,
        growth(turned, natural[at]),
        slope[at],
        net[at],
        natural[at],
        return_rate=RETURNS,
        floor=FLOOR,
    )
    np.testing.assert_allclose(other.matrix, one.matrix[np.ix_(at, at)], rtol=1e-6, atol=1e-6)
    assert sorted(at[each] for each in other.floored) == list(one.floored)
