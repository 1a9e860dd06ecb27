"""What the answer is compared with: no plan money at all, and plain formulas for the transfers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, with_formula
from hukou_opt.dynamics import Trajectory
from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.planning.coupling import Coupled, Coupling
from hukou_opt.planning.measure import Measure, measures
from hukou_opt.planning.region_levels import RegionLevels, region_levels
from hukou_opt.regions.base_year import BaseYear


@dataclass(frozen=True)
class Case:
    """One comparison: what its simulated path gives, and its answer where there is one.

    Parameters
    ----------
    name : str
        Name in results.
    gaps : list of Measure
        Published gaps.
    levels : list of RegionLevels
        What each region has, also on measures that were not optimised.
    allocation : Allocation or None
        Answer of the linear program; none without the plan.
    problem : Problem or None
        Its inputs.
    run : Trajectory
        The simulated path.
    """

    name: str
    gaps: list[Measure]
    levels: list[RegionLevels]
    allocation: Allocation | None
    problem: Problem | None
    run: Trajectory


def residents_at_start(base: BaseYear) -> Array:
    """All residents at the end of the base year, shape (region,), 10k."""
    people: Array = (
        base.data["initial_rural_residents"].values
        + base.data["initial_urban_hukou_residents"].values
        + base.data["initial_migrants"].sum("region").values
    )
    return people


def formula_bases(base: BaseYear) -> dict[str, Array]:
    """What the formulas that need no answer share the fund by, shape (region,).

    Residents and migrants at the start (10k), and transfers from the centre in the base year
    (100m yuan).
    """
    return {
        "equal_per_head": residents_at_start(base),
        "by_migrants": base.data["initial_migrants"].sum("region").values,
        "by_transfers": base.data["central_transfers"].values,
    }


def formula_shares(base: BaseYear, p: Problem) -> dict[str, Array]:
    """Share of the fund by region under each plain formula, shape (region,).

    Parameters
    ----------
    base : BaseYear
        People and transfers at the start.
    p : Problem
        Certified cost of the published path; need is its sum over the horizon.
    """
    need: dict[str, Array] = {"by_need": p.cost.sum(axis=(0, 2))}
    # Where nobody settles nothing is certified, and a formula by need gives nothing.
    return {
        name: share / max(float(share.sum()), np.finfo(float).tiny)
        for name, share in (formula_bases(base) | need).items()
    }


def check_comparators(comparators: Sequence[str], base: BaseYear) -> None:
    """Refuse a formula that has nothing to share the fund by, before anything runs.

    Raises
    ------
    ExperimentError
        If no region has any of what a formula shares by.
    """
    faults = [
        Fault(
            "allocation.comparators",
            f"{name!r} has nothing to share the fund by: all regions have 0",
            "leave it out, or complete the region table",
        )
        for name, what in formula_bases(base).items()
        if name in comparators and not what.sum() > 0
    ]
    if faults:
        raise ExperimentError(faults)


def plan_case(coupled: Coupled, base_year: int) -> Case:
    """The answer itself."""
    best = coupled.best
    gaps = measures(best.simulated_problem, best.simulated, best.run, base_year)
    levels = region_levels(best.simulated_problem, best.simulated, best.run, base_year)
    return Case("plan", gaps, levels, best.allocation, best.problem, best.run)


def without_plan(coupling: Coupling, base_year: int) -> Case:
    """Reform rules without central money and without new building; local money pays what it can."""
    p = coupling.problem(coupling.needs(coupling.first_run, coupling.nothing()))
    total = p.cost.sum(axis=0)
    local = np.minimum(total, p.local_ceiling)
    levy = np.minimum(total - local, p.levy_ceiling)

    def by_sector(money: Array) -> Array:
        """Money of a region and year, in the proportion of the certified cost."""
        part = np.divide(money, total, out=np.zeros_like(total), where=total > 0)
        shared: Array = p.cost * part
        return shared

    zero = np.zeros_like(total)
    empty = replace(
        Solution.empty(p, zero, zero),
        local=by_sector(local),
        levy=by_sector(levy),
        unfunded=by_sector(total - local - levy),
    )
    run, _, after, seen = coupling.simulate(p, empty, coupling.decisions(p, empty))
    gaps = measures(after, seen, run, base_year)
    return Case("without_plan", gaps, region_levels(after, seen, run, base_year), None, None, run)


def formula_problem(p: Problem, share: Array) -> Problem:
    """Inputs of a comparator: the same program, with each region's part of the fund as its ceiling.

    What the experiment demands of the answer is asked of a formula, but not demanded: one that
    cannot meet it is to be compared, not to end the run.

    Parameters
    ----------
    p : Problem
        Inputs of the answer that is compared.
    share : ndarray, shape (region,)
        Share of the fund by region.
    """
    modes = {rule: "soft" if mode == "hard" else mode for rule, mode in p.modes.items()}
    asked = replace(p, modes=modes, aims=replace(p.aims, limits=()))
    return with_formula(asked, share * p.fund)


def comparator(coupling: Coupling, coupled: Coupled, name: str, base_year: int) -> Case:
    """The fund shared by a plain formula; timing and all other money by the same linear program."""
    at = coupled.best.simulated_problem
    p = formula_problem(at, formula_shares(coupling.base, at)[name])
    allocation = coupling.answer(p, name)
    decisions = coupling.decisions(p, allocation.solution)
    coupling.progress(f"{name}: model")
    run, _, after, seen = coupling.simulate(p, allocation.solution, decisions)
    gaps = measures(after, seen, run, base_year)
    return Case(name, gaps, region_levels(after, seen, run, base_year), allocation, p, run)


def all_cases(
    coupling: Coupling, coupled: Coupled, comparators: Sequence[str], base_year: int
) -> list[Case]:
    """Without plan, with the plan, and under each comparator."""
    coupling.progress("without plan: model")
    return [
        without_plan(coupling, base_year),
        plan_case(coupled, base_year),
        *(comparator(coupling, coupled, name, base_year) for name in comparators),
    ]
