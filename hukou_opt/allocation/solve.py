"""Solve the allocation level by level: each level is made small, then held by all later ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import fsum

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit import Audited, audit_program, audited_solve
from hukou_opt.allocation.certificate import Certificate
from hukou_opt.allocation.explain.level_program import Watch, snapshot
from hukou_opt.allocation.explain.prices import PriceBook, RulePrice
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.goals import Goal, Sum, goal_of
from hukou_opt.allocation.levelling_down import can_level_down, levelled_down
from hukou_opt.allocation.levels import LevelSolver, Orders, held_at
from hukou_opt.allocation.limits import LimitRows, hold_limits
from hukou_opt.allocation.objectives import FIRST, TIE_BREAKS, check
from hukou_opt.allocation.objectives.law import MODES_OF
from hukou_opt.allocation.problem import SOFT_RULES, Array, Problem
from hukou_opt.allocation.proof import Proof
from hukou_opt.allocation.reached import Level, Reached, agree, level_record, limit_record
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.binding import Binding, binding_rules
from hukou_opt.allocation.rules.places import rationed, reachable
from hukou_opt.allocation.rules.slack_table import broken_rules
from hukou_opt.allocation.rules.support import BY_REGION
from hukou_opt.allocation.session import TIME_LIMIT, Point
from hukou_opt.allocation.solution import Solution, read_solution
from hukou_opt.allocation.spec import LevelSpec
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import InfeasibleError, SolveError, TimeLimitError

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
    rule_prices : tuple of RulePrice
        What each level would gain if each rule gave way by one unit, before the level was held.
    cuts, fallbacks : int
        Rows added for the inequality indices; warm solves repeated from scratch.
    orders : Orders
        Orders of cells whose rows were needed, by index; they speed up a similar problem.
    ties_broken : bool
        False when the tie-break found no proved optimum and the level before it stands.
    binding : tuple of Binding
        How often each rule binds.
    audited : Audited
        What was compared with the input tables, and how well the answer keeps the rules.
    proofs : tuple of Proof
        Program and proof of each certificate, in order, where they were asked for.
    """

    solution: Solution
    levels: tuple[Level, ...]
    certificates: tuple[Certificate, ...]
    prices: dict[str, float]
    rule_prices: tuple[RulePrice, ...]
    cuts: int
    fallbacks: int
    orders: Orders
    ties_broken: bool
    binding: tuple[Binding, ...]
    audited: Audited
    proofs: tuple[Proof, ...] = ()


def _set_regimes(run: LevelSolver, p: Problem, alike: NDArray[np.bool_]) -> None:
    """Switch the rationing rows of every cell: regime B where `alike`, regime A elsewhere."""
    program, cells = run.program, (p.codes, p.years)
    first = program.row_cells("places_hukou_first", *cells)
    second = program.row_cells("places_alike", *cells)
    on, off = np.where(alike, second, first).ravel(), np.where(alike, first, second).ravel()
    free = np.full(off.size, np.inf)
    run.session.bound_rows(on, -free, program.row_upper[on])
    run.session.bound_rows(off, -free, free)
    slip = program.column_cells("slip", *cells)
    most = np.where(alike, 0.0, program.upper[slip]).ravel()
    run.session.bound_columns(slip.ravel(), np.zeros(slip.size), most)


def as_solved(run: LevelSolver) -> LinearProgram:
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
    fixed = np.sort(np.concatenate([names.members(variable) for variable in BUILDING]))
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
    watch: Watch | None = None,
    time_limit: float = TIME_LIMIT,
    keep_proofs: bool = False,
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
    watch : Watch, optional
        Takes down the program of every level, for prices and ranges.
    time_limit : float, optional
        Seconds that one solve may take.
    keep_proofs : bool, optional
        Keep the program of every level with its proof, for an exact replay.

    Returns
    -------
    Allocation
        The proved answer.

    Raises
    ------
    InfeasibleError
        If rules that the experiment demands cannot all hold; names rule, region, block and amounts.
    UnboundedError, TimeLimitError, NumericalError
        If a solve ends without an optimum.
    SolveError, CertificateError
        If the objectives make no sense, or an optimum is not proved by the numbers.
    """
    faults = check(p)
    if faults:
        raise SolveError(faults)
    program = compile_problem(p)
    # Before anything is solved: a program that is not what the tables say has no use.
    audit_program(p, program)
    run = LevelSolver(program, progress, orders or {}, time_limit=time_limit)
    run.keep_proofs = keep_proofs
    reached: list[Reached] = []
    prices: dict[str, float] = {}
    book, rule_prices = PriceBook(program, p, RULES), list[RulePrice]()

    def reach(name: str, goal: Goal, meaning: str, level: LevelSpec | None = None) -> Point:
        point = goal.minimise()
        limit = held_at(point.value, goal.least_room)
        reached.append(Reached(name, meaning, goal, level, point.value, limit))
        _note_prices(prices, program, p, point, name)
        if name not in TIE_BREAKS:
            rule_prices.extend(book.prices(snapshot(run, name, goal, point)))
        if watch is not None:
            watch.optimum(run, name, goal, point)
        return point

    alike = ration(run, p)
    for name, mode in MODES_OF.items():
        names = [rule for rule in SOFT_RULES if p.modes[rule] == mode]
        if not names:
            continue
        point = reach(name, Sum(run, name), FIRST[name])
        if mode == "hard":
            faults = broken_rules(p, read_solution(program, p, point.x), names)
            if faults:
                raise InfeasibleError(faults, problem=p)
        reached[-1].hold(name)
    limits = hold_limits(run, p)
    reached += _guards(run, p)
    for level in p.aims.levels:
        point = reach(level.name, goal_of(run, p, level), level.meaning, level)
        reached[-1].hold(level.name)

    if watch is not None:
        watch.all_held(run, point)

    ties_broken = break_ties
    for name, meaning in TIE_BREAKS.items() if break_ties else ():
        try:
            nearest = partial(reach, name, Sum(run, name, near=True), meaning)
            point = _break_ties(run, point, nearest, progress)
        except TimeLimitError:
            # How far a slow machine gets in its time is no reason to publish another answer.
            raise
        except SolveError:
            # All levels of substance are proved; the last proved point stands, and it is said.
            progress(f"{name}: left out")
            ties_broken = False
            break
        reached[-1].hold(name)

    solution = read_solution(program, p, point.x, alike=alike)
    exact = recompute(p, solution)
    agree(reached, exact, point.x)
    audited = audited_solve(p, as_solved(run), solution)
    binding = tuple(binding_rules(RULES, p, as_solved(run), point.x))
    levels = _records(run, p, solution, reached, limits, exact, point.x)
    return Allocation(
        solution,
        levels,
        tuple(run.certificates),
        prices,
        tuple(rule_prices),
        run.cuts,
        run.session.fallbacks,
        run.orders,
        ties_broken,
        binding,
        audited,
        tuple(run.proofs),
    )


def ration(run: LevelSolver, p: Problem) -> NDArray[np.bool_]:
    """Find the cells that no building reaches in time, and hold the rationing rule exactly.

    Returns
    -------
    ndarray of bool, shape (region, year)
        Cells in which places cannot reach all hukou children.
    """
    alike = ~reachable(p)
    _set_regimes(run, p, alike)
    point = run.minimise("slip")
    slips = run.program.column_cells("slip", p.codes, p.years)
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
    rows = program.row_cells("fund_volume", p.years)
    dual = point.row_dual
    # One more unit of the fund raises the bound of year t by its part of the whole.
    # Years in which no region can use central money have no row.
    price = -fsum(dual[row] * (k + 1) / len(p.years) for k, row in enumerate(rows) if row >= 0)
    prices[f"central_fund:{level}"] = float(price)


def with_formula(p: Problem, fund_by_region: Array) -> Problem:
    """Copy of a problem in which a formula fixes each region's transfers over the horizon.

    What the plan promises or caps by region gives way to the formula.
    """
    modes = {**p.modes, **dict.fromkeys(BY_REGION, "off")}
    return replace(p, fund_by_region=fund_by_region, modes=modes)
