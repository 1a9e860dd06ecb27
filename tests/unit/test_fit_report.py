from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fitted_past import DRAWS, TEST, small_backtest
from matplotlib.figure import Figure

from hukou_opt.cli.fit import scores_of
from hukou_opt.errors import DataError, OutputError
from hukou_opt.fit.backtest import BackTest
from hukou_opt.fit.calibrate import Calibration
from hukou_opt.fit.calibration_file import (
    calibration_text,
    read_calibration,
    repeat_command,
    write_calibration,
)
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.fit.used import known_later, used_parameters
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions import load_regions
from hukou_opt.regions.history import load_history
from hukou_opt.report.backtest_figures import errors_map
from hukou_opt.report.backtest_tables import (
    Scores,
    against_naive,
    how_to_read,
    ladder,
    revision,
    to_html,
    to_latex,
    to_markdown,
    verdict,
)

LATER = "access_held"
#: Six figures stand in the file.
ROUNDED = 5e-6


@pytest.fixture(scope="module")
def made() -> BackTest:
    return small_backtest()


@pytest.fixture(scope="module")
def fitted(made: BackTest) -> Calibration:
    return made.calibrations[TEST]


@pytest.fixture(scope="module")
def given(made: BackTest) -> Scores:
    return scores_of(made)


@pytest.fixture(scope="module")
def text(fitted: Calibration) -> str:
    return calibration_text(fitted)


def test_what_is_written_is_read_again(fitted: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "calibration.yaml"
    write_calibration(fitted, path)
    first = path.read_bytes()
    write_calibration(fitted, path)
    assert path.read_bytes() == first
    assert b"\r" not in first
    assert [each.name for each in tmp_path.iterdir()] == [path.name]

    saved = read_calibration(path)
    assert (saved.first, saved.last, saved.vintage, saved.known_by) == (2010, 2014, "first", 2015)
    assert not saved.access_held
    assert tuple(saved.regions) == fitted.window.codes
    for name, values in (
        ("slope", fitted.fit.trends.slope.mean),
        ("slope_observed", fitted.observed.slope.mean),
        ("net_moves", fitted.fit.trends.net_moves.mean),
        ("net_moves_error", fitted.observed.net_moves.error),
        ("natural", fitted.observed.natural),
    ):
        read = [getattr(row, name) for row in saved.regions.values()]
        assert read == pytest.approx(values, rel=ROUNDED), name
    for at, (name, row) in enumerate(saved.national.items()):
        assert name == fitted.national.names[at]
        assert row.value == pytest.approx(fitted.national.values[at], rel=ROUNDED)
        assert row.low <= row.value <= row.high
    floor = {code for code, row in saved.regions.items() if row.at_floor}
    assert floor == {fitted.window.codes[at] for at in fitted.fit.fixed}
    assert saved.history == fitted.history.identity
    assert sum(saved.free.values()) == 31 + 30 + 2


def test_the_file_says_how_to_repeat_it(fitted: Calibration, text: str) -> None:
    command = repeat_command(fitted)
    assert command == (
        "hukou-opt calibrate --from 2010 --to 2014 --known-by 2015 --series first "
        "--access simulated"
    )
    assert f"#   {command}\n" in text
    assert "met by construction" in text
    assert "also fills in the ridge" in text
    # Six significant figures at most.
    mantissas = re.findall(r"(?<![\w.])-?\d+\.(\d+)", text.split("schema_version", 1)[1])
    assert max(len(digits.lstrip("0")) for digits in mantissas) <= 6


def test_used_parameters_move_the_window(fitted: Calibration) -> None:
    used = {row.name for row in used_parameters(fitted)}
    assert {"return_rate", "willingness_base", "hukou_floor_factor"} <= used
    # Fitted, set aside, or part of the reform, which is off.
    assert not used & {"settlement_hazard_max", "natural_growth_trend", "central_fund_total"}
    later = known_later(used_parameters(fitted), 2015)
    assert set(later) <= used
    assert all(load_parameters().rows[name].known_year > 2015 for name in later)


def test_all_faults_of_a_file_are_named_at_once(text: str, tmp_path: Path) -> None:
    path = tmp_path / "spoilt.yaml"
    spoilt = (
        text.replace("{code: '110000', slope: ", "{code: '110000', slop: ", 1)
        .replace("code: '120000'", "code: '129999'", 1)
        .replace("pooling: ", "pooling: .inf # ", 1)
        .replace("at_bound: false", "at_bound: 3", 1)
        .replace("  model: ", "  modell: ", 1)
    )
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_calibration(path)
    words = str(caught.value)
    for part in (
        "regions[110000], slope | is missing",
        "slop | is unknown | did you mean 'slope'?",
        "code '129999' | is unknown",
        "code '120000' | is missing",
        "pooling | is not finite (inf)",
        "at_bound | is not true or false (3)",
        "provenance, model | is missing",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema_version: 1", "schema_version: 7", "is not 1 (7)"),
        ("vintage: first", "vintage: latest", "vintage | is unknown ('latest')"),
        ("  last: 2014", "  last: 2013", "do not run from 2010 to 2013"),
        ("name: reclassified_share", "name: return_rate", "are not those that are fitted"),
        ("code: '120000'", "code: '110000'", "code '110000' | stands twice"),
        ("schema_version", "{", "is not valid YAML"),
    ],
)
def test_a_fault_is_named(text: str, tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in text
    path = tmp_path / "spoilt.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(words)):
        read_calibration(path)


def test_no_file_and_no_folder(fitted: Calibration, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_calibration(tmp_path / "none.yaml")
    with pytest.raises(OutputError, match="cannot be written"):
        write_calibration(fitted, tmp_path / "none" / "calibration.yaml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.02, 0.31, "better than"),
        (-0.12, 0.12, "not distinguishable from"),
        (0.0, 0.4, "not distinguishable from"),
        (-1.0, -0.1, "worse than"),
    ],
)
def test_skill_in_words(low: float, high: float, words: str) -> None:
    assert verdict(low, high) == words


def test_the_table_shows_the_primary_form_and_the_best_naive(given: Scores) -> None:
    ((heading, rows),) = against_naive(given).sections
    assert heading == "known_by_2015: 2010-2014 as first published, known by 2015; census of 2020"
    line = {row[0]: row for row in rows}["urban share (points)"]
    scores = given.scores[given.scores["quantity"] == "urban_share"].set_index("forecast")
    errors = scores["mean_absolute_error"]
    naive = errors[scores["kind"] == "naive"]
    assert line[1] == f"{errors['shrunken']:.2f}"
    assert line[2] == f"{naive.min():.2f}"
    skill = given.skills[
        (given.skills["quantity"] == "urban_share") & (given.skills["naive"] == naive.idxmin())
    ].iloc[0]
    assert line[3] == f"{skill.skill:.2f} [{skill.skill_low:.2f}, {skill.skill_high:.2f}]"
    assert line[-1].startswith(verdict(skill.skill_low, skill.skill_high))
    assert naive.idxmin().replace("_", " ") in line[-1]
    # One number has neither skill interval nor parts.
    assert {row[0]: row for row in rows}["national hukou rate (points)"][3:7] == ("–",) * 4


def test_the_ladder_marks_primary_and_later_forms(given: Scores) -> None:
    more = given.scores[given.scores["kind"] == "model"].assign(forecast=LATER)
    both = replace(given, scores=pd.concat([given.scores, more], ignore_index=True))
    ((_, rows),) = ladder(both).sections
    names = [row[0] for row in rows]
    assert names[0] == "shrunken *"
    assert f"{LATER} †" in names
    assert "naive: cohorts in place" in names
    assert any(LATER in line for line in how_to_read(both))
    assert not any(LATER in line for line in how_to_read(given))


def test_the_error_of_the_published_base_year(given: Scores) -> None:
    history = load_history()
    published, revised = (history.at(f"resident_pop{end}", 2014) for end in ("_prerev", ""))
    error = float(np.mean(np.abs(published / revised - 1)) * 100)
    assert error > 0.1
    assert given.revision[TEST]["population"] == pytest.approx(error)
    ((_, rows),) = revision(given).sections
    assert ("population (%)", f"{error:.2f}") in {row[:2] for row in rows}
    assert any(f"off by {error:.2f} %" in line for line in how_to_read(given))


def test_pages_name_protocol_reference_and_draws(given: Scores) -> None:
    identity = load_protocol().identity[:12]
    for page in (to_markdown(given), to_latex(given), to_html(given)):
        assert identity in page
        assert f"{DRAWS} paired bootstrap draws" in page
        assert "20201101" in page
        assert "census of 2020" in page
    assert " ".join(given.fixed.knowledge.split()) in to_markdown(given)
    latex = to_latex(given)
    body = [line for line in latex.splitlines() if not line.startswith("%")]
    assert not re.search(r"(?<!\\)[%_#]", "\n".join(body))
    assert latex.count(r"\begin{longtable}") == 3
    assert "†" not in latex


def test_without_published_series_there_is_no_table_of_revision(given: Scores) -> None:
    assert "explains" not in to_markdown(replace(given, revision={}))


@pytest.mark.plots
def test_the_map_has_a_tile_per_province_and_colours_around_zero(given: Scores) -> None:
    figure = _map(given)
    panels = figure.axes[:2]
    for axes, quantity in zip(panels, ("population", "urban_share"), strict=True):
        errors = given.regions[
            (given.regions["quantity"] == quantity) & (given.regions["forecast"] == "shrunken")
        ].set_index("code")["error"]
        assert len(axes.patches) == len(axes.texts) == 31
        words = {text.get_text() for text in axes.texts}
        number = f"{errors['310000']:+.1f}".replace("-", "\N{MINUS SIGN}")
        assert f"Shanghai\n{number}" in words
        assert f"{errors.abs().mean():.2f}" in axes.get_title()
        # Too high is red, too low is blue.
        colours = dict(
            zip(errors.index, (tile.get_facecolor() for tile in axes.patches), strict=True)
        )
        high, low = colours[errors.idxmax()], colours[errors.idxmin()]
        assert (high[0] > high[2]) == (errors.max() > 0)
        assert (low[0] < low[2]) == (errors.min() < 0)
    first, second = io.BytesIO(), io.BytesIO()
    figure.savefig(first, dpi=50, metadata={"Software": None})
    _map(given).savefig(second, dpi=50, metadata={"Software": None})
    assert first.getvalue() == second.getvalue()


def _map(given: Scores) -> Figure:
    errors = given.regions[given.regions["forecast"] == "shrunken"]
    return errors_map(errors, load_regions().labels, title="Test", reference="the census of 2020")
