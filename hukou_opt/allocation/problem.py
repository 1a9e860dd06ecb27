"""The frozen inputs of the linear program: arrays inside, labels at the border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.spec import Aims

Array = NDArray[np.float64]

SECTORS = ("education", "health", "social_security", "other")
AREAS = ("urban", "rural")
SERVICES = ("seats", "beds")
#: Sector that pays for the building of each service.
PAYER = {"seats": "education", "beds": "health"}
BUILDING_SECTORS = ("education", "health")
#: Seats and beds are counted in ten thousands.
TEN_THOUSAND = 1e4

#: Rules with a named slack, and what an experiment may make of each: left out, reported with the
#: slack, put before every other aim, or demanded (infeasible if it cannot hold).
SOFT_RULES = (
    "support_floor",
    "public_share",
    "rural_level",
    "no_dilution",
    "seat_target",
    "performance_reward",
)
MODES = ("off", "soft", "law", "hard")
#: A target that binds nothing unless an experiment makes it is reported, never left out.
TARGET_MODES = ("report", "soft", "law", "hard")
SWITCH = ("on", "off")
#: What counts for the seat target: seats that stand, or seats whose building has started.
SEAT_COUNTS = ("completed", "started")
#: Modes of an experiment that says nothing.
DEFAULT_MODES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(SOFT_RULES[:4], "soft"),
        "seat_target": "report",
        "seat_target_counts": SEAT_COUNTS[0],
        "performance_reward": "off",
        "support_ceiling": "off",
        "sector_shares": "on",
        "local_sector_shares": "off",
        "block_money": "on",
        "bonds_region": "on",
        "build_rate": "on",
        "building_steps": "off",
        "teachers": "on",
        "private_partners": "on",
    }
)


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
        Mode of each rule that can be switched; those not named have their default.
    aims : Aims
        What is made small, in which order, and what is limited.
    fund_by_region : ndarray, shape (region,), or None
        Ceiling of each region's transfers over the horizon when a formula fixes them (comparators).
    expenditure : ndarray, shape (region,), or None
        General budget expenditure of the base year, 100m yuan; None where it is not known.
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
    aims: Aims = field(default_factory=Aims)
    fund_by_region: Array | None = None
    expenditure: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "modes", {**DEFAULT_MODES, **self.modes})

    def on(self, rule: str) -> bool:
        """Whether the rule has rows or bounds in the linear program."""
        return self.modes[rule] in ("on", "soft", "law", "hard")

    @property
    def all_years(self) -> tuple[int, ...]:
        """Decision years and tail."""
        return self.years + self.tail

    def column(self, year: int) -> int:
        """Position of a year on the year axes."""
        return year - self.years[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """Regions as the Pyomo model has them: one label each, or one for each group of them."""
        return self.codes

    def rows(self) -> dict[str, Any]:
        """Position of each region label on the region axes: of a group, the array of positions."""
        return {code: index for index, code in enumerate(self.codes)}

    def count(self, label: str) -> int:
        """Number of regions that a label stands for."""
        del label
        return 1

    def same(self, label: str, holds: Any) -> bool:
        """Whether something holds for a region; for a group, for all of its regions or for none."""
        del label
        return bool(holds)

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
        """Most building starts of the build rate, shape (area, service, region, year), 10k."""
        years = len(self.years)
        limit: Array = self.parameters["build_rate_limit"] * self.existing[..., :years]
        return limit

    @property
    def partner_limit(self) -> Array:
        """Seats and beds that private partners build at most, shape (service,), 10k (plan 9.2)."""
        par = self.parameters
        seats = par["partner_schools"] * par["partner_school_seats"]
        beds = par["partner_hospitals"] * par["partner_hospital_beds"]
        return np.array([seats, beds]) / TEN_THOUSAND

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
    def settlers_won(self) -> Array:
        """Growth of the settlers over each block, shape (region, block), 10k.

        Mean settlers of the block's last year less those of the last year before the block; there
        are none before the first decision year.
        """
        last = self.settlers_mid[:, [self.column(block.last) for block in self.blocks]]
        won: Array = np.maximum(0.0, np.diff(last, axis=1, prepend=0.0))
        return won

    @property
    def reward(self) -> Array:
        """Money of the performance reward, shape (region, block), 100m yuan (plan 7.1).

        The reward's share of the fund that comes in during the block, by the settlers won in the
        block before, and never more than the certified cost; nothing in the first block.
        """
        years = np.array([len(block.years) for block in self.blocks])
        pot = self.parameters["reward_share"] * self.fund * years / years.sum()
        won = np.hstack([np.zeros((len(self.codes), 1)), self.settlers_won[:, :-1]])
        total = won.sum(axis=0)
        share = np.divide(won, total, out=np.zeros_like(won), where=total > 0)
        money: Array = np.minimum(share * pot, self.block_cost)
        return money

    @property
    def support_ceiling(self) -> Array:
        """Most of the certified cost that the centre pays, shape (region,)."""
        par = self.parameters
        ceiling: Array = np.where(
            self.supported, par["central_support_ceiling"], par["other_support_ceiling"]
        )
        return ceiling

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
