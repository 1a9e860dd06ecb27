"""Safe bounds never exceed the optimum; exact replays are exact."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import made_up_problem
from scipy.optimize import linprog

from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.exact import Exact, replay, upwards
from hukou_opt.allocation.proof import Proof
from hukou_opt.allocation.safe_bound import implied_box, safe_bound
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.errors import CertificateError

TAMPER = 1e-3


def by_hand(**changes: Any) -> Proof:
    """min x1 + 2 x2 s.t. x1 + x2 >= 1, x >= 0: x = (1, 0), y = 1."""
    given: dict[str, Any] = {
        "name": "by hand",
        "cost": np.array([1.0, 2.0]),
        "matrix": sp.csr_array(np.array([[1.0, 1.0]])),
        "row_lower": np.array([1.0]),
        "row_upper": np.array([np.inf]),
        "lower": np.zeros(2),
        "upper": np.full(2, np.inf),
        "x": np.array([1.0, 0.0]),
        "y": np.array([1.0]),
    }
    return Proof(**{**given, **changes})


def test_figures_by_hand() -> None:
    found = replay(by_hand())
    assert (found.primal_residual, found.objective, found.bound, found.gap) == (0, 1, 1, 0)
    found.require()


def test_a_tenth_is_not_a_tenth() -> None:
    """0.1 + 0.2 is 0.3 to the machine's rounding; in whole numbers it is not."""
    row = sp.csr_array(np.array([[1.0, 1.0, -1.0]]))
    proof = by_hand(
        cost=np.zeros(3),
        matrix=row,
        row_lower=np.zeros(1),
        row_upper=np.zeros(1),
        lower=np.zeros(3),
        upper=np.ones(3),
        x=np.array([0.1, 0.2, 0.3]),
        y=np.zeros(1),
    )
    true = abs(Fraction(0.1) + Fraction(0.2) - Fraction(0.3))
    assert replay(proof).primal_residual == true > 0


@pytest.mark.parametrize(
    ("changes", "residual", "gap"),
    [
        ({"x": np.array([0.75, 0.0])}, Fraction(1, 8), Fraction(1, 7)),
        ({"x": np.array([1.25, -0.25])}, Fraction(1, 4), Fraction(1, 7)),
        # y = 3/4 leaves z = (1/4, 5/4): the bound is 3/4.
        ({"y": np.array([0.75])}, Fraction(0), Fraction(1, 8)),
    ],
)
def test_tampered_figures_by_hand(
    changes: dict[str, Any], residual: Fraction, gap: Fraction
) -> None:
    found = replay(by_hand(**changes))
    assert found.primal_residual == residual
    assert found.gap == gap
    with pytest.raises(CertificateError, match="exact"):
        found.require()


def test_a_price_too_high_has_a_bound_from_the_rows() -> None:
    # z1 = -1/4 needs an upper bound of x1, which only the cost of the known point gives: about 1.
    found = replay(by_hand(y=np.array([1.25])))
    assert found.bound is not None
    assert found.bound == pytest.approx(1.25 - 0.25, abs=0.01)
    # A free column that costs nothing and stands in no row has no bound at all.
    loose = by_hand(
        cost=np.array([0.0, 1.0]),
        matrix=sp.csr_array(np.array([[1.0, 1.0], [-1.0, 1.0]])),
        row_lower=np.array([1.0, -np.inf]),
        row_upper=np.array([np.inf, np.inf]),
        y=np.array([0.5, 0.0]),
    )
    assert replay(loose).bound is None
    with pytest.raises(CertificateError, match="gap is inf"):
        replay(loose).require()


@pytest.mark.parametrize(("noise", "known"), [(1e-12, True), (0.25, False)])
def test_a_tiny_price_of_a_row_with_an_endless_column_is_left_out(
    noise: float, known: bool
) -> None:
    # x3 >= x1 - 5 costs nothing: a price of its row asks for an upper bound that x3 does not have.
    proof = by_hand(
        cost=np.array([1.0, 2.0, 0.0]),
        matrix=sp.csr_array(np.array([[1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])),
        row_lower=np.array([1.0, -5.0]),
        row_upper=np.full(2, np.inf),
        lower=np.zeros(3),
        upper=np.full(3, np.inf),
        x=np.array([1.0, 0.0, 0.0]),
        y=np.array([1.0, noise]),
    )
    safe = safe_bound(*parts(proof), proof.y, 1.0)
    assert replay(proof).bound == (1 if known else None)
    assert safe == (pytest.approx(1.0, abs=1e-9) if known else -np.inf)


def test_rounded_upwards() -> None:
    third = Fraction(1, 3)
    assert Fraction(upwards(third)) >= third
    assert Fraction(upwards(third)) - third < Fraction(1, 2**53)
    assert upwards(Fraction(1, 2)) == 0.5


@pytest.mark.parametrize("name", ["cost", "row_lower", "upper", "matrix"])
def test_the_hash_is_of_the_program(name: str) -> None:
    given = by_hand()
    same = replay(by_hand(x=np.array([2.0, 0.0]))).sha256
    assert replay(given).sha256 == same
    changed = getattr(given, name).copy()
    if name == "matrix":
        changed.data[0] += TAMPER
    else:
        changed[0] = 1 + TAMPER
    assert replay(replace(given, **{name: changed})).sha256 != same


@pytest.mark.parametrize("field", ["x", "y", "row_lower"])
def test_not_a_number_is_refused(field: str) -> None:
    wrong = getattr(by_hand(), field).copy()
    wrong[0] = np.nan
    with pytest.raises(CertificateError, match="not finite"):
        replay(by_hand(**{field: wrong}))


numbers = st.integers(-4, 4).map(float)


@st.composite
def programs(draw: st.DrawFn) -> Proof:
    """Small programs with a feasible point, columns without upper bounds, and any dual values."""
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    a = np.array([[draw(numbers) for _ in range(columns)] for _ in range(rows)])
    x = np.array([draw(st.integers(0, 3)) for _ in range(columns)], dtype=float)
    activity = a @ x
    room = np.array([draw(st.integers(0, 2)) for _ in range(2 * rows)], dtype=float)
    open_low = np.array([draw(st.booleans()) for _ in range(rows)])
    upper = np.array([draw(st.sampled_from([3.0, 5.0, np.inf])) for _ in range(columns)])
    thirds = np.array([draw(st.integers(-9, 9)) for _ in range(rows)]) / 3
    return Proof(
        "drawn",
        np.array([draw(numbers) for _ in range(columns)]),
        sp.csr_array(a),
        np.where(open_low, -np.inf, activity - room[:rows]),
        activity + room[rows:],
        np.zeros(columns),
        upper,
        x,
        thirds,
    )


def parts(proof: Proof) -> tuple[Any, ...]:
    return (
        proof.cost,
        proof.matrix,
        proof.row_lower,
        proof.row_upper,
        proof.lower,
        proof.upper,
    )


@settings(max_examples=150, deadline=None)
@given(programs())
def test_no_bound_exceeds_the_optimum(proof: Proof) -> None:
    a = proof.matrix.toarray()
    real = np.isfinite(proof.row_lower)
    found = linprog(
        proof.cost,
        A_ub=np.vstack([a, -a[real]]),
        b_ub=np.concatenate([proof.row_upper, -proof.row_lower[real]]),
        bounds=list(zip(proof.lower, proof.upper, strict=True)),
        method="highs",
    )
    objective = float(proof.cost @ proof.x)
    exact = replay(proof)
    safe = safe_bound(*parts(proof), proof.y, objective)
    assert exact.primal_residual == 0
    assert exact.objective == sum(
        (Fraction(c) * Fraction(v) for c, v in zip(proof.cost, proof.x, strict=True)), Fraction(0)
    )
    if exact.bound is not None:
        # Rounding never lifts the safe bound above the exact one.
        assert Fraction(safe) <= exact.bound if np.isfinite(safe) else True
    if found.status == 0:
        assert safe <= found.fun + 1e-9
        assert exact.bound is None or float(exact.bound) <= found.fun + 1e-9
        best = np.zeros(len(proof.y))
        duals = found.ineqlin.marginals
        best[:] = duals[: len(best)]
        best[real] -= duals[len(best) :]
        tight = replay(replace(proof, x=found.x, y=best))
        if tight.bound is not None:
            assert float(tight.bound) == pytest.approx(found.fun, abs=1e-7)


@settings(max_examples=100, deadline=None)
@given(programs())
def test_every_feasible_point_is_inside_the_implied_box(proof: Proof) -> None:
    _, *rows = parts(proof)
    box = implied_box(*rows)
    a = proof.matrix.toarray()
    for point in product(*[np.arange(0.0, 6.0)] * len(proof.x)):
        x = np.array(point)
        activity = a @ x
        inside = (activity <= proof.row_upper) & (activity >= proof.row_lower)
        if inside.all() and (x <= proof.upper).all():
            assert (x >= box.lower).all()
            assert (x <= box.upper).all()


def test_rows_carry_a_bound_from_column_to_column() -> None:
    # x1 <= 2 x2, x2 <= 3 x3, x3 <= 1.
    matrix = sp.csr_array(np.array([[1.0, -2.0, 0.0], [0.0, 1.0, -3.0]]))
    none = np.full(2, -np.inf)
    box = implied_box(matrix, none, np.zeros(2), np.zeros(3), np.array([np.inf, np.inf, 1.0]))
    np.testing.assert_allclose(box.upper, [6.0, 3.0, 1.0], rtol=1e-7)
    assert (box.upper >= [6.0, 3.0, 1.0]).all()


@cache
def answer() -> Allocation:
    return solve(made_up_problem(3, 4, 1, seed=1), keep_proofs=True)


@cache
def replays() -> tuple[Exact, ...]:
    return tuple(replay(proof) for proof in answer().proofs)


def test_every_level_of_an_answer_is_proved_exactly() -> None:
    found = answer()
    assert [proof.name for proof in found.proofs] == [each.name for each in found.certificates]
    for exact, certificate in zip(replays(), found.certificates, strict=True):
        exact.require()
        # Both gaps are of the same solve; rounding never makes the safe one the smaller by much.
        assert certificate.safe_gap >= float(exact.gap or 0) - 1e-12
        assert certificate.safe_gap < 10 * LIMIT
        assert certificate.objective == pytest.approx(float(exact.objective), rel=1e-12)


def test_a_solve_keeps_no_proofs_unless_it_is_asked() -> None:
    assert solve(made_up_problem(2, 3, 1), break_ties=False).proofs == ()


@pytest.mark.parametrize("what", ["x", "y"])
def test_a_tampered_point_or_price_of_an_answer_is_refused(what: str) -> None:
    proof = next(each for each in answer().proofs if each.name == "unfunded_worst")
    values = getattr(proof, what).copy()
    at = int(np.argmax(np.abs(values)))
    for change in (TAMPER, -TAMPER):
        wrong = values.copy()
        wrong[at] += change * max(1.0, abs(values[at]))
        with pytest.raises(CertificateError, match="'unfunded_worst'"):
            replay(replace(proof, **{what: wrong})).require()
