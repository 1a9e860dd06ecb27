r"""A lower bound of an optimum that rounding errors cannot break.

For any vector y, with :math:`z = c - A^T y`, every feasible x has

.. math:: c\,x = y\,A x + z\,x \ge \sum_i \min_{L_i \le r \le U_i} y_i r
          + \sum_j \min_{l_j \le x_j \le u_j} z_j x_j ,

so the right-hand side is a lower bound of the optimum however y was found. Entries of y that point
to a missing bound are left out. z is known up to rounding: each :math:`z_j` is replaced by the
interval that its error allows, which needs finite bounds of x_j even where the true z_j is 0. Where
a column has none, the rows give one: each row bounds each of its columns once the others have
bounds, and only points that cost no more than the one known need be looked at.

All errors are bounded in advance (n operations of double precision differ from the true value by
less than n u / (1 - n u) of the sum of sizes), not by the rounding mode of the machine.

References
----------
Neumaier and Shcherbina (2004), Safe bounds in linear and mixed-integer linear programming;
Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Unit roundoff of double precision.
ROUNDOFF = 2.0**-53
#: A bound that rows give is moved outwards by this part of the sizes it was computed from: far more
#: than rounding, and of no account beside a reduced cost that is zero but for rounding.
OUTWARDS = 1e-9
#: A point may cost this much more than the known one, relative to 1 + its cost, to be looked at.
DEARER = 1e-3
#: Dual values, relative to the largest, that may be left out.
NOISE = 1e-7
#: Rounds in which rows give bounds; each carries them one row further.
MOST_ROUNDS = 30


def _gamma(operations: NDArray[np.integer] | int) -> Array:
    """Relative error of a sum of products after so many operations."""
    error = np.asarray(operations, dtype=float) * ROUNDOFF
    return error / (1 - error)


@dataclass(frozen=True)
class Box:
    """Bounds of all columns, shape (column,) each; infinite where nothing gives one.

    Points that cost more than `cutoff` may lie outside.
    """

    lower: Array
    upper: Array
    cutoff: float = np.inf


def implied_box(
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
    *,
    needed: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> Box:
    """Finite bounds of columns that have none, from the rows.

    Parameters
    ----------
    matrix : csr_array, shape (row, column)
        Row coefficients.
    row_lower, row_upper : ndarray, shape (row,)
        Row bounds.
    lower, upper : ndarray, shape (column,)
        Column bounds.
    needed : pair of ndarray of bool, shape (column,), optional
        Lower and upper bounds that are asked for; it ends when they are there.

    Returns
    -------
    Box
        Every feasible point lies inside; given bounds are kept as they are.
    """
    lower, upper = lower.copy(), upper.copy()
    need_low, need_high = (np.isinf(lower), np.isinf(upper)) if needed is None else needed
    a, column = matrix.data, matrix.indices
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    kept = a != 0
    for _ in range(MOST_ROUNDS):
        open_low, open_high = np.isinf(lower), np.isinf(upper)
        if not ((need_low & open_low).any() or (need_high & open_high).any()):
            break
        # Rows whose columns all have bounds have nothing to give.
        open_row = np.zeros(matrix.shape[0], dtype=bool)
        open_row[row[open_low[column] | open_high[column]]] = True
        kept = kept & open_row[row]
        a, column, row, kept = a[kept], column[kept], row[kept], kept[kept]
        found_low, found_high = _row_bounds(a, column, row, row_lower, row_upper, lower, upper)
        # The first bound is enough: it is multiplied by a reduced cost that is 0 but for rounding.
        new_low, new_high = open_low & np.isfinite(found_low), open_high & np.isfinite(found_high)
        if not (new_low.any() or new_high.any()):
            break
        lower[new_low], upper[new_high] = found_low[new_low], found_high[new_high]
    return Box(lower, upper)


def _row_bounds(
    a: Array,
    column: NDArray[np.int32],
    row: NDArray[np.int64],
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
) -> tuple[Array, Array]:
    """Bounds that single rows give to each column, infinite where none does."""
    rows = len(row_lower)
    low, high = lower[column], upper[column]
    found_low, found_high = np.full(len(lower), -np.inf), np.full(len(upper), np.inf)
    least = np.where(a > 0, a * low, a * high)
    most = np.where(a > 0, a * high, a * low)
    for sign, ends, bound in ((1.0, least, row_upper), (-1.0, -most, -row_lower)):
        # sign a x <= bound, and `ends` is the least that each term can be.
        endless = np.isinf(ends)
        finite = np.where(endless, 0.0, ends)
        count = np.bincount(row, endless, minlength=rows)
        total = np.bincount(row, finite, minlength=rows)
        size = np.bincount(row, np.abs(finite), minlength=rows)
        alone = (count[row] == 0) | ((count[row] == 1) & endless)
        use = alone & np.isfinite(bound[row])
        at, coefficient = row[use], sign * a[use]
        rest = bound[at] - (total[at] - finite[use])
        room = OUTWARDS * (np.abs(bound[at]) + size[at]) + np.finfo(float).tiny
        limit = (rest + room) / coefficient
        upwards = coefficient > 0
        np.minimum.at(found_high, column[use][upwards], limit[upwards])
        np.maximum.at(found_low, column[use][~upwards], limit[~upwards])
    # Outwards once more, for the division.
    real = np.isfinite(found_high)
    found_high[real] += OUTWARDS * np.abs(found_high[real])
    real = np.isfinite(found_low)
    found_low[real] -= OUTWARDS * np.abs(found_low[real])
    return found_low, found_high


def usable(y: Array, row_lower: Array, row_upper: Array) -> Array:
    """Dual values without those that point to a missing bound."""
    missing = np.where(y > 0, np.isinf(row_lower), np.isinf(row_upper))
    return np.where(missing, 0.0, y)


def box_for(
    cost: Array,
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
    cutoff: float,
    needed: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> Box:
    """Bounds of the columns for the points that cost no more than `cutoff`.

    Parameters
    ----------
    cost, matrix, row_lower, row_upper, lower, upper
        As in `safe_bound`.
    cutoff : float
        Cost up to which points are looked at.
    needed : pair of ndarray of bool, shape (column,)
        Lower and upper bounds that reduced costs call for.
    """
    if not ((needed[0] & np.isinf(lower)).any() or (needed[1] & np.isinf(upper)).any()):
        return Box(lower, upper)
    rows = sp.csr_array(sp.vstack([matrix, sp.csr_array(cost[None, :])], format="csr"))
    box = implied_box(
        rows,
        np.append(row_lower, -np.inf),
        np.append(row_upper, cutoff),
        lower,
        upper,
        needed=needed,
    )
    return replace(box, cutoff=cutoff)


def bounded_duals(
    cost: Array,
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
    y: Array,
    cutoff: float,
) -> tuple[Array, Box]:
    """Dual values whose reduced costs call for no bound that is not there, and the bounds.

    A solver leaves tiny prices on rows that price nothing. Where such a row has a column without
    any bound, it is given no price: any dual values are as valid.

    Parameters
    ----------
    cost, matrix, row_lower, row_upper, lower, upper
        As in `safe_bound`.
    y : ndarray, shape (row,)
        Dual values.
    cutoff : float
        Cost up to which points are looked at.
    """
    y = usable(y, row_lower, row_upper).copy()
    small = NOISE * float(np.abs(y).max(initial=0.0))
    by_column = sp.csc_array(matrix)
    while True:
        middle, error = _reduced(cost, matrix, y)
        needed = middle + error > 0, middle - error < 0
        box = box_for(cost, matrix, row_lower, row_upper, lower, upper, cutoff, needed)
        bad = (needed[0] & np.isinf(box.lower)) | (needed[1] & np.isinf(box.upper))
        rows = np.unique(by_column[:, np.flatnonzero(bad)].indices)
        rows = rows[(y[rows] != 0) & (np.abs(y[rows]) <= small)]
        if not rows.size:
            return y, box
        y[rows] = 0.0


def _reduced(cost: Array, matrix: sp.csr_array, y: Array) -> tuple[Array, Array]:
    """Reduced costs, and bounds of their rounding errors."""
    by_column = matrix.T
    reduced: Array = cost - by_column @ y
    size = np.abs(cost) + abs(by_column) @ np.abs(y)
    entries = np.bincount(matrix.indices, minlength=len(cost)) + 3
    return reduced, _gamma(entries) * size


def cutoff_of(objective: float) -> float:
    """Cost up to which points are looked at, given the cost of a known one."""
    return objective + DEARER * (1 + abs(objective))


def safe_bound(
    cost: Array,
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
    y: Array,
    objective: float,
) -> float:
    """Lower bound of ``min cost x`` that holds in exact arithmetic.

    Parameters
    ----------
    cost : ndarray, shape (column,)
        Cost row.
    matrix : csr_array, shape (row, column)
        Row coefficients.
    row_lower, row_upper : ndarray, shape (row,)
        Row bounds.
    lower, upper : ndarray, shape (column,)
        Column bounds.
    y : ndarray, shape (row,)
        Any dual values; good ones give a good bound.
    objective : float
        Cost of a known point: dearer ones are of no interest. Where the true optimum is dearer, the
        bound holds all the more.

    Returns
    -------
    float
        The bound; minus infinity where a column that needs a bound has none.
    """
    y, box = bounded_duals(
        cost, matrix, row_lower, row_upper, lower, upper, y, cutoff_of(objective)
    )
    middle, error = _reduced(cost, matrix, y)
    rows = y * np.where(y > 0, np.where(y > 0, row_lower, 0.0), np.where(y < 0, row_upper, 0.0))
    terms = np.minimum(_least(middle - error, box), _least(middle + error, box))
    if not np.isfinite(terms).all():
        return -np.inf
    total = float(rows.sum() + terms.sum())
    size = float(np.abs(rows).sum() + np.abs(terms).sum())
    return min(total - float(_gamma(len(rows) + len(terms) + 3)) * size, box.cutoff)


def _least(z: Array, box: Box) -> Array:
    """Smallest ``z x`` inside the box; 0 where z is."""
    bound = np.where(z > 0, box.lower, box.upper)
    product: Array = np.multiply(z, bound, out=np.zeros_like(z), where=z != 0)
    return product
