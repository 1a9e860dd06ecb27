"""One level after the other on one linear program, with inequality indices exact where they count.

An index is a convex, piecewise linear function with far too many pieces to write down; the program
holds some of them (cuts), so its optimum is a lower bound. Each round also has a point that is
feasible for all pieces: the program's optimum, drawn towards the last accepted point until every
held level is within its limit, with every index at its true value; the best of them is kept. A
round ends the level when the certificate proves the best point with the bound's dual values; else
the rows that the program's optimum, the best point and points between them call for are added (a
supporting-hyperplane method with in-out separation).

References
----------
Kelley (1960), The cutting-plane method for solving convex programs; Veinott (1967), The supporting
hyperplane method for unimodal programming; Ben-Ameur and Neto (2007), Acceleration of cutting-plane
and column generation algorithms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import LIMIT, Certificate, inner
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.index_values import IndexValues, furthest
from hukou_opt.allocation.objectives import InequalityIndex
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.proof import Proof, with_safe_gap
from hukou_opt.allocation.session import TIME_LIMIT, Point, Session
from hukou_opt.errors import CertificateError, Fault

#: A level is held within this share of its value, and at least within this share of its unit.
RELATIVE_HOLD = 1e-4
ABSOLUTE_HOLD = 1e-6
#: A point is accepted when its certificate is this much better than what is demanded.
ACCEPT = LIMIT / 2
#: An index that lies above its column by more than this gets a row.
CUT_TOLERANCE = 2e-7
MOST_CUT_ROUNDS = 400
#: Parts of the way from the best point to the program's optimum at which rows are looked for.
IN_BETWEEN = (0.0, 0.2, 0.5, 0.8)
#: Weight of held indices, relative to a level's own costs, while a nearly optimal point is sought.
NUDGE = 1e-3
#: A held level may be missed by this, in the scale of its row: a few of the solver's tolerances.
ROW_NOISE = 2e-7
#: Dual value from which on a row counts as priced.
PRICED = 1e-9

Order = NDArray[np.int64]
#: Orders of the cells of each inequality index for which a row was priced.
Orders = Mapping[str, tuple[Order, ...]]


def held_at(value: float, least: float = ABSOLUTE_HOLD) -> float:
    """Limit within which a level's value is held, at least `least` above it."""
    return value + max(RELATIVE_HOLD * abs(value), least)


@dataclass(frozen=True)
class Held:
    """A row by which later levels keep an earlier one.

    Parameters
    ----------
    stage : str
        When the row was added: a level's name, or ``guard`` or a limit before the levels.
    level : str
        Level whose indices are exact from then on.
    row : int
        Position of the row.
    columns, cost : ndarray
        Columns of the row, and its coefficients before scaling.
    limit, scale : float
        Upper bound without the constant, and the largest coefficient before scaling.
    """

    stage: str
    level: str
    row: int
    columns: NDArray[np.int64]
    cost: Array
    limit: float
    scale: float

    def excess(self, x: Array) -> float:
        """By how much more than the noise a point misses the level; at most 0 where it keeps it."""
        return inner(self.cost, x[self.columns]) - self.limit - ROW_NOISE * self.scale


class LevelSolver:
    """The running solve: session, held levels and rows of the indices.

    Parameters
    ----------
    program : LinearProgram
        Rows, columns and cost rows.
    progress : callable
        Called with the level's name after every solve.
    orders : Orders
        Orders of a similar problem to start with; may be empty.
    time_limit : float, optional
        Seconds that one solve may take.
    """

    def __init__(
        self,
        program: LinearProgram,
        progress: Callable[[str], None],
        orders: Orders,
        *,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self.program = program
        self.session = Session(program, time_limit)
        self.progress = progress
        self.certificates: list[Certificate] = []
        #: Whether the program of every noted level is kept, for an exact replay.
        self.keep_proofs = False
        self.proofs: list[Proof] = []
        self._active: list[InequalityIndex] = []
        self.held: list[Held] = []
        self._inside: Array | None = None
        self._rows: dict[tuple[str, bytes], int] = {}
        self._known: dict[tuple[str, bytes], Order] = {}
        self._useful: dict[tuple[str, bytes], Order] = {}
        self._index_values: dict[tuple[str, ...], IndexValues] = {}
        for index in program.indices:
            for order in orders.get(index.name, ()):
                if order.shape == index.cells.shape:
                    self._add(index, order)

    @property
    def cuts(self) -> int:
        """Rows added for the indices."""
        return len(self._rows)

    @property
    def orders(self) -> dict[str, tuple[Order, ...]]:
        """Orders worth starting a similar problem with, by index."""
        out: dict[str, tuple[Order, ...]] = {}
        for (name, _), order in self._useful.items():
            out[name] = (*out.get(name, ()), order)
        return out

    def minimise(
        self,
        name: str,
        cost: Array | None = None,
        constant: float = 0.0,
        *,
        note: bool = True,
        near: bool = False,
    ) -> Point:
        """Minimise one level; indices of this and of held levels are exact.

        Parameters
        ----------
        name : str
            The level.
        cost : ndarray, shape (column,), optional
            Another cost row than the level's own, with its `constant`: one step of a level that
            takes several programs.
        note : bool, optional
            Keep the certificate among those of the answer.
        near : bool, optional
            Whether the level only chooses near the optimum of the one before.

        Returns
        -------
        Point
            A point that is feasible for every piece of every index, its value, and the certificate
            that proves it.

        Raises
        ------
        SolveError, CertificateError
            As `Session.minimise`; also if the rows of the indices do not settle.
        """
        if cost is None:
            cost, constant = self.program.costs[name]
        indices = self._with(name)
        if self._active:
            # Held indices leave the program much freedom that this level does not care about, and
            # every round would use it to break another piece. A faint wish for small indices leads
            # to a point that is nearly optimal; the level itself then only has to prove it.
            nudged = cost.copy()
            columns = [index.column for index in self._active]
            nudged[columns] += NUDGE * float(np.abs(cost).max(initial=0.0)) / len(columns)
            self._inside = self._settle(nudged, constant, indices, name, near).x
        point = self._settle(cost, constant, indices, name, near)
        if note:
            self.note(name, cost, point)
        self._inside = self._draw(point.x, indices)
        return point

    def note(self, name: str, cost: Array, point: Point) -> None:
        """Keep a level's certificate among those of the answer, with a bound safe from rounding.

        Parameters
        ----------
        name : str
            The level.
        cost : ndarray, shape (column,)
            Cost row whose optimum the point is.
        point : Point
            The optimum, before the level is held.
        """
        proof = self.session.proof(cost, point, name=name)
        self.certificates.append(with_safe_gap(point.certificate, proof))
        if self.keep_proofs:
            self.proofs.append(proof)

    def _with(self, name: str) -> list[InequalityIndex]:
        """Indices of the held levels and of one more."""
        known = {index.name for index in self._active}
        own = [i for i in self.program.indices if i.level == name and i.name not in known]
        return self._active + own

    def exact(self, name: str, x: Array) -> Array:
        """The point with the index columns of a level and of held ones at their true values."""
        return self._raised(x, self._with(name))

    def _settle(
        self,
        cost: Array,
        constant: float,
        indices: list[InequalityIndex],
        name: str,
        near: bool,
    ) -> Point:
        """Solve and add rows until the certificate proves a point that all pieces allow."""
        best: Array | None = None
        for _ in range(MOST_CUT_ROUNDS):
            bound = self.session.minimise(cost, constant, name=name, near=near)
            self.progress(name)
            values = self._values(indices)
            above = values.at(bound.x) > bound.x[values.columns] + CUT_TOLERANCE
            violated = [index for index, high in zip(indices, above, strict=True) if high]
            drawn = self._draw(bound.x, indices)
            if best is None or inner(cost, drawn) < inner(cost, best):
                best = drawn
                if indices:
                    self._inside = best
            point = self.session.prove(cost, constant, best, bound, name=name)
            done = point.certificate.worst <= ACCEPT
            if not done and not self._cut(violated, bound.x, best):
                # Every piece holds within the tolerance: the optimum itself is the answer.
                exact = self._raised(bound.x, indices)
                point = replace(bound, value=inner(cost, exact) + constant)
                done = True
            if done:
                self._remember(bound)
                return point
        raise CertificateError(
            Fault(f"level {name!r}", "inequality rows do not settle", "report this as a bug")
        )

    def hold(self, stage: str, level: str, cost: Array, limit: float) -> int | None:
        """Keep ``cost x`` at or below a limit from now on.

        Parameters
        ----------
        stage : str
            When this is: the name of the level that has been solved, or what comes before.
        level : str
            Level whose indices are exact from now on.
        cost : ndarray, shape (column,)
            Coefficients of the row.
        limit : float
            Its upper bound.

        Returns
        -------
        int or None
            Position of the row; None where it would have no coefficient.
        """
        row = None
        used = np.flatnonzero(cost)
        if used.size:
            # Scaled to coefficients of the size of 1, so that the row's tolerance means something.
            scale = float(np.abs(cost).max())
            row = self.session.add_row(used, cost[used] / scale, -np.inf, limit / scale)
            self.held.append(Held(stage, level, row, used, cost[used], limit, scale))
        self._active = self._with(level)
        return row

    def go_back(self, kept: Sequence[Held], bounds: tuple[Array, Array], inside: Array) -> None:
        """Keep only some of the held rows, under other bounds of the columns.

        Parameters
        ----------
        kept : sequence of Held
            Rows that still hold.
        bounds : tuple of ndarray, shape (column,)
            Lower and upper bounds.
        inside : ndarray, shape (column,)
            A point that keeps all of them.
        """
        rows = {held.row for held in kept}
        gone = np.array([held.row for held in self.held if held.row not in rows], dtype=np.int64)
        free = np.full(gone.size, np.inf)
        self.session.bound_rows(gone, -free, free)
        self.session.bound_columns(np.arange(len(bounds[0])), *bounds)
        self.held = list(kept)
        levels = {held.level for held in kept}
        self._active = [index for index in self._active if index.level in levels]
        self._inside = inside

    def stay(self, name: str, cost: Array, constant: float, x: Array, bound: Point) -> Point:
        """Stand at another point that the dual values of a solve prove to be optimal as well.

        Parameters
        ----------
        name : str
            The level.
        cost : ndarray, shape (column,)
            Cost row of the solve.
        constant : float
            Its constant.
        x : ndarray, shape (column,)
            The point, with index columns at their true values.
        bound : Point
            Optimum of the solve.

        Raises
        ------
        CertificateError
            If the point is not optimal.
        """
        point = self.session.prove(cost, constant, x, bound, name=name)
        point.certificate.require()
        self._inside = x
        return point

    def forget_point(self) -> None:
        """Forget the last accepted point, because bounds have moved away from it."""
        self._inside = None

    def _values(self, indices: list[InequalityIndex]) -> IndexValues:
        key = tuple(index.name for index in indices)
        if key not in self._index_values:
            self._index_values[key] = IndexValues(indices)
        return self._index_values[key]

    def _raised(self, x: Array, indices: list[InequalityIndex]) -> Array:
        """The point with every index column at the true value of its index."""
        return self._values(indices).raised(x)

    def _excess(self, x: Array) -> float:
        """Largest miss of a held level, each relative to its largest coefficient."""
        return max((held.excess(x) / held.scale for held in self.held), default=-1.0)

    def _draw(self, x: Array, indices: list[InequalityIndex]) -> Array:
        """The point, drawn towards the last accepted one until all held levels fit."""
        raised = self._raised(x, indices)
        if self._inside is None or not indices or self._excess(raised) <= 0:
            return raised
        inside = self._raised(self._inside, indices)
        way = x - inside

        def at(part: float) -> Array:
            return self._raised(inside + part * way, indices)

        return at(furthest(lambda part: self._excess(at(part))))

    def _add(self, index: InequalityIndex, order: Order) -> bool:
        key = (index.name, order.tobytes())
        if key in self._rows:
            return False
        columns = np.append(index.cells, index.column)
        values = np.append(-index.cut(order), 1.0)
        self._rows[key] = self.session.add_row(columns, values, 0.0, np.inf)
        self._known[key] = order
        return True

    def _cut(self, violated: list[InequalityIndex], x: Array, best: Array) -> int:
        """Add the rows that are exact at the optimum or on the way to the best point, and cut it.

        Rows of the optimum alone come one by one where cells are nearly equal; those between it and
        a point that is known to be good bring both together in about half the rounds.
        """
        points = [x, *(best + part * (x - best) for part in IN_BETWEEN)]
        added = 0
        for index in violated:
            for point in points:
                order = index.order(point)
                if float(index.cut(order) @ x[index.cells]) > x[index.column] + CUT_TOLERANCE:
                    added += self._add(index, order)
        return added

    def _remember(self, point: Point) -> None:
        """Note the rows that carry a price: a similar problem will need them."""
        for key, row in self._rows.items():
            if abs(point.row_dual[row]) > PRICED:
                self._useful[key] = self._known[key]
