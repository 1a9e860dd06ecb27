"""The worst cell: nobody counts but the worst-off."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index


def build(given: Build) -> list[Any]:
    """Largest loss of each pool."""
    worst = given.add("worst", pyo.Var([pool.key for pool in given.pools]))
    given.add(
        "worst_definition",
        pyo.Constraint(
            given.members,
            rule=lambda _, pool, member: worst[pool] >= given.loss(pool, member),
        ),
    )
    return [worst[pool.key] for pool in given.pools]


INDEX = Index(
    name="worst",
    title="Worst cell",
    title_zh="最差单元",
    equation="max_i y_i",
    latex=r"\max_i y_i",
    exact="exact",
    applies_to="all",
    monotone=True,
    spread=False,
    ratio=False,
    reference="Rawls (1971)",
    build=build,
)
