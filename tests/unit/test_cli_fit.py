from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fitted_past import FORM, TEST, small_backtest
from typer.testing import CliRunner

from hukou_opt.bundled import data_folder
from hukou_opt.cli import app
from hukou_opt.fit import backtest as scoring
from hukou_opt.fit import calibrate, national
from hukou_opt.fit.calibration_file import read_calibration
from hukou_opt.fit.protocol import FILE

WRITTEN = {
    "assumptions.csv",
    "backtest.html",
    "backtest.md",
    "backtest.tex",
    f"calibration_{TEST}.yaml",
    f"errors_map_{TEST}.png",
    "protocol.yaml",
    "regions.csv",
    "scores.csv",
    "skill.csv",
}


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def own_history(path: Path, **changes: Any) -> Path:
    """The shipped residents and urban shares of 2015-2018 as a file of one's own."""
    lines = pd.read_csv(data_folder() / "history.csv", dtype={"code": str}, comment="#")
    lines = lines[lines["year"].between(2015, 2018)][["code", "year", "resident_pop"]]
    lines = lines.assign(**changes)
    lines.to_csv(path, index=False)
    return path


def test_a_calibration_is_printed_and_written(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "ROUNDS", 1)
    monkeypatch.setattr(national, "RIDGE", (0.0, 0.4))
    out = tmp_path / "new" / "calibration.yaml"
    command = ["calibrate", "--from", "2010", "--to", "2014", "--series", "first", "--no-progress"]
    done = runner.invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    saved = read_calibration(out)
    assert (saved.first, saved.last, saved.known_by) == (2010, 2014, 2015)
    assert saved.access_held
    assert [each.reclassified for each in saved.ridge] == [0.0, 0.4]
    free, seen = sum(saved.free.values()), sum(saved.observations.values())
    assert f"Free parameters: {free} (31 slope" in done.output
    assert f"Observations:    {seen} (" in done.output
    words = " ".join(done.output.split())
    hazard = saved.national["settlement_hazard_max"]
    assert (
        f"settlement_hazard_max {hazard.value:.3g} [{hazard.low:.3g}, {hazard.high:.3g}]" in words
    )
    assert "met by construction" in words
    assert "correlation of the two -0.9" in words or "correlation of the two -1.0" in words
    assert f"{len(saved.known_later)} of them became known after 2015" in words
    assert "no two successive migration tables were at hand" in words

    again = runner.invoke(app, [*command, "--out", str(out)])
    assert again.exit_code == 2
    assert "is there already" in again.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "2022", "--to", "2023"], ["has too few years to fit (2)"]),
        (["--from", "2020", "--to", "2015"], ["ends before it begins (2020 to 2015)"]),
        (
            ["--from", "2006", "--to", "2007"],
            ["too few years to fit (2)", "before the first census with tables (2010)"],
        ),
        (["--known-by", "2018"], ["2023 | became known in", "use known_by"]),
        (["--to", "2030", "--known-by", "2031"], ["resident_pop 2030 | is not in the table"]),
        (["--series", "first"], ["resident_pop_prerev 2023 | is not in the table"]),
        (["--history", "none.csv"], ["is neither a shipped table nor a file"]),
    ],
)
def test_what_cannot_be_calibrated(
    runner: CliRunner, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    out = tmp_path / "calibration.yaml"
    done = runner.invoke(app, ["calibrate", "--no-progress", "--out", str(out), *options])
    assert done.exit_code == 2, done.output
    for each in words:
        assert each in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_planted_later_figure_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    path = own_history(tmp_path / "own.csv")
    options = ["--from", "2010", "--to", "2015", "--history", str(path), "--no-progress"]
    done = runner.invoke(app, ["calibrate", *options, "--out", str(tmp_path / "c.yaml")])
    assert done.exit_code == 2, done.output
    assert "2018" in done.output
    assert "after 2016" in done.output
    assert not (tmp_path / "c.yaml").exists()


def test_own_regions_need_the_census_tables(runner: CliRunner, tmp_path: Path) -> None:
    path = own_history(tmp_path / "own.csv")
    lines = pd.read_csv(path, dtype={"code": str})
    lines = lines[lines["code"] != "460000"].replace({"code": {"540000": "990000"}})
    lines.to_csv(path, index=False)
    options = ["--from", "2015", "--to", "2018", "--known-by", "2024", "--history", str(path)]
    done = runner.invoke(
        app, ["calibrate", *options, "--no-progress", "--out", str(tmp_path / "c.yaml")]
    )
    assert done.exit_code == 2, done.output
    assert "lacks the provinces (460000, 540000)" in done.output
    assert "no provinces' (990000)" in done.output


def test_the_target_must_be_a_file(runner: CliRunner, tmp_path: Path) -> None:
    done = runner.invoke(app, ["calibrate", "--out", str(tmp_path), "--force"])
    assert done.exit_code == 2
    assert "is a folder" in done.output


def test_a_backtest_is_printed_and_written(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def score(_: object, **options: Any) -> object:
        asked.append(options)
        return small_backtest()

    # Fitted and scored once for all tests; what is asked for is noted.
    monkeypatch.setattr(scoring, "backtest", score)
    command = ["backtest", "--test", TEST, "--test", TEST, "--form", FORM, "--no-progress"]
    done = runner.invoke(app, [*command, "--out", str(tmp_path / "one")])
    assert done.exit_code == 0, done.output
    options = {"tests": [TEST], "forms": [FORM], "with_assumptions": True, "progress": False}
    assert asked == [options]
    assert {each.name for each in (tmp_path / "one").iterdir()} == WRITTEN
    assert (tmp_path / "one" / "protocol.yaml").read_bytes() == FILE.read_bytes()
    scores = pd.read_csv(tmp_path / "one" / "scores.csv").set_index(["quantity", "forecast"])
    error = scores.loc[("urban_share", FORM), "mean_absolute_error"]
    line = next(each for each in done.output.splitlines() if "urban share (points)" in each)
    assert line.split()[3] == f"{error:.2f}"
    assert f"{FORM} *" in done.output
    assert "How to read it:" in done.output
    assert "parameters that move the window and became known later" in " ".join(done.output.split())
    regions = pd.read_csv(tmp_path / "one" / "regions.csv", dtype={"code": str})
    assert len(regions[(regions["forecast"] == FORM) & (regions["quantity"] == "beds")]) == 31

    runner.invoke(app, [*command, "--out", str(tmp_path / "two")])
    for name in WRITTEN:
        both = [(tmp_path / folder / name).read_bytes() for folder in ("one", "two")]
        assert both[0] == both[1], name


def test_a_failed_backtest_leaves_nothing(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "backtest", lambda *_, **__: small_backtest())
    out = tmp_path / "results"
    out.mkdir()
    (out / "regions.csv").mkdir()
    done = runner.invoke(app, ["backtest", "--no-progress", "--out", str(out)])
    assert done.exit_code == 2, done.output
    assert "has folders where files are to be written (regions.csv)" in done.output
    assert [each.name for each in out.iterdir()] == ["regions.csv"]


@pytest.mark.parametrize("option", ["--test", "--form"])
def test_unknown_names_are_refused(runner: CliRunner, tmp_path: Path, option: str) -> None:
    near = {"--test": "revissed", "--form": "shrunk"}[option]
    done = runner.invoke(app, ["backtest", option, near, "--out", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "did you mean" in done.output
    assert not (tmp_path / "none").exists()
