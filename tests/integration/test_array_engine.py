"""The shipped model in both engines: every variable at every saved year, and at every step."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from model_corpus import simulated
from synthetic_base_year import YEARS as SMALL_YEARS
from synthetic_base_year import base_year, parameters

from hukou_opt import bundled
from hukou_opt.dynamics import PysdEngine, model_constants, no_decisions
from hukou_opt.dynamics.array_engine import ArrayEngine
from hukou_opt.dynamics.inputs import BASE_YEAR_INPUTS, decision_constants
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.dynamics.parse import plain
from hukou_opt.errors import ModelError
from hukou_opt.parameters import load_parameters
from hukou_opt.regions import derive_base_year, load_regions

YEARS = range(2024, 2039)
STEP = 0.25
#: Largest relative difference between the engines that the toolkit promises.
PROMISED = 1e-9
#: A difference of numbers that cancel is measured by this part of the variable's largest value.
CANCELLED = 1e-6
#: Inputs that must sum to one over a dimension.
SHARES = {"initial_destination_share": "dest", "tier_share": "tier"}
#: How far a parameter moves towards one end of its range, at most.
PART = 0.4


def perturbed(base, random):
    """Every regional figure moved on its own; shares sum to one as before."""
    moved = {}
    for name in BASE_YEAR_INPUTS:
        array = base.data[name] * random.uniform(0.9, 1.1, base.data[name].shape)
        moved[name] = array / array.sum(SHARES[name]) if name in SHARES else array
    return replace(base, data=base.data.assign(moved))


def heterogeneous(base, registry, random):
    """Constants of the model, all different from what ships, each parameter inside its range."""
    constants = model_constants(perturbed(base, random), registry, reform=True)
    for name, row in registry.rows.items():
        if name in constants:
            end = row.high if random.uniform() < 0.5 and row.high > row.value else row.low
            constants[name] = row.value + random.uniform(0, PART) * (end - row.value)
    return constants | {
        "net_moves": by_region(base.codes, random.uniform(-2, 2, len(base.codes))),
        "urban_income_growth": by_region(base.codes, random.uniform(0, 0.05, len(base.codes))),
    }


def by_region(codes, values):
    return xr.DataArray(values, {"region": list(codes)}, ("region",))


def busy(codes, years, random):
    """Decisions that differ by region and year."""
    nothing = no_decisions(codes, years)
    shape = nothing.bonds.shape
    return replace(
        nothing,
        starts=nothing.starts + random.uniform(0, 2, nothing.starts.shape),
        temporary_places=nothing.temporary_places + random.uniform(0, 1, shape),
        funded_share=nothing.funded_share * random.uniform(0.6, 1, shape),
        bonds=nothing.bonds + random.uniform(0, 30, shape),
    )


def by_pysd(engine, constants, decisions, names):
    """PySD's own table of variables, those by year included, which the engines do not return."""
    values = engine._accepted(constants | decision_constants(decisions))
    model = engine._loaded()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = model.run(
            params=values,
            return_columns=names,
            time_step=engine.time_step,
            saveper=1,
            flatten_output=False,
        )
    return {
        name: np.stack([np.asarray(cell, dtype=float) for cell in table[name]]) for name in names
    }


def by_arrays(engine, constants, decisions, names):
    """The same by the array engine's compiled functions, at year ends."""
    engine.reset(constants | decision_constants(decisions))
    inputs, varying = engine._inputs(engine._set)
    assert not varying
    found = simulated(
        engine._graph,
        [plain(name) for name in names],
        inputs,
        span=(engine.years[0] - 1, engine.years[-1]),
        step=engine.time_step,
        every=1.0,
    )
    every = round(1 / engine.time_step)
    return {name: values[::every] for name, values in zip(names, found, strict=True)}


def difference(found, expected):
    scale = np.maximum(np.abs(expected), CANCELLED * np.max(np.abs(expected), initial=0.0))
    gap = np.abs(found - expected)
    return float(np.max(np.where(gap == 0, 0.0, gap / np.where(scale == 0, 1.0, scale))))


@pytest.fixture(scope="module")
def provinces():
    registry = load_parameters()
    return derive_base_year(load_regions(), registry), registry


@pytest.mark.slow
def test_every_variable_of_the_shipped_model_equals_pysd(provinces, record_property):
    random = np.random.default_rng(2026)
    base, registry = provinces
    constants = heterogeneous(base, registry, random)
    decisions = busy(base.codes, YEARS, random)
    pysd = PysdEngine(bundled.model(), base.codes, YEARS, time_step=STEP)
    arrays = ArrayEngine(bundled.model(), base.codes, YEARS, time_step=STEP)
    assert arrays.identity == pysd.identity
    assert set(pysd.variables) - set(arrays.variables) <= {"Time"}
    names = list(arrays.variables)
    kinds = {arrays.variables[name].dims for name in names}
    assert {(), ("region",), ("region", "dest"), ("year",), ("region", "year")} <= kinds
    # Every constant differs from what ships: nothing is equal by chance.
    left = set(arrays.constants) - set(constants) - set(decision_constants(decisions))
    assert left == {"time_tolerance", "smallest_stock"}
    expected = by_pysd(pysd, constants, decisions, names)
    found = by_arrays(arrays, constants, decisions, names)
    gaps = {}
    for name in names:
        assert found[name].shape == (
            len(YEARS) + 1,
            *arrays._graph.shape(arrays.variables[name].dims),
        )
        assert np.isfinite(expected[name]).all(), name
        gaps[name] = difference(found[name], np.broadcast_to(expected[name], found[name].shape))
    largest = max(gaps, key=gaps.__getitem__)
    record_property("largest difference", f"{largest}: {gaps[largest]:.2e}")
    assert gaps[largest] <= PROMISED, (largest, gaps[largest])
    moving = [name for name in names if np.ptp(found[name], axis=0).max(initial=0.0) > 0]
    assert len(moving) > 150


@pytest.fixture(scope="module")
def small():
    base = base_year()
    return base, ArrayEngine(bundled.model(), base.codes, SMALL_YEARS, time_step=1.0)


def test_what_pysd_declares_the_array_engine_declares(small):
    base, engine = small
    pysd = PysdEngine(bundled.model(), base.codes, SMALL_YEARS, time_step=1.0)
    assert sorted(engine.constants) == sorted(pysd.constants)
    for name, variable in engine.variables.items():
        assert variable == pysd.variables[name]


def test_a_run_equals_pysd_through_the_engines_own_boundary(small):
    base, engine = small
    random = np.random.default_rng(5)
    pysd = PysdEngine(bundled.model(), base.codes, SMALL_YEARS, time_step=1.0)
    constants = heterogeneous(base, parameters(), random)
    decisions = busy(base.codes, SMALL_YEARS, random)
    for each in (engine, pysd):
        each.reset(constants)
    found, expected = engine.run(decisions).data, pysd.run(decisions).data
    assert set(found) == set(expected) == set(OUTPUTS)
    for name in expected:
        assert found[name].dims == expected[name].dims
        assert found[name].attrs == expected[name].attrs
        for dim in expected[name].dims:
            assert found[name][dim].values.tolist() == expected[name][dim].values.tolist()
        assert difference(found[name].values, expected[name].values) <= PROMISED, name


@pytest.mark.parametrize("seed", range(4))
def test_members_of_the_shipped_model_equal_their_runs_alone(small, seed):
    """Any subset of constants and decisions varies; the rest is held."""
    base, engine = small
    random = np.random.default_rng(seed)
    members = ["a", "b", "c"]
    draws = [heterogeneous(base, parameters(), random) for _ in members]
    plans = [busy(base.codes, SMALL_YEARS, random) for _ in members]
    varying = {name for name in draws[0] if random.uniform() < (0.1, 0.5, 0.9, 1.0)[seed]}
    label = xr.DataArray(members, {"member": members}, ("member",))
    constants = {
        name: xr.concat([xr.DataArray(draw[name]) for draw in draws], label).transpose(
            ..., "member"
        )
        if name in varying
        else draws[0][name]
        for name in draws[0]
    }
    decisions = replace(
        plans[0],
        starts=xr.concat([plan.starts for plan in plans], label),
        bonds=xr.concat([plan.bonds for plan in plans], label),
    )
    engine.reset(constants)
    together = engine.run(decisions).data
    for at, member in enumerate(members):
        engine.reset({name: draws[at if name in varying else 0][name] for name in draws[0]})
        alone = engine.run(replace(plans[0], starts=plans[at].starts, bonds=plans[at].bonds)).data
        for name in OUTPUTS:
            own = together[name]
            own = own.sel(member=member) if "member" in own.dims else own
            assert difference(own.values, alone[name].values) <= 1e-12, (name, member)


def test_a_variable_with_years_of_its_own_is_refused(small):
    base, engine = small
    with pytest.raises(ModelError, match=r"year_is_now \| has a year"):
        engine.run(no_decisions(base.codes, SMALL_YEARS), ("year_is_now",))
