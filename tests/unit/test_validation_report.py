"""The validation report: what passes, what fails, and that nothing that goes wrong is hidden."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from result_builder import result as build_result
from typer.testing import CliRunner

from hukou_opt.cli.app import app
from hukou_opt.cli.validate import FAILED, latex
from hukou_opt.dynamics.validation import structural
from hukou_opt.dynamics.validation.loops import LinkResult, LoopResult, load_loops
from hukou_opt.dynamics.validation.report import Question, ValidationReport, answered
from hukou_opt.dynamics.validation.units import UnitFault, UnitReport
from hukou_opt.planning import validate as validation
from hukou_opt.planning.validate import NO_ALLOCATION, QUICK, made, with_validation
from hukou_opt.planning.validation_stages import NO_ROUNDS, Stage
from hukou_opt.result import open_result

PEOPLE = Question("balance.people", "balances", "Are people conserved?", "1", 1e-9, "Sterman 2000")
MONEY = Question("money.gain", "money", "Is 5 % | more gained?", "100m yuan", 2.0, "plan", ">=")


def report(*findings) -> ValidationReport:
    return ValidationReport("plan_as_written", "ab" * 32, findings)


@pytest.mark.parametrize(
    ("question", "figure", "state"),
    [
        (PEOPLE, 0.0, "pass"),
        (PEOPLE, 1e-9, "pass"),
        (PEOPLE, 1.1e-9, "fail"),
        (PEOPLE, math.nan, "fail"),
        (PEOPLE, math.inf, "fail"),
        (MONEY, 2.0, "pass"),
        (MONEY, 1.99, "fail"),
        (MONEY, math.nan, "fail"),
    ],
)
def test_a_finding_is_judged_by_its_figure(question, figure, state):
    assert question.judge(figure).state == state


def test_an_error_inside_a_check_is_a_failure_of_that_check():
    def wrong():
        raise ZeroDivisionError("no people")

    found = answered([PEOPLE, MONEY], wrong)
    assert [(each.id, each.state) for each in found] == [
        ("balance.people", "fail"),
        ("money.gain", "fail"),
    ]
    assert all("ZeroDivisionError: no people" in each.detail for each in found)


def test_a_question_left_open_is_a_failure():
    found = answered([PEOPLE, MONEY], lambda: [PEOPLE.judge(0.0)])
    assert [each.state for each in found] == ["pass", "fail"]
    assert "no answer" in found[1].detail


def test_the_report_holds_unless_a_check_failed():
    good, open_, bad = PEOPLE.judge(0.0), MONEY.not_run("no money"), MONEY.judge(1.0)
    assert report(good, open_).holds
    assert not report(good, bad).holds
    assert report(good, bad).failed == (bad,)
    assert report(good, open_).counts == {"pass": 1, "fail": 0, "not_run": 1}
    assert report(good, open_)["money.gain"].detail == "no money"
    with pytest.raises(KeyError, match="no finding 'land'"):
        _ = report(good)["land"]
    with pytest.raises(ValueError, match=r"stand twice \(balance.people\)"):
        report(good, good)


def test_the_report_reads_as_text_markdown_csv_and_latex():
    made_up = report(PEOPLE.judge(3e-16, "nothing lost"), MONEY.judge(1.0, "a | b"))
    text = made_up.to_text().splitlines()
    assert text[0].split() == ["state", "check", "figure", "allowed", "unit", "question"]
    assert text[1].startswith("pass   balance.people")
    assert "Failed:" in text
    assert "  money.gain: a | b" in text
    assert text[-1].endswith("1 checks passed, 1 failed, 0 not run (model abababababab)")
    page = made_up.to_markdown()
    assert "| `money.gain` | fail | 1 | >= 2 | 100m yuan | Is 5 % \\| more gained? |" in page
    rows = list(csv.DictReader(io.StringIO(made_up.to_frame().to_csv(index=False))))
    assert float(rows[0]["figure"]) == 3e-16
    assert rows[1]["state"] == "fail"
    table = latex(made_up)
    assert r"Is 5 \% | more gained?" in table
    assert r"$\ge$ 2" in table


def test_a_result_keeps_its_validation(tmp_path):
    made_up = report(PEOPLE.judge(3e-16), MONEY.not_run("no money"))
    result = with_validation(build_result(), made_up)
    opened = open_result(result.save(tmp_path / "result.nc"))
    assert opened == result
    stored = opened["validation"]
    assert stored["finding"].values.tolist() == ["balance.people", "money.gain"]
    assert stored["state"].values.tolist() == ["pass", "not_run"]
    assert float(stored["figure"].sel(finding="balance.people")) == 3e-16
    assert "validation" not in build_result()


def stage(**how) -> Stage:
    return Stage("a stage", (PEOPLE,), lambda: [PEOPLE.judge(0.0)], **how)


def case(*, enabled=True, tried=False, coupled=None):
    allocation = SimpleNamespace(enabled=enabled)
    return SimpleNamespace(
        settings=SimpleNamespace(allocation=allocation), tried=tried, coupled=coupled
    )


@pytest.mark.parametrize(
    ("how", "of", "quick", "reason"),
    [
        ({"slow": True}, case(), True, QUICK),
        ({"coupled": True}, case(), True, QUICK),
        ({"coupled": True}, case(enabled=False), False, NO_ALLOCATION),
        ({"coupled": True}, case(tried=True), False, NO_ROUNDS),
    ],
)
def test_what_is_left_out_says_why(how, of, quick, reason):
    (finding,) = made(stage(**how), of, quick=quick)
    assert (finding.state, finding.detail) == ("not_run", reason)


def test_what_is_not_left_out_is_made():
    assert made(stage(), case(), quick=True)[0].state == "pass"
    assert made(stage(slow=True), case(), quick=False)[0].state == "pass"
    assert made(stage(coupled=True), case(tried=True, coupled=1), quick=False)[0].state == "pass"


def test_a_failed_check_ends_the_command_with_its_status(monkeypatch, tmp_path):
    runner = CliRunner()
    arguments = ["validate", "no_reform", "--no-progress", "--out", str(tmp_path / "out")]
    for findings, status in (((PEOPLE.judge(0.0),), 0), ((PEOPLE.judge(1.0, "lost"),), FAILED)):
        monkeypatch.setattr(validation, "validate", lambda *_, f=findings, **__: report(*f))
        done = runner.invoke(app, arguments)
        assert done.exit_code == status
        assert "balance.people" in done.stdout
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["validation.csv", "validation.md", "validation.tex"]
    assert "lost" in done.stdout


def test_units_that_do_not_fit_are_counted():
    clean = UnitReport((), 250, 170, 21)
    assert structural.judge_units(clean).state == "pass"
    fault = UnitFault("moves", "leaving + 1", "1", "10k persons/year")
    found = structural.judge_units(replace(clean, faults=(fault, fault)))
    assert (found.state, found.figure) == ("fail", 2)
    assert "leaving + 1" in found.detail


def test_a_link_that_acts_the_wrong_way_fails_its_loop():
    loop = load_loops()[0]
    links = [LinkResult(link, "holds", link.sign, 0.5, "r1", 2028, 1.0) for link in loop.links]
    good = structural.judge_loops([LoopResult(loop, tuple(links), ())])
    assert [each.state for each in good] == ["pass"]
    links[1] = replace(links[1], status="wrong sign", measured=-loop.links[1].sign)
    (bad,) = structural.judge_loops([LoopResult(loop, tuple(links), ())])
    assert (bad.state, bad.figure, bad.id) == ("fail", 1, f"structure.loop.{loop.id}")
    assert "wrong sign" in bad.detail
