"""A linear program of many regions: real provinces cut into unequal parts that differ.

Parts are no copies of each other. The sizes of a province's parts are spread like those of counties
(log-normal), and every quantity is shared out by its own factors, so that need, capacity, cost and
local money stand in other ratios in every part. Totals by province stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.problem import Problem

Array = NDArray[np.float64]

SEED = 20240101
#: Spread of the parts' sizes, and of each quantity around them (standard deviation of the log).
SIZES, QUANTITIES = 0.5, 0.15
#: Amounts that are shared out by factors of their own, and the axis of the regions.
OWN_FACTORS = {
    "population": 1,
    "cost": 1,
    "stretch": 0,
    "local_ceiling": 0,
    "bond_ceiling": 0,
    "levy_ceiling": 0,
    "redeployed": 0,
    "fund_by_region": 0,
    "expenditure": 0,
}
#: What a part shares with its province.
SAME = {"supported": 0}
#: Arrays that are derived from one another, below.
DERIVED = (
    "need",
    "existing",
    "start_coverage",
    "children_hukou",
    "children_migrant",
    "children_rural",
    "settlers_mid",
)
#: Inputs without a region axis.
NATIONAL = (
    "years",
    "tail",
    "blocks",
    "standing",
    "hukou_first",
    "unit_cost",
    "bond_total",
    "fund",
    "parameters",
    "modes",
    "aims",
)


@dataclass(frozen=True)
class Parts:
    """Which province every part belongs to, and how amounts are shared out.

    Parameters
    ----------
    province : ndarray of int, shape (part,)
        Position of the province.
    size : ndarray, shape (part,)
        Share of the part in its province.
    random : numpy.random.Generator
        Source of the factors.
    """

    province: NDArray[np.int64]
    size: Array
    random: np.random.Generator

    def within(self, values: Array) -> Array:
        """Values over their sums by province, shape (part,); sizes where there is nothing."""
        total = np.bincount(self.province, values)[self.province]
        return np.divide(values, total, out=self.size.copy(), where=total > 0)

    def factor(self, spread: float = QUANTITIES) -> Array:
        """Shares of one quantity, shape (part,): the sizes with some noise."""
        noise = np.exp(spread * self.random.standard_normal(len(self.province)))
        return self.within(self.size * noise)

    def share_out(self, amounts: Array, axis: int, factor: Array | None = None) -> Array:
        """Amounts by province as amounts by part, by one factor for all other axes."""
        factor = self.factor() if factor is None else factor
        shape = [1] * amounts.ndim
        shape[axis] = -1
        return np.take(amounts, self.province, axis=axis) * factor.reshape(shape)


def cut(count: int, parts: int, random: np.random.Generator) -> Parts:
    """Cut `count` provinces into `parts` parts in all, as evenly in number as it goes."""
    number = np.full(count, parts // count)
    number[: parts % count] += 1
    province = np.repeat(np.arange(count), number)
    drawn = Parts(province, np.ones(parts), random)
    return replace(drawn, size=drawn.factor(SIZES))


def split(p: Problem, parts: int, seed: int = SEED) -> Problem:
    """Cut the regions of a problem.

    Parameters
    ----------
    p : Problem
        Inputs by province.
    parts : int
        Number of regions of the new problem; as many as before give the problem itself.
    seed : int, optional
        Seed of sizes and factors.

    Returns
    -------
    Problem
        The same totals by province and in the nation, to rounding. Children make up the need for
        seats as before, and need and capacity at the end of the base year move with those of the
        first year.

    Raises
    ------
    ValueError
        If there are fewer parts than regions, or an input is not known here.
    """
    if parts < len(p.codes):
        raise ValueError(f"{len(p.codes)} regions cannot be cut into {parts} parts")
    known = {"codes", *OWN_FACTORS, *SAME, *DERIVED, *NATIONAL}
    unknown = sorted({field.name for field in fields(p)} - known)
    if unknown:
        raise ValueError(f"how are these inputs shared out between parts? {', '.join(unknown)}")
    if parts == len(p.codes):
        return p
    drawn = cut(len(p.codes), parts, np.random.default_rng(seed))
    province = drawn.province
    first = np.searchsorted(province, np.arange(len(p.codes)))
    number = np.arange(parts) - first[province]
    changes: dict[str, Any] = {
        "codes": tuple(f"{p.codes[i]}{n + 1:03d}" for i, n in zip(province, number, strict=True))
    }
    for name, axis in OWN_FACTORS.items():
        amounts = getattr(p, name)
        changes[name] = None if amounts is None else drawn.share_out(amounts, axis)
    changes |= {name: np.take(getattr(p, name), province, axis) for name, axis in SAME.items()}
    for name in ("children_hukou", "children_migrant", "children_rural", "settlers_mid"):
        changes[name] = drawn.share_out(getattr(p, name), 0)
    children = (changes["children_hukou"] + changes["children_migrant"], changes["children_rural"])
    need = np.empty((*p.need.shape[:2], parts, p.need.shape[3]))
    for area, group in enumerate(children):
        # Seats follow the children; after the decided years, those of the last one.
        shares = np.stack([drawn.within(year) for year in group.T], axis=1)
        after = np.repeat(shares[:, -1:], len(p.tail), axis=1)
        need[area, 0] = p.need[area, 0, province] * np.hstack([shares, after])
        shares = drawn.within(changes["population"][area, :, 0])
        need[area, 1] = drawn.share_out(p.need[area, 1], 0, shares)
    existing = np.stack([[drawn.share_out(rows, 0) for rows in area] for area in p.existing])
    before, now = (
        np.divide(a, b, out=np.ones_like(a), where=b > 0)
        for a, b in (
            (p.existing[..., 0][..., province], p.need[..., 0][..., province]),
            (existing[..., 0], need[..., 0]),
        )
    )
    coverage = p.start_coverage[..., province]
    moved = np.divide(coverage * now, before, out=coverage.copy(), where=before > 0)
    return replace(p, need=need, existing=existing, start_coverage=moved, **changes)
