"""Limits: inequality measures that may not exceed a value in any pool, held before all levels."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.certificate import inner
from hukou_opt.allocation.goals import MOST_STEPS, RATIO_TOLERANCE, SMALLEST_MEAN
from hukou_opt.allocation.levels import ABSOLUTE_HOLD, LevelSolver
from hukou_opt.allocation.objectives import INDICES, limit_name, mean_name, spread_name
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.spec import Limit
from hukou_opt.errors import Fault, InfeasibleError

Row = tuple[Array, float]


class LimitRows:
    """The rows of one limit, one for each pool.

    Parameters
    ----------
    run : LevelSolver
        The running solve.
    number : int
        Number of the limit, counted from 1.
    limit : Limit
        The limit.
    """

    def __init__(self, run: LevelSolver, number: int, limit: Limit) -> None:
        self.run, self.name, self.limit = run, limit_name(number), limit
        costs = run.program.costs
        self.spreads: list[Row] = []
        while (name := spread_name(number, len(self.spreads))) in costs:
            self.spreads.append(costs[name])
        nothing = np.zeros(len(run.program.lower))
        ratio = INDICES[limit.term.index].ratio
        self.means: list[Row] = [
            costs[mean_name(spread_name(number, i))] if ratio else (nothing, 1.0)
            for i in range(len(self.spreads))
        ]

    @property
    def words(self) -> str:
        """The limit in words."""
        term = self.limit.term
        return f"{term.index} of {term.measure} between {term.between}"

    def rows(self, at_most: float) -> list[Row]:
        """Coefficients and constant of ``spread - at_most mean``, for each pool."""
        return [
            (spread - at_most * mean, constant - at_most * mean_constant)
            for (spread, constant), (mean, mean_constant) in zip(
                self.spreads, self.means, strict=True
            )
        ]

    def value(self, x: Array) -> float:
        """Largest value of any pool at a point."""
        x = self.run.exact(self.name, x)
        values = [
            (inner(spread, x) + constant) / max(inner(mean, x) + mean_constant, SMALLEST_MEAN)
            for (spread, constant), (mean, mean_constant) in zip(
                self.spreads, self.means, strict=True
            )
        ]
        return max(values)

    def least_excess(self, at_most: float) -> tuple[float, Array]:
        """Smallest excess over a value, over all pools, and the point that has it."""
        session, program = self.run.session, self.run.program
        excess = int(program.column_cells("limit_excess"))
        added = []
        for cost, constant in self.rows(at_most):
            used = np.flatnonzero(cost)
            columns, values = np.append(used, excess), np.append(cost[used], -1.0)
            added.append(session.add_row(columns, values, -np.inf, -constant))
        # Indices of the limit are exact in this program too.
        cost, constant = program.costs["limits"]
        point = self.run.minimise(self.name, cost, constant, note=False)
        free = np.full(len(added), np.inf)
        session.bound_rows(np.array(added), -free, free)
        return point.value, point.x

    def smallest(self, x: Array) -> float:
        """Smallest value of the worst pool that can be reached: Dinkelbach's method over pools."""
        value = self.value(x)
        for _ in range(MOST_STEPS):
            excess, x = self.least_excess(value)
            lower = self.value(x)
            if excess >= -RATIO_TOLERANCE or lower >= value:
                break
            value = lower
        return value

    def hold(self) -> None:
        """Hold the limit in every pool.

        Raises
        ------
        InfeasibleError
            If it cannot hold; says the smallest value that can be reached.
        """
        excess, x = self.least_excess(self.limit.at_most)
        if excess > ABSOLUTE_HOLD:
            raise InfeasibleError(
                Fault(
                    f"{self.name}: {self.words}",
                    f"cannot be at most {self.limit.at_most:.6g}; the smallest value that can be "
                    f"reached is {self.smallest(x):.6g}",
                    "raise at_most, or give more money or time",
                )
            )
        for cost, constant in self.rows(self.limit.at_most):
            self.run.hold(self.name, self.name, cost, ABSOLUTE_HOLD - constant)


def hold_limits(run: LevelSolver, p: Problem) -> tuple[LimitRows, ...]:
    """Hold all limits, each under those before it."""
    limits = tuple(LimitRows(run, i, limit) for i, limit in enumerate(p.aims.limits, start=1))
    for limit in limits:
        limit.hold()
    return limits
