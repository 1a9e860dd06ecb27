"""Mean absolute deviation, and the Hoover index, which is half of it over the mean."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index


def _half(given: Build) -> list[Any]:
    """Mean excess over the mean: half of the mean absolute deviation, as both halves are equal."""
    mean = {pool.key: given.mean_loss(pool) for pool in given.pools}
    above = given.add("above", pyo.Var(given.members, domain=pyo.NonNegativeReals))
    given.add(
        "above_definition",
        pyo.Constraint(
            given.members,
            rule=lambda _, pool, member: (
                above[pool, member] >= given.loss(pool, member) - mean[pool]
            ),
        ),
    )
    return [
        sum(member.weight * above[pool.key, member.label] for member in pool.members)
        for pool in given.pools
    ]


def build_deviation(given: Build) -> list[Any]:
    """Mean absolute deviation of each pool."""
    return [2 * half for half in _half(given)]


MEAN_DEVIATION = Index(
    name="mean_deviation",
    title="Mean absolute deviation",
    title_zh="平均绝对偏差",
    equation="sum_i w_i |y_i - mean|",
    latex=r"\sum_i w_i\,|y_i-\bar y|",
    exact="exact",
    applies_to="all",
    monotone=False,
    spread=True,
    ratio=False,
    reference="Kostreva, Ogryczak and Wierzbicki (2004)",
    build=build_deviation,
)
HOOVER = Index(
    name="hoover",
    title="Hoover index",
    title_zh="胡佛指数",
    equation="sum_i w_i |x_i - mean| / (2 mean)",
    latex=r"\sum_i w_i\,|x_i-\bar x|\Big/(2\bar x)",
    exact="ratio of linear functions, by Dinkelbach's method",
    applies_to="good",
    monotone=False,
    spread=True,
    ratio=True,
    reference="Hoover (1936); Dinkelbach (1967)",
    build=_half,
)
