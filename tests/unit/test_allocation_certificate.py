"""The proof of an optimum fails for a wrong point, a wrong price and a wrong row."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from problems import made_up_problem

from hukou_opt.allocation.certificate import LIMIT, Certificate, certify
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.reached import Compared, disagreements
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.session import Session
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.errors import CertificateError

TAMPER = 1e-3

# min x1 + 2 x2  s.t.  x1 + x2 >= 1, x >= 0: x = (1, 0), y = 1, z = (0, 1).
BY_HAND: dict[str, Any] = {
    "cost": np.array([1.0, 2.0]),
    "matrix": sp.csr_array(np.array([[1.0, 1.0]])),
    "row_lower": np.array([1.0]),
    "row_upper": np.array([np.inf]),
    "lower": np.zeros(2),
    "upper": np.full(2, np.inf),
    "x": np.array([1.0, 0.0]),
    "y": np.array([1.0]),
}


def by_hand(**changes: Any) -> Certificate:
    return certify(**{**BY_HAND, **changes})


def test_optimum_by_hand_is_proved() -> None:
    proof = by_hand()
    assert proof.worst == 0
    assert proof.objective == 1
    assert proof.holds
    proof.require()


@pytest.mark.parametrize(
    ("changes", "figure", "value"),
    [
        # Row bound 1 missed by .001, relative to 1 + 1.
        ({"x": np.array([0.999, 0.0])}, "primal_residual", 0.001 / 2),
        ({"x": np.array([1.001, -0.001])}, "primal_residual", 0.001),
        ({"matrix": sp.csr_array(np.array([[0.999, 1.0]]))}, "primal_residual", 0.001 / 2),
        # z1 = -.001 points to an upper bound that x1 does not have; largest cost 2.
        ({"y": np.array([1.001])}, "dual_residual", 0.001 / 3),
        ({"y": np.array([-0.001])}, "dual_residual", 0.001 / 3),
        # z1 = .001 prices the bound 0 of x1 = 1; objective 1.
        ({"y": np.array([0.999])}, "complementarity", 0.001 / 2),
        ({"y": np.array([0.999])}, "relative_gap", 0.001 / 2),
        ({"x": np.array([1.001, 0.0])}, "complementarity", 0.001 / 2.001),
        ({"x": np.array([1.001, 0.0])}, "relative_gap", 0.001 / 2.001),
    ],
)
def test_each_figure_by_hand(changes: dict[str, Any], figure: str, value: float) -> None:
    proof = by_hand(**changes)
    assert getattr(proof, figure) == pytest.approx(value, rel=1e-9)
    assert not proof.holds


@pytest.mark.parametrize("changes", [{"x": np.array([np.nan, 0.0])}, {"y": np.array([np.nan])}])
def test_not_a_number_never_holds(changes: dict[str, Any]) -> None:
    proof = by_hand(**changes)
    assert not proof.holds
    with pytest.raises(CertificateError):
        proof.require()


def test_require_names_every_figure_that_fails_and_no_other() -> None:
    proof = Certificate("level x", 1e-3, LIMIT, 2e-3, 0.0, 1.0)
    with pytest.raises(CertificateError) as caught:
        proof.require()
    text = str(caught.value)
    assert len(caught.value.faults) == 2
    assert "primal residual is 0.001" in text
    assert "complementarity is 0.002" in text
    assert "'level x'" in text
    assert "dual residual" not in text
    assert "gap" not in text


@cache
def solved_level() -> tuple[LinearProgram, Session, np.ndarray, np.ndarray, np.ndarray]:
    """Program, session, scaled cost row, point and prices of one level of a small problem."""
    p = made_up_problem(2, 3, 2, seed=2)
    program = compile_model(build_model(p))
    session = Session(program)
    cost, constant = program.costs["unfunded_worst"]
    point = session.minimise(cost, constant)
    scale = 1 / np.abs(cost).max()
    return program, session, cost * scale, point.x, point.row_dual * scale


def proof_of(
    x: np.ndarray | None = None, y: np.ndarray | None = None, matrix: sp.csr_array | None = None
) -> Certificate:
    _, s, cost, best, prices = solved_level()
    return certify(
        cost,
        s.matrix if matrix is None else matrix,
        s.row_lower,
        s.row_upper,
        s.lower,
        s.upper,
        best if x is None else x,
        prices if y is None else y,
    )


def test_solved_toy_is_proved() -> None:
    assert proof_of().worst < 1e-9


#: Every cell of these columns is tied by an equality or priced: none can be changed unseen. The
#: others (slacks, indices and deviations of later levels) are free in this level.
TIED = (
    "central",
    "local",
    "levy",
    "bonds",
    "unfunded",
    "central_block",
    "starts",
    "capacity",
    "places_hukou",
    "places_migrant",
    "temporary",
)


@pytest.mark.parametrize("family", TIED)
@pytest.mark.parametrize("change", [TAMPER, -TAMPER])
def test_no_cell_of_the_point_can_be_changed_unseen(family: str, change: float) -> None:
    program, _, _, x, _ = solved_level()
    cells = [i for i, name in enumerate(program.column_names) if name.split("[")[0] == family]
    assert cells
    for cell in cells:
        wrong = x.copy()
        wrong[cell] += change
        proof = proof_of(x=wrong)
        assert not proof.holds, program.column_names[cell]
        assert max(proof.primal_residual, proof.complementarity) > LIMIT
        # The gap is hardly moved: alone it would prove nothing.
        assert proof.dual_residual <= LIMIT


def test_a_changed_point_shows_in_the_row_and_not_in_the_gap() -> None:
    program, _, cost, x, _ = solved_level()
    cell = program.columns()["places_hukou[110000,2025]"]
    assert cost[cell] == 0
    wrong = x.copy()
    wrong[cell] -= TAMPER
    proof = proof_of(x=wrong)
    assert proof.primal_residual > LIMIT
    assert proof.relative_gap <= LIMIT


@pytest.mark.parametrize("change", [TAMPER, -TAMPER])
def test_every_price_of_the_balance_is_seen(change: float) -> None:
    program, _, _, _, y = solved_level()
    rows = [i for i, n in enumerate(program.row_names) if n.startswith("money_balance")]
    for row in rows:
        wrong = y.copy()
        wrong[row] += change
        proof = proof_of(y=wrong)
        assert proof.primal_residual <= LIMIT
        figures = (proof.dual_residual, proof.complementarity, proof.relative_gap)
        assert max(figures) > LIMIT, program.row_names[row]


def test_a_price_of_the_wrong_sign_shows_in_the_dual_residual() -> None:
    program, s, _, _, y = solved_level()
    one_sided = np.isinf(s.row_lower) & (np.abs(y) > 1e-6)
    row = int(np.argmax(one_sided))
    assert one_sided[row], program.row_names
    wrong = y.copy()
    wrong[row] *= -1
    assert proof_of(y=wrong).dual_residual > LIMIT


def test_every_coefficient_of_the_balance_is_seen() -> None:
    program, s, _, x, _ = solved_level()
    matrix = s.matrix
    rows = [i for i, n in enumerate(program.row_names) if n.startswith("money_balance")]
    tried = 0
    for row in rows:
        for place in range(matrix.indptr[row], matrix.indptr[row + 1]):
            if abs(x[matrix.indices[place]]) < 1:
                continue
            wrong = matrix.copy()
            wrong.data[place] += 0.01
            assert proof_of(matrix=wrong).primal_residual > LIMIT
            tried += 1
    assert tried > 20


def compared(found: Allocation, p: Any, tables: Solution) -> list[Compared]:
    """Optimum and final value of every level but the guard, beside those of some tables."""
    exact = recompute(p, tables)
    return [
        Compared(level.name, level.value, level.final, exact[level.name])
        for level in found.levels
        if level.name != "guard"
    ]


@cache
def answer() -> tuple[Any, Allocation]:
    p = made_up_problem(3, 4, 1, seed=1)
    return p, solve(p)


def test_every_solve_of_an_answer_is_proved() -> None:
    _, found = answer()
    assert len(found.certificates) >= len(found.levels)
    assert all(proof.holds for proof in found.certificates)
    assert {proof.name for proof in found.certificates} >= {
        level.name for level in found.levels if level.name != "guard"
    }


@pytest.mark.parametrize(
    ("table", "cell", "change", "level"),
    [
        ("unfunded", (0, 0, 1), 5.0, "unfunded"),
        ("capacity", (0, 1, 0, 1), -5.0, "slack"),
        ("capacity", (0, 0, 1, 4), 20.0, "cost"),
        ("shortage", (0, 1, 0, 1), 1.0, "unmet"),
        ("places_migrant", (1, 2), -1.0, "unmet"),
        ("places_hukou", (1, 2), -1.0, "unmet"),
        ("central", (0, 0, 3), 5.0, "near_need"),
        ("starts", (0, 0, 0, 1), 1.0, "cost"),
        ("teachers", (0, 0), 0.5, "cost"),
        ("temporary", (0, 0), 5.0, "cost"),
    ],
)
def test_a_changed_table_disagrees_with_the_program(
    table: str, cell: tuple[int, ...], change: float, level: str
) -> None:
    p, found = answer()
    assert not disagreements(compared(found, p, found.solution))
    changed = getattr(found.solution, table).copy()
    changed[cell] += change
    wrong: Solution = replace(found.solution, **{table: changed})
    assert f"level {level!r}" in [fault.where for fault in disagreements(compared(found, p, wrong))]


def test_a_table_better_than_the_optimum_is_refused() -> None:
    p, found = answer()
    perfect = replace(found.solution, unfunded=np.zeros_like(found.solution.unfunded))
    faults = disagreements(compared(found, p, perfect))
    assert "level 'unfunded_worst'" in [fault.where for fault in faults]
