"""Capacity follows from starts, need is met or short, and building is bounded."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, SERVICES, SWITCH, Problem
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="capacity_path",
        title="Capacity is what stands anyway plus what the starts have become",
        title_zh="服务能力等于既有能力加上历年开工形成的能力",
        equation=(
            "cap = existing + sum_{u<=t} standing(t-u) (starts(u) + partner starts(u), the "
            "latter in town)"
        ),
        latex=(
            r"K_{jsrt} = \bar K_{jsrt} + \sum_{u \le t} \sigma_s(t-u) \left( x_{jsru} + [j = "
            r"\mathrm{urban}]\, y_{sru} \right)"
        ),
        unit="10k seats or beds",
        section="assumption: building times of the stock-flow model",
        kind="hard",
    ),
    Rule(
        name="shortage_definition",
        title="Need without a seat or bed is short",
        title_zh="没有学位或床位的需求即为缺口",
        equation="shortage >= need - cap - temporary places (seats in town)",
        latex=(
            r"S_{jsrt} \ge N_{jsrt} - K_{jsrt} - [j = \mathrm{urban},\, s = \mathrm{seats}]\, "
            r"\tau_{rt}"
        ),
        unit="10k seats or beds",
        section="plan 2.2",
        kind="hard",
    ),
    Rule(
        name="idle_definition",
        title="Capacity well above need is idle",
        title_zh="明显超出需求的能力视为闲置",
        equation="idle >= cap - (1 + margin) need",
        latex=r"I_{jsrt} \ge K_{jsrt} - (1 + \mu)\, N_{jsrt}",
        unit="10k seats or beds",
        section="assumption",
        kind="hard",
        parameters=("surplus_margin",),
    ),
    Rule(
        name="teachers",
        title="Standing new seats have teachers",
        title_zh="建成的新增学位须配备教师",
        equation="sum_j standing new seats <= pupils per teacher x (hired so far + redeployed)",
        latex=(
            r"\sum_{j} \sum_{u \le t} \sigma_{\mathrm{seats}}(t-u) \left( "
            r"x_{j,\mathrm{seats},ru} + [j = \mathrm{urban}]\, y_{\mathrm{seats},ru} \right) "
            r"\le \pi \left( \sum_{u \le t} w_{ru} + \bar w_{rt} \right)"
        ),
        unit="10k seats",
        section="plan 7.2",
        kind="hard",
        modes=SWITCH,
        default="on",
        parameters=(
            "pupils_per_teacher",
            "redeployment_share",
        ),
    ),
    Rule(
        name="teacher_posts",
        title="New teacher posts stay within the plan's number",
        title_zh="新增教师编制不超过方案规定的总数",
        equation="sum hired <= posts",
        latex=r"\sum_{r,t} w_{rt} \le W",
        unit="10k persons",
        section="plan 7.2",
        kind="hard",
        modes=SWITCH,
        default="on",
        switch="teachers",
        parameters=("teacher_posts",),
    ),
)


def started(m: Any, j: str, s: str, r: str, t: int) -> Any:
    """Building that starts in a year: public, and in town that of private partners as well."""
    public = m.starts[j, s, r, t]
    return public + m.partner_starts[s, r, t] if j == "urban" else public


def built(m: Any, p: Problem, j: str, s: str, r: str, t: int) -> Any:
    """Capacity that stands at the end of year t from the starts up to then."""
    k, q = p.column(t), SERVICES.index(s)
    return sum(
        float(p.standing[q, k - u]) * started(m, j, s, r, p.years[u])
        for u in range(min(k + 1, len(p.years)))
    )


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row = p.rows()
    area, service = {a: i for i, a in enumerate(AREAS)}, {s: i for i, s in enumerate(SERVICES)}

    def capacity_path(m: Any, j: str, s: str, r: str, t: int) -> Any:
        stands = number(p.existing[area[j], service[s], row[r], p.column(t)])
        return m.capacity[j, s, r, t] == stands + built(m, p, j, s, r, t)

    m.capacity_path = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.ALL, rule=capacity_path)

    def shortage_definition(m: Any, j: str, s: str, r: str, t: int) -> Any:
        need = number(p.need[area[j], service[s], row[r], p.column(t)])
        temporary = m.temporary[r, t] if (j, s) == ("urban", "seats") else 0.0
        return m.shortage[j, s, r, t] >= need - m.capacity[j, s, r, t] - temporary

    m.shortage_definition = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.T, rule=shortage_definition)

    def idle_definition(m: Any, j: str, s: str, r: str, t: int) -> Any:
        need = number(p.need[area[j], service[s], row[r], p.column(t)])
        margin = 1.0 + p.parameters["surplus_margin"]
        return m.idle[j, s, r, t] >= m.capacity[j, s, r, t] - margin * need

    m.idle_definition = pyo.Constraint(m.AREA, m.SERVICE, m.R, m.ALL, rule=idle_definition)

    if not p.on("teachers"):
        return

    def teachers(m: Any, r: str, t: int) -> Any:
        k = p.column(t)
        seats = sum(built(m, p, j, "seats", r, t) for j in AREAS)
        hired = sum(m.teachers_hired[r, p.years[u]] for u in range(k + 1))
        per = p.parameters["pupils_per_teacher"]
        return seats <= per * hired + per * number(p.redeployed[row[r], k])

    m.teachers = pyo.Constraint(m.R, m.T, rule=teachers)
    m.teacher_posts = pyo.Constraint(
        expr=sum(m.teachers_hired[r, t] for r in m.R for t in m.T) <= p.parameters["teacher_posts"]
    )
