"""Solves that end badly: each has its own error with its own words, and nothing is published."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from problems import made_up_problem
from typer.testing import CliRunner

from hukou_opt import planning
from hukou_opt.allocation import session as sessions
from hukou_opt.allocation import solve as solving
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.session import Session
from hukou_opt.allocation.solve import solve
from hukou_opt.cli import app
from hukou_opt.errors import (
    CertificateError,
    HukouOptError,
    InfeasibleError,
    NumericalError,
    SolveError,
    TimeLimitError,
    UnboundedError,
)


def program() -> LinearProgram:
    return compile_model(build_model(made_up_problem()))


def costs(made: LinearProgram, **columns: float) -> np.ndarray:
    """Cost row with a cost for every column of some variables."""
    row = np.zeros(len(made.lower))
    for name, cost in columns.items():
        for i, column in enumerate(made.column_names):
            if column.startswith(f"{name}["):
                row[i] = cost
    return row


def test_an_unbounded_program_names_the_level_and_what_grows() -> None:
    made = program()
    with pytest.raises(UnboundedError) as caught:
        Session(made).minimise(costs(made, idle=-1.0), name="idle seats")
    (fault,) = caught.value.faults
    assert fault.where == "level 'idle seats'"
    assert "can be made small without end: idle[" in fault.what
    assert " grows" in fault.what
    assert "upper bound or a rule is missing" in fault.fix


def test_the_columns_that_carry_the_cost_are_named_first() -> None:
    made = program()
    # A tampered bound: unfunded money without end lets central money run away from the balance.
    upper = made.upper.copy()
    for i, name in enumerate(made.column_names):
        if name.startswith("slip["):
            upper[i] = np.inf
    tampered = replace(made, upper=upper)
    with pytest.raises(UnboundedError) as caught:
        Session(tampered).minimise(costs(made, slip=-1.0), name="law")
    assert "without end: slip[" in caught.value.faults[0].what


def test_an_input_that_pays_for_building_makes_the_whole_solve_unbounded() -> None:
    p = made_up_problem(2, 3, 1)
    p = replace(
        p,
        unit_cost=-np.abs(p.unit_cost),
        modes={**p.modes, "build_rate": "off", "teachers": "off"},
    )
    with pytest.raises(SolveError) as caught:
        solve(p)
    assert type(caught.value) is UnboundedError
    assert caught.value.faults[0].where.startswith("level '")


def test_rows_that_contradict_are_named() -> None:
    made = program()
    lower = made.row_lower.copy()
    rows = made.row_positions()
    year = made_up_problem().years[-1]
    # A fund that must be spent twice over, beyond what any region has to pay.
    lower[rows[f"fund_volume[{year}]"]] = 1e7
    upper = made.row_upper.copy()
    upper[rows[f"fund_volume[{year}]"]] = np.inf
    tampered = replace(made, row_lower=lower, row_upper=upper)
    with pytest.raises(InfeasibleError) as caught:
        Session(tampered).minimise(costs(made, unfunded=1.0), name="unfunded")
    what = caught.value.faults[0].what
    assert what.startswith("the rows contradict each other: ")
    assert f"fund_volume[{year}]" in what


def test_a_time_limit_ends_a_solve_and_says_how_long_it_was() -> None:
    made = program()
    with pytest.raises(TimeLimitError) as caught:
        Session(made, time_limit=1e-6).minimise(made.costs["unfunded"][0], name="unfunded")
    (fault,) = caught.value.faults
    assert fault.where == "level 'unfunded'"
    assert "was not solved within the time limit (1e-06 seconds)" in fault.what


def test_a_limit_on_one_solve_is_not_used_up_by_those_before_it() -> None:
    made = program()
    names = ["unfunded", "cost", "unmet", "slack"]
    tried = Session(made)
    longest = 0.0
    for name in names:
        start = time.perf_counter()
        tried.minimise(made.costs[name][0], name=name)
        longest = max(longest, time.perf_counter() - start)
    # Far more solves than would fit into one limit.
    limit = 20 * longest
    session, start = Session(made, time_limit=limit), time.perf_counter()
    while time.perf_counter() - start < 1.5 * limit:
        for name in names:
            session.minimise(made.costs[name][0], name=name)
    assert session._solver.getRunTime() > 0


def test_a_limit_holds_on_the_fourth_solve_of_a_session() -> None:
    made = program()
    session = Session(made)
    for name in ("unfunded", "cost", "unmet"):
        session.minimise(made.costs[name][0], name=name)
    session.time_limit = 1e-6
    with pytest.raises(TimeLimitError):
        session.minimise(-made.costs["cost"][0], name="fourth")


def test_all_attempts_of_a_solve_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    made = program()
    session = Session(made, time_limit=1e-6)
    runs = []
    run = session._run
    monkeypatch.setattr(session, "_run", lambda method: runs.append(method) or run(method))
    with pytest.raises(TimeLimitError):
        session.minimise(made.costs["unfunded"][0], name="unfunded")
    assert len(runs) == 1


def test_the_limit_reaches_every_solve_of_an_allocation() -> None:
    with pytest.raises(TimeLimitError):
        solve(made_up_problem(), time_limit=1e-6)


def test_a_time_limit_is_no_reason_for_another_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise TimeLimitError(solving_fault())

    monkeypatch.setattr(solving, "_break_ties", late)
    with pytest.raises(TimeLimitError):
        solve(made_up_problem(2, 3, 1))


def solving_fault():
    from hukou_opt.errors import Fault

    return Fault("level 'x'", "was not solved within the time limit (1 seconds)", "wait")


def test_a_solver_that_comes_to_no_decision_names_all_its_methods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MOST_ITERATIONS", "WARM_ITERATIONS", "MOST_A_ROW", "WARM_A_ROW"):
        monkeypatch.setattr(sessions, name, 0)
    made = program()
    session = Session(made)
    session._solver.setOptionValue("ipm_iteration_limit", 0)
    with pytest.raises(NumericalError) as caught:
        session.minimise(made.costs["unmet"][0], name="unmet")
    (fault,) = caught.value.faults
    assert fault.what.startswith("HiGHS ended 'Iteration limit reached' with every method (")
    assert "ipx" in fault.what
    assert "simplex" in fault.what


def test_a_false_optimum_fails_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    made = program()
    session = Session(made)

    class Liar:
        """The solver, whose answers are a little off."""

        def __getattr__(self, name: str) -> object:
            return getattr(solver, name)

        def getSolution(self) -> object:  # noqa: N802
            found = solver.getSolution()
            found.col_value = np.asarray(found.col_value) + 1e-3
            return found

    solver = session._solver
    monkeypatch.setattr(session, "_solver", Liar())
    with pytest.raises(CertificateError) as caught:
        session.minimise(made.costs["unfunded"][0], name="unfunded")
    assert "primal residual" in str(caught.value)


ENDS = {
    "time limit": (lambda: solve(made_up_problem(), time_limit=1e-6), TimeLimitError, 10),
    "unbounded": (
        lambda: Session(program()).minimise(costs(program(), idle=-1.0), name="idle"),
        UnboundedError,
        9,
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_command_ends_with_a_status_of_its_own_and_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, error, status = ENDS[name]
    monkeypatch.setattr(planning, "run", lambda *_, **__: end())
    done = CliRunner().invoke(app, ["run", "--out", str(tmp_path / "out"), "--no-progress"])
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == status == error.exit_code
    assert done.stdout == ""
    assert done.stderr.startswith(f"{error.title} (1 fault):")
    assert list(tmp_path.iterdir()) == []


def test_every_error_has_a_status_and_a_title_of_its_own() -> None:
    kinds = [InfeasibleError, CertificateError, UnboundedError, TimeLimitError, NumericalError]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert len({kind.title for kind in kinds}) == len(kinds)
    assert all(issubclass(kind, SolveError) for kind in kinds)
    assert len({SolveError.exit_code, HukouOptError.exit_code} & {k.exit_code for k in kinds}) == 0
