"""Naive forecasts: what anybody could say from the same figures without a model.

All use the first and the last year of the window, as is customary for benchmarks of this kind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hukou_opt.fit.trends import expit, logit
from hukou_opt.regions.fitting import Array

#: Least distance between a saturation level and the last share.
SATURATION_MARGIN = 0.01


def persistence(first: Array, last: Array, length: int, ahead: int) -> Array:  # noqa: ARG001
    """Nothing changes; takes what the others take."""
    return last


def linear(first: Array, last: Array, length: int, ahead: int) -> Array:
    """The yearly change of the window goes on."""
    return np.asarray(last + (last - first) * ahead / length, dtype=float)


def geometric(first: Array, last: Array, length: int, ahead: int) -> Array:
    """The growth rate of the window goes on."""
    return np.asarray(last * (last / first) ** (ahead / length), dtype=float)


def logistic(first: Array, last: Array, length: int, ahead: int) -> Array:
    """The slope on the logit scale goes on."""
    return expit(linear(logit(first), logit(last), length, ahead))


def saturating(level: float) -> Callable[[Array, Array, int, int], Array]:
    """The distance to a level shrinks at the rate of the window.

    A region beyond the level has its own, a little above its last share; one that has fallen or
    started beyond its level stays where it is.
    """

    def forecast(first: Array, last: Array, length: int, ahead: int) -> Array:
        top = np.maximum(level, np.maximum(first, last) + SATURATION_MARGIN)
        # A share that fell has no rate of approach: it stays.
        remaining = np.minimum(1.0, (top - last) / (top - first)) ** (ahead / length)
        return np.asarray(top - (top - last) * remaining, dtype=float)

    return forecast


#: Forecasts by the names of the protocol.
FORECASTS: dict[str, Callable[[Array, Array, int, int], Array]] = {
    "persistence": persistence,
    "linear": linear,
    "geometric": geometric,
    "logistic": logistic,
    "saturating_80": saturating(0.80),
    "saturating_90": saturating(0.90),
}
