"""Small numerical methods of the estimates: logit shifts, root finding, two-margin fitting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Smallest share for which a logit is taken.
SMALLEST_SHARE = 1e-9
#: Halvings of an interval; 200 exhaust the precision of a double.
HALVINGS = 200
#: Relative mismatch of the margins at which two-margin fitting stops.
MARGIN_TOLERANCE = 1e-12
#: Rounds after which two-margin fitting gives up.
MARGIN_ROUNDS = 20_000


def shift_logit(share: Array, constant: float) -> Array:
    """Move shares by one constant on the logit scale, so that they stay between 0 and 1."""
    inside = np.clip(share, SMALLEST_SHARE, 1 - SMALLEST_SHARE)
    odds = inside / (1 - inside) * np.exp(constant)
    return np.asarray(odds / (1 + odds), dtype=float)


def solve_monotone(excess: Callable[[float], float], low: float, high: float) -> float | None:
    """Find the root of a monotone function by halving; None when there is none in the interval."""
    at_low, at_high = excess(low), excess(high)
    if at_low == 0:
        return low
    if at_high == 0:
        return high
    if at_low * at_high > 0:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if excess(middle) * at_low > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def fit_margins(seed: Array, rows: Array, columns: Array) -> Array | None:
    """Scale rows and columns of a matrix until they have the wanted sums.

    Parameters
    ----------
    seed : array, dims (origin, dest)
        Non-negative pattern; its zeros stay zeros.
    rows, columns : array
        Wanted sums, of equal total.

    Returns
    -------
    array or None
        The fitted matrix, whose rows have their sums exactly up to rounding; None when the pattern
        of zeros forbids the margins.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11(4): 427-444.
    """
    fitted = seed.astype(float).copy()
    total = max(float(rows.sum()), SMALLEST_SHARE)
    for _ in range(MARGIN_ROUNDS):
        by_column = fitted.sum(axis=0)
        fitted = fitted * np.divide(
            columns, by_column, out=np.zeros_like(columns), where=by_column > 0
        )
        by_row = fitted.sum(axis=1)
        fitted = (
            fitted * np.divide(rows, by_row, out=np.zeros_like(rows), where=by_row > 0)[:, None]
        )
        gap = max(
            float(np.abs(fitted.sum(axis=0) - columns).max()),
            float(np.abs(fitted.sum(axis=1) - rows).max()),
        )
        if gap <= MARGIN_TOLERANCE * total:
            return np.asarray(fitted, dtype=float)
    return None
