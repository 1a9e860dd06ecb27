"""Doors that wait for schools: never wider than by date alone, and as wide where there is room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_base_year import YEARS, base_year, parameters

from hukou_opt import bundled
from hukou_opt.dynamics import ArrayEngine, Decisions, model_constants, no_decisions

BASE = base_year()
NOTHING = no_decisions(BASE.codes, YEARS)
COLUMNS = ("openness", "seat_coverage_standing", "cumulative_settlers")
EXAMPLES = settings(max_examples=25, deadline=None)
#: Pilot cities are open before the first step, so that a door can be seen at the start.
PILOTS = {"pilot_start": 2022, "pilot_end": 2022, "pilot_share_large": 1.0}
Simulate = Callable[..., xr.Dataset]


@pytest.fixture(scope="module")
def simulate() -> Simulate:
    engine = ArrayEngine(bundled.model(), BASE.codes, YEARS, time_step=0.5)

    def run(
        *,
        reform: bool = True,
        decisions: Decisions = NOTHING,
        seats: list[float] | None = None,
        **changes: float,
    ) -> xr.Dataset:
        registry = parameters().override(changes, allow_out_of_range=True)
        constants = model_constants(BASE, registry, reform=reform)
        if seats is not None:
            factor = xr.DataArray(seats, {"region": list(BASE.codes)}, ("region",))
            constants["initial_urban_seats"] = constants["initial_urban_seats"] * factor
        engine.reset(constants)
        return engine.run(decisions, COLUMNS).data

    return run


@pytest.fixture(scope="module")
def shut(simulate: Simulate) -> np.ndarray:
    """Openness without the reform, which no number of seats changes."""
    return simulate(reform=False)["openness"].values


@pytest.fixture(scope="module")
def by_date(simulate: Simulate) -> np.ndarray:
    """Openness by date alone, which no number of seats changes."""
    return simulate()["openness"].values


def door(coverage: np.ndarray, margin: float) -> np.ndarray:
    """A straight line from nothing at a lack of the margin to everything at full coverage."""
    return np.interp(coverage, [1 - margin, 1.0], [0.0, 1.0])


@EXAMPLES
@given(
    margin=st.floats(0.02, 0.3),
    degree=st.floats(0.0, 1.0),
    seats=st.lists(st.floats(0.5, 1.4), min_size=3, max_size=3),
)
def test_doors_open_as_far_as_seats_allow_and_never_further(
    simulate: Simulate,
    shut: np.ndarray,
    by_date: np.ndarray,
    margin: float,
    degree: float,
    seats: list[float],
) -> None:
    run = simulate(seats=seats, capacity_led_opening=degree, capacity_led_margin=margin)
    led, coverage = run["openness"].values, run["seat_coverage_standing"].values
    assert (led <= by_date).all()
    assert (led >= shut).all()
    np.testing.assert_array_equal(led[coverage >= 1], by_date[coverage >= 1])
    allowed = 1 - degree * (1 - door(coverage, margin))
    np.testing.assert_allclose(led, shut + allowed * (by_date - shut), rtol=0, atol=1e-12)


def test_full_and_empty_schools_both_occur_and_cost_settlers(simulate: Simulate) -> None:
    seats = [0.6, 1.0, 1.4]
    by_date = simulate(seats=seats)
    led = simulate(seats=seats, capacity_led_opening=1.0)
    coverage = led["seat_coverage_standing"].transpose("region", ...).values
    assert coverage[0, :5].max() < 0.9
    assert coverage[2].min() > 1
    narrower = (by_date["openness"] - led["openness"]).max("year")
    assert float(narrower[0]) > 0.05
    assert float(narrower[2]) == 0
    settled = [run["cumulative_settlers"].sel(year=2033) for run in (led, by_date)]
    assert float(settled[0][0]) < 0.95 * float(settled[1][0])


def test_the_switch_off_is_no_switch_at_all(simulate: Simulate) -> None:
    xr.testing.assert_identical(simulate(capacity_led_margin=0.3), simulate())
    # Without the reform there is nothing that could wait.
    xr.testing.assert_identical(
        simulate(reform=False, capacity_led_opening=1.0), simulate(reform=False)
    )


def test_bought_places_open_no_door_and_new_schools_do(simulate: Simulate) -> None:
    seats = [0.95, 0.95, 0.95]
    plain = simulate(seats=seats, capacity_led_opening=1.0, **PILOTS)
    by_date = simulate(seats=seats, **PILOTS)
    start = {"year": 2023}
    assert bool((plain["openness"] < by_date["openness"]).sel(start).all())
    places = replace(NOTHING, temporary_places=NOTHING.temporary_places + 50.0)
    bought = simulate(seats=seats, capacity_led_opening=1.0, decisions=places, **PILOTS)
    xr.testing.assert_equal(bought["openness"].sel(start), plain["openness"].sel(start))
    starts = NOTHING.starts.copy()
    starts.loc[{"area": "urban", "service": "seats", "year": 2024}] = 50.0
    schools = replace(NOTHING, starts=starts)
    built = simulate(seats=seats, capacity_led_opening=1.0, decisions=schools, **PILOTS)
    at = {"year": 2026}
    assert bool((built["openness"] >= plain["openness"]).sel(at).all())
    assert bool((built["openness"] > plain["openness"]).sel(at).any())
