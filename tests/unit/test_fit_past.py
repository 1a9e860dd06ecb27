"""Past base years: people and children add up to the figures they come from."""

from __future__ import annotations

import numpy as np
import pytest
from past_cases import TESTS, history, known, registry

from hukou_opt.errors import DataError
from hukou_opt.fit.cohorts import Cohorts
from hukou_opt.fit.outcome import outcome
from hukou_opt.fit.past import children, people
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.regions import load_regions
from hukou_opt.regions.estimates import AGE_GROUPS
from hukou_opt.regions.history import load_history

PROTOCOL = load_protocol()
BASES = [
    (name, year)
    for name in TESTS
    for year in (PROTOCOL.tests[name].first, PROTOCOL.tests[name].last)
]


@pytest.fixture(params=BASES, ids=lambda base: f"{base[0]}-{base[1]}")
def base(request):
    figures = known(*request.param)
    return figures, people(figures, registry())


def test_people_add_up_to_residents_townspeople_and_the_national_hukou_rate(base):
    figures, stocks = base
    np.testing.assert_allclose(stocks.total, figures.population, rtol=1e-12)
    np.testing.assert_allclose(stocks.urban / stocks.total, figures.urban_share, rtol=1e-12)
    rate = stocks.urban_hukou.sum() / figures.population.sum()
    assert rate == pytest.approx(figures.hukou_rate, abs=1e-12)
    for each in (stocks.rural, stocks.urban_hukou, stocks.migrants):
        assert (each >= 0).all()
    # Somebody from the region's own villages lives in its towns, everywhere.
    assert np.diag(stocks.migrants).min() > 0


def test_migrants_from_other_regions_are_a_multiple_of_those_counted(base):
    figures, stocks = base
    here = stocks.migrants.sum(axis=0)
    outside = here - np.diag(stocks.migrants)
    assert outside.sum() / here.sum() == pytest.approx(registry()["cross_province_share"])
    cap = registry()["cross_province_cap"] * here
    assert (outside <= cap * (1 + 1e-9)).all()
    free = outside < cap * (1 - 1e-6)
    multiples = (outside / figures.migrants_outside)[free]
    np.testing.assert_allclose(multiples, multiples[0], rtol=1e-9)
    assert ((outside / figures.migrants_outside)[~free] < multiples[0]).all()


def test_their_homes_follow_birthplaces_where_these_were_known(base):
    figures, stocks = base
    pattern = figures.birthplace
    if pattern is None:
        pattern = np.repeat(stocks.rural[:, None], len(stocks.rural), axis=1)
    off = ~np.eye(len(pattern), dtype=bool)
    for dest in range(len(pattern)):
        rows = off[:, dest]
        shares = stocks.migrants[rows, dest] / stocks.migrants[rows, dest].sum()
        np.testing.assert_allclose(shares, pattern[rows, dest] / pattern[rows, dest].sum())


def test_hukou_shares_keep_the_order_of_the_census_but_for_the_floor(base):
    figures, stocks = base
    ratio = stocks.urban_hukou / stocks.urban
    floor = registry()["hukou_floor_factor"] * figures.migrants_outside * figures.urban_share
    free = stocks.migrants_here > floor * (1 + 1e-9)
    order = np.argsort(figures.hukou_ratio[free])
    assert (np.diff(ratio[free][order]) >= -1e-12).all()
    moved = np.log(ratio / (1 - ratio)) - np.log(figures.hukou_ratio / (1 - figures.hukou_ratio))
    usual = free & (figures.hukou_ratio < 0.95)
    assert usual.sum() > 20
    np.testing.assert_allclose(moved[usual], moved[usual][0], atol=1e-9)


def test_children_add_up(base):
    figures, stocks = base
    groups = children(figures, stocks, registry())
    total = figures.cohorts.of_school_age(figures.year)
    np.testing.assert_allclose(groups.rural + groups.migrant + groups.urban_hukou, total)
    assert groups.migrant.sum() == pytest.approx(figures.migrant_children)
    assert min(groups.rural.min(), groups.migrant.min(), groups.urban_hukou.min()) > 0


def test_a_child_grows_one_year_older_every_year(base):
    figures, _ = base
    cohorts = figures.cohorts
    years = range(figures.year + 1, figures.year + 6)
    entering, leaving = cohorts.entrants(years), cohorts.leavers(years)
    for at, year in enumerate(years):
        np.testing.assert_allclose(
            cohorts.of_school_age(year),
            cohorts.of_school_age(year - 1) + entering[:, at] - leaving[:, at],
            rtol=1e-12,
        )
        np.testing.assert_array_equal(entering[:, at], cohorts.born(year - 6))
        np.testing.assert_array_equal(leaving[:, at], cohorts.born(year - 15))


# Cohorts by themselves.


def invented(births):
    random = np.random.default_rng(13)
    return Cohorts(
        census=2010,
        counted={column: random.uniform(10, 90, 3) for _, _, column in AGE_GROUPS},
        births={year: random.uniform(5, 20, 3) for year in births},
    )


@pytest.mark.parametrize("births", [range(1990, 2016), range(2005, 2016), range(2011, 2012), ()])
def test_single_ages_add_up_to_the_counted_group(births):
    cohorts = invented(births)
    for youngest, oldest, column in AGE_GROUPS:
        ages = [cohorts.born(2010 - age) for age in range(youngest, oldest + 1)]
        np.testing.assert_allclose(np.sum(ages, axis=0), cohorts.counted[column], rtol=1e-12)


def test_single_ages_weigh_as_national_births_where_all_are_known():
    cohorts = invented(range(2005, 2016))
    ratio = cohorts.born(2008) / cohorts.born(2007)
    expected = cohorts.births[2008].sum() / cohorts.births[2007].sum()
    np.testing.assert_allclose(ratio, expected, rtol=1e-12)
    # Births of 2001 to 2004 are not known: ages 5 to 9 weigh the same.
    np.testing.assert_allclose(cohorts.born(2005), cohorts.born(2001), rtol=1e-12)


def test_after_the_census_children_are_those_born():
    cohorts = invented(range(2005, 2016))
    np.testing.assert_array_equal(cohorts.born(2013), cohorts.births[2013])


@pytest.mark.parametrize("year", [1990, 2016])
def test_children_that_nothing_tells_are_named(year):
    with pytest.raises(DataError, match=f"children born in {year}"):
        invented(range(2005, 2016)).born(year)


def test_the_country_has_the_children_that_were_counted():
    """Pupils of compulsory school: 152.2 m in 2010, 140.0 m in 2015, 156.4 m in 2020."""
    for figures, pupils in (
        (known("first_published", 2010), 15_220),
        (known("first_published", 2015), 14_004),
        (known("to_2023", 2020), 15_640),
    ):
        total = figures.cohorts.of_school_age(figures.year).sum()
        assert total == pytest.approx(pupils, rel=0.15)
    counted = outcome(PROTOCOL.tests["revised"])[0]["children"].sum()
    assert counted == pytest.approx(15_640, rel=0.03)


# What happened.


@pytest.mark.parametrize("name", ["revised", "first_published", "known_by_2015"])
def test_the_reference_of_2020_is_the_census_and_nobody_forecasts_it(name):
    happened, rate = outcome(PROTOCOL.tests[name])
    census = load_regions(base=2020)
    np.testing.assert_array_equal(happened["population"], census.figure("census_pop"))
    np.testing.assert_array_equal(happened["urban_share"], census.figure("census_urban_share"))
    assert happened["population"].sum() == pytest.approx(140_978, abs=1)
    together = (happened["population"] * happened["urban_share"]).sum()
    # 63.89 % as published, which counts the armed forces as townspeople.
    assert together / happened["population"].sum() == pytest.approx(0.6389, abs=7e-4)
    assert rate == 0.454
    table = load_history()
    np.testing.assert_array_equal(happened["beds"], table.at("beds_total", 2020))


def test_the_reference_of_2023_is_the_year_end_series():
    happened, rate = outcome(PROTOCOL.tests["to_2023"])
    assert set(happened) == {"population", "urban_share", "beds"}
    table = load_history()
    np.testing.assert_array_equal(happened["population"], table.at("resident_pop", 2023))
    np.testing.assert_array_equal(happened["urban_share"], table.at("urban_share", 2023))
    assert rate == 0.483
    assert history("to_2023").codes == load_regions().codes
