"""What has been built, hired and paid year by year, and what of the plan's totals is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from hukou_opt.allocation.problem import (
    AREAS,
    PAYER,
    SECTORS,
    SERVICES,
    TEN_THOUSAND,
    Array,
    Problem,
)
from hukou_opt.allocation.solution import Solution

#: Sources that pay running cost, in the order in which money that is not needed goes back.
GOES_BACK = ("central", "levy", "local")
#: A fund that is used up leaves this much, 100m yuan, so that a program can still be written.
NOTHING_LEFT = 1e-6


@dataclass
class Ledger:
    """Decisions and money of all years, filled as the years are decided and carried out.

    Parameters
    ----------
    starts : ndarray, shape (area, service, region, year)
        Building starts of the public purse, 10k.
    partner_starts : ndarray, shape (service, region, year)
        Building starts of private partners, 10k.
    temporary, teachers, funded : ndarray, shape (region, year)
        Temporary places and teachers hired, 10k, and the funded share of running cost.
    central, local, bonds, levy, paid : ndarray, shape (sector, region, year)
        Money by source, and the part of it that pays running cost, 100m yuan.
    """

    starts: Array
    partner_starts: Array
    temporary: Array
    teachers: Array
    funded: Array
    central: Array
    local: Array
    bonds: Array
    levy: Array
    paid: Array

    @classmethod
    def blank(cls, regions: int, years: int) -> Ledger:
        """Nothing decided; all running cost counts as paid."""
        cell, money = np.zeros((regions, years)), np.zeros((len(SECTORS), regions, years))
        built = np.zeros((len(AREAS), len(SERVICES), regions, years))
        return cls(
            built,
            built[0].copy(),
            cell.copy(),
            cell.copy(),
            cell + 1.0,
            *(money.copy() for _ in range(5)),
        )

    def write(self, p: Problem, s: Solution, years: range, first: int, due: Array) -> None:
        """Write down some years of an answer.

        Parameters
        ----------
        p, s : Problem, Solution
            An answer, of this or of later years too.
        years : range
            Years that are taken from it.
        first : int
            First year of the ledger.
        due : ndarray, shape (sector, region, year)
            Payments for what partners built before the answer's first year; local money pays them.
        """
        there = slice(years[0] - first, years[-1] - first + 1)
        here = slice(p.column(years[0]), p.column(years[-1]) + 1)
        for name in ("starts", "partner_starts", "temporary", "teachers"):
            getattr(self, name)[..., there] = getattr(s, name)[..., here]
        for name in ("central", "local", "bonds", "levy"):
            getattr(self, name)[..., there] = getattr(s, name)[..., here]
        self.local[..., there] += due[..., here]
        self.paid[..., there] = (p.cost - s.unfunded)[..., here]

    def give_back(self, region: Array, columns: list[int]) -> None:
        """Take back money that the carried-out years did not need.

        Parameters
        ----------
        region : ndarray, shape (region,)
            Money that was meant for running cost and not needed, 100m yuan.
        columns : list of int
            Years of the ledger in which it was given.
        """
        rest = region.copy()
        for source in GOES_BACK:
            given = getattr(self, source)
            total = given[..., columns].sum(axis=(0, 2))
            back = np.minimum(rest, total)
            keep = 1 - np.divide(back, total, out=np.zeros_like(total), where=total > 0)
            given[..., columns] *= keep[None, :, None]
            rest = rest - back

    @property
    def all_starts(self) -> Array:
        """Starts of the public purse and of partners, shape (area, service, region, year), 10k."""
        total = self.starts.copy()
        total[AREAS.index("urban")] += self.partner_starts
        return total

    def before(self, column: int) -> Ledger:
        """The years before a column, all later ones at zero."""
        out = {}
        for field in fields(self):
            values = getattr(self, field.name).copy()
            values[..., column:] = 0.0
            out[field.name] = values
        return Ledger(**out)

    def left(self, parameters: Mapping[str, float]) -> dict[str, float]:
        """The plan's totals less what the ledger has used, by parameter.

        Parameters
        ----------
        parameters : mapping of str to float
            The plan's totals.
        """
        shares = np.array([parameters[f"sector_share_{name}"] for name in SECTORS])
        fund = parameters["central_fund_total"]
        by_sector = np.maximum(0.0, shares * fund - self.central.sum(axis=(1, 2)))
        rest = max(fund - float(self.central.sum()), NOTHING_LEFT)
        whole = float(by_sector.sum())
        if whole > 0:
            shares = by_sector / whole
        out = {f"sector_share_{name}": float(x) for name, x in zip(SECTORS, shares, strict=True)}
        out["central_fund_total"] = rest
        out["teacher_posts"] = max(0.0, parameters["teacher_posts"] - float(self.teachers.sum()))
        for service, buildings, size in (
            ("seats", "partner_schools", "partner_school_seats"),
            ("beds", "partner_hospitals", "partner_hospital_beds"),
        ):
            begun = float(self.partner_starts[SERVICES.index(service)].sum())
            used = begun * TEN_THOUSAND / parameters[size]
            out[buildings] = max(0.0, parameters[buildings] - used)
        return out

    def partner_payments(self, p: Problem) -> Array:
        """Yearly payments for what partners have built so far, shape (sector, region), 100m yuan.

        Parameters
        ----------
        p : Problem
            Unit costs, and the partners' share and yearly payment.
        """
        urban = p.unit_cost[AREAS.index("urban"), :, None]
        capital = p.parameters["partner_capital_share"] * urban * self.partner_starts.sum(axis=-1)
        out = np.zeros((len(SECTORS), capital.shape[1]))
        for k, service in enumerate(SERVICES):
            out[SECTORS.index(PAYER[service])] += (
                p.parameters["partner_yearly_payment"] * capital[k]
            )
        return out
