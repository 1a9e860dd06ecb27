"""Nothing that became known later reaches a forecast: every later figure is made absurd."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from past_cases import TESTS, history, known, window
from poisoned import ABSURD, poison_regions, poisoned_history, rows

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError
from hukou_opt.fit.cohorts import Cohorts
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.fit.vintage import hukou_path, hukou_rate_at, known_at, window_of
from hukou_opt.regions import load_regions
from hukou_opt.regions.history import load_history

PROTOCOL = load_protocol()
SERIES = ("resident_pop_prerev", "urban_share_prerev", "birth_rate", "death_rate", "beds_total")


def flat(thing):
    """All figures of a window or of what is known, by name."""
    found = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, Cohorts):
            found |= {f"counted {name}": each for name, each in value.counted.items()}
            found |= {f"born {year}": each for year, each in value.births.items()}
            found["census"] = value.census
        else:
            found[field.name] = value
    return found


def same(one, other):
    one, other = flat(one), flat(other)
    return one.keys() == other.keys() and all(
        np.array_equal(np.asarray(one[name]), np.asarray(other[name])) for name in one
    )


@pytest.mark.parametrize("name", TESTS)
def test_figures_of_later_years_change_nothing(name, tmp_path, monkeypatch):
    test = PROTOCOL.tests[name]
    expected = window(name), known(name, test.first), known(name, test.last)
    folder = poisoned_history(tmp_path, test.known_by)
    poison_regions(monkeypatch, test.known_by)
    series = load_history(folder, known_by=test.known_by)
    assert same(window_of(series, test.vintage, test.first, test.last), expected[0])
    for year, each in zip((test.first, test.last), expected[1:], strict=True):
        found = known_at(series, test.vintage, year)
        assert same(found, each)
        assert all(np.abs(np.nan_to_num(value)).max() < ABSURD for value in numbers(found))
    table = load_regions(base=2010, known_by=test.known_by)
    assert hukou_path(table, 0, 9999) == {
        int(row["year"]): float(row["value"])
        for row in rows("national.csv")
        if row["variable"] == "hukou_urban_rate" and int(row["known_year"]) <= test.known_by
    }


def numbers(thing):
    for value in flat(thing).values():
        if isinstance(value, (float, np.ndarray)):
            yield np.asarray(value, dtype=float)


@pytest.mark.parametrize("name", TESTS)
def test_figures_of_the_last_year_of_the_vintage_do_count(name, tmp_path, monkeypatch):
    """The test above could not fail if the poison did not reach what is read."""
    test = PROTOCOL.tests[name]
    expected = window(name), known(name, test.last)
    folder = poisoned_history(tmp_path, test.known_by - 1)
    poison_regions(monkeypatch, test.known_by - 1)
    series = load_history(folder, known_by=test.known_by)
    with np.errstate(all="ignore"):
        found = (
            window_of(series, test.vintage, test.first, test.last),
            known_at(series, test.vintage, test.last),
        )
    assert not (same(found[0], expected[0]) and same(found[1], expected[1]))


@pytest.mark.parametrize("name", TESTS)
def test_no_year_of_a_window_lies_behind_its_end(name):
    test = PROTOCOL.tests[name]
    found = window(name)
    assert found.years == tuple(range(test.first, test.last + 1))
    base = known(name, test.last)
    assert base.cohorts.census <= test.last
    # Rates are published the year after.
    assert max(base.cohorts.births) <= test.known_by - 1
    assert np.isfinite(base.population).all()


def test_the_revised_series_is_refused_to_a_study_of_2015_year_by_year():
    then = load_history(known_by=2015)
    with pytest.raises(DataError) as caught:
        window_of(then, "revised", 2010, 2015)
    found = [str(fault) for fault in caught.value.faults]
    assert len(found) == 10
    for name in ("resident_pop", "urban_share"):
        for year in range(2011, 2016):
            assert any(
                f"{name} {year} | became known in 2021, after 2015" in each for each in found
            )


def test_the_figure_of_2015_is_refused_to_a_study_of_2015():
    then = load_history(known_by=2015)
    with pytest.raises(DataError, match=r"urban_share_prerev 2015 \| became known in 2016"):
        window_of(then, "first", 2010, 2015)
    with pytest.raises(DataError, match=r"resident_pop_prerev 2015 \| became known in 2016"):
        known_at(then, "first", 2015)
    assert window_of(then, "first", 2010, 2014).years[-1] == 2014


def test_the_census_of_2010_is_refused_before_it_was_published():
    with pytest.raises(DataError, match="became known too late"):
        known_at(load_history(known_by=2011), "first", 2010)


@pytest.mark.parametrize(("first", "last"), [(2014, 2015), (2015, 2015)])
def test_too_few_years_are_named(first, last):
    with pytest.raises(DataError, match=r"window \d+ to 2015 \| has too few years to fit"):
        window_of(load_history(known_by=2017), "first", first, last)


def test_a_year_without_figures_at_the_end_is_named():
    with pytest.raises(DataError, match=r"resident_pop 2022 \| is not in the table"):
        window_of(load_history(), "revised", 2015, 2022)


def test_a_gap_counts_as_one_interval_of_its_length():
    found = window_of(load_history(), "revised", 2018, 2023)
    assert found.years == (2018, 2019, 2020, 2023)
    assert found.steps.tolist() == [1, 1, 3]


# Natural growth, hukou rate.


def test_natural_growth_is_births_less_deaths_as_published():
    series = history("first_published")
    found = window("first_published").natural_rate
    for at, year in enumerate(range(2011, 2016)):
        expected = (series.at("birth_rate", year) - series.at("death_rate", year)) / 1000
        np.testing.assert_allclose(found[:, at], expected, rtol=1e-12)


def test_after_the_last_rates_of_the_regions_growth_moves_with_the_country():
    found = window("to_2023").natural_rate[:, -1]
    table = load_history()
    nation = {(r["variable"], r["year"]): float(r["value"]) for r in rows("national.csv")}
    births, deaths = (
        table.at(f"{each}_rate", 2019)
        / 1000
        * nation[f"{each}s", "2020"]
        / nation[f"{each}s", "2019"]
        for each in ("birth", "death")
    )
    np.testing.assert_allclose(found, births - deaths, rtol=1e-12)
    # The country's births fell by a sixth in 2020.
    assert (births < 0.85 * table.at("birth_rate", 2019) / 1000).all()


def test_a_hukou_rate_that_was_not_published_goes_on_from_the_two_before():
    table = load_regions(base=2010, known_by=2015)
    assert hukou_rate_at(table, 2013) == 0.3593
    assert hukou_rate_at(table, 2014) == pytest.approx(2 * 0.3593 - 0.3533)
    assert hukou_rate_at(load_regions(base=2010), 2014) == pytest.approx(2 * 0.3593 - 0.3533)


def test_a_hukou_rate_with_fewer_than_two_years_before_it_is_named():
    with pytest.raises(DataError, match="hukou"):
        hukou_rate_at(load_regions(base=2010, known_by=2011), 2011)
    with pytest.raises(DataError, match="hukou"):
        hukou_rate_at(load_regions(base=2010), 2009)


# A table of one's own.


@pytest.fixture
def own(tmp_path):
    """The series that a window needs, of all provinces, as a user would have them."""

    def write(years, **changed):
        table = pd.read_csv(data_folder() / "history.csv", dtype={"code": str})
        table = table.loc[table["year"].isin(years), ["code", "year", *SERIES]]
        path = tmp_path / "own.csv"
        table.assign(**changed).to_csv(path, index=False)
        return path

    return write


def test_a_planted_figure_of_2018_is_refused(own):
    path = own([*range(2005, 2015), 2018])
    with pytest.raises(DataError) as caught:
        load_history(path, known_by=2015)
    found = [str(fault) for fault in caught.value.faults]
    for name in SERIES:
        planted = [each for each in found if f"2018, column {name!r}" in each]
        (only,) = planted
        assert "31 regions (110000, " in only
        assert all("became known in 2019, after 2015: a planted figure" in e for e in planted)


def test_an_own_history_without_it_says_what_the_shipped_one_says(own):
    series = load_history(own(range(2005, 2015)), known_by=2015)
    found = window_of(series, "first", 2010, 2014)
    shipped = window("known_by_2015")
    for name in ("years", "population", "urban_share", "natural_rate"):
        np.testing.assert_array_equal(getattr(found, name), getattr(shipped, name))
    assert found.later_moves is None
    base = known_at(series, "first", 2014)
    np.testing.assert_array_equal(base.population, known("known_by_2015", 2014).population)
