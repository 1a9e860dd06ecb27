"""Capacity follows from starts, need is met or short, and building is bounded."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, SERVICES, Problem
from hukou_opt.allocation.rules.rule import Rule

RULES = (
    Rule(
        "capacity_path",
        "Capacity is what stands anyway plus what the starts have become",
        "cap = existing + sum_u standing(t-u) starts(u)",
        "10k seats or beds",
        "assumption: building times of the stock-flow model",
        "hard",
    ),
    Rule(
        "shortage_definition",
        "Need without a seat or bed is short",
        "shortage >= need - cap - temporary",
        "10k seats or beds",
        "plan 2.2",
        "hard",
    ),
    Rule(
        "idle_definition",
        "Capacity well above need is idle",
        "idle >= cap - (1 + margin) need",
        "10k seats or beds",
        "assumption",
        "hard",
    ),
    Rule(
        "build_rate",
        "Building starts stay within a share of standing capacity (bounds of the starts)",
        "starts <= rate x existing",
        "10k seats or beds per year",
        "assumption",
        "hard",
    ),
    Rule(
        "teachers",
        "Standing new seats have teachers",
        "sum standing seats <= pupils per teacher x (hired + redeployed)",
        "10k seats",
        "plan 7.2",
        "hard",
    ),
    Rule(
        "teacher_posts",
        "New teacher posts stay within the plan's number",
        "sum hired <= posts",
        "10k persons",
        "plan 7.2",
        "hard",
    ),
)


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row, years = p.rows(), len(p.years)
    area, service = {a: i for i, a in enumerate(AREAS)}, {s: i for i, s in enumerate(SERVICES)}
    standing = p.standing

    def built(m: Any, j: str, s: str, r: str, t: int) -> Any:
        k = p.column(t)
        return sum(
            float(standing[service[s], k - u]) * m.starts[j, s, r, p.years[u]]
            for u in range(min(k + 1, years))
        )

    def capacity_path(m: Any, j: str, s: str, r: str, t: int) -> Any:
        stands = float(p.existing[area[j], service[s], row[r], p.column(t)])
        return m.capacity[j, s, r, t] == stands + built(m, j, s, r, t)

    m.capacity_path = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.ALL, rule=capacity_path)

    def shortage_definition(m: Any, j: str, s: str, r: str, t: int) -> Any:
        need = float(p.need[area[j], service[s], row[r], p.column(t)])
        temporary = m.temporary[r, t] if (j, s) == ("urban", "seats") else 0.0
        return m.shortage[j, s, r, t] >= need - m.capacity[j, s, r, t] - temporary

    m.shortage_definition = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.T, rule=shortage_definition)

    def idle_definition(m: Any, j: str, s: str, r: str, t: int) -> Any:
        need = float(p.need[area[j], service[s], row[r], p.column(t)])
        margin = 1.0 + p.parameters["surplus_margin"]
        return m.idle[j, s, r, t] >= m.capacity[j, s, r, t] - margin * need

    m.idle_definition = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.ALL, rule=idle_definition)

    # One region, one service and one year make a bound: cheaper for the solver than a row.
    for j, s, r, t in m.AREA * m.SERVICE * m.R * m.T:
        limit = float(p.build_limit[area[j], service[s], row[r], p.column(t)])
        m.starts[j, s, r, t].setub(limit)

    def teachers(m: Any, r: str, t: int) -> Any:
        k = p.column(t)
        seats = sum(built(m, j, "seats", r, t) for j in AREAS)
        hired = sum(m.teachers_hired[r, p.years[u]] for u in range(k + 1))
        per = p.parameters["pupils_per_teacher"]
        return seats <= per * hired + per * float(p.redeployed[row[r], k])

    m.teachers = pyo.Constraint(m.R, m.T, rule=teachers)
    m.teacher_posts = pyo.Constraint(
        expr=sum(m.teachers_hired[r, t] for r in m.R for t in m.T) <= p.parameters["teacher_posts"]
    )
