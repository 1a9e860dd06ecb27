r"""Proof of an optimum, recomputed from the numbers without the solver.

For ``min c x, L <= A x <= U, l <= x <= u`` and a dual vector y, the reduced costs are
:math:`z = c - A^T y`; the dual objective takes, for every y and z, the bound that its sign points
to. Weak duality makes it a lower bound of every feasible objective; so feasibility, right signs
and equal objectives prove the optimum.

The gap alone proves little: a changed x leaves it nearly unmoved while the row residual jumps.
All four figures are therefore checked together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.errors import CertificateError, Fault

Array = NDArray[np.float64]

#: Largest residual and relative gap of a certified solve.
LIMIT = 1e-6


@dataclass(frozen=True)
class Certificate:
    """Residuals of one solve; each is 0 at an exact optimum.

    Parameters
    ----------
    name : str
        The solve.
    primal_residual : float
        Largest violation of a row or column bound, relative to 1 + the size of the bound.
    dual_residual : float
        Largest dual value that points to a missing bound, relative to 1 + the largest cost.
    complementarity : float
        Sum of dual value times distance from its bound, relative to 1 + the objective.
    relative_gap : float
        Distance of primal and dual objective, relative to 1 + the objective.
    objective : float
        Objective in the scale of the solve.
    safe_gap : float
        Distance of the objective from a lower bound that rounding cannot break, relative to 1 + the
        objective; not a number where it was not asked for. See `safe_bound`.
    """

    name: str
    primal_residual: float
    dual_residual: float
    complementarity: float
    relative_gap: float
    objective: float
    safe_gap: float = float("nan")

    @property
    def worst(self) -> float:
        """Largest of the four figures."""
        return float(
            np.max(
                [
                    self.primal_residual,
                    self.dual_residual,
                    self.complementarity,
                    self.relative_gap,
                ]
            )
        )

    @property
    def holds(self) -> bool:
        """Whether all four figures are within `LIMIT`."""
        return bool(np.isfinite(self.worst) and self.worst <= LIMIT)

    def require(self) -> None:
        """Raise CertificateError unless the certificate holds."""
        if self.holds:
            return
        faults = [
            Fault(f"solve {self.name!r}", f"{label} is {value:.3g}, limit {LIMIT:g}", advice)
            for label, value, advice in (
                ("primal residual", self.primal_residual, "a row or bound is violated"),
                ("dual residual", self.dual_residual, "a dual value has the wrong sign"),
                ("complementarity", self.complementarity, "a priced bound is not reached"),
                ("relative gap", self.relative_gap, "primal and dual objective differ"),
            )
            if not value <= LIMIT
        ]
        raise CertificateError(faults)


def inner(a: Array, b: Array) -> float:
    """Inner product without threads: the same digits on every machine, and faster at this size."""
    return float((a * b).sum())


def _violation(values: Array, lower: Array, upper: Array) -> float:
    worst = 0.0
    for sign, bound in ((1.0, lower), (-1.0, upper)):
        real = np.isfinite(bound)
        miss = sign * (bound[real] - values[real]) / (1 + np.abs(bound[real]))
        worst = max(worst, float(miss.max(initial=0.0)))
    return worst


def _pointed(dual: Array, values: Array, lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """Bound that each dual value points to, distance from it, and duals that point to none."""
    bound = np.where(dual > 0, lower, upper)
    missing = ~np.isfinite(bound)
    bound = np.where(missing, values, bound)
    return bound, np.abs(values - bound), np.where(missing, np.abs(dual), 0.0)


def certify(
    cost: Array,
    matrix: sp.csr_array,
    row_lower: Array,
    row_upper: Array,
    lower: Array,
    upper: Array,
    x: Array,
    y: Array,
    *,
    name: str = "solve",
) -> Certificate:
    """Recompute feasibility, dual signs, complementarity and gap.

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
    x : ndarray, shape (column,)
        Primal values.
    y : ndarray, shape (row,)
        Dual values; positive ones price the lower bound.
    name : str, optional
        Name of the solve.

    Returns
    -------
    Certificate
        The four figures; infinite where any number is not finite or a bound is not a number.
    """
    numbers = (cost, matrix.data, x, y)
    bounds = (row_lower, row_upper, lower, upper)
    if not all(np.isfinite(a).all() for a in numbers) or any(np.isnan(a).any() for a in bounds):
        return Certificate(name, np.inf, np.inf, np.inf, np.inf, float("nan"))
    rows = matrix @ x
    z = cost - matrix.T @ y
    objective = inner(cost, x)
    size = 1 + abs(objective)
    row_bound, row_distance, row_missing = _pointed(y, rows, row_lower, row_upper)
    column_bound, column_distance, column_missing = _pointed(z, x, lower, upper)
    dual_objective = inner(y, row_bound) + inner(z, column_bound)
    complementarity = inner(np.abs(y), row_distance) + inner(np.abs(z), column_distance)
    wrong = max(row_missing.max(initial=0.0), column_missing.max(initial=0.0))
    return Certificate(
        name,
        max(_violation(rows, row_lower, row_upper), _violation(x, lower, upper)),
        float(wrong) / (1 + float(np.abs(cost).max(initial=0.0))),
        complementarity / size,
        abs(objective - dual_objective) / size,
        objective,
    )
