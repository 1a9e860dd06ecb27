"""The answer by label, and every level recomputed from it without the linear program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    PAYER,
    SECTORS,
    SERVICES,
    Array,
    Problem,
)


@dataclass(frozen=True)
class Solution:
    """Arrays of the answer; money in 100m yuan, seats, beds, children and teachers in 10k.

    Parameters
    ----------
    central, local, bonds, levy, unfunded : ndarray, shape (sector, region, year)
        Money by source, and running cost that stays unfunded.
    starts, shortage : ndarray, shape (area, service, region, year)
        Public building starts, and need without seat or bed.
    capacity : ndarray, shape (area, service, region, all years)
        Standing capacity.
    temporary, places_hukou, places_migrant, teachers : ndarray, shape (region, year)
        Temporary places, children in public schools by hukou, new teacher posts.
    alike : ndarray of bool, shape (region, year)
        Cells in which places cannot reach all hukou children (regime B of the rationing rule).
    partner_starts : ndarray, shape (service, region, year)
        Building starts of private partners, all in town.
    """

    central: Array
    local: Array
    bonds: Array
    levy: Array
    unfunded: Array
    starts: Array
    shortage: Array
    capacity: Array
    temporary: Array
    places_hukou: Array
    places_migrant: Array
    teachers: Array
    alike: NDArray[np.bool_]
    partner_starts: Array

    @classmethod
    def empty(cls, p: Problem, hukou: Array, migrant: Array) -> Solution:
        """The state with nothing built and nothing paid, given the rationed places."""
        regions, years = len(p.codes), len(p.years)
        money = np.zeros((len(SECTORS), regions, years))
        built = np.zeros((len(AREAS), len(SERVICES), regions, years))
        cell = np.zeros((regions, years))
        short = np.maximum(0.0, p.need[..., :years] - p.existing[..., :years])
        return cls(
            money,
            money,
            money,
            money,
            p.cost,
            built,
            short,
            p.existing,
            cell,
            hukou,
            migrant,
            cell,
            np.zeros((regions, years), dtype=bool),
            built[0],
        )

    @property
    def all_starts(self) -> Array:
        """Starts of the public purse and of partners, shape (area, service, region, year), 10k."""
        total = self.starts.copy()
        total[AREAS.index("urban")] += self.partner_starts
        return total

    def _by_payer(self, by_service: Array) -> Array:
        cost = np.zeros_like(self.central)
        for k, service in enumerate(SERVICES):
            cost[SECTORS.index(PAYER[service])] += by_service[k]
        return cost

    def _partner_capital(self, p: Problem) -> Array:
        """Building cost that private partners pay, shape (service, region, year), 100m yuan."""
        urban = p.unit_cost[AREAS.index("urban"), :, None, None]
        capital: Array = p.parameters["partner_capital_share"] * urban * self.partner_starts
        return capital

    def construction(self, p: Problem) -> Array:
        """All building whoever pays for it, by sector, shape (sector, region, year), 100m yuan."""
        return self._by_payer(np.einsum("js,jsrt->srt", p.unit_cost, self.all_starts))

    def building_cost(self, p: Problem) -> Array:
        """Building cost of the public purse, shape (sector, region, year), 100m yuan."""
        cost: Array = self.construction(p) - self._by_payer(self._partner_capital(p))
        return cost

    def partner_payments(self, p: Problem) -> Array:
        """What is paid back to private partners, shape (sector, region, year), 100m yuan.

        A yearly part of all that partners have paid in earlier years.
        """
        capital = self._by_payer(self._partner_capital(p))
        earlier = np.cumsum(capital, axis=-1) - capital
        payments: Array = p.parameters["partner_yearly_payment"] * earlier
        return payments

    def payments_after(self, p: Problem) -> Array:
        """Yearly payment to private partners after the last year, (sector, region), 100m yuan."""
        capital = self._by_payer(self._partner_capital(p)).sum(axis=-1)
        yearly: Array = p.parameters["partner_yearly_payment"] * capital
        return yearly

    def central_by_block(self, p: Problem) -> Array:
        """Central transfers of all sectors, shape (region, block), 100m yuan."""
        total: Array = self.central.sum(axis=0)
        return np.stack([total[:, p.block_columns(b)].sum(axis=1) for b in p.blocks], axis=1)

    def unfunded_share(self, p: Problem) -> Array:
        """Unfunded over certified cost by block, shape (region, block); 0 where nothing is due."""
        total = self.unfunded.sum(axis=0)
        blocks = np.stack([total[:, p.block_columns(b)].sum(axis=1) for b in p.blocks], axis=1)
        share: Array = np.divide(
            blocks, p.block_cost, out=np.zeros_like(blocks), where=p.block_cost > 0
        )
        return share


def capacity_of(p: Problem, starts: Array) -> Array:
    """Capacity that stands with the given starts, shape (area, service, region, all years), 10k."""
    capacity = p.existing.copy()
    for k in range(p.existing.shape[-1]):
        for u in range(min(k + 1, len(p.years))):
            capacity[..., k] += p.standing[None, :, None, k - u] * starts[..., u]
    return capacity


def read_solution(
    program: LinearProgram, p: Problem, x: Array, *, alike: NDArray[np.bool_] | None = None
) -> Solution:
    """Read a point of the linear program into labelled arrays.

    Values below the solver's tolerance outside a bound are put on the bound.
    """
    codes, years = p.codes, p.years
    inside = np.clip(x, program.lower, program.upper)

    def take(name: str, *axes: tuple[object, ...]) -> Array:
        columns = program.column_cells(name, *axes)
        return np.where(columns >= 0, inside[columns], 0.0)

    money = {n: take(n, SECTORS, codes, years) for n in ("central", "local", "levy", "unfunded")}
    bonds = np.zeros_like(money["central"])
    some = take("bonds", BUILDING_SECTORS, codes, years)
    for i, sector in enumerate(BUILDING_SECTORS):
        bonds[SECTORS.index(sector)] = some[i]
    building = (AREAS, SERVICES, codes)
    cell = {
        n: take(n, codes, years)
        for n in ("temporary", "places_hukou", "places_migrant", "teachers_hired")
    }
    starts = take("starts", *building, years)
    partners = take("partner_starts", SERVICES, codes, years)
    all_starts = starts.copy()
    all_starts[AREAS.index("urban")] += partners
    capacity = capacity_of(p, all_starts)
    served = capacity[..., : len(years)].copy()
    served[0, 0] += cell["temporary"]
    return Solution(
        money["central"],
        money["local"],
        bonds,
        money["levy"],
        money["unfunded"],
        starts,
        # Recomputed: an inequality objective may leave the variable above the true shortage.
        np.maximum(0.0, p.need[..., : len(years)] - served),
        capacity,
        cell["temporary"],
        cell["places_hukou"],
        cell["places_migrant"],
        cell["teachers_hired"],
        np.zeros((len(codes), len(years)), dtype=bool) if alike is None else alike,
        partners,
    )
