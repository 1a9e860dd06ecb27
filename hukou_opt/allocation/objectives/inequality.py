r"""The inequality-averse mean as a piecewise linear function, and its cutting planes.

For unmet rates :math:`y_i \ge 0` with weights :math:`w_i` summing to 1,

.. math:: I(y) = \sum_i w_i y_i + \lambda \sum_{i<j} w_i w_j |y_i - y_j| ,

the mean plus lambda times half the mean difference (Gini times mean). For 0 <= lambda <= 1 it is
increasing in every rate, so making it small never levels down. With y sorted downwards and S_i the
weight in front of i, :math:`I(y) = \sum_i w_i (1 + \lambda (1 - 2 S_i - w_i)) y_i`; the same
coefficients under any other order give a lower bound, which makes them valid cuts.

References
----------
Sen (1973), On Economic Inequality; Ogryczak and Sliwinski (2003), On solving linear programs with
the ordered weighted averaging objective.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def descending(rates: Array) -> NDArray[np.int64]:
    """Order of the cells from the highest rate down; equal rates keep their order."""
    return np.argsort(-rates, kind="stable").astype(np.int64)


def order_coefficients(order: NDArray[np.int64], weights: Array, aversion: float) -> Array:
    """Coefficients of the cut that is exact where `order` sorts the rates downwards.

    Parameters
    ----------
    order : ndarray of int, shape (cell,)
        Cells from the highest rate down.
    weights : ndarray, shape (cell,)
        Weights summing to 1.
    aversion : float
        Lambda, 0 to 1.

    Returns
    -------
    ndarray, shape (cell,)
        Coefficients in the order of the cells; all are >= 0.
    """
    sorted_weights = weights[order]
    front = np.cumsum(sorted_weights) - sorted_weights
    coefficients = np.empty_like(weights)
    coefficients[order] = sorted_weights * (1 + aversion * (1 - 2 * front - sorted_weights))
    return coefficients


def inequality_averse_mean(rates: Array, weights: Array, aversion: float) -> float:
    """Mean plus `aversion` times half the weighted mean difference; shape (cell,) each."""
    return float(order_coefficients(descending(rates), weights, aversion) @ rates)


@dataclass(frozen=True)
class InequalityIndex:
    """One column that stands for the index of a group of cells.

    Parameters
    ----------
    name : str
        Name of the index column.
    level : str
        Level from which on the index is held.
    column : int
        Position of the index column.
    cells : ndarray of int, shape (cell,)
        Positions of the rates' columns.
    weights : ndarray, shape (cell,)
        Weights summing to 1.
    aversion : float
        Lambda.
    """

    name: str
    level: str
    column: int
    cells: NDArray[np.int64]
    weights: Array
    aversion: float

    def value(self, x: Array) -> float:
        """True index at a point of the linear program."""
        return inequality_averse_mean(x[self.cells], self.weights, self.aversion)

    def cut(self, order: NDArray[np.int64]) -> Array:
        """Coefficients of the rates in the row ``column - coefficients y >= 0`` of an order."""
        return order_coefficients(order, self.weights, self.aversion)

    def order(self, x: Array) -> NDArray[np.int64]:
        """Order of the cells at a point of the linear program."""
        return descending(x[self.cells])
