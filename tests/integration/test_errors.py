"""Bad input as a user meets it: one message with every fault, a status, and nothing left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from problems import made_up_problem
from result_builder import result
from typer.testing import CliRunner

from hukou_opt import bundled, planning
from hukou_opt.allocation.solve import solve
from hukou_opt.cli import app

INPUT_ERROR = 2
INFEASIBLE = 5
Change = Callable[[pd.DataFrame], pd.DataFrame]


def faults_in(text: str) -> list[str]:
    """Lines of a message; its head says how many there are, each in three parts."""
    head, *lines = text.strip().splitlines()
    number = re.search(r"\((\d+) faults?\):$", head)
    assert number, text
    assert len(lines) == int(number.group(1))
    for line in lines:
        assert line.startswith("  - "), line
        where, what, fix = line.removeprefix("  - ").split(" | ")
        assert where
        assert what
        assert fix
    return lines


def refused(tmp_path: Path, experiment: str, *, status: int = INPUT_ERROR) -> list[str]:
    """Run an experiment that must be refused, and return its faults."""
    before = sorted(tmp_path.rglob("*"))
    arguments = ["run", experiment, "--out", str(tmp_path / "new" / "out"), "--no-progress"]
    done = CliRunner().invoke(app, arguments)
    # Anything else than SystemExit would reach the user as a traceback.
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == status
    assert done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before
    return faults_in(done.stderr)


def experiment_file(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def shipped() -> pd.DataFrame:
    return pd.read_csv(bundled.data_folder("china_provinces") / "2023.csv", dtype=str)


def cell(code: str, column: str, value: str) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table["code"] == code, column] = value
        return table

    return change


TABLES: dict[str, tuple[Change, str]] = {
    "missing region": (
        lambda table: table[table["code"] != "510000"],
        "region 510000 | is missing | add its line",
    ),
    "duplicate region": (
        lambda table: pd.concat([table, table[table["code"] == "510000"]]),
        "region 510000 | stands 2 times | keep one line",
    ),
    "unknown region": (cell("510000", "code", "510001"), "region '510001' | is unknown | did you"),
    "no number": (
        cell("510000", "resident_pop", "NaN"),
        "region 510000, column 'resident_pop' | ",
    ),
    "empty": (
        cell("510000", "resident_pop", ""),
        "region 510000, column 'resident_pop' | is missing | give a number in 10k persons",
    ),
    "negative": (
        cell("510000", "resident_pop", "-8368"),
        "region 510000, column 'resident_pop' | is negative (-8368) | give a positive number",
    ),
    "zero": (
        cell("510000", "resident_pop", "0"),
        "region 510000, column 'resident_pop' | is zero (0) | give a positive number",
    ),
    "percent": (
        cell("510000", "urban_share", "59.49"),
        "column 'urban_share' | is a share above 1, probably a percentage (59.49) | a share is",
    ),
    "shares off one": (
        cell("510000", "tier_share_small_2020", "0.99"),
        "tier_share_small_2020 | sum to ",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_region_table_stops_the_run(name: str, tmp_path: Path) -> None:
    change, words = TABLES[name]
    change(shipped()).to_csv(tmp_path / "own.csv", index=False)
    experiment = experiment_file(tmp_path, "extends: no_reform\nregions: own.csv\n")
    faults = refused(tmp_path, experiment)
    assert any(words in fault for fault in faults), faults
    assert all("own.csv" in fault for fault in faults)
    check = CliRunner().invoke(app, ["data", "check", str(tmp_path / "own.csv")])
    assert check.exit_code == INPUT_ERROR
    assert faults_in(check.stderr) == faults


def test_all_faults_of_a_region_table_stand_in_one_message(tmp_path: Path) -> None:
    table = shipped()
    changes = (
        cell("110000", "resident_pop", "-1"),
        cell("120000", "resident_pop", "0"),
        cell("130000", "resident_pop", "nan"),
        cell("140000", "urban_share", "65"),
        cell("150000", "tier_share_mega_2020", "0.9"),
        cell("650000", "code", "659999"),
        lambda table: pd.concat([table, table[table["code"] == "210000"]]),
        lambda table: table.rename(columns={"beds_total": "beds_totl"}),
    )
    for change in changes:
        table = change(table)
    table.to_csv(tmp_path / "own.csv", index=False)
    experiment = experiment_file(tmp_path, "extends: no_reform\nregions: own.csv\n")
    text = "\n".join(refused(tmp_path, experiment))
    for words in (
        "region 110000, column 'resident_pop' | is negative (-1)",
        "region 120000, column 'resident_pop' | is zero (0)",
        "region 130000, column 'resident_pop' | ",
        "region 140000, column 'urban_share' | is a share above 1",
        "region 150000, columns tier_share_mega_2020",
        "region '659999' | is unknown",
        "region 650000 | is missing",
        "region 210000 | stands 2 times",
        "column 'beds_totl' | is unknown | did you mean 'beds_total'?",
    ):
        assert words in text, words


EXPERIMENTS = {
    "unknown key": ("refrom: false\n", "line 1, refrom | is an unknown key | did you mean 'reform"),
    "no budget": (
        "parameters:\n  central_fund_total: 0\n",
        "line 2, parameters.central_fund_total | there is no money to share out (0) | give a fund",
    ),
    "percent": (
        "parameters:\n  sector_share_health: 25\n",
        "line 2, parameters.sector_share_health | ",
    ),
    "shares off one": (
        "parameters: {sector_share_health: 0.3}\n",
        "do not sum to 1 (0.35 + 0.3 + 0.3 + 0.1 = 1.05) | give all of",
    ),
    "no number": (
        "parameters: {central_fund_total: .nan}\n",
        "parameters.central_fund_total | ",
    ),
    "year without data": ("base_year: 2019\n", "base year 2019 | has no data | choose one of 2010"),
    "no such table": ("regions: none.csv\n", "none.csv' | is neither a shipped table nor a file |"),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_bad_experiment_stops_the_run(name: str, tmp_path: Path) -> None:
    text, words = EXPERIMENTS[name]
    faults = refused(tmp_path, experiment_file(tmp_path, text))
    assert len(faults) == 1
    assert words in faults[0], faults


def test_a_base_year_whose_table_lacks_columns_names_them_all(tmp_path: Path) -> None:
    faults = refused(tmp_path, experiment_file(tmp_path, "extends: no_reform\nbase_year: 2015\n"))
    assert len(faults) > 10
    assert all("china_provinces 2015, column '" in fault for fault in faults)


def test_an_experiment_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = refused(tmp_path, "plan_as_writen")
    assert "'plan_as_writen' | is neither a shipped experiment nor a file | did you mean" in fault


def test_all_faults_of_an_experiment_stand_in_one_message_without_a_traceback(
    tmp_path: Path,
) -> None:
    """Once through a process of its own, as a shell sees it."""
    path = experiment_file(
        tmp_path,
        "extends: plan_as_written\nrefrom: true\nbase_year: 2023.5\n"
        "parameters:\n  central_fund_total: 0\n  sector_share_health: 25\n  guardd: 0.1\n"
        "allocation: {rules: {support_floor: lawful}}\n",
    )
    code = "from hukou_opt.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, "run", path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(bundled.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == INPUT_ERROR
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    faults = faults_in(done.stderr)
    assert len(faults) == 6
    for words in ("refrom", "base_year", "central_fund", "share_health", "guardd", "support_floor"):
        assert any(words in fault.split(" | ")[0] for fault in faults), words
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_folder_that_is_a_file_stops_before_anything_runs(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("the run has started")

    monkeypatch.setattr(planning, "run", never)
    taken = tmp_path / "taken"
    taken.write_text("a user's file")
    done = CliRunner().invoke(app, ["run", "no_reform", "--out", str(taken / below)])
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == INPUT_ERROR
    (fault,) = faults_in(done.stderr)
    assert fault.startswith(f"  - output folder '{taken / below}' | cannot be written (")
    assert fault.endswith("| name a folder of your own with --out")
    assert taken.read_text() == "a user's file"
    assert list(tmp_path.iterdir()) == [taken]


def test_hard_rules_that_cannot_hold_are_named_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = made_up_problem(seed=2, fund=400.0)
    p = replace(p, modes={**p.modes, "support_floor": "hard"})
    monkeypatch.setattr(planning, "run", lambda *_, **__: solve(p))
    whole, *cells = refused(tmp_path, "plan_as_written", status=INFEASIBLE)
    assert re.match(r"  - rule support_floor \(plan 6\.1\) \| cannot hold in \d+ ", whole)
    assert "100m yuan in all" in whole
    assert cells
    labels = [f"region {code}, {block.label}" for code in p.codes for block in p.blocks]
    for fault in cells:
        where, what, _ = fault.split(" | ")
        assert where.removeprefix("  - rule support_floor, ") in labels
        assert re.search(r"[\d.,]+ .*short", what), what


def test_rounds_that_do_not_rest_are_said_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "run", lambda *_, **__: result(converged=0, rounds=12))
    done = CliRunner().invoke(app, ["run", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "did not come to rest" in done.stderr
    assert "not converged after 12 rounds" in done.stdout
    assert "rounds not converged" in (tmp_path / "out" / "allocation.tex").read_text()


def test_a_result_that_is_not_proved_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "run", lambda *_, **__: result(certified=0))
    (fault,) = refused(tmp_path, "plan_as_written", status=7)
    assert "no valid certificate" in fault


def test_a_horizon_beyond_the_figures_by_age_is_refused(tmp_path: Path) -> None:
    text = "extends: no_reform\nhorizon: {end: 2050, tail: 2060}\n"
    (fault,) = refused(tmp_path, experiment_file(tmp_path, text))
    assert "figures by age reach 15 years beyond the base year, to 2038 (2060)" in fault
