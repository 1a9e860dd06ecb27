"""The contract: complete, held to the shipped model, and every breach of it listed at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from synthetic_base_year import base_year, parameters
from typer.testing import CliRunner

from hukou_opt import bundled
from hukou_opt.cli import app
from hukou_opt.dynamics import PysdEngine, check_trajectory, model_constants, no_decisions
from hukou_opt.dynamics.accept import Variable
from hukou_opt.dynamics.contract import (
    absent,
    check_contract,
    computed,
    contract,
    offered,
    own_constants,
    require_contract,
    taken,
)
from hukou_opt.dynamics.engine import Trajectory
from hukou_opt.dynamics.inputs import decision_constants
from hukou_opt.dynamics.needs import WITHOUT, needs_from, standing_capacity
from hukou_opt.dynamics.outputs import OUTPUTS, outputs_of
from hukou_opt.errors import ModelError
from hukou_opt.planning.assemble import KEPT

YEARS = (2024, 2025, 2026)
STRETCH = parameters()["class_stretch"]


@pytest.fixture(scope="module")
def engine() -> PysdEngine:
    years = tuple(range(2024, 2039))
    base = base_year()
    built = PysdEngine(bundled.model(), base.codes, years, time_step=1.0)
    built.reset(model_constants(base, parameters(), reform=True))
    return built


@pytest.fixture(scope="module")
def run(engine: PysdEngine) -> Trajectory:
    return engine.run(no_decisions(engine.codes, engine.years))


@pytest.fixture
def variables(engine: PysdEngine) -> dict[str, Variable]:
    return dict(engine.variables)


def test_the_table_is_whole() -> None:
    terms = contract()
    names = [term.name for term in terms]
    assert len(names) == len(set(names))
    assert {term.role for term in terms} == {"renderer", "decision", "read"}
    for term in terms:
        assert term.meaning
        # What is required has no way without it; what is optional says what is lost.
        assert term.required == (not term.without), term.name
        assert term.unit or term.kind == "range", term.name


def test_the_table_has_every_name_that_the_toolkit_sets_and_reads() -> None:
    by_role = {
        role: {term.name for term in contract() if term.role == role}
        for role in ("decision", "read")
    }
    assert by_role["decision"] == set(decision_constants(no_decisions(["1"], YEARS)))
    assert by_role["read"] == set(OUTPUTS)
    assert set(KEPT.values()) <= by_role["read"]
    optional = {term.name for term in contract() if not term.required}
    assert set(WITHOUT) <= optional


def test_the_linear_program_reads_nothing_that_is_not_required(
    run: Trajectory, engine: PysdEngine
) -> None:
    """Needs can be made from the required names alone."""
    required = [term.name for term in contract() if term.role == "read" and term.required]
    less = replace(run, data=run.data[required])
    nothing = no_decisions(engine.codes, engine.years)
    standing = standing_capacity(engine)
    full, bare = (needs_from(each, nothing, standing) for each in (run, less))
    assert set(full.data) == set(bare.data)
    changed = {name for name in full.data if not full.data[name].equals(bare.data[name])}
    assert changed == {"stretch", "hukou_first", "grants"}
    assert float(bare.data["stretch"].max()) == 0.0
    assert float(bare.data["grants"].max()) == 0.0
    assert bare.data["hukou_first"].dims == ("year",)
    assert set(np.unique(bare.data["hukou_first"].values)) == {1.0}
    assert bare.data["grants"].attrs == full.data["grants"].attrs


def test_the_shipped_model_honours_the_contract(variables: dict[str, Variable]) -> None:
    assert check_contract(variables, "hukou.mdl") == []
    assert absent(variables) == []
    assert computed(variables) == []
    require_contract(variables, "hukou.mdl")
    given = model_constants(base_year(), parameters(), reform=True)
    assert taken(variables, given).keys() == given.keys()
    assert {term.name for term in offered()} == given.keys()


def test_the_outputs_of_the_shipped_model_come_first_and_all_its_states_after(
    variables: dict[str, Variable],
) -> None:
    names = outputs_of(variables)
    assert names[: len(OUTPUTS)] == OUTPUTS
    assert "years_since_start" in names
    assert "beds_per_head" not in names


BREACHES: dict[str, tuple[Callable[[Variable], Variable], str]] = {
    "bonds": (lambda v: replace(v, dims=("region",)), "has the ranges ('region',)"),
    "funded_share": (lambda v: replace(v, kind="Auxiliary"), "is computed (Auxiliary)"),
    "temporary_places": (lambda v: replace(v, kind="Fixed"), "is declared unchangeable"),
    "urban_seats": (lambda v: replace(v, unit="seats"), "has the unit 'seats' | give it in"),
    "urban_residents": (lambda v: replace(v, dims=()), "has the ranges ()"),
    "hukou_first": (lambda v: replace(v, dims=("region",)), "has the ranges ('region',)"),
    "stretch": (lambda v: replace(v, kind="Lookup"), "has no values by year (Lookup)"),
    "bed_standard": (lambda v: replace(v, dims=("region",)), "has the ranges ('region',)"),
    "initial_urban_beds": (lambda v: replace(v, unit="beds"), "has the unit 'beds'"),
    "land_revenue": (lambda v: replace(v, unit="gold"), "has the unit 'gold'"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_one_breach_is_one_fault(name: str, variables: dict[str, Variable]) -> None:
    change, words = BREACHES[name]
    variables[name] = change(variables[name])
    (fault,) = check_contract(variables, "mine.mdl")
    assert fault.where == f"mine.mdl: {name}"
    assert words in str(fault)


def test_all_breaches_come_at_once(variables: dict[str, Variable]) -> None:
    for name, (change, _) in BREACHES.items():
        variables[name] = change(variables[name])
    required = [
        term.name
        for term in contract()
        if term.required and term.role in ("read", "decision") and term.name not in BREACHES
    ]
    for name in required:
        del variables[name]
    variables["Rural  Seats"] = Variable("Rural  Seats", "10k seats", "Stateful", ("region",))
    with pytest.raises(ModelError) as caught:
        require_contract(variables, "mine.mdl")
    faults = {fault.where.removeprefix("mine.mdl: "): fault for fault in caught.value.faults}
    assert set(faults) == {*BREACHES, *required}
    assert "did you mean 'Rural  Seats'?" in faults["rural_seats"].fix
    assert "add need_urban_beds[region] in 10k beds: Beds" in faults["need_urban_beds"].fix


def test_units_are_compared_by_what_they_mean(variables: dict[str, Variable]) -> None:
    for name, unit in {
        "urban_beds": "ten thousand beds",
        "urban_residents": "ten thousand person",
        "bonds": "hundred million yuan/year",
        "land_sale_revenue": "ten thousand yuan*10000/year",
    }.items():
        variables[name] = replace(variables[name], unit=unit)
    assert check_contract(variables, "mine.mdl") == []


def test_what_a_model_computes_or_lacks_is_not_passed(variables: dict[str, Variable]) -> None:
    variables["bed_standard"] = replace(variables["bed_standard"], kind="Auxiliary", dims=("tier",))
    del variables["lease_term"]
    assert check_contract(variables, "mine.mdl") == []
    given = model_constants(base_year(), parameters(), reform=True)
    assert given.keys() - taken(variables, given) == {"bed_standard", "lease_term"}
    assert [term.name for term in computed(variables)] == ["bed_standard"]


def test_absent_names_say_what_is_lost(variables: dict[str, Variable]) -> None:
    for name in ("stretch", "debt", "reform"):
        del variables[name]
    lost = {term.name: term.without for term in absent(variables)}
    assert lost == {
        "stretch": "classes hold no more than their seats (taken as 0)",
        "debt": "its path in the result, the check of debt",
        "reform": "the experiment's reform switch does nothing",
    }


def test_constants_of_ones_own(variables: dict[str, Variable]) -> None:
    variables["own"] = Variable("own", "1", "Constant", ())
    variables["own_by_region"] = Variable("own_by_region", "1", "Constant", ("region",))
    assert own_constants(variables, {"own": 1.0}) == []
    wrong = ("own_by_region", "onw", "beds_per_head", "TIME STEP", "year_end", "lease_term")
    faults = [str(fault) for fault in own_constants(variables, dict.fromkeys(wrong, 1.0))]
    assert len(faults) == len(wrong)
    for fault, words in zip(
        faults,
        (
            "differs by region and cannot be one number",
            "did you mean 'own'?",
            "is no constant of the model (Auxiliary)",
            "belongs to the toolkit",
            "belongs to the toolkit",
            "set it under `parameters:`",
        ),
        strict=True,
    ):
        assert words in fault


# Checks of what is there


def test_every_check_is_made_on_the_shipped_model(run: Trajectory, engine: PysdEngine) -> None:
    nothing = no_decisions(engine.codes, engine.years)
    checks = check_trajectory(run, nothing, class_stretch=STRETCH)
    assert all(check.made and check.holds for check in checks)
    assert all(check.label == check.name for check in checks)


@pytest.mark.parametrize("name", ["land_built_over", "residents", "rural_beds_begun", "tension"])
def test_a_check_that_lacks_a_variable_is_not_made(
    name: str, run: Trajectory, engine: PysdEngine
) -> None:
    nothing = no_decisions(engine.codes, engine.years)
    less = replace(run, data=run.data.drop_vars(name))
    whole = {each.name: each for each in check_trajectory(run, nothing, class_stretch=STRETCH)}
    found = check_trajectory(less, nothing, class_stretch=STRETCH)
    unmade = [check for check in found if not check.made]
    assert unmade
    for check in unmade:
        assert check.missing == (name,)
        assert not check.holds
        assert np.isnan(check.worst)
        assert check.label == f"not checked: {check.name} (no variable {name!r})"
    assert {check.name for check in found} == set(whole)
    assert [check for check in found if check.made] == [
        whole[check.name] for check in found if check.made
    ]


def test_a_state_that_only_the_model_knows_must_be_finite(
    run: Trajectory, engine: PysdEngine
) -> None:
    nothing = no_decisions(engine.codes, engine.years)
    wild = run.data["urban_seats"].copy(deep=True)
    with_it = replace(run, data=run.data.assign(wild=wild))
    checks = check_trajectory(with_it, nothing, class_stretch=STRETCH)
    assert [check.name for check in checks][-1] == "wild is finite"
    wild.values[2, 1] = np.nan
    with pytest.raises(ModelError, match=r"'wild is finite', year 2025, region 420000"):
        check_trajectory(with_it, nothing, class_stretch=STRETCH)


# Command line


def test_the_contract_is_printed_in_three_formats() -> None:
    def printed(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["model", "contract", *arguments])
        assert done.exit_code == 0
        return done.stdout

    rows = list(csv.reader(io.StringIO(printed("--format", "csv"))))
    assert len(rows) == len(contract()) + 1
    assert {len(row) for row in rows} == {6}
    names = [row[0] for row in rows[1:]]
    assert names == [term.left_side for term in contract()]
    marked = printed("--format", "markdown").splitlines()
    assert len(marked) == len(contract()) + 2
    assert {line.count("|") for line in marked} == {7}
    text = printed()
    assert all(term.left_side in text and term.meaning in text for term in contract())
    assert "bed_standard" not in text
    assert "bed_standard" in printed("--inputs")
    wrong = CliRunner().invoke(app, ["model", "contract", "--format", "xml"])
    assert wrong.exit_code == 2
    assert "text, csv, markdown" in wrong.stderr
