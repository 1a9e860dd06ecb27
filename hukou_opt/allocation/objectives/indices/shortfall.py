"""The shortfall: how far, on the mean, a standard is missed; above it nothing counts."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index


def build(given: Build) -> list[Any]:
    """Excess of every loss over the standard, at least 0, and its mean."""
    standard = given.sign * given.settings.standard
    short = given.add("short", pyo.Var(given.members, domain=pyo.NonNegativeReals))
    given.add(
        "short_definition",
        pyo.Constraint(
            given.members,
            rule=lambda _, pool, member: short[pool, member] >= given.loss(pool, member) - standard,
        ),
    )
    return [
        sum(member.weight * short[pool.key, member.label] for member in pool.members)
        for pool in given.pools
    ]


INDEX = Index(
    name="shortfall",
    title="Mean shortfall below a standard",
    title_zh="低于标准的平均缺口",
    equation="sum_i w_i max(0, y_i - standard)",
    latex=r"\sum_i w_i\max(0,\,y_i-\bar s)",
    exact="exact",
    applies_to="all",
    monotone=True,
    spread=True,
    ratio=False,
    reference="Foster, Greer and Thorbecke (1984), with exponent 1",
    build=build,
)
