"""The shipped Vensim file: complete, documented, and equal to the registry."""

from __future__ import annotations

import re

import pytest
from synthetic_base_year import YEARS, base_year, parameters

from hukou_opt import bundled
from hukou_opt.dynamics import PysdEngine, model_constants, no_decisions
from hukou_opt.dynamics.inputs import NEUTRAL, NUMERICAL, SHARED_PARAMETERS
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.dynamics.unit_text import displayed
from hukou_opt.regions.base_year import CONTRACT

DECISIONS = {
    "starts_urban_seats",
    "starts_rural_seats",
    "starts_urban_beds",
    "starts_rural_beds",
    "temporary_places",
    "funded_share",
    "bonds",
}


@pytest.fixture(scope="module")
def text():
    return bundled.model().read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def entries(text):
    """Name, unit and comment of every equation."""
    found = []
    for entry in text.removeprefix("{UTF-8}").split("|"):
        parts = [part.strip() for part in entry.split("~")]
        if len(parts) == 3 and not parts[0].startswith("*") and "=" in parts[0]:
            name = re.split(r"[\[=]", parts[0], maxsplit=1)[0].strip()
            found.append((name, parts[0].split("=", 1)[1].strip(), parts[1], parts[2]))
    return found


@pytest.fixture(scope="module")
def engine():
    return PysdEngine(bundled.model(), base_year().codes, YEARS)


def test_every_variable_has_a_unit_and_a_comment(entries):
    assert len(entries) > 300
    assert [name for name, _, unit, comment in entries if not unit or not comment] == []


def test_the_defaults_of_the_file_are_those_of_the_registry(entries):
    registry = parameters()
    rows = registry.room("model") | {name: registry[name] for name in SHARED_PARAMETERS}
    defaults = {name: expression for name, expression, _, _ in entries}
    assert {name: float(defaults[name]) for name in rows} == rows


def test_units_of_the_file_are_those_of_the_registry_and_the_contract(entries):
    units = {name: displayed(unit) for name, _, unit, _ in entries}
    registry = parameters().rows
    for row in registry.values():
        if row.room == "model" or row.name in SHARED_PARAMETERS:
            assert units[row.name] == row.unit, row.name
    for name, (_, unit) in CONTRACT.items():
        if name in units:
            assert units[name] == unit, name


def test_every_constant_is_set_or_known_to_be_neutral(engine):
    given = set(model_constants(base_year(), parameters(), reform=True))
    assert set(engine.constants) - given == DECISIONS | set(NEUTRAL) | set(NUMERICAL)


def test_equations_hold_no_figures_of_the_world(entries):
    """Numbers other than 0, 1, 2 and one half stand in a constant of their own."""
    allowed = {"0", "1", "2", "0.5"}
    for name, expression, _, _ in entries:
        if re.fullmatch(r"[-\d.e,\s\\]+", expression):
            continue
        numbers = set(re.findall(r"(?<![A-Za-z_\d])\d+\.?\d*", expression))
        assert numbers <= allowed, name


def test_the_model_has_every_variable_that_the_toolkit_reads(engine):
    assert [name for name in OUTPUTS if name not in engine.variables] == []


def test_the_file_runs_by_itself(text):
    """With the regions, years and values that it ships with, as in Vensim."""
    codes = tuple(re.findall(r"\br(\d{6})\b", text.split("dest <->")[0]))
    assert len(codes) == 31
    alone = PysdEngine(bundled.model(), codes, YEARS, time_step=1.0)
    run = alone.run(no_decisions(codes, YEARS), ("residents", "settlers"))
    assert float(run.data["settlers"].min()) > 0
