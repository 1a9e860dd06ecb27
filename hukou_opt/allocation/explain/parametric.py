r"""How a level moves when a lever moves: one-sided prices and the range in which they hold.

The optimum V of a level is a convex, piecewise linear function of a lever that only moves bounds.
Every solve at a position gives a supporting line: its value and, from its dual values, its slope.
Two lines that meet where V itself lies end a piece; else V is solved where they meet, and so on
until the piece at 0 is found on either side. The price is unique where both sides have one slope;
else it is the slope of the left side for a little less and that of the right side for a little
more: the smallest and largest price over the optimal dual face.

References
----------
Eisner and Severance (1976), Mathematical techniques for efficient record segmentation in large
shared databases, Journal of the ACM 23 (the search for the pieces); Gal (1995), Postoptimal
Analyses, Parametric Programming, and Related Topics (prices of degenerate programs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.certificate import inner
from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.explain.levers import Direction
from hukou_opt.allocation.index_values import IndexValues
from hukou_opt.allocation.levels import CUT_TOLERANCE
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.session import Point, Session
from hukou_opt.errors import Fault, InfeasibleError, SolveError

#: Difference of level values, relative to 1 + the value, up to which two lines are one: what the
#: rows of the indices leave open.
SAME = 5e-7
#: Solves on one side of 0 after which the range is given as an interval of its own.
MOST_SOLVES = 12
#: What broken indices may add to a level, relative to 1 + its value, before rows are added.
MATTERS = 1e-7
MOST_CUT_ROUNDS = 40
#: Halvings of the way towards a position at which the level has an optimum.
HALVINGS = 4
#: Seconds for one solve.
TIME_LIMIT = 20.0


@dataclass(frozen=True)
class Line:
    """A supporting line of the level's optimum: position of the lever, value, slope there."""

    at: float
    value: float
    slope: float

    def reach(self, position: float) -> float:
        """Height of the line at a position."""
        return self.value + self.slope * (position - self.at)


@dataclass(frozen=True)
class Side:
    """One side of the present amount of a lever.

    Parameters
    ----------
    slope : float
        Change of the level per unit of the lever on this side of 0.
    until : float
        Distance up to which the slope holds for certain, in units of the lever.
    not_beyond : float
        Distance beyond which it does not hold; infinite where the search ended before.
    blocked : bool
        Whether the lever cannot move this way at all, because the rules then contradict.
    """

    slope: float
    until: float
    not_beyond: float
    blocked: bool = False


@dataclass(frozen=True)
class PriceRange:
    """Price of a lever in one level: the fall of the level per unit more of the lever.

    Parameters
    ----------
    less, more : Side
        The sides of the present amount; slopes are changes of the level per unit more.
    solves : int
        Solves that it took.
    """

    less: Side
    more: Side
    solves: int

    @property
    def low(self) -> float:
        """Smaller of the two one-sided prices."""
        return min(-self.less.slope, -self.more.slope)

    @property
    def high(self) -> float:
        """Larger of the two one-sided prices."""
        return max(-self.less.slope, -self.more.slope)

    def unique(self, *, relative: float = 1e-3, least: float = 1e-9) -> bool:
        """Whether both sides have the same price."""
        return self.high - self.low <= max(least, relative * max(abs(self.high), abs(self.low)))


def slope_of(level: LevelProgram, point: Point, direction: Direction) -> float:
    """Change of a level's optimum per unit of a lever, from the dual values of a solve.

    ``y . d(row bounds) + z . d(column bounds) - y . dA x``: each dual value prices the bound that
    its sign points to.
    """
    rules = level.rules
    y = point.row_dual[:rules]
    z = level.cost - level.program.matrix[: point.row_dual.size].T @ point.row_dual
    return _slope(y, z, point.x, direction)


def _slope(y: Array, z: Array, x: Array, direction: Direction) -> float:
    columns = direction.lower.size
    slope = inner(y, np.where(y > 0, direction.row_lower, direction.row_upper))
    slope += inner(z[:columns], np.where(z[:columns] > 0, direction.lower, direction.upper))
    if direction.matrix is not None:
        slope -= inner(y, direction.matrix @ x[:columns])
    return slope


class ValueOf:
    """Optimum of one level as a function of the position of one lever.

    Parameters
    ----------
    level : LevelProgram
        The level before it is held.
    """

    def __init__(self, level: LevelProgram) -> None:
        self.level = level
        self.session: Session = level.session()
        # A position that no solve reaches ends the search; it is no reason to try everything.
        self.session.brief = True
        self.session.time_limit = TIME_LIMIT
        self._values = IndexValues(level.indices)
        self.solves = 0
        self._cuts: set[tuple[str, bytes]] = set()
        self._held: dict[int, Array] = {}

    def move(self, direction: Direction, position: float) -> None:
        """Put a lever at a position; 0 is the present amount."""
        program, rules = self.level.program, self.level.rules
        rows = np.flatnonzero((direction.row_lower != 0) | (direction.row_upper != 0))
        if rows.size:
            self.session.bound_rows(
                rows,
                program.row_lower[:rules][rows] + position * direction.row_lower[rows],
                program.row_upper[:rules][rows] + position * direction.row_upper[rows],
            )
        columns = np.flatnonzero((direction.lower != 0) | (direction.upper != 0))
        if columns.size:
            self.session.bound_columns(
                columns,
                program.lower[columns] + position * direction.lower[columns],
                program.upper[columns] + position * direction.upper[columns],
            )

    def solve(self, direction: Direction, position: float) -> Line:
        """The supporting line at a position, with all indices of the level exact.

        Raises
        ------
        InfeasibleError
            If the rules contradict each other at this position.
        SolveError
            If the level is not solved, or its indices do not settle.
        """
        self.move(direction, position)
        level = self.level
        for _ in range(MOST_CUT_ROUNDS):
            self.solves += 1
            point = self.session.minimise(level.cost, level.constant, name=level.name, near=True)
            y = point.row_dual
            z = level.cost - self.session.matrix.T @ y
            if not self._separate(point.x, y):
                return Line(position, point.value, _slope(y[: level.rules], z, point.x, direction))
        raise SolveError(
            Fault(f"level {level.name!r}", "inequality rows do not settle", "report this as a bug")
        )

    def _held_row(self, row: int) -> Array:
        if row not in self._held:
            self._held[row] = self.level.program.matrix[[row]].toarray().ravel()
        return self._held[row]

    def _separate(self, x: Array, y: Array) -> int:
        """Add the rows of the indices that a point breaks, where that matters to the level."""
        columns, level = self._values.columns, self.level
        if not columns.size:
            return 0
        above = np.maximum(self._values.at(x) - x[columns], 0.0)
        # What an index costs: in the level itself, and through the held levels.
        dearer = np.abs(level.cost[columns])
        for held in level.held:
            dearer += np.abs(y[held.row] * self._held_row(held.row)[columns])
        if inner(dearer, above) <= MATTERS * (1 + abs(inner(level.cost, x) + level.constant)):
            return 0
        added = 0
        for index, gap in zip(level.indices, above, strict=True):
            order = index.order(x)
            key = (index.name, order.tobytes())
            if gap > CUT_TOLERANCE / 2 and key not in self._cuts:
                self._cuts.add(key)
                columns = np.append(index.cells, index.column)
                values = np.append(-index.cut(order), 1.0)
                self.session.add_row(columns, values, 0.0, np.inf)
                added += 1
        return added


def price_range(value: ValueOf, direction: Direction, reach: float) -> PriceRange:
    """One-sided prices of a lever and the range in which they hold.

    Parameters
    ----------
    value : ValueOf
        The level.
    direction : Direction
        What one unit of the lever moves; bounds only.
    reach : float
        Largest distance that is looked at, in units of the lever.

    Raises
    ------
    SolveError
        If the level cannot be solved at its present amount, or the lever moves coefficients.
    """
    before = value.solves
    here = value.solve(direction, 0.0)
    more = _side(value, direction, here, reach)
    less = _side(value, direction, here, -reach)
    value.move(direction, 0.0)
    return PriceRange(less, more, value.solves - before)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= SAME * (1 + abs(b))


def _side(value: ValueOf, direction: Direction, here: Line, reach: float) -> Side:
    """The piece of the optimum that begins at 0 and goes towards `reach`."""
    far, beyond, blocked = reach, np.inf, False
    line = None
    for _ in range(HALVINGS):
        try:
            line = value.solve(direction, far)
            break
        except InfeasibleError:
            # So far the lever cannot move; halfway it may.
            far, beyond, blocked = far / 2, abs(far), True
        except SolveError:
            far = far / 2
    if line is None:
        return Side(here.slope, 0.0, beyond, blocked)
    base, met = here, False
    for _ in range(MOST_SOLVES):
        if _close(line.value, base.value + base.slope * line.at):
            # Where two lines meet on the optimum, one piece ends and the next begins.
            return Side(base.slope, abs(line.at), abs(line.at) if met else beyond, blocked)
        if _close(line.reach(0.0), base.value):
            # The line from 0 to this position is the optimum: the slope on this side is another.
            return Side(line.slope, abs(line.at), beyond)
        beyond = min(beyond, abs(line.at))
        meet = (base.value - line.reach(0.0)) / (line.slope - base.slope)
        try:
            line, met = value.solve(direction, meet), True
        except SolveError:
            break
    return Side(base.slope, 0.0, beyond)
