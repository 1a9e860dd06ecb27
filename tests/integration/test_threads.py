"""The number of threads changes nothing; HiGHS itself would refuse another number."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from problems import made_up_problem

from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.session import Session
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.allocation.threads import DEFAULT, solver_threads
from hukou_opt.errors import SolveError


def same(a: Allocation, b: Allocation) -> bool:
    """Whether two answers are the same to the last bit."""
    arrays = [field.name for field in fields(a.solution)]
    return all(
        np.array_equal(getattr(a.solution, name), getattr(b.solution, name)) for name in arrays
    ) and (a.levels, a.prices) == (b.levels, b.prices)


def threads_of(session: Session) -> int:
    return int(session._solver.getOptionValue("threads")[1])


@pytest.mark.slow
def test_answers_are_the_same_with_one_two_and_again_one_thread() -> None:
    p = made_up_problem(regions=4, seed=2)
    answers = []
    for threads in (1, 2, 1):
        with solver_threads(threads):
            answers.append(solve(p))
    assert all(same(answers[0], other) for other in answers[1:])


def test_sessions_follow_the_number_and_the_block_gives_it_back() -> None:
    program = compile_model(build_model(made_up_problem()))
    cost, constant = program.costs["unfunded_worst"]
    session = Session(program)
    values = [session.minimise(cost, constant).value]
    assert threads_of(session) == DEFAULT
    with solver_threads(2):
        values.append(session.minimise(cost, constant).value)
        assert threads_of(session) == 2
        with solver_threads(3):
            values.append(Session(program).minimise(cost, constant).value)
    values.append(session.minimise(cost, constant).value)
    assert threads_of(session) == DEFAULT
    assert np.allclose(values, values[0], rtol=1e-9)
    with pytest.raises(RuntimeError, match="stop here"), solver_threads(2):
        raise RuntimeError("stop here")
    session.minimise(cost, constant)
    assert threads_of(session) == DEFAULT


def test_others_may_use_highs_with_all_threads_before() -> None:
    # A process of its own: who comes first decides for the whole process.
    from processes import process

    code = """
import highspy
first = highspy.Highs()
first.setOptionValue("output_flag", False)
first.setOptionValue("threads", 2)
x = first.addVariable(lb=1.0)
first.minimize(x)
from problems import made_up_problem
from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.session import Session
program = compile_model(build_model(made_up_problem()))
print(Session(program).minimise(*program.costs["unfunded_worst"]).certificate.holds)
"""
    assert process(code, seed=0).strip().endswith("True")


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True])
def test_a_number_that_is_none_is_refused(count: object) -> None:
    with pytest.raises(SolveError, match="is not a number of threads"), solver_threads(count):  # type: ignore[arg-type]
        pass
