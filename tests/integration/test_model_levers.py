"""What the reform's levers may and may not do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import xarray as xr
from synthetic_base_year import YEARS, base_year, parameters

from hukou_opt import bundled
from hukou_opt.dynamics import PysdEngine, model_constants, no_decisions

COLUMNS = (
    "urban_hukou_residents", "rural_residents", "migrants", "migrant_children", "rural_children",
    "urban_seats", "rural_seats", "land_abandoned", "land_farmed", "settlers",
    "cumulative_settlers", "abandoned_share", "tension", "migrant_place_share_year_end",
)  # fmt: skip
#: Every lever of the reform, moved as far as it goes.
LEVERS = {
    "openness_reform_mega": 1.0,
    "opening_start_mega": 2025,
    "opening_end_mega": 2026,
    "opening_start_small": 2023,
    "opening_end_small": 2024,
    "cluster_recognition": 0.0,
    "keep_pilot_share": 1.0,
    "keep_full_share": 0.5,
    "land_compensation_reform": 1.0,
    "land_swap_share": 1.0,
    "settling_grant": 2.0,
    "housing_subsidy": 1.8,
    "exam_opening": 0.0,
    "contribution_years": 0.0,
    "pilot_share_mega": 0.5,
    "capacity_led_opening": 1.0,
    "rent_exponent": 1.0,
    "rent_offer": 1.0,
    "equal_enrolment": 0.0,
    "trusteeship": 0.0,
    "platform": 0.0,
}


@pytest.fixture(scope="module")
def base():
    return base_year()


@pytest.fixture(scope="module")
def engine(base):
    return PysdEngine(bundled.model(), base.codes, YEARS, time_step=1.0)


@pytest.fixture(scope="module")
def simulate(base, engine):
    def run(*, reform, funded=1.0, loose=False, **changes) -> xr.Dataset:
        registry = parameters().override(changes, allow_out_of_range=loose)
        engine.reset(model_constants(base, registry, reform=reform))
        nothing = no_decisions(base.codes, YEARS)
        decisions = replace(nothing, funded_share=nothing.funded_share * funded)
        return engine.run(decisions, COLUMNS).data

    return run


@pytest.fixture(scope="module")
def plain(simulate):
    return simulate(reform=False)


@pytest.fixture(scope="module")
def reform(simulate):
    return simulate(reform=True)


def test_without_reform_no_lever_and_no_money_matters(simulate, plain):
    xr.testing.assert_identical(simulate(reform=False, funded=0.2, **LEVERS), plain)


def test_the_reform_moves_the_hukou_rate(plain, reform):
    gain = reform["urban_hukou_residents"] - plain["urban_hukou_residents"]
    assert float(gain.sel(year=2033).min()) > 0
    # No lever is a step at the base year.
    assert float(abs(gain.sel(year=2023)).max()) == 0
    # Levers act from the first step on; what stands at the start is the same.
    for name in ("urban_hukou_residents", "rural_residents", "migrants"):
        xr.testing.assert_equal(reform[name].sel(year=2023), plain[name].sel(year=2023))


def test_where_all_doors_are_shut_nobody_settles(simulate):
    shut = {
        f"openness_{when}_{size}": 0.0
        for when in ("base", "reform")
        for size in ("mega", "large", "small")
    }
    run = simulate(reform=True, loose=True, cluster_recognition=0.0, **shut)
    assert float(run["cumulative_settlers"].max()) == 0


def test_a_reform_without_money_settles_no_fewer_than_none(simulate, plain, reform):
    unpaid = simulate(reform=True, funded=0.0, equal_enrolment=0.0)
    # Same people, same rules for places: only what the reform adds is cut off. The levers on land
    # still move a few people between village and town.
    ratio = unpaid["cumulative_settlers"].sel(year=2033) / plain["cumulative_settlers"].sel(
        year=2033
    )
    assert float(ratio.min()) > 0.99
    half = simulate(reform=True, funded=0.5)
    for year in (2026, 2033):
        full = reform["cumulative_settlers"].sel(year=year)
        assert bool((half["cumulative_settlers"].sel(year=year) < full).all())


def test_keeping_land_raises_abandonment_unless_land_is_in_trust(simulate):
    off = {"trusteeship": 0.0, "platform": 0.0}
    keep = simulate(reform=True, **off)
    give = simulate(reform=True, keep_pilot_share=0.0, keep_full_share=0.0, **off)
    trust = simulate(reform=True)
    shares = [float(run["abandoned_share"].sel(year=2033).mean()) for run in (give, keep, trust)]
    assert shares[1] >= shares[0]
    assert shares[2] < shares[1]
    settled = [float(run["cumulative_settlers"].sel(year=2033).sum()) for run in (give, keep)]
    assert settled[1] > settled[0]


def test_a_window_without_length_is_a_step(simulate):
    run = simulate(reform=True, opening_start_large=2027, opening_end_large=2027)
    assert bool((run["settlers"] > 0).all())


def test_seats_bring_migrant_children_into_public_schools(base, engine, reform):
    engine.reset(model_constants(base, parameters(), reform=True))
    nothing = no_decisions(base.codes, YEARS)
    starts = nothing.starts.copy()
    starts.loc[{"area": "urban", "service": "seats", "year": 2024}] = 5.0
    built = engine.run(replace(nothing, starts=starts), COLUMNS).data
    name = "migrant_place_share_year_end"
    before, after = reform[name].sel(year=2026), built[name].sel(year=2026)
    assert bool((after >= before).all())
    assert float((after - before).max()) > 0
    places = replace(nothing, temporary_places=nothing.temporary_places + 5.0)
    bought = engine.run(places, COLUMNS).data
    assert float((bought[name] - reform[name]).sel(year=2024).max()) > 0
    # Decisions do not change the base year.
    assert float(abs(bought[name] - reform[name]).sel(year=2023).max()) == 0


@pytest.mark.slow
def test_half_the_step_changes_little(base):
    """National stocks by less than 0.5 %, regional ones by less than 1.5 %."""
    results = []
    for step in (0.25, 0.125):
        engine = PysdEngine(bundled.model(), base.codes, YEARS, time_step=step)
        engine.reset(model_constants(base, parameters(), reform=True))
        results.append(engine.run(no_decisions(base.codes, YEARS), COLUMNS).data)
    coarse, fine = results
    for name in COLUMNS[:9]:
        assert float(abs(coarse[name] / fine[name] - 1).max()) < 0.015, name
    for name in COLUMNS[:7]:
        dims = [dim for dim in coarse[name].dims if dim != "year"]
        assert float(abs(coarse[name].sum(dims) / fine[name].sum(dims) - 1).max()) < 0.005, name
    # Levers that begin with a ramp are followed half a step late: 0.1 points of farmland, and
    # settlers since the start that differ in the first years and agree at the end of the plan.
    assert float(abs(coarse["abandoned_share"] - fine["abandoned_share"]).max()) < 0.001
    settled = [run["cumulative_settlers"].sel(year=2033).sum("region") for run in results]
    assert abs(float(settled[0] / settled[1]) - 1) < 0.005
