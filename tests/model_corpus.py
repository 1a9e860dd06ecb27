"""A text of a Vensim model through both engines, step by step, and how far they are apart."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics.compiler.lower import lower
from hukou_opt.dynamics.compiler.program import build
from hukou_opt.dynamics.compiler.state import State
from hukou_opt.dynamics.parse import DIGITS, abstract_model, plain
from hukou_opt.dynamics.pysd_engine import _load

CORPUS = Path(__file__).parent / "corpus"
#: Largest relative difference between the engines: rounding, in another order.
TOLERANCE = 1e-12
#: Differences of numbers that cancel are measured by the largest value of the variable.
CANCELLED = 1e-14


def complete(equations: str, *, last: float = 2, step: float = 0.25) -> str:
    """A model from equations, one a line, with its control variables."""
    lines = [line.strip() for line in equations.strip().splitlines() if line.strip()]
    lines += ["INITIAL TIME = 0", f"FINAL TIME = {last}", f"TIME STEP = {step}", "SAVEPER = 1"]
    return "{UTF-8}\n" + "\n".join(f"{line}\n\t~ 1 ~ |" for line in lines) + "\n"


def parse(text, folder):
    """PySD's abstract model of a text."""
    model = abstract_model(text, "own.mdl", Path(folder) / "model.mdl")
    for item in model.sections[0].subscripts:
        if isinstance(item.subscripts, str):
            # PySD's builder adds to a list that all models of a process share.
            item.mapping = []
    return model


def graph_of(text):
    """The text as the array engine's graph."""
    with tempfile.TemporaryDirectory() as folder:
        return lower(parse(text, folder), "own.mdl")


def simulated(graph, names, inputs, *, span, step, every=None, varying=frozenset(), number=1):
    """Variables of a graph at every step, the step first and the members last where there are any.

    Parameters
    ----------
    graph : Graph
        A model.
    names : sequence of str
        Plain names of the variables.
    inputs : list
        Value of each constant, with the members last where it varies.
    span, step : (float, float), float
        First and last time, and Euler step.
    every : float, optional
        Time between saved rows as the model reads it; the step by default.
    varying : frozenset of str
        Constants with members.
    number : int
        Members.
    """
    run = build(graph, varying, names, "own.mdl")
    state = State(run, inputs, number, step, span, every=every or step)
    rows = round((span[1] - span[0]) / step) + 1
    out = []
    for name in names:
        member = (number,) if run.traits.member(graph.variables[name]) else ()
        out.append(np.full((rows, *graph.shape(graph.dims[name]), *member), np.nan))
    state.begin("own.mdl")
    for row in range(rows):
        state.show(out, row)
        if row < rows - 1:
            state.step()
    return out


def by_arrays(text, *, span, step):
    """Every variable at every step, by plain name."""
    graph = graph_of(text)
    names = list(graph.variables)
    found = simulated(graph, names, list(graph.defaults), span=span, step=step)
    labels = graph.ranges.members
    return {
        name: xr.DataArray(
            values,
            [("row", range(len(values)))]
            + [(f"d{at}", list(labels[dim])) for at, dim in enumerate(graph.dims[name])],
        )
        for name, values in zip(names, found, strict=True)
    }


def by_pysd(text, *, step):
    """The same by PySD's own builder; span and step as the model says."""
    from pysd.builders.python.python_model_builder import ModelBuilder

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.printoptions(precision=DIGITS, floatmode="maxprec"):
            ModelBuilder(parse(text, folder)).build_model()
        model = _load(str(Path(folder) / "model.py"))
        names = [name for name in model.doc["Real Name"] if _is_variable(model, name)]
        with np.errstate(all="ignore"):
            table = model.run(return_columns=names, saveper=step, flatten_output=False)
    return {plain(name): _stacked(table[name]) for name in names}


def _is_variable(model, name):
    kind = model.doc.set_index("Real Name").loc[name, "Type"]
    return name != "Time" and kind != "Lookup"


def _stacked(column):
    rows = [np.asarray(getattr(cell, "values", cell), dtype=float) for cell in column]
    first = column.iloc[0]
    axes = [("row", range(len(rows)))]
    if isinstance(first, xr.DataArray):
        axes += [
            (f"d{at}", [str(label) for label in first[dim].values])
            for at, dim in enumerate(first.dims)
        ]
    return xr.DataArray(np.stack(rows), axes)


def controls(text):
    """First and last time and step that a model gives itself."""
    values = {}
    for name in ("INITIAL TIME", "FINAL TIME", "TIME STEP"):
        values[name] = float(text.split(f"\n{name} =")[1].split("~")[0])
    return (values["INITIAL TIME"], values["FINAL TIME"]), values["TIME STEP"]


def differences(text):
    """Largest relative difference of each variable between the two engines.

    Labels that PySD does not have are cells without an equation; they must be undefined.
    """
    span, step = controls(text)
    arrays = by_arrays(text, span=span, step=step)
    oracle = by_pysd(text, step=step)
    assert set(arrays) == set(oracle), set(arrays) ^ set(oracle)
    found = {}
    for name, theirs in oracle.items():
        # PySD cuts a range of one member down to that member.
        given = arrays[name].squeeze([d for d, n in arrays[name].sizes.items() if n == 1])
        expected = theirs.squeeze([d for d, n in theirs.sizes.items() if n == 1], drop=True)
        given = given.rename(dict(zip(given.dims, expected.dims, strict=True)))
        given = given.sel({dim: expected[dim].values for dim in expected.dims})
        a, b = given.values, expected.values
        assert a.shape == b.shape, name
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        scale = np.maximum(np.abs(b), np.nanmax(np.abs(b), initial=0.0) * CANCELLED / TOLERANCE)
        with np.errstate(all="ignore"):
            found[name] = float(np.max(np.where(same, 0.0, np.abs(a - b) / scale), initial=0.0))
            if np.isnan(np.where(same, 0.0, np.abs(a - b))).any():
                found[name] = float("inf")
    return found
