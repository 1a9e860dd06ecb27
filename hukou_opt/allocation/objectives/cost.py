"""Level 5: what the answer costs beyond the certified running cost."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, SERVICES, Problem
from hukou_opt.allocation.rules.capacity import started


def add(m: Any, p: Problem) -> None:
    """Building, temporary places, charge of idle capacity, new teachers, in shares of the fund."""
    par = p.parameters
    # Whoever pays: private capital is paid back in the years after the plan.
    build = sum(
        float(p.unit_cost[i, k]) * started(m, j, s, r, t)
        for i, j in enumerate(AREAS)
        for k, s in enumerate(SERVICES)
        for r in m.R
        for t in m.T
    )
    temporary = par["temporary_place_cost"] * sum(m.temporary[r, t] for r in m.R for t in m.T)
    idle = par["stranded_years_charge"] * sum(
        float(p.unit_cost[i, k]) * m.idle[j, s, r, t]
        for i, j in enumerate(AREAS)
        for k, s in enumerate(SERVICES)
        for r in m.R
        for t in m.ALL
    )
    teachers = par["teacher_pay"] * sum(m.teachers_hired[r, t] for r in m.R for t in m.T)
    # In shares of the fund, so that the level has the size of the others.
    m.level_cost = pyo.Objective(expr=(build + temporary + idle + teachers) / p.fund)
