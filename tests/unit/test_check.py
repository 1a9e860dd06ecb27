from __future__ import annotations

from pathlib import Path

import pytest
from result_builder import result
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.cli.check import table_text
from hukou_opt.errors import ExperimentError, ResultError
from hukou_opt.experiment import load_experiment
from hukou_opt.experiment.expected import Expected
from hukou_opt.outcomes import outcome
from hukou_opt.planning import check as room

FILE = """\
extends: no_reform
variants:
  quiet:
    title: {{en: Quiet}}
  a:
    title: {{en: A}}
    expect:
      - {{quantity: hukou_rate, year: 2026, value: {rate}, tolerance: 0.01}}
      - {{quantity: hukou_rate, value: {late}, relative: 0.01, region: Henan}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = result()
    rate, late = outcome(made, "hukou_rate", 2026), outcome(made, "hukou_rate", 2029, "Henan")
    path = tmp_path / "mine.yaml"
    path.write_text(FILE.format(rate=rate + 0.009, late=late), encoding="utf-8")
    return path


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Take a made-up result for every saved one, and note where it was looked for."""
    asked: list[Path] = []

    def kept(_: object, folder: Path) -> object:
        asked.append(folder)
        return result()

    monkeypatch.setattr(room, "kept_result", kept)
    return asked


def test_a_figure_holds_up_to_its_tolerance_and_not_beyond() -> None:
    made = result()
    rate = outcome(made, "hukou_rate", 2029)

    def holds(**given: float) -> bool:
        (row,) = room.compared(made, [Expected(quantity="hukou_rate", **given)])  # type: ignore[arg-type]
        assert row.got == rate
        assert row.year == 2029
        assert row.unit == "1"
        assert row.difference == pytest.approx(rate - given["value"])
        return row.holds

    assert holds(value=rate + 0.01, tolerance=0.0101)
    assert holds(value=rate - 0.01, tolerance=0.0101)
    assert not holds(value=rate + 0.01, tolerance=0.0099)
    assert not holds(value=rate - 0.01, tolerance=0.0099)
    assert holds(value=rate, tolerance=0)
    assert holds(value=rate * 1.05, relative=0.05)
    assert not holds(value=rate * 1.06, relative=0.05)


def test_what_a_result_does_not_hold_is_said_all_at_once() -> None:
    wanted = [
        Expected(quantity="debt", value=1, tolerance=1),
        Expected(quantity="hukou_rate", value=1, tolerance=1, region="Hennan"),
        Expected(quantity="hukou_rate", value=1, tolerance=1),
    ]
    with pytest.raises(ResultError) as caught:
        room.compared(result(), wanted)
    assert len(caught.value.faults) == 2
    assert "did you mean 'Henan'" in str(caught.value)


def test_the_saved_result_is_read_and_variants_without_figures_passed_over(
    path: Path, saved: list[Path], tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["check", str(path), "--results", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert saved == [tmp_path / "mine.a"]
    assert "All 2 figures are as expected." in done.output


def test_status_8_where_a_figure_fails(path: Path, saved: list[Path]) -> None:
    text = path.read_text(encoding="utf-8").replace("tolerance: 0.01", "tolerance: 0.008")
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(path)])
    assert done.exit_code == 8
    assert "1 of 2 figures are not as expected." in done.output
    assert len(saved) == 1


def test_an_experiment_without_figures_says_so() -> None:
    quiet = load_experiment("no_reform").model_copy(update={"expect": ()})
    with pytest.raises(ExperimentError, match=r"expects no figures . add `expect:` to the file"):
        room.check([quiet])


def test_the_table_has_a_line_for_each_figure() -> None:
    made = result()
    rows = room.compared(made, [Expected(quantity="bonds", value=0, tolerance=1, year=2026)])
    text = table_text(rows)
    assert "made_up:" in text
    assert "bonds" in text
    assert text.endswith("NO")
    assert f"{outcome(made, 'bonds', 2026):.6g}" in text


def test_outcomes_are_listed() -> None:
    done = CliRunner().invoke(app, ["check", "--list"])
    assert done.exit_code == 0
    assert "hukou_rate" in done.output
    assert "100m yuan" in done.output
