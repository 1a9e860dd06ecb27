"""Arrays meet the model by label, exactly or with an error; never by position."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import xarray as xr

from hukou_opt.errors import Fault

#: How many unexpected labels a message shows.
SHOWN = 5


def aligned(
    name: str,
    array: xr.DataArray,
    dims: Sequence[str],
    labels: Mapping[str, Sequence[Hashable]],
) -> tuple[xr.DataArray | None, list[Fault]]:
    """Bring an array into the model's order of dimensions and labels.

    Parameters
    ----------
    name : str
        Name of the constant or decision, for the message.
    array : DataArray
        Labelled values.
    dims : sequence of str
        Dimensions that the model declares, in its order.
    labels : mapping of str to sequence
        Labels of each dimension, in the model's order.

    Returns
    -------
    DataArray or None
        Float values, aligned; None where there are faults.
    list of Fault
        Every mismatch, and every value that is not finite.
    """
    if set(array.dims) != set(dims) or len(array.dims) != len(dims):
        have, want = tuple(map(str, array.dims)), tuple(dims)
        return None, [Fault(name, f"has dims {have!r}", f"give dims {want!r}")]
    faults: list[Fault] = []
    for dim in dims:
        if dim not in array.coords:
            faults.append(Fault(name, f"has no labels on {dim!r}", "label every dimension"))
            continue
        given = list(array.coords[dim].values.tolist())
        needed = list(labels[dim])
        twice = sorted({str(label) for label in given if given.count(label) > 1})
        missing = [str(label) for label in needed if label not in given]
        unknown = [str(label) for label in given if label not in needed]
        for what, found in (("twice", twice), ("missing", missing), ("unknown", unknown)):
            if found:
                shown = ", ".join(found[:SHOWN]) + (" ..." if len(found) > SHOWN else "")
                faults.append(
                    Fault(
                        name,
                        f"{len(found)} label(s) of {dim!r} {what} ({shown})",
                        f"give exactly the {len(needed)} labels of the model",
                    )
                )
    if faults:
        return None, faults
    ordered = array.transpose(*dims).sel({dim: list(labels[dim]) for dim in dims})
    try:
        ordered = ordered.astype(float)
    except (TypeError, ValueError):
        return None, [Fault(name, "holds values that are no numbers", "give numbers")]
    faults = not_finite(name, ordered)
    return (None, faults) if faults else (ordered, [])


def not_finite(name: str, array: xr.DataArray) -> list[Fault]:
    """Faults for values that are not finite; the first of them with its labels."""
    bad = ~np.isfinite(array.values)
    if not bad.any():
        return []
    where = np.unravel_index(int(np.argmax(bad)), bad.shape)
    place = ", ".join(
        f"{dim} {array.coords[dim].values[index]}"
        for dim, index in zip(array.dims, where, strict=True)
    )
    value = array.values[where]
    return [
        Fault(
            f"{name}[{place}]" if place else name,
            f"is not finite ({value!r}; {int(bad.sum())} such value(s))",
            "give a finite number",
        )
    ]
