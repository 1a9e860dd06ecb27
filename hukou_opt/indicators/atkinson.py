"""Atkinson index: what part of the whole could be given up if it were shared equally."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.errors import DataError, Fault
from hukou_opt.indicators.checks import weighted


def atkinson(values: ArrayLike, weights: ArrayLike, epsilon: float) -> float:
    r"""Share of the whole that a society of aversion `epsilon` would give up to have it equal.

    .. math::

        A_\varepsilon = 1 - \frac{1}{\bar y}
        \Bigl( \sum_i w_i y_i^{1-\varepsilon} \Bigr)^{1/(1-\varepsilon)}, \qquad
        A_1 = 1 - \frac{1}{\bar y} \prod_i y_i^{w_i}

    With `epsilon` of 1 or more a single region with value 0 makes the index 1, whatever the others
    have; for rates with many zeros only a smaller `epsilon` tells cases apart.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.
    epsilon : float
        Aversion to inequality, >= 0; 0 does not mind it.

    Returns
    -------
    float
        0 (equal) to 1; 0 when all values are 0.

    Raises
    ------
    DataError
        If a value, weight or `epsilon` is negative or missing, or nobody is concerned.

    References
    ----------
    Atkinson (1970), On the measurement of inequality, Journal of Economic Theory 2:244-263.

    Examples
    --------
    >>> round(atkinson([10, 20, 30, 40, 50], [1, 1, 1, 1, 1], 0.5), 5)
    0.06315
    >>> atkinson([0.0, 1.0], [1.0, 1.0], 1.0)
    1.0
    """
    if not 0 <= epsilon < np.inf:
        raise DataError(
            Fault("indicator epsilon", f"must be 0 or more ({epsilon})", "0.5 and 1 are usual")
        )
    y, w = weighted(values, weights)
    mean = float(w @ y)
    if mean <= 0:
        return 0.0
    ratio = y / mean
    if epsilon >= 1 and (ratio == 0).any():
        return 1.0
    if epsilon >= 1:
        # In logarithms and relative to the smallest, so that no power overflows or vanishes.
        logs = np.log(y) - np.log(mean)
        least, power = float(logs.min()), 1 - epsilon
        if power == 0:
            equal = float(np.exp(w @ logs))
        else:
            equal = float(np.exp(least + np.log(w @ np.exp(power * (logs - least))) / power))
    else:
        equal = float(w @ ratio ** (1 - epsilon)) ** (1 / (1 - epsilon))
    return min(1.0, max(0.0, 1 - equal))
