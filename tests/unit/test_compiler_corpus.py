"""One small model per construct: every variable at every step equals PySD's."""

from __future__ import annotations

import numpy as np
import pytest
from model_corpus import (
    CORPUS,
    TOLERANCE,
    by_arrays,
    by_pysd,
    complete,
    differences,
)

from hukou_opt.dynamics.compiler import emit

MODELS = sorted(path.stem for path in CORPUS.glob("*.mdl"))
SPAN, STEP = (0, 2), 0.25
TIMES = np.arange(0, 2.1, STEP)


def corpus(name):
    return (CORPUS / f"{name}.mdl").read_text(encoding="utf-8")


def arrays(equations):
    return by_arrays(complete(equations), span=SPAN, step=STEP)


@pytest.mark.parametrize("name", MODELS)
def test_every_variable_equals_pysd_at_every_step(name):
    found = differences(corpus(name))
    assert {each: value for each, value in found.items() if not value <= TOLERANCE} == {}


def test_the_corpus_is_whole():
    assert len(MODELS) >= 28


def test_the_comparison_sees_a_wrong_sign(monkeypatch):
    """A comparison that cannot fail would prove nothing."""
    monkeypatch.setitem(emit.PLAIN, "subtract", "+")
    found = differences(corpus("precedence"))
    assert found["n1"] > TOLERANCE


@pytest.mark.parametrize(
    "equations",
    [
        "c = -2\no = c^2 + Time\np = -c^2\nq = (-c)^2",
        "a = INTEGER(-2.7) + MODULO(-7, 3) + MODULO(7, -3) + QUANTUM(7, -2) + Time",
        "b = INTEGER(Time * 3) + 1\nc = b ^ -1\nd = 2 ^ b / 2",
        "a = PULSE TRAIN(0.5, 0.5, 0, 2)",
        "r: a, b -> s\ns: c, d\nv[r] = 1, 2\nw[s] = Time",
        "r: a, b, c\nz[a] = Time\nz[b] = 2\nw = z[a] + z[b]",
        "r: a, b, c\ns: a, b\nv[r] = 1, 2, 3\nx[s] = v[s] / SUM(v[s!])\ny[r] = v[r] / SUM(v[s!])",
        "some   long name = 3\nb = some long\tname + Time",
        "r: a, b\nv[r] = 1, 2\nx[r] = (v[r] > 1) * (Time > 1)\ny = VMAX(x[r!]) + SUM(v[r!] > 1)",
    ],
)
def test_corners_equal_pysd(equations):
    found = differences(complete(equations))
    assert max(found.values()) <= TOLERANCE, found


# Where PySD fails, the array engine gives what Vensim documents.


@pytest.mark.parametrize(
    ("equations", "name", "expected"),
    [
        (
            "r: a, b\nv[r] = 0.5, 1\nw[r] = PULSE(v[r], 0.5)",
            "w",
            [(TIMES >= 0.5) & (TIMES < 1), (TIMES >= 1) & (TIMES < 1.5)],
        ),
        (
            "r: a, b\nw[r] = PULSE(1, 0.5) + RAMP(1, 0, 2)",
            "w",
            [((TIMES >= 1) & (TIMES < 1.5)) + TIMES] * 2,
        ),
        (
            "r: a, b\nv[r] = 0.5, 1\nw[r] = PULSE TRAIN(0, 0.25, v[r], 9)",
            "w",
            [TIMES % 0.5 < 0.25, TIMES % 1 < 0.25],
        ),
    ],
)
def test_time_functions_of_arrays_work_where_pysd_fails(equations, name, expected):
    with pytest.raises(ValueError, match=r"truth value|dimensions"):
        by_pysd(complete(equations), step=STEP)
    found = arrays(equations)[name].values
    np.testing.assert_allclose(found, np.array(expected, dtype=float).T)


def test_a_sum_does_not_skip_what_is_no_number():
    """PySD's sum leaves a broken region out; here it is no number, which the engine reports."""
    equations = "r: a, b\nv[r] = 0, 2\nx[r] = v[r] / v[r] * Time\nw = SUM(x[r!])"
    assert by_pysd(complete(equations), step=STEP)["w"].values[-1] == 2.0
    assert np.isnan(arrays(equations)["w"].values).all()


def test_a_cell_without_equation_is_no_number():
    """PySD gives all members the one equation there is, if it is the only one."""
    equations = "r: a, b\nz[a] = Time + 1\nw = z[a] * 2"
    assert by_pysd(complete(equations), step=STEP)["z"].values[-1].tolist() == [3.0, 3.0]
    found = arrays(equations)
    assert found["z"].values[-1, 0] == 3.0
    assert np.isnan(found["z"].values[:, 1]).all()
    np.testing.assert_allclose(found["w"].values, 2 * (TIMES + 1))


def test_dividing_by_zero_gives_no_exception():
    with pytest.raises(ZeroDivisionError):
        by_pysd(complete("a = 1 / b\nb = Time"), step=STEP)
    assert np.isinf(arrays("a = 1 / b\nb = Time")["a"].values[0])


def test_stocks_that_read_each_other_move_together():
    """Euler reads all stocks before it moves any: a circle of two stocks conserves this product."""
    found = arrays("velocity = INTEG(-position, 1)\nposition = INTEG(velocity, 0)")
    radius = found["velocity"].values ** 2 + found["position"].values ** 2
    np.testing.assert_allclose(radius, (1 + STEP**2) ** np.arange(len(TIMES)), rtol=1e-12)


# Branches that are not chosen


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x[r] = IF THEN ELSE(v[r] = 0, 7, 1 / v[r])", [7, 0.5, -0.25]),
        ("x[r] = IF THEN ELSE(v[r] > 0, LN(v[r]), 3)", [3, np.log(2), 3]),
        ("x[r] = IF THEN ELSE(v[r] < 0, -1, SQRT(v[r]))", [0, np.sqrt(2), -1]),
        ("x[r] = IF THEN ELSE(v[r] > 1, 4, (v[r] - v[r]) / (v[r] - v[r]) * 0 + 1)", None),
        ("x[r] = IF THEN ELSE(v[r] <> 2, EXP(1000) * 0 + 1, 5)", None),
        ("x[r] = MIN(EXP(1000), v[r])", [0, 2, -4]),
    ],
)
def test_no_warning_escapes_and_the_right_branch_is_taken(equation, expected):
    """Warnings are errors in these tests."""
    found = arrays(f"r: a, b, c\nv[r] = 0, 2, -4\n{equation}\ny = 1 / (Time - Time)")["x"].values
    if expected is None:
        chosen = {4.0, 5.0} & set(found[0].tolist())
        assert len(chosen) == 1
        assert np.isnan(found[0]).sum() == 2
    else:
        np.testing.assert_allclose(found, np.tile(expected, (len(TIMES), 1)), rtol=1e-12)
