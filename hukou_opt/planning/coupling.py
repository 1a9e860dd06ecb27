"""Rounds between stock-flow model and linear program until both agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from hukou_opt.allocation.levels import Orders
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute import recompute, standard_levels
from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.allocation.spec import Aims
from hukou_opt.dynamics import (
    Decisions,
    Needs,
    Runner,
    Trajectory,
    extend_decisions,
    needs_from,
    no_decisions,
    standing_capacity,
)
from hukou_opt.dynamics.exchange import AREAS, SERVICES
from hukou_opt.parameters import Parameters
from hukou_opt.planning.measure import simulated
from hukou_opt.planning.prepare import make_problem
from hukou_opt.regions.base_year import BaseYear

#: A round that moves at least this part of what the round before moved is a sign of a cycle.
CYCLE = 0.9
#: Rounds in a row with that sign after which decisions are averaged with the last ones.
CYCLE_ROUNDS = 2
DAMPING = 0.5


@dataclass(frozen=True, eq=False)
class Round:
    """One round: what moved, and how good the simulated path is.

    Parameters
    ----------
    allocation : Allocation
        Answer to the needs of the run before.
    problem : Problem
        Its inputs.
    decisions : Decisions
        What the model was run with.
    run : Trajectory
        The run under these decisions.
    needs : Needs
        Needs of this run.
    simulated_problem : Problem
        Inputs made from this run's needs; the published gaps are measured on it.
    simulated : Solution
        The answer as this run has it.
    moved_fund, moved_need : float
        Fund moved against the round before, as a share of the fund (1 in the first round), and
        largest change of a national need against the needs that the answer was made for.
    objective : tuple of float
        The experiment's levels on the simulated path, in their order, as losses; without what soft
        rules miss and building costs, unless nothing else is asked for.
    unmet : float
        Inequality-averse mean of the unmet rates on the simulated path, whatever is asked for.
    damped : bool
        Whether decisions were averaged with the last ones.
    """

    allocation: Allocation
    problem: Problem
    decisions: Decisions
    run: Trajectory
    needs: Needs
    simulated_problem: Problem
    simulated: Solution
    moved_fund: float
    moved_need: float
    objective: tuple[float, ...]
    unmet: float
    damped: bool


@dataclass(frozen=True)
class Coupled:
    """The rounds, the one that is published, and whether model and program agree.

    Parameters
    ----------
    rounds : tuple of Round
        All rounds in order.
    best : Round
        The last round if it converged, else the round with the best simulated levels.
    converged : bool
        Whether both moved less than the tolerance.
    cycle : bool
        Whether a cycle was seen and damped.
    """

    rounds: tuple[Round, ...]
    best: Round
    converged: bool
    cycle: bool


@dataclass
class Coupling:
    """Model, program and what stays the same over the rounds.

    Parameters
    ----------
    engine : Runner
        Engine whose constants are set.
    base : BaseYear
        Fiscal figures and classes.
    parameters : Parameters
        The registry.
    last_year : int
        Last decision year.
    modes : mapping of str to str
        Mode of each rule that can be switched.
    progress : callable
        Told in words what is being done.
    aims : Aims
        Objectives and limits.
    count_settlers : {"mid_year", "end_year"}
        Settlers who make up the certified cost of a year.
    time_limit : float
        Seconds that one solve may take.
    """

    engine: Runner
    base: BaseYear
    parameters: Parameters
    last_year: int
    modes: Mapping[str, str]
    progress: Callable[[str], None]
    aims: Aims = field(default_factory=Aims)
    count_settlers: str = "mid_year"
    time_limit: float = TIME_LIMIT
    standing: xr.DataArray = field(init=False)
    first_run: Trajectory = field(init=False)
    orders: Orders | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.progress("model: nothing built")
        nothing = self.nothing()
        self.first_run = self.engine.run(nothing)
        self.progress("model: one unit started")
        self.standing = standing_capacity(self.engine, self.first_run)

    def nothing(self) -> Decisions:
        """No building beyond replacement, no temporary places, all running cost paid."""
        return no_decisions(self.engine.codes, self.engine.years)

    def needs(self, run: Trajectory, decisions: Decisions) -> Needs:
        """Needs of one run."""
        return needs_from(run, decisions, self.standing)

    def problem(self, needs: Needs) -> Problem:
        """Inputs of the linear program for some needs."""
        return make_problem(
            needs,
            self.base,
            self.parameters,
            last_year=self.last_year,
            modes=self.modes,
            aims=self.aims,
            count_settlers=self.count_settlers,
        )

    def answer(
        self, p: Problem, what: str, *, break_ties: bool = True, keep_proofs: bool = False
    ) -> Allocation:
        """Solve one problem; the rows that were needed speed up the next solve."""
        allocation = solve(
            p,
            progress=lambda level: self.progress(f"{what}: {level}"),
            orders=self.orders,
            break_ties=break_ties,
            keep_proofs=keep_proofs,
            time_limit=self.time_limit,
        )
        self.orders = allocation.orders
        return allocation

    def decisions(self, p: Problem, s: Solution) -> Decisions:
        """The answer as the model takes it; block means of the unfunded share, not single years."""
        share = s.unfunded_share(p)
        funded = np.ones((len(p.codes), len(p.years)))
        for b, block in enumerate(p.blocks):
            funded[:, p.block_columns(block)] = np.clip(1 - share[:, [b]], 0.0, 1.0)
        coords = {"region": list(p.codes), "year": list(p.years)}
        starts = xr.DataArray(
            s.all_starts,
            {"area": list(AREAS), "service": list(SERVICES), **coords},
            ("area", "service", "region", "year"),
        )
        given = Decisions(
            starts=starts,
            temporary_places=xr.DataArray(s.temporary, coords, ("region", "year")),
            funded_share=xr.DataArray(funded, coords, ("region", "year")),
            bonds=xr.DataArray(s.bonds.sum(axis=0), coords, ("region", "year")),
        )
        return extend_decisions(given, self.engine.years)

    def simulate(
        self, p: Problem, s: Solution, decisions: Decisions
    ) -> tuple[Trajectory, Needs, Problem, Solution]:
        """Run the model under decisions and read the answer from the simulated path."""
        run = self.engine.run(decisions)
        needs = self.needs(run, decisions)
        after = self.problem(needs)
        # What was built is what the run was told, which a damped round has averaged.
        years = list(p.years)
        built = (
            decisions.starts.sel(year=years).transpose("area", "service", "region", "year").values
        )
        public, partners = split_starts(s, built)
        told = replace(
            s,
            starts=public,
            partner_starts=partners,
            temporary=decisions.temporary_places.sel(year=years).transpose("region", "year").values,
        )
        return run, needs, after, simulated(after, told, p.cost, run)

    def iterate(self, *, max_rounds: int, tolerance: float, keep_proofs: bool = False) -> Coupled:
        """Round after round until fund and needs stand still.

        Parameters
        ----------
        max_rounds : int
            Most rounds.
        tolerance : float
            Share of the fund, and of the needs, that may still move.
        keep_proofs : bool, optional
            Keep the programs of every round with their proofs, for an exact replay of the one that
            is published.
        """
        rounds: list[Round] = []
        needs = self.needs(self.first_run, self.nothing())
        stalled, damping = 0, False
        for number in range(1, max_rounds + 1):
            p = self.problem(needs)
            allocation = self.answer(p, f"round {number}", keep_proofs=keep_proofs)
            decisions = self.decisions(p, allocation.solution)
            if damping and rounds:
                decisions = average(rounds[-1].decisions, decisions, DAMPING)
            self.progress(f"round {number}: model")
            run, needs_after, after, seen = self.simulate(p, allocation.solution, decisions)
            this = Round(
                allocation=allocation,
                problem=p,
                decisions=decisions,
                run=run,
                needs=needs_after,
                simulated_problem=after,
                simulated=seen,
                moved_fund=_moved_fund(rounds[-1] if rounds else None, p, allocation.solution),
                moved_need=moved_need(needs, needs_after),
                objective=level_values(after, seen),
                unmet=standard_levels(after, seen)["unmet"],
                damped=damping,
            )
            # The first round moves the whole fund by definition: no sign of anything.
            if len(rounds) > 1 and this.moved_fund > CYCLE * rounds[-1].moved_fund:
                stalled += 1
            else:
                stalled = 0
            rounds.append(this)
            if this.moved_fund < tolerance and this.moved_need < tolerance:
                return Coupled(tuple(rounds), this, True, any(each.damped for each in rounds))
            damping = damping or stalled >= CYCLE_ROUNDS
            needs = needs_after
        best = min(rounds, key=lambda each: each.objective)
        return Coupled(tuple(rounds), best, False, any(each.damped for each in rounds))


def level_values(p: Problem, seen: Solution) -> tuple[float, ...]:
    """Value of the experiment's levels on a simulated path, in their order."""
    value = recompute(p, seen)
    weighed = [level.name for level in p.aims.levels if level.name not in ("slack", "cost")]
    return tuple(value[name] for name in weighed or [level.name for level in p.aims.levels])


def published(coupled: Coupled, run: Trajectory) -> Coupled:
    """The same rounds, with the published one's path from another engine."""
    best = replace(coupled.best, run=run)
    rounds = tuple(best if each is coupled.best else each for each in coupled.rounds)
    return replace(coupled, rounds=rounds, best=best)


def split_starts(s: Solution, built: Array) -> tuple[Array, Array]:
    """Public and private starts of what the model was told to build, in the answer's proportion.

    Parameters
    ----------
    s : Solution
        The answer.
    built : ndarray, shape (area, service, region, year)
        All starts that the model was told, 10k.

    Returns
    -------
    public, partners : ndarray
        Shapes (area, service, region, year) and (service, region, year).
    """
    town = AREAS.index("urban")
    own, total = s.partner_starts, s.all_starts[town]
    part = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    partners: Array = part * built[town]
    public = built.copy()
    public[town] -= partners
    return public, partners


def average(old: Decisions, new: Decisions, weight: float) -> Decisions:
    """Weighted mean of two sets of decisions, `weight` on the new one."""
    return Decisions(
        starts=(1 - weight) * old.starts + weight * new.starts,
        temporary_places=(1 - weight) * old.temporary_places + weight * new.temporary_places,
        funded_share=(1 - weight) * old.funded_share + weight * new.funded_share,
        bonds=(1 - weight) * old.bonds + weight * new.bonds,
    )


def _moved_fund(before: Round | None, p: Problem, s: Solution) -> float:
    if before is None:
        return 1.0
    moved: Array = np.abs(
        s.central_by_block(p) - before.allocation.solution.central_by_block(before.problem)
    )
    return float(moved.sum()) / p.fund


def moved_need(before: Needs, after: Needs) -> float:
    """Largest relative change of a national need, over areas, services and years."""
    old = before.data["need"].transpose("area", "service", "region", "year")
    new = after.data["need"].transpose("area", "service", "region", "year")
    change: Array = np.abs(new.values - old.values).sum(axis=2)
    national: Array = old.values.sum(axis=2)
    return float(np.divide(change, national, out=np.zeros_like(change), where=national > 0).max())
