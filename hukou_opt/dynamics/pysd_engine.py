"""The reference engine: the Vensim model, run by PySD with its traps blocked.

PySD binds arrays by position, accepts NaN, lets parameters overwrite stocks and carries them into
later runs. Here arrays are aligned by label, only declared constants can be set, every run starts
from a module loaded afresh, and every saved value is checked.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hukou_opt.dynamics.accept import Variable, accepted
from hukou_opt.dynamics.engine import Constant, Trajectory
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Decisions
from hukou_opt.dynamics.inputs import DEFINITIONS
from hukou_opt.dynamics.labels import not_finite
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.dynamics.parse import import_pysd
from hukou_opt.dynamics.render import year_subscript
from hukou_opt.dynamics.translate import translate
from hukou_opt.dynamics.unit_text import displayed
from hukou_opt.errors import Fault, ModelError, did_you_mean

#: Steps that are binary fractions of a year add up exactly; others drift and lose saved rows.
TIME_STEPS = tuple(2.0**-power for power in range(7))
#: Constants of the model that the toolkit writes itself when it renders the ranges.
RENDERED = frozenset({"year_end", "stock_year", "region_number"})
#: Quantities that are one by definition.
FIXED = frozenset(DEFINITIONS)
CONTROL = frozenset({"INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER"})


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

    @property
    def identity(self) -> str:
        """SHA-256 of the model's text with the regions and years in use."""
        return self._translation.identity

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the constants that may be set, decisions included."""
        return settable(self.variables)

    def reset(self, constants: Mapping[str, Constant]) -> None:
        """Set the constants of the runs to come; nothing of earlier runs remains.

        Parameters
        ----------
        constants : mapping of str to float or DataArray
            Constants by name; arrays labelled by region code, year and so on.

        Raises
        ------
        ModelError
            With every unknown name, attempt to overwrite what the model computes, label that does
            not fit, and value that is not finite.
        """
        self._constants = self._accepted(constants)

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
        values = self._constants | self._accepted(decision_constants(decisions))
        wanted = list(dict.fromkeys(columns if columns is not None else OUTPUTS))
        unknown = [name for name in wanted if name not in self.variables]
        if unknown:
            raise ModelError(
                [
                    Fault(
                        f"{self._name}: {name}",
                        "is not in the model",
                        did_you_mean(name, list(self.variables)),
                    )
                    for name in unknown
                ]
            )
        model = self._loaded()
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
                params=values,
                return_columns=wanted,
                time_step=self.time_step,
                saveper=1,
                flatten_output=False,
            )
        return Trajectory(self._labelled(table, wanted), self.time_step, self.identity)

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

    def _labelled(self, table: Any, wanted: Sequence[str]) -> xr.Dataset:
        """Arrays by year from PySD's table of arrays, each checked for values not finite."""
        years = [self.years[0] - 1, *self.years]
        if [float(time) for time in table.index] != [float(year) for year in years]:
            raise ModelError(
                Fault(self._name, f"saved the times {list(table.index)!r}", "keep SAVEPER at 1")
            )
        arrays, faults = {}, []
        for name in wanted:
            variable = self.variables[name]
            cells = [np.asarray(cell, dtype=float) for cell in table[name]]
            shape = tuple(len(self._labels[dim]) for dim in variable.dims)
            values = np.stack([np.broadcast_to(cell, shape) for cell in cells])
            coords: dict[str, list[Hashable]] = {"year": list(years)}
            coords |= {dim: self._labels[dim] for dim in variable.dims}
            array = xr.DataArray(
                values, coords, ("year", *variable.dims), attrs={"unit": variable.unit}
            )
            faults += not_finite(f"{self._name}: {name}", array)
            arrays[name] = array
        if faults:
            raise ModelError(
                [
                    Fault(f.where, f.what, "look at its inputs in that region and year")
                    for f in faults
                ]
            )
        return xr.Dataset(arrays)


def check_time(years: Sequence[int], time_step: float) -> None:
    """Refuse years with gaps, and steps that drift.

    Raises
    ------
    ModelError
        If the years are not consecutive or the step is no binary fraction of a year.
    """
    faults = []
    if not years or tuple(years) != tuple(range(years[0], years[-1] + 1)):
        faults.append(Fault("years", f"are not consecutive ({tuple(years)!r})", "leave no gap"))
    if time_step not in TIME_STEPS:
        faults.append(
            Fault(
                "time_step",
                f"is no binary fraction of a year ({time_step!r})",
                f"give one of {', '.join(f'{step:g}' for step in TIME_STEPS)}",
            )
        )
    if faults:
        raise ModelError(faults)


def settable(variables: Mapping[str, Variable]) -> tuple[str, ...]:
    """Names of the constants that may be set, decisions included."""
    return tuple(
        name
        for name, variable in variables.items()
        if variable.kind == "Constant" and name not in RENDERED | CONTROL | FIXED
    )


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


def decision_constants(decisions: Decisions) -> dict[str, Constant]:
    """Decisions under the names that the model gives them.

    Raises
    ------
    ModelError
        If areas or services are not those of the model, or a decision is negative or a share above
        one.
    """
    faults = []
    for dim, expected in (("area", AREAS), ("service", SERVICES)):
        have = [str(label) for label in decisions.starts[dim].values]
        if sorted(have) != sorted(expected):
            faults.append(Fault("decisions.starts", f"has {dim} {have!r}", f"give {expected!r}"))
    for name, array, high in (
        ("starts", decisions.starts, math.inf),
        ("temporary_places", decisions.temporary_places, math.inf),
        ("bonds", decisions.bonds, math.inf),
        ("funded_share", decisions.funded_share, 1.0),
    ):
        if bool((array < 0).any()) or bool((array > high).any()):
            extreme = float(array.min()) if bool((array < 0).any()) else float(array.max())
            faults.append(
                Fault(f"decisions.{name}", f"is out of range ({extreme!r})", f"give 0 to {high:g}")
            )
    if faults:
        raise ModelError(faults)
    constants: dict[str, Constant] = {
        f"starts_{area}_{service}": decisions.starts.sel(area=area, service=service, drop=True)
        for area in AREAS
        for service in SERVICES
    }
    constants["temporary_places"] = decisions.temporary_places
    constants["funded_share"] = decisions.funded_share
    constants["bonds"] = decisions.bonds
    return constants
