"""The mean of the worst-off part, by the linear form of Rockafellar and Uryasev."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index


def build(given: Build) -> list[Any]:
    """A level for each pool, plus the mean excess over it divided by the part."""
    keys = [pool.key for pool in given.pools]
    # Losses that cannot be negative have no use for a negative level.
    domain = pyo.NonNegativeReals if given.sign > 0 else pyo.Reals
    level = given.add("level", pyo.Var(keys, domain=domain))
    above = given.add("above", pyo.Var(given.members, domain=pyo.NonNegativeReals))
    given.add(
        "above_definition",
        pyo.Constraint(
            given.members,
            rule=lambda _, pool, member: (
                above[pool, member] >= given.loss(pool, member) - level[pool]
            ),
        ),
    )
    part = given.settings.part
    return [
        level[pool.key]
        + sum(member.weight * above[pool.key, member.label] for member in pool.members) / part
        for pool in given.pools
    ]


INDEX = Index(
    name="worst_mean",
    title="Mean of the worst-off part",
    title_zh="最差部分均值",
    equation="min_t t + sum_i w_i max(0, y_i - t) / part",
    latex=r"\min_t\; t+\tfrac1p\sum_i w_i\max(0,\,y_i-t)",
    exact="exact",
    applies_to="all",
    monotone=True,
    spread=False,
    ratio=False,
    reference="Rockafellar and Uryasev (2000)",
    build=build,
)
