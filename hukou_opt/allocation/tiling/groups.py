"""Regions of the same structure, which one label of the Pyomo model stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.problem import Problem

Positions = NDArray[np.int64]

#: Around the number of a group in its label. Characters of private use: no region, service or year
#: has them in its name, so that a label can be found in any index.
FIRST, LAST = "\ue000", "\ue001"


class CannotTile(Exception):  # noqa: N818
    """The Pyomo model has parts that are not alike in all regions of a group."""


class Mixed(CannotTile):
    """Something holds for some regions of a group and not for the others.

    Parameters
    ----------
    label : str
        The group.
    holds : ndarray of bool, shape (region of the group,)
        For which regions it holds.
    """

    def __init__(self, label: str, holds: NDArray[np.bool_]) -> None:
        super().__init__("regions of a group differ")
        self.label, self.holds = label, holds


def group_label(text: str) -> str | None:
    """The group's label inside a text, or None where there is none."""
    start = text.find(FIRST)
    return None if start < 0 else text[start : text.index(LAST, start) + 1]


@dataclass(frozen=True)
class GroupedProblem(Problem):
    """A problem whose labels are groups of regions; all tables are those of all regions.

    Parameters
    ----------
    groups : tuple of ndarray of int
        Positions of the regions of each group, rising; every region is in one group.
    """

    groups: tuple[Positions, ...] = ()

    @classmethod
    def of(cls, p: Problem, groups: tuple[Positions, ...]) -> GroupedProblem:
        """The problem under other labels."""
        own = {each.name: getattr(p, each.name) for each in fields(Problem)}
        return cls(**own, groups=groups)

    @property
    def labels(self) -> tuple[str, ...]:
        """One label for each group."""
        return tuple(f"{FIRST}{number}{LAST}" for number in range(len(self.groups)))

    def rows(self) -> dict[str, Any]:
        """Positions of the regions of each group."""
        return dict(zip(self.labels, self.groups, strict=True))

    def count(self, label: str) -> int:
        """Number of regions of a group."""
        return len(self.rows()[label])

    def same(self, label: str, holds: Any) -> bool:
        """Whether something holds for all regions of a group.

        Raises
        ------
        Mixed
            If it holds for some of them only.
        """
        if np.all(holds):
            return True
        if np.any(holds):
            raise Mixed(label, np.asarray(holds))
        return False


def structure(p: Problem) -> NDArray[np.bool_]:
    """What is there and what is 0 in every region, shape (region, pattern)."""
    by_region: list[NDArray[Any]] = [
        np.moveaxis(p.need, 2, 0),
        np.moveaxis(p.population, 1, 0),
        p.children_hukou,
        p.children_migrant,
        p.children_rural,
        p.block_cost,
        p.block_weight,
        p.reward if p.on("performance_reward") else p.block_cost,
        p.supported,
    ]
    return np.hstack([(table > 0).reshape(len(p.codes), -1) for table in by_region])


def groups_of(p: Problem) -> tuple[Positions, ...]:
    """Regions of the same structure.

    There are two groups at least where there are two regions: a row of one group that has columns
    of another shows that it is not a row of one region.
    """
    _, number = np.unique(structure(p), axis=0, return_inverse=True)
    number = number.reshape(-1)
    groups = _ordered(np.flatnonzero(number == each) for each in range(number.max() + 1))
    return split(groups, 0, np.arange(len(groups[0])) > 0) if len(groups) == 1 else groups


def _ordered(groups: Iterable[Positions]) -> tuple[Positions, ...]:
    """Groups by their first region: what is met first in them is met first in all regions."""
    return tuple(sorted((group for group in groups if len(group)), key=lambda group: int(group[0])))


def split(
    groups: tuple[Positions, ...], number: int, holds: NDArray[np.bool_]
) -> tuple[Positions, ...]:
    """The groups with one of them split into two; empty groups are left out."""
    parts = (groups[number][holds], groups[number][~holds])
    return _ordered([*groups[:number], *parts, *groups[number + 1 :]])
