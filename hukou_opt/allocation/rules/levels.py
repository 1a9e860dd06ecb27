"""Service levels: the countryside keeps up, and nobody's level is diluted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.problem import AREAS, MODES, SERVICES, Array, Problem
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="rural_level",
        title="Rural coverage relative to urban coverage rises to the target",
        title_zh="农村服务覆盖率与城镇之比逐步达到目标",
        equation="cap_R/need_R + slack >= rho_t x urban coverage (seats: children placed; beds: 1)",
        latex=(
            r"\frac{K_{\mathrm{rural},srt}}{N_{\mathrm{rural},srt}} + z_{srt} \ge \rho_{srt}\, "
            r"v_{srt}, \qquad v_{\mathrm{seats},rt} = \frac{a_{rt} + m_{rt}}{N^U_{rt} + "
            r"N^M_{rt}}, \quad v_{\mathrm{beds},rt} = 1, \qquad \rho_{srt} = "
            r"\rho_{sr0} + (\rho^* - \rho_{sr0}) \frac{t}{|T|}"
        ),
        unit="1",
        section="plan 3.3",
        kind="soft",
        modes=MODES,
        default="soft",
        parameters=("rural_level_target",),
    ),
    Rule(
        name="no_dilution",
        title="Capacity grows with need where it is short (nobody gets less than at the start)",
        title_zh="能力不足处随需求同步增长（服务水平不低于起点）",
        equation="cap/need + slack >= min(1, start)",
        latex=(
            r"\frac{K_{jsrt}}{N_{jsrt}} + z_{jsrt} \ge \min\left(1, "
            r"\frac{K_{jsr0}}{N_{jsr0}}\right)"
        ),
        unit="1",
        section="plan 6.2",
        kind="soft",
        modes=MODES,
        default="soft",
    ),
)


def rural_target(p: Problem) -> Array:
    """Rural over urban coverage asked, shape (service, region, year): today's to the target."""
    start = np.minimum(1.0, p.start_coverage)
    today = np.minimum(1.0, start[1] / np.maximum(start[0], 1e-9))
    goal = p.parameters["rural_level_target"]
    step = np.arange(1, len(p.years) + 1) / len(p.years)
    today = np.minimum(today, goal)[..., None]
    target: Array = today + (goal - today) * step
    return target


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model; cells without need have none."""
    row = p.rows()
    years = len(p.years)
    target = rural_target(p)
    service = {s: i for i, s in enumerate(SERVICES)}
    area = {a: i for i, a in enumerate(AREAS)}
    need = p.need[..., :years]

    def cells(asked: bool) -> list[tuple[str, str, str, int]]:
        return [
            (j, s, r, t)
            for j in AREAS
            for s in SERVICES
            for r in p.labels
            for t in p.years
            if asked and p.same(r, need[area[j], service[s], row[r], p.column(t)] > 0)
        ]

    def rural(m: Any, s: str, r: str, t: int) -> Any:
        i, k, q = row[r], p.column(t), service[s]
        rho = number(target[q, i, k])
        ratio = m.capacity["rural", s, r, t] / number(need[1, q, i, k])
        # Never the shortage variable: it is free upwards wherever no level holds it down, and could
        # be raised to make the rule look met.
        coverage: Any = 1.0
        if s == "seats":
            placed = m.places_hukou[r, t] + m.places_migrant[r, t]
            coverage = placed / number(p.children_hukou[i, k] + p.children_migrant[i, k])
        return ratio + m.slack_rural_level[s, r, t] >= rho * coverage

    rural_cells = [
        (s, r, t)
        for j, s, r, t in cells(p.on("rural_level"))
        if j == "rural" and p.same(r, need[0, service[s], row[r], p.column(t)] > 0)
    ]
    m.rural_level = pyo.Constraint(pyo.Set(initialize=rural_cells, dimen=3), rule=rural)

    asked_start = np.minimum(1.0, p.start_coverage)

    def dilution(m: Any, j: str, s: str, r: str, t: int) -> Any:
        q, i = service[s], row[r]
        start = number(asked_start[area[j], q, i])
        ratio = m.capacity[j, s, r, t] / number(need[area[j], q, i, p.column(t)])
        return ratio + m.slack_no_dilution[j, s, r, t] >= start

    m.no_dilution = pyo.Constraint(
        pyo.Set(initialize=cells(p.on("no_dilution")), dimen=4), rule=dilution
    )
