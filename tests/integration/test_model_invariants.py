"""Nothing is lost or made: the invariants hold, and a run that breaks one is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_base_year import YEARS, base_year, parameters, split

from hukou_opt import bundled
from hukou_opt.dynamics import (
    Decisions,
    PysdEngine,
    Trajectory,
    check_trajectory,
    model_constants,
    needs_from,
    no_decisions,
    standing_capacity,
)
from hukou_opt.errors import ModelError

REGISTRY = parameters().override({"reclassified_share": 0.2, "tension_brake": 0.3})
STRETCH = REGISTRY["class_stretch"]


def busy(codes):
    """Decisions of every kind, different in every region and year."""
    nothing = no_decisions(codes, YEARS)
    random = np.random.default_rng(11)
    starts = nothing.starts.copy(data=random.uniform(0, 4, nothing.starts.shape))
    starts = starts.where(starts["year"] <= 2033, 0.0)
    return Decisions(
        starts,
        nothing.temporary_places + random.uniform(0, 5, nothing.temporary_places.shape),
        nothing.funded_share * random.uniform(0.3, 1, nothing.funded_share.shape),
        nothing.bonds + random.uniform(0, 50, nothing.bonds.shape),
    )


@pytest.fixture(scope="module")
def base():
    return base_year()


@pytest.fixture(scope="module")
def engine(base):
    built = PysdEngine(bundled.model(), base.codes, YEARS)
    moves = xr.DataArray([6.0, -2.0, -4.0], {"region": list(base.codes)}, ("region",))
    built.reset(model_constants(base, REGISTRY, reform=True) | {"net_moves": moves})
    return built


@pytest.fixture(scope="module")
def decisions(base):
    return busy(base.codes)


@pytest.fixture(scope="module")
def run(engine, decisions):
    return engine.run(decisions)


def test_every_invariant_holds_with_all_levers_and_decisions(run, decisions):
    checks = check_trajectory(run, decisions, class_stretch=STRETCH)
    assert len(checks) > 50
    balances = [check for check in checks if ":" in check.name]
    assert max(check.worst for check in balances) < 1e-9


@pytest.mark.parametrize(
    ("variable", "change", "complaint"),
    [
        ("residents", 0.1, "people"),
        ("people_away", 0.1, "hukou: rural-hukou"),
        ("cumulative_settlers", 0.1, "settlers: those who arrive"),
        ("migrant_children", 0.1, "children: they change"),
        ("land_abandoned", 0.1, "land: farmed"),
        ("destination_share", 0.1, "migration: shares"),
        ("debt", 1.0, "debt: what was borrowed"),
        ("urban_beds_building", 0.1, "building: urban beds"),
        ("rural_seats", -1e6, "rural_seats is not negative"),
        ("willingness", 1.0, "willingness lies between"),
        ("migrant_place_share_year_end", 0.5, "children placed"),
        ("public_places_year_end", 500.0, "places do not exceed"),
        ("hukou_rate", 0.5, "hukou rate does not exceed"),
        ("seat_stage_rate", 5.0, "seats under construction leave"),
        ("migration_rate", np.nan, "rural residents leave"),
    ],
)
def test_a_broken_invariant_is_named_with_year_and_value(
    run, decisions, variable, change, complaint
):
    data = run.data.copy(deep=True)
    data[variable].loc[{"year": 2030}] += change
    broken = Trajectory(data, run.time_step, run.model)
    with pytest.raises(ModelError, match=complaint) as caught:
        check_trajectory(broken, decisions, class_stretch=STRETCH)
    assert any("2030" in fault.where for fault in caught.value.faults)


def euler(delay, depreciation, step, years):
    """Capacity at year ends of one unit started evenly over the first year, by hand."""
    begun = building = standing = 0.0
    path = []
    for year in range(years):
        for _ in range(round(1 / step)):
            start = 1.0 if year == 0 else 0.0
            first, second = 2 / delay * begun, 2 / delay * building
            begun += step * (start - first)
            building += step * (first - second)
            standing += step * (second - depreciation * standing)
        path.append(standing)
    return path


def test_standing_capacity_is_that_of_two_building_stages(engine, run, decisions):
    standing = standing_capacity(engine)
    for service in ("seat", "bed"):
        expected = euler(
            REGISTRY[f"{service}_building_delay"],
            REGISTRY[f"{service}_depreciation"],
            engine.time_step,
            len(YEARS),
        )
        assert standing.sel(service=f"{service}s").values == pytest.approx(expected, abs=1e-9)
    needs = needs_from(run, decisions, standing)
    # What ordinary budgets hold up without any start is what stands when the starts are taken out.
    base_seats = needs.start["capacity"].sel(area="urban", service="seats")
    existing = needs.data["existing_capacity"].sel(area="urban", service="seats")
    assert float(abs(existing / base_seats - 1).max()) < 1e-9
    assert needs.years.tolist() == list(YEARS)
    children = needs.data["children_hukou"] + needs.data["children_migrant"]
    need = needs.data["need"].sel(area="urban", service="seats")
    assert float(abs(need - children).max()) < 1e-9
    settled = needs.data["settlers"].sum("year")
    assert float(abs(settled - run.data["cumulative_settlers"].sel(year=2038)).max()) < 1e-9
    end, middle = needs.data["reform_settlers_end"], needs.data["reform_settlers"]
    assert float(abs(end - needs.data["settlers"].cumsum("year")).max()) < 1e-9
    assert float(abs(end - needs.data["settlers"] / 2 - middle).max()) < 1e-9


def test_a_region_cut_in_two_changes_no_total(base):
    """Equal halves outside any cluster, told apart by name only."""
    registry = parameters()
    totals = []
    for each in (base, split(base, "510000", ("510001", "510002"))):
        halves = PysdEngine(bundled.model(), each.codes, YEARS, time_step=1.0)
        halves.reset(model_constants(each, registry, reform=True))
        columns = ("urban_hukou_residents", "rural_residents", "migrants_here", "rural_seats",
                   "land_abandoned", "migrant_children", "need_urban_beds", "settlers")  # fmt: skip
        totals.append(halves.run(no_decisions(each.codes, YEARS), columns).data.sum("region"))
    for name, whole in totals[0].items():
        assert float(abs(totals[1][name] / whole.where(whole != 0, 1) - 1).max()) < 1e-9, name


def test_one_region_alone_runs_and_balances():
    """PySD cuts a range of one member down to that member; sums over it must still work."""
    alone = base_year(("1",))
    engine = PysdEngine(bundled.model(), alone.codes, YEARS)
    engine.reset(model_constants(alone, REGISTRY, reform=True))
    decisions = busy(alone.codes)
    run = engine.run(decisions)
    check_trajectory(run, decisions, class_stretch=STRETCH)
    assert run.data["migrants"].shape == (len(YEARS) + 1, 1, 1)
    assert float(run.data["settlers"].min()) > 0
