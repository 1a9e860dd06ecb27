"""Two ways to one linear program: built for all regions, and tiled from groups of them."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.tiling.groups import groups_of
from hukou_opt.allocation.tiling.tile import tiled


def differences(full: LinearProgram, other: LinearProgram) -> list[str]:
    """What of the second program is not, to the last bit and by position, that of the first."""
    out = []
    if full.column_names.texts != other.column_names.texts:
        return ["column_names"]
    if full.row_names.texts != other.row_names.texts:
        return ["row_names"]
    for name in ("row_lower", "row_upper", "lower", "upper"):
        if not np.array_equal(getattr(full, name), getattr(other, name)):
            out.append(name)
    for part in ("indptr", "indices", "data"):
        if not np.array_equal(getattr(full.matrix, part), getattr(other.matrix, part)):
            out.append(f"matrix.{part}")
    if list(full.costs) != list(other.costs):
        return [*out, "costs"]
    for name, (cost, constant) in full.costs.items():
        there, also = other.costs[name]
        if not np.array_equal(cost, there) or constant != also:
            out.append(f"cost {name}")
    if len(full.indices) != len(other.indices):
        return [*out, "indices"]
    for one, two in zip(full.indices, other.indices, strict=True):
        same = all(
            getattr(one, name) == getattr(two, name)
            for name in ("name", "level", "column", "aversion", "mean", "sign")
        )
        if not same or not np.array_equal(one.cells, two.cells):
            out.append(f"index {one.name}")
        if not np.array_equal(one.weights, two.weights):
            out.append(f"weights {one.name}")
    return out


def both(p: Problem) -> tuple[LinearProgram, LinearProgram]:
    """The program built for all regions, and tiled however few they are."""
    return compile_model(build_model(p)), tiled(p, groups_of(p))


def check_tiled(p: Problem) -> LinearProgram:
    """Assert that both ways give the same program; give the tiled one."""
    full, other = both(p)
    assert differences(full, other) == []
    return other
