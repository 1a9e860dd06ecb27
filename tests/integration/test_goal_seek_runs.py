"""Searches on real runs: the model alone on the provinces, and coupled plans of two regions."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt.cli import app
from hukou_opt.cli.goal_seek import WORDS_FILE
from hukou_opt.errors import ExperimentError, Fault, InfeasibleError
from hukou_opt.experiment import experiment_from, load_experiment
from hukou_opt.outcomes import outcome
from hukou_opt.parameters import load_parameters
from hukou_opt.planning.goal_seek import plans, runs
from hukou_opt.report.goal_seek_table import RUNS_FILE

MONEY = {
    "central_fund_total": 100.0,
    "bonds_per_year": 4.0,
    "teacher_posts": 0.05,
    "seat_target": 2.3,
    "partner_schools": 5.0,
    "partner_hospitals": 12.0,
}
REGIONS = (
    "code,name_en,parent,resident_pop,urban_share\nX,East,310000,60,0.8\nY,West,520000,260,0.5\n"
)
pytestmark = pytest.mark.slow


def two_regions(folder: Path, **changes: object) -> ho.Experiment:
    path = folder / "two.csv"
    path.write_text(REGIONS, encoding="utf-8")
    given = {
        "name": "two",
        "regions": str(path),
        "parameters": MONEY,
        "horizon": {"end": 2026, "tail": 2028},
        "coupling": {"max_rounds": 2},
        **changes,
    }
    return experiment_from(given)


def test_the_least_value_of_a_lever_of_the_model_alone():
    """Oracle: the same experiment, run by itself on both sides of the answer."""
    base = load_experiment("no_reform")
    target = "hukou_rate@2033>=0.58"
    seek = ho.goal_seek(base, target, lever="settlement_hazard_max", rounds=3, progress=False)
    assert seek.state == "found"
    assert not seek.settled
    assert seek.met.lever - seek.missed.lever == pytest.approx(0.15 / 8)
    for run in (seek.met, seek.missed):
        changed = {"settlement_hazard_max": run.lever}
        again = ho.run(base.model_copy(update={"parameters": changed}), progress=False)
        assert outcome(again, "hukou_rate", 2033) == pytest.approx(run.outcome, rel=1e-12)
        assert run.met == (run.outcome >= 0.58)


def test_less_of_a_lever_is_better_where_the_two_ends_say_so():
    base = load_experiment("no_reform")
    middle = ho.goal_seek(
        base, "abandoned_share@2033<=0", lever="abandonment_rate", rounds=1, progress=False
    )
    low, high, half = (run.outcome for run in middle.runs)
    assert low < half < high
    goal = f"abandoned_share@2033<={(low + half) / 2}"
    seek = ho.goal_seek(base, goal, lever="abandonment_rate", rounds=2, progress=False)
    assert seek.met.lever < seek.missed.lever <= 0.015
    assert seek.missed.outcome > (low + half) / 2 >= seek.met.outcome


def test_a_lever_that_moves_nothing_is_refused_before_a_search():
    base = load_experiment("no_reform")
    with pytest.raises(ExperimentError, match="changes neither the model nor the linear program"):
        ho.goal_seek(base, "hukou_rate@2033>=0.65", lever="income_ratio_error", progress=False)


def test_coupled_runs_are_what_a_run_gives_and_are_kept(tmp_path, monkeypatch):
    """The least fund of two regions; interrupted, resumed, and beside a plain run."""
    settings = two_regions(tmp_path)
    out, made = tmp_path / "kept", []
    real = plans.Plans.run

    def counted(self, values):
        made.append(values["central_fund_total"])
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(self, values)

    monkeypatch.setattr(runs.Plans, "run", counted)
    ask = {"between": (1.0, 200.0), "rounds": 1, "out": out, "progress": False}
    goal = "central_money@2026>=1e6"
    with pytest.raises(KeyboardInterrupt):
        ho.goal_seek(settings, goal, **ask)
    with (out / RUNS_FILE).open(encoding="utf-8", newline="") as handle:
        low, high = (float(line["outcome"]) for line in csv.DictReader(handle))
    # What is kept are results: they serve another goal as well.
    goal = f"central_money@2026>={(low + high) / 2}"
    seek = ho.goal_seek(settings, goal, **ask)
    assert [run.state for run in seek.runs[:3]] == ["kept", "kept", "ran"]
    assert made.count(1.0) == made.count(200.0) == 1
    assert all(run.certified for run in seek.runs)
    assert all(run.seconds is not None for run in seek.runs)
    run = seek.met
    assert seek.missed.lever == 1.0
    alone = settings.model_copy(update={"parameters": {**MONEY, "central_fund_total": run.lever}})
    again = ho.run(alone, progress=False)
    assert outcome(again, "central_money", 2026) == pytest.approx(run.outcome, rel=1e-3)
    # Other settings, other runs: nothing of the folder is taken over.
    other = ho.goal_seek(
        settings.model_copy(update={"reform": False}), goal, **{**ask, "rounds": 0}
    )
    assert {each.state for each in other.runs} == {"ran"}


def test_other_levers_are_tried_where_the_goal_is_out_of_reach(tmp_path):
    settings = two_regions(tmp_path)
    seek = ho.goal_seek(
        settings,
        "hukou_rate@2026>=0.99",
        between=(1.0, 200.0),
        rounds=0,
        others=["settlement_hazard_max"],
        progress=False,
    )
    assert seek.state == "cannot"
    assert [run.others["settlement_hazard_max"] for run in seek.others] == [0.15, 0.3]
    assert {run.lever for run in seek.others} == {seek.best.lever}
    low, high = (run.outcome for run in seek.others)
    assert low < seek.best.outcome < high
    text = seek.words(200)
    assert "Cannot be met" in text
    assert text.index("0.3 ") > 0
    assert "Other levers" in text


def test_a_search_in_which_no_run_has_an_answer_ends_with_the_reason(tmp_path, monkeypatch):
    settings = two_regions(tmp_path)

    def refuse(self, values):
        raise InfeasibleError(Fault("rule public_share", "cannot hold", "make it soft"))

    monkeypatch.setattr(runs.Plans, "run", refuse)
    with pytest.raises(InfeasibleError, match="public_share"):
        ho.goal_seek(settings, "hukou_rate@2026>=0.5", between=(1.0, 200.0), progress=False)


def test_the_command_writes_what_it_says(tmp_path):
    words = ["--target", "hukou_rate@2033>=58%", "--lever", "settlement_hazard_max"]
    words += ["--rounds", "0", "--no-progress", "--out", str(tmp_path)]
    found = CliRunner().invoke(app, ["goal-seek", "no_reform", *words])
    assert found.exit_code == 0
    assert "Found: met with" in found.stdout
    assert (tmp_path / WORDS_FILE).read_text(encoding="utf-8") in found.stdout


def test_an_end_that_the_calibration_overrules_is_refused():
    """A value that is the registry's own counts as not stated, and the calibration's holds."""
    base = load_experiment("no_reform").model_copy(update={"calibration": "to_2023"})
    with pytest.raises(ExperimentError, match=r"is set by the calibration 'to_2023' \(0.256"):
        ho.goal_seek(
            base,
            "hukou_rate@2033>=0.65",
            lever="settlement_hazard_max",
            between=(0.15, load_parameters()["settlement_hazard_max"]),
            progress=False,
        )
