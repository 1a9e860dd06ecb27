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

from hukou_opt.allocation.problem import MODES, Problem
from hukou_opt.allocation.rules.rule import Rule
from hukou_opt.allocation.tiling.across import number

RULES = (
    Rule(
        name="places_total",
        title="Children in public schools fit into the places",
        title_zh="在公办学校就读的学生数不超过可用学位",
        equation="a + m <= cap + temporary + stretch = c'",
        latex=(
            r"a_{rt} + m_{rt} \le c'_{rt} = K_{\mathrm{urban},\mathrm{seats},rt} + \tau_{rt} + "
            r"\lambda_{rt}"
        ),
        unit="10k children",
        section="plan 2.2.1",
        kind="hard",
        parameters=("temporary_place_limit",),
    ),
    Rule(
        name="places_hukou_first",
        title="Migrant children get what hukou children leave, as far as priority goes (regime A)",
        title_zh="户籍学生优先时随迁子女使用剩余学位（情形A）",
        equation="m <= phi (c' - KU) + (1 - phi) KM c'/(KU + KM) + slip, 0 <= slip <= phi KU",
        latex=(
            r"m_{rt} \le \varphi_t \left( c'_{rt} - N^U_{rt} \right) + (1 - \varphi_t) "
            r"\frac{N^M_{rt}}{N^U_{rt} + N^M_{rt}}\, c'_{rt} + \ell_{rt}, \qquad 0 \le "
            r"\ell_{rt} \le \varphi_t N^U_{rt}"
        ),
        unit="10k children",
        section="plan 8.2",
        kind="hard",
    ),
    Rule(
        name="places_alike",
        title=(
            "Where places cannot reach hukou children, migrant children share alike only (regime B)"
        ),
        title_zh="学位不足以覆盖户籍学生时随迁子女仅按同等比例分享（情形B）",
        equation="m <= (1 - phi) KM c'/(KU + KM)",
        latex=r"m_{rt} \le (1 - \varphi_t) \frac{N^M_{rt}}{N^U_{rt} + N^M_{rt}}\, c'_{rt}",
        unit="10k children",
        section="plan 8.2",
        kind="hard",
    ),
    Rule(
        name="public_share",
        title="Share of migrant children in public schools in the target year",
        title_zh="目标年份随迁子女在公办学校就读比例",
        equation="sum m + slack >= target x sum KM",
        latex=r"\sum_r m_{rt^*} + z \ge \theta \sum_r N^M_{rt^*}",
        unit="10k children",
        section="plan 3.1",
        kind="soft",
        modes=MODES,
        default="soft",
        parameters=(
            "public_share_target",
            "public_share_target_year",
        ),
    ),
)


def reachable(p: Problem) -> NDArray[np.bool_]:
    """Cells in which the most that can be built reaches all hukou children, (region, year).

    Public and private building share the build rate; without it there is no most.
    """
    years = len(p.years)
    if not p.on("build_rate"):
        return np.ones((len(p.codes), years), dtype=np.bool_)
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
        stretch = number(p.stretch[row[r], p.column(t)])
        return m.capacity["urban", "seats", r, t] + m.temporary[r, t] + stretch

    def total(m: Any, r: str, t: int) -> Any:
        return m.places_hukou[r, t] + m.places_migrant[r, t] <= places(m, r, t)

    m.places_total = pyo.Constraint(m.R, m.T, rule=total)

    everybody = np.maximum(p.children_hukou + p.children_migrant, 1e-9)

    def children(r: str, t: int) -> tuple[Any, Any, float]:
        i, k = row[r], p.column(t)
        return (
            number(p.children_hukou[i, k]),
            number(p.children_migrant[i, k]),
            float(p.hukou_first[k]),
        )

    def alike(m: Any, r: str, t: int) -> Any:
        _, km, phi = children(r, t)
        return (1 - phi) * km / number(everybody[row[r], p.column(t)]) * places(m, r, t)

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
    temporary = p.temporary_limit
    for r, t in m.R * m.T:
        i, k = row[r], p.column(t)
        ku, km, phi = children(r, t)
        m.places_hukou[r, t].setub(ku)
        m.places_migrant[r, t].setub(km)
        m.slip[r, t].setub(phi * ku)
        m.temporary[r, t].setub(number(temporary[i, k]))

    target_year = round(p.parameters["public_share_target_year"])
    asked = p.on("public_share") and target_year in p.years
    m.public_share = pyo.Constraint(
        pyo.Set(initialize=[target_year] if asked else []),
        rule=lambda m, t: (
            sum(m.places_migrant[r, t] for r in m.R) + m.slack_public_share[t]
            >= p.parameters["public_share_target"] * float(p.children_migrant[:, p.column(t)].sum())
        ),
    )
