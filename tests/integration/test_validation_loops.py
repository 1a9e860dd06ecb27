"""The named loops: each link works in its direction, and a broken model is found out."""

from __future__ import annotations

import csv

import pytest
from synthetic_base_year import base_year, parameters

from hukou_opt import bundled
from hukou_opt.dynamics.validation import evaluate
from hukou_opt.dynamics.validation.loops import FILE, check_loops, load_loops, loops_from
from hukou_opt.errors import ModelError
from hukou_opt.parameters import load_parameters
from hukou_opt.regions import derive_base_year, load_regions

#: Loops that the specification of the model names.
NAMED = {f"R{number}" for number in range(1, 7)} | {f"B{number}" for number in range(1, 10)}
OFF_BY_DEFAULT = {
    "R7": ("settlement_cap_switch",),
    "B1a": ("urban_ceiling_switch",),
    "B5": ("tension_brake",),
    "D2": ("rent_exponent", "rent_offer"),
    "D3": ("settlement_cap_switch",),
    "D5": ("capacity_led_opening",),
}


def by_id(results):
    return {result.loop.id: result for result in results}


def statuses(result):
    return {(each.link.source, each.link.target): each.status for each in result.links}


@pytest.fixture(scope="module")
def base():
    return base_year()


@pytest.fixture(scope="module")
def sound(base):
    return by_id(check_loops(base, parameters(), time_step=1.0))


@pytest.fixture(scope="module")
def broken(base, tmp_path_factory):
    """The shipped model with one sign turned round and one link taken out."""
    folder = tmp_path_factory.mktemp("broken")
    text = bundled.model().read_text(encoding="utf-8")
    for whole, changed in (
        (
            "return_crowding*(1 - migrant_place_share[region])",
            "return_crowding*(1 + migrant_place_share[region])",
        ),
        ("*ceiling_factor[region]*rural_push[region]", "*ceiling_factor[region]"),
    ):
        assert text.count(whole) == 1
        text = text.replace(whole, changed)
    path = folder / "broken.mdl"
    path.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUKOU_OPT_CACHE", str(folder / "cache"))
        yield by_id(check_loops(base, parameters(), path=path, time_step=1.0, trust=True))


def test_every_named_loop_is_there():
    loops = load_loops()
    assert {loop.id for loop in loops} >= NAMED
    assert {loop.id for loop in loops if loop.outside} == {"R4a", "R5", "B3", "B3a", "B4", "B4a"}
    # Births are given: a driver.
    assert next(loop for loop in loops if loop.id == "B9").polarity == "driver"


def test_every_link_works_in_its_direction(sound):
    faults = [str(fault) for result in sound.values() for fault in result.faults]
    assert faults == []
    assert all(result.holds for result in sound.values())
    for result in sound.values():
        for each in result.links:
            if each.status == "holds":
                assert each.measured == each.link.sign
                assert each.elasticity is not None
                assert each.elasticity * each.link.sign > 0
                assert 0 < each.active <= 1


def test_every_loop_holds_on_the_provinces():
    registry = load_parameters()
    provinces = derive_base_year(load_regions(), registry)
    results = check_loops(provinces, registry, time_step=1.0)
    assert [str(fault) for result in results for fault in result.faults] == []
    # Figures are given for the largest province, unless a link does not react there.
    assert {each.region for each in results[0].links} == {"440000"}


def test_loops_that_are_off_say_which_parameter_switches_them_on(sound):
    off = {name: result.off_by_default for name, result in sound.items() if result.off_by_default}
    assert off == OFF_BY_DEFAULT


def test_elasticities_are_those_of_the_equations(sound):
    pull = {(each.link.source, each.link.target): each for each in sound["R1"].links}
    size = parameters()["destination_size_elasticity"]
    measured = pull["town_size", "destination_pull"]
    # One per cent is not nothing: the second order shows.
    assert measured.elasticity == pytest.approx(size, abs=0.01)
    assert measured.year == 2028
    assert pull["migrants", "migrants_here"].elasticity == pytest.approx(1)
    repaid = sound["B12"].links[-1]
    assert repaid.elasticity == pytest.approx(-parameters()["debt_repayment_rate"])


def test_a_turned_sign_is_found(broken):
    assert statuses(broken["B2c"])["migrant_place_share", "return_hazard"] == "wrong sign"
    assert not broken["B2c"].holds
    assert "wrong sign (expected -1, measured 1)" in str(broken["B2c"].faults[0])


def test_a_link_that_was_taken_out_is_found(broken):
    for loop in ("R2", "R3", "R3a", "B7"):
        assert statuses(broken[loop])["rural_push", "migration_rate"] == "missing"
        assert not broken[loop].holds
    for loop in ("R1", "R6", "B1", "B8"):
        assert broken[loop].holds


def test_a_link_that_a_parameter_switches_off_is_inactive(base):
    registry = parameters().override({"service_elasticity": 0.0}, allow_out_of_range=True)
    loops = [loop for loop in load_loops() if loop.id == "B2"]
    (result,) = check_loops(base, registry, loops=loops, time_step=1.0)
    found = next(each for each in result.links if each.link.target == "destination_pull")
    assert (found.status, found.measured, found.switch) == ("inactive", 0, "service_elasticity")
    assert not result.holds
    assert "once service_elasticity is changed" in str(result.faults[0])


def test_an_evaluation_that_leaves_the_run_is_refused(base, monkeypatch):
    monkeypatch.setitem(evaluate.FUNCTIONS, "sqrt", abs)
    loops = [loop for loop in load_loops() if loop.id == "B2"]
    with pytest.raises(ModelError, match=r"urban_access \| differs from the run"):
        check_loops(base, parameters(), loops=loops, time_step=1.0)


@pytest.mark.parametrize(
    ("row", "column", "value", "match"),
    [
        (0, "sign", "-", "against the product of its signs"),
        (0, "sign", "?", "has the sign"),
        (1, "from", "urban_share", "has a gap"),
        (7, "to", "residents", "does not close"),
        (0, "polarity", "driver", "has the polarity"),
    ],
)
def test_chains_that_are_none_are_refused(row, column, value, match):
    with FILE.open(encoding="utf-8", newline="") as handle:
        rows = [each for each in csv.DictReader(handle) if each["loop"] == "R1"]
    assert loops_from(rows)[0].id == "R1"
    rows[row][column] = value
    with pytest.raises(ModelError, match=match):
        loops_from(rows)
