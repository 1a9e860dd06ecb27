"""Solve the allocation level by level: each level is made small, then held by all later ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import Certificate, inner
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.levels import (
    ABSOLUTE_HOLD,
    LevelSolver,
    Orders,
    held_at,
)
from hukou_opt.allocation.objectives import LEVELS, TIE_BREAK
from hukou_opt.allocation.objectives.law import MODES_OF
from hukou_opt.allocation.problem import SOFT_RULES, Array, Problem
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.rules.places import rationed, reachable
from hukou_opt.allocation.rules.slack_table import broken_rules
from hukou_opt.allocation.session import Point
from hukou_opt.allocation.solution import Solution, read_solution
from hukou_opt.errors import CertificateError, Fault, InfeasibleError, SolveError

#: Slack of the rationing rule, 10k children, from which on a cell is out of reach.
SLIP_TOLERANCE = 1e-6


#: Levels that are weighed after what must hold.
WEIGHED = tuple(name for name, _ in LEVELS if name not in ("slip", *MODES_OF))


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
        One for each level, in order.
    prices : dict of str to float
        Shadow price of the central fund and of other totals, from the first level in which the row
        has one, per unit of the level and 100m yuan.
    cuts, fallbacks : int
        Rows added for the inequality indices; warm solves repeated from scratch.
    orders : Orders
        Orders of cells whose rows were needed, by index; they speed up a similar problem.
    ties_broken : bool
        False when the tie-break found no proved optimum and the level before it stands.
    """

    solution: Solution
    levels: tuple[Level, ...]
    certificates: tuple[Certificate, ...]
    prices: dict[str, float]
    cuts: int
    fallbacks: int
    orders: Orders
    ties_broken: bool


def _set_regimes(run: LevelSolver, p: Problem, alike: NDArray[np.bool_]) -> None:
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
    break_ties: bool = True,
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
    break_ties : bool, optional
        Choose between equally good answers; a comparator whose transfers a formula fixes needs no
        choice.

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
    run = LevelSolver(program, progress, orders or {})
    columns = program.columns()
    alike = ~reachable(p)
    _set_regimes(run, p, alike)

    values: dict[str, float] = {}
    limits: dict[str, float] = {}
    prices: dict[str, float] = {}
    point = run.minimise("slip")
    slips = np.array([[columns[f"slip[{code},{year}]"] for year in p.years] for code in p.codes])
    late = (point.x[slips] > SLIP_TOLERANCE) & ~alike
    if late.any():
        # Cells that no building reaches in time share alike; they never go back.
        alike = alike | late
        _set_regimes(run, p, alike)
    run.forget_point()
    # From here on the rule holds exactly: a row with a tolerance would let children slip through.
    run.session.bound_columns(slips.ravel(), np.zeros(slips.size), np.zeros(slips.size))
    for name, mode in MODES_OF.items():
        names = [rule for rule in SOFT_RULES if p.modes[rule] == mode]
        if not names:
            continue
        point = run.minimise(name)
        values[name], limits[name] = point.value, held_at(point.value)
        if mode == "hard":
            faults = broken_rules(p, read_solution(program, p, point.x), names)
            if faults:
                raise InfeasibleError(faults)
        _note_prices(prices, program, p, point, name)
        run.hold(name, limits[name])

    guard = p.parameters["guard"]
    if guard < 1:
        best = run.minimise("unmet")
        nothing = recompute(p, _nothing_built(p))["unmet"]
        room = max(0.0, nothing - best.value)
        values["guard"] = best.value
        limits["guard"] = held_at(best.value + guard * room)
        run.hold("unmet", limits["guard"])

    ties_broken = break_ties
    for name in WEIGHED:
        if name == TIE_BREAK and not break_ties:
            continue
        try:
            point = run.minimise(name)
        except SolveError:
            if name != TIE_BREAK:
                raise
            # All levels of substance are proved; the last proved point stands, and it is said.
            progress(f"{name}: left out")
            ties_broken = False
            break
        values[name] = point.value
        limits[name] = held_at(point.value)
        _note_prices(prices, program, p, point, name)
        run.hold(name, limits[name])

    solution = read_solution(program, p, point.x, alike=alike)
    final = {
        name: inner(cost, point.x) + constant for name, (cost, constant) in program.costs.items()
    }
    exact = recompute(p, solution)
    _agree(values, final, exact)
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
        run.orders,
        ties_broken,
    )


def _note_prices(
    prices: dict[str, float], program: LinearProgram, p: Problem, point: Point, level: str
) -> None:
    """Shadow price of the fund in a level: what one more 100m yuan in all years would save."""
    rows = program.row_positions()
    dual = point.row_dual
    # One more unit of the fund raises the bound of year t by its part of the whole.
    # Years in which no region can use central money have no row.
    price = -sum(
        dual[rows[name]] * (p.column(year) + 1) / len(p.years)
        for year in p.years
        if (name := f"fund_volume[{year}]") in rows
    )
    prices[f"central_fund:{level}"] = float(price)


def _agree(values: dict[str, float], final: dict[str, float], exact: dict[str, float]) -> None:
    """Compare the levels with those recomputed from the tables.

    A recomputed level may lie below the program's, which can leave slack in a held level, but never
    above it, and never below the level's own optimum.
    """
    faults = []
    for name, value in values.items():
        true = exact["unmet" if name == "guard" else name]
        most = final["unmet" if name == "guard" else name]
        noise = 2 * ABSOLUTE_HOLD * max(1.0, abs(most))
        if not value - noise <= true <= most + noise:
            faults.append(
                Fault(
                    f"level {name!r}",
                    f"recomputed {true:.9g}, linear program {most:.9g}, its optimum {value:.9g}",
                    "rows and tables disagree: report this as a bug",
                )
            )
    if faults:
        raise CertificateError(faults)


def with_formula(p: Problem, fund_by_region: Array) -> Problem:
    """Copy of a problem in which a formula fixes each region's transfers over the horizon."""
    modes = {**p.modes, "support_floor": "off"}
    return replace(p, fund_by_region=fund_by_region, modes=modes)
