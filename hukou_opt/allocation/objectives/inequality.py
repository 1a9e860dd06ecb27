r"""Mean and half mean difference as a piecewise linear function, and its cutting planes.

For losses :math:`y_i` with weights :math:`w_i` summing to 1,

.. math:: I(y) = \mu \sum_i w_i y_i + \lambda \sum_{i<j} w_i w_j |y_i - y_j| ,

mu times the mean plus lambda times half the mean difference (Gini times mean). With mu = 1 and
0 <= lambda <= 1 it is the inequality-averse mean, which rises with every loss, so that making it
small never levels down; with mu = 0 it is the bare difference, which does level down. With y sorted
downwards and S_i the weight in front of i,
:math:`I(y) = \sum_i w_i (\mu + \lambda (1 - 2 S_i - w_i)) y_i`; the same coefficients under any
other order give a lower bound, which makes them valid cuts.

References
----------
Sen (1973), On Economic Inequality; Ogryczak and Sliwinski (2003), On solving linear programs with
the ordered weighted averaging objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.tiling.across import Number

Array = NDArray[np.float64]


def descending(rates: Array) -> NDArray[np.int64]:
    """Order of the cells from the highest rate down; equal rates keep their order."""
    return np.argsort(-rates, kind="stable").astype(np.int64)


def order_coefficients(
    order: NDArray[np.int64], weights: Array, aversion: float, mean: float = 1.0
) -> Array:
    """Coefficients of the cut that is exact where `order` sorts the rates downwards.

    Parameters
    ----------
    order : ndarray of int, shape (cell,)
        Cells from the highest rate down.
    weights : ndarray, shape (cell,)
        Weights summing to 1.
    aversion : float
        Lambda, 0 to 1.
    mean : float, optional
        Mu, 1 or 0.

    Returns
    -------
    ndarray, shape (cell,)
        Coefficients in the order of the cells; all are >= 0 where mu is 1.
    """
    sorted_weights = weights[order]
    front = np.cumsum(sorted_weights) - sorted_weights
    coefficients = np.empty_like(weights)
    coefficients[order] = sorted_weights * (mean + aversion * (1 - 2 * front - sorted_weights))
    return coefficients


def inequality_averse_mean(rates: Array, weights: Array, aversion: float) -> float:
    """Mean plus `aversion` times half the weighted mean difference; shape (cell,) each."""
    return float(order_coefficients(descending(rates), weights, aversion) @ rates)


@dataclass(frozen=True)
class Planned:
    """An index as the Pyomo model has it: its column and its cells by name.

    Parameters
    ----------
    name : str
        Name of the index column.
    level : str
        Level from which on the index is held.
    cells : tuple of str
        Names of the columns that are compared.
    weights : tuple of float or Across, one for each cell
        Weights summing to 1.
    aversion, mean : float
        Lambda and mu.
    sign : float
        1 where the columns are losses, -1 where more is better.
    """

    name: str
    level: str
    cells: tuple[str, ...]
    weights: tuple[Number, ...]
    aversion: float
    mean: float
    sign: float

    def placed(self, column: Mapping[str, int]) -> InequalityIndex:
        """The index by the positions of its columns."""
        cells = np.array([column[cell] for cell in self.cells])
        weights = np.array(self.weights, dtype=float)
        return self.at(self.name, column[self.name], cells, weights)

    def at(
        self, name: str, column: int, cells: NDArray[np.int64], weights: Array
    ) -> InequalityIndex:
        """The index with given name, positions and weights."""
        return InequalityIndex(
            name, self.level, column, cells, weights, self.aversion, self.mean, self.sign
        )


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
        Positions of the columns that are compared.
    weights : ndarray, shape (cell,)
        Weights summing to 1.
    aversion : float
        Lambda.
    mean : float
        Mu: 1, or 0 for the bare difference.
    sign : float
        1 where the columns are losses, -1 where more is better.
    """

    name: str
    level: str
    column: int
    cells: NDArray[np.int64]
    weights: Array
    aversion: float
    mean: float = 1.0
    sign: float = 1.0

    def value(self, x: Array) -> float:
        """True index at a point of the linear program."""
        return float(self.cut(self.order(x)) @ x[self.cells])

    def cut(self, order: NDArray[np.int64]) -> Array:
        """Coefficients of the cells in the row ``column - coefficients x >= 0`` of an order."""
        return self.sign * order_coefficients(order, self.weights, self.aversion, self.mean)

    def order(self, x: Array) -> NDArray[np.int64]:
        """Order of the cells, from the largest loss down, at a point of the linear program."""
        return descending(self.sign * x[self.cells])
