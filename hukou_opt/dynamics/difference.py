"""How far two runs of one model are apart, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.errors import Fault, ModelError

#: Values below this, in the model's units (a hundredth of a person, a hundred yuan), are compared
#: as if they were this large: around zero a relative difference says nothing.
SMALLEST = 1e-6


@dataclass(frozen=True)
class Difference:
    """The largest difference between two runs of one model, and where it is.

    Parameters
    ----------
    variable : str
        Variable of the model.
    region : str
        Region, origin and destination, or other labels; empty for national variables.
    year : int
        Year end.
    relative : float
        Difference as a share of the larger value.
    """

    variable: str
    region: str
    year: int
    relative: float

    def __str__(self) -> str:
        place = f"{self.variable}[{self.region}]" if self.region else self.variable
        return f"{self.relative:.2g} ({place} in {self.year})"


def largest_difference(
    run: xr.Dataset, other: xr.Dataset, *, smallest: float = SMALLEST
) -> Difference:
    """Where two runs differ most.

    Parameters
    ----------
    run, other : Dataset
        The same variables over year, region and so on, with the same labels in any order.
    smallest : float, optional
        What is smaller, in the variable's unit, is compared as if it were this large: of sums that
        cancel only rounding is left.

    Returns
    -------
    Difference
        Largest of ``|a - b| / max(|a|, |b|, smallest)`` over all cells.

    Raises
    ------
    ModelError
        If a variable or label is in one run only, or a value is not finite.
    """
    faults = []
    worst: Difference | None = None
    if set(run.data_vars) != set(other.data_vars):
        odd = sorted(map(str, set(run.data_vars) ^ set(other.data_vars)))
        faults.append(Fault("runs", f"have other variables ({odd!r})", "compare the same ones"))
    for name in (name for name in run.data_vars if name in other.data_vars):
        a, b = run[name], other[name]
        try:
            a, b = xr.align(a, b.transpose(*a.dims), join="exact", copy=False)
        except ValueError as error:
            faults.append(Fault(str(name), f"is labelled differently ({error})", "align it"))
            continue
        if not (np.isfinite(a.values).all() and np.isfinite(b.values).all()):
            faults.append(Fault(str(name), "has values that are not finite", "look at its inputs"))
            continue
        size = np.maximum(np.maximum(np.abs(a.values), np.abs(b.values)), smallest)
        relative = np.abs(a.values - b.values) / size
        at = np.unravel_index(int(np.argmax(relative)), relative.shape)
        if worst is None or relative[at] > worst.relative:
            labels = {str(d): a[d].values[i] for d, i in zip(a.dims, at, strict=True)}
            year = int(labels.pop("year"))
            place = ", ".join(str(label) for label in labels.values())
            worst = Difference(str(name), place, year, float(relative[at]))
    if worst is None and not faults:
        faults.append(Fault("runs", "have no variable", "name at least one"))
    if faults or worst is None:
        raise ModelError(faults)
    return worst
