"""Gini coefficient."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


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

    References
    ----------
    Sen (1973), On Economic Inequality.

    Examples
    --------
    >>> gini([0.0, 1.0], [1.0, 1.0])
    0.5
    """
    y, w = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    w = w / w.sum()
    mean = float(w @ y)
    if mean == 0:
        return 0.0
    return float(w @ np.abs(y[:, None] - y[None, :]) @ w) / (2 * mean)
