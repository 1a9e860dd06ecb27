"""What an engine may be told: declared constants, by label, finite; all faults at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.labels import aligned
from hukou_opt.errors import Fault, ModelError, did_you_mean

#: Dimension over which parameters differ between the runs of an ensemble.
MEMBER = "member"


@dataclass(frozen=True)
class Variable:
    """A variable as the model declares it.

    Parameters
    ----------
    name, unit, kind : str
        Name, unit and PySD's type: Constant, Auxiliary, Stateful.
    dims : tuple of str
        Subscript ranges.
    """

    name: str
    unit: str
    kind: str
    dims: tuple[str, ...]


def accepted(
    model: str,
    variables: Mapping[str, Variable],
    allowed: Collection[str],
    labels: Mapping[str, Sequence[Hashable]],
    constants: Mapping[str, Constant],
    *,
    members: Sequence[Hashable] | None = None,
) -> dict[str, float | xr.DataArray]:
    """Constants in the model's order of dimensions and labels.

    Parameters
    ----------
    model : str
        Name of the model, for messages.
    variables : mapping of str to Variable
        What the model declares.
    allowed : collection of str
        Names that may be set.
    labels : mapping of str to sequence
        Labels of each dimension, in the model's order.
    constants : mapping of str to float or DataArray
        Values by name.
    members : sequence, optional
        Labels of the member axis that arrays may carry as well; none may by default.

    Raises
    ------
    ModelError
        With every unknown name, attempt to overwrite what the model computes, label that does not
        fit, and value that is not finite.
    """
    faults: list[Fault] = []
    found: dict[str, float | xr.DataArray] = {}
    for name, value in constants.items():
        variable = variables.get(name)
        if variable is None:
            faults.append(
                Fault(f"{model}: {name}", "is not in the model", did_you_mean(name, list(allowed)))
            )
        elif name not in allowed:
            faults.append(
                Fault(
                    f"{model}: {name}",
                    f"is no constant of the model ({variable.kind})",
                    "set constants only; what the model computes cannot be overwritten",
                )
            )
        elif isinstance(value, xr.DataArray) and value.dims:
            dims, known = variable.dims, labels
            if MEMBER in value.dims and members is not None:
                dims, known = (*dims, MEMBER), {**labels, MEMBER: members}
            array, wrong = aligned(name, value, dims, known)
            faults += wrong
            if array is not None:
                found[name] = array
        elif isinstance(value, bool) or not math.isfinite(float(value)):
            faults.append(Fault(name, f"is no finite number ({value!r})", "give a number"))
        elif variable.dims:
            faults.append(
                Fault(name, f"is one number ({float(value)!r})", f"give dims {variable.dims!r}")
            )
        else:
            # PySD refuses NumPy scalars in some places.
            found[name] = float(value)
    if faults:
        raise ModelError(faults)
    return found
