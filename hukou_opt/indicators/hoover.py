"""Hoover index: the part of the whole that would have to move for all to be equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.indicators.checks import weighted


def hoover(values: ArrayLike, weights: ArrayLike) -> float:
    r"""Share of all seats, beds or money that must change hands before everybody has the mean.

    .. math:: H = \frac{1}{2 \bar y} \sum_i w_i |y_i - \bar y|

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.

    Returns
    -------
    float
        0 (equal) to 1; 0 when all values are 0.

    Raises
    ------
    DataError
        If a value or weight is negative or missing, or nobody is concerned.

    References
    ----------
    Hoover (1936), The measurement of industrial localization, Review of Economics and Statistics
    18:162-171.

    Examples
    --------
    >>> hoover([1.0, 3.0], [1.0, 1.0])
    0.25
    """
    y, w = weighted(values, weights)
    mean = float(w @ y)
    return float(w @ np.abs(y - mean)) / (2 * mean) if mean > 0 else 0.0
