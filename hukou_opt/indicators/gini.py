"""Gini coefficient, and half the mean difference that it is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.indicators.checks import weighted


def half_mean_difference(values: ArrayLike, weights: ArrayLike) -> float:
    r"""Half the mean distance between two people drawn at random: the mean times the Gini.

    .. math:: \Delta = \tfrac12 \sum_i \sum_j w_i w_j |y_i - y_j|, \quad \sum_i w_i = 1

    Unlike the Gini it has the unit of the values, and does not grow when a rate of unmet need falls
    everywhere by the same number of points.

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

    References
    ----------
    Kendall and Stuart (1977), The Advanced Theory of Statistics, vol. 1: the mean difference.

    Examples
    --------
    >>> half_mean_difference([0.0, 2.0], [1.0, 1.0])
    0.5
    """
    y, w = weighted(values, weights, negative=True)
    order = np.argsort(y, kind="stable")
    y, w = y[order], w[order]
    # Each pair once, from below: a value counts with those beneath it and against those above.
    beneath = np.cumsum(w) - w
    return max(0.0, float((w * (2 * beneath + w - 1)) @ y))


def gini(values: ArrayLike, weights: ArrayLike) -> float:
    r"""Population-weighted Gini coefficient.

    .. math:: G = \frac{1}{2 \bar y} \sum_i \sum_j w_i w_j |y_i - y_j|

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
    Sen (1973), On Economic Inequality.

    Examples
    --------
    >>> gini([0.0, 1.0], [1.0, 1.0])
    0.5
    """
    y, w = weighted(values, weights)
    mean = float(w @ y)
    return half_mean_difference(y, w) / mean if mean > 0 else 0.0
