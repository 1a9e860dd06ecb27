"""Who is compared with whom in a term, by the tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import Labels, Positions, as_labels
from hukou_opt.allocation.audit.quantities import BY_BLOCK, GOODS, GROUPS, Group, cells_of
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Values
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.spec import Term

#: Ways of comparing inside each region.
INSIDE = ("urban_rural", "hukou_migrant")


@dataclass(frozen=True)
class Cells:
    """All cells of a term in the order in which pools are filled.

    Parameters
    ----------
    labels, pools, member, whole : ndarray of str, shape (cell,)
        Name of the cell, of its pool, of whom it is a part there, and of all pools that share one
        portion.
    region : ndarray of int, shape (cell,)
        Position of its region.
    people : ndarray, shape (cell,)
        Its weight.
    """

    labels: Labels
    pools: Labels
    member: Labels
    whole: Labels
    region: Positions
    people: Array

    def sorted_by(self, names: Labels, *, regions: bool = False) -> Cells:
        """The cells, those with the same name together, in the order in which names turn up.

        With `regions`, those with the same name are put in the order of the regions.
        """
        second = self.region if regions else np.zeros_like(self.region)
        order = np.lexsort((second, _numbered(names)[1]))
        return Cells(
            self.labels[order],
            self.pools[order],
            self.member[order],
            self.whole[order],
            self.region[order],
            self.people[order],
        )


@dataclass(frozen=True)
class Pools:
    """Pools and members of one term.

    Parameters
    ----------
    keys : ndarray of str, shape (pool,)
        Names of the pools.
    portion : ndarray, shape (pool,)
        What each counts in the term.
    labels : ndarray of str, shape (member,)
        Names of the members within their pools.
    pool : ndarray of int, shape (member,)
        Pool of each member.
    weight : ndarray, shape (member,)
        Share of the pool's people; sums to 1 in each.
    cell : ndarray of str, shape (member,)
        Name of the cell that is the member; of one of them where it is a mean of several.
    joined : ndarray of bool, shape (member,)
        Whether a member is the mean of several cells.
    part_of, part_cell, part_share : ndarray, shape (part,)
        Member, cell and share of every part of a joined member.
    """

    keys: Labels
    portion: Array
    labels: Labels
    pool: Positions
    weight: Array
    cell: Labels
    joined: NDArray[np.bool_]
    part_of: Positions
    part_cell: Labels
    part_share: Array

    @property
    def members(self) -> Labels:
        """Positions texts of all members, shape (member,)."""
        pairs = zip(self.keys[self.pool], self.labels, strict=True)
        return as_labels(f"{key},{member}" for key, member in pairs)

    def by_pool(self, values: Array) -> Array:
        """Sum of the members' values in each pool."""
        return np.bincount(self.pool, values, minlength=len(self.keys)).astype(float)


def compares(term: Term, group: Group) -> bool:
    """Whether a term has a use for a group."""
    return term.between != "hukou_migrant" or bool(group.hukou)


def _cells(t: Tables, term: Term) -> Cells | None:
    """Cells of a term, regions first where cells are blocks of years, groups first else."""
    groups = [g for g in GROUPS[term.measure](t, term) if compares(term, g)]
    columns: list[tuple[str, ...]] = []
    people: list[float] = []
    regions: list[int] = []
    tables = [(g, cells_of(t, g).texts) for g in groups]
    order = (
        [(g, names, i) for i in range(len(t.p.codes)) for g, names in tables]
        if term.measure in BY_BLOCK
        else [(g, names, i) for g, names in tables for i in range(len(t.p.codes))]
    )
    for group, names, i in order:
        weight = float(group.people[i])
        if weight > 0:
            code = t.p.codes[i]
            inside = term.between in INSIDE
            key = (*group.pool, code) if inside else group.pool
            member = {
                "cells": names[i],
                "regions": code,
                "urban_rural": group.side,
                "hukou_migrant": group.hukou,
            }[term.between]
            columns.append((names[i], ",".join(key) or "all", member, ",".join(group.pool)))
            people.append(weight)
            regions.append(i)
    if not columns:
        return None
    labels, pools, member, whole = (as_labels(column) for column in zip(*columns, strict=True))
    return Cells(labels, pools, member, whole, np.array(regions), np.array(people))


def _numbered(names: Labels) -> tuple[Labels, Positions]:
    """Different names in order of appearance, and the number of each."""
    numbers: dict[str, int] = {}
    index = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    return as_labels(numbers), index


def pools_of(t: Tables, term: Term) -> Pools | None:
    """Pools of one term; none where it has no cells."""
    cells = _cells(t, term)
    if cells is None:
        return None
    # Pools that share a portion stand together, in the order in which they turn up, and in them
    # the regions as in the table where cells are put together by region.
    cells = cells.sorted_by(cells.whole, regions=term.between != "cells")
    cells = cells.sorted_by(cells.pools)
    wholes, whole_of = _numbered(cells.whole)
    keys, pool_of = _numbered(cells.pools)
    both = [f"{pool}|{member}" for pool, member in zip(pool_of, cells.member, strict=True)]
    _, member_of = _numbered(as_labels(both))
    people = cells.people
    count = int(member_of.max()) + 1
    first = np.unique(member_of, return_index=True)[1]
    in_member = np.bincount(member_of, people, minlength=count)
    in_pool = np.bincount(pool_of, people, minlength=len(keys))
    in_whole = np.bincount(whole_of, people, minlength=len(wholes))
    pool_whole = whole_of[np.unique(pool_of, return_index=True)[1]]
    services = len({name.split(",")[0] for name in wholes}) if term.measure == "unmet_rate" else 1
    years = len([y for y in t.p.years if not term.years or y in term.years])
    share = in_pool / in_whole[pool_whole]
    portion = share / (services * (1 if term.measure in BY_BLOCK else years))
    joined = np.bincount(member_of, minlength=count) > 1
    part = joined[member_of]
    return Pools(
        keys,
        portion,
        cells.member[first],
        pool_of[first],
        in_member / in_pool[pool_of[first]],
        cells.labels[first],
        joined,
        member_of[part],
        cells.labels[part],
        people[part] / in_member[member_of[part]],
    )


def losses(pools: Pools, measure: str, name: str, v: Values, places: dict[str, int]) -> Array:
    """Loss of every member at some values.

    Parameters
    ----------
    pools : Pools
        The members.
    measure, name : str
        Quantity, and name of the term.
    v : Values
        Values of cells and joined members.
    places : dict of str to int
        Position of each cell in the quantity's values.
    """
    values = np.zeros(len(pools.labels))
    alone = ~pools.joined
    values[alone] = v[measure][[places[cell] for cell in pools.cell[alone]]]
    if pools.joined.any():
        values[pools.joined] = v[f"{name}_member"]
    return -values if measure in GOODS else values
