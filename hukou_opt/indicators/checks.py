"""What every indicator asks of its input, said once and for all faults together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hukou_opt.errors import DataError, Fault

Array = NDArray[np.float64]


def weighted(
    values: ArrayLike, weights: ArrayLike, *, negative: bool = False
) -> tuple[Array, Array]:
    """Levels and the shares of the people concerned, ready for an index.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels or rates.
    weights : array_like, shape (region,)
        People concerned, >= 0, in any unit.
    negative : bool, optional
        Whether levels below 0 mean something to the index.

    Returns
    -------
    ndarray, ndarray
        Levels and weights of the regions with people, the weights summing to 1.

    Raises
    ------
    DataError
        If there is no region, shapes differ, a figure is not finite or below 0 where it must not
        be, or nobody is concerned; all faults at once.
    """
    y, w = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    if y.ndim != 1 or y.shape != w.shape or y.size == 0:
        raise DataError(
            Fault(
                "indicator",
                f"needs one weight for each value (values {y.shape}, weights {w.shape})",
                "give two lists of the same length, at least 1",
            )
        )
    faults = not_finite("values", y) + not_finite("weights", w) + below_zero("weights", w)
    if not negative:
        faults += below_zero("values", y)
    if not faults and w.sum() <= 0:
        faults.append(
            Fault("indicator weights", "are all 0: nobody is concerned", "leave the measure out")
        )
    if faults:
        raise DataError(faults)
    some = w > 0
    return y[some], w[some] / w.sum()


def not_finite(name: str, figures: Array) -> list[Fault]:
    """One fault for each figure that is missing or infinite."""
    return [
        Fault(f"indicator {name}", f"no figure at position {at} ({figures[at]})", "fill it in")
        for at in np.flatnonzero(~np.isfinite(figures))
    ]


def below_zero(name: str, figures: Array) -> list[Fault]:
    """One fault for each figure below 0."""
    return [
        Fault(f"indicator {name}", f"below 0 at position {at} ({figures[at]:g})", "check the sign")
        for at in np.flatnonzero(figures < 0)
    ]


def alongside(name: str, column: ArrayLike, weights: ArrayLike) -> NDArray[np.generic]:
    """A second column beside the weights, without the regions in which nobody lives.

    Parameters
    ----------
    name : str
        What the column is, for the error.
    column : array_like, shape (region,)
        Ranks or names of groups.
    weights : array_like, shape (region,)
        People concerned; checked by `weighted`.

    Raises
    ------
    DataError
        If the column has another length than the weights, or a number in it is not finite.
    """
    found, w = np.asarray(column), np.asarray(weights, dtype=float)
    if found.shape != w.shape:
        raise DataError(
            Fault(
                f"indicator {name}",
                f"has another shape than the weights ({found.shape}, {w.shape})",
                "give one for each region",
            )
        )
    if found.dtype.kind == "f":
        faults = not_finite(name, found)
        if faults:
            raise DataError(faults)
    kept: NDArray[np.generic] = found[w > 0]
    return kept
