from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from result_builder import result
from typer.testing import CliRunner

import hukou_opt
from hukou_opt.cli import app
from hukou_opt.errors import Fault, InfeasibleError
from hukou_opt.result import open_result

HEAVY = ("pysd", "pyomo", "highspy", "xarray", "pandas", "numpy", "matplotlib", "pydantic")


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Put a planning room in place that hands back a made-up result and notes its calls."""
    calls: list[object] = []

    def run(experiment: object, *, progress: bool = True, threads: int = 1) -> object:
        calls.append((experiment, progress))
        return result()

    fake = SimpleNamespace(run=run)
    monkeypatch.setitem(sys.modules, "hukou_opt.planning", fake)
    monkeypatch.setattr(hukou_opt, "planning", fake, raising=False)
    return calls


def start(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "import sys; from hukou_opt.cli import main; main()"
    root = str(Path(hukou_opt.__file__).resolve().parents[1])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
    )


def test_version() -> None:
    done = start("--version")
    assert done.stdout.strip() == f"hukou-opt {hukou_opt.__version__}"
    assert done.returncode == 0


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['hukou-opt', '--help']\nfrom hukou_opt.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.argv[0:0] + sorted(sys.modules) if '.' not in name])"
    )
    root = str(Path(hukou_opt.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    loaded = done.stdout.splitlines()[-1]
    assert "'hukou_opt'" in loaded
    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


def test_run_writes_everything_and_says_where(
    runner: CliRunner, planned: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "out"
    done = runner.invoke(app, ["run", "floor_as_law", "--out", str(out), "--no-progress"])
    assert done.exit_code == 0, done.output
    experiment, progress = planned[0]  # type: ignore[misc]
    assert experiment.name == "floor_as_law"
    assert not progress
    for path in out.iterdir():
        assert str(path) in done.output
    assert open_result(out / "result.nc") == result()
    assert (out / "experiment.yaml").read_text() == "name: made_up\n"
    assert {path.suffix for path in out.iterdir()} == {
        ".nc",
        ".yaml",
        ".csv",
        ".tex",
        ".xlsx",
        ".html",
        ".png",
    }
    assert "at rest after 3 rounds" in done.output


def test_run_takes_the_experiment_s_name_for_the_folder(
    runner: CliRunner, planned: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["run"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "results" / "plan_as_written" / "allocation.csv").is_file()
    assert planned[0][1] is True  # type: ignore[index]


def test_a_folder_that_cannot_be_written_stops_before_the_run(
    runner: CliRunner, planned: list[object], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    done = runner.invoke(app, ["run", "--out", str(tmp_path / "file" / "x")])
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert planned == []


def test_an_error_of_the_run_is_words_and_status_and_leaves_nothing(
    runner: CliRunner, planned: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise InfeasibleError(Fault("support_floor", "is short by 1,200", "make it soft"))

    monkeypatch.setattr(sys.modules["hukou_opt.planning"], "run", fail)
    done = runner.invoke(app, ["run", "--out", str(tmp_path / "out")])
    assert done.exit_code == 5
    assert "support_floor | is short by 1,200 | make it soft" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_experiment_is_words_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("refrom: true\nparameters: {central_fund_total: 0}\n")
    done = start("run", str(path), folder=tmp_path)
    assert done.returncode == 2
    assert "2 faults" in done.stderr
    assert "did you mean 'reform'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["wrong.yaml"]


def test_data_check_lists_faults(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("code,resident_pop,urban_share\n110000,-5,66\n110000,,0.6\n")
    done = runner.invoke(app, ["data", "check", str(path)])
    assert done.exit_code == 2
    assert "110000" in done.stderr
    assert done.stderr.count("\n  - ") > 2


def test_data_sources_name_a_source_for_every_figure(runner: CliRunner) -> None:
    plain = runner.invoke(app, ["data", "sources"])
    assert plain.exit_code == 0
    assert "resident_pop" in plain.stdout
    done = runner.invoke(app, ["data", "sources", "--csv"])
    head, *rows = done.stdout.splitlines()
    assert head.startswith("column,dims,unit,data_year,known_year,status")
    assert len(rows) > 50


def test_data_overview(runner: CliRunner) -> None:
    done = runner.invoke(app, ["data", "overview"])
    assert done.exit_code == 0
    assert "beds per 1,000" in done.stdout
