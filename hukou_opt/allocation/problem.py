"""The frozen inputs of the linear program: arrays inside, labels at the border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SECTORS = ("education", "health", "social_security", "other")
AREAS = ("urban", "rural")
SERVICES = ("seats", "beds")
#: Sector that pays for the building of each service.
PAYER = {"seats": "education", "beds": "health"}
BUILDING_SECTORS = ("education", "health")

#: Soft rules of the plan and what an experiment may make of each: left out, reported with a named
#: slack, put before every other aim, or demanded (infeasible if it cannot hold).
SOFT_RULES = ("support_floor", "public_share", "rural_level", "no_dilution")
MODES = ("off", "soft", "law", "hard")
DEFAULT_MODES: Mapping[str, str] = MappingProxyType(dict.fromkeys(SOFT_RULES, "soft"))


@dataclass(frozen=True)
class Block:
    """A run of years for which the fiscal shares are set together (plan 6.1)."""

    first: int
    last: int

    @property
    def label(self) -> str:
        """Years as printed, ``2024-2026``."""
        return f"{self.first}-{self.last}"

    @property
    def years(self) -> range:
        """The block's years."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Problem:
    """Everything the linear program needs, as arrays over (…, region, year).

    Parameters
    ----------
    codes : tuple of str
        Region codes; they order every region axis.
    years : tuple of int
        Decision years, e.g. 2024 to 2033.
    tail : tuple of int
        Years after the last decision in which need still counts; arrays marked "all years" run over
        ``years + tail``.
    blocks : tuple of Block
        Three-year blocks that cover `years`.
    need, existing : ndarray, shape (area, service, region, all years)
        Seats and beds needed, and standing without new building, 10k.
    start_coverage : ndarray, shape (area, service, region)
        Capacity over need at the end of the base year.
    standing : ndarray, shape (service, age)
        Capacity standing `age` years after one unit was started.
    children_hukou, children_migrant, children_rural : ndarray, shape (region, year)
        School-age children by group, 10k.
    population : ndarray, shape (area, region, year)
        Residents, 10k; weights of the health service.
    stretch : ndarray, shape (region, year)
        Places that classes hold beyond their seats, 10k.
    hukou_first : ndarray, shape (year,)
        Priority of hukou children in urban schools, 1 to 0.
    cost : ndarray, shape (sector, region, year)
        Certified running cost, 100m yuan.
    settlers_mid : ndarray, shape (region, year)
        Settlers served in the year, 10k; weights of the money.
    unit_cost : ndarray, shape (area, service)
        10k yuan a seat or bed.
    local_ceiling, bond_ceiling, levy_ceiling : ndarray, shape (region, year)
        Most money of province and city, of bonds, and of the eastern levy, 100m yuan.
    bond_total : ndarray, shape (year,)
        National ceiling of bonds, 100m yuan.
    fund : float
        Central fund, 100m yuan; an equal part of it becomes available each year and may be carried
        over.
    supported : ndarray of bool, shape (region,)
        Central, western, north-eastern and hardship regions (plan 6.1).
    redeployed : ndarray, shape (region, year)
        Teacher posts freed by falling rural pupil numbers, cumulative, 10k.
    parameters : mapping of str to float
        The registry's values; rules read their shares and limits here.
    modes : mapping of str to str
        Mode of each soft rule.
    fund_by_region : ndarray, shape (region,), or None
        Ceiling of each region's transfers over the horizon when a formula fixes them (comparators).
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    tail: tuple[int, ...]
    blocks: tuple[Block, ...]
    need: Array
    existing: Array
    start_coverage: Array
    standing: Array
    children_hukou: Array
    children_migrant: Array
    children_rural: Array
    population: Array
    stretch: Array
    hukou_first: Array
    cost: Array
    settlers_mid: Array
    unit_cost: Array
    local_ceiling: Array
    bond_ceiling: Array
    levy_ceiling: Array
    bond_total: Array
    fund: float
    supported: NDArray[np.bool_]
    redeployed: Array
    parameters: Mapping[str, float]
    modes: Mapping[str, str] = field(default_factory=lambda: DEFAULT_MODES)
    fund_by_region: Array | None = None

    @property
    def all_years(self) -> tuple[int, ...]:
        """Decision years and tail."""
        return self.years + self.tail

    def column(self, year: int) -> int:
        """Position of a year on the year axes."""
        return year - self.years[0]

    def rows(self) -> dict[str, int]:
        """Position of each region code on the region axes."""
        return {code: index for index, code in enumerate(self.codes)}

    def block_columns(self, block: Block) -> list[int]:
        """Positions of a block's years."""
        return [self.column(year) for year in block.years]

    @property
    def sector_share(self) -> Array:
        """Share of the fund by sector, shape (sector,)."""
        return np.array([self.parameters[f"sector_share_{name}"] for name in SECTORS])

    @property
    def temporary_limit(self) -> Array:
        """Most temporary places, shape (region, year), 10k."""
        years = len(self.years)
        limit: Array = self.parameters["temporary_place_limit"] * self.existing[0, 0, :, :years]
        return limit

    @property
    def build_limit(self) -> Array:
        """Most building starts, shape (area, service, region, year), 10k."""
        years = len(self.years)
        limit: Array = self.parameters["build_rate_limit"] * self.existing[..., :years]
        return limit

    @property
    def block_cost(self) -> Array:
        """Certified cost of all sectors by block, shape (region, block), 100m yuan."""
        total = self.cost.sum(axis=0)
        return np.stack([total[:, self.block_columns(b)].sum(axis=1) for b in self.blocks], axis=1)

    @property
    def block_weight(self) -> Array:
        """Mean settlers by block, shape (region, block), summing to 1 over cells with cost."""
        weight = np.stack(
            [self.settlers_mid[:, self.block_columns(b)].mean(axis=1) for b in self.blocks], axis=1
        )
        weight = np.where(self.block_cost > 0, weight, 0.0)
        scaled: Array = weight / max(float(weight.sum()), 1e-300)
        return scaled

    @property
    def profile(self) -> Array:
        """Share of a region's block money that falls in each year, shape (region, year).

        Certified cost that local money and levy cannot cover, relative to the block's; certified
        cost itself where nothing is left uncovered, equal years where there is no cost (C20).
        """
        cost = self.cost.sum(axis=0)
        rest = np.maximum(0.0, cost - self.local_ceiling - self.levy_ceiling)
        share: Array = np.zeros_like(cost)
        for block in self.blocks:
            columns = self.block_columns(block)
            for basis in (rest, cost, np.ones_like(cost)):
                total = basis[:, columns].sum(axis=1)
                empty = share[:, columns].sum(axis=1) == 0
                use = empty & (total > 0)
                share[np.ix_(use, columns)] = basis[np.ix_(use, columns)] / total[use, None]
        return share
