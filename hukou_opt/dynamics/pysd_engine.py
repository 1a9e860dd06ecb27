"""The reference engine: the Vensim model, run by PySD with its traps blocked.

PySD binds arrays by position, accepts NaN, lets parameters overwrite stocks and carries them into
later runs. Here arrays are aligned by label, only declared constants can be set, every run starts
from a module loaded afresh, and every saved value is checked.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hukou_opt.dynamics.accept import Variable, accepted
from hukou_opt.dynamics.agenda import Agenda
from hukou_opt.dynamics.engine import Constant, Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import decision_constants
from hukou_opt.dynamics.labelled import labelled
from hukou_opt.dynamics.limits import check_end, check_time, settable, wanted
from hukou_opt.dynamics.parse import import_pysd
from hukou_opt.dynamics.render import year_subscript
from hukou_opt.dynamics.translate import translate
from hukou_opt.dynamics.unit_text import displayed
from hukou_opt.errors import Fault, ModelError


class PysdEngine:
    """The stock-flow model run by PySD.

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
    ModelError
        If the model cannot be translated safely, or years or step do not fit.
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
        self._translation = translate(Path(model_path), self.codes, self.years, trust=trust)
        subscripts = self._translation.subscripts
        base = self.years[0] - 1
        self._labels: dict[str, list[Hashable]] = {
            "region": list(self.codes),
            "dest": list(self.codes),
            "orig": list(self.codes),
            "year": list(self.years),
            "year0": [base, *self.years],
        }
        self._subscripts: dict[str, list[str]] = {
            dim: list(subscripts.values()) for dim in ("region", "dest", "orig")
        } | {
            "year": [year_subscript(year) for year in self.years],
            "year0": [year_subscript(year) for year in (base, *self.years)],
        }
        self.variables = self._declared()
        self._constants: dict[str, float | xr.DataArray] = {}
        #: Constants as they were set, by label.
        self.given: dict[str, Constant] = {}
        self._columns: list[str] = []
        self._back_to_start()

    @property
    def identity(self) -> str:
        """SHA-256 of the model's text with the regions and years in use."""
        return self._translation.identity

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the constants that may be set, decisions included."""
        return settable(self.variables)

    @property
    def now(self) -> int:
        """Year whose end has been reached; the base year after a reset."""
        return self._now

    def reset(
        self, constants: Mapping[str, Constant], columns: Sequence[str] | None = None
    ) -> None:
        """Set the constants of the runs to come and go back to the base year.

        Parameters
        ----------
        constants : mapping of str to float or DataArray
            Constants by name; arrays labelled by region code, year and so on.
        columns : sequence of str, optional
            Variables that are observed and collected year by year; all that the toolkit reads by
            default.

        Raises
        ------
        ModelError
            With every unknown name, attempt to overwrite what the model computes, label that does
            not fit, and value that is not finite.
        """
        self._constants = self._accepted(constants)
        self.given = dict(constants)
        self._columns = wanted(self._name, self.variables, columns) if columns else []
        self._back_to_start()

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate from the base year to the last year.

        Parameters
        ----------
        decisions : Decisions
            For exactly the engine's regions and years.
        columns : sequence of str, optional
            Variables to return; by default all that the toolkit reads.

        Raises
        ------
        ModelError
            If decisions do not fit the model, a variable is unknown, or a value is not finite.
        """
        names = wanted(self._name, self.variables, columns)
        values = self._constants | self._accepted(decision_constants(decisions))
        rows = self._rows(self._loaded(), values, names, "original", self.years[-1])
        return Trajectory(self._labelled(rows, names), self.time_step, self.identity)

    # Year by year

    def restart(self) -> None:
        """Go back to the base year, with the constants that are set and nothing decided."""
        self._back_to_start()

    def _back_to_start(self) -> None:
        self._now = self.years[0] - 1
        self._agenda = Agenda(self.codes, self.years)
        self._model: Any = None
        self._past: dict[int, dict[str, Any]] = {}
        self._present: dict[str, Any] | None = None

    def observe(self) -> xr.Dataset:
        """Variables at the year's end that has been reached.

        Rates are those under the decisions that had been taken when the year was reached.
        """
        names = self._columns or wanted(self._name, self.variables, None)
        if self._present is None:
            # Another copy of the model: its start must not use up the start of this one.
            values = self._constants | self._accepted(decision_constants(self._agenda.decisions))
            rows = self._rows(self._loaded(), values, names, "original", self.years[0])
            self._present = rows[self._now]
        return self._labelled({self._now: self._present}, names).isel(year=0)

    def act(self, decisions: Decisions) -> None:
        """Decide for years that are not past.

        Parameters
        ----------
        decisions : Decisions
            For the engine's regions and for some years after the one that has been reached.

        Raises
        ------
        ModelError
            If a year is past or beyond the run, or a decision is out of range.
        """
        decision_constants(decisions)
        self._agenda.put(decisions, self._now)

    def advance(self, years: int = 1) -> None:
        """Simulate some years on.

        Raises
        ------
        ModelError
            If the end of the run lies before.
        """
        end = self._now + years
        check_end(self._now, end, self.years)
        names = self._columns or wanted(self._name, self.variables, None)
        values = self._constants | self._accepted(decision_constants(self._agenda.decisions))
        start = "original" if self._model is None else "current"
        if self._model is None:
            self._model = self._loaded()
        rows = self._rows(self._model, values, names, start, end)
        self._present = rows.pop(end)
        self._past |= rows
        self._now = end

    def collect(self) -> Trajectory:
        """The path from the base year to the year that has been reached."""
        names = self._columns or wanted(self._name, self.variables, None)
        self.observe()
        rows = {**self._past, self._now: self._present}
        return Trajectory(self._labelled(rows, names), self.time_step, self.identity)

    def _rows(
        self, model: Any, values: Mapping[str, Any], names: Sequence[str], start: str, end: int
    ) -> dict[int, Any]:
        """Values at year ends, by year, of one call of PySD."""
        with (
            warnings.catch_warnings(),
            # Operands of one model carry the same labels: exact is both stricter and faster.
            xr.set_options(arithmetic_join="exact"),  # type: ignore[no-untyped-call]
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore", RuntimeWarning)
            # PySD calls pandas in ways that pandas will give up; the pinned versions agree.
            warnings.simplefilter("ignore", DeprecationWarning)
            table = model.run(
                params=dict(values),
                return_columns=list(names),
                initial_condition=start,
                final_time=end,
                time_step=self.time_step,
                saveper=1,
                flatten_output=False,
            )
        first = end if start == "current" and len(table) == 1 else end - len(table) + 1
        if [float(time) for time in table.index] != [float(year) for year in range(first, end + 1)]:
            raise ModelError(
                Fault(self._name, f"saved the times {list(table.index)!r}", "keep SAVEPER at 1")
            )
        return {
            year: {name: table[name].iloc[at] for name in names}
            for at, year in enumerate(range(first, end + 1))
        }

    def _loaded(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return _load(str(self._translation.module))

    def _declared(self) -> dict[str, Variable]:
        model = self._loaded()
        variables: dict[str, Variable] = {}
        for row in model.doc.to_dict("records"):
            name, unit, dims = row["Real Name"], row["Units"], tuple(row["Subscripts"] or ())
            # A constant declared unchangeable must not look as if it could be set.
            fixed = row["Subtype"] == "Unchangeable"
            kind = "Fixed" if fixed else str(row["Type"])
            shown = displayed(unit) if isinstance(unit, str) else "1"
            variables[name] = Variable(name, shown, kind, dims)
            for dim in dims:
                if dim not in self._subscripts:
                    # A range that is no region or year range keeps the model's own labels.
                    entries = list(model.components._subscript_dict[dim])
                    self._labels[dim], self._subscripts[dim] = list(entries), entries
        return variables

    def _accepted(self, constants: Mapping[str, Constant]) -> dict[str, float | xr.DataArray]:
        found = accepted(self._name, self.variables, self.constants, self._labels, constants)
        return {
            name: self._in_model_terms(value) if isinstance(value, xr.DataArray) else value
            for name, value in found.items()
        }

    def _in_model_terms(self, array: xr.DataArray) -> xr.DataArray:
        coords = {str(dim): self._subscripts[str(dim)] for dim in array.dims}
        return xr.DataArray(array.values.copy(), coords=coords, dims=array.dims)

    def _labelled(self, rows: Mapping[int, Any], names: Sequence[str]) -> xr.Dataset:
        """Arrays by year from rows of arrays, each checked for values not finite."""
        years = sorted(rows)

        def values(name: str) -> Any:
            shape = tuple(len(self._labels[dim]) for dim in self.variables[name].dims)
            cells = [np.asarray(rows[year][name], dtype=float) for year in years]
            return np.stack([np.broadcast_to(cell, shape) for cell in cells])

        found = ((self.variables[name], values(name)) for name in names)
        return labelled(self._name, found, self._labels, years)


def _load(module: str) -> Any:
    """Load a translated model, with sums that take a single number.

    PySD cuts a range of one member down to that member, and its sum over a dimension then meets a
    plain number: the number is the sum. A loaded module keeps the function that it was loaded with.
    """
    pysd = import_pysd()
    from pysd.py_backend import functions

    over_arrays = functions.sum

    def of_anything(x: Any, dim: Any = None) -> Any:
        return over_arrays(x, dim=dim) if isinstance(x, xr.DataArray) else float(x)

    functions.sum = of_anything
    try:
        return pysd.load(module)
    finally:
        functions.sum = over_arrays
