"""The whole program as the tables state it: columns with bounds, rows, cost rows and indices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hukou_opt.allocation.audit import (
    building,
    capacity,
    central_fund,
    levels,
    money,
    places,
    support,
    tie_break,
)
from hukou_opt.allocation.audit.costs import level_values
from hukou_opt.allocation.audit.index import Grid, Index
from hukou_opt.allocation.audit.indices import Aim, aims_of
from hukou_opt.allocation.audit.places import BY_REGIME, Regime
from hukou_opt.allocation.audit.pools import compares
from hukou_opt.allocation.audit.quantities import Quantity, quantities
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import FAMILIES, Rows, Values, make_rows
from hukou_opt.allocation.problem import Array

_MODULES = (capacity, building, places, levels, money, central_fund, support)
#: Rows of every rule, by its name.
ROWS: Mapping[str, Callable[[Tables, Values], Rows | None]] = {
    each.__name__: each for module in _MODULES for each in module.ROWS
}
REGIME_ROWS: Mapping[str, Callable[[Tables, Values, Regime], Rows]] = {
    each.__name__: each for each in BY_REGIME
}
#: Rule whose bounds a family of columns has.
BOUND_BY: Mapping[str, str] = {
    "starts": "build_rate",
    "partner_starts": "build_rate",
    "unfunded": "unfunded_is_running_cost",
    "places_hukou": "places_total",
    "places_migrant": "places_total",
    "temporary": "places_total",
    "slip": "places_hukou_first",
}


#: Columns that only the tie-break knows.
TIE_BREAK = ("far_block", "far_sector", "jump")


@dataclass(frozen=True)
class Family:
    """Columns of one family.

    Parameters
    ----------
    index : Index
        Labels.
    lower, upper : ndarray
        Bounds, in the shape of the index.
    """

    index: Index
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Statement:
    """The program of one problem by its tables.

    Parameters
    ----------
    t : Tables
        Derived figures.
    columns : collection of str
        Families of columns of the program that is compared.
    alike : ndarray of bool, shape (region, year), or None
        Cells in which places are shared alike, once the solve has found them.
    """

    t: Tables
    columns: Collection[str]
    alike: Regime = None

    @cached_property
    def quantities(self) -> list[Quantity]:
        """Quantities that levels and limits measure."""
        aims = self.t.p.aims
        terms = [term for level in aims.levels for term in level.terms]
        terms += [limit.term for limit in aims.limits]
        return quantities(self.t, terms, compares)

    @cached_property
    def _aims(self) -> tuple[list[list[Aim]], list[Aim]]:
        return aims_of(self.t, {q.measure: q for q in self.quantities}, self.columns)

    @property
    def aims(self) -> list[Aim]:
        """Every term of every level and limit."""
        of_levels, of_limits = self._aims
        return [aim for terms in of_levels for aim in terms] + of_limits

    @cached_property
    def families(self) -> dict[str, Family]:
        """Every family of columns with its bounds."""
        bounds = self._upper_bounds()
        out = {}
        for name, axes in FAMILIES.items():
            grid = self.t.labels(*axes)
            upper = np.broadcast_to(bounds.get(name, np.asarray(np.inf)), grid.shape)
            out[name] = Family(grid, np.zeros(grid.shape), upper)
        listed: dict[str, tuple[Index, float]] = {
            q.measure: (q.index, 0.0) for q in self.quantities
        }
        for aim in self.aims:
            listed |= aim.families()
        if self.t.p.aims.limits:
            listed["limit_excess"] = Grid(()), -np.inf
        for name, (index, least) in listed.items():
            upper = np.full(index.shape, np.inf)
            out[name] = Family(index, np.full(index.shape, least), upper)
        return out

    def _upper_bounds(self) -> dict[str, Array]:
        t = self.t
        slip = places.most_slip(t)
        return {
            "starts": building.most_starts(t),
            "partner_starts": building.most_partner_starts(t),
            "unfunded": t.p.cost,
            "places_hukou": t.p.children_hukou,
            "places_migrant": t.p.children_migrant,
            "temporary": t.temporary_limit,
            # Once the cells that share alike are found, nothing slips any more.
            "slip": slip if self.alike is None else np.zeros_like(slip),
        }

    def bounds(self, v: Values) -> list[Rows]:
        """Bounds of the columns of the rules, each as a row of its own."""
        return [
            make_rows(name, each.index, v[name], lower=each.lower, upper=each.upper)
            for name, each in self.families.items()
            if name in FAMILIES and name not in TIE_BREAK
        ]

    def rule_rows(self, v: Values) -> list[Rows]:
        """Rows of the rules."""
        found = [each(self.t, v) for each in ROWS.values()]
        rows = [each for each in found if each is not None]
        return rows + [each(self.t, v, self.alike) for each in REGIME_ROWS.values()]

    def rows(self, v: Values) -> list[Rows]:
        """All rows of the program at some values: rules, tie-break, quantities and indices."""
        rows = self.rule_rows(v)
        rows += [each(self.t, v) for each in tie_break.ROWS]
        rows += [each.definition(self.t, v) for each in self.quantities]
        rows += [row for aim in self.aims for row in aim.rows(v)]
        return [each for each in rows if len(each)]

    def costs(self, v: Values) -> Mapping[str, float]:
        """Cost row of every level at some values, by its name."""
        return level_values(self.t, v, *self._aims)
