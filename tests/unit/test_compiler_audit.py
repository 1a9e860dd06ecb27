"""Whatever a model file holds, generated code stays arithmetic; anything else is refused."""

from __future__ import annotations

import ast
import builtins

import pytest
from model_corpus import CORPUS, complete, graph_of, simulated

from hukou_opt.dynamics.compiler.audit import ALLOWED, METHODS, NUMPY, audit_arrays
from hukou_opt.dynamics.compiler.program import SEEN, build
from hukou_opt.errors import ModelError

HELPERS = frozenset(SEEN)
HEAD = "def step(C, S, N, I, W, K, t, dt, t0, t1, every, m):\n"
MODELS = sorted(path.stem for path in CORPUS.glob("*.mdl"))


def sources(text, varying=frozenset()):
    graph = graph_of(text)
    run = build(graph, varying, list(graph.variables), "own.mdl")
    return [function.source for function in run.functions.values()]


@pytest.mark.parametrize("name", MODELS)
def test_generated_code_holds_no_text_of_the_model(name):
    text = (CORPUS / f"{name}.mdl").read_text(encoding="utf-8")
    for varying in (frozenset(), frozenset(graph_of(text).inputs)):
        for source in sources(text, varying):
            assert source.isascii()
            tree = ast.parse(source)
            assert all(isinstance(node, ALLOWED) for node in ast.walk(tree))
            texts = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value is not n]
            assert not any(isinstance(node.value, str | bytes) for node in texts)


@pytest.mark.parametrize(
    "comment",
    [
        'hi """;open("never.txt","w").close();""" bye',
        "'''; import os; os.remove('x'); '''",
        "\\n    raise SystemExit",
        "{import os}",
        "v0 = __import__('os')",
    ],
)
def test_comments_and_units_never_reach_the_code(comment):
    plain = complete("x = INTEG(y, 1)\ny = 2 * x")
    hostile = plain.replace("y = 2 * x\n\t~ 1 ~ |", f"y = 2 * x\n\t~ {comment} ~ {comment} |")
    assert hostile != plain
    assert sources(hostile) == sources(plain)


@pytest.mark.parametrize(
    ("equations", "words"),
    [
        ("\"x = __import__('os')\" = 3", "has the name"),
        ('"a.b" = 1\ny = "a.b"', "has the name"),
        ('r: a, "b\']"\nx[r] = 1', "cannot be translated|has the name"),
        ("x = 1e999", "too large"),
        ("x = Time * 1e999", "too large"),
        ("x = nan", r"not defined \('nan'\)"),
        ("x = inf + 1", r"not defined \('inf'\)"),
        ("x = __import__(Time)", "calls   IMPORT"),
        ("x = open(Time)", "calls OPEN"),
        ("x = np.exp(Time)", "cannot be translated"),
        ("x = 'text'", "cannot be translated"),
        ("x = Time; import os", "cannot be translated"),
        ("x = Time if 1 else 2", "not defined|cannot be translated"),
    ],
)
def test_hostile_equations_are_refused(equations, words):
    with pytest.raises(ModelError, match=words):
        graph_of(complete(equations))


def test_names_of_pythons_own_words_are_names_only():
    graph = graph_of(complete("exec = 1\nlambda = exec + Time\nimport = lambda\nos = import * 2"))
    (found,) = simulated(graph, ["os"], list(graph.defaults), span=(0, 1), step=0.5)
    assert found.tolist() == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    import os\n    return ()\n", "Import"),
        ("    from os import system\n    return ()\n", "ImportFrom"),
        ("    v0 = 'text'\n    return (v0,)\n", "constant 'text'"),
        ("    v0 = b'text'\n    return (v0,)\n", "constant b'text'"),
        ("    v0 = C.__class__\n    return (v0,)\n", "attribute '__class__'"),
        ("    v0 = np.load(C)\n    return (v0,)\n", "attribute 'load'"),
        ("    v0 = np.sum.__globals__\n    return (v0,)\n", "attribute '__globals__'"),
        ("    v0 = v1.tofile(C)\n    return (v0,)\n", "attribute 'tofile'"),
        ("    v0 = v1.transpose.im_func\n    return (v0,)\n", "attribute 'im_func'"),
        ("    v0 = open(C)\n    return (v0,)\n", "name 'open'"),
        ("    v0 = eval(C)\n    return (v0,)\n", "name 'eval'"),
        ("    v0 = __builtins__\n    return (v0,)\n", "name '__builtins__'"),
        ("    v0 = [C for v1 in C]\n    return (v0,)\n", "ListComp"),
        ("    v0 = lambda: C\n    return (v0,)\n", "Lambda"),
        ("    while True: v0 = C\n    return ()\n", "While"),
        ("    for v0 in C: v1 = v0\n    return ()\n", "For"),
        ("    with C: v0 = C\n    return ()\n", "With"),
        ("    v0 = C ** 2\n    return (v0,)\n", "Pow"),
        ("    global v0\n    return ()\n", "Global"),
        ("    del C\n    return ()\n", "Delete"),
        ("    v0 = f'{C}'\n    return (v0,)\n", "JoinedStr"),
        ("    C.transpose = np.exp\n    return ()\n", "line "),
        ("    np.exp = C\n    return ()\n", "line "),
        ("    C[0] = C\n    return ()\n", "line "),
        ("    v0 = v1 = C\n    return ()\n", "line "),
        ("    np.exp(C)\n    return ()\n", "Expr"),
        ("    v0 = C(t)\n    return ()\n", "call of 'C'"),
        ("    v0 = C[0](t)\n    return ()\n", "call of an expression"),
        ("    v0 = np.exp(t)\n", "no return"),
        ("    choose = C\n    return ()\n", "line "),
    ],
)
def test_doctored_code_is_refused(body, words):
    with pytest.raises(ModelError) as caught:
        audit_arrays(HEAD + body, "own.mdl", HELPERS)
    assert words in str(caught.value)


def test_decorators_defaults_and_further_functions_are_refused():
    good = HEAD + "    return ()\n"
    audit_arrays(good, "own.mdl", HELPERS)
    for bad in (
        "@np.exp\n" + good,
        good.replace("m)", "m=np.exp(1))"),
        good.replace("m)", "m: np.exp)"),
        good + good,
        good + "v0 = np.exp(1)\n",
        good.replace("):\n", ") -> np.exp:\n"),
        HEAD + "    def step(C): return ()\n    return ()\n",
    ):
        with pytest.raises(ModelError):
            audit_arrays(bad, "own.mdl", HELPERS)


def test_what_generated_code_may_call_opens_nothing():
    reach = {"load", "save", "fromfile", "tofile", "memmap", "loadtxt", "savetxt", "genfromtxt"}
    assert not (NUMPY | METHODS) & reach
    assert not HELPERS & set(dir(builtins))
