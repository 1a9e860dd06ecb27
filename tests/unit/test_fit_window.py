"""The model reproduces the window, and runs on from a past base year as from any other."""

from __future__ import annotations

import numpy as np
import pytest
from past_cases import WINDOW, fitted, found, known, registry, window

from hukou_opt import bundled
from hukou_opt.dynamics import PysdEngine, check_trajectory, no_decisions
from hukou_opt.fit import forecast
from hukou_opt.fit.forecast import children_of, constants, hukou_rates, run, start
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.regions.base_year import CONTRACT

NAME = "first_published"
PROTOCOL = load_protocol()
TEST = PROTOCOL.tests[NAME]
PRIMARY = PROTOCOL.forms[PROTOCOL.primary]
#: What calibration promises, and what a reader of tables could see.
CLOSE = 1e-5


@pytest.fixture(scope="module")
def path():
    return run(fitted(NAME).begun, WINDOW, registry())


@pytest.fixture(scope="module")
def free():
    """Regions whose margins are not at their floor."""
    fit = fitted(NAME)
    assert len(fit.fixed) <= 4
    return np.setdiff1d(np.arange(31), fit.fixed)


def begun(form, name=NAME):
    """Base year of a form, from the window's own trends."""
    test = PROTOCOL.tests[name]
    return start(
        known(name, test.last),
        found(name),
        form,
        registry(),
        until=test.target,
        years_ahead=test.years_ahead,
    )


# The window.


def test_the_run_begins_with_the_figures_of_the_first_year(path):
    figures = window(NAME)
    np.testing.assert_allclose(path["residents"][0], figures.population[:, 0], rtol=1e-12)
    share = path["urban_residents"] / path["residents"]
    np.testing.assert_allclose(share[0], figures.urban_share[:, 0], rtol=1e-12)
    assert path["year"].values.tolist() == list(range(2010, 2016))


def test_the_run_ends_with_the_urban_shares_of_the_last_year(path, free):
    share = (path["urban_residents"] / path["residents"])[-1].values
    np.testing.assert_allclose(share[free], window(NAME).urban_share[free, -1], atol=CLOSE)


def test_the_run_has_the_net_moves_of_the_window(path, free):
    total = path["residents"].values
    middle = (total[1:] + total[:-1]) / 2
    residual = np.diff(total, axis=0) / middle - found(NAME).natural
    residual -= (residual * middle).sum(axis=1, keepdims=True) / middle.sum(axis=1, keepdims=True)
    missing = (residual.mean(axis=0) - found(NAME).net_moves.mean)[free]
    # What regions at their floor keep, the others share in equal parts.
    shared = np.average(missing, weights=total[0][free])
    np.testing.assert_allclose(missing - shared, 0, atol=CLOSE)
    assert abs(shared) < 1e-3


def test_residents_of_the_last_year_are_close_to_the_figures(path, free):
    """Up to what the country gains beyond births and deaths, and what regions at the floor keep."""
    ends = path["residents"][-1].values[free], window(NAME).population[free, -1]
    np.testing.assert_allclose(ends[0] / ends[1], np.median(ends[0] / ends[1]), atol=2e-3)


def test_calibration_changes_means_and_keeps_errors():
    fit = fitted(NAME)
    assert fit.remaining < CLOSE
    np.testing.assert_array_equal(fit.trends.slope.error, found(NAME).slope.error)
    np.testing.assert_array_equal(fit.trends.net_moves.error, found(NAME).net_moves.error)
    assert fit.trends.persistence == found(NAME).persistence
    assert not np.allclose(fit.trends.slope.mean, found(NAME).slope.mean, atol=1e-4)


def test_uncalibrated_trends_would_not_reproduce_the_window(free):
    """Otherwise the iteration were for nothing, and the tests above could not fail."""
    test = PROTOCOL.tests[NAME]
    plain = start(
        known(NAME, test.first),
        found(NAME),
        WINDOW,
        registry(),
        until=test.last,
        years_ahead=0.0,
    )
    end = run(plain, WINDOW, registry()).isel(year=-1)
    share = (end["urban_residents"] / end["residents"]).values
    assert np.abs(share - window(NAME).urban_share[:, -1])[free].max() > 1e-3


# The base year.


def test_the_base_year_keeps_the_contract():
    data = begun(PRIMARY).base.data
    sizes = {"region": 31, "dest": 31, "year": 5, "year0": 6, "tier": 3}
    for name, (dims, unit) in CONTRACT.items():
        assert data[name].dims == dims
        assert data[name].shape == tuple(sizes[dim] for dim in dims)
        assert data[name].attrs["unit"] == unit
        assert np.isfinite(data[name].values).all()
    assert data["year"].values.tolist() == [2016, 2017, 2018, 2019, 2020]
    shares = data["initial_destination_share"].sum("dest")
    np.testing.assert_allclose(shares, 1, atol=1e-9)


def test_beds_and_land_of_the_base_year_are_those_known():
    data, figures = begun(PRIMARY).base.data, known(NAME, 2015)
    beds = data["initial_urban_beds"] + data["initial_rural_beds"]
    np.testing.assert_allclose(beds, figures.beds)
    land = sum(data[f"initial_land_{each}"] for each in ("farmed", "transferred", "abandoned"))
    np.testing.assert_allclose(land, figures.land)


def test_net_moves_are_damped_by_the_years_between_the_middles():
    assert begun(PRIMARY).damping == pytest.approx(0.672, abs=1e-3)
    assert begun(PRIMARY, "to_2023").damping == pytest.approx(0.672**0.8, abs=1e-3)
    assert begun(PROTOCOL.forms["unshrunk"]).damping == 1
    assert begun(PRIMARY, "known_by_2015").damping == 1


def test_the_diagonal_form_keeps_moves_inside_regions():
    moves = begun(PROTOCOL.forms["diagonal"]).moves
    assert np.count_nonzero(moves.matrix - np.diag(np.diag(moves.matrix))) == 0
    assert moves.other.sum() == pytest.approx(0, abs=1e-9)
    assert np.abs(moves.other).max() > 1
    assert (begun(PRIMARY).moves.other == 0).all()


# The run.


@pytest.mark.parametrize("name", ["shrunken", "diagonal", "ceiling_80", "access_held"])
def test_past_runs_keep_every_balance(name):
    form = PROTOCOL.forms[name]
    base = begun(form)
    years = tuple(range(2016, 2021))
    machine = forecast.engine(base.base.codes, years)
    machine.reset(constants(base, form, registry()))
    decisions = forecast._decisions(base, years, np.full(31, 0.5))
    checks = check_trajectory(
        machine.run(decisions), decisions, class_stretch=registry()["class_stretch"]
    )
    assert len(checks) > 10
    assert all(each.holds for each in checks)


def test_pysd_gives_the_same_past_as_the_arrays(tmp_path, monkeypatch):
    monkeypatch.setenv("HUKOU_OPT_CACHE", str(tmp_path))
    form = PROTOCOL.forms["diagonal"]
    base = begun(form)
    years = tuple(range(2016, 2021))
    slow = PysdEngine(bundled.model(), base.base.codes, years, time_step=forecast.TIME_STEP)
    slow.reset(constants(base, form, registry()))
    expected = slow.run(no_decisions(base.base.codes, years), forecast.READ).data
    path = run(base, form, registry())
    for name in forecast.READ:
        np.testing.assert_allclose(
            path[name].transpose("year", "region").values,
            expected[name].transpose("year", "region").values,
            rtol=1e-9,
        )


def test_a_ceiling_slows_towns_and_the_lower_one_more():
    def country(name):
        form = PROTOCOL.forms[name]
        end = run(begun(form), form, registry()).isel(year=-1)
        return float(end["urban_residents"].sum() / end["residents"].sum())

    assert country("ceiling_80") < country("ceiling_90") < country("shrunken")


def test_every_child_of_a_region_is_the_cohorts_child_moved():
    """The country's children are those of the cohorts; only where they live is the model's."""
    path = run(begun(PRIMARY), PRIMARY, registry())
    total = children_of(path).sum("region")
    for at, year in enumerate(range(2015, 2021)):
        expected = known(NAME, 2015).cohorts.of_school_age(year).sum()
        assert float(total[at]) == pytest.approx(expected, rel=5e-3)


def test_the_national_rate_is_urban_hukou_over_residents():
    path = run(begun(PRIMARY), PRIMARY, registry())
    rates = hukou_rates(path)
    assert float(rates[0]) == pytest.approx(known(NAME, 2015).hukou_rate, abs=1e-12)
    counted = sum(float(each) for each in path["urban_hukou_residents"][-1])
    assert float(rates[-1]) == pytest.approx(counted / float(path["residents"][-1].sum()))


def test_beds_begun_as_in_the_window_add_to_the_stock_and_never_take_away():
    base = begun(PRIMARY)

    def beds(added):
        path = run(base, PRIMARY, registry(), beds_added=added)
        return (path["urban_beds"] + path["rural_beds"]).values

    none, some = beds(None), beds(np.full(31, 1.0))
    np.testing.assert_allclose(none, none[0][None, :].repeat(6, 0), rtol=1e-6)
    assert (some[-1] > none[-1] + 1).all()
    assert (some[-1] < none[-1] + 5).all()
    np.testing.assert_allclose(beds(np.full(31, -1.0)), none)
