"""Solve the allocation level by level: each level is made small, then held by all later ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import Certificate
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.objectives import LEVELS, InequalityIndex
from hukou_opt.allocation.problem import SOFT_RULES, Array, Problem
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.rules.places import rationed, reachable
from hukou_opt.allocation.rules.slack_table import broken_rules
from hukou_opt.allocation.session import Point, Session
from hukou_opt.allocation.solution import Solution, read_solution
from hukou_opt.errors import CertificateError, Fault, InfeasibleError

#: A level is held within this share of its value, and at least within this share of its unit.
RELATIVE_HOLD = 1e-4
ABSOLUTE_HOLD = 1e-6
#: An index whose column lies below its true value by more than this gets a new row; a finer limit
#: is below the solver's tolerance and would never be reached.
CUT_TOLERANCE = 2e-7
MOST_CUT_ROUNDS = 200
#: Slack of the rationing rule, 10k children, from which on a cell is out of reach.
SLIP_TOLERANCE = 1e-6


#: Orders of the cells of each inequality index for which a row was added.
Orders = Mapping[str, tuple[NDArray[np.int64], ...]]


@dataclass(frozen=True)
class Level:
    """What one level reached.

    Parameters
    ----------
    name, meaning : str
        The level and what it makes small.
    value : float
        Optimum in the linear program.
    held_at : float
        Value within which later levels keep it.
    final : float
        Value at the end, after all later levels.
    recomputed : float
        Final value recomputed from capacity, need and money without the linear program.
    """

    name: str
    meaning: str
    value: float
    held_at: float
    final: float
    recomputed: float


@dataclass(frozen=True)
class Allocation:
    """A proved answer of the linear program.

    Parameters
    ----------
    solution : Solution
        Money, starts, capacity, places by label.
    levels : tuple of Level
        Value of every level, in order.
    certificates : tuple of Certificate
        One for each solve, in order.
    prices : dict of str to float
        Shadow price of the central fund and of other totals, from the first level in which the row
        has one, per unit of the level and 100m yuan.
    cuts, fallbacks : int
        Rows added for the inequality indices; warm solves repeated from scratch.
    orders : Orders
        Orders of cells whose rows were needed, by index; they speed up a similar problem.
    """

    solution: Solution
    levels: tuple[Level, ...]
    certificates: tuple[Certificate, ...]
    prices: dict[str, float]
    cuts: int
    fallbacks: int
    orders: Orders


class _Levels:
    """The running solve: session, held levels and cuts."""

    def __init__(
        self, program: LinearProgram, progress: Callable[[str], None], orders: Orders
    ) -> None:
        self.program = program
        self.session = Session(program)
        self.progress = progress
        self.certificates: list[Certificate] = []
        self.cuts = 0
        self.active: list[InequalityIndex] = []
        self.orders: dict[str, list[NDArray[np.int64]]] = {}
        # Rows of a similar problem: valid for any weights, and mostly the ones needed again.
        for index in program.indices:
            for order in orders.get(index.name, ()):
                if order.shape == index.cells.shape:
                    self._add(index, order)

    def _add(self, index: InequalityIndex, order: NDArray[np.int64]) -> None:
        columns = np.append(index.cells, index.column)
        self.session.add_row(columns, np.append(-index.cut(order), 1.0), 0.0, np.inf)
        self.orders.setdefault(index.name, []).append(order)
        self.cuts += 1

    def _cut(self, indices: list[InequalityIndex], x: Array) -> int:
        violated = [index for index in indices if index.value(x) > x[index.column] + CUT_TOLERANCE]
        for index in violated:
            self._add(index, index.order(x))
        return len(violated)

    def minimise(self, name: str) -> Point:
        """Minimise one level with all indices exact that it or an earlier level uses."""
        cost, constant = self.program.costs[name]
        indices = self.active + [index for index in self.program.indices if index.level == name]
        for _ in range(MOST_CUT_ROUNDS):
            point = self.session.minimise(cost, constant, name=name)
            self.certificates.append(point.certificate)
            self.progress(name)
            if not self._cut(indices, point.x):
                return replace(point, value=self._exact(point, cost, indices))
        raise CertificateError(
            Fault(f"level {name!r}", "inequality rows do not settle", "report this as a bug")
        )

    @staticmethod
    def _exact(point: Point, cost: Array, indices: list[InequalityIndex]) -> float:
        """Objective with every index at its true value, which a later cut cannot raise."""
        rise = sum(cost[i.column] * max(0.0, i.value(point.x) - point.x[i.column]) for i in indices)
        return float(point.value + rise)

    def hold(self, name: str, limit: float) -> None:
        """Keep one level at or below a limit from now on."""
        cost, constant = self.program.costs[name]
        used = np.flatnonzero(cost)
        if used.size:
            # Scaled to coefficients of the size of 1, so that the row's tolerance means something.
            scale = float(np.abs(cost).max())
            self.session.add_row(used, cost[used] / scale, -np.inf, (limit - constant) / scale)
        self.active += [
            index
            for index in self.program.indices
            if index.level == name and index not in self.active
        ]


def held_at(value: float) -> float:
    """Limit within which a level's value is held."""
    return value + max(RELATIVE_HOLD * abs(value), ABSOLUTE_HOLD)


def _set_regimes(run: _Levels, p: Problem, alike: NDArray[np.bool_]) -> None:
    """Switch the rationing rows of every cell: regime B where `alike`, regime A elsewhere."""
    rows, columns = run.program.row_positions(), run.program.columns()
    for i, code in enumerate(p.codes):
        for k, year in enumerate(p.years):
            first, second = (
                rows[f"{name}[{code},{year}]"] for name in ("places_hukou_first", "places_alike")
            )
            slip = columns[f"slip[{code},{year}]"]
            upper = run.program.row_upper
            on, off = (second, first) if alike[i, k] else (first, second)
            run.session.bound_rows(
                np.array([on, off]), np.array([-np.inf] * 2), np.array([upper[on], np.inf])
            )
            most = 0.0 if alike[i, k] else float(run.program.upper[slip])
            run.session.bound_columns(np.array([slip]), np.zeros(1), np.array([most]))


def _nothing_built(p: Problem) -> Solution:
    """The state in which nothing is built or paid: what the guard is measured from."""
    years = len(p.years)
    places = p.existing[0, 0, :, :years] + p.stretch[:, :years]
    hukou, migrant = rationed(p, places)
    return Solution.empty(p, hukou, migrant)


def solve(
    p: Problem,
    *,
    progress: Callable[[str], None] = lambda _: None,
    orders: Orders | None = None,
) -> Allocation:
    """Solve the allocation and prove it.

    Parameters
    ----------
    p : Problem
        Frozen inputs.
    progress : callable, optional
        Called with the level's name after every solve.
    orders : Orders, optional
        `Allocation.orders` of a similar problem.

    Returns
    -------
    Allocation
        The proved answer.

    Raises
    ------
    InfeasibleError
        If rules that the experiment demands cannot all hold; names rule, region, block and amounts.
    SolveError, CertificateError
        If no optimum was found, or if it is not proved by the numbers.
    """
    program = compile_model(build_model(p), p)
    run = _Levels(program, progress, orders or {})
    columns = program.columns()
    alike = ~reachable(p)
    _set_regimes(run, p, alike)

    values: dict[str, float] = {}
    limits: dict[str, float] = {}
    prices: dict[str, float] = {}
    point = run.minimise("law")
    slips = np.array([[columns[f"slip[{code},{year}]"] for year in p.years] for code in p.codes])
    late = (point.x[slips] > SLIP_TOLERANCE) & ~alike
    if late.any():
        # Cells that no building reaches in time share alike; they never go back.
        alike = alike | late
        _set_regimes(run, p, alike)
        point = run.minimise("law")
    # From here on the rule holds exactly: a row with a tolerance would let children slip through.
    run.session.bound_columns(slips.ravel(), np.zeros(slips.size), np.zeros(slips.size))
    demanded = [name for name in SOFT_RULES if p.modes[name] == "hard"]
    if demanded:
        faults = broken_rules(p, read_solution(program, p, point.x), demanded)
        if faults:
            raise InfeasibleError(faults)
    values["law"] = point.value
    limits["law"] = held_at(point.value)
    if any(mode in ("law", "hard") for mode in p.modes.values()):
        run.hold("law", limits["law"])

    guard = p.parameters["guard"]
    if guard < 1:
        best = run.minimise("unmet")
        nothing = recompute(p, _nothing_built(p))["unmet"]
        room = max(0.0, nothing - best.value)
        values["guard"] = best.value
        limits["guard"] = held_at(best.value + guard * room)
        run.hold("unmet", limits["guard"])

    for name, _ in LEVELS[1:]:
        point = run.minimise(name)
        values[name] = point.value
        limits[name] = held_at(point.value)
        _note_prices(prices, program, p, point, name)
        run.hold(name, limits[name])

    solution = read_solution(program, p, point.x, alike=alike)
    final = {
        name: float(cost @ point.x) + constant for name, (cost, constant) in program.costs.items()
    }
    exact = recompute(p, solution)
    _agree(final, exact)
    meanings = {"guard": "unmet rates alone, and how much of it later levels may give up"}
    meanings.update(LEVELS)
    levels = tuple(
        Level(
            name,
            meanings[name],
            values[name],
            limits[name],
            final["unmet" if name == "guard" else name],
            exact["unmet" if name == "guard" else name],
        )
        for name in values
    )
    return Allocation(
        solution,
        levels,
        tuple(run.certificates),
        prices,
        run.cuts,
        run.session.fallbacks,
        {name: tuple(found) for name, found in run.orders.items()},
    )


def _note_prices(
    prices: dict[str, float], program: LinearProgram, p: Problem, point: Point, level: str
) -> None:
    """Shadow price of the fund in a level: what one more 100m yuan in all years would save."""
    rows = program.row_positions()
    dual = point.row_dual
    # One more unit of the fund raises the bound of year t by its part of the whole.
    price = -sum(
        dual[rows[f"fund_volume[{year}]"]] * (p.column(year) + 1) / len(p.years) for year in p.years
    )
    prices[f"central_fund:{level}"] = float(price)


def _agree(final: dict[str, float], exact: dict[str, float]) -> None:
    """Compare the linear program's levels with those recomputed from the tables."""
    faults = [
        Fault(
            f"level {name!r}",
            f"recomputed {exact[name]:.9g}, linear program {final[name]:.9g}",
            "rows and tables disagree: report this as a bug",
        )
        for name in exact
        if exact[name] > final[name] + max(ABSOLUTE_HOLD, CUT_TOLERANCE) * 2
    ]
    if faults:
        raise CertificateError(faults)


def with_formula(p: Problem, fund_by_region: Array) -> Problem:
    """Copy of a problem in which a formula fixes each region's transfers over the horizon."""
    modes = {**p.modes, "support_floor": "off"}
    return replace(p, fund_by_region=fund_by_region, modes=modes)
