"""A saved result is proved again from its file; what was changed in it is named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import netCDF4
import numpy as np
import pytest
import xarray as xr
from problems import made_up_problem
from result_builder import CODES, attrs, groups
from typer.testing import CliRunner

from hukou_opt.allocation import certificate
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.cli.app import app
from hukou_opt.errors import CertificateError, ResultError
from hukou_opt.planning.assemble import _allocation, _levels
from hukou_opt.planning.cases import Case
from hukou_opt.planning.certify import check_by_solving, check_file, require
from hukou_opt.planning.coupling import Coupled
from hukou_opt.planning.problem_io import answer_group, problem_group
from hukou_opt.planning.proofs import certificate_group, replayed_exactly
from hukou_opt.report import certificate_note as notes
from hukou_opt.report.all_tables import all_tables
from hukou_opt.report.publish import write_tables
from hukou_opt.result import Result, open_result

TAMPER = 1e-3


@cache
def solved() -> tuple[Problem, Allocation]:
    p = replace(made_up_problem(3, 6, 3, seed=2), codes=tuple(CODES))
    return p, solve(p, keep_proofs=True)


@cache
def parts() -> dict[str, xr.Dataset]:
    """Groups of a result with the answer of a small problem."""
    p, allocation = solved()
    best = SimpleNamespace(
        problem=p, allocation=allocation, simulated=allocation.solution, simulated_problem=p
    )
    coupled = cast(Coupled, SimpleNamespace(best=best))
    case = cast(Case, SimpleNamespace(name="plan", allocation=allocation))
    names = sorted(p.parameters)
    table = {
        "value": ("parameter", [p.parameters[name] for name in names]),
        "overridden": ("parameter", [0] * len(names)),
        **{key: ("parameter", [0.0] * len(names)) for key in ("low", "high")},
        **{key: ("parameter", ["x"] * len(names)) for key in ("unit", "status", "source")},
    }
    kept = {name: group for name, group in groups().items() if name != "comparators"}
    return {
        **kept,
        "allocation": _allocation(coupled),
        "levels": _levels(coupled),
        "problem": problem_group(p),
        "answer": answer_group(p, allocation.solution),
        "certificate": certificate_group([case], replayed_exactly(allocation)),
        "parameters": xr.Dataset(table, {"parameter": names}),
    }


def made(**changes: xr.Dataset) -> Result:
    return Result.build(attrs(central_fund=solved()[0].fund), {**parts(), **changes})


def changed(group: str, name: str, at: tuple[int, ...] = ()) -> Result:
    """The result with one figure changed."""
    new = parts()[group].copy(deep=True)
    values = new[name].values.copy()
    values[at] += TAMPER
    new[name] = (new[name].dims, values)
    return made(**{group: new})


def test_all_checks_hold() -> None:
    checks = check_file(made())
    require(checks)
    assert [check.name for check in checks] == [
        "program from tables",
        "rules at the answer",
        "published tables",
        "level values",
        "budget",
        "fund",
        "parameters",
        "certificates",
        "exact replay as stored",
    ]
    assert all(str(check).startswith("ok ") for check in checks)


@pytest.mark.parametrize(
    ("group", "name", "at", "check"),
    [
        ("allocation", "central_transfers", (0, 0, 0), "published tables"),
        ("allocation", "starts", (1, 1, 0, 0), "published tables"),
        ("allocation", "teachers_hired", (0, 0), "published tables"),
        ("allocation", "central_unused", (), "budget"),
        ("levels", "recomputed", (2,), "level values"),
        ("parameters", "value", (3,), "parameters"),
        ("certificate", "dual_residual", (1,), "certificates"),
        ("certificate", "exact_gap", (1,), "exact replay as stored"),
    ],
)
def test_a_changed_figure_is_named(group: str, name: str, at: tuple[int, ...], check: str) -> None:
    result = changed(group, name, at)
    if check == "budget":
        result = Result.build(
            attrs(central_fund=solved()[0].fund),
            {**parts(), "allocation": parts()["allocation"].assign(central_unused=((), 12345.0))},
        )
    with pytest.raises(CertificateError, match=f"check '{check}'"):
        require(check_file(result))


def test_a_changed_answer_breaks_a_rule() -> None:
    with pytest.raises(CertificateError, match=r"rule money_balance \(plan 6.1, 7.1\)"):
        check_file(changed("answer", "local", (0, 0, 0)))


def test_a_changed_input_breaks_a_rule() -> None:
    with pytest.raises(CertificateError, match=r"rule capacity_path .*region 110000"):
        check_file(changed("problem", "existing", (0, 0, 0, 0)))


def test_another_fund_is_named() -> None:
    result = Result.build(attrs(central_fund=1.0), parts())
    failed = [check.name for check in check_file(result) if not check.holds]
    assert failed == ["fund"]


def test_a_new_solve_proves_every_level() -> None:
    checks = check_by_solving(made())
    require(checks)
    assert checks[0].figure < certificate.LIMIT


def test_a_worse_level_shows_against_a_new_solve() -> None:
    levels = parts()["levels"].copy(deep=True)
    values = levels["value"].values.copy()
    values[list(levels["level"].values).index("unfunded_worst")] -= TAMPER
    levels["value"] = ("level", values)
    with pytest.raises(CertificateError, match=r"new solve, levels.*unfunded_worst"):
        require(check_by_solving(made(levels=levels)))


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, ["certify", *words, "--no-progress"])


def test_the_command_prints_figures_and_what_needs_a_solve(tmp_path: Path) -> None:
    path = made().save(tmp_path / "result.nc")
    found = invoke(str(path))
    assert found.exit_code == 0, found.output
    assert made().identity in found.output
    assert "ok  program from tables" in found.output
    assert "Not checked without a new solve (--solve)" in found.output
    assert "Certificate: " in found.output
    assert "证明" in invoke(str(path), "--lang", "zh").output
    assert invoke(str(path), "--lang", "fr").exit_code == 2
    again = invoke(str(path), "--solve")
    assert again.exit_code == 0, again.output
    assert "new solve, exact replay" in again.output


def test_a_file_edited_by_hand_is_refused_with_its_name(tmp_path: Path) -> None:
    path = made().save(tmp_path / "result.nc")
    with netCDF4.Dataset(path, "a") as file:
        file["answer"]["central"][0, 0, 0] += TAMPER
    with pytest.raises(ResultError) as caught:
        open_result(path)
    (fault,) = caught.value.faults
    assert fault.where == "result.nc"
    assert "was altered after it was written" in fault.what
    assert made().identity[:12] in fault.what
    assert fault.fix == "run the experiment again"
    found = invoke(str(path))
    assert found.exit_code == ResultError.exit_code
    assert "was altered after it was written" in found.output


def test_a_file_that_was_signed_again_after_an_edit_fails_its_checks(tmp_path: Path) -> None:
    """Whoever computes a new identity has still not changed the rules."""
    path = changed("answer", "central", (0, 0, 0)).save(tmp_path / "result.nc")
    found = invoke(str(path))
    assert found.exit_code == CertificateError.exit_code
    assert "rule money_balance" in found.output


def test_every_note_says_what_is_proved_in_both_languages() -> None:
    result = made()
    number = result["certificate"].sizes["solve"]
    rows = result["certificate"].attrs["audited_rows"]
    program = str(result["certificate"]["program_sha256"].values[-1])[:12]
    for table in all_tables(result):
        (english,) = [line for line in table.notes if line.startswith("Certificate: ")]
        (chinese,) = table.notes_zh
        for text in (english, chinese):
            assert f"{rows:,}" in text
            assert str(number) in text
            assert program in text
        assert "exact arithmetic" in english
        assert "精确有理数" in chinese


def test_notes_stand_in_every_file(tmp_path: Path) -> None:
    write_tables(made(), tmp_path)
    chinese = notes.certificate_note(made(), "zh")
    for path in tmp_path.glob("*.tex"):
        text = path.read_text(encoding="utf-8")
        assert f"% {chinese}" in text
        assert not [line for line in text.splitlines() if "证明" in line and line[0] != "%"]
    assert chinese in (tmp_path / "tables.html").read_text(encoding="utf-8")


def test_without_a_replay_the_note_says_so() -> None:
    plain = Result.build(attrs(), groups())
    assert "none replayed in exact arithmetic" in notes.certificate_note(plain)
    assert "未作精确有理数复算" in notes.certificate_note(plain, "zh")


@pytest.mark.parametrize("figure", ["primal_residual", "relative_gap"])
@pytest.mark.parametrize("value", [2e-6, np.nan])
def test_no_table_from_a_certificate_that_fails(figure: str, value: float, tmp_path: Path) -> None:
    proof = parts()["certificate"].copy(deep=True)
    values = proof[figure].values.copy()
    values[1] = value
    proof[figure] = ("solve", values)
    bad = made(certificate=proof)
    name = str(proof["solve"].values[1])
    for make in (all_tables, lambda result: write_tables(result, tmp_path / "out")):
        with pytest.raises(ResultError, match=name) as caught:
            make(bad)
        assert "no table is made from it" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_tables_and_solves_have_one_limit() -> None:
    assert notes.LIMIT == certificate.LIMIT
