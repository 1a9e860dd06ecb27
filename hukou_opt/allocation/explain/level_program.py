"""The linear program of one level as it stood when the level was solved, before it was held."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from hukou_opt.allocation.certificate import inner
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.goals import Goal, Ratio
from hukou_opt.allocation.levels import Held, LevelSolver
from hukou_opt.allocation.objectives import InequalityIndex
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.session import Point, Session


@dataclass(frozen=True, eq=False)
class LevelProgram:
    """``min cost x + constant, row_lower <= A x <= row_upper, lower <= x <= upper`` of one level.

    Parameters
    ----------
    name : str
        The level.
    program : LinearProgram
        All rows and bounds of that moment: rules, held levels, rows of the indices; the names are
        those of the rules' rows, which come first.
    cost : ndarray, shape (column,)
        Cost row of the level; of the last step where the level is a ratio.
    constant : float
        Its constant.
    point : Point
        The proved optimum with its dual values.
    indices : tuple of InequalityIndex
        Indices that are exact in this level.
    held : tuple of Held
        Rows of the earlier levels.
    """

    name: str
    program: LinearProgram
    cost: Array
    constant: float
    point: Point
    indices: tuple[InequalityIndex, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def rules(self) -> int:
        """Number of rows that are rules or definitions; cuts and held levels come after them."""
        return len(self.program.row_names)

    @property
    def reduced(self) -> Array:
        """Reduced cost of every column at the optimum, shape (column,)."""
        y = self.point.row_dual
        reduced: Array = self.cost - self.program.matrix[: y.size].T @ y
        return reduced

    def session(self) -> Session:
        """A solver of its own for this program."""
        return Session(self.program)


def _padded(cost: Array, width: int) -> Array:
    """A cost row over all columns; columns that were added later cost nothing."""
    return np.concatenate([cost, np.zeros(width - cost.size)])


def _cost_of(run: LevelSolver, name: str, goal: Goal, point: Point) -> tuple[Array, float]:
    """Cost row whose dual values the point carries."""
    if isinstance(goal, Ratio):
        # Dinkelbach's last step, over the mean: its optimum is 0, and its prices are the ratio's.
        mean = inner(goal.mean, point.x[: goal.mean.size]) + goal.mean_constant
        cost = (goal.spread - point.value * goal.mean) / mean
        constant = (goal.spread_constant - point.value * goal.mean_constant) / mean
        return cost, constant + point.value
    return run.program.costs[name]


def snapshot(run: LevelSolver, name: str, goal: Goal, point: Point) -> LevelProgram:
    """The program of a level that has just been minimised and is not yet held.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    name : str
        The level.
    goal : Goal
        The level as it was minimised.
    point : Point
        Its optimum.
    """
    session = run.session
    matrix, rows = session.matrix, point.row_dual.size
    width = len(session.lower)
    cost, constant = _cost_of(run, name, goal, point)
    program = replace(
        run.program,
        # Rows are only ever added; those that came after the solve have no dual values.
        matrix=matrix if rows == matrix.shape[0] else sp.csr_array(matrix[:rows]),
        row_lower=session.row_lower[:rows].copy(),
        row_upper=session.row_upper[:rows].copy(),
        lower=session.lower.copy(),
        upper=session.upper.copy(),
    )
    levels = {held.level for held in run.held} | {name}
    return LevelProgram(
        name,
        program,
        _padded(cost, width),
        constant,
        point,
        tuple(index for index in run.program.indices if index.level in levels),
        tuple(run.held),
    )


class Watch:
    """Takes down the program of every level while an allocation is solved.

    Attributes
    ----------
    levels : dict of str to LevelProgram
        The levels in order.
    face : LevelProgram or None
        The program in which all levels are held, with the cost of the last one.
    """

    def __init__(self) -> None:
        self.levels: dict[str, LevelProgram] = {}
        self.face: LevelProgram | None = None
        self._last: tuple[str, Goal] | None = None

    def optimum(self, run: LevelSolver, name: str, goal: Goal, point: Point) -> None:
        """Take down a level that has been minimised and is not yet held."""
        self.levels[name] = snapshot(run, name, goal, point)
        self._last = (name, goal)

    def all_held(self, run: LevelSolver, point: Point) -> None:
        """Take down the program in which all levels are held."""
        if self._last is None:
            return
        name, goal = self._last
        session = run.session
        # The held rows are newer than the point: they have no dual values yet.
        zeros = np.zeros(len(session.row_lower))
        zeros[: point.row_dual.size] = point.row_dual
        self.face = snapshot(run, name, goal, replace(point, row_dual=zeros))
        self._last = None
