"""Who is compared with whom: the cells of a quantity gathered into pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.objectives.measure import Cell, Label, Measure, years_of
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import Term

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
    weight : float
        Share of the pool's people.
    parts : tuple of (tuple, float)
        Cells by label, each with its share of the member's people.
    """

    label: str
    weight: float
    parts: tuple[tuple[Label, float], ...]


@dataclass(frozen=True)
class Pool:
    """Members who are compared with each other.

    Parameters
    ----------
    key : str
        Name within the term.
    portion : float
        What the pool counts in the term's value.
    members : tuple of Member
        Their weights sum to 1.
    """

    key: str
    portion: float
    members: tuple[Member, ...]

    @property
    def weights(self) -> Array:
        """Weights of the members, summing to 1."""
        return np.array([member.weight for member in self.members])


def _name(label: Label) -> str:
    return ",".join(str(part) for part in label) or "all"


def pools(measure: Measure, p: Problem, term: Term) -> tuple[Pool, ...]:
    """Pools of one term; empty where the term has no cells.

    Every service counts alike, and every year within it; regions that are each a pool of their own
    count by their people.
    """
    member_of = MEMBER[term.between]
    cells = [
        cell
        for cell in measure.cells(p, term)
        if term.between not in INSIDE or member_of(cell) != ("",)
    ]
    whole: dict[Label, dict[Label, list[Cell]]] = {}
    for cell in cells:
        key = (*cell.pool, cell.region) if term.between in INSIDE else cell.pool
        whole.setdefault(cell.pool, {}).setdefault(key, []).append(cell)
    years = len(years_of(p, term)) if measure.by == "year" else 1
    # Where cells are told by service, the service comes first in the pool's key.
    services = len({key[0] for key in whole}) if measure.services else 1
    out = []
    for parts in whole.values():
        people = sum(cell.weight for group in parts.values() for cell in group)
        for key, group in parts.items():
            share = sum(cell.weight for cell in group) / people
            portion = share / (max(services, 1) * years)
            out.append(Pool(_name(key), portion, _members(group, member_of)))
    return tuple(out)


def _members(group: list[Cell], member_of: Callable[[Cell], Label]) -> tuple[Member, ...]:
    joined: dict[Label, list[Cell]] = {}
    for cell in group:
        joined.setdefault(member_of(cell), []).append(cell)
    people = sum(cell.weight for cell in group)
    members = []
    for label, cells in joined.items():
        weight = sum(cell.weight for cell in cells)
        parts = tuple((cell.label, cell.weight / weight) for cell in cells)
        members.append(Member(_name(label), weight / people, parts))
    return tuple(members)
