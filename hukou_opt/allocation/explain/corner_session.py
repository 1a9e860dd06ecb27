"""A solver that stands at a corner of the answers and moves along it."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.session import DUAL, PRIMAL, Session

#: Iterations after which a solve that goes on from the last corner is given up.
WARM_ITERATIONS = 3000
#: The same for one from nothing.
COLD_ITERATIONS = 60000


class CornerSession(Session):
    """A session that also gives its basis, and solves for cells without proving a level."""

    def basic(self) -> NDArray[np.int64] | None:
        """Basic variables by their place in the basis: columns, and rows as ``-1 - row``."""
        # The stubs of highspy leave out what belongs to the basis.
        solver: Any = self._solver
        status, basic = solver.getBasicVariables()
        if status == highspy.HighsStatus.kError:
            return None
        return np.asarray(basic, dtype=np.int64)

    def dual_of(self, right: Array) -> Array | None:
        """Solution y of ``B' y = right`` for the present basis B, shape (row,)."""
        solver: Any = self._solver
        status, y, *_ = solver.getBasisTransposeSolve(right)
        return None if status == highspy.HighsStatus.kError else np.asarray(y, dtype=float)

    def descend(self, cell: Array) -> tuple[Array, Array]:
        """Make a cell small, going on from the last corner.

        Parameters
        ----------
        cell : ndarray, shape (column,)
            Cost row.

        Returns
        -------
        x, y : ndarray
            Point reached and dual values; the smallest value only where these prove it.
        """
        self._solver.setOptionValue("simplex_strategy", PRIMAL)
        self._solver.setOptionValue("simplex_iteration_limit", WARM_ITERATIONS)
        return self._solved(cell)

    def start_again(self, cell: Array) -> tuple[Array, Array]:
        """The same from nothing, where going on has not ended."""
        self._solver.clearSolver()
        self._solver.setOptionValue("simplex_strategy", DUAL)
        self._solver.setOptionValue("simplex_iteration_limit", COLD_ITERATIONS)
        return self._solved(cell)

    def _solved(self, cell: Array) -> tuple[Array, Array]:
        index = np.arange(cell.size, dtype=np.int32)
        self._check(self._solver.changeColsCost(cell.size, index, cell), "set the cost row")
        self._run("simplex")
        solution = self._solver.getSolution()
        x = np.asarray(solution.col_value, dtype=float)
        y = np.asarray(solution.row_dual, dtype=float)
        # Without a solution there is no proof: dual values of 0 still bound by the columns' bounds.
        if x.size != cell.size:
            x = np.full(cell.size, np.nan)
        if y.size != len(self.row_lower):
            y = np.zeros(len(self.row_lower))
        return x, y
