"""How much is built: yearly limits, private partners, and the plan's target of new seats."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, SERVICES, SWITCH, TARGET_MODES, Problem
from hukou_opt.allocation.rules.capacity import built, started
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import Number, number

RULES = (
    Rule(
        name="build_rate",
        title="Building starts stay within a share of standing capacity",
        title_zh="每年新开工规模不超过既有能力的一定比例",
        equation="starts, partner starts <= rate x existing",
        latex=(
            r"x_{jsrt} \le \beta\, \bar K_{jsrt}, \qquad y_{srt} \le \beta\, \bar "
            r"K_{\mathrm{urban},srt}"
        ),
        unit="10k seats or beds per year",
        section="assumption",
        kind="hard",
        form="bounds",
        modes=SWITCH,
        default="on",
        parameters=("build_rate_limit",),
    ),
    Rule(
        name="build_rate_together",
        title="In town public and private building together stay within the same share",
        title_zh="城镇公办与社会资本开工合计不超过同一比例",
        equation="starts + partner starts <= rate x existing (town)",
        latex=r"x_{\mathrm{urban},srt} + y_{srt} \le \beta\, \bar K_{\mathrm{urban},srt}",
        unit="10k seats or beds per year",
        section="assumption",
        kind="hard",
        modes=SWITCH,
        default="on",
        switch="build_rate",
        parameters=("build_rate_limit",),
    ),
    Rule(
        name="building_steps",
        title="Building starts change by a limited step from year to year",
        title_zh="年度开工规模的变动幅度受限",
        equation="|starts(t) - starts(t-1)| <= step x rate x existing(t)",
        latex=r"\left| x_{jsrt} - x_{jsr,t-1} \right| \le \delta\, \beta\, \bar K_{jsrt}",
        unit="10k seats or beds per year",
        section="assumption",
        kind="hard",
        modes=SWITCH,
        default="off",
        parameters=(
            "building_step",
            "build_rate_limit",
        ),
    ),
    Rule(
        name="private_partners",
        title="Private partners build no more than the plan's schools and hospitals",
        title_zh="社会资本参与建设的学校和医院不超过方案规定的数量",
        equation="sum partner starts <= schools x seats each, hospitals x beds each",
        latex=r"\sum_{r,t} y_{srt} \le P_s\, p_s",
        unit="10k seats or beds",
        section="plan 9.2; size and share of capital: assumption",
        kind="hard",
        modes=SWITCH,
        default="on",
        parameters=(
            "partner_schools",
            "partner_school_seats",
            "partner_hospitals",
            "partner_hospital_beds",
            "partner_capital_share",
            "partner_yearly_payment",
        ),
    ),
    Rule(
        name="seat_target",
        title="New public school seats in town by the target year",
        title_zh="目标年份前城镇新增公办学位达到方案规定数量",
        equation="sum of new urban seats, completed or started, + slack >= target",
        latex=(
            r"\sum_{r} \sum_{u \le t^*} \sigma_{\mathrm{seats}}(t^* - u) \left( "
            r"x_{\mathrm{urban},\mathrm{seats},ru} + y_{\mathrm{seats},ru} \right) + z \ge D "
            r"\quad (\text{started: } \sigma = 1)"
        ),
        unit="10k seats",
        section="plan 3.1",
        kind="soft",
        modes=TARGET_MODES,
        default="report",
        parameters=(
            "seat_target",
            "seat_target_year",
        ),
    ),
)


def add(m: Any, p: Problem) -> None:
    """Add the rows and bounds of `RULES` to the Pyomo model."""
    row, most = p.rows(), p.build_limit
    rate = {
        (j, s, r, t): number(most[i, q, row[r], p.column(t)])
        for i, j in enumerate(AREAS)
        for q, s in enumerate(SERVICES)
        for r in p.labels
        for t in p.years
    }
    partners = p.on("private_partners")
    if not partners:
        for column in m.partner_starts.values():
            column.setub(0.0)
    if p.on("build_rate"):
        # One region, one service and one year make a bound: cheaper for the solver than a row.
        for (j, s, r, t), limit in rate.items():
            m.starts[j, s, r, t].setub(limit)
            if partners and j == "urban":
                m.partner_starts[s, r, t].setub(limit)
    if p.on("build_rate") and partners:
        m.build_rate_together = pyo.Constraint(
            m.SERVICE,
            m.R,
            m.T,
            rule=lambda m, s, r, t: started(m, "urban", s, r, t) <= rate["urban", s, r, t],
        )
    if partners:
        limits = dict(zip(SERVICES, p.partner_limit, strict=True))
        m.private_partners = pyo.Constraint(
            m.SERVICE,
            rule=lambda m, s: (
                sum(m.partner_starts[s, r, t] for r in m.R for t in m.T) <= float(limits[s])
            ),
        )
    if p.on("building_steps"):
        _add_steps(m, p, rate)
    _add_seat_target(m, p)


def _add_steps(m: Any, p: Problem, rate: dict[tuple[str, str, str, int], Number]) -> None:
    step = p.parameters["building_step"]

    def steps(m: Any, j: str, s: str, r: str, t: int, sign: int) -> Any:
        change = m.starts[j, s, r, t] - m.starts[j, s, r, t - 1]
        return sign * change <= step * rate[j, s, r, t]

    m.building_steps = pyo.Constraint(
        m.AREA, m.SERVICE, m.R, list(p.years[1:]), [1, -1], rule=steps
    )


def _add_seat_target(m: Any, p: Problem) -> None:
    year = round(p.parameters["seat_target_year"])

    def target(m: Any, t: int) -> Any:
        if p.modes["seat_target_counts"] == "started":
            years = p.years[: p.column(t) + 1]
            seats = sum(started(m, "urban", "seats", r, u) for r in m.R for u in years)
        else:
            seats = sum(built(m, p, "urban", "seats", r, t) for r in m.R)
        return seats + m.slack_seat_target[t] >= p.parameters["seat_target"]

    asked = p.on("seat_target") and year in p.years
    m.seat_target = pyo.Constraint(pyo.Set(initialize=[year] if asked else []), rule=target)
