from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.base_year import CONTRACT

OWN = """extends: plan_as_written
base: plan
allow_out_of_range: true
parameters: {guard: 0.1, bed_standard: 0.0095}
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    file = tmp_path / "own.yaml"
    file.write_text(OWN, encoding="utf-8")
    return str(file)


def call(*arguments: str, width: int = 120, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["parameters", *arguments], env={"COLUMNS": str(width)})
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_registry_fits_the_terminal_and_names_everything(width: int) -> None:
    text = call(width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    first = {line.split()[0] for line in lines if line and not line.startswith(" ")}
    assert set(load_parameters()) <= first
    number = len(load_parameters())
    assert re.search(rf"^{number} parameters: \d+ official, \d+ plan, ", text, re.MULTILINE)
    assert re.search(rf"^all +(\d+ +){{4}}{number}$", text, re.MULTILINE)


def test_on_a_wide_terminal_the_meaning_stands_beside_else_below() -> None:
    meaning = "School-age children of rural-hukou migrants"
    beside = call("--search", "migrants", width=220)
    below = call("--search", "migrants", width=100)
    assert re.search(rf"^migrant_children .*plan +{meaning}", beside, re.MULTILINE)
    assert re.search(rf"^migrant_children .*plan\n    {meaning}", below, re.MULTILINE)


def test_the_year_in_which_a_value_became_known_stands_in_every_row() -> None:
    text = call(width=80)
    for row in load_parameters().rows.values():
        assert re.search(rf"^{row.name} .* {row.known_year}$", text, re.MULTILINE)


def test_the_registry_does_not_speak_of_changes() -> None:
    text = call()
    assert "registry" not in text.splitlines()[0]
    assert "changed" not in text


def test_a_search_that_finds_few_shows_them_in_full() -> None:
    text = call("--search", "national_hukou_rate", width=80)
    row = load_parameters().rows["national_hukou_rate"]
    flat = " ".join(text.split())
    for part in (row.meaning, row.source, f"{row.low:g} to {row.high:g}", row.plan_fact):
        assert part in flat
    assert f"became known {row.known_year}" in flat
    assert max(map(len, text.splitlines())) <= 80


def test_an_experiment_s_values_stand_beside_the_registry_s(own: str) -> None:
    text = call(own)
    assert re.search(r"^guard +0\.1\* +0\.05 ", text, re.MULTILINE)
    assert re.search(r"^bed_standard +0\.0095\*! +0\.0075 ", text, re.MULTILINE)
    assert re.search(r"^national_hukou_rate +0\.467\* +0\.483 ", text, re.MULTILINE)
    assert "4 changed by own" in text
    assert "! outside the registry's range, as it allows: bed_standard" in text
    plain = call("no_reform")
    assert "reform: false" in plain
    assert "None of these is changed by no_reform" in plain


def test_csv_and_json_are_whole(own: str, tmp_path: Path) -> None:
    table = pd.read_csv(tmp_path / call_out(tmp_path, "all.csv"))
    assert table["name"].tolist() == list(load_parameters())
    assert table.isna().sum().drop("plan_fact").sum() == 0
    content = json.loads(call(own, "--format", "json"))
    assert content["experiment"] == "own"
    changed = {row["name"]: row["value"] for row in content["parameters"] if row["changed"]}
    known = {row["name"]: row["known_year"] for row in content["parameters"]}
    assert known == {name: row.known_year for name, row in load_parameters().rows.items()}
    assert table["known_year"].tolist() == list(known.values())
    assert changed["guard"] == 0.1
    assert set(changed) == {
        "guard",
        "bed_standard",
        "national_hukou_rate",
        "public_school_share",
    }
    assert content["count"]["all"]["all"] == len(content["parameters"])


def call_out(folder: Path, name: str, *arguments: str) -> str:
    assert f"Written to {folder / name}" in call(*arguments, "--out", str(folder / name))
    return name


def test_the_ending_of_the_file_tells_the_format(tmp_path: Path) -> None:
    for name, start in (
        ("a/b.tex", "% needs array, booktabs"),
        ("c.json", "{"),
        ("d.csv", "name,room,"),
        ("e.txt", "name "),
    ):
        call_out(tmp_path, name)
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.startswith(start)
        assert text.endswith("\n")
    # Nothing is cut in a file.
    assert "…" not in (tmp_path / "e.txt").read_text(encoding="utf-8")
    call_out(tmp_path, "f.csv", "--format", "latex")
    assert (tmp_path / "f.csv").read_text(encoding="utf-8").startswith("% needs")


@pytest.mark.parametrize("width", [80, 160])
def test_the_base_year_fits_the_terminal_and_has_every_variable(width: int) -> None:
    text = call("--derived", width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    first = {line.split()[0] for line in lines if line and not line.startswith(" ")}
    assert set(CONTRACT) <= first
    assert f"{len(CONTRACT)} variables: " in text
    assert "31 regions together" in text
    assert "one parameter at a time" in " ".join(text.split())


def test_one_region_of_the_base_year(own: str) -> None:
    text = call(own, "--derived", "--region", "guangdong", width=160)
    assert "Guangdong (440000), parameters of own" in text
    content = json.loads(call("--derived", "--region", "440000", "--format", "json"))
    assert content["region"] == "440000"
    rows = {row["variable"]: row for row in content["variables"]}
    assert rows["initial_migrants"]["low"] < rows["initial_migrants"]["value"]
    assert rows["budget_revenue"]["low"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan_as_writen"], "did you mean 'plan_as_written'?"),
        (["guard"], "use hukou-opt parameters --search guard"),
        (["--room", "modle"], "did you mean 'model'?"),
        (["--search", "gaurd"], "did you mean 'guard'?"),
        (["--region", "Henan"], "add --derived"),
        (["--derived", "--room", "model"], "leave it out"),
        (["--derived", "--region", "Henna"], "did you mean 'Henan'?"),
        (["--derived", "--status", "plan"], "known names: assumption, derived, official"),
        (["--format", "xml"], "known names: csv, json, latex, text"),
    ],
)
def test_wrong_words_are_told_with_a_remedy(arguments: list[str], words: str) -> None:
    text = call(*arguments, status=2)
    assert words in text
    assert "Traceback" not in text


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is a folder" in call("--out", str(tmp_path), status=2)
    call("--search", "gaurd", "--out", str(tmp_path / "new" / "a.csv"), status=2)
    (tmp_path / "file").write_text("x")
    blocked = tmp_path / "file" / "a.csv"
    assert "cannot be written" in call("--out", str(blocked), status=2)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert "No space left" in call("--out", str(tmp_path / "new" / "a.csv"), status=2)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_value_out_of_range_needs_its_flag_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    class ReachedError(Exception):
        pass

    def run(experiment: object, **_: object) -> object:
        calls.append(experiment)
        raise ReachedError

    monkeypatch.setattr("hukou_opt.planning", SimpleNamespace(run=run), raising=False)
    monkeypatch.chdir(tmp_path)
    text = "extends: no_reform\nparameters: {lease_term: 99, guard: -1}\n"
    Path("out.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["run", "out.yaml"])
    assert done.exit_code == 2
    assert "parameters.lease_term | is outside its range 5 to 30 year (99)" in done.stderr
    assert "parameters.guard | is outside its range" in done.stderr
    assert call("out.yaml", status=2) == done.stderr
    assert calls == []
    assert [path.name for path in tmp_path.iterdir()] == ["out.yaml"]
    Path("out.yaml").write_text(text + "allow_out_of_range: true\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["run", "out.yaml"])
    assert isinstance(done.exception, ReachedError)
    assert len(calls) == 1


def test_help_shows_examples() -> None:
    text = call("--help")
    assert "hukou-opt parameters --derived --region Guangdong" in text
