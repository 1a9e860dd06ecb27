"""The mean: how bad it is on the whole, without regard to who has it."""

from __future__ import annotations

from typing import Any

from hukou_opt.allocation.objectives.indices.index import Build, Index


def build(given: Build) -> list[Any]:
    """Weighted mean of each pool."""
    return [given.mean_loss(pool) for pool in given.pools]


INDEX = Index(
    name="mean",
    title="Weighted mean",
    title_zh="加权平均",
    equation="sum_i w_i y_i",
    latex=r"\sum_i w_i y_i",
    exact="exact",
    applies_to="all",
    monotone=True,
    spread=False,
    ratio=False,
    reference="the utilitarian sum",
    build=build,
)
