"""Range, and the mean of the worst-off part of the people."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.errors import DataError, Fault
from hukou_opt.indicators.checks import weighted


def value_range(values: ArrayLike, weights: ArrayLike) -> float:
    """Highest minus lowest value, of the regions with people.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels or rates, in any unit; the result has the same.
    weights : array_like, shape (region,)
        People concerned, >= 0; a region without them does not count.

    Raises
    ------
    DataError
        If figures are missing, a weight is negative or nobody is concerned.

    Examples
    --------
    >>> value_range([1.0, 3.0, 9.0], [1.0, 1.0, 0.0])
    2.0
    """
    y, _ = weighted(values, weights, negative=True)
    return float(y.max() - y.min())


def range_ratio(values: ArrayLike, weights: ArrayLike) -> float:
    """Highest over lowest value, of the regions with people.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0; a region without them does not count.

    Returns
    -------
    float
        1 when all are equal, all values 0 included; infinite when only some are 0.

    Raises
    ------
    DataError
        If a value or weight is negative or missing, or nobody is concerned.

    Examples
    --------
    >>> range_ratio([2.0, 3.0], [1.0, 1.0])
    1.5
    """
    y, _ = weighted(values, weights)
    if y.max() == y.min():
        return 1.0
    return float(y.max() / y.min()) if y.min() > 0 else float("inf")


def worst_mean(
    values: ArrayLike, weights: ArrayLike, part: float = 0.2, *, high_is_bad: bool = False
) -> float:
    r"""Mean of the worst-off part of the people.

    .. math:: \frac{1}{p} \min_{0 \le v \le w,\; \sum v = p} \sum_i v_i y_i

    (the largest such mean where high values are bad).

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels or rates, in any unit; the result has the same.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.
    part : float, optional
        Part p of the people, above 0 to 1; a region on the border counts with the part it needs.
    high_is_bad : bool, optional
        True for unmet need: the worst off are those with the highest rates.

    Raises
    ------
    DataError
        If figures are missing, a weight is negative, nobody is concerned, or `part` is not a part.

    References
    ----------
    Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk, Journal of Risk
    2(3):21-41.

    Examples
    --------
    >>> worst_mean([1.0, 5.0, 9.0], [1.0, 1.0, 2.0], part=0.5)
    3.0
    """
    if not 0 < part <= 1:
        raise DataError(
            Fault("indicator part", f"must be above 0 and at most 1 ({part})", "0.2 is a fifth")
        )
    y, w = weighted(values, weights, negative=True)
    order = np.argsort(-y if high_is_bad else y, kind="stable")
    front = np.cumsum(w[order]) - w[order]
    taken = np.clip(part - front, 0.0, w[order])
    return float(taken @ y[order] / taken.sum())
