"""Solve the allocation level by level: each level is made small, then held by all later ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import Certificate
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.goals import Goal, Sum, goal_of
from hukou_opt.allocation.levelling_down import can_level_down, levelled_down
from hukou_opt.allocation.levels import LevelSolver, Orders, held_at
from hukou_opt.allocation.limits import LimitRows, hold_limits
from hukou_opt.allocation.objectives import FIRST, TIE_BREAKS, check
from hukou_opt.allocation.objectives.law import MODES_OF
from hukou_opt.allocation.problem import SOFT_RULES, Array, Problem
from hukou_opt.allocation.reached import Level, Reached, agree, level_record, limit_record
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.binding import Binding, binding_rules
from hukou_opt.allocation.rules.places import rationed, reachable
from hukou_opt.allocation.rules.slack_table import broken_rules
from hukou_opt.allocation.rules.support import BY_REGION
from hukou_opt.allocation.session import Point
from hukou_opt.allocation.solution import Solution, read_solution
from hukou_opt.allocation.spec import LevelSpec
from hukou_opt.errors import InfeasibleError, SolveError

#: Name of the level that limits what earlier levels may take from a guarded one.
GUARD = "guard"
#: Columns that are building, which the second try of a tie-break leaves as it is.
BUILDING = ("starts", "partner_starts", "temporary", "teachers_hired")
#: Slack of the rationing rule, 10k children, from which on a cell is out of reach.
SLIP_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Allocation:
    """A proved answer of the linear program.

    Parameters
    ----------
    solution : Solution
        Money, starts, capacity, places by label.
    levels : tuple of Level
        Value of every level, in order; limits come first.
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
    binding : tuple of Binding
        How often each rule binds.
    """

    solution: Solution
    levels: tuple[Level, ...]
    certificates: tuple[Certificate, ...]
    prices: dict[str, float]
    cuts: int
    fallbacks: int
    orders: Orders
    ties_broken: bool
    binding: tuple[Binding, ...]


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


def _as_solved(run: LevelSolver) -> LinearProgram:
    """The program's own rows with the bounds of the last solve, regimes of the rationing set."""
    session, rows = run.session, len(run.program.row_names)
    return replace(
        run.program,
        row_lower=session.row_lower[:rows],
        row_upper=session.row_upper[:rows],
        lower=session.lower,
        upper=session.upper,
    )


def _nothing_built(p: Problem) -> Solution:
    """The state in which nothing is built or paid: what the guard is measured from."""
    years = len(p.years)
    places = p.existing[0, 0, :, :years] + p.stretch[:, :years]
    hukou, migrant = rationed(p, places)
    return Solution.empty(p, hukou, migrant)


def _break_ties(
    run: LevelSolver,
    point: Point,
    reach: Callable[[], Point],
    progress: Callable[[str], None],
) -> Point:
    """Reach a tie-break; where it stalls between the held levels, with building as it is.

    The held levels leave a needle of answers, in which a solve can take minutes or not end. With
    building fixed only money is left to choose, which is a small program, and what is published of
    the fund is still the answer nearest to need.

    Raises
    ------
    SolveError
        If neither is solved.
    """
    session = run.session
    session.brief = True
    try:
        return reach()
    except SolveError:
        progress("tie-break: building stays")
    finally:
        session.brief = False
    names = run.program.column_names
    fixed = np.flatnonzero([name.partition("[")[0] in BUILDING for name in names])
    lower, upper = session.lower[fixed].copy(), session.upper[fixed].copy()
    at = np.clip(point.x[fixed], lower, upper)
    session.bound_columns(fixed, at, at)
    try:
        return reach()
    finally:
        session.bound_columns(fixed, lower, upper)


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
        Choose between equally good answers; a solve that only checks the levels needs no choice.

    Returns
    -------
    Allocation
        The proved answer.

    Raises
    ------
    InfeasibleError
        If rules that the experiment demands cannot all hold; names rule, region, block and amounts.
    SolveError, CertificateError
        If the objectives make no sense, no optimum was found, or it is not proved by the numbers.
    """
    faults = check(p)
    if faults:
        raise SolveError(faults)
    program = compile_model(build_model(p))
    run = LevelSolver(program, progress, orders or {})
    reached: list[Reached] = []
    prices: dict[str, float] = {}

    def reach(name: str, goal: Goal, meaning: str, level: LevelSpec | None = None) -> Point:
        point = goal.minimise()
        limit = held_at(point.value, goal.least_room)
        reached.append(Reached(name, meaning, goal, level, point.value, limit))
        _note_prices(prices, program, p, point, name)
        return point

    alike = _ration(run, p)
    for name, mode in MODES_OF.items():
        names = [rule for rule in SOFT_RULES if p.modes[rule] == mode]
        if not names:
            continue
        point = reach(name, Sum(run, name), FIRST[name])
        if mode == "hard":
            faults = broken_rules(p, read_solution(program, p, point.x), names)
            if faults:
                raise InfeasibleError(faults)
        reached[-1].hold(name)
    limits = hold_limits(run, p)
    reached += _guards(run, p)
    for level in p.aims.levels:
        point = reach(level.name, goal_of(run, p, level), level.meaning, level)
        reached[-1].hold(level.name)

    ties_broken = break_ties
    for name, meaning in TIE_BREAKS.items() if break_ties else ():
        try:
            nearest = partial(reach, name, Sum(run, name), meaning)
            point = _break_ties(run, point, nearest, progress)
        except SolveError:
            # All levels of substance are proved; the last proved point stands, and it is said.
            progress(f"{name}: left out")
            ties_broken = False
            break
        reached[-1].hold(name)

    solution = read_solution(program, p, point.x, alike=alike)
    exact = recompute(p, solution)
    agree(reached, exact, point.x)
    binding = tuple(binding_rules(RULES, p, _as_solved(run), point.x))
    levels = _records(run, p, solution, reached, limits, exact, point.x)
    return Allocation(
        solution,
        levels,
        tuple(run.certificates),
        prices,
        run.cuts,
        run.session.fallbacks,
        run.orders,
        ties_broken,
        binding,
    )


def _ration(run: LevelSolver, p: Problem) -> NDArray[np.bool_]:
    """Find the cells that no building reaches in time, and hold the rationing rule exactly.

    Returns
    -------
    ndarray of bool, shape (region, year)
        Cells in which places cannot reach all hukou children.
    """
    columns = run.program.columns()
    alike = ~reachable(p)
    _set_regimes(run, p, alike)
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
    return alike


def _guards(run: LevelSolver, p: Problem) -> list[Reached]:
    """Hold every guarded level near its own optimum, each under those before it."""
    guard = p.parameters["guard"]
    guarded = [level for level in p.aims.levels if level.guarded]
    if guard >= 1 or not guarded:
        return []
    nothing = recompute(p, _nothing_built(p))
    out = []
    for level in guarded:
        goal = goal_of(run, p, level)
        best = goal.minimise().value
        room = max(0.0, nothing[level.name] - best)
        name = GUARD if len(guarded) == 1 else f"{GUARD}_{level.name}"
        meaning = f"{level.meaning}, alone, and how much of it later levels may give up"
        limit = held_at(best + guard * room, goal.least_room)
        out.append(Reached(name, meaning, goal, level, best, limit))
        out[-1].hold(GUARD)
    return out


def _records(
    run: LevelSolver,
    p: Problem,
    s: Solution,
    reached: list[Reached],
    limits: tuple[LimitRows, ...],
    exact: dict[str, float],
    x: Array,
) -> tuple[Level, ...]:
    """What limits and levels have come to, with the check of those that can level down."""
    # All values are read before the checks, which take rows out of the program.
    held = [limit_record(p, s, limit, x) for limit in limits]
    records = [level_record(p, s, each, exact, x) for each in reached]
    found = {}
    for level in reversed(p.aims.levels):
        if can_level_down(level):
            found[level.name] = levelled_down(run, p, level, s, x)
    levels = (replace(each, levelled_down=found.get(each.name)) for each in records)
    return (*held, *levels)


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


def with_formula(p: Problem, fund_by_region: Array) -> Problem:
    """Copy of a problem in which a formula fixes each region's transfers over the horizon.

    What the plan promises or caps by region gives way to the formula.
    """
    modes = {**p.modes, **dict.fromkeys(BY_REGION, "off")}
    return replace(p, fund_by_region=fund_by_region, modes=modes)
