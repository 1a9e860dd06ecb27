from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from result_builder import result, without_allocation
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.cli.goal_seek import CANNOT
from hukou_opt.errors import ExperimentError, ResultError
from hukou_opt.experiment import Experiment, experiment_from, load_experiment
from hukou_opt.outcomes import outcome
from hukou_opt.parameters import load_parameters
from hukou_opt.planning import goal_seek as room
from hukou_opt.planning.goal_seek import GoalSeek, Run, goal_of, goal_seek
from hukou_opt.planning.goal_seek.lever import POLICY, lever_faults, switched_off
from hukou_opt.planning.goal_seek.run import BindingRule, binding, run_of
from hukou_opt.planning.goal_seek.search import Found, bisect
from hukou_opt.report.goal_seek_table import COLUMNS, earlier_seconds, report, write_runs

PLAN = load_experiment("plan_as_written")
GOAL = goal_of("hukou_rate@2033>=0.65", PLAN)
FUND = load_parameters().rows["central_fund_total"]


def made(lever: float, value: float | None, **changes: object) -> Run:
    met = value is not None and GOAL.met(value)
    return Run(lever, value, met, "ran", 1.0, 4, True, True, 0.004, 0.001, 0.0, 0.05, **changes)


def search(figure, low, high, tolerance=0.01, most=40) -> tuple[Found, list[Run]]:
    runs: list[Run] = []

    def run(lever: float) -> Run:
        runs.append(made(lever, figure(lever)))
        return runs[-1]

    return bisect(run, low, high, tolerance=tolerance, most=most), runs


@given(
    st.floats(-50, 50),
    st.floats(1, 100),
    st.floats(0.02, 0.98),
    st.sampled_from([0.2, 0.05, 0.003]),
    st.booleans(),
)
def test_the_bracket_holds_the_place_where_the_goal_begins_to_be_met(
    low, width, part, tolerance, more
):
    place, way = low + part * width, 1 if more else -1
    found, runs = search(lambda x: 0.65 + way * (x - place), low, low + width, tolerance)
    assert found.state == "found"
    assert found.settled
    assert found.met.met
    assert not found.missed.met
    ends = sorted([found.met.lever, found.missed.lever])
    assert ends[0] <= place + 1e-5
    assert ends[1] >= place - 1e-5
    assert (found.met.lever > found.missed.lever) == more
    assert ends[1] - ends[0] <= tolerance * width * (1 + 1e-9)
    # Bisection: no more runs than halvings, and every one at another value.
    assert len(runs) == len({run.lever for run in runs}) <= 2 + 9


def test_two_ends_that_both_meet_or_both_miss_bracket_nothing():
    found, runs = search(lambda x: 0.7 + x, 0, 1)
    assert (found.state, len(runs)) == ("met_everywhere", 2)
    found, runs = search(lambda x: 0.1 * x, 0, 1)
    assert found.state == "cannot"
    assert [run.lever for run in runs] == [0, 1, 0.5]


def test_a_hump_between_two_misses_is_found_from_below():
    found, _ = search(lambda x: 0.7 - abs(x - 0.5), 0, 1, tolerance=0.001)
    assert found.state == "found"
    assert found.met.lever == pytest.approx(0.45, abs=0.001)
    assert found.missed.lever < found.met.lever


def test_a_run_without_an_answer_is_a_miss_and_the_search_goes_on():
    found, _ = search(lambda x: None if x < 0.3 else 0.5 + x / 2, 0, 1)
    assert found.met.lever == pytest.approx(0.3, abs=0.01)
    assert found.missed.outcome is None


def test_a_search_that_runs_out_of_runs_says_so():
    found, runs = search(lambda x: x, 0, 1, tolerance=1e-6, most=3)
    assert not found.settled
    assert len(runs) == 5


@pytest.mark.parametrize(
    ("text", "name", "wanted", "direction"),
    [
        ("hukou_rate_2033", "hukou_rate_2033", 0.65, "at_least"),
        ("hukou_urban_rate_2033", "hukou_rate_2033", 0.65, "at_least"),
        ("abandoned_land", "abandoned_land", 0.087, "at_most"),
        (" tension @ 2030 <= 12.5% ", "tension@2030", 0.125, "at_most"),
        ("settlers_total>=2e4", "settlers_total@2033", 20000, "at_least"),
    ],
)
def test_goals_are_read(text, name, wanted, direction):
    goal = goal_of(text, PLAN)
    assert (goal.name, goal.wanted, goal.direction) == (name, pytest.approx(wanted), direction)


def test_a_target_of_the_plan_has_the_figure_of_the_scorecard_and_an_outcome_its_own():
    run = result(last_year=2029)
    own = experiment_from({"name": "own", "horizon": {"end": 2029, "tail": 2031}})
    assert goal_of("hukou_rate_2029", own).value(run) == outcome(run, "hukou_rate", 2029)
    assert goal_of("tension@2026<=1", own).value(run) == outcome(run, "tension", 2026)
    with pytest.raises(ResultError, match="no allocation"):
        goal_of("central_money@2029>=1", own).value(without_allocation())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hukou_rate_233", "did you mean 'hukou_rate_2033'"),
        ("income_ratio_2033", "is not modelled: income per head"),
        ("hukou_rate_2035", "outside the run, 2024 to 2033 (2035)"),
        ("central_share_cw", "several targets | choose: support_floor, support_ceiling"),
        ("sector_education", "equal to 0.35"),
        ("hukou_rte@2033>=0.6", "did you mean 'hukou_rate'"),
        ("hukou_rate@2023>=0.6", "outside the run, 2024 to 2033 (2023)"),
        ("hukou_rate@soon>=0.6", "has no year (soon)"),
        ("hukou_rate@2033=0.6", "has no side (=)"),
        ("hukou_rate@2033>=much", "has no number (much)"),
        ("hukou_rate@2033>=nan", "has no number (nan)"),
        ("unfunded_share@2030<=0.1", "there is one for 2033"),
        ("gap_hukou_migrant@2030<=0.1", "there is one for 2026, 2033"),
    ],
)
def test_goals_that_cannot_be_used_are_refused(text, words):
    with pytest.raises(ExperimentError) as caught:
        goal_of(text, PLAN)
    assert words in str(caught.value)


def test_all_faults_of_a_call_are_said_at_once_and_nothing_runs():
    with pytest.raises(ExperimentError) as caught:
        goal_seek(
            PLAN,
            "hukou_rate@2050>=0.65",
            lever="central_fund",
            between=(5, 1),
            tolerance=2,
            rounds=-1,
            others=["guard", "gard"],
        )
    assert [fault.where for fault in caught.value.faults] == [
        "target 'hukou_rate@2050>=0.65'",
        "lever 'central_fund'",
        "--between",
        "--tolerance",
        "--rounds",
        "lever 'gard'",
    ]


def rules(**modes: str) -> Experiment:
    return experiment_from({"name": "own", "allocation": {"rules": modes}})


def test_a_lever_of_rules_that_do_not_act_is_refused():
    assert switched_off(PLAN, "building_step") == ("building_steps",)
    assert switched_off(rules(building_steps="on"), "building_step") == ()
    assert switched_off(PLAN, "seat_target") == ("seat_target",)
    assert switched_off(rules(seat_target="soft"), "seat_target") == ()
    # Read by two rules of which one acts, by the objectives, by the model: never refused here.
    assert switched_off(rules(bonds_region="off"), "bonds_per_year") == ()
    assert switched_off(PLAN, "worst_share") == ()
    assert switched_off(PLAN, "openness_reform_mega") == ()
    (fault,) = lever_faults(PLAN, "building_step", None)
    assert "only building_steps reads it" in fault.what
    (fault,) = lever_faults(load_experiment("no_reform"), "central_fund_total", None)
    assert "no allocation" in fault.what


def test_ends_outside_the_range_are_refused_unless_the_experiment_allows_them():
    between = (1000.0, 200_000.0)
    (fault,) = lever_faults(PLAN, "central_fund_total", between)
    assert "1 to 150000 100m yuan (200000)" in fault.what
    wide = PLAN.model_copy(update={"allow_out_of_range": True})
    assert lever_faults(wide, "central_fund_total", between) == []
    (fault,) = lever_faults(PLAN, "central_fund_total", (float("nan"), 2.0))
    assert "not finite" in fault.what


def test_the_shipped_set_of_other_levers_exists_and_has_ranges():
    rows = load_parameters().rows
    assert all(rows[name].low < rows[name].high for name in POLICY)


def test_a_run_keeps_what_its_result_says():
    built = result(last_year=2029)
    own = experiment_from({"name": "own", "horizon": {"end": 2029, "tail": 2031}})
    goal = goal_of("hukou_rate_2029", own)
    run = run_of(built, goal, 5.0, "kept", 3.0, {"guard": 1.0})
    assert run.outcome == outcome(built, "hukou_rate", 2029)
    assert run.identity == built.identity
    assert run.unused == outcome(built, "central_unused") / built.attrs["central_fund"]
    assert run.converged is built.converged
    shares = [rule.share for rule in binding(built)]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < each <= 1 for each in shares)
    alone = run_of(without_allocation(), replace(goal, figure=lambda _: 0.5), 5.0, "ran", 1.0, {})
    assert (alone.rounds, alone.unused, alone.rules, alone.at_rest) == (None, None, (), True)


def sought(runs: list[Run], **changes: object) -> GoalSeek:
    given = {
        "experiment": "plan_as_written",
        "title": "The plan",
        "goal": GOAL,
        "lever": FUND,
        "low": runs[0].lever,
        "high": runs[1].lever,
        "tolerance": 0.01,
        "runs": tuple(runs),
        "state": "cannot",
        "met": None,
        "missed": None,
        "settled": False,
        **changes,
    }
    return GoalSeek(**given)


def test_the_words_name_both_sides_and_what_the_answer_rests_on():
    low, high = made(10, 0.6), replace(made(20, 0.66), converged=False)
    seek = sought([low, high], state="found", met=high, missed=low, settled=True)
    text = " ".join(report(seek, 200).split())
    assert "met with 20 100m yuan (66.000 %), missed with 10 100m yuan (60.000 %)" in text
    assert "the experiment has 50,000 100m yuan" in text
    assert "rests on a run that did not come to rest (20 100m yuan)" in text
    assert "The least central_fund_total" in text
    less = sought([high, low], state="found", met=made(5, 0.66), missed=made(9, 0.6))
    text = " ".join(report(less, 200).split())
    assert "The largest central_fund_total" in text
    assert "used up" in text
    assert "did not come to rest: 20" in text


def test_what_cannot_be_met_has_its_reason():
    rules = (BindingRule("build_rate", "plan", "on", 10, 9),)
    runs = [made(10, 0.5), replace(made(20, 0.6), unused=0.2, rules=rules), made(15, 0.58)]
    text = " ".join(report(sought(runs), 300).split())
    assert "the best is 20 100m yuan (60.000 %), short by 5.000 percentage points" in text
    assert "moves by 10.000 percentage points" in text
    assert "8.000 percentage points up to 15 100m yuan, 2.000" in text
    assert "20.00% of the central fund stay unused" in text
    assert "build_rate 90.00%" in text
    assert sought([made(10, 0.5), made(20, 0.5)]).flat
    flat = sought([made(10, 0.5), made(20, 0.5 + 1e-9)])
    assert not flat.flat
    assert "does not react to central_fund_total" in report(flat, 300)


def test_a_run_against_the_direction_of_the_lever_is_said():
    straight = [made(10, 0.5), made(20, 0.6), made(15, 0.55)]
    assert "Against" not in report(sought(straight), 300)
    bent = [made(10, 0.5), made(20, 0.6), made(15, 0.61)]
    text = " ".join(report(sought(bent), 300).split())
    assert "from 15 100m yuan (61.000 %) to 20 100m yuan (60.000 %)" in text


def test_other_levers_stand_in_the_order_of_what_they_bring():
    runs = [made(10, 0.5), made(20, 0.6)]
    others = (
        made(20, 0.58, others={"guard": 1.0}),
        made(20, None, others={"worst_share": 1.0}),
        made(20, 0.63, others={"settling_grant": 2.0}),
    )
    start = {"guard": 0.05, "settling_grant": 1.0, "worst_share": 0.2}
    text = report(sought(runs, others=others, start=start), 200)
    places = [text.index(name) for name in ("settling_grant", "guard", "worst_share")]
    assert places == sorted(places)
    assert "3.000 percentage points" in text
    assert "-2.000 percentage points" in text


def test_runs_are_written_line_by_line_and_their_times_found_again(tmp_path: Path):
    runs = [
        replace(made(10, 0.5), identity="a", seconds=3.5),
        made(20, None, others={"guard": 1.0}),
    ]
    path = write_runs(runs, "central_fund_total", GOAL, tmp_path)
    with path.open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle))
    assert tuple(lines[0]) == COLUMNS
    assert (lines[0]["outcome"], lines[0]["converged"]) == ("0.5", "yes")
    assert (lines[1]["outcome"], lines[1]["others"]) == ("", "guard=1")
    assert earlier_seconds(tmp_path) == {"a": 3.5}
    assert earlier_seconds(tmp_path / "nowhere") == {}


def test_a_rolling_experiment_is_refused():
    rolling = PLAN.model_copy(update={"rolling": object()})
    with pytest.raises(ExperimentError, match="no part of a search"):
        goal_seek(rolling, "hukou_rate_2033")


@pytest.mark.parametrize(
    ("runs", "state", "status", "words"),
    [
        ([made(10, 0.6), made(20, 0.66)], "found", 0, ""),
        ([made(10, 0.6), made(20, 0.62)], "cannot", CANNOT, ""),
        ([made(10, 0.6), made(20, 0.6)], "cannot", 2, "the outcome is the same from 10 to 20"),
        ([made(10, 0.66), made(20, 0.7)], "met_everywhere", 2, "met already at 10, and at 20"),
    ],
)
def test_exit_statuses(monkeypatch, runs, state, status, words):
    ends = {"met": runs[1], "missed": runs[0]} if state == "found" else {}
    asked = {}

    def answer(*_: object, **given: object) -> GoalSeek:
        asked.update(given)
        return sought(runs, state=state, **ends)

    monkeypatch.setattr(room, "goal_seek", answer)
    call = ["goal-seek", "plan_as_written", "--target", "x", "--between", "10", "20"]
    found = CliRunner().invoke(app, [*call, "--others", "policy, guard"])
    assert found.exit_code == status
    assert words in found.stderr
    assert "Runs of plan_as_written" in found.stdout
    assert asked["between"] == (10.0, 20.0)
    assert asked["others"] == ["policy", "guard"]


def test_equations_and_meanings_of_columns_hold_back_nothing():
    names = ["build_rate", "money_balance", "idle_definition", "fund_volume", "teachers"]
    rules = xr.Dataset(
        {
            "section": ("rule", ["plan"] * 5),
            "mode": ("rule", ["on"] * 5),
            "rows": ("rule", [10, 10, 10, 2, 10]),
            "binding": ("rule", [5, 10, 10, 2, 0]),
        },
        {"rule": names},
    )
    prices = xr.Dataset(
        {"rule": ("price", names), "equation": ("price", [0, 1, 0, 0, 0])}, {"price": names}
    )
    found = binding({"rules": rules, "prices": prices})
    assert [(each.rule, each.share) for each in found] == [
        ("fund_volume", 1.0),
        ("build_rate", 0.5),
    ]


def test_a_goal_has_its_side_and_forgives_rounding():
    most, least = goal_of("tension@2030<=10%", PLAN), goal_of("tension@2030>=10%", PLAN)
    assert (most.met(0.09), most.met(0.11), least.met(0.09), least.met(0.11)) == (1, 0, 0, 1)
    assert most.met(0.1 * (1 + 1e-8))
    assert least.met(0.1 * (1 - 1e-8))
    assert most.short(0.12) == pytest.approx(0.02) == least.short(0.08)
