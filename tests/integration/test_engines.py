"""Arrays for the rounds, PySD as the reference: the published run is repeated and compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from small_model import CODES, TEXT, YEARS

from hukou_opt import Result
from hukou_opt.dynamics import ArrayEngine, PysdEngine, no_decisions
from hukou_opt.dynamics.validation import numerics
from hukou_opt.errors import ModelError
from hukou_opt.planning import engines

COLUMNS = ("stock", "gain", "elapsed", "matrix")
GROWTH = xr.DataArray([0.1, 0.3], {"region": list(CODES)}, ("region",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUKOU_OPT_CACHE", str(found / "cache"))
        yield found


def reference(folder, text=TEXT, name="own.mdl"):
    (folder / name).write_text(text, encoding="utf-8")
    engine = PysdEngine(folder / name, CODES, YEARS, time_step=0.25, trust=True)
    engine.reset({"growth": GROWTH})
    return engine, folder / name


@pytest.fixture
def decisions():
    nothing = no_decisions(CODES, YEARS)
    random = np.random.default_rng(3)
    return replace(nothing, starts=nothing.starts + random.uniform(0, 2, nothing.starts.shape))


def test_the_array_engine_takes_the_constants_of_the_reference(folder, decisions):
    engine, path = reference(folder)
    fast = engines.fast_engine(engine, path, trust=True)
    assert isinstance(fast, ArrayEngine)
    replay = engines.replayed(engine, fast.run(decisions, COLUMNS), decisions)
    assert replay.difference < 1e-14
    assert replay.until == YEARS[-1]
    assert list(replay.run.data.data_vars) == list(COLUMNS)


def test_what_arrays_do_not_know_runs_in_pysd(folder, decisions):
    delayed = TEXT.replace(
        "elapsed= INTEG(1, 0)",
        "late= DELAY FIXED(scale, 1, 0)\n\t~ 1 ~ |\nelapsed= INTEG(1, 0)",
    )
    engine, path = reference(folder, delayed, "delayed.mdl")
    assert engines.fast_engine(engine, path, trust=True) is engine
    assert float(engine.run(decisions, ("stock",)).data["stock"].min()) > 0


def test_a_difference_between_the_engines_ends_the_run(folder, decisions):
    engine, path = reference(folder)
    run = engines.fast_engine(engine, path, trust=True).run(decisions, COLUMNS)
    data = run.data.copy(deep=True)
    data["stock"].loc[{"year": 2025, "region": "2"}] *= 1 + 1e-8
    with pytest.raises(ModelError, match=r"stock \| differs between PySD and the array"):
        engines.replayed(engine, replace(run, data=data), decisions)
    data["stock"].loc[{"year": 2025, "region": "2"}] = np.nan
    with pytest.raises(ModelError, match="stock"):
        engines.replayed(engine, replace(run, data=data), decisions)


def test_many_regions_are_replayed_in_part(folder, decisions, monkeypatch):
    engine, path = reference(folder)
    run = engines.fast_engine(engine, path, trust=True).run(decisions, COLUMNS)
    monkeypatch.setattr(engines, "WHOLE_REPLAY_REGIONS", 1)
    monkeypatch.setattr(engines, "REPLAYED_YEARS", 2)
    engine.reset({"growth": GROWTH}, COLUMNS)
    replay = engines.replayed(engine, run, decisions)
    assert replay.until == 2025
    assert replay.difference < 1e-14
    # The published path is the whole one.
    assert replay.run is run


def test_the_check_of_the_engines_can_fail(folder, decisions):
    engine, path = reference(folder)
    one = engine.run(decisions, COLUMNS).data
    other = engines.fast_engine(engine, path, trust=True).run(decisions, COLUMNS).data
    assert numerics.judge_engines(one, other).state == "pass"
    assert numerics.judge_engines(one, other.assign(gain=other["gain"] * 1.001)).state == "fail"


@pytest.mark.slow
def test_the_published_run_says_how_far_the_engines_are_apart(spine: Result) -> None:
    assert 0 <= spine.attrs["replay_difference"] < 1e-9
    assert spine.attrs["replay_until"] == 2038
    assert spine.attrs["replay_variable"]
