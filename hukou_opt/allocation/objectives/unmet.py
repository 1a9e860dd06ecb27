"""Level 3: unmet rates of schools and hospitals, by region, group and year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo

from hukou_opt.allocation.objectives.inequality import InequalityIndex
from hukou_opt.allocation.problem import Array, Problem

#: Groups of people within each service; a surplus of one never makes up for a shortage of another.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "seats": ("hukou_children", "migrant_children", "rural_children"),
    "beds": ("urban_residents", "rural_residents"),
}


def people(p: Problem) -> dict[str, Array]:
    """People concerned by group, shape (region, year), 10k; the weights of the rates."""
    years = len(p.years)
    return {
        "hukou_children": p.children_hukou[:, :years],
        "migrant_children": p.children_migrant[:, :years],
        "rural_children": p.children_rural[:, :years],
        "urban_residents": p.population[0, :, :years],
        "rural_residents": p.population[1, :, :years],
    }


def needed(p: Problem) -> dict[str, Array]:
    """Denominator of the rate of each group, shape (region, year), 10k."""
    years = len(p.years)
    return {
        **people(p),
        "rural_children": p.need[1, 0, :, :years],
        "urban_residents": p.need[0, 1, :, :years],
        "rural_residents": p.need[1, 1, :, :years],
    }


def _unmet(m: Any, group: str, r: str, t: int, need: float) -> Any:
    if group == "hukou_children":
        return 1 - m.places_hukou[r, t] / need
    if group == "migrant_children":
        return 1 - m.places_migrant[r, t] / need
    area = "rural" if group.startswith("rural") else "urban"
    service = "seats" if group.endswith("children") else "beds"
    return m.shortage[area, service, r, t] / need


def add(m: Any, p: Problem) -> None:
    """Rates by group and the column of each service's and year's index."""
    need, weight, row = needed(p), people(p), p.rows()
    cells = [
        (s, group, r, t)
        for s, groups in GROUPS.items()
        for t in p.years
        for group in groups
        for r in p.codes
        if need[group][row[r], p.column(t)] > 0 and weight[group][row[r], p.column(t)] > 0
    ]
    m.UNMET = pyo.Set(initialize=cells, dimen=4, ordered=True)
    m.unmet_rate = pyo.Var(m.UNMET, domain=pyo.NonNegativeReals)
    m.unmet_index = pyo.Var(m.SERVICE, m.T, domain=pyo.NonNegativeReals)
    m.unmet_definition = pyo.Constraint(
        m.UNMET,
        rule=lambda m, s, group, r, t: (
            m.unmet_rate[s, group, r, t]
            == _unmet(m, group, r, t, float(need[group][row[r], p.column(t)]))
        ),
    )

    def mean(m: Any, s: str, t: int) -> Any:
        listed = [(g, r) for s_, g, r, t_ in cells if s_ == s and t_ == t]
        if not listed:
            return pyo.Constraint.Skip
        share = {c: float(weight[c[0]][row[c[1]], p.column(t)]) for c in listed}
        total = sum(share.values())
        return m.unmet_index[s, t] >= sum(
            share[g, r] / total * m.unmet_rate[s, g, r, t] for g, r in listed
        )

    m.unmet_mean = pyo.Constraint(m.SERVICE, m.T, rule=mean)
    count = len(m.SERVICE) * len(m.T)
    m.level_unmet = pyo.Objective(
        expr=sum(m.unmet_index[s, t] for s in m.SERVICE for t in m.T) / count
    )


def indices(m: Any, p: Problem, column: Mapping[str, int]) -> tuple[InequalityIndex, ...]:
    """One index for every service and year."""
    weight, row = people(p), p.rows()
    found = []
    for s in GROUPS:
        for t in p.years:
            cells = [(g, r) for s_, g, r, t_ in m.UNMET if s_ == s and t_ == t]
            if not cells:
                continue
            weights = np.array([weight[g][row[r], p.column(t)] for g, r in cells])
            found.append(
                InequalityIndex(
                    f"unmet_index[{s},{t}]",
                    "unmet",
                    column[f"unmet_index[{s},{t}]"],
                    np.array([column[f"unmet_rate[{s},{g},{r},{t}]"] for g, r in cells]),
                    weights / weights.sum(),
                    p.parameters["inequality_aversion"],
                )
            )
    return tuple(found)
