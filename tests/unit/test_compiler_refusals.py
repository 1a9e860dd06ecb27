"""What the compiler does not know it refuses by name; what is wrong it says in plain words."""

from __future__ import annotations

import pytest
from model_corpus import complete, graph_of

from hukou_opt.dynamics.compiler.refusals import UnsupportedError
from hukou_opt.errors import ModelError

R = "r: a, b\nq <-> r\nv[r] = 1, 2\n"


def refused(equations, kind=ModelError):
    with pytest.raises(kind) as caught:
        graph_of(complete(equations))
    return caught.value


@pytest.mark.parametrize(
    ("equations", "words"),
    [
        ("x = DELAY FIXED(Time, 1, 0)", "uses DELAY FIXED"),
        ("x = DELAY N(Time, 1, 0, 2)", "uses DELAY N"),
        ("x = SMOOTH N(Time, 1, 0, 2)", "uses SMOOTH N"),
        ("x = TREND(Time, 1, 0)", "uses TREND"),
        ("x = FORECAST(Time, 1, 2)", "uses FORECAST"),
        ("x = SAMPLE IF TRUE(Time > 1, Time, 0)", "uses SAMPLE IF TRUE"),
        ("x = 1 + DELAY FIXED(y, 1, 0)\ny = x", "uses DELAY FIXED"),
        ("x = RANDOM UNIFORM(0, 1, 0)", "calls RANDOM UNIFORM with 3"),
        ("x = RANDOM NORMAL(0, 1, 0, 1, 0)", "calls RANDOM NORMAL"),
        (R + "x = VECTOR SELECT(v[r!], v[r!], 0, 0, 0)", "calls VECTOR SELECT"),
        (R + "x[r] = VECTOR SORT ORDER(v[r], 1)", "calls VECTOR SORT ORDER"),
        (R + "m[r, q] = 1, 2; 3, 4;\nx[r, q] = INVERT MATRIX(m[r, q], 2)", "INVERT MATRIX"),
        (
            R + "p: ptype, ppriority\nm[r, p] = 1, 2; 3, 4;\n"
            "x[r] = ALLOCATE AVAILABLE(v[r], m[r, ptype], 1)",
            "uses ALLOCATE AVAILABLE",
        ),
        (R + "x[r] = ALLOCATE BY PRIORITY(v[r], v[r], 2, 1, 3)", "uses ALLOCATE BY PRIORITY"),
        ("x = GET DIRECT CONSTANTS('a.csv', ',', 'B2')", "uses GET CONSTANTS"),
        ("x := GET XLS DATA('a.xlsx', 's', 'A', 'B2')", "uses GET DATA"),
        ("x = GET TIME VALUE(0, 1, 0)", "calls GET TIME VALUE"),
        ("d :INTERPOLATE:\nx = d + 1", "uses DATA"),
        (R + "t[r]((0,0),(1,1))\nx[r] = t[r](Time)", "table t, which has subscripts"),
        ("t((0,0),(1,1),(1,2),(2,3))\nx = t(Time)", "two values at one place"),
        ("t((0,3),(1,5))\nx = t(Time > 1)", "table at a truth value"),
        ("r: a, b -> s\ns: c, d\nv[r] = 1, 2\nx[s] = v[r]", "by the mapping of a range"),
        ("r: a, b\ns: c, d -> r\nv[r] = 1, 2\nx[s] = v[r]", "by the mapping of a range"),
        (R + "x[r] = IF THEN ELSE(r = a, 1, 2)", "uses the subscript a as a number"),
        (R + "m[r, r] = Time", "subscript twice on the left"),
        (R + "m[r, q] = 1, 2; 3, 4;\nx[r] = m[r, r] * Time", "one subscript twice"),
        ("r: a, b\nm[r, a] = 1\nm[r, b] = Time", "no range of their own"),
        (R + "x = SUM(v[r!] * SUM(v[r!]))", r"within a function over it \(r!\)"),
        (R + "x = SUM(INITIAL(v[r!] * 2))", "INITIAL within"),
        (R + "x = SUM(SMOOTH(v[r!] * Time, 3))", "SMOOTH within"),
        (R + "x[r] = SUM(DELAY1(v[q!], 3))", "DELAY within"),
        # Readers of Vensim files take these for different numbers.
        ("x = -2^2", "raises a negative number"),
        ("x = (-2)^2 + Time", "raises a negative number"),
        ("x = 2^-3^2", "raises a negative number"),
        ("x = y :AND: Time > 1 :OR: y\ny = 1", "mixes :AND: and :OR:"),
        ("x = Time > 1 :OR: y :AND: y\ny = 1", "mixes :AND: and :OR:"),
        ("x = :NA:", "uses :NA:"),
        ("x = IF THEN ELSE(y = :NA:, 1, 2)\ny = 5", "uses :NA:"),
        (R + "x[r] = (v[r] > 0) + (v[r] > 1)", r"truth values as numbers \(add\)"),
        (R + "y[r] = v[r] > 0\nx[r] = y[r] + y[r]", r"truth values as numbers \(add\)"),
        (R + "x[r] = MAX(v[r] > 0, v[r] > 1) - (v[r] > 1)", r"truth values .* \(subtract\)"),
        (R + "x[r] = (v[r] > 0) * (v[r] > 1) + (v[r] > 1)", r"truth values .* \(add\)"),
        ("x = -(Time > 1)", r"truth values as numbers \(negative\)"),
        ("x = EXP(Time > 1)", r"truth values as numbers \(exp\)"),
        ("x = INITIAL(Time > 1)", "keeps a truth value"),
    ],
)
def test_what_is_not_known_is_refused_by_name(equations, words):
    error = refused(equations, UnsupportedError)
    assert error.faults[0].fix == "run it with PySD"
    assert any(fault.where.startswith("own.mdl: ") for fault in error.faults)
    with pytest.raises(UnsupportedError, match=words):
        raise error


@pytest.mark.parametrize(
    ("equations", "words"),
    [
        ("x = nothing + 1", r"own.mdl: x \| reads what is not defined \('nothing'\)"),
        ("x = INTEG(1, nothing)", "not defined"),
        ("x = SMOOTH(nothing, 2)", "not defined"),
        ("x = DELAY1(nothing, 2)", "not defined"),
        ("x = INITIAL(nothing)", "not defined"),
        ("x = ACTIVE INITIAL(1, nothing)", "not defined"),
        ("x = FOO(Time)", "calls FOO, which is no function"),
        ("x = LOOKUP EXTRAPOLATE(t, Time)\nt((0,0),(1,1))", "calls LOOKUP EXTRAPOLATE"),
        ("x = A FUNCTION OF(y)\ny = 1", "calls A FUNCTION OF, which is no function"),
        ("x = STEP(1, 2, 3)", "calls STEP with 3"),
        ("c = 3\nx = c (Time)", "calls c, which is no table"),
        ("t((0,0),(1,1))\nx = t(1, 2)", "reads the table t at 2 places"),
        ("t((0,0),(1,1))\nx = t + 1", "reads the table t as a number"),
        ("x = 1e999", "too large"),
        ("x = Time + 1e999", "too large"),
        ("x = 1" + "0" * 400, "too large"),
        ("t((0,0),(1,1e999))\nx = t(Time)", "too large"),
        (R + "x = v[a, b]", "reads v with 2 subscripts, it has 1"),
        (R + "x = v * 2", "reads v with 0 subscripts, it has 1"),
        (R + "x = v[r] * 2", r"reads v\[r\] although r is not on its left"),
        (R + "x[q] = v[r]", "although r is not on its left"),
        (R + "x = v[r!] * 2", r"marks v\[r!\] outside"),
        (R + "x[r] = v[r!] * 2", r"marks v\[r!\] outside"),
        (R + "x[r] = SUM(v[r])", "uses SUM without a marked subscript"),
        (R + "x = v[c]", r"reads v\[c\], which is not part of r"),
        (R + "x = v[A]", "capital letters count"),
        (R + "x[r] = 1, 2, 3", "gives 3 numbers for 2"),
        ("r: a, b\ns: c, d, e\nx[r, s] = 1, 2; 3, 4; 5, 6;", "gives 3 x 2 numbers for 2 x 3"),
        (R + "x[r] = Time\nx[a] = 5", "two equations for the same members"),
        (R + "x[a] = 5\nx[r] = 7", "two equations for the same members"),
        (R + "x[r] :EXCEPT: [c] = Time", r"has \[c\], which is not part of \[r\]"),
        (R + "x[r, q] :EXCEPT: [a] = Time\nx[a, q] = 1", r"excepts \[a\], it has 2"),
        (R + "x[r] = 1\nx[a, q] = 2", "different numbers of subscripts"),
        ("r: a, b, c\nz[a] = Time\nx = SUM(z[r!])", r"z\[r!\], part of which no equation gives"),
        (R + "x = ELMCOUNT(v)", "counts what is no range"),
    ],
)
def test_what_is_wrong_is_said_plainly(equations, words):
    with pytest.raises(ModelError, match=words):
        raise refused(equations)


def test_variables_in_a_circle_are_named_in_order():
    error = refused("one = two\ntwo = three + 1\nthree = one * 2\nfour = one")
    assert len(error.faults) == 1
    assert "(one -> three -> two -> one)" in error.faults[0].what


def test_a_member_that_reads_another_of_its_variable_is_a_circle():
    """PySD does not end on it."""
    assert "(x -> x)" in refused(R + "x[a] = Time\nx[b] = x[a] + 1").faults[0].what


@pytest.mark.parametrize(
    ("equations", "circle"),
    [
        ("a = INTEG(1, b)\nb = INTEG(1, c)\nc = INITIAL(a + 1)", "(a -> c -> b -> a)"),
        ("a = INTEG(1, x)\nx = b + 1\nb = INTEG(1, a)", "(a -> b -> x -> a)"),
        ("a = INITIAL(a + 1)", "(a -> a)"),
        ("a = SMOOTH(a, 2)", "(a -> a)"),
        ("a = DELAY1(b, 2)\nb = a", "(a -> b -> a)"),
    ],
)
def test_values_at_the_start_in_a_circle_are_named_in_order(equations, circle):
    error = refused(equations)
    assert "at the start" in error.faults[0].what
    assert circle in error.faults[0].what


def test_a_circle_that_a_stock_or_a_delay_cuts_is_none():
    graph = graph_of(complete("a = SMOOTHI(b, 2, 1)\nb = a + s\ns = INTEG(b, 3)\nc = INITIAL(b)"))
    assert set(graph.variables) >= {"a", "b", "s", "c"}


def test_all_faults_come_at_once():
    error = refused(
        "r: a, b\nv[r] = 1, 2\n"
        "one = nothing\ntwo = v\nthree = v[r]\nfour = FOO(1)\nfive = five2\nfive2 = five\n"
        "six = six2\nsix2 = six\nseven = TREND(Time, 1, 0)\neight = INTEG(v[c], nowhere)\n"
        "nine[r] = 1, 2, 3\nten[r] :EXCEPT: [z] = 1\nreads one = one + ten[a] + nine[a]"
    )
    assert not isinstance(error, UnsupportedError)
    text = str(error)
    for words in (
        "one | reads what is not defined ('nothing')",
        "two | reads v with 0",
        "three | reads v[r] although",
        "four | calls FOO",
        "five",
        "six",
        "seven | uses TREND",
        "eight | reads what is not defined ('nowhere')",
        "nine | gives 3 numbers",
        "ten | has [z]",
    ):
        assert words in text, words
    assert len(error.faults) == 10


def test_all_that_is_not_known_comes_at_once():
    error = refused(
        "one = TREND(Time, 1, 0)\ntwo = -2^2\nthree = INTEG(SMOOTH N(one, 2, 3, 4), two)",
        UnsupportedError,
    )
    assert [fault.where for fault in error.faults] == [
        f"own.mdl: {n}" for n in ("one", "two", "three")
    ]
