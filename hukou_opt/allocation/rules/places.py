"""Public school places in town: hukou children first while the model says so, then all alike.

The rows repeat the model's rationing, so that the linear program cannot make the hukou gap vanish
by assignment. With c' = seats + temporary places + stretch, KU hukou and KM migrant children and
priority phi, migrant children get at most ``phi (c' - KU) + (1 - phi) KM c'/(KU + KM)`` where c'
can reach KU (regime A), and at most the second term elsewhere (regime B).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules.rule import Rule

RULES = (
    Rule(
        "places_total",
        "Children in public schools fit into the places",
        "a + m <= cap + temporary + stretch",
        "10k children",
        "plan 2.2.1",
        "hard",
    ),
    Rule(
        "places_hukou_first",
        "Migrant children get what hukou children leave, as far as priority goes (regime A)",
        "m <= phi (c' - KU) + (1 - phi) KM c'/(KU + KM) + slip",
        "10k children",
        "plan 8.2",
        "hard",
    ),
    Rule(
        "places_alike",
        "Where places cannot reach hukou children, migrant children share alike only (regime B)",
        "m <= (1 - phi) KM c'/(KU + KM)",
        "10k children",
        "plan 8.2",
        "hard",
    ),
    Rule(
        "public_share",
        "Share of migrant children in public schools in the target year",
        "sum m + slack >= target x sum KM",
        "10k children",
        "plan 3.1",
        "soft",
    ),
)


def reachable(p: Problem) -> NDArray[np.bool_]:
    """Cells in which the most that can be built reaches all hukou children, (region, year)."""
    years = len(p.years)
    most = p.existing[0, 0, :, :years] + p.stretch[:, :years] + p.temporary_limit
    limit = p.build_limit[0, 0]
    for k in range(years):
        for u in range(k + 1):
            most[:, k] += p.standing[0, k - u] * limit[:, u]
    return most >= p.children_hukou[:, :years]


def rationed(p: Problem, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of hukou and migrant children when `places` are rationed by the model's rule.

    Parameters
    ----------
    p : Problem
        Children and priority.
    places : ndarray, shape (region, year)
        Seats, temporary places and stretch, 10k.

    Returns
    -------
    hukou, migrant : ndarray, shape (region, year)
        Children in public schools, 10k.
    """
    ku, km = p.children_hukou, p.children_migrant
    alike = km * places / np.maximum(ku + km, 1e-9)
    left = np.maximum(0.0, places - ku)
    migrant = np.minimum(km, p.hukou_first * left + (1 - p.hukou_first) * alike)
    return np.minimum(ku, places - migrant), migrant


def add(m: Any, p: Problem) -> None:
    """Add the rows of `RULES` to the Pyomo model."""
    row = p.rows()

    def places(m: Any, r: str, t: int) -> Any:
        stretch = float(p.stretch[row[r], p.column(t)])
        return m.capacity["urban", "seats", r, t] + m.temporary[r, t] + stretch

    def total(m: Any, r: str, t: int) -> Any:
        return m.places_hukou[r, t] + m.places_migrant[r, t] <= places(m, r, t)

    m.places_total = pyo.Constraint(m.R, m.T, rule=total)

    def children(r: str, t: int) -> tuple[float, float, float]:
        i, k = row[r], p.column(t)
        return (
            float(p.children_hukou[i, k]),
            float(p.children_migrant[i, k]),
            float(p.hukou_first[k]),
        )

    def alike(m: Any, r: str, t: int) -> Any:
        ku, km, phi = children(r, t)
        return (1 - phi) * km / max(ku + km, 1e-9) * places(m, r, t)

    def regime_a(m: Any, r: str, t: int) -> Any:
        ku, _, phi = children(r, t)
        first = phi * (places(m, r, t) - ku)
        return m.places_migrant[r, t] <= first + alike(m, r, t) + m.slip[r, t]

    m.places_hukou_first = pyo.Constraint(m.R, m.T, rule=regime_a)
    # Present for every cell and switched on by its bound, so that a cell can change its regime
    # without a new model.
    m.places_alike = pyo.Constraint(
        m.R, m.T, rule=lambda m, r, t: m.places_migrant[r, t] <= alike(m, r, t)
    )
    for r, t in m.R * m.T:
        i, k = row[r], p.column(t)
        ku, km, phi = children(r, t)
        m.places_hukou[r, t].setub(ku)
        m.places_migrant[r, t].setub(km)
        m.slip[r, t].setub(phi * ku)
        m.temporary[r, t].setub(float(p.temporary_limit[i, k]))

    target_year = round(p.parameters["public_share_target_year"])
    asked = p.modes["public_share"] != "off" and target_year in p.years
    m.public_share = pyo.Constraint(
        pyo.Set(initialize=[target_year] if asked else []),
        rule=lambda m, t: (
            sum(m.places_migrant[r, t] for r in m.R) + m.slack_public_share[t]
            >= p.parameters["public_share_target"] * float(p.children_migrant[:, p.column(t)].sum())
        ),
    )
