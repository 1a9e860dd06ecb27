"""What the rules need of the inputs, computed once more from the input arrays alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import Grid
from hukou_opt.allocation.problem import AREAS, BUILDING_SECTORS, SECTORS, SERVICES, Array, Problem


@dataclass(frozen=True)
class Tables:
    """Derived figures of one problem.

    Nothing here calls what the readable model is built with: an error there would repeat itself.

    Parameters
    ----------
    p : Problem
        The input arrays.
    """

    p: Problem

    def par(self, name: str) -> float:
        """A value of the registry."""
        return float(self.p.parameters[name])

    def on(self, rule: str) -> bool:
        """Whether a switch lets its rule act."""
        return self.p.modes[rule] not in ("off", "report")

    @cached_property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Labels of every axis as they stand in names of rows and columns."""
        p = self.p
        years = tuple(str(year) for year in p.years)
        return {
            "area": AREAS,
            "service": SERVICES,
            "sector": SECTORS,
            "builder": BUILDING_SECTORS,
            "region": p.codes,
            "year": years,
            "every": (*years, *(str(year) for year in p.tail)),
            "later": years[1:],
            "block": tuple(f"{block.first}-{block.last}" for block in p.blocks),
            "sign": ("1", "-1"),
        }

    def labels(self, *axes: str) -> Grid:
        """Index of a family of rows or columns by its axes."""
        return Grid(tuple(self.axes[axis] for axis in axes))

    @property
    def years(self) -> int:
        """Number of decision years."""
        return len(self.p.years)

    @cached_property
    def blocks(self) -> list[NDArray[np.int64]]:
        """Positions of the years of each block."""
        first = self.p.years[0]
        return [np.arange(block.first, block.last + 1) - first for block in self.p.blocks]

    @cached_property
    def block_of(self) -> NDArray[np.int64]:
        """Position of each year's block."""
        found = np.zeros(self.years, dtype=np.int64)
        for number, years in enumerate(self.blocks):
            found[years] = number
        return found

    def by_block(self, values: Array) -> Array:
        """Sum over the years of each block; years are the last axis."""
        return np.stack([values[..., years].sum(axis=-1) for years in self.blocks], axis=-1)

    @cached_property
    def bill(self) -> Array:
        """Certified cost of all sectors, shape (region, year), 100m yuan."""
        total: Array = np.add.reduce(self.p.cost, axis=0)
        return total

    @cached_property
    def block_bill(self) -> Array:
        """Certified cost by block, shape (region, block), 100m yuan."""
        return self.by_block(self.bill)

    @cached_property
    def sector_part(self) -> Array:
        """Share of each sector in the fund, shape (sector,)."""
        return np.array([self.par(f"sector_share_{sector}") for sector in SECTORS])

    @cached_property
    def uncovered(self) -> Array:
        """Certified cost that local money and levy cannot cover, shape (region, year)."""
        rest: Array = np.clip(self.bill - self.p.local_ceiling - self.p.levy_ceiling, 0.0, None)
        return rest

    @cached_property
    def profile(self) -> Array:
        """Part of the block's money that falls in each year, shape (region, year)."""
        out = np.zeros_like(self.bill)
        for region in range(len(self.p.codes)):
            for years in self.blocks:
                for basis in (self.uncovered, self.bill, np.ones_like(self.bill)):
                    whole = float(basis[region, years].sum())
                    if whole > 0:
                        out[region, years] = basis[region, years] / whole
                        break
        return out

    @cached_property
    def reward(self) -> Array:
        """Money of the performance reward, shape (region, block), 100m yuan (plan 7.1)."""
        p, out = self.p, np.zeros_like(self.block_bill)
        for number, years in enumerate(self.blocks[1:], start=1):
            before = self.blocks[number - 1]
            start = p.settlers_mid[:, before[0] - 1] if before[0] > 0 else 0.0
            won = np.clip(p.settlers_mid[:, before[-1]] - start, 0.0, None)
            if won.sum() > 0:
                pot = self.par("reward_share") * p.fund * len(years) / self.years
                out[:, number] = np.minimum(pot * won / won.sum(), self.block_bill[:, number])
        return out

    @cached_property
    def build_limit(self) -> Array:
        """Most starts of a year, shape (area, service, region, year), 10k."""
        most: Array = self.par("build_rate_limit") * self.p.existing[..., : self.years]
        return most

    @cached_property
    def temporary_limit(self) -> Array:
        """Most temporary places, shape (region, year), 10k."""
        most: Array = self.par("temporary_place_limit") * self.p.existing[0, 0, :, : self.years]
        return most

    @cached_property
    def ageing(self) -> Array:
        """Capacity standing in a year of what was started in another, (service, start, year)."""
        p, out = self.p, np.zeros((len(SERVICES), self.years, len(self.axes["every"])))
        for start in range(self.years):
            out[:, start, start:] = p.standing[:, : out.shape[2] - start]
        return out

    def target_year(self, parameter: str) -> list[int]:
        """Position of a target year among the decision years; none where it is not decided."""
        year = round(self.par(parameter))
        return [self.p.years.index(year)] if year in self.p.years else []
