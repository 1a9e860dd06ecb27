"""What the answer is compared with: no plan money at all, and plain formulas for the transfers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, with_formula
from hukou_opt.dynamics import Trajectory
from hukou_opt.planning.coupling import Coupled, Coupling
from hukou_opt.planning.measure import Measure, measures
from hukou_opt.regions.base_year import BaseYear


@dataclass(frozen=True)
class Case:
    """One comparison: gaps of its simulated path, and its answer where there is one."""

    name: str
    gaps: list[Measure]
    allocation: Allocation | None
    problem: Problem | None
    run: Trajectory


def formula_shares(base: BaseYear) -> dict[str, Array]:
    """Share of the fund by region under each plain formula, shape (region,)."""
    migrants = base.data["initial_migrants"].sum("region").values
    people = (
        base.data["initial_rural_residents"].values
        + base.data["initial_urban_hukou_residents"].values
        + migrants
    )
    return {"equal_per_head": people / people.sum(), "by_migrants": migrants / migrants.sum()}


def plan_case(coupled: Coupled, base_year: int) -> Case:
    """The answer itself."""
    best = coupled.best
    gaps = measures(best.simulated_problem, best.simulated, best.run, base_year)
    return Case("plan", gaps, best.allocation, best.problem, best.run)


def without_plan(coupling: Coupling, base_year: int) -> Case:
    """Reform rules without central money and without new building; local money pays what it can."""
    p = coupling.problem(coupling.needs(coupling.first_run, coupling.nothing()))
    total = p.cost.sum(axis=0)
    paid = np.minimum(total, p.local_ceiling + p.levy_ceiling)
    share = np.divide(paid, total, out=np.ones_like(total), where=total > 0)
    zero = np.zeros_like(total)
    empty = replace(Solution.empty(p, zero, zero), unfunded=p.cost * (1 - share))
    run, _, after, seen = coupling.simulate(p, empty, coupling.decisions(p, empty))
    return Case("without_plan", measures(after, seen, run, base_year), None, None, run)


def comparator(coupling: Coupling, coupled: Coupled, name: str, base_year: int) -> Case:
    """The fund shared by a plain formula; timing and all other money by the same linear program."""
    share = formula_shares(coupling.base)[name]
    p = with_formula(coupled.best.simulated_problem, share * coupled.best.problem.fund)
    allocation = coupling.answer(p, name, break_ties=False)
    decisions = coupling.decisions(p, allocation.solution)
    coupling.progress(f"{name}: model")
    run, _, after, seen = coupling.simulate(p, allocation.solution, decisions)
    return Case(name, measures(after, seen, run, base_year), allocation, p, run)


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
