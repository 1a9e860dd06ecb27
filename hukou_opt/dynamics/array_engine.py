"""The fast engine: the same Vensim file as NumPy code, for one run or a thousand at once.

Timing, labels and refusals are those of the reference engine. Parameters and decisions may carry a
dimension ``member``: all members are then simulated together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hukou_opt.dynamics.accept import MEMBER, Variable, accepted
from hukou_opt.dynamics.array_steps import Prepared, Steps
from hukou_opt.dynamics.compiler.lower import lower
from hukou_opt.dynamics.compiler.program import Run, build
from hukou_opt.dynamics.compiler.state import State
from hukou_opt.dynamics.compiler.trees import is_datum, is_holding
from hukou_opt.dynamics.engine import Constant, Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import decision_constants
from hukou_opt.dynamics.labelled import YEAR, labelled
from hukou_opt.dynamics.limits import check_time, settable, wanted
from hukou_opt.dynamics.outputs import OUTPUTS, outputs_of
from hukou_opt.dynamics.parse import parsed, plain
from hukou_opt.dynamics.unit_text import displayed
from hukou_opt.errors import Fault, ModelError

Array = NDArray[np.float64]
#: Members that are run together: a matrix over regions and members should stay in the cache.
BLOCK_BYTES = 1_000_000
FLOAT_BYTES = 8


class ArrayEngine:
    """The stock-flow model as arrays.

    Parameters
    ----------
    model_path : Path
        Vensim model file; read at construction, never written to.
    codes : sequence of str
        Region codes.
    years : sequence of int
        Consecutive calendar years from the base year's successor to the end of the run.
    time_step : float, optional
        Euler step in years, a binary fraction (1, 1/2, 1/4, ...).
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Raises
    ------
    UnsupportedError
        If the model uses what this engine does not know; PySD can run it.
    ModelError
        If the model cannot be read safely, or years or step do not fit.
    """

    def __init__(
        self,
        model_path: Path,
        codes: Sequence[str],
        years: Sequence[int],
        *,
        time_step: float = 0.25,
        trust: bool = False,
    ) -> None:
        self.codes = tuple(str(code) for code in codes)
        self.years = tuple(int(year) for year in years)
        self.time_step = float(time_step)
        check_time(self.years, self.time_step)
        self._name = Path(model_path).name
        model = parsed(Path(model_path), self.codes, self.years, trust=trust)
        self.identity = model.identity
        self._graph = lower(model.tree, self._name)
        section = model.tree.sections[0]
        base = self.years[0] - 1
        self._labels: dict[str, list[Hashable]] = {
            item.name: list(item.subscripts)
            for item in section.subscripts
            if not isinstance(item.subscripts, str)
        }
        self._labels |= {
            item.name: self._labels[item.subscripts]
            for item in section.subscripts
            if isinstance(item.subscripts, str) and item.subscripts in self._labels
        }
        self._labels |= {dim: list(self.codes) for dim in ("region", "dest", "orig")}
        self._labels |= {"year": list(self.years), "year0": [base, *self.years]}
        self.variables: dict[str, Variable] = {}
        self._keys: dict[str, str] = {}
        for element in section.elements:
            key = plain(element.name)
            node = self._graph.variables.get(key)
            if node is None:
                continue
            kind = _kind(element)
            if type(element.components[0]).__name__ == "AbstractUnchangeableConstant":
                kind = "Fixed"
            unit = displayed((element.units or "").strip() or "1")
            self.variables[element.name] = Variable(element.name, unit, kind, self._graph.dims[key])
            self._keys[element.name] = key
        self._set: dict[str, float | xr.DataArray] = {}
        self._members: list[Hashable] | None = None
        self._runs: dict[tuple[frozenset[str], tuple[str, ...]], Run] = {}
        self._columns: list[str] = []
        self.restart()

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the constants that may be set, decisions included."""
        return settable(self.variables)

    @property
    def members(self) -> tuple[Hashable, ...]:
        """Labels of the members that the constants set carry; empty for a single run."""
        return tuple(self._members or ())

    def reset(
        self, constants: Mapping[str, Constant], columns: Sequence[str] | None = None
    ) -> None:
        """Set the constants of the runs to come and go back to the base year.

        Parameters
        ----------
        constants : mapping of str to float or DataArray
            Constants by name; arrays labelled by region code, year and so on, and by ``member``
            where they differ between the runs of an ensemble.
        columns : sequence of str, optional
            Variables that are observed and collected year by year; all that the toolkit reads by
            default.

        Raises
        ------
        ModelError
            With every unknown name, attempt to overwrite what the model computes, label that does
            not fit, value that is not finite, and member axis that differs from the others.
        """
        members = _members(constants)
        self._set = accepted(
            self._name, self.variables, self.constants, self._labels, constants, members=members
        )
        self._members = members
        self._columns = self._wanted(columns) if columns else []
        self.restart()

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate from the base year to the last year.

        Parameters
        ----------
        decisions : Decisions
            For exactly the engine's regions and years, with or without ``member``.
        columns : sequence of str, optional
            Variables to return; by default all that the toolkit reads.

        Raises
        ------
        ModelError
            If decisions do not fit the model, a variable is unknown, or a value is not finite.
        """
        names = self._wanted(columns)
        prepared = self._prepared(decisions, names)
        rows = len(self.years) + 1
        out = [
            np.empty((rows, *shape, prepared.number) if member else (rows, *shape))
            for shape, member in prepared.room
        ]
        for block in self._blocks(prepared.number):
            part = [
                value[..., block] if name in prepared.run.varying else value
                for name, value in zip(self._graph.inputs, prepared.inputs, strict=True)
            ]
            here = [
                each[..., block] if member else each
                for each, (_, member) in zip(out, prepared.room, strict=True)
            ]
            self._simulate(prepared.run, part, block.stop - block.start, here)
        years = [self.years[0] - 1, *self.years]
        data = self._labelled(names, out, prepared, years)
        return Trajectory(data, self.time_step, self.identity)

    # Year by year

    @property
    def now(self) -> int:
        """Year whose end has been reached; the base year after a reset."""
        return self._steps.now

    def restart(self) -> None:
        """Go back to the base year, with the constants that are set and nothing decided."""
        names = self._columns
        self._steps = Steps(
            self._name,
            self.codes,
            self.years,
            self.time_step,
            lambda decisions: self._prepared(decisions, names or self._wanted(None)),
        )

    def change(self, constants: Mapping[str, Constant]) -> None:
        """Other constants from the year that has been reached on; stocks stay as they are.

        What the model has computed of its constants at the start (INITIAL) stays too. `restart`
        goes back to the base year with the changed constants: `reset` sets them anew.

        Parameters
        ----------
        constants : mapping of str to float or DataArray
            Constants by name, as `reset` takes them; the others keep their values.

        Raises
        ------
        ModelError
            As `reset`; also if members differ from those that run.
        """
        changed = {**self._set, **constants}
        members = _members(changed)
        self._set = self._set | accepted(
            self._name, self.variables, self.constants, self._labels, constants, members=members
        )
        self._members = members

    def observe(self) -> xr.Dataset:
        """Variables at the year's end that has been reached.

        Rates are those under the decisions that had been taken when the year was reached.
        """
        return self._collected(present=True).isel({YEAR: 0})

    def act(self, decisions: Decisions) -> None:
        """Decide for years that are not past.

        Parameters
        ----------
        decisions : Decisions
            For the engine's regions and for some years after the one that has been reached; with
            or without ``member``.

        Raises
        ------
        ModelError
            If a year is past or beyond the run, or a decision is out of range.
        """
        decision_constants(decisions)
        self._steps.agenda.put(decisions, self.now)

    def advance(self, years: int = 1) -> None:
        """Simulate some years on.

        Raises
        ------
        ModelError
            If the end of the run lies before.
        """
        self._steps.advance(years)

    def collect(self) -> Trajectory:
        """The path from the base year to the year that has been reached."""
        return Trajectory(self._collected(present=False), self.time_step, self.identity)

    def _collected(self, *, present: bool) -> xr.Dataset:
        names = self._columns or self._wanted(None)
        prepared, rows = self._steps.rows()
        rows = rows[-1:] if present else rows
        years = list(range(self.now - len(rows) + 1, self.now + 1))
        out = [np.stack([row[at] for row in rows]) for at in range(len(names))]
        return self._labelled(names, out, prepared, years)

    # Preparation

    def _wanted(self, columns: Sequence[str] | None) -> list[str]:
        if columns is None and not set(OUTPUTS) <= set(self.variables):
            # A model of the user's own need not have all that the toolkit reads.
            columns = outputs_of(self.variables)
        names = wanted(self._name, self.variables, columns)
        by_year = [name for name in names if YEAR in self.variables[name].dims]
        if by_year:
            raise ModelError(
                [
                    Fault(
                        f"{self._name}: {name}",
                        f"has a year of its own besides that of the run ({YEAR!r})",
                        "ask for a variable without it",
                    )
                    for name in by_year
                ]
            )
        return names

    def _prepared(self, decisions: Decisions, names: Sequence[str]) -> Prepared:
        """Functions and inputs for some decisions."""
        given = decision_constants(decisions)
        members = _members({**self._set, **given})
        values = self._set | accepted(
            self._name, self.variables, self.constants, self._labels, given, members=members
        )
        inputs, varying = self._inputs(values)
        run = self._run_for(varying, names)
        room = [
            (
                self._graph.shape(self._graph.dims[key]),
                run.traits.member(self._graph.variables[key]),
            )
            for key in (self._keys[name] for name in names)
        ]
        return Prepared(run, inputs, members, room)

    def _inputs(
        self, values: Mapping[str, float | xr.DataArray]
    ) -> tuple[list[Any], frozenset[str]]:
        """Arrays of all constants in the program's order, and which of them vary by member."""
        inputs = list(self._graph.defaults)
        varying = set()
        for name, value in values.items():
            key = self._keys[name]
            if isinstance(value, xr.DataArray):
                inputs[self._graph.inputs[key]] = np.ascontiguousarray(value.values, dtype=float)
                if MEMBER in value.dims:
                    varying.add(key)
            else:
                inputs[self._graph.inputs[key]] = float(value)
        return inputs, frozenset(varying)

    def _run_for(self, varying: frozenset[str], names: Sequence[str]) -> Run:
        shown = tuple(self._keys[name] for name in names)
        if (varying, shown) not in self._runs:
            self._runs[varying, shown] = build(self._graph, varying, shown, self._name)
        return self._runs[varying, shown]

    def _blocks(self, number: int) -> Iterator[slice]:
        """Members in blocks whose largest arrays stay in the processor's cache."""
        largest = max(
            (int(np.prod(self._graph.shape(slot.labels))) for slot in self._graph.stocks),
            default=1,
        )
        size = max(1, BLOCK_BYTES // (largest * FLOAT_BYTES))
        for start in range(0, number, size):
            yield slice(start, min(start + size, number))

    # Simulation

    def _simulate(self, run: Run, inputs: list[Any], number: int, out: list[Array]) -> None:
        """Euler from the first year to the last; results go into `out`, row by row."""
        state = State(run, inputs, number, self.time_step, (self.years[0] - 1, self.years[-1]))
        state.begin(self._name)
        for row in range(len(self.years)):
            state.show(out, row)
            state.advance()
        state.show(out, len(self.years))

    def _labelled(
        self,
        names: Sequence[str],
        out: Sequence[Array],
        prepared: Prepared,
        years: Sequence[int],
    ) -> xr.Dataset:
        found = ((self.variables[name], each) for name, each in zip(names, out, strict=True))
        return labelled(self._name, found, self._labels, years, prepared.members)


def _kind(element: Any) -> str:
    """What PySD calls a variable, after its equations."""
    trees = [part.ast for part in element.components]
    if all(map(is_datum, trees)):
        return "Constant"
    return "Stateful" if any(map(is_holding, trees)) else "Auxiliary"


def _members(constants: Mapping[str, Constant]) -> list[Hashable] | None:
    """Labels of the member axis, one for all; none where no constant varies.

    Raises
    ------
    ModelError
        If arrays have different members.
    """
    found: dict[str, list[Hashable]] = {
        name: value[MEMBER].values.tolist()
        for name, value in constants.items()
        # What was taken out of an ensemble keeps its label, but no axis.
        if isinstance(value, xr.DataArray) and MEMBER in value.dims
    }
    if not found:
        return None
    first, labels = next(iter(found.items()))
    faults = [
        Fault(
            name,
            f"has {len(each)} members, other than the {len(labels)} of {first}",
            "give all arrays the same members, with the same labels",
        )
        for name, each in found.items()
        if sorted(map(str, each)) != sorted(map(str, labels))
    ]
    if not labels:
        faults.append(Fault(first, "has no members (0)", "give at least one"))
    if faults:
        raise ModelError(faults)
    return labels
