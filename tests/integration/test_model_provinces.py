"""The model on the 31 provinces: invariants, official totals at the start, believable sizes."""

from __future__ import annotations

import pytest

from hukou_opt import bundled
from hukou_opt.dynamics import (
    PysdEngine,
    check_trajectory,
    model_constants,
    no_decisions,
)
from hukou_opt.parameters import load_parameters
from hukou_opt.regions import derive_base_year, load_regions

YEARS = range(2024, 2039)


@pytest.fixture(scope="module")
def registry():
    return load_parameters()


@pytest.fixture(scope="module")
def base(registry):
    return derive_base_year(load_regions(), registry)


@pytest.fixture(scope="module")
def engine(base):
    return PysdEngine(bundled.model(), base.codes, YEARS)


@pytest.fixture(scope="module", params=[False, True], ids=["no reform", "reform"])
def run(request, base, engine, registry):
    engine.reset(model_constants(base, registry, reform=request.param))
    decisions = no_decisions(base.codes, YEARS)
    trajectory = engine.run(decisions)
    check_trajectory(trajectory, decisions, class_stretch=registry["class_stretch"])
    return trajectory.data


def test_the_start_is_the_base_year(run, base):
    start = run.sel(year=2023)
    for name, initial in (
        ("rural_residents", "initial_rural_residents"),
        ("urban_hukou_residents", "initial_urban_hukou_residents"),
        ("urban_seats", "initial_urban_seats"),
        ("land_abandoned", "initial_land_abandoned"),
    ):
        assert float(abs(start[name] - base.data[initial]).max()) == 0, name
    assert float(start["residents"].sum()) == pytest.approx(140767, rel=0.002)
    share = start["urban_residents"].sum() / start["residents"].sum()
    assert float(share) == pytest.approx(0.661, abs=0.002)


def test_children_follow_the_cohort_table(run, base):
    entries = (base.data["school_entrants"] - base.data["school_leavers"]).sum("region")
    pupils = run["children"].sum("region")
    expected = float(pupils.sel(year=2023)) + entries.cumsum("year")
    assert float(abs(pupils.sel(year=expected["year"]) / expected - 1).max()) < 1e-9


def test_sizes_are_believable(run):
    """Wide bands around official series and projections; a slip of a factor falls outside."""
    nation = run.sum("region")
    urban = nation["urban_residents"] / nation["residents"]
    hukou = nation["urban_hukou_residents"] / nation["residents"]
    assert 0.66 < float(urban.sel(year=2024)) < 0.68
    assert 0.70 < float(urban.sel(year=2030)) < 0.74
    assert bool((urban.diff("year") > 0).all())
    assert bool((hukou.diff("year") > 0).all())
    # The rate alone says 8 to 16 million settlers a year; nothing observed comes near 40 million.
    assert 800 < float(nation["settlers"].sel(year=2023)) < 1600
    assert float(nation["settlers"].max()) < 4000
    assert 137000 < float(nation["residents"].sel(year=2033)) < 140000
    assert float(run["tension"].max()) < 1
