"""Small made-up allocation problems for tests; sizes like those of real provinces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hukou_opt.allocation.problem import DEFAULT_MODES, Block, Problem
from hukou_opt.allocation.spec import DEFAULT_LEVELS, Aims, LevelSpec, Limit, Term
from hukou_opt.parameters import load_parameters

#: Rows of the standing capacity at dt = 0.25 (tau 2 and 3 years), for tests only.
STANDING = np.array(
    [
        [
            0.055,
            0.409,
            0.709,
            0.854,
            0.907,
            0.917,
            0.910,
            0.896,
            0.88,
            0.86,
            0.85,
            0.83,
            0.81,
            0.8,
            0.78,
        ],
        [
            0.025,
            0.227,
            0.471,
            0.650,
            0.758,
            0.813,
            0.833,
            0.833,
            0.82,
            0.80,
            0.78,
            0.75,
            0.73,
            0.7,
            0.68,
        ],
    ]
)


def made_up_problem(
    regions: int = 4, years: int = 6, tail: int = 2, seed: int = 0, **changes: Any
) -> Problem:
    """Random problem with shortages in the first years and falling numbers of children."""
    rng = np.random.default_rng(seed)
    parameters = dict(load_parameters())
    parameters.update(changes.pop("parameters", {}))
    span = years + tail
    fall = np.linspace(1.02, 0.75, span)
    population = np.stack([rng.uniform(500, 6000, regions), rng.uniform(300, 3000, regions)])
    migrants = population[0] * rng.uniform(0.1, 0.4, regions)
    hukou = 0.10 * (population[0] - migrants)[:, None] * fall
    migrant = 0.05 * migrants[:, None] * fall
    rural = 0.13 * population[1][:, None] * fall
    seats = np.stack([hukou + migrant, rural])
    beds = np.stack([0.0075 * population[0], 0.0065 * population[1]])[..., None]
    beds = beds * np.linspace(1.0, 1.2, span)
    need = np.stack([seats, beds], axis=1)
    cover = np.stack([rng.uniform(0.85, 1.02, regions), rng.uniform(0.9, 1.1, regions)])[:, None]
    capacity = need[..., :1] * cover[..., None] * np.ones(span)
    cost = parameters["service_cost_per_settler"] * np.cumsum(
        migrants[:, None] * 0.08 * np.ones(years), axis=1
    )
    split = np.array([0.35, 0.25, 0.30, 0.10])
    blocks = []
    first = 2024
    while first < 2024 + years:
        last = min(first + 2, 2023 + years)
        blocks.append(Block(first, last))
        first = last + 1
    share = rng.dirichlet(np.ones(regions))
    supported = np.arange(regions) % 2 == 0
    values: dict[str, Any] = {
        "codes": tuple(f"{110000 + 10000 * i}" for i in range(regions)),
        "years": tuple(range(2024, 2024 + years)),
        "tail": tuple(range(2024 + years, 2024 + span)),
        "blocks": tuple(blocks),
        "need": need,
        "existing": capacity,
        "start_coverage": cover * np.ones((2, 2, regions)),
        "standing": STANDING[:, :span],
        "children_hukou": hukou[:, :years],
        "children_migrant": migrant[:, :years],
        "children_rural": rural[:, :years],
        "population": population[..., None] * np.ones(years),
        "stretch": 0.02 * hukou[:, :years],
        "hukou_first": np.clip(1 - np.arange(years) / 3, 0, 1),
        "cost": split[:, None, None] * cost,
        "settlers_mid": cost / 1.2,
        "unit_cost": np.array([[6.0, 100.0], [4.0, 60.0]]),
        "local_ceiling": 0.45 * cost.mean() * share[:, None] * regions * np.ones(years),
        "bond_ceiling": 3 * share[:, None] * 65.0 * regions * np.ones(years),
        "levy_ceiling": np.where(supported, 20.0, 0.0)[:, None] * np.ones(years),
        "bond_total": np.full(years, 65.0 * regions),
        "fund": 0.35 * float(cost.sum()),
        "supported": supported,
        "redeployed": np.cumsum(0.5 * np.ones((regions, years)), axis=1),
        "parameters": parameters,
        "modes": DEFAULT_MODES,
    }
    values.update(changes)
    return Problem(**values)


def own_level(*terms: Term, name: str = "own", guarded: bool = False) -> LevelSpec:
    """A level of one's own."""
    return LevelSpec(name, "a level of one's own", terms, guarded)


def asking(
    p: Problem,
    *levels: LevelSpec,
    limits: tuple[Limit, ...] = (),
    accept: bool = True,
    **parameters: float,
) -> Problem:
    """The problem with other aims; levelling down is accepted unless a test is about it."""
    aims = Aims(levels or DEFAULT_LEVELS, limits, accept)
    changed: Problem = replace(p, aims=aims, parameters={**p.parameters, **parameters})
    return changed


def permuted(p: Problem, order: np.ndarray) -> Problem:
    """The same regions in another order; a region may also be left out for a second copy."""
    third = {name: getattr(p, name)[:, :, order] for name in ("need", "existing", "start_coverage")}
    second = {name: getattr(p, name)[:, order] for name in ("population", "cost")}
    first = {
        name: getattr(p, name)[order]
        for name in (
            "children_hukou",
            "children_migrant",
            "children_rural",
            "stretch",
            "settlers_mid",
            "local_ceiling",
            "bond_ceiling",
            "levy_ceiling",
            "supported",
            "redeployed",
        )
    }
    if p.expenditure is not None:
        first["expenditure"] = p.expenditure[order]
    codes = tuple(p.codes[i] for i in order)
    changes: dict[str, Any] = {**third, **second, **first}
    return replace(p, codes=codes, **changes)
