"""Half the mean difference, the Gini coefficient and the inequality-averse mean."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index
from hukou_opt.allocation.objectives.inequality import Planned
from hukou_opt.allocation.tiling.groups import CannotTile


def _pairs(given: Build, aversion: float, mean: float) -> list[Any]:
    """All pairs written out: a difference for each, at least as large both ways round."""
    if any(member.count > 1 for pool in given.pools for member in pool.members):
        raise CannotTile("pairs of regions of one group")
    pairs = [
        (pool.key, a.label, b.label)
        for pool in given.pools
        for a, b in combinations(pool.members, 2)
    ]
    apart = given.add("apart", pyo.Var(pairs, domain=pyo.NonNegativeReals))
    given.add(
        "apart_definition",
        pyo.Constraint(
            pairs,
            [1, -1],
            rule=lambda _, pool, a, b, way: (
                apart[pool, a, b] >= way * (given.loss(pool, a) - given.loss(pool, b))
            ),
        ),
    )
    return [
        mean * given.mean_loss(pool)
        + aversion
        * sum(
            a.weight * b.weight * apart[pool.key, a.label, b.label]
            for a, b in combinations(pool.members, 2)
        )
        for pool in given.pools
    ]


def _cuts(given: Build, aversion: float, mean: float) -> list[Any]:
    """One column for each pool; its rows are added as they are needed."""
    keys = [pool.key for pool in given.pools]
    # Only the mean of a quantity of which more is better can make the index negative.
    free = mean and given.sign < 0
    column = given.add("index", pyo.Var(keys, domain=pyo.Reals if free else pyo.NonNegativeReals))
    if mean:
        # The mean is the row of an order in which all are equal; the others follow when violated.
        by_key = {pool.key: pool for pool in given.pools}
        given.add(
            "mean",
            pyo.Constraint(keys, rule=lambda _, key: column[key] >= given.mean_loss(by_key[key])),
        )
    given.m.planned_indices += [
        Planned(
            f"{given.name}_index[{pool.key}]",
            given.level,
            tuple(given.names[pool.key, member.label] for member in pool.members),
            tuple(member.weight for member in pool.members),
            aversion,
            mean,
            given.sign,
        )
        for pool in given.pools
    ]
    return [column[pool.key] for pool in given.pools]


def _built(given: Build, aversion: float, mean: float) -> list[Any]:
    write = _pairs if given.settings.pairwise else _cuts
    return write(given, aversion, mean)


def build_difference(given: Build) -> list[Any]:
    """Half the mean difference of each pool."""
    return _built(given, 1.0, 0.0)


def build_averse(given: Build) -> list[Any]:
    """Inequality-averse mean of each pool."""
    return _built(given, given.settings.aversion, 1.0)


#: How exactly an index is known whose rows are added as they are needed.
TO_TOLERANCE = "to the certified gap (1e-6) by rows as needed; exact where pairs are written out"
GINI_DIFFERENCE = Index(
    name="gini_difference",
    title="Half the mean difference (Gini coefficient times mean)",
    title_zh="平均差的一半（基尼系数×均值）",
    equation="sum_{i<j} w_i w_j |y_i - y_j|",
    latex=r"\sum_{i<j} w_i w_j\,|y_i-y_j|",
    exact=TO_TOLERANCE,
    applies_to="all",
    monotone=False,
    spread=True,
    ratio=False,
    reference="Gini (1912); Ogryczak and Sliwinski (2003)",
    build=build_difference,
)
GINI = Index(
    name="gini",
    title="Gini coefficient",
    title_zh="基尼系数",
    equation="sum_{i<j} w_i w_j |x_i - x_j| / mean",
    latex=r"\sum_{i<j} w_i w_j\,|x_i-x_j|\Big/\bar x",
    exact="ratio of linear functions, by Dinkelbach's method; numerator " + TO_TOLERANCE,
    applies_to="good",
    monotone=False,
    spread=True,
    ratio=True,
    reference="Gini (1912); Dinkelbach (1967)",
    build=build_difference,
)
AVERSE_MEAN = Index(
    name="averse_mean",
    title="Inequality-averse mean",
    title_zh="不平等厌恶均值",
    equation="sum_i w_i y_i + aversion sum_{i<j} w_i w_j |y_i - y_j|",
    latex=r"\sum_i w_i y_i+\lambda\sum_{i<j} w_i w_j\,|y_i-y_j|",
    exact=TO_TOLERANCE,
    applies_to="all",
    monotone=True,
    spread=False,
    ratio=False,
    reference="Sen (1973)",
    build=build_averse,
)
