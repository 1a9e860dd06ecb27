"""Single equations of the model, evaluated on the states that a run went through.

A loop check needs one equation at a time, with every input but one held. The stocks come from a
run of the model; everything else follows from them by the equations, as arrays over all saved
times. That this gives what the run itself saved is checked for every run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import decision_constants, model_constants
from hukou_opt.dynamics.labels import aligned
from hukou_opt.dynamics.parse import plain
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.render import render, subscripts_for
from hukou_opt.dynamics.validation.parsed import (
    Equations,
    children,
    kind,
    number,
    parse_equations,
    written,
)
from hukou_opt.errors import Fault, ModelError
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import BaseYear

#: Values over saved times (first axis; of length one where they never change) and subscripts.
Array = NDArray[np.float64]
#: Marks a subscript that a function such as SUM() runs over.
BOUND = "!"
#: Largest difference, relative to its size, between a variable of the run and the same computed
#: here.
AGREEMENT = 1e-9
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": np.minimum,
    "max": np.maximum,
    "abs": np.abs,
    "exp": np.exp,
    "ln": np.log,
    "sqrt": np.sqrt,
    "if_then_else": np.where,
}
OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "=": np.equal,
    "<>": np.not_equal,
    ":AND:": np.logical_and,
    ":OR:": np.logical_or,
}


class State:
    """All variables of a model at the saved times of one run.

    Parameters
    ----------
    equations : Equations
        The model, parsed with the run's regions and years.
    stocks : mapping of str to array
        Stocks by plain name, first axis time, then the subscripts in the model's order.
    constants : mapping of str to array
        Constants that the run set, by plain name, first axis of length one.
    times : array
        Model times of the saved states; the first is the start.
    time_step : float
        Euler step of the run, years.
    """

    def __init__(
        self,
        equations: Equations,
        stocks: Mapping[str, Array],
        constants: Mapping[str, Array],
        times: Array,
        time_step: float,
    ) -> None:
        self.equations = equations
        self.times = times
        self._stocks = dict(stocks)
        self._constants = dict(constants)
        self._time_step = time_step
        self._clock = {
            "time": times.astype(float),
            "initial_time": times[:1].astype(float),
            "time_step": np.array([time_step]),
        }
        self._known: dict[str, Array] = {**self._clock, **self._stocks, **self._constants}

    def with_constants(self, values: Mapping[str, float]) -> State:
        """The same stocks under other values of constants without subscripts.

        Raises
        ------
        ModelError
            If a name is no constant of the model without subscripts.
        """
        faults = []
        for name in values:
            equation = self.equations.by_name.get(plain(name))
            if equation is None or not equation.is_datum or equation.dims:
                faults.append(
                    Fault(
                        name,
                        "is no constant of the model that is one number",
                        "name a constant without subscripts",
                    )
                )
        if faults:
            raise ModelError(faults)
        changed = {plain(name): np.array([float(value)]) for name, value in values.items()}
        constants = self._constants | changed
        return State(self.equations, self._stocks, constants, self.times, self._time_step)

    def value(self, name: str) -> Array:
        """A variable at all saved times, computed from the stocks where it is none.

        Raises
        ------
        ModelError
            If the variable is not in the model, or its equation cannot be evaluated.
        """
        key = plain(name)
        if key not in self._known:
            if key not in self.equations.by_name:
                raise ModelError(Fault(name, "is not in the model", "use a name of the model file"))
            if self.equations.by_name[key].is_stock:
                raise ModelError(Fault(name, "is a stock that was not saved", "save all stocks"))
            self._known[key] = self.evaluate(key)
        return self._known[key]

    def evaluate(self, name: str, replaced: Mapping[str, Array] | None = None) -> Array:
        """Right-hand side of one equation, with some of its inputs replaced.

        Parameters
        ----------
        name : str
            Variable; for a stock its flow is evaluated.
        replaced : mapping of str to array, optional
            Values of direct inputs, by plain name; all others keep theirs.

        Returns
        -------
        array
            First axis time, then the variable's subscripts.

        Raises
        ------
        ModelError
            If the equation uses what cannot be evaluated here.
        """
        equation = self.equations.by_name[plain(name)]
        if len(equation.parts) != 1:
            raise ModelError(
                Fault(name, "has several equations", "write one equation for all subscripts")
            )
        with np.errstate(all="ignore"):
            return _Evaluation(self, equation.name, equation.dims, replaced or {}).result(
                equation.parts[0]
            )

    def residual(self, name: str, saved: Array) -> float:
        """Largest difference between a variable and what the run saved, relative to its size."""
        computed = np.broadcast_to(self.value(name), saved.shape)
        scale = float(np.max(np.abs(saved), initial=0.0))
        difference = float(np.max(np.abs(computed - saved), initial=0.0))
        return difference / scale if scale else difference


class _Evaluation:
    """One evaluation of one right-hand side.

    Every array has an axis for time and one for each subscript that the equation names, in one
    fixed order and of length one where it does not vary, so that NumPy aligns them by itself.
    """

    def __init__(
        self, state: State, name: str, dims: tuple[str, ...], replaced: Mapping[str, Array]
    ) -> None:
        self._state = state
        self._name = name
        self._dims = dims
        self._replaced = replaced
        self._members = state.equations.members
        self._axes: list[str] = []

    def result(self, tree: Any) -> Array:
        tree = tree.flow if kind(tree) == "IntegStructure" else tree
        if isinstance(tree, np.ndarray):
            return np.asarray(tree, dtype=float)[None, ...]
        self._axes = sorted(set(self._dims) | self._labels(tree))
        values = np.asarray(self._of(tree), dtype=float)
        sizes = [len(self._members[dim]) for dim in self._dims]
        if not values.ndim:
            return np.full((1, *sizes), float(values))
        left = [axis for axis in self._axes if axis in self._dims]
        over = tuple(1 + at for at, axis in enumerate(self._axes) if axis not in self._dims)
        values = np.squeeze(values, axis=over)
        values = values.transpose(0, *(1 + left.index(dim) for dim in self._dims))
        return np.broadcast_to(values, (values.shape[0], *sizes))

    def _refuse(self, node: Any, why: str) -> ModelError:
        return ModelError(
            Fault(
                f"{self._name}: {written(node)}",
                f"cannot be evaluated ({why})",
                "write it with the functions that the model uses elsewhere",
            )
        )

    def _labels(self, node: Any) -> set[str]:
        if kind(node) == "ReferenceStructure":
            names = node.subscripts.subscripts if node.subscripts else ()
            return {name for name in names if name.rstrip(BOUND) in self._members}
        return {label for child in children(node) for label in self._labels(child)}

    def _of(self, node: Any) -> Any:
        name = kind(node)
        value = number(node)
        if value is not None:
            return value
        if name == "ReferenceStructure":
            return self._reference(node)
        if name in ("ArithmeticStructure", "LogicStructure"):
            if node.operators == ["negative"]:
                return -self._of(node.arguments[0])
            result = self._of(node.arguments[0])
            for sign, each in zip(node.operators, node.arguments[1:], strict=True):
                if sign not in OPERATORS:
                    raise self._refuse(node, f"operator {sign}")
                result = OPERATORS[sign](result, self._of(each))
            return result
        if name == "InitialStructure":
            initial = self._of(node.initial)
            return initial[:1] if np.ndim(initial) else initial
        if name == "CallStructure":
            return self._call(node)
        raise self._refuse(node, name)

    def _call(self, node: Any) -> Any:
        function = plain(node.function.reference)
        if function == "sum":
            over = {label for label in self._labels(node) if label.endswith(BOUND)}
            axes = tuple(1 + self._axes.index(label) for label in over)
            return np.sum(self._of(node.arguments[0]), axis=axes, keepdims=True)
        if function not in FUNCTIONS:
            raise self._refuse(node, f"function {function!r}")
        return FUNCTIONS[function](*(self._of(each) for each in node.arguments))

    def _reference(self, node: Any) -> Array:
        key = plain(node.reference)
        values = self._replaced[key] if key in self._replaced else self._state.value(key)
        subscripts = node.subscripts.subscripts if node.subscripts else ()
        equation = self._state.equations.by_name.get(key)
        dims = equation.dims if equation else ()
        labels: list[str] = []
        for dim, subscript in zip(dims, subscripts, strict=True):
            have, axis = self._members[dim], 1 + len(labels)
            if subscript.rstrip(BOUND) not in self._members:
                values = np.take(values, have.index(subscript), axis=axis)
                continue
            wanted = self._members[subscript.rstrip(BOUND)]
            if wanted != have:
                values = np.take(values, [have.index(each) for each in wanted], axis=axis)
            if subscript in labels:
                raise self._refuse(node, f"subscript {subscript!r} twice")
            labels.append(subscript)
        order = sorted(range(len(labels)), key=lambda at: labels[at])
        values = values.transpose(0, *(1 + at for at in order))
        shape = dict(zip((labels[at] for at in order), values.shape[1:], strict=True))
        return values.reshape(values.shape[0], *(shape.get(axis, 1) for axis in self._axes))


def states_of_run(
    base: BaseYear,
    parameters: Parameters,
    decisions: Decisions,
    *,
    path: Path,
    compared: Collection[str],
    time_step: float,
    trust: bool,
) -> State:
    """Run the model with the reform, and keep the states that it went through.

    Parameters
    ----------
    base, parameters, decisions : BaseYear, Parameters, Decisions
        What the run is made of; the decisions' years are those of the run.
    path : Path
        Model file.
    compared : collection of str
        Variables that are computed here and compared with the run's own.
    time_step : float
        Euler step, years.
    trust : bool
        Accept a model that does not ship with the toolkit.

    Raises
    ------
    ModelError
        If the model cannot be run, or the equations evaluated here differ from the run.
    """
    years = [int(year) for year in decisions.starts["year"].values]
    engine = PysdEngine(path, base.codes, years, time_step=time_step, trust=trust)
    constants = model_constants(base, parameters, reform=True)
    engine.reset(constants)
    text = render(path, list(subscripts_for(base.codes).values()), years)
    equations = parse_equations(text, path.name)
    stocks = [each.name for each in equations.by_name.values() if each.is_stock]
    # A variable by year has no room for the years of the run in one table.
    others = [
        equation.name
        for name in sorted(compared)
        if (equation := equations.by_name.get(plain(name))) is not None
        and not (equation.is_datum or equation.is_stock or {"year", "year0"} & set(equation.dims))
    ]
    run = engine.run(decisions, [*stocks, *others]).data
    labels: dict[str, list[Hashable]] = {
        dim: list(members) for dim, members in equations.members.items()
    }
    labels |= {dim: list(base.codes) for dim in ("region", "dest", "orig")}
    labels |= {"year": list(years), "year0": [years[0] - 1, *years]}
    state = State(
        equations,
        {plain(name): run[name].values for name in stocks},
        {
            plain(name): _constant(name, value, equations, labels)
            for name, value in (constants | decision_constants(decisions)).items()
        },
        run["year"].values.astype(float),
        time_step,
    )
    faults = []
    for name in others:
        difference = state.residual(name, run[name].values)
        # Written so that a difference that is no number is a fault.
        if not difference <= AGREEMENT:
            faults.append(
                Fault(
                    f"{path.name}: {name}",
                    f"differs from the run when evaluated alone (by {difference:.2g})",
                    "do not use this check; its evaluation does not follow the model",
                )
            )
    if faults:
        raise ModelError(faults)
    return state


def _constant(
    name: str, value: Constant, equations: Equations, labels: Mapping[str, list[Hashable]]
) -> Array:
    dims = equations.by_name[plain(name)].dims
    if isinstance(value, (int, float)):
        return np.array([float(value)])
    array, faults = aligned(name, value, dims, labels)
    if array is None:
        raise ModelError(faults)
    return np.asarray(array.values, dtype=float)[None, ...]
