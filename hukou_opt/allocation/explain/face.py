"""The answers that keep every level within its limit, as one program to move in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.explain.corner_session import CornerSession
from hukou_opt.allocation.explain.dual_bound import Polytope, polytope
from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.levels import Held
from hukou_opt.allocation.problem import Array
from hukou_opt.errors import Fault, SolveError

#: Distance from a bound, relative to its size, at which a value lies on it.
ON_BOUND = 1e-9
#: Reduced cost below which moving away from a bound costs nothing.
FREE = 1e-11


@dataclass(frozen=True, eq=False)
class Corner:
    """One corner of the answers, best in the last level, with what leaving it costs that level.

    A corner is given by the columns and rows that lie on a bound. Any answer is the corner plus
    steps away from these bounds; every step has a price in the last level, and that level may give
    up no more than `room`. So what a cell can change is at most the room times the largest ratio of
    the cell's change to the step's price: one proof for each cell, from one solve for all.

    Parameters
    ----------
    session : CornerSession
        Solver that stands at the corner.
    face : Polytope
        All rows, the last level's included.
    x : ndarray, shape (column,)
        The corner.
    y : ndarray, shape (row,)
        Dual values of the last level there.
    prices : ndarray, shape (column + row,)
        Price of a step of every column, then of every row; 0 for those not on a bound.
    sign : ndarray, shape (column + row,)
        1 where a step goes up from a lower bound, -1 where down from an upper one, 0 where there
        is no step.
    place : ndarray of int, shape (column + row,)
        Position in the basis; -1 for those on a bound.
    row : int
        Row that holds the last level.
    scale : float
        Factor between the row and the level's cost.
    """

    session: CornerSession
    face: Polytope
    x: Array
    y: Array
    prices: Array
    sign: Array
    place: NDArray[np.int64]
    row: int
    scale: float

    def proof(self, cell: Array) -> tuple[float, Array] | None:
        """Lower bound of a cell over all answers, and the dual values that prove it.

        Parameters
        ----------
        cell : ndarray, shape (column,)
            The cell as a sum of columns; its negative bounds it from above.

        Returns
        -------
        tuple of float and ndarray, or None
            None where some step changes the cell and costs the last level nothing.
        """
        columns = cell.size
        right = np.zeros(len(self.y))
        used = np.flatnonzero(cell)
        inside = self.place[used] >= 0
        right[self.place[used[inside]]] = cell[used[inside]]
        y = self.session.dual_of(right)
        if y is None:
            return None
        change = np.empty(self.prices.size)
        change[:columns] = cell - self.face.matrix.T @ y
        change[columns:] = y
        # What one step away from the bound does to the cell; only falls count.
        falls = np.where(self.place < 0, np.minimum(self.sign * change, 0.0), 0.0)
        falls[falls > -FREE] = 0.0
        free = (falls < 0) & (self.prices <= FREE)
        if free.any():
            return None
        ratio = np.divide(-falls, self.prices, out=np.zeros_like(falls), where=self.prices > FREE)
        factor = float(ratio.max(initial=0.0))
        dual = y + factor * self.y
        dual[self.row] = -factor * self.scale
        return self.face.lowest(cell, dual), dual

    def hold(self) -> None:
        """Hold the last level in the solver; from here on it may leave the corner."""
        at = np.array([self.row])
        self.session.bound_rows(at, np.array([-np.inf]), self.face.row_upper[at])


def limited(face: LevelProgram, limits: Mapping[str, float]) -> LevelProgram:
    """The program with other limits of its held levels.

    Parameters
    ----------
    face : LevelProgram
        All levels held.
    limits : mapping of str to float
        Limit of each level by its name, in the level's own unit, as a loss. Levels that are not
        named keep theirs, and so do ratios and leximin, whose rows have the limit in their
        coefficients.
    """
    upper = face.program.row_upper.copy()
    held = []
    for each in face.held:
        limit = each.limit
        if each.stage in limits and each.stage == each.level and plain(face, each):
            limit = limits[each.stage] - face.program.costs[each.level][1]
            upper[each.row] = limit / each.scale
        held.append(replace(each, limit=limit))
    program = replace(face.program, row_upper=upper)
    return replace(face, program=program, held=tuple(held))


def plain(face: LevelProgram, held: Held) -> bool:
    """Whether a held row is the level's own cost row."""
    cost, _ = face.program.costs[held.level]
    used = np.flatnonzero(cost)
    return np.array_equal(used, held.columns) and np.array_equal(cost[used], held.cost)


def polytope_of(face: LevelProgram) -> Polytope:
    """Rows and bounds of the program, for proofs."""
    program = face.program
    return polytope(
        program.matrix, program.row_lower, program.row_upper, program.lower, program.upper
    )


def _last(face: LevelProgram) -> Held | None:
    """Row that holds the last level, where one row does and it is the level's own cost row."""
    rows = [each for each in face.held if each.stage == face.name]
    return rows[0] if len(rows) == 1 and plain(face, rows[0]) else None


def corner(face: LevelProgram) -> Corner | None:
    """The best answer of the last level among those that keep all earlier ones.

    Parameters
    ----------
    face : LevelProgram
        All levels held.

    Returns
    -------
    Corner or None
        None where the last level is held by more rows than one, or where the solver gives no
        basis: then nothing is priced by it.

    Raises
    ------
    SolveError
        If the last level is not solved.
    """
    last = _last(face)
    if last is None:
        return None
    session = CornerSession(face.program)
    row = np.array([last.row])
    session.bound_rows(row, np.array([-np.inf]), np.array([np.inf]))
    point = session.minimise(face.cost, face.constant, name=face.name)
    if point.value - face.constant > last.limit + 1e-6 * (1 + abs(last.limit)):
        raise SolveError(
            Fault(
                f"level {face.name!r}",
                f"cannot be within its limit ({point.value:.9g} against "
                f"{last.limit + face.constant:.9g})",
                "the answer was made from other inputs; run the experiment again",
            )
        )
    basic = session.basic()
    if basic is None:
        return None
    y = point.row_dual
    z = face.cost - session.matrix.T @ y
    values = np.concatenate([point.x, session.matrix @ point.x])
    lower = np.concatenate([session.lower, session.row_lower])
    upper = np.concatenate([session.upper, session.row_upper])
    duals = np.concatenate([z, y])
    columns, total = len(session.lower), values.size
    place = np.full(total, -1, dtype=np.int64)
    place[np.where(basic >= 0, basic, columns - 1 - basic)] = np.arange(basic.size)
    return Corner(
        session,
        polytope_of(face),
        point.x,
        y,
        np.where(place < 0, np.abs(duals), 0.0),
        _steps(values, lower, upper, duals, place),
        place,
        last.row,
        last.scale,
    )


def _steps(
    values: Array, lower: Array, upper: Array, duals: Array, place: NDArray[np.int64]
) -> Array:
    """Direction in which what lies on a bound can move: 1 up, -1 down, 0 not at all."""
    room = ON_BOUND * (1 + np.abs(values))
    at_upper = np.abs(values - upper) <= room
    at_lower = np.abs(values - lower) <= room
    down = np.where(np.abs(duals) > FREE, duals < 0, at_upper & ~at_lower)
    step = np.where(down, -1.0, 1.0)
    fixed = upper <= lower
    # What is fixed cannot move; in the basis nothing steps by itself.
    step = np.where(fixed | (place >= 0), 0.0, step)
    result: Array = step
    return result
