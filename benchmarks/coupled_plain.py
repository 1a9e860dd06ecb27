"""The plain way to one coupled plan: PySD, and Pyomo rebuilt and solved again in every round.

What somebody writes who has the model file, Pyomo and HiGHS, and nothing of ours below them:

- the stock-flow model is run by PySD;
- the Pyomo model of the allocation is built anew in every round, with all its regions;
- its levels are solved one after the other by `SolverFactory("appsi_highs")`, one interface for the
  whole round, which finds by itself what has changed in the model; each level is then held by a
  Pyomo constraint within the same room as ours;
- an index of inequality is a convex function of many pieces. With ``cuts`` it gets its pieces as
  Pyomo constraints: solve, add the piece of every index that the optimum breaks, solve again, until
  none is broken (Kelley 1960). With ``pairs`` the difference of every pair of cells is written out
  as a column with its row, and nothing is added later.

Nothing is proved, no rows are kept from round to round, and no certificate, price or audit is made.
The equations are the same: `build_model` writes the rules, so that both ways answer one question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.formulation import build_model, plain_name
from hukou_opt.allocation.levels import CUT_TOLERANCE, held_at
from hukou_opt.allocation.objectives import FIRST, TIE_BREAKS
from hukou_opt.allocation.objectives.inequality import Planned, descending, order_coefficients
from hukou_opt.allocation.objectives.law import MODES_OF
from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    SECTORS,
    SERVICES,
    SOFT_RULES,
    Array,
    Problem,
)
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.rules.places import rationed, reachable
from hukou_opt.allocation.solution import Solution, capacity_of
from hukou_opt.allocation.solve import SLIP_TOLERANCE
from hukou_opt.planning.coupling import Coupling

#: Options that HiGHS gets; tolerances as in our path.
OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "primal_feasibility_tolerance": 1e-8,
    "dual_feasibility_tolerance": 1e-8,
}
MOST_CUT_ROUNDS = 1000
WAYS = ("cuts", "pairs")


@dataclass(frozen=True)
class PlainAnswer:
    """An answer without a proof, as the rounds read it.

    Parameters
    ----------
    solution : Solution
        Money, building and places by label.
    values : dict of str to float
        Optimum of each level.
    solves : int
        Calls of the solver.
    """

    solution: Solution
    values: dict[str, float]
    solves: int


class PlainLevels:
    """One Pyomo model whose levels are solved one after the other.

    Parameters
    ----------
    p : Problem
        Inputs.
    way : {"cuts", "pairs"}
        How indices of inequality are written.
    progress : callable
        Told of every solve.
    """

    def __init__(self, p: Problem, way: str, progress: Callable[[str], None]) -> None:
        self.p = p if way == "cuts" else written_out(p)
        self.progress = progress
        self.m = build_model(self.p)
        self.objectives = {
            each.local_name.removeprefix("level_"): each
            for each in self.m.component_objects(pyo.Objective)
        }
        for each in self.objectives.values():
            each.deactivate()
        self.m.held, self.m.pieces = pyo.ConstraintList(), pyo.ConstraintList()
        self.solver = pyo.SolverFactory("appsi_highs")
        self.solver.highs_options = OPTIONS
        self.solves = 0
        names = {plain_name(v): v for v in self.m.component_data_objects(pyo.Var)}
        self.indices = [Index.of(each, names) for each in self.m.planned_indices]
        self.exact: list[Index] = []

    def minimise(self, level: str) -> float:
        """Optimum of a level, with its own indices and those of held levels exact."""
        objective = self.objectives[level]
        known = {index.name for index in self.exact}
        own = [each for each in self.indices if each.level == level and each.name not in known]
        objective.activate()
        for _ in range(MOST_CUT_ROUNDS):
            self._solve(level)
            broken = [piece for index in (*self.exact, *own) if (piece := index.broken())]
            if not broken:
                break
            for index, coefficients in broken:
                cells = sum(c * v for c, v in zip(coefficients, index.cells, strict=True))
                self.m.pieces.add(index.column >= cells)
        else:
            raise RuntimeError(f"{level}: pieces of the indices do not settle")
        objective.deactivate()
        return float(pyo.value(objective.expr))

    def _solve(self, level: str) -> None:
        found = self.solver.solve(self.m)
        self.solves += 1
        ended = found.solver.termination_condition
        if ended != pyo.TerminationCondition.optimal:
            raise RuntimeError(f"{level}: HiGHS ended with {ended}")
        self.progress(level)

    def hold(self, level: str, limit: float) -> None:
        """Keep a level at or below a limit from now on."""
        expression = self.objectives[level].expr
        if not isinstance(expression, int | float):
            self.m.held.add(expression <= limit)
        known = {index.name for index in self.exact}
        self.exact += [e for e in self.indices if e.level == level and e.name not in known]


@dataclass(frozen=True)
class Index:
    """An index of inequality by its Pyomo variables."""

    name: str
    level: str
    column: Any
    cells: tuple[Any, ...]
    planned: Planned

    @classmethod
    def of(cls, planned: Planned, names: dict[str, Any]) -> Index:
        """The index that a model has planned."""
        cells = tuple(names[cell] for cell in planned.cells)
        return cls(planned.name, planned.level, names[planned.name], cells, planned)

    def broken(self) -> tuple[Index, list[float]] | None:
        """The piece that is exact at the present values, if the column lies below it."""
        plan = self.planned
        x = np.array([cell.value for cell in self.cells])
        weights = np.array(plan.weights, dtype=float)
        order = descending(plan.sign * x)
        cut = plan.sign * order_coefficients(order, weights, plan.aversion, plan.mean)
        if float(cut @ x) <= self.column.value + CUT_TOLERANCE:
            return None
        return self, cut.tolist()


def written_out(p: Problem) -> Problem:
    """The problem with the differences of all pairs written out."""
    levels = tuple(
        replace(
            level,
            terms=tuple(
                replace(term, pairwise=term.index == "averse_mean") for term in level.terms
            ),
        )
        for level in p.aims.levels
    )
    return replace(p, aims=replace(p.aims, levels=levels))


def solve_plain(
    p: Problem, way: str = "cuts", progress: Callable[[str], None] = lambda _: None
) -> PlainAnswer:
    """Solve the allocation level by level in Pyomo.

    Parameters
    ----------
    p : Problem
        Inputs, with levels that are sums; without limits and demanded rules.
    way : {"cuts", "pairs"}
        How indices of inequality are written.
    progress : callable, optional
        Called with the level's name after every solve.
    """
    run = PlainLevels(p, way, progress)
    values: dict[str, float] = {}
    alike = _ration(run)
    for name, mode in MODES_OF.items():
        if any(p.modes[rule] == mode for rule in SOFT_RULES):
            values[name] = run.minimise(name)
            run.hold(name, held_at(values[name]))
    _guard(run)
    for name in (*(level.name for level in p.aims.levels), *TIE_BREAKS):
        values[name] = run.minimise(name)
        run.hold(name, held_at(values[name]))
    return PlainAnswer(_read(run.m, p, alike), values, run.solves)


def _ration(run: PlainLevels) -> np.ndarray:
    """Regimes of the rationing rule, as `hukou_opt.allocation.solve.ration` finds them."""
    m, p = run.m, run.p
    alike = ~reachable(p)
    cells = [(i, k, (r, t)) for i, r in enumerate(p.codes) for k, t in enumerate(p.years)]

    def switch() -> None:
        for i, k, cell in cells:
            off, on = m.places_hukou_first[cell], m.places_alike[cell]
            if not alike[i, k]:
                off, on = on, off
            off.deactivate()
            on.activate()
            if alike[i, k]:
                m.slip[cell].setub(0.0)

    switch()
    run.minimise(next(iter(FIRST)))
    late = np.zeros_like(alike)
    for i, k, cell in cells:
        late[i, k] = not alike[i, k] and m.slip[cell].value > SLIP_TOLERANCE
    if late.any():
        alike = alike | late
        switch()
    for _, _, cell in cells:
        m.slip[cell].setub(0.0)
    return alike


def _guard(run: PlainLevels) -> None:
    """Hold guarded levels near their own optimum, as our path does."""
    p = run.p
    share = p.parameters["guard"]
    guarded = [level for level in p.aims.levels if level.guarded]
    if share >= 1 or not guarded:
        return
    years = len(p.years)
    places = p.existing[0, 0, :, :years] + p.stretch[:, :years]
    nothing = recompute(p, Solution.empty(p, *rationed(p, places)))
    for level in guarded:
        best = run.minimise(level.name)
        run.hold(level.name, held_at(best + share * max(0.0, nothing[level.name] - best)))


def _read(m: Any, p: Problem, alike: np.ndarray) -> Solution:
    """The answer by label."""

    def take(variable: Any, *axes: Iterable[object]) -> Array:
        axes = tuple(tuple(axis) for axis in axes)
        values = [variable[key].value if key in variable else 0.0 for key in product(*axes)]
        found = [0.0 if value is None else max(0.0, value) for value in values]
        return np.array(found).reshape([len(axis) for axis in axes])

    codes, years = p.codes, p.years
    bonds = np.zeros((len(SECTORS), len(codes), len(years)))
    for sector in BUILDING_SECTORS:
        bonds[SECTORS.index(sector)] = take(m.bonds, [sector], codes, years)[0]
    starts = take(m.starts, AREAS, SERVICES, codes, years)
    partners = take(m.partner_starts, SERVICES, codes, years)
    every = starts.copy()
    every[0] += partners
    capacity = capacity_of(p, every)
    temporary = take(m.temporary, codes, years)
    served = capacity[..., : len(years)].copy()
    served[0, 0] += temporary
    return Solution(
        take(m.central, SECTORS, codes, years),
        take(m.local, SECTORS, codes, years),
        bonds,
        take(m.levy, SECTORS, codes, years),
        take(m.unfunded, SECTORS, codes, years),
        starts,
        np.maximum(0.0, p.need[..., : len(years)] - served),
        capacity,
        temporary,
        take(m.places_hukou, codes, years),
        take(m.places_migrant, codes, years),
        take(m.teachers_hired, codes, years),
        alike,
        partners,
    )


class PlainCoupling(Coupling):
    """The rounds, with the plain way in the place of our linear program."""

    way = WAYS[0]

    def answer(self, p: Problem, what: str, **_: Any) -> Any:
        """Solve one problem in Pyomo; nothing is kept for the next."""
        self.progress(what)
        return solve_plain(p, self.way, lambda level: self.progress(f"{what}: {level}"))
