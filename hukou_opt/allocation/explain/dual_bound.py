r"""Bounds of many cells over one set of answers, each proved by dual values of any quality.

As in `hukou_opt.allocation.safe_bound`: for ``L <= A x <= U, l <= x <= u``, any y and
:math:`z = v - A^T y`,

.. math:: v\,x \ge \sum_i \min_{L_i \le r \le U_i} y_i r
          + \sum_j \min_{l_j \le x_j \le u_j} z_j x_j .

The y need not be optimal, nor feasible: a bad one gives a weak bound, never a wrong one. Rounding
is taken off the bound. Columns without a bound get the one that the rows imply, once for all cells.
What even the rows leave free upwards, such as a shortage that may be overstated, can be lowered to
what its rows need without harm, as long as the cell does not count it: the most that they can need
is its bound.

References
----------
Neumaier and Shcherbina (2004), Safe bounds in linear and mixed-integer linear programming.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.safe_bound import OUTWARDS, ROUNDOFF, implied_box, usable
from hukou_opt.errors import CertificateError, Fault

#: Operations that a sum of so many terms may have beyond one each.
MORE = 4


@dataclass(frozen=True, eq=False)
class Polytope:
    """Rows and bounds of a linear program, with bounds for every column that rows give one.

    Parameters
    ----------
    matrix : csr_array, shape (row, column)
        Row coefficients.
    row_lower, row_upper : ndarray, shape (row,)
        Row bounds.
    lower, upper : ndarray, shape (column,)
        Column bounds, implied ones included where there was none.
    lowered : ndarray of bool, shape (column,)
        Columns whose upper bound is only the most that their rows can need.
    """

    matrix: sp.csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    lowered: NDArray[np.bool_]

    def lowest(self, cost: Array, y: Array) -> float:
        """Proved lower bound of ``cost x`` from some dual values.

        Parameters
        ----------
        cost : ndarray, shape (column,)
            What is bounded.
        y : ndarray, shape (row,)
            Dual values; positive ones price the lower bound of a row.

        Returns
        -------
        float
            The bound; minus infinity where a column that needs a bound has none.
        """
        if (cost[self.lowered] < 0).any():
            return -np.inf
        y = usable(y, self.row_lower, self.row_upper)
        rows = y * np.where(y > 0, self.row_lower, np.where(y < 0, self.row_upper, 0.0))
        by_column = self.matrix.T
        z = cost - by_column @ y
        size = np.abs(cost) + abs(by_column) @ np.abs(y)
        entries = np.bincount(self.matrix.indices, minlength=z.size) + MORE
        wrong = 2 * ROUNDOFF * entries * size
        # Whatever the true z is within its rounding, the smaller of both ends counts.
        least = np.minimum(self._least(z - wrong), self._least(z + wrong))
        total = float(rows.sum() + least.sum())
        if not np.isfinite(total):
            return -np.inf
        sizes = float(np.abs(rows).sum() + np.abs(least).sum())
        return total - 2 * ROUNDOFF * (rows.size + least.size + MORE) * sizes

    def _least(self, z: Array) -> Array:
        bound = np.where(z > 0, self.lower, self.upper)
        product: Array = np.multiply(z, bound, out=np.zeros_like(z), where=z != 0)
        return product

    def require(self, cost: Array, y: Array, claimed: float, *, name: str) -> None:
        """Refuse a bound that the dual values do not prove.

        Raises
        ------
        CertificateError
            If the claimed bound lies above the proved one.
        """
        proved = self.lowest(cost, y)
        if not claimed <= proved + OUTWARDS * (1 + abs(proved)):
            raise CertificateError(
                Fault(
                    f"range of {name}",
                    f"a bound of {claimed:.9g} is claimed, the dual values prove {proved:.9g}",
                    "the numbers were changed after the solve; compute the ranges again",
                )
            )


def polytope(
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
) -> Polytope:
    """Rows and bounds, with implied bounds for the columns that have none."""
    box = implied_box(matrix, row_lower, row_upper, lower, upper)
    lowered = np.isinf(box.upper)
    needed = _needed(matrix, row_lower, row_upper, box.lower, box.upper)
    high = np.where(lowered, np.maximum(needed, box.lower), box.upper)
    return Polytope(matrix, row_lower, row_upper, box.lower, high, lowered)


def _needed(
    matrix: sp.csr_array, row_lower: Array, row_upper: Array, lower: Array, upper: Array
) -> Array:
    """Most that the rows can need of a column that is free upwards; infinite where it is endless.

    A row that gets better when the column is lowered needs nothing of it. Any other needs at most
    what is missing when its other columns give the least.
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns, values = matrix.indices, matrix.data
    most = np.full(upper.size, -np.inf)
    for sense in (1.0, -1.0):
        # Rows "at least" with positive coefficients, and rows "at most" with negative ones.
        bound = row_lower if sense > 0 else -row_upper
        asked = np.where(np.isfinite(bound), bound, 0.0)
        factor = sense * values
        entry = (factor > 0) & np.isfinite(bound[rows]) & np.isinf(upper[columns])
        end = np.where(factor > 0, lower[columns], upper[columns])
        endless = np.isinf(end)
        part = factor * np.where(endless, 0.0, end)
        total, size, count = (
            np.bincount(rows, each, minlength=asked.size) for each in (part, np.abs(part), endless)
        )
        missing = asked[rows] - (total[rows] - part)
        missing = missing + OUTWARDS * (1 + np.abs(asked[rows]) + size[rows])
        alone = count[rows] - endless == 0
        need = np.where(alone, missing / np.where(entry, factor, 1.0), np.inf)
        np.maximum.at(most, columns[entry], need[entry])
    return most
