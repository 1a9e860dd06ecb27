"""Level 5: what the answer costs beyond the certified running cost."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, BUILDING_SECTORS, SERVICES, Problem
from hukou_opt.allocation.rules.money import building_cost


def add(m: Any, p: Problem) -> None:
    """Building, temporary places, charge of idle capacity, new teachers, in shares of the fund."""
    par = p.parameters
    build = sum(building_cost(m, p, g, r, t) for g in BUILDING_SECTORS for r in m.R for t in m.T)
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
