"""A model of the user's own, as docs/own_model.md has it, from the files to the tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt import bundled
from hukou_opt.cli import app
from hukou_opt.dynamics import pins
from hukou_opt.dynamics.contract import contract
from hukou_opt.report.tables import path_table
from hukou_opt.result_card import summary

PAGE = Path(ho.__file__).resolve().parents[1] / "docs" / "own_model.md"
MODEL_ERROR, INPUT_ERROR = 3, 2


def blocks() -> dict[str, str]:
    """Files of the page, by name."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"(?ms)^`([\w.]+)`[^\n]*\n(?:[^`\n]+\n)*\n```\w+\n(.*?)^```$", text)
    return dict(found)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def folder(tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files in a folder of their own."""
    monkeypatch.setenv("HUKOU_OPT_CACHE", cache)
    place = tmp_path / "mine"
    place.mkdir()
    for name, text in blocks().items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def invoke(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    # Anything else than SystemExit would reach the user as a traceback.
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done.exit_code, done.stdout, done.stderr


def run(folder: Path, out: Path) -> tuple[int, str, str]:
    return invoke("run", str(folder / "towns.yaml"), "--out", str(out), "--no-progress")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_page_has_the_three_files() -> None:
    assert set(blocks()) == {"towns.mdl", "two.csv", "towns.yaml"}


def test_the_example_runs_to_its_tables(folder: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    status, told, _ = invoke("model", "check", str(folder / "towns.mdl"), "--trust")
    assert status == 0
    assert "all 31 are there" in told
    assert "initial_urban_beds" in told
    assert "cumulative_grants[region]" in told
    assert "every equation gives the unit that it declares" in told
    assert invoke("data", "check", str(folder / "two.csv"))[0] == 0
    status, told, trouble = run(folder, tmp_path / "out")
    assert status == 0, trouble
    assert "towns.mdl: the user's own, not the toolkit's" in told
    assert re.search(r"\d+ made, \d+ not made", told)
    assert sorted(path.name for path in folder.iterdir()) == before

    result = ho.open_result(tmp_path / "out" / "result.nc")
    assert result.certified
    assert result.converged
    assert result.attrs["model_state"] == "foreign"
    assert result.attrs["model"] == "towns.mdl"
    assert result["regions"]["region"].values.tolist() == ["coast", "hills"]
    money = pd.read_csv(tmp_path / "out" / "allocation.csv")
    ends = money.set_index("quantity")["value"]
    given = money[(money["region"] == "all") & (money["block"] == "2024-2028")]
    total = given[(given["quantity"] == "central_transfers") & (given["part"] == "total")]
    assert float(total["value"].iloc[0]) + float(ends["central_unused"]) == pytest.approx(800)
    assert float(total["value"].iloc[0]) > 0
    assert "the user's own, 'towns.mdl'" in (tmp_path / "out" / "tables.html").read_text(
        encoding="utf-8"
    ).replace("&#x27;", "'").replace("&#39;", "'")

    # People move as the experiment's own constant says.
    path = result["trajectory"]
    rural = path["rural_population"]
    left = rural.sel(year=2024) / rural.sel(year=2023)
    assert left.values == pytest.approx(np.full(2, (1 - 0.025 / 4) ** 4), rel=1e-12)
    # What the model lacks is neither in the result nor told to be checked.
    assert "land_farmed" not in path
    checks = result["checks"]
    made = np.isfinite(checks["worst"].values)
    assert made.any()
    assert (checks["worst"].values[made] <= checks["allowed"].values[made]).all()
    for name, done in zip(checks["check"].values, made, strict=True):
        assert str(name).startswith("not checked: ") != bool(done)
    unmade = [str(name) for name in checks["check"].values if str(name).startswith("not checked")]
    assert any("land" in name and "'land_farmed'" in name for name in unmade)
    # Stocks that only the model knows are seen to.
    assert "urban_seats_on_site is finite" in checks["check"].values


def test_every_missing_name_is_listed_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    text = (folder / "towns.mdl").read_text(encoding="utf-8")
    for name in ("need_rural_beds", "land_sale_revenue"):
        text = re.sub(rf"(?ms)^{name}\[region\]=.*?\|\n", "", text)
    text = text.replace("bonds[region,year]", "bonds[region]").replace(
        "\n\t~\thundred million yuan/year\n\t~\tDecision; nothing", "\n\t~\tyuan\n\t~\tDecision; no"
    )
    (folder / "towns.mdl").write_text(text, encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    status, told, trouble = run(folder, tmp_path / "out")
    assert status == MODEL_ERROR
    assert told == ""
    assert "(4 faults)" in trouble
    assert "need_rural_beds | is missing | add need_rural_beds[region] in 10k beds" in trouble
    assert "land_sale_revenue | is missing" in trouble
    assert "bonds | has the ranges ('region',)" in trouble
    assert "bonds | has the unit 'yuan'" in trouble
    assert sorted(tmp_path.rglob("*")) == before
    assert invoke("model", "check", str(folder / "towns.mdl"), "--trust")[2] == trouble


def test_one_contract_name_less(folder: Path, tmp_path: Path) -> None:
    edit(folder / "towns.mdl", "migrant_place_share_year_end", "migrant_place_share_at_year_end")
    status, _, trouble = run(folder, tmp_path / "out")
    assert status == MODEL_ERROR
    assert "(1 fault)" in trouble
    assert "did you mean 'migrant_place_share_at_year_end'?" in trouble
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("trust_model: true\n", "", "is not a model of the toolkit ('towns.mdl')"),
        ("model: towns.mdl", "model: town.mdl", "is neither a shipped model nor a file"),
        ("model: towns.mdl", "model: hukuo", "did you mean 'hukou'?"),
        ("model: towns.mdl", "model: two.csv", "is no Vensim model file ('two.csv')"),
        ("model: towns.mdl", "model: ../secret.mdl", "lies outside the experiment's folder"),
        ("model: towns.mdl", "model: link.mdl", "lies outside the experiment's folder"),
        ("model: towns.mdl", "model: ABSOLUTE", "lies outside the experiment's folder"),
        ("move_rate:", "mov_rate:", "is not in the model | did you mean 'move_rate'?"),
        ("move_rate:", "places_year_end:", "is no constant of the model (Auxiliary)"),
        ("move_rate:", "reform:", "is a key of its own"),
        ("move_rate:", "bed_standard:", "is a parameter of the registry"),
        ("move_rate:", "initial_urban_beds:", "comes from the region table"),
        ("move_rate:", "bonds:", "belongs to the toolkit"),
        (
            "teacher_posts: 1.5",
            "teacher_posts: 1.5, seat_building_delay: 2",
            "would change nothing",
        ),
    ],
)
def test_a_wrong_experiment_of_an_own_model(
    folder: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    secret = tmp_path / "secret.mdl"
    secret.write_text((folder / "towns.mdl").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "link.mdl").symlink_to(secret)
    edit(folder / "towns.yaml", old, new.replace("ABSOLUTE", str(secret)))
    before = sorted(tmp_path.rglob("*"))
    status, told, trouble = run(folder, tmp_path / "out")
    assert status == INPUT_ERROR
    assert told == ""
    assert words in trouble
    assert sorted(tmp_path.rglob("*")) == before


def test_trust_is_for_the_model_that_it_was_written_for(folder: Path) -> None:
    (folder / "other.mdl").write_text("{UTF-8}", encoding="utf-8")
    child = folder / "child.yaml"
    child.write_text("extends: towns.yaml\nreform: false\n", encoding="utf-8")
    assert ho.load_experiment(child).trust_model
    child.write_text("extends: towns.yaml\nmodel: other.mdl\n", encoding="utf-8")
    with pytest.raises(ho.HukouOptError, match=r"not a model of the toolkit \('other.mdl'\)"):
        ho.load_experiment(child)


def test_settings_in_python_name_any_path_and_need_trust(folder: Path) -> None:
    settings = {"name": "mine", "model": str(folder / "towns.mdl"), "reform": False}
    with pytest.raises(ho.HukouOptError, match="trust_model"):
        ho.experiment_from(settings)
    made = ho.experiment_from(settings | {"trust_model": True})
    assert made.model_source == folder / "towns.mdl"
    # An experiment that got past the file checks is stopped by the engine.
    untrusted = made.model_copy(update={"trust_model": False})
    with pytest.raises(ho.HukouOptError, match="not a model of the toolkit"):
        ho.run(untrusted, progress=False)


def test_a_stock_of_the_users_own_that_is_not_finite_stops_the_run(folder: Path) -> None:
    text = (folder / "towns.mdl").read_text(encoding="utf-8")
    text += "wild[region]= INTEG(urban_beds[region]/(Time - 2023), 1)\n~ year ~ A stock |\n"
    (folder / "towns.mdl").write_text(text, encoding="utf-8")
    with pytest.raises(ho.HukouOptError, match=r"wild\[.*is not finite"):
        ho.run(folder / "towns.yaml", progress=False)


def test_a_negative_stock_of_the_contract_stops_the_run(folder: Path) -> None:
    edit(folder / "towns.yaml", "move_rate: 0.025}", "move_rate: 1.5}\ntime_step: 1.0")
    with pytest.raises(ho.HukouOptError, match="rural_residents is not negative"):
        ho.run(folder / "towns.yaml", progress=False)


def test_an_edited_model_of_the_toolkit_is_reported(
    tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUKOU_OPT_CACHE", cache)
    text = bundled.model().read_text(encoding="utf-8")
    models = tmp_path / "models"
    models.mkdir()
    note = "own_note= 1\n\t~\t1\n\t~\tA constant more |\n\n"
    edited = text.replace("years_since_start= INTEG", f"{note}years_since_start= INTEG")
    assert edited != text
    (models / "hukou.mdl").write_text(edited, encoding="utf-8")
    monkeypatch.setattr(bundled, "folder", lambda kind: tmp_path / kind)
    assert pins.state(bundled.model()) == "modified"
    table = pd.read_csv(bundled.data_folder() / "2023.csv", dtype=str).iloc[[1, 4]]
    table.assign(code=["north", "south"]).to_csv(tmp_path / "own.csv", index=False)
    settings = {
        "name": "edited",
        "regions": str(tmp_path / "own.csv"),
        "allocation": {"enabled": False},
        "horizon": {"end": 2025, "tail": 2026},
        "model_constants": {"own_note": 2.0},
    }
    result = ho.run(ho.experiment_from(settings), progress=False)
    assert result.attrs["model_state"] == "modified"
    assert "hukou: modified: not the model that ships" in summary(result)
    assert any("was edited: 'hukou'" in note for note in path_table(result).notes)
    checks = result["checks"]
    assert bool((checks["worst"] <= checks["allowed"]).all())


def test_contract_names_of_the_example_are_those_that_are_required(folder: Path) -> None:
    """The page's model leaves out every optional name that it can do without."""
    text = (folder / "towns.mdl").read_text(encoding="utf-8")
    required = [term for term in contract() if term.required and term.kind != "range"]
    assert len(required) > 20
    for term in required:
        assert re.search(rf"(?m)^{re.escape(term.left_side)} ?=", text), term.name
