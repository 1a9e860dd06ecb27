"""The repaired experiment: what it changes, how it is found over the rounds, how it is typed."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from demands import demanding, floors, least_fund, parts
from problems import made_up_problem
from result_builder import result
from typer.testing import CliRunner

from hukou_opt import planning
from hukou_opt.allocation.infeasible import Change, in_words
from hukou_opt.allocation.infeasible.levers import LEVERS, changed
from hukou_opt.allocation.problem import Problem
from hukou_opt.cli import app
from hukou_opt.cli.run import with_value
from hukou_opt.errors import Fault, InfeasibleError
from hukou_opt.experiment import Experiment, experiment_from, load_experiment
from hukou_opt.parameters import load_parameters

module = import_module("hukou_opt.planning.repair")


def poor() -> Problem:
    p = made_up_problem(4, 6, 1)
    return demanding(replace(p, fund=0.8 * least_fund(p)), "support_floor")


class Rounds:
    """Runs in which the certified cost grows from round to round; answers with their settings."""

    def __init__(self, p: Problem, growth: tuple[float, ...]) -> None:
        self.p, self.growth, self.asked = p, growth, []

    def __call__(self, settings: Experiment, **options: Any) -> Experiment:
        assert options["explained"] is False
        self.asked.append(settings)
        given = settings.parameters
        p = changed(self.p, {"support_rate": given.get("central_support_rate", 0.5)})
        p = replace(p, fund=given.get("central_fund_total", self.p.fund))
        for growth in self.growth:
            this = replace(p, cost=p.cost * growth)
            if least_fund(this) > this.fund * (1 + 1e-9):
                raise InfeasibleError(Fault("rule support_floor", "x", "y"), problem=this)
        return settings


def settings() -> Experiment:
    return experiment_from({"name": "mine", "title": {"en": "Mine", "zh": "我的"}})


def test_the_repair_is_widened_until_every_round_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    p = poor()
    rounds = Rounds(p, (1.0, 1.01, 1.012))
    monkeypatch.setattr(module, "run", rounds)
    out = module.repair(settings(), "fund", progress=False)
    least = least_fund(replace(p, cost=p.cost * 1.012))
    assert least <= out.parameters["central_fund_total"] <= least * 1.002
    assert set(out.parameters) == {"central_fund_total"}
    assert out.name == "mine_repaired"
    assert out.title_en.startswith("Mine (repaired: central fund ")
    assert out.title_zh.startswith("我的（修复：中央基金 ")
    # The title speaks of the experiment's fund, not of that of the try before.
    assert f"{p.fund:,.6g}"[:4] in out.title_en
    assert len(rounds.asked) == 4


def test_a_lever_that_is_not_named_is_the_one_with_the_smallest_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p = poor()
    monkeypatch.setattr(module, "run", Rounds(p, (1.0, 1.003)))
    out = module.repair(settings(), progress=False)
    grown = replace(p, cost=p.cost * 1.003)
    rate = 0.5 * float((p.fund * parts(p) / floors(grown).sum(axis=0).cumsum()).min())
    # 20 % less than the rate is a smaller change than 25 % more than the fund; but half of the cost
    # is the least that the registry's range lets the centre promise.
    assert rate < load_parameters().rows["central_support_rate"].low
    assert set(out.parameters) == {"central_fund_total"}
    assert not out.allow_out_of_range


def test_a_repair_beyond_the_registry_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run", Rounds(poor(), (1.0,)))
    out = module.repair(settings(), "support_rate", progress=False)
    assert out.allow_out_of_range
    assert out.parameters["central_support_rate"] < 0.5


def test_a_lever_in_vain_ends_with_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run", Rounds(poor(), (1.0,)))
    with pytest.raises(InfeasibleError) as caught:
        module.repair(settings(), "teachers", progress=False)
    first, second, *_ = caught.value.faults
    assert first.where == "repair teachers"
    assert first.what.startswith("no amount of it")
    assert second.where == "conflict 1 of 1"


def test_an_experiment_that_holds_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    p = poor()
    monkeypatch.setattr(module, "run", Rounds(replace(p, fund=2 * p.fund), (1.0,)))
    assert module.repair(settings(), progress=False) == settings()


def test_an_error_without_a_problem_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    error = InfeasibleError(Fault("limit_1", "cannot be at most 0", "raise at_most"))

    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "run", run)
    with pytest.raises(InfeasibleError) as caught:
        module.repair(settings(), progress=False)
    assert caught.value is error
    assert in_words(error, lambda _: None, 600.0) is error


def test_rounds_that_always_ask_for_more_end_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    p = poor()
    asked: list[Experiment] = []

    def run(given: Experiment, **_: object) -> None:
        asked.append(given)
        fund = given.parameters.get("central_fund_total", p.fund)
        this = replace(p, fund=fund)
        grown = 1.02 * fund / least_fund(this)
        raise InfeasibleError(Fault("a", "b", "c"), problem=replace(this, cost=p.cost * grown))

    monkeypatch.setattr(module, "run", run)
    with pytest.raises(InfeasibleError, match="did not come to rest in 8 runs"):
        module.repair(settings(), "fund", progress=False)
    funds = [each.parameters.get("central_fund_total", p.fund) for each in asked]
    assert funds == sorted(funds)
    assert len(funds) == module.MOST_RUNS


def test_a_later_year_stays_while_the_other_levers_are_widened() -> None:
    p = changed(poor(), {"seat_year": 2027.0, "fund": 0.9 * least_fund(poor())})
    before = (
        Change(LEVERS["fund"], poor().fund, p.fund, 0.1),
        Change(LEVERS["seat_year"], 2026.0, 2027.0, 0.1),
    )
    found = {each.lever.name: each for each in module._next(p, before, None, 600.0, twice=False)}
    assert found["seat_year"] == before[1]
    assert found["fund"].before == poor().fund
    assert least_fund(p) <= (found["fund"].after or 0.0) <= least_fund(p) * 1.002
    assert set(found) == {"fund", "seat_year"}


def test_levers_that_no_longer_suffice_give_way_to_others() -> None:
    # A later year alone was enough in the round before; in this one the fund is short as well.
    p = changed(poor(), {"seat_year": 2027.0})
    before = (Change(LEVERS["seat_year"], 2026.0, 2027.0, 0.1),)
    found = {each.lever.name: each for each in module._next(p, before, None, 600.0, twice=False)}
    assert found["seat_year"].after == 2027.0
    assert found["fund"].after == pytest.approx(least_fund(p), rel=2e-3)


def test_rules_become_law_in_the_settings() -> None:
    hard = load_experiment("plan_all_hard")
    law = Change(LEVERS["rule:no_dilution"], 1.0, 1.0, 0.05)
    year = Change(LEVERS["seat_year"], 2026.0, 2027.0, 0.1)
    out = module.repaired(hard, [year, law])
    assert out.allocation.rules.no_dilution == "law"
    assert out.allocation.rules.rural_level == "hard"
    assert out.parameters == {"seat_target_year": 2027.0}
    assert "2026 -> 2027" in out.title_en
    assert "2026 -> 2027" in out.title_zh
    assert module.repaired(hard, []) is hard
    # What is written beside the tables can be run as it stands.
    again = experiment_from({**out.model_dump(exclude={"extends"})})
    assert again.allocation.rules == out.allocation.rules


def test_the_shipped_experiment_demands_every_promise_of_the_plan() -> None:
    rules = load_experiment("plan_all_hard").allocation.rules.model_dump()
    hard = {name for name, mode in rules.items() if mode == "hard"}
    assert hard == {"support_floor", "public_share", "seat_target", "rural_level", "no_dilution"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["plan", "--repair"], ["plan", "--repair", "smallest"]),
        (["--repair", "plan"], ["--repair", "smallest", "plan"]),
        (["plan", "--repair", "fund"], ["plan", "--repair", "fund"]),
        (["--repair", "fund,seats", "plan"], ["--repair", "fund,seats", "plan"]),
        (["plan", "--repair", "--no-progress"], ["plan", "--repair", "smallest", "--no-progress"]),
        (["--out", "x", "--repair", "plan"], ["--out", "x", "--repair", "smallest", "plan"]),
        # Once the experiment stands there, what follows is a lever, even a mistyped one.
        (["plan", "--repair", "fnd"], ["plan", "--repair", "fnd"]),
        (["plan", "--out", "x"], ["plan", "--out", "x"]),
        (["plan", "--repair=fund"], ["plan", "--repair=fund"]),
    ],
)
def test_repair_may_stand_alone(typed: list[str], read: list[str]) -> None:
    assert with_value(typed) == read


def test_the_command_runs_the_repair_and_names_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    def repair(given: Experiment, levers: str, **options: Any) -> Any:
        told.update(name=given.name, levers=levers, **options)
        return result(title_en="Mine (repaired: central fund 1 -> 2)")

    monkeypatch.setattr(planning, "repair", repair)
    monkeypatch.chdir(tmp_path)
    typed = ["run", "plan_all_hard", "--repair", "--time-limit", "30", "--no-progress"]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert told == {
        "name": "plan_all_hard",
        "levers": "smallest",
        "progress": False,
        "threads": 1,
        "time_limit": 30.0,
    }
    assert "(repaired: central fund 1 -> 2)" in done.stdout
    assert (tmp_path / "results" / "plan_all_hard_repaired" / "result.nc").is_file()


def test_the_command_says_that_nothing_had_to_be_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "repair", lambda given, *_, **__: result(experiment=given.name))
    typed = ["run", "plan_as_written", "--repair", "--out", str(tmp_path / "x"), "--no-progress"]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert "nothing was repaired" in done.stderr


def test_an_unknown_lever_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    typed = ["run", "plan_all_hard", "--repair", "fnd", "--out", str(tmp_path / "x")]
    done = CliRunner().invoke(app, [*typed, "--no-progress"])
    assert done.exit_code == 2
    assert "repair 'fnd' | is no lever | did you mean 'fund'?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_repair_is_not_validated_as_if_it_were_the_experiment(tmp_path: Path) -> None:
    typed = ["run", "plan_all_hard", "--repair", "--validate", "--out", str(tmp_path / "x")]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 2
    assert "--validate" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_error_names_conflicts_instead_of_cells() -> None:
    error = in_words(InfeasibleError(Fault("a", "b", "c"), problem=poor()), lambda _: None, 600.0)
    assert error.faults[0].where == "conflict 1 of 1"
    assert np.isfinite(error.problem.fund)  # type: ignore[attr-defined]
