"""A model file with its data inside: the numbers, their order, their precision, harmless words."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from small_model import CODES, TEXT, YEARS

from hukou_opt.dynamics import PysdEngine, no_decisions
from hukou_opt.dynamics.export import SelfContainedModel, model_identity, plain, self_contained
from hukou_opt.dynamics.second_reader import (
    check_installed,
    compare_with_second_reader,
    largest_difference,
)
from hukou_opt.errors import ModelError

#: Numbers whose nearest decimals of eight digits are other numbers.
GROWTH = (1 / 3, 0.1234567890123456)
MATRIX = ((1e-17, 2 / 3), (123456.78901234567, -0.1))
HOSTILE = 'x" ~ | """;import os;open("stolen", "w");""" \\\\\\---/// :MACRO: {GET DIRECT DATA'
#: The second reader is not built for Windows; everywhere else its absence is a failure.
READER = pytest.mark.skipif(sys.platform == "win32", reason="no second reader for Windows")
OUTPUTS = ("stock", "matrix", "elapsed")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("HUKOU_OPT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "own.mdl"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def decisions():
    nothing = no_decisions(CODES, YEARS)
    starts = nothing.starts.copy()
    starts.loc[{"area": "urban", "service": "seats"}] = [[0.1, 0.2, 1 / 7], [0.0, 3.0, 0.7]]
    return replace(nothing, starts=starts)


@pytest.fixture
def constants():
    region = {"region": list(CODES)}
    matrix = xr.DataArray(np.array(MATRIX), {**region, "dest": list(CODES)}, ("region", "dest"))
    return {"growth": xr.DataArray(list(GROWTH), region), "matrix": matrix, "scale": 2 / 7}


@pytest.fixture
def write(model, constants, decisions):
    def text(**changes):
        given = {"codes": CODES, "constants": constants, "decisions": decisions}
        given |= {"time_step": 0.25, "labels": {}, "header": "An export"} | changes
        return self_contained(model, given.pop("codes"), YEARS, **given)

    return text


def numbers(text, name):
    """Rows of numbers that stand behind a name in a model file."""
    found = re.findall(rf"(?m)^{re.escape(name)}\s*=([^~]*)~", text)
    assert len(found) == 1, name
    rows = found[0].replace("\\", " ").strip().removesuffix(";").split(";")
    return [[float(number) for number in row.split(",")] for row in rows]


def test_every_number_reads_back_as_itself(write, decisions):
    text = write()
    assert numbers(text, "growth[region]") == [list(GROWTH)]
    assert numbers(text, "matrix[region,dest]") == [list(row) for row in MATRIX]
    assert numbers(text, "scale") == [[2 / 7]]
    assert numbers(text, "TIME STEP") == [[0.25]]
    starts = decisions.starts.sel(area="urban", service="seats").values.tolist()
    assert numbers(text, "starts_urban_seats[region,year]") == starts
    assert numbers(text, "funded_share[region,year]") == [[1.0] * len(YEARS)] * len(CODES)
    # Nothing else has changed, and the same inputs give the same text.
    assert "gain[region]= scale*growth[region]*stock[region] + SUM(" in text
    assert write() == text


def test_arrays_are_written_by_label_whatever_their_order(write, constants):
    turned = {
        "growth": constants["growth"][::-1],
        "matrix": constants["matrix"][::-1, ::-1].transpose("dest", "region"),
        "scale": constants["scale"],
    }
    assert write(constants=turned) == write()


def test_every_fault_is_found_at_once(write, constants):
    region = {"region": list(CODES)}
    bad = {
        "grwth": 1.0,
        "stock": constants["growth"],
        "gain": constants["growth"],
        "growth": xr.DataArray([1.0, np.nan], region),
        "matrix": constants["growth"],
        "scale": float("inf"),
    }
    with pytest.raises(ModelError) as caught:
        write(constants=bad)
    what = {fault.where.removeprefix("own.mdl: "): str(fault) for fault in caught.value.faults}
    assert "did you mean 'growth'" in what["grwth"]
    assert "is no constant of the model" in what["stock"]
    assert "is no constant of the model" in what["gain"]
    assert "is not finite" in what["growth[region 2]"]
    assert "has dims" in what["matrix"]
    assert "is no finite number (inf)" in what["scale"]
    assert len(what) == len(bad)
    with pytest.raises(ModelError, match=r"1 label\(s\) of 'region' unknown"):
        write(constants={"growth": xr.DataArray([1.0, 2.0], {"region": ["1", "3"]})})
    with pytest.raises(ModelError, match="is one number"):
        write(constants={"growth": 0.5})


def test_a_constant_in_parts_is_refused(model, write):
    parts = "scale= 1\n\t~ 1 ~ |\nscale= 2\n\t~ 1 ~ |"
    model.write_text(TEXT.replace("scale= 1\n\t~ 1 ~ |", parts), encoding="utf-8")
    with pytest.raises(ModelError, match="given in parts"):
        write()


@READER
@pytest.mark.parametrize("codes", [CODES, ("1",), ("a b", 'c"|~')])
def test_both_readers_run_the_file_as_the_engine_runs_the_model(
    model, tmp_path, write, constants, decisions, codes, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def there(array):
        dims = {dim: list(CODES[: len(codes)]) for dim in ("region", "dest") if dim in array.dims}
        chosen = array.sel(dims)
        return chosen.assign_coords({dim: list(codes) for dim in dims})

    values = {name: value if name == "scale" else there(value) for name, value in constants.items()}
    given = replace(
        decisions,
        **{name: there(getattr(decisions, name)) for name in decisions.__dataclass_fields__},
    )
    engine = PysdEngine(model, codes, YEARS, time_step=0.25, trust=True)
    engine.reset(values)
    run = engine.run(given, OUTPUTS).data
    text = write(
        codes=codes,
        constants=values,
        decisions=given,
        labels=dict.fromkeys(codes, HOSTILE),
        header=f"An export {HOSTILE}",
    )
    out = tmp_path / "out.mdl"
    out.write_text(text, encoding="utf-8")
    exported = SelfContainedModel(out, codes, YEARS, time_step=0.25)
    again = exported.as_written(OUTPUTS).data
    for name in OUTPUTS:
        np.testing.assert_allclose(again[name], run[name], rtol=1e-15, atol=0)
    assert bool((run["stock"].isel(year=-1) > run["stock"].isel(year=0)).all())
    assert compare_with_second_reader(out, run).relative < 1e-12
    # The words of the table are there, and nothing that they say has been done.
    assert "x import os open( stolen , w )" in " ".join(text.split())
    assert not (tmp_path / "stolen").exists()
    assert text.count("|") == TEXT.count("|") + 1
    cached = list((tmp_path / "cache").rglob("model.py"))
    exported.forget()
    assert len(list((tmp_path / "cache").rglob("model.py"))) == len(cached) - 1


@READER
def test_the_second_reader_sees_another_step_and_another_number(model, tmp_path, write, constants):
    engine = PysdEngine(model, CODES, YEARS, time_step=0.25, trust=True)
    engine.reset(constants)
    run = engine.run(no_decisions(CODES, YEARS), OUTPUTS).data
    out = tmp_path / "out.mdl"
    out.write_text(write(decisions=no_decisions(CODES, YEARS)), encoding="utf-8")
    assert compare_with_second_reader(out, run).relative < 1e-12
    longer = write(decisions=no_decisions(CODES, YEARS), time_step=0.5)
    out.write_text(longer, encoding="utf-8")
    off = compare_with_second_reader(out, run)
    assert off.relative > 1e-4
    assert (off.variable, off.year) == ("stock", 2026)
    out.write_text(write(), encoding="utf-8")
    assert compare_with_second_reader(out, run).region == "2"


@READER
def test_the_second_reader_says_what_it_does_not_understand(model, tmp_path, write):
    region = {"year": [2023, *YEARS], "region": list(CODES)}
    run = xr.Dataset({"stock": (("year", "region"), np.ones((4, 2)))}, region)
    out = tmp_path / "out.mdl"
    out.write_text(write(), encoding="utf-8")
    with pytest.raises(ModelError, match=r"nowhere \| is unknown to the second reader"):
        compare_with_second_reader(out, run.rename(stock="nowhere"))
    with pytest.raises(ModelError, match="runs over other years"):
        compare_with_second_reader(out, run.isel(year=slice(0, 3)))
    out.write_text("{UTF-8}\nstock = INTEG(", encoding="utf-8")
    with pytest.raises(ModelError, match="not understood by the second reader"):
        compare_with_second_reader(out, run)


def test_without_the_second_reader_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="pip install pysimlin"):
        check_installed()


def test_the_largest_difference_and_where_it_is():
    labels = {"year": [2023, 2024], "region": ["1", "2"]}
    run = xr.Dataset(
        {
            "people": (("year", "region"), [[1e4, 2e4], [1e4, 2e4]]),
            "nation": ("year", [5.0, 6.0]),
            "noise": ("year", [1e-14, 0.0]),
        },
        labels,
    )
    assert largest_difference(run, run).relative == 0
    other = run.copy(deep=True)
    other["people"].loc[{"year": 2024, "region": "2"}] += 2.0
    other["noise"][1] = 3e-15
    found = largest_difference(run, other.isel(region=[1, 0]).sel(region=["1", "2"]))
    assert (found.variable, found.region, found.year) == ("people", "2", 2024)
    assert found.relative == pytest.approx(2 / 20002)
    assert "people[2] in 2024" in str(found)
    other["nation"][0] = 10.0
    assert str(largest_difference(run, other)) == "0.5 (nation in 2023)"
    for broken, message in (
        (run.drop_vars("noise"), "other variables"),
        (run.assign_coords(region=["1", "3"]), "labelled differently"),
        (run.where(run["people"] < 1.5e4), "not finite"),
    ):
        with pytest.raises(ModelError, match=message):
            largest_difference(run, broken)
    with pytest.raises(ModelError, match="no variable"):
        largest_difference(run[[]], run[[]])


def test_the_identity_of_a_model_is_that_of_its_run(model):
    engine = PysdEngine(model, CODES, YEARS, time_step=0.25, trust=True)
    assert model_identity(model, CODES, YEARS) == engine.identity
    assert model_identity(model, CODES, YEARS[:2]) != engine.identity


@given(st.text(max_size=200))
def test_no_words_of_a_user_can_leave_a_comment(words):
    kept = plain(words)
    assert re.fullmatch(r"[A-Za-z0-9_ .,()/-]{0,60}", kept)
    assert not re.search(r"GET\s", kept, re.IGNORECASE)


def test_names_stay_legible():
    assert plain("Inner Mongolia") == "Inner Mongolia"
    assert plain("Ürümqi (市)") == "Urumqi ()"
    assert plain("get direct constants") == "GET-direct constants"
    assert plain("北京") == ""
