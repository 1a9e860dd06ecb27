"""True values of many inequality indices at once, and how far a convex limit lets one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.objectives import InequalityIndex
from hukou_opt.allocation.problem import Array

#: Part of the way between two points that is left undecided.
PRECISION = 1e-9
#: Steps after which the way found so far is taken.
MOST_STEPS = 40


class IndexValues:
    """Several indices as one array, one row each, shorter ones filled up with weights of 0.

    Parameters
    ----------
    indices : sequence of InequalityIndex
        The indices; may be empty.
    """

    def __init__(self, indices: Sequence[InequalityIndex]) -> None:
        width = max((len(index.cells) for index in indices), default=0)
        shape = (len(indices), width)
        self.columns: NDArray[np.int64] = np.array([i.column for i in indices], dtype=np.int64)
        self._cells = np.zeros(shape, dtype=np.int64)
        self._weights: Array = np.zeros(shape)
        for row, index in enumerate(indices):
            self._cells[row, : len(index.cells)] = index.cells
            self._weights[row, : len(index.cells)] = index.weights
        self._sign: Array = np.array([index.sign for index in indices])[:, None]
        self._aversion: Array = np.array([index.aversion for index in indices])[:, None]
        self._mean: Array = np.array([index.mean for index in indices])[:, None]

    def at(self, x: Array) -> Array:
        """Values at a point of the linear program, shape (index,); see `InequalityIndex.value`."""
        losses = self._sign * x[self._cells]
        order = np.argsort(-losses, axis=1, kind="stable")
        weights = np.take_along_axis(self._weights, order, axis=1)
        front = np.cumsum(weights, axis=1) - weights
        coefficients = weights * (self._mean + self._aversion * (1 - 2 * front - weights))
        values: Array = (coefficients * np.take_along_axis(losses, order, axis=1)).sum(axis=1)
        return values

    def raised(self, x: Array) -> Array:
        """The point with every index column at least at the true value of its index."""
        raised = x.copy()
        if self.columns.size:
            raised[self.columns] = np.maximum(x[self.columns], self.at(x))
        return raised


def furthest(excess: Callable[[float], float]) -> float:
    """Largest part of the way, 0 to 1, at which a convex function is still at most 0.

    A chord between a point below and a point above 0 gives a better point below, the line through
    two points below gives one above: for a function of straight pieces a few steps are enough.

    Parameters
    ----------
    excess : callable
        Convex, at most 0 at 0 and above 0 at 1.
    """
    low, high = 0.0, 1.0
    below, above = min(0.0, excess(0.0)), excess(1.0)
    for _ in range(MOST_STEPS):
        if high - low <= PRECISION:
            break
        chord = low + (high - low) * below / (below - above)
        # Rounding, or no room at 0, may leave the chord where it began.
        trial = chord if low < chord < high else (low + high) / 2
        value = excess(trial)
        if value > 0:
            high, above = trial, value
            continue
        slope = (value - below) / (trial - low)
        low, below = trial, value
        beyond = low - below / slope if slope > 0 else high
        if low < beyond < high and (value := excess(beyond)) > 0:
            high, above = beyond, value
        elif low < beyond < high:
            low, below = beyond, value
    return low
