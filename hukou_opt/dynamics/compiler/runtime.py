"""What generated code may call besides NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted(values: Array, weights: Array, axis: int, out: Array) -> Array:
    """Sum along one axis with weights most of which are zero, as with the year that is running.

    Parameters
    ----------
    values : ndarray
        At least one axis more than `out`.
    weights : ndarray, shape (n,)
        One weight for each position along the axis.
    axis : int
        The axis that disappears.
    out : ndarray
        Where the result goes.
    """
    first = True
    for position in np.flatnonzero(weights):
        part = values[(slice(None),) * axis + (position,)]
        if first:
            np.multiply(part, weights[position], out=out)
            first = False
        else:
            out += part * weights[position]
    if first:
        out.fill(0.0)
    return out


def choose(condition: Any, yes: Any, no: Any, out: Array) -> Array:
    """One or the other value, cell by cell."""
    np.copyto(out, no)
    np.copyto(out, yes, where=condition)
    return out


def interpolate(at: Any, x: Array, y: Array, out: Array) -> Array:
    """Linear interpolation in a table, held at its ends."""
    out[...] = np.interp(at, x, y)
    return out


def assemble(parts: tuple[Any, ...], cells: tuple[Any, ...], out: Array) -> Array:
    """One array from several equations, each for some cells; later equations fill the rest.

    Parameters
    ----------
    parts : tuple of ndarray
        Value of each equation, broadcastable to its cells.
    cells : tuple of (index, mask)
        Open mesh of positions, and where of these the equation holds (None for everywhere).
    out : ndarray
        Where the result goes.
    """
    # What no equation defines must not look like a number.
    out.fill(np.nan)
    for part, (index, mask) in zip(parts, cells, strict=True):
        if mask is None:
            out[index] = part
        else:
            block = out[index]
            np.copyto(block, part, where=mask if block.ndim == mask.ndim else mask[..., None])
            out[index] = block
    return out


def spread(value: Any, shape: tuple[int, ...], members: int) -> Array:
    """A value over all cells of a stock, and over its members where it has any."""
    if members and not np.ndim(value):
        value = np.reshape(value, (1,))
    return np.broadcast_to(value, (*shape, *((members,) if members else ())))
