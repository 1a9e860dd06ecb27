"""The traps of PySD, each blocked: positions, NaN, overwriting, leaking, drifting time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from small_model import CODES, TEXT, YEARS

from hukou_opt.dynamics import Decisions, PysdEngine, extend_decisions, no_decisions
from hukou_opt.errors import ModelError

COLUMNS = ("stock",)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUKOU_OPT_CACHE", str(folder / "cache"))
        (folder / "own.mdl").write_text(TEXT, encoding="utf-8")
        yield folder / "own.mdl"


@pytest.fixture
def engine(path):
    return PysdEngine(path, CODES, YEARS, time_step=0.25, trust=True)


@pytest.fixture
def nothing():
    return no_decisions(CODES, YEARS)


def by_region(values, codes=CODES):
    return xr.DataArray(list(values), {"region": list(codes)}, ("region",))


def stock(engine, decisions):
    return engine.run(decisions, COLUMNS).data["stock"]


def test_arrays_bind_by_label_in_any_order(engine, nothing):
    engine.reset({"growth": by_region([0.0, 0.4])})
    first = stock(engine, nothing)
    engine.reset({"growth": by_region([0.4, 0.0], ("2", "1"))})
    xr.testing.assert_identical(first, stock(engine, nothing))
    assert first.sel(region="1").values.tolist() == [1.0] * 4
    assert first.sel(region="2", year=2024) == pytest.approx(1.1**4)


def test_a_result_is_labelled_with_codes_years_and_units(engine, nothing):
    result = engine.run(nothing, ("stock", "elapsed", "matrix")).data
    assert result["stock"].dims == ("year", "region")
    assert result["matrix"].dims == ("year", "region", "dest")
    assert result["elapsed"].dims == ("year",)
    assert result["region"].values.tolist() == list(CODES)
    assert result["year"].values.tolist() == [2023, *YEARS]
    assert result["stock"].attrs["unit"] == "10k persons"


@pytest.mark.parametrize(
    ("constants", "complaint"),
    [
        ({"growth": by_region([1.0, 1.0], ("1", "3"))}, "unknown"),
        ({"growth": by_region([1.0], ("1",))}, "missing"),
        ({"growth": by_region([1.0, 1.0, 1.0], ("1", "2", "2"))}, "twice"),
        ({"growth": xr.DataArray([1.0, 1.0], dims=("region",))}, "no labels"),
        ({"growth": xr.DataArray([1.0, 1.0], {"year": [1, 2]}, ("year",))}, "dims"),
        ({"growth": by_region([1.0, np.nan])}, r"growth\[region 2\]"),
        ({"growth": by_region([np.inf, 1.0])}, "not finite"),
        ({"growth": by_region(["a", "b"])}, "no numbers"),
        ({"growth": 0.5}, "one number"),
        ({"scale": float("nan")}, "no finite number"),
        ({"scale": by_region([1.0, 1.0])}, "dims"),
        ({"stock": by_region([1.0, 1.0])}, "no constant"),
        ({"gain": by_region([1.0, 1.0])}, "no constant"),
        ({"year_end": by_region([1.0, 1.0])}, "no constant"),
        ({"TIME STEP": 0.5}, "no constant"),
        ({"skale": 1.0}, "did you mean 'scale'"),
    ],
)
def test_what_may_not_be_set_is_refused(engine, constants, complaint):
    with pytest.raises(ModelError, match=complaint):
        engine.reset(constants)


def test_all_faults_come_at_once(engine):
    with pytest.raises(ModelError) as caught:
        engine.reset({"skale": 1.0, "stock": 2.0, "scale": float("nan")})
    assert len(caught.value.faults) == 3


def test_numpy_scalars_are_taken(engine, nothing):
    engine.reset({"scale": np.float64(2.0), "growth": by_region([0.1, 0.1])})
    assert stock(engine, nothing).sel(region="1", year=2024) == pytest.approx(1.05**4)


def test_constants_do_not_leak_into_later_runs(engine, nothing):
    before = stock(engine, nothing)
    engine.reset({"scale": 3.0})
    assert not stock(engine, nothing).equals(before)
    engine.reset({})
    xr.testing.assert_identical(stock(engine, nothing), before)


def test_a_failed_run_leaves_the_engine_whole(engine, nothing):
    before = stock(engine, nothing)
    wrong = no_decisions(("1", "9"), YEARS)
    with pytest.raises(ModelError, match="unknown"):
        engine.run(wrong, COLUMNS)
    xr.testing.assert_identical(stock(engine, nothing), before)


def test_a_decision_acts_in_its_calendar_year_only(engine, nothing):
    engine.reset({"scale": 0.0})
    starts = nothing.starts.copy()
    starts.loc[{"area": "urban", "service": "seats", "region": "2", "year": 2025}] = 8.0
    result = stock(engine, replace(nothing, starts=starts))
    assert result.sel(region="2").values.tolist() == [1.0, 1.0, 9.0, 9.0]
    assert result.sel(region="1").values.tolist() == [1.0] * 4


def test_decisions_for_other_years_are_refused_and_can_be_extended(engine, nothing):
    short = Decisions(
        nothing.starts.sel(year=[2024]),
        nothing.temporary_places.sel(year=[2024]) + 1.0,
        nothing.funded_share.sel(year=[2024]) * 0.5,
        nothing.bonds.sel(year=[2024]),
    )
    with pytest.raises(ModelError, match="missing"):
        engine.run(short, COLUMNS)
    longer = extend_decisions(short, YEARS)
    assert longer.funded_share.values.tolist() == [[0.5] * 3] * 2
    assert longer.temporary_places.sel(region="1").values.tolist() == [1.0, 0.0, 0.0]
    engine.run(longer, COLUMNS)
    with pytest.raises(ModelError, match="begin with 2023"):
        extend_decisions(longer, (2023, 2024, 2025))


@pytest.mark.parametrize(("field", "value"), [("starts", -1.0), ("funded_share", 1.5)])
def test_impossible_decisions_are_refused(engine, nothing, field, value):
    arrays = {name: getattr(nothing, name) for name in nothing.__dataclass_fields__}
    arrays[field] = arrays[field] + value
    with pytest.raises(ModelError, match=field):
        engine.run(Decisions(**arrays), COLUMNS)


def test_a_value_that_is_not_finite_is_reported_with_its_place(engine, nothing):
    engine.reset({"growth": by_region([0.1, 1e200])})
    with pytest.raises(ModelError, match=r"stock\[year 2024, region 2\]"):
        engine.run(nothing, COLUMNS)


def test_an_unknown_column_is_refused(engine, nothing):
    with pytest.raises(ModelError, match="did you mean 'stock'"):
        engine.run(nothing, ("stok",))


@pytest.mark.parametrize("step", [0.3, 0.1, 0.0, -1.0, 2.0])
def test_a_step_that_drifts_is_refused(path, step):
    with pytest.raises(ModelError, match="binary fraction"):
        PysdEngine(path, CODES, YEARS, time_step=step, trust=True)


def test_years_with_a_gap_are_refused(path):
    with pytest.raises(ModelError, match="not consecutive"):
        PysdEngine(path, CODES, (2024, 2026), trust=True)


def test_the_step_that_is_asked_for_is_used(path, nothing):
    coarse = stock(PysdEngine(path, CODES, YEARS, time_step=1.0, trust=True), nothing)
    fine = stock(PysdEngine(path, CODES, YEARS, time_step=0.5, trust=True), nothing)
    assert coarse.sel(region="1", year=2024) == pytest.approx(1.1)
    assert fine.sel(region="1", year=2024) == pytest.approx(1.05**2)


def test_an_edit_of_the_model_changes_the_next_run(path, nothing):
    before = stock(PysdEngine(path, CODES, YEARS, trust=True), nothing)
    edited = path.with_name("edited.mdl")
    edited.write_text(TEXT.replace("growth[region]= 0.1", "growth[region]= 0.2"), encoding="utf-8")
    after = stock(PysdEngine(edited, CODES, YEARS, trust=True), nothing)
    assert float(after.sel(region="1", year=2026)) > float(before.sel(region="1", year=2026))
    edited.write_text(TEXT, encoding="utf-8")
    again = stock(PysdEngine(edited, CODES, YEARS, trust=True), nothing)
    xr.testing.assert_identical(again, before)


def test_constants_keep_all_their_digits(engine, nothing):
    value = 0.123456789012345
    engine.reset({"growth": by_region([value, value])})
    expected = (1 + value / 4) ** 4
    assert float(stock(engine, nothing).sel(region="1", year=2024)) == pytest.approx(
        expected, rel=1e-15
    )


def test_one_region_alone_runs(path):
    alone = PysdEngine(path, ("x",), YEARS, trust=True)
    result = alone.run(no_decisions(("x",), YEARS), ("stock", "matrix")).data
    assert result["matrix"].shape == (4, 1, 1)
