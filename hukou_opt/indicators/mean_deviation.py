"""Mean absolute deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.indicators.checks import weighted


def mean_absolute_deviation(values: ArrayLike, weights: ArrayLike) -> float:
    r"""Weighted mean distance of the values from their weighted mean.

    .. math:: D = \sum_i w_i |y_i - \bar y|, \quad \sum_i w_i = 1

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels or rates, in any unit; the result has the same.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.

    Raises
    ------
    DataError
        If figures are missing, a weight is negative or nobody is concerned.

    Examples
    --------
    >>> mean_absolute_deviation([1.0, 3.0], [1.0, 1.0])
    1.0
    """
    y, w = weighted(values, weights, negative=True)
    return float(w @ np.abs(y - w @ y))
