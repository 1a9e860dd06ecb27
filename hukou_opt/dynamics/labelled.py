"""Arrays of an engine under their labels, each checked for values that are not finite."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hukou_opt.dynamics.accept import MEMBER, Variable
from hukou_opt.dynamics.labels import not_finite
from hukou_opt.errors import Fault, ModelError

YEAR = "year"


def labelled(
    model: str,
    found: Iterable[tuple[Variable, NDArray[np.float64]]],
    labels: Mapping[str, Sequence[Hashable]],
    years: Sequence[int],
    members: Sequence[Hashable] | None = None,
) -> xr.Dataset:
    """One dataset of a run's variables.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    found : iterable of (Variable, ndarray)
        Values with years first, then the variable's dimensions, then members where it has them.
    labels : mapping of str to sequence
        Labels of each dimension.
    years : sequence of int
        Year ends of the rows.
    members : sequence, optional
        Labels of the members.

    Raises
    ------
    ModelError
        With every variable that is not finite, and where.
    """
    arrays, faults = {}, []
    for variable, values in found:
        dims = (YEAR, *variable.dims)
        coords: dict[str, list[Hashable]] = {YEAR: list(years)}
        coords |= {dim: list(labels[dim]) for dim in variable.dims}
        if values.ndim > len(dims):
            dims, coords[MEMBER] = (*dims, MEMBER), list(members or ())
        array = xr.DataArray(values, coords, dims, attrs={"unit": variable.unit})
        faults += [
            Fault(fault.where, fault.what, "look at its inputs in that region and year")
            for fault in not_finite(f"{model}: {variable.name}", array)
        ]
        arrays[variable.name] = array
    if faults:
        raise ModelError(faults)
    return xr.Dataset(arrays)
