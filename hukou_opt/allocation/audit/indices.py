"""Rows, columns and values of the indices of levels and limits, by the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from hukou_opt.allocation.audit.index import Grid, Index, Labels, Listed, Positions, as_labels
from hukou_opt.allocation.audit.pools import Pools, losses, pools_of
from hukou_opt.allocation.audit.quantities import GOODS, Quantity
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.spec import Term

RATIOS = ("gini", "hoover")
#: Indices made of differences of pairs, or of rows as they are needed.
DIFFERENCES = ("gini", "gini_difference", "averse_mean")


@dataclass(frozen=True)
class Aim:
    """One term of a level or limit.

    Parameters
    ----------
    t : Tables
        Derived figures.
    term : Term
        What is measured.
    name : str
        Beginning of the names of its rows and columns.
    level : str
        Level or limit that it belongs to.
    quantity : Quantity or None
        Its cells; none where nobody is there.
    pairwise : bool
        Whether all pairs are written out.
    """

    t: Tables
    term: Term
    name: str
    level: str
    quantity: Quantity | None
    pairwise: bool

    @cached_property
    def pools(self) -> Pools | None:
        """Who is compared with whom."""
        return pools_of(self.t, self.term)

    @cached_property
    def places(self) -> dict[str, int]:
        """Position of each cell in the quantity's values."""
        labels = () if self.quantity is None else self.quantity.index.texts
        return {label: i for i, label in enumerate(labels)}

    @property
    def sign(self) -> float:
        """Factor that turns the quantity into a loss."""
        return -1.0 if self.term.measure in GOODS else 1.0

    @property
    def aversion(self) -> float:
        """Weight of the differences."""
        if self.term.index != "averse_mean":
            return 1.0
        given = self.term.aversion
        return self.t.par("inequality_aversion") if given is None else given

    @property
    def mean_weight(self) -> float:
        """Weight of the mean beside the differences."""
        return 1.0 if self.term.index == "averse_mean" else 0.0

    @cached_property
    def pairs(self) -> tuple[Positions, Positions]:
        """Both members of every pair, pool by pool."""
        pools = self.pools
        keys = range(0 if pools is None else len(pools.keys))
        found = [
            pair
            for key in keys
            if pools is not None
            for pair in combinations(np.flatnonzero(pools.pool == key), 2)
        ]
        both = np.array(found, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def pair_labels(self) -> Labels:
        """Index texts of the pairs."""
        pools, (a, b) = self.pools, self.pairs
        if pools is None:
            return as_labels(())
        return as_labels(
            f"{pools.keys[pools.pool[i]]},{pools.labels[i]},{pools.labels[j]}"
            for i, j in zip(a, b, strict=True)
        )

    def families(self) -> dict[str, tuple[Index, float]]:
        """Labels and lower bound of the term's own columns, by family."""
        pools, index = self.pools, self.term.index
        if pools is None:
            return {}
        out: dict[str, tuple[Index, float]] = {}
        by_pool, by_member = Grid((tuple(pools.keys),)), Listed(pools.members)
        if pools.joined.any():
            out["member"] = Listed(pools.members[pools.joined]), 0.0
        if index == "shortfall":
            out["short"] = by_member, 0.0
        elif index == "worst":
            out["worst"] = by_pool, -np.inf
        elif index == "worst_mean":
            out["level"] = by_pool, 0.0 if self.sign > 0 else -np.inf
            out["above"] = by_member, 0.0
        elif index in ("mean_deviation", "hoover"):
            out["above"] = by_member, 0.0
        elif index == "leximin":
            out["ceiling"] = Grid(()), -np.inf
        elif index in DIFFERENCES and self.pairwise:
            out["apart"] = Listed(self.pair_labels()), 0.0
        elif index in DIFFERENCES:
            free = self.mean_weight > 0 > self.sign
            out["index"] = by_pool, -np.inf if free else 0.0
        return {f"{self.name}_{suffix}": found for suffix, found in out.items()}

    def _loss(self, pools: Pools, v: Values) -> Array:
        """Loss of every member."""
        return losses(pools, self.term.measure, self.name, v, self.places)

    def _own(self, v: Values, suffix: str) -> Array:
        return v[f"{self.name}_{suffix}"]

    def _row(self, suffix: str, index: Index, activity: Array, upper: float = 0.0) -> Rows:
        return make_rows(f"{self.name}_{suffix}", index, activity, upper=upper)

    def rows(self, v: Values) -> list[Rows]:
        """All rows of the term at some values."""
        pools, index = self.pools, self.term.index
        if pools is None:
            return []
        y, members, out = self._loss(pools, v), Listed(pools.members), []
        mean = pools.by_pool(pools.weight * y)
        if pools.joined.any():
            out.append(self._member_rows(pools, v))
        if index == "shortfall":
            standard = self.sign * (self.term.standard or 0.0)
            short = y - self._own(v, "short")
            out.append(self._row("short_definition", members, short, standard))
        elif index == "worst":
            over = y - self._own(v, "worst")[pools.pool]
            out.append(self._row("worst_definition", members, over))
        elif index == "worst_mean":
            over = y - self._own(v, "level")[pools.pool] - self._own(v, "above")
            out.append(self._row("above_definition", members, over))
        elif index in ("mean_deviation", "hoover"):
            over = y - mean[pools.pool] - self._own(v, "above")
            out.append(self._row("above_definition", members, over))
        elif index == "leximin":
            out.append(self._row("below", members, y - self._own(v, "ceiling")))
        elif index in DIFFERENCES and self.pairwise:
            out.append(self._pair_rows(y, v))
        elif index in DIFFERENCES and self.mean_weight:
            out.append(self._row("mean", Grid((tuple(pools.keys),)), mean - self._own(v, "index")))
        return out

    def _member_rows(self, pools: Pools, v: Values) -> Rows:
        cells = v[self.term.measure][[self.places[cell] for cell in pools.part_cell]]
        means = np.bincount(pools.part_of, pools.part_share * cells, minlength=len(pools.labels))[
            pools.joined
        ]
        labels = Listed(pools.members[pools.joined])
        apart = self._own(v, "member") - means
        return make_rows(f"{self.name}_member_definition", labels, apart, lower=0.0, upper=0.0)

    def _pair_rows(self, y: Array, v: Values) -> Rows:
        first, second = self.pairs
        apart, ahead = self._own(v, "apart"), y[first] - y[second]
        labels = as_labels(f"{label},{way}" for label in self.pair_labels() for way in ("1", "-1"))
        activity = np.stack([ahead - apart, -ahead - apart], axis=-1).ravel()
        return self._row("apart_definition", Listed(labels), activity)

    def values(self, v: Values) -> tuple[Array, Array]:
        """Index, numerator of a ratio, and mean of the quantity in each pool."""
        pools, index = self.pools, self.term.index
        if pools is None:
            return np.zeros(0), np.zeros(0)
        y, w = self._loss(pools, v), pools.weight
        mean = pools.by_pool(w * y)
        if index == "mean":
            value = mean
        elif index == "shortfall":
            value = pools.by_pool(w * self._own(v, "short"))
        elif index == "worst":
            value = self._own(v, "worst")
        elif index == "worst_mean":
            part = self.t.par("worst_share") if self.term.part is None else self.term.part
            value = self._own(v, "level") + pools.by_pool(w * self._own(v, "above")) / part
        elif index in ("mean_deviation", "hoover"):
            halves = 2.0 if index == "mean_deviation" else 1.0
            value = halves * pools.by_pool(w * self._own(v, "above"))
        elif index == "leximin":
            value = np.repeat(self._own(v, "ceiling"), len(pools.keys))
        elif self.pairwise:
            first, second = self.pairs
            both = w[first] * w[second] * self._own(v, "apart")
            apart = np.bincount(pools.pool[first], both, minlength=len(pools.keys))
            value = self.mean_weight * mean + self.aversion * apart
        else:
            value = self._own(v, "index")
        return value, self.sign * mean

    def value(self, v: Values) -> float:
        """The term: its pools by what each counts; leximin has one ceiling for all."""
        value, _ = self.values(v)
        if self.pools is None:
            return 0.0
        if self.term.index == "leximin":
            return float(value[0])
        return float(self.pools.portion @ value)

    def mean(self, v: Values) -> float:
        """Mean of the quantity over all pools."""
        _, mean = self.values(v)
        return 0.0 if self.pools is None else float(self.pools.portion @ mean)


def aims_of(
    t: Tables, found: Mapping[str, Quantity], columns: Collection[str]
) -> tuple[list[list[Aim]], list[Aim]]:
    """Terms of the levels, level by level, and those of the limits.

    Parameters
    ----------
    t : Tables
        Derived figures.
    found : mapping of str to Quantity
        Quantities by name.
    columns : collection of str
        Families of columns of the program: an index of differences may be written in pairs or with
        rows as they are needed, and both are right.
    """

    def aim(term: Term, name: str, level: str) -> Aim:
        return Aim(t, term, name, level, found.get(term.measure), f"{name}_apart" in columns)

    levels = []
    for level in t.p.aims.levels:
        alone = len(level.terms) == 1
        levels.append(
            [
                aim(term, f"aim_{level.name}" if alone else f"aim{n}_{level.name}", level.name)
                for n, term in enumerate(level.terms, start=1)
            ]
        )
    limits = [
        aim(limit.term, f"aim_limit_{n}", f"limit_{n}")
        for n, limit in enumerate(t.p.aims.limits, start=1)
    ]
    return levels, limits
