"""Who is compared with whom: the cells of a quantity gathered into pools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, years_of
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import Number, numbers

Array = NDArray[np.float64]
#: Key by which the cells of a pool are put together before they are compared.
MEMBER: Mapping[str, Callable[[Cell], Label]] = {
    "cells": lambda cell: cell.label,
    "regions": lambda cell: (cell.region,),
    "urban_rural": lambda cell: (cell.side,),
    "hukou_migrant": lambda cell: (cell.hukou,),
}
#: Ways of comparing that stay inside a region: each region is a pool of its own.
INSIDE = ("urban_rural", "hukou_migrant")


@dataclass(frozen=True)
class Member:
    """One of those who are compared: a cell, or several as their weighted mean.

    Parameters
    ----------
    label : str
        Name within the pool.
    weight : float or Across
        Share of the pool's people.
    parts : tuple of (tuple, float or Across)
        Cells by label, each with its share of the member's people.
    count : int
        Members of this pool that it stands for, one for each region of its group.
    """

    label: str
    weight: Number
    parts: tuple[tuple[Label, Number], ...]
    count: int = 1


@dataclass(frozen=True)
class Pool:
    """Members who are compared with each other.

    Parameters
    ----------
    key : str
        Name within the term.
    portion : float or Across
        What the pool counts in the term's value.
    members : tuple of Member
        Their weights sum to 1.
    count : int
        Pools that it stands for, one for each region of its group.
    """

    key: str
    portion: Number
    members: tuple[Member, ...]
    count: int = 1

    @property
    def size(self) -> int:
        """Number of its members."""
        return sum(member.count for member in self.members)

    @property
    def pairs(self) -> int:
        """Number of pairs of its members."""
        return self.size * (self.size - 1) // 2

    @property
    def weights(self) -> Array:
        """Weights of the members, summing to 1."""
        return np.array([each for member in self.members for each in numbers(member.weight)])


def _name(label: Label) -> str:
    return ",".join(str(part) for part in label) or "all"


def _people(cells: Iterable[Cell]) -> float:
    """All people of some cells: rounded once, so that the order of the regions does not matter."""
    return fsum(each for cell in cells for each in numbers(cell.weight))


def pools(measure: Measure, p: Problem, term: Term) -> tuple[Pool, ...]:
    """Pools of one term; empty where the term has no cells.

    Every service counts alike, and every year within it; regions that are each a pool of their own
    count by their people.
    """
    member_of, inside = MEMBER[term.between], term.between in INSIDE
    cells = [cell for cell in measure.cells(p, term) if not inside or member_of(cell) != ("",)]
    whole: dict[Label, list[Cell]] = {}
    for cell in cells:
        whole.setdefault(cell.pool, []).append(cell)
    years = len(years_of(p, term)) if measure.by == "year" else 1
    # Where cells are told by service, the service comes first in the pool's key.
    services = len({key[0] for key in whole}) if measure.services else 1
    place = {label: at for at, label in enumerate(p.labels)}
    out = []
    for pool, everyone in whole.items():
        if term.between != "cells":
            # Region by region, also where some have nobody in the group that comes first.
            everyone.sort(key=lambda cell: place[cell.region])
        parts: dict[Label, list[Cell]] = {}
        for cell in everyone:
            parts.setdefault((*pool, cell.region) if inside else pool, []).append(cell)
        everybody = _people(everyone)
        for key, group in parts.items():
            people = _added(group) if inside else _people(group)
            portion = people / everybody / (max(services, 1) * years)
            members = _members(p, group, people, term.between)
            count = p.count(group[0].region) if inside else 1
            out.append(Pool(_name(key), portion, members, count))
    return tuple(out)


def _added(cells: list[Cell]) -> Number:
    """People of a few cells; one by one, since `sum` rounds differently from Python 3.12 on."""
    total: Number = cells[0].weight
    for cell in cells[1:]:
        total = total + cell.weight
    return total


def _members(p: Problem, group: list[Cell], people: Number, between: str) -> tuple[Member, ...]:
    """Members of one pool; a member's cells are all of one region."""
    joined: dict[Label, list[Cell]] = {}
    for cell in group:
        joined.setdefault(MEMBER[between](cell), []).append(cell)
    members = []
    for label, cells in joined.items():
        weight = _added(cells)
        parts = tuple((cell.label, cell.weight / weight) for cell in cells)
        count = 1 if between in INSIDE else p.count(cells[0].region)
        members.append(Member(_name(label), weight / people, parts, count))
    return tuple(members)
