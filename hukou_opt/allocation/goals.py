"""Three kinds of levels: a sum, a ratio, and the worst-off first; each is minimised and held.

A ratio of linear functions N/D with D > 0 is made small by Dinkelbach's method: with the ratio of
the last point as factor q, ``N - q D`` is minimised; where its optimum is 0, no point has a smaller
ratio, and else the new point has. Every step starts from the last one's basis. The level is held by
the linear row ``N - q D <= 0``.

Leximin lowers a ceiling over all cells. Where the row of a cell has a price, every optimum has that
cell at the ceiling: the cell is fixed there and the others go on.

References
----------
Dinkelbach (1967), On nonlinear fractional programming; Ogryczak, Pioro and Tomaszewski (2005),
Telecommunications network design and max-min optimization problem.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import inner
from hukou_opt.allocation.levels import ABSOLUTE_HOLD, LevelSolver, held_at
from hukou_opt.allocation.objectives import INDICES, MEASURES, mean_name
from hukou_opt.allocation.objectives.terms import column_name, pools_of, term_names
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.session import Point
from hukou_opt.allocation.spec import LevelSpec
from hukou_opt.errors import Fault, SolveError

#: A ratio is settled when a step improves it by less than this.
RATIO_TOLERANCE = 1e-7
#: A ratio, which lies between 0 and 1, is held within this: no published coefficient shows the
#: difference, and with less room around full equality later levels cannot be solved reliably.
RATIO_ROOM = 1e-4
#: Mean below which a ratio has no value, in the unit of the quantity.
SMALLEST_MEAN = 1e-9
MOST_STEPS = 60
#: Price of a cell's row, of all cells together 1, from which on the cell is at the ceiling.
PRICED_CELL = 1e-6
#: Room that a fixed cell leaves to the solver.
STEP = 1e-7


class Goal(Protocol):
    """A level that can be minimised, held and read at a point."""

    name: str
    #: Smallest room that later levels have around the level's optimum.
    least_room: float

    def minimise(self) -> Point:
        """The level's optimum."""
        ...

    def hold(self, stage: str, limit: float) -> None:
        """Keep the level at or below a limit from now on."""
        ...

    def value(self, x: Array) -> float:
        """The level at a point."""
        ...

    def noise(self, x: Array) -> float:
        """How exactly a point of the program tells the level's value."""
        ...


class Sum:
    """A level that is one linear expression.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    name : str
        The level.
    near : bool, optional
        Whether it only chooses near the optimum of the level before.
    """

    least_room = ABSOLUTE_HOLD

    def __init__(self, run: LevelSolver, name: str, *, near: bool = False) -> None:
        self.run, self.name, self.near = run, name, near

    def minimise(self) -> Point:
        """One program."""
        return self.run.minimise(self.name, near=self.near)

    def hold(self, stage: str, limit: float) -> None:
        """One row."""
        cost, constant = self.run.program.costs[self.name]
        self.run.hold(stage, self.name, cost, limit - constant)

    def value(self, x: Array) -> float:
        """The expression at a point."""
        cost, constant = self.run.program.costs[self.name]
        return inner(cost, x) + constant

    def noise(self, x: Array) -> float:
        """Twice the tolerance of held levels."""
        return 2 * ABSOLUTE_HOLD * max(1.0, abs(self.value(x)))


class Ratio:
    """A level that is a spread over a mean.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    name : str
        The level.
    """

    least_room = RATIO_ROOM

    def __init__(self, run: LevelSolver, name: str) -> None:
        self.run, self.name = run, name
        self.spread, self.spread_constant = run.program.costs[name]
        self.mean, self.mean_constant = run.program.costs[mean_name(name)]

    def _parts(self, x: Array) -> tuple[float, float]:
        return (
            inner(self.spread, x) + self.spread_constant,
            inner(self.mean, x) + self.mean_constant,
        )

    def minimise(self) -> Point:
        """Programs with a falling factor, from the point with the largest mean.

        Raises
        ------
        SolveError
            If the mean cannot be above 0, or if the steps do not end.
        """
        start = self.run.minimise(self.name, -self.mean, -self.mean_constant, note=False)
        x = self.run.exact(self.name, start.x)
        for _ in range(MOST_STEPS):
            spread, mean = self._parts(x)
            if mean <= SMALLEST_MEAN:
                break
            ratio = spread / mean
            cost = self.spread - ratio * self.mean
            constant = self.spread_constant - ratio * self.mean_constant
            point = self.run.minimise(self.name, cost, constant, note=False)
            if -point.value <= RATIO_TOLERANCE * mean:
                # Nothing at all is as good in the last step; the ratio is of the point before.
                point = self.run.stay(self.name, cost, constant, x, point)
                self.run.note(self.name, cost, point)
                # The price of a row in the ratio: its price in the step's cost, over the mean.
                return replace(point, value=max(0.0, ratio), row_dual=point.row_dual / mean)
            x = self.run.exact(self.name, point.x)
        else:
            raise SolveError(Fault(f"level {self.name!r}", "does not settle", "see the inputs"))
        raise SolveError(
            Fault(
                f"level {self.name!r}",
                f"divides by a mean that cannot be above 0 ({mean:.3g})",
                "nothing is there to be shared: see the money and the years",
            )
        )

    def hold(self, stage: str, limit: float) -> None:
        """The row ``N - limit D <= 0``."""
        cost = self.spread - limit * self.mean
        constant = self.spread_constant - limit * self.mean_constant
        self.run.hold(stage, self.name, cost, -constant)

    def value(self, x: Array) -> float:
        """The ratio at a point."""
        spread, mean = self._parts(x)
        return spread / mean if mean > SMALLEST_MEAN else 0.0

    def noise(self, x: Array) -> float:
        """Twice the tolerance of the spread, over the mean."""
        return 2 * ABSOLUTE_HOLD / max(self._parts(x)[1], SMALLEST_MEAN)


class Leximin:
    """A level that makes the worst-off cell small, then the next, down to the best-off.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    name : str
        The level.
    columns : ndarray of int, shape (cell,)
        Columns of the cells.
    below : ndarray of int, shape (cell,)
        Rows that keep each cell's loss below the ceiling.
    sign : float
        Factor that turns a column into a loss.
    """

    least_room = ABSOLUTE_HOLD

    def __init__(
        self,
        run: LevelSolver,
        name: str,
        columns: NDArray[np.int64],
        below: NDArray[np.int64],
        sign: float,
    ) -> None:
        self.run, self.name = run, name
        self.columns, self.below, self.sign = columns, below, sign
        self.ceilings = np.full(len(columns), np.nan)

    def _row(self, cell: int) -> Array:
        cost = np.zeros(len(self.run.program.lower))
        cost[self.columns[cell]] = self.sign
        return cost

    def minimise(self) -> Point:
        """One program per step; the value is that of the worst-off cell."""
        session = self.run.session
        steps: list[int] = []
        first = point = self.run.minimise(self.name)
        while True:
            free = np.flatnonzero(np.isnan(self.ceilings))
            price = np.abs(point.row_dual[self.below[free]])
            # Where rounding hides all prices, the dearest cell is fixed.
            tight = free[price >= min(PRICED_CELL, float(price.max()))]
            self.ceilings[tight] = point.value
            endless = np.full(tight.size, np.inf)
            session.bound_rows(self.below[tight], -endless, endless)
            for cell in tight:
                column = np.array([self.columns[cell]])
                upper = point.value + STEP
                steps.append(session.add_row(column, np.array([self.sign]), -np.inf, upper))
            if tight.size == free.size:
                break
            point = self.run.minimise(self.name)
        # The rows of the steps are tight to the last digit; later levels get those of `hold`.
        gone = np.full(len(steps), np.inf)
        session.bound_rows(np.array(steps), -gone, gone)
        # The ceiling is one over all cells again: the program is what its rules say.
        program = self.run.program
        session.bound_rows(self.below, program.row_lower[self.below], program.row_upper[self.below])
        return replace(point, value=first.value, row_dual=first.row_dual)

    def hold(self, stage: str, limit: float) -> None:
        """A row for every cell, within the tolerance of its own ceiling."""
        for cell, ceiling in enumerate(self.ceilings):
            self.run.hold(stage, self.name, self._row(cell), min(limit, held_at(float(ceiling))))

    def vector(self, x: Array) -> tuple[float, ...]:
        """Losses of all cells at a point, the worst first."""
        return tuple(float(loss) for loss in -np.sort(-self.sign * x[self.columns]))

    def value(self, x: Array) -> float:
        """Loss of the worst-off cell at a point."""
        return self.vector(x)[0]

    def noise(self, x: Array) -> float:
        """Twice the tolerance of held levels."""
        return 2 * ABSOLUTE_HOLD * max(1.0, abs(self.value(x)))


def _leximin(run: LevelSolver, p: Problem, level: LevelSpec) -> Leximin:
    (term,), (name,) = level.terms, term_names(level)
    columns, rows = run.program.columns(), run.program.row_positions()
    members = [(pool, member) for pool in pools_of(p, term) for member in pool.members]
    return Leximin(
        run,
        level.name,
        np.array([columns[column_name(term, name, *each)] for each in members]),
        np.array([rows[f"{name}_below[{pool.key},{member.label}]"] for pool, member in members]),
        MEASURES[term.measure].sign,
    )


def goal_of(run: LevelSolver, p: Problem, level: LevelSpec) -> Sum | Ratio | Leximin:
    """The level as something that can be minimised.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    p : Problem
        Inputs.
    level : LevelSpec
        The level.
    """
    indices = [INDICES[term.index] for term in level.terms]
    if any(index.name == "leximin" for index in indices):
        return _leximin(run, p, level)
    if any(index.ratio for index in indices):
        return Ratio(run, level.name)
    return Sum(run, level.name)
