"""The smallest and the largest value of every published cell over all equally good answers.

An answer is equally good while every level stays within its limit. Most cells are settled by one
solve: the dual values of the last level prove how far each can move (see `Corner`). The others are
made small and large one by one, each solve going on from the corner of the one before. Whatever a
solve claims, the published bound is recomputed from its dual values and holds for the numbers as
they are (see `Polytope.lowest`); the value that an answer was found for stands beside it.

The rows of inequality indices are those that the levels have needed. They leave out no answer, so a
bound that is proved with them is a bound of all equally good answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.certificate import inner
from hukou_opt.allocation.explain.cells import CellSum
from hukou_opt.allocation.explain.corner_session import CornerSession
from hukou_opt.allocation.explain.dual_bound import Polytope
from hukou_opt.allocation.explain.face import Corner, corner, limited, polytope_of
from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.problem import Array

#: A cell is unique when its range is narrower than this part of its value, or this amount.
UNIQUE_SHARE, UNIQUE_AMOUNT = 5e-3, 1.0
#: Distance between proved bound and reached value, 100m yuan, at which a solve is good enough.
CLOSE = 1e-2
#: How far a reached point may miss a row or bound, relative to 1 + the bound.
FEASIBLE = 1e-6


@dataclass(frozen=True)
class CellRange:
    """What one cell can be while every level stays within its limit, 100m yuan.

    Parameters
    ----------
    region, block, sector : str
        Labels, ``all`` for sums.
    lowest, highest : float
        Proved bounds: no equally good answer lies outside.
    least, most : float
        Smallest and largest value of answers that were found; within the bounds.
    by_solve : bool
        Whether it took solves of its own.
    """

    region: str
    block: str
    sector: str
    lowest: float
    highest: float
    least: float
    most: float
    by_solve: bool

    @property
    def width(self) -> float:
        """Width of the proved range."""
        return self.highest - self.lowest

    @property
    def unproved(self) -> float:
        """By how much the proved range is wider than the values that answers were found for."""
        return max(0.0, self.width - (self.most - self.least))

    @property
    def unique(self) -> bool:
        """Whether all equally good answers have the same figure in this cell."""
        middle = abs(self.highest + self.lowest) / 2
        return self.width < max(UNIQUE_AMOUNT, UNIQUE_SHARE * middle)


def _unit(cell: CellSum, width: int) -> Array:
    cost = np.zeros(width)
    cost[cell.columns] = 1.0
    return cost


def cell_ranges(
    face: LevelProgram,
    cells: Sequence[CellSum],
    *,
    limits: Mapping[str, float] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[CellRange]:
    """Range of every cell, in the order of the cells.

    Parameters
    ----------
    face : LevelProgram
        The program with all levels held.
    cells : sequence of CellSum
        Cells to look at.
    limits : mapping of str to float, optional
        Other limits of the levels than those within which they were held.
    progress : callable, optional
        Told what is being done.

    Raises
    ------
    SolveError
        If no answer keeps the limits.
    """
    face = limited(face, limits or {})
    progress("ranges: the last level")
    at = corner(face)
    width = len(face.program.lower)
    if at is None:
        session = CornerSession(face.program)
        start = session.minimise(np.zeros(width), name="any answer").x
        return _all_by_solve(session, polytope_of(face), start, cells, progress)
    found: dict[int, CellRange] = {}
    for i, cell in enumerate(cells):
        settled = _by_corner(at, cell, _unit(cell, width))
        if settled is not None:
            found[i] = settled
    at.hold()
    rest = [i for i in range(len(cells)) if i not in found]
    by_solve = _all_by_solve(at.session, at.face, at.x, [cells[i] for i in rest], progress)
    found.update(zip(rest, by_solve, strict=True))
    return [found[i] for i in range(len(cells))]


def _by_corner(at: Corner, cell: CellSum, cost: Array) -> CellRange | None:
    """Range of a cell that the last level's dual values prove to be unique; None for others."""
    low, high = at.proof(cost), at.proof(-cost)
    if low is None or high is None:
        return None
    value = inner(cost, at.x)
    labels = (cell.region, cell.block, cell.sector)
    found = CellRange(*labels, min(low[0], value), max(-high[0], value), value, value, False)
    return found if found.unique else None


def _all_by_solve(
    session: CornerSession,
    face: Polytope,
    start: Array,
    cells: Sequence[CellSum],
    progress: Callable[[str], None],
) -> list[CellRange]:
    """Make every cell small, then every cell large; neighbouring cells have near corners."""
    bounds: dict[float, list[tuple[float, float]]] = {}
    for sense in (1.0, -1.0):
        bounds[sense] = []
        for cell in cells:
            progress(f"ranges: {cell.region} {cell.block} {cell.sector}")
            cost = sense * _unit(cell, len(face.lower))
            bounds[sense].append(_lowest(session, face, start, cost))
    out = []
    for cell, low, high in zip(cells, bounds[1.0], bounds[-1.0], strict=True):
        least, most = low[1], -high[1]
        # A point may miss a bound by the solver's tolerance; the proved range holds the found one.
        lowest, highest = min(low[0], least), max(-high[0], most)
        out.append(
            CellRange(cell.region, cell.block, cell.sector, lowest, highest, least, most, True)
        )
    return out


def _lowest(
    session: CornerSession, face: Polytope, start: Array, cost: Array
) -> tuple[float, float]:
    """Proved lower bound of a cell, and the smallest value of an answer that was found."""
    best = inner(cost, start)
    bound = face.lowest(cost, np.zeros(face.row_lower.size))
    for solve in (session.descend, session.start_again):
        x, y = solve(cost)
        if feasible(face, x):
            best = min(best, inner(cost, x))
        bound = max(bound, face.lowest(cost, y))
        if best - bound <= CLOSE:
            break
    return bound, best


def feasible(face: Polytope, x: Array) -> bool:
    """Whether a point keeps all rows and bounds within the tolerance."""
    if not np.isfinite(x).all():
        return False
    for values, low, high in (
        (face.matrix @ x, face.row_lower, face.row_upper),
        (x, face.lower, np.where(face.lowered, np.inf, face.upper)),
    ):
        for miss, bound in ((low - values, low), (values - high, high)):
            real = np.isfinite(bound)
            if (miss[real] > FEASIBLE * (1 + np.abs(bound[real]))).any():
                return False
    return True
