"""Checks of the model and its computation: each holds, and each is broken once on purpose."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from synthetic_base_year import base_year as fifteen_years
from synthetic_base_year import parameters

from hukou_opt import bundled
from hukou_opt.dynamics import PysdEngine, Trajectory, model_constants, no_decisions
from hukou_opt.dynamics.difference import Difference
from hukou_opt.dynamics.validation import balances, empty_regions, extreme, numerics, structural
from hukou_opt.dynamics.validation.empty_regions import EMPTY_REGIONS
from hukou_opt.dynamics.validation.extreme import CONDITIONS, Extremes
from hukou_opt.dynamics.validation.loops import trial_decisions
from hukou_opt.dynamics.validation.report import answered
from hukou_opt.errors import Fault, ModelError

#: Long enough for all children of the start to leave school age.
YEARS = tuple(range(2024, 2033))
LAST = YEARS[-1]
#: Faults put into copies of the model, several to a copy where they do not meet: what stands in the
#: file, and what is put in its place.
FAULTS: dict[str, dict[str, str]] = {
    "leaks": {
        # Doors do not matter; people, children and land come out of nothing.
        r"(funded_rate\[dest\]\*)(openness_to_origin\[region,dest\])": r"\1(\2 + 0.1)",
        r"(?m)^(entrants\[region\]=)": r"\1 1 +",
        r"(?m)^(rural_residents\[region\]=\s*INTEG\()": r"\g<1>0.001 + ",
        r"(?m)^(land_transferred\[region\]=\s*INTEG\()": r"\g<1>0.001 + ",
    },
    "dead levers": {
        # Nobody need be willing; caps are twice as wide; land is not taken up but given up; money
        # matters without the reform.
        r"willingness\[region\]\*funded_share_now\[region\]": "funded_share_now[region]",
        r"settlement_cap\*urban_hukou": "2*settlement_cap*urban_hukou",
        r"(?m)^(land_reclaimed\[region\]=)": r"\1 -0.1*",
        r"IF THEN ELSE\(reform > 0\.5, (SUM\(funded_share[^)]*\)), 1\)": r"\1",
    },
    "wrong signs": {
        # Crowding is nothing; places and ordinary settlement are never zero; tension speeds up.
        r"MIN(\(1, seat_coverage\[region\]\)\^seat_crowding_exponent)": r"MAX\1",
        r"MIN\(1, (hukou_first\*MAX\(0, public_places_year_end)": r"0.1 + MIN(1, \1",
        r"(ordinary_settlement\[region\]\*\(1 - )(funded_share_now)": r"\g<1>0.9*\2",
        r"(settlement_hazard_max\*\(1) -": r"\1 +",
    },
    "money repels": {
        r"willingness\[region\]\*funded_share_now\[region\]": (
            "willingness[region]*(1.5 - funded_share_now[region])"
        ),
    },
}  # fmt: skip
#: Which copy breaks which check.
BROKEN = {
    "extreme.doors_shut": "leaks",
    "extreme.no_births": "leaks",
    "extreme.no_villages": "leaks",
    "extreme.no_land": "leaks",
    "extreme.unwilling": "dead levers",
    "extreme.quiet_caps": "dead levers",
    "extreme.all_abandoned": "dead levers",
    "switch.reform": "dead levers",
    "extreme.no_seats": "wrong signs",
    "extreme.no_seats_settlers": "wrong signs",
    "extreme.no_money": "wrong signs",
    "extreme.backlash": "wrong signs",
    "extreme.half_money": "money repels",
}
#: Judged on made-up runs below: the model of invented regions has no true cohorts.
APART = {
    "extreme.no_births", "extreme.no_births_negative", "extreme.no_towns", "extreme.nobody",
}  # fmt: skip
ALL = (*CONDITIONS, *EMPTY_REGIONS)


@pytest.fixture(scope="module")
def base():
    whole = fifteen_years()
    short = whole.data.sel(year=list(YEARS), year0=[YEARS[0] - 1, *YEARS])
    return replace(whole, data=short)


@pytest.fixture(scope="module")
def case(base):
    return Extremes(bundled.model(), base, parameters())


@pytest.fixture(scope="module")
def copies(base, tmp_path_factory):
    """Copies of the model with faults, translated into a cache of their own."""
    text = bundled.model().read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("broken")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUKOU_OPT_CACHE", str(folder / "cache"))
        for name, faults in FAULTS.items():
            broken = text
            for found, put in faults.items():
                broken, number = re.subn(found, put, broken)
                assert number == 1, found
            path = folder / f"{name.replace(' ', '_')}.mdl"
            path.write_text(broken, encoding="utf-8")
            made[name] = Extremes(path, base, parameters(), trust=True)
        yield made


@pytest.fixture(scope="module")
def sound(case):
    found = [
        each
        for condition in ALL
        for each in answered(condition.questions, lambda c=condition: c.answer(case))
    ]
    return {finding.id: finding for finding in found}


def test_every_condition_is_asked_once(sound):
    asked = [question.id for condition in ALL for question in condition.questions]
    assert sorted(sound) == sorted(asked)
    assert set(BROKEN) | APART | {"extreme.rush"} == set(asked)


def test_the_model_withstands_extreme_conditions(sound):
    failed = [each for each in sound.values() if each.state != "pass" and each.id not in APART]
    assert failed == []


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_model_fails_the_condition(copies, name):
    condition = next(each for each in ALL if name in {q.id for q in each.questions})
    found = answered(condition.questions, lambda: condition.answer(copies[BROKEN[name]]))
    finding = next(each for each in found if each.id == name)
    assert finding.state == "fail"
    # By its figure, not because something else went wrong.
    assert not np.isnan(finding.figure)


def ones(*names, **values) -> xr.Dataset:
    coords = {"region": ["1", "2"], "year": [2023, 2024]}
    shape = (2, 2)
    return xr.Dataset(
        {
            name: (("region", "year"), np.full(shape, values.get(name, 1.0)))
            for name in (*names, *values)
        },
        coords,
    )


def test_children_left_over_or_below_zero_fail():
    none = dict.fromkeys(extreme.CHILDREN, 0.0)
    assert [f.state for f in extreme.judge_no_births(ones(**none))] == ["pass", "pass"]
    left = extreme.judge_no_births(ones(**none | {"rural_children": 2.0}))
    assert [finding.state for finding in left] == ["fail", "pass"]
    # Too few in one group, too many in another: the total is zero.
    below = none | {"rural_children": -2.0, "migrant_children": 2.0}
    found = extreme.judge_no_births(ones(**below))
    assert [finding.state for finding in found] == ["pass", "fail"]
    assert found[1].figure == 2.0
    assert "rural_children in 1, 2023" in found[1].detail


def test_a_village_that_is_overdrawn_fails():
    assert extreme.judge_rush(ones(urban_share=0.9, rural_residents=1.0)).state == "pass"
    assert extreme.judge_rush(ones(urban_share=1.1, rural_residents=1.0)).state == "fail"
    assert extreme.judge_rush(ones(urban_share=0.9, rural_residents=-1.0)).state == "fail"
    assert extreme.judge_rush(ones(urban_share=np.nan, rural_residents=1.0)).state == "fail"


def told(run):
    """Conditions put on nothing: what the run would give is given."""
    return SimpleNamespace(
        by_size=["1", "2"],
        zero=lambda *_: 0.0,
        run=run,
        with_reform=ones(urban_residents=5.0),
    )


@pytest.mark.parametrize(("towns", "state"), [(4.0, "pass"), (5.5, "fail"), (np.nan, "fail")])
def test_a_region_without_towns_that_draws_everybody_fails(towns, state):
    (finding,) = empty_regions.no_towns(told(lambda _: ones(urban_residents=towns)))
    assert finding.state == state


def test_a_region_without_people_that_cannot_be_computed_fails():
    def wrong(_):
        raise ModelError([Fault("residents[2]", "is not finite", "look")] * 3)

    assert empty_regions.nobody(told(lambda _: ones("residents")))[0].state == "pass"
    (finding,) = empty_regions.nobody(told(wrong))
    assert (finding.state, finding.figure) == ("fail", 3)
    assert "residents[2]" in finding.detail


# Balances


@pytest.fixture(scope="module")
def engine(base):
    built = PysdEngine(bundled.model(), base.codes, YEARS, time_step=1.0)
    built.reset(model_constants(base, parameters(), reform=True))
    return built


@pytest.fixture(scope="module")
def path(engine, base):
    decisions = trial_decisions(base)
    return balances.SimulatedPath("a busy path", engine.run(decisions), decisions)


def judged(*paths):
    found = balances.balances_of(paths, class_stretch=parameters()["class_stretch"])
    return {finding.id: finding for finding in found}


def test_every_balance_holds_with_a_figure(path):
    found = judged(path)
    assert set(found) == {question.id for question in balances.questions()}
    assert {finding.state for finding in found.values()} == {"pass"}


@pytest.mark.parametrize(
    ("variable", "change", "name"),
    [
        ("residents", 0.1, "people"),
        ("people_away", 0.1, "hukou"),
        ("cumulative_settlers", 0.1, "settlers"),
        ("migrant_children", 0.1, "children"),
        ("land_abandoned", 0.1, "land"),
        ("debt", 1.0, "debt"),
        ("destination_share", 0.1, "destinations"),
        ("urban_beds_building", 0.1, "building"),
        ("migrant_place_share_year_end", 0.5, "places"),
        ("hukou_rate", 0.5, "hukou_rate"),
        ("rural_seats", -1e6, "not_negative"),
        ("willingness", 1.0, "shares"),
        ("seat_stage_rate", 5.0, "rates"),
        ("residents", np.nan, "people"),
    ],
)
def test_a_broken_balance_fails_and_is_placed(path, variable, change, name):
    data = path.trajectory.data.copy(deep=True)
    data[variable].loc[{"year": 2030}] += change
    run = Trajectory(data, path.trajectory.time_step, path.trajectory.model)
    # The sound path beside it must not hide the broken one, in either order.
    broken = replace(path, words="the broken path", trajectory=run)
    for paths in ((broken, path), (path, broken)):
        finding = judged(*paths)[f"balance.{name}"]
        assert finding.state == "fail"
        assert "the broken path" in finding.detail
        assert "2030" in finding.detail


# Structure


def test_a_stock_with_a_nameless_flow_fails(tmp_path):
    assert structural.flows_of(bundled.model()).state == "pass"
    text = bundled.model().read_text(encoding="utf-8")
    found = "urban_seats_completed[region] - urban_seats_worn_out[region], initial"
    put = "urban_seats_completed[region] - seat_depreciation*urban_seats[region], initial"
    assert text.count(found) == 1
    copy = tmp_path / "nameless.mdl"
    copy.write_text(text.replace(found, put), encoding="utf-8")
    finding = structural.flows_of(copy, trust=True)
    assert (finding.state, finding.figure) == ("fail", 1)
    assert "urban_seats changes by" in finding.detail


def test_an_equation_in_wrong_units_fails(tmp_path):
    assert structural.units_of(bundled.model()).state == "pass"
    text = bundled.model().read_text(encoding="utf-8")
    copy = tmp_path / "units.mdl"
    copy.write_text(text.replace("land_transferred[region]/lease_term", "lease_term"), "utf-8")
    assert structural.units_of(copy, trust=True).state == "fail"


# Computation


def run_of(base, step=1.0):
    years = [int(year) for year in base.data["year"].values]
    built = PysdEngine(bundled.model(), base.codes, years, time_step=step)
    built.reset(model_constants(base, parameters(), reform=True))
    return built.run(no_decisions(base.codes, years), numerics.READ)


@pytest.fixture(scope="module")
def plain(base):
    return run_of(base)


def test_the_step_is_judged_by_nation_region_end_and_first_year(base):
    coarse, fine = (run_of(base, step) for step in (0.25, 0.125))
    found = numerics.judge_step(coarse, fine, LAST)
    assert [finding.id for finding in found] == [
        "numerics.step_nation",
        "numerics.step_region",
        "numerics.step_settlers",
        "numerics.step_first_year",
    ]
    assert [finding.state for finding in found[1:]] == ["pass"] * 3
    assert 0 < found[0].figure < 0.01

    def changed(name, factor, **where):
        data = coarse.data.copy(deep=True)
        data[name].loc[where] *= factor
        return numerics.judge_step(replace(coarse, data=data), fine, LAST)

    assert changed("rural_residents", 1.01)[0].state == "fail"
    assert changed("land_farmed", 1.03, region="420000")[1].state == "fail"
    assert changed("cumulative_settlers", 1.02, year=LAST)[2].state == "fail"
    assert changed("cumulative_settlers", 1.2, year=2024)[3].state == "fail"
    assert changed("migrants", np.nan, year=LAST)[0].state == "fail"


def test_a_region_cut_in_two_changes_no_total(base, plain):
    # A region inside a city cluster: the case that is easy to get wrong.
    code = "110000"
    assert float(base.data["same_cluster"].sel(region=code, dest="420000")) == 1
    halves = numerics.split_region(base, code)
    assert len(halves.codes) == len(base.codes) + 1
    cut = run_of(halves).data
    assert numerics.judge_split(plain.data, cut, code).state == "pass"
    # Halves that recognise each other as a city cluster, which the whole did not.
    cluster = xr.ones_like(halves.data["same_cluster"])
    wrong = replace(halves, data=halves.data.assign(same_cluster=cluster))
    assert numerics.judge_split(plain.data, run_of(wrong).data, code).state == "fail"


def test_the_largest_region_is_found(base):
    people = base.data["initial_rural_residents"] + base.data["initial_urban_hukou_residents"]
    assert float(people.sel(region=numerics.largest_region(base))) == float(people.max())


def test_a_run_that_is_stopped_ends_where_an_unbroken_one_does(engine, base):
    busy = trial_decisions(base)
    unbroken = engine.run(busy, numerics.READ).data
    resumed = numerics.stopped_and_resumed(engine, busy, 2026, numerics.READ)
    assert numerics.judge_restart(unbroken, resumed, 2026).state == "pass"
    # A second part that forgets its decisions.
    forgetful = replace(busy, starts=busy.starts.where(busy.starts["year"] <= 2026, 0.0))
    other = numerics.stopped_and_resumed(engine, forgetful, 2026, numerics.READ)
    assert numerics.judge_restart(unbroken, other, 2026).state == "fail"


def test_the_order_of_regions_does_not_matter(base, plain):
    turned = numerics.reversed_regions(base)
    assert turned.codes == base.codes[::-1]
    other = run_of(turned).data
    assert numerics.judge_order(plain.data, other).state == "pass"
    # Labels that are put on without turning the values.
    mixed = other.assign_coords(region=list(base.codes))
    assert numerics.judge_order(plain.data, mixed).state == "fail"


def test_a_second_reader_that_differs_fails(engine, base, path, monkeypatch):
    constants = model_constants(base, parameters(), reform=True)
    arguments = (Path(bundled.model()), engine, constants, path.decisions)
    found = numerics.second_reader_of(*arguments, path.trajectory)
    assert found.state == "pass"
    data = path.trajectory.data.copy(deep=True)
    data["rural_residents"].loc[{"year": 2030}] *= 1 + 1e-5
    other = Trajectory(data, path.trajectory.time_step, path.trajectory.model)
    found = numerics.second_reader_of(*arguments, other)
    assert found.state == "fail"
    assert "rural_residents" in found.detail
    assert numerics.judge_second_reader(Difference("debt", "", 2030, np.nan)).state == "fail"
    monkeypatch.setattr(numerics, "MODULE", "no_such_reader")
    found = numerics.second_reader_of(*arguments, path.trajectory)
    assert found.state == "not_run"
    assert "not installed" in found.detail
