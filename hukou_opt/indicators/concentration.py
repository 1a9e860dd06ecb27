"""Concentration index: whether the rich or the poor regions have more."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.errors import DataError, Fault
from hukou_opt.indicators.checks import Array, alongside, weighted


def _mid_ranks(rank: Array, w: Array) -> Array:
    """Share of people ranked below, and half of those ranked alike."""
    levels, at = np.unique(rank, return_inverse=True)
    people = np.bincount(at, weights=w, minlength=len(levels))
    middle: Array = (np.cumsum(people) - people / 2)[at]
    return middle


def concentration_index(values: ArrayLike, weights: ArrayLike, rank: ArrayLike) -> float:
    r"""Inequality along another variable, such as revenue per head.

    .. math:: C = \frac{2}{\bar y} \sum_i w_i y_i R_i - 1

    with :math:`R_i` the share of people ranked below region i plus half of those ranked alike.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.
    rank : array_like, shape (region,)
        Variable that orders the regions; only its order counts.

    Returns
    -------
    float
        -1 (the lowest in rank have everything) to 1 (the highest); 0 when nobody is favoured, when
        all values are 0 or when all rank alike.

    Raises
    ------
    DataError
        If a value or weight is negative, a figure is missing, lengths differ or nobody is
        concerned.

    References
    ----------
    Kakwani, Wagstaff and van Doorslaer (1997), Socioeconomic inequalities in health: measurement,
    computation, and statistical inference, Journal of Econometrics 77:87-103.

    Examples
    --------
    >>> concentration_index([1.0, 3.0], [1.0, 1.0], rank=[10, 20])
    0.25
    """
    y, w = weighted(values, weights)
    places = _mid_ranks(alongside("rank", rank, weights).astype(float), w)
    mean = float(w @ y)
    return 2 * float((w * y) @ (places - 0.5)) / mean if mean > 0 else 0.0


def erreygers_index(
    values: ArrayLike, weights: ArrayLike, rank: ArrayLike, *, upper: float = 1.0
) -> float:
    r"""Concentration index of a rate that has an upper bound.

    .. math:: E = \frac{4 \bar y}{b} C = \frac{8}{b} \sum_i w_i y_i (R_i - \tfrac12)

    It says the same of unmet need as of need that is met, with the sign turned, and does not grow
    because the mean falls; the plain concentration index does neither.

    Parameters
    ----------
    values, weights, rank : array_like, shape (region,)
        As in `concentration_index`; values at most `upper`.
    upper : float, optional
        Upper bound b of the values; the lower one is 0.

    Raises
    ------
    DataError
        As in `concentration_index`, or if a value lies above `upper`.

    References
    ----------
    Erreygers (2009), Correcting the concentration index, Journal of Health Economics 28:504-515.

    Examples
    --------
    >>> erreygers_index([0.0, 1.0], [1.0, 1.0], rank=[10, 20])
    1.0
    """
    y, w = weighted(values, weights)
    # A rate may pass 1 by the rounding of its division.
    if y.max() > upper * (1 + 1e-9):
        raise DataError(
            Fault("indicator values", f"above the bound {upper:g} ({y.max():g})", "raise `upper`")
        )
    places = _mid_ranks(alongside("rank", rank, weights).astype(float), w)
    return 8 * float((w * y) @ (places - 0.5)) / upper
