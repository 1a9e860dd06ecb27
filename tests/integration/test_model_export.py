"""The exported model of a run: the same trajectories in PySD and in a second reader."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic_base_year import YEARS, base_year, parameters
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt import bundled
from hukou_opt.cli import app
from hukou_opt.dynamics import Decisions, PysdEngine, model_constants, no_decisions
from hukou_opt.dynamics.export import SelfContainedModel, self_contained
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.dynamics.second_reader import compare_with_second_reader
from hukou_opt.errors import OutputError, ResultError
from hukou_opt.planning.export import SAME_RUN, SAME_STORY, export_model

#: The second reader is not built for Windows; everywhere else its absence is a failure.
READER = pytest.mark.skipif(sys.platform == "win32", reason="no second reader for Windows")
CODES = ("110000", "420000", "510000")
HOSTILE = 'x" ~ | """;open("stolen", "w");"""'
#: Without allocation, over few years: quick, yet with the reform's levers.
QUICK = """
name: quick
regions: own.csv
horizon: {end: 2026, tail: 2027}
time_step: 0.5
allocation: {enabled: false}
parameters: {settlement_hazard_max: 0.2}
"""


def own_table(folder: Path, name: str = HOSTILE, growth: float = 1.0) -> Path:
    table = pd.read_csv(bundled.data_folder() / "2023.csv", dtype=str)
    table = table[table["code"].isin(CODES)].copy()
    table["name_en"] = [name, "Hubei", "Sichuan"]
    table["beds_total"] = (table["beds_total"].astype(float) * growth).astype(str)
    path = folder / "own.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a saved run of three regions of a user's own table."""
    folder = tmp_path_factory.mktemp("quick")
    own_table(folder)
    (folder / "quick.yaml").write_text(QUICK, encoding="utf-8")
    ho.run(folder / "quick.yaml", progress=False).save(folder / "result.nc")
    return folder


@pytest.fixture
def result(quick: Path, monkeypatch: pytest.MonkeyPatch) -> ho.Result:
    # The table lies where the experiment says, seen from its folder.
    monkeypatch.chdir(quick)
    return ho.open_result(quick / "result.nc")


def changed(result: ho.Result, **groups: xr.Dataset) -> ho.Result:
    parts = {name: result[name] for name in result.tree.children} | groups
    return ho.Result.build(result.attrs, parts)


# The text


@READER
@pytest.mark.slow
def test_every_output_is_the_same_in_both_readers(tmp_path: Path) -> None:
    """Busy decisions, the reform with all that it adds, every variable that the toolkit reads."""
    base = base_year(CODES)
    registry = parameters().override(
        {"pilot_share_mega": 0.3, "rent_exponent": 0.5, "reclassified_share": 0.2}
    )
    constants = model_constants(base, registry, reform=True)
    random = np.random.default_rng(5)
    nothing = no_decisions(CODES, YEARS)

    def drawn(array: xr.DataArray, low: float, high: float) -> xr.DataArray:
        return array.copy(data=random.uniform(low, high, array.shape))

    decisions = Decisions(
        starts=drawn(nothing.starts, 0, 3),
        temporary_places=drawn(nothing.temporary_places, 0, 2),
        funded_share=drawn(nothing.funded_share, 0.4, 1),
        bonds=drawn(nothing.bonds, 0, 50),
    )
    engine = PysdEngine(bundled.model(), CODES, YEARS, time_step=0.25)
    engine.reset(constants)
    run = engine.run(decisions).data
    text = self_contained(
        bundled.model(),
        CODES,
        YEARS,
        constants,
        decisions,
        time_step=0.25,
        labels={},
        header="A test",
    )
    path = tmp_path / "whole.mdl"
    path.write_text(text, encoding="utf-8")
    model = SelfContainedModel(path, CODES, YEARS, time_step=0.25)
    again = model.as_written().data
    model.forget()
    assert set(again.data_vars) == set(run.data_vars) == set(OUTPUTS)
    for name in OUTPUTS:
        np.testing.assert_allclose(again[name], run[name], rtol=1e-12, atol=1e-12, err_msg=name)
    # Where all is zero, nothing is compared; here no worn-out rural seat needs to be replaced.
    assert [name for name in OUTPUTS if not run[name].any()] == ["replacement_rural_seats"]
    assert compare_with_second_reader(path, run).relative < SAME_STORY
    # A model that says something else is seen at once.
    other = replace(decisions, funded_share=decisions.funded_share * 0.99)
    settled = engine.run(other, ("cumulative_settlers",)).data
    assert compare_with_second_reader(path, settled).relative > SAME_STORY


@READER
@pytest.mark.slow
def test_the_31_provinces_without_reform(tmp_path: Path) -> None:
    run = ho.run("no_reform", progress=False)
    done = export_model(run, tmp_path / "no_reform.mdl", second_reader=True)
    assert done.difference.relative < SAME_RUN
    assert done.second_reader is not None
    assert done.second_reader.relative < SAME_STORY
    text = done.path.read_text(encoding="utf-8")
    assert done.size == len(text)
    assert text.startswith("{UTF-8}\n")
    about = " ".join(text.split())
    for word in (run.identity, run.attrs["data_identity"], "r310000 Shanghai", ho.__version__):
        assert word in about
    # Nothing of the machine, nothing but plain signs.
    assert text.isascii()
    assert str(tmp_path) not in text
    assert str(bundled.PACKAGE) not in text


@READER
@pytest.mark.slow
def test_the_decisions_of_an_allocation_are_in_the_file(spine: ho.Result, tmp_path: Path) -> None:
    done = export_model(spine, tmp_path / "plan.mdl", second_reader=True)
    assert done.difference.relative < SAME_RUN
    assert done.second_reader is not None
    assert done.second_reader.relative < SAME_STORY
    given, decided = spine["decisions"], spine["allocation"]
    years = decided["year"].values
    xr.testing.assert_allclose(given["starts"].sel(year=years), decided["starts"], rtol=1e-9)
    assert float(given["starts"].sum()) > 0
    assert float(given["bonds"].sum()) > 0
    assert float(given["funded_share"].min()) < 1
    # Over the tail nothing more is built, and the funded share is held.
    tail = given.sel(year=slice(int(years[-1]) + 1, None))
    assert tail.sizes["year"] == 5
    assert float(tail["starts"].max()) == 0
    held = given["funded_share"].sel(year=years[-1])
    assert bool((tail["funded_share"] == held).all())
    # A result from before decisions were kept opens, and says why it cannot be exported.
    parts = {name: spine[name] for name in spine.tree.children if name != "decisions"}
    older = ho.Result.build(spine.attrs, parts)
    with pytest.raises(ResultError, match=r"/decisions \| is missing"):
        export_model(older, tmp_path / "older.mdl")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.mdl"]


# The command


@READER
@pytest.mark.slow
def test_the_command_says_path_size_and_differences(quick: Path, result: ho.Result) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["model", "export", str(quick), "--second-reader"])
    assert done.exit_code == 0, done.output
    path = quick / "quick.mdl"
    size = path.stat().st_size
    assert f"Written to {path} ({size:,} bytes)" in done.stdout
    found = [float(word) for word in re.findall(r": (\d\S*) \(", done.stdout)]
    assert len(found) == 2
    assert found[0] < SAME_RUN
    assert found[1] < SAME_STORY
    text = path.read_text(encoding="utf-8")
    assert re.search(r"(?m)^TIME STEP = 0\.5\n", text)
    assert "settlement_hazard_max= 0.2\n" in text
    # A hostile name stays a word of a comment.
    assert "r110000 x open( stolen , w )" in " ".join(text.split())
    assert not (quick / "stolen").exists()
    # Written once: never over another file unasked.
    before = path.read_bytes()
    again = runner.invoke(app, ["model", "export", str(quick / "result.nc")])
    assert again.exit_code == OutputError.exit_code
    assert "exists | add --force" in again.stderr
    path.write_text("old", encoding="utf-8")
    forced = runner.invoke(app, ["model", "export", str(quick), "--force"])
    assert forced.exit_code == 0, forced.output
    assert "second reader" not in forced.stdout
    assert path.read_bytes() == before
    path.unlink()


def test_without_the_second_reader_nothing_is_written(
    quick: Path, result: ho.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    out = tmp_path / "out.mdl"
    done = CliRunner().invoke(
        app, ["model", "export", str(quick), "--out", str(out), "--second-reader"]
    )
    assert done.exit_code == 3
    assert "pip install pysimlin" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_was_altered_is_refused(
    quick: Path, result: ho.Result, tmp_path: Path
) -> None:
    tree = result.tree.copy(deep=True)
    tree["trajectory"]["urban_seats"].values[3, 1] *= 1.001
    tree.attrs = {**result.attrs, "identity": result.identity}
    tree.to_netcdf(tmp_path / "result.nc", engine="netcdf4")
    done = CliRunner().invoke(app, ["model", "export", str(tmp_path)])
    assert done.exit_code == ResultError.exit_code
    assert "was altered after it was written" in done.stderr
    assert not (tmp_path / "quick.mdl").exists()
    missing = CliRunner().invoke(app, ["model", "export", str(tmp_path / "nowhere")])
    assert missing.exit_code == ResultError.exit_code
    assert "there is no such file" in missing.stderr


# What no longer fits the run


def test_a_file_whose_run_is_another_is_not_written(result: ho.Result, tmp_path: Path) -> None:
    path = result["trajectory"]
    seats = path["urban_seats"].copy(deep=True)
    seats.loc[{"year": 2025, "region": "420000"}] *= 1 + 1e-6
    forged = changed(result, trajectory=path.assign(urban_seats=seats))
    with pytest.raises(ResultError, match=r"differs by 1e-06 \(urban_seats\[420000\] in 2025\)"):
        export_model(forged, tmp_path / "out.mdl")
    assert list(tmp_path.iterdir()) == []


def test_changed_inputs_are_named_all_at_once(
    result: ho.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    text = bundled.model().read_text(encoding="utf-8")
    (models / "hukou.mdl").write_text(
        text.replace("lease_term= 20", "lease_term= 21"), encoding="utf-8"
    )
    monkeypatch.setattr(bundled, "model", lambda: models / "hukou.mdl")
    table = result["parameters"]
    value = table["value"].copy(deep=True)
    value.loc[{"parameter": "lease_term"}] += 1
    # The linear program's own parameters are no part of the model.
    value.loc[{"parameter": "inequality_aversion"}] += 1
    older = changed(result, parameters=table.assign(value=value))
    other = own_table(tmp_path, growth=1.01)
    with pytest.raises(ResultError) as caught:
        export_model(older, tmp_path / "out.mdl", regions=other)
    assert [fault.where for fault in caught.value.faults] == [
        "parameter lease_term",
        "region data",
        "model hukou.mdl",
    ]
    assert "21.0" in caught.value.faults[0].what
    assert not (tmp_path / "out.mdl").exists()


def test_the_region_table_may_have_moved(
    result: ho.Result, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ResultError, match="--regions"):
        export_model(result, tmp_path / "out.mdl")
    assert list(tmp_path.iterdir()) == []
    done = export_model(result, tmp_path / "out.mdl", regions=quick / "own.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.mdl"]
    assert done.second_reader is None


def test_settings_that_cannot_be_used_are_refused(result: ho.Result, tmp_path: Path) -> None:
    settings = str(result.attrs["experiment_yaml"])
    for text, message in (
        ("[1, 2]", "holds no settings"),
        ("a: [", "cannot be read"),
        (settings + "unknown_key: 1\n", "unknown_key"),
        (settings.replace("settlement_hazard_max", "hazard_of_old"), "hazard_of_old"),
        (settings.replace("enabled: false", "enabled: true"), "contradicts the settings"),
    ):
        assert text != settings
        groups = {name: result[name] for name in result.tree.children}
        broken = ho.Result.build({**result.attrs, "experiment_yaml": text}, groups)
        with pytest.raises(ResultError, match=message):
            export_model(broken, tmp_path / "out.mdl")
    assert list(tmp_path.iterdir()) == []


def test_where_a_file_cannot_go(result: ho.Result, tmp_path: Path) -> None:
    (tmp_path / "folder.mdl").mkdir()
    for path, message in (
        (tmp_path / "out.txt", "does not end in .mdl"),
        (tmp_path / "folder.mdl", "is a folder"),
        (tmp_path / "no" / "out.mdl", "lies in no folder"),
    ):
        with pytest.raises(OutputError, match=message):
            export_model(result, path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mdl"]
