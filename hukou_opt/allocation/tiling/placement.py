"""Where the rows and columns of groups stand among those of all regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.names import Axis, Names, Positions
from hukou_opt.allocation.tiling.groups import FIRST, group_label


@dataclass(frozen=True)
class Entry:
    """A row or column of the grouped model: one of the nation, or one for each region of a group.

    Parameters
    ----------
    family : str
        Name of the Pyomo component.
    index : tuple of str
        Its index.
    path : str
        What orders the entries of a family: up to the group's label they are in the order in which
        they are met; then come the regions, and for each the entries in the order met.
    """

    family: str
    index: tuple[str, ...]
    path: str

    @property
    def name(self) -> str:
        """The name, with the group's label for the region's code."""
        return f"{self.family}[{','.join(self.index)}]" if self.index else self.family

    @property
    def group(self) -> str | None:
        """Label of its group; None for an entry of the nation."""
        return group_label(self.path)


def placed(
    entries: Sequence[Entry], groups: dict[str, Positions], regions: int
) -> tuple[list[Positions], int]:
    """Position of every entry, as if each region had been written out in turn.

    Parameters
    ----------
    entries : sequence of Entry
        In the order of the grouped model.
    groups : dict of str to ndarray of int
        Regions of each group by label.
    regions : int
        Number of regions.

    Returns
    -------
    positions : list of ndarray of int
        For each entry, the position in each region of its group; one position for an entry of the
        nation.
    total : int
        Number of positions.
    """
    # Stretches between which the loop over the regions starts anew.
    stretches: dict[str, dict[str | None, list[int]]] = {}
    for number, entry in enumerate(entries):
        head = entry.path.partition(FIRST)[0] if entry.group else entry.path
        stretches.setdefault(head, {}).setdefault(entry.group, []).append(number)
    out: list[Positions] = [np.empty(0, dtype=np.int64)] * len(entries)
    base = 0
    for by_group in stretches.values():
        size = np.zeros(regions, dtype=np.int64)
        for label, numbers in by_group.items():
            if label is not None:
                size[groups[label]] = len(numbers)
        before = np.cumsum(size) - size
        for label, numbers in by_group.items():
            starts = np.zeros(1, dtype=np.int64) if label is None else before[groups[label]]
            for at, number in enumerate(numbers):
                out[number] = base + starts + at
        base += len(by_group.get(None, ())) + int(size.sum())
    return out, base


class TiledNames(Names):
    """Names of the rows or columns of all regions, from those of the groups.

    Parameters
    ----------
    entries : sequence of Entry
        Entries of the grouped model.
    positions : sequence of ndarray of int
        Position of each entry in each region of its group; -1 where it was left out.
    groups : dict of str to ndarray of int
        Regions of each group by label.
    codes : tuple of str
        Codes of all regions.
    total : int
        Number of positions.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        positions: Sequence[Positions],
        groups: dict[str, Positions],
        codes: tuple[str, ...],
        total: int,
    ) -> None:
        self._entries, self._positions = entries, positions
        self._groups, self._codes, self._total = groups, codes, total

    def __len__(self) -> int:
        return self._total

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All names written out."""
        out = [""] * self._total
        for entry, at in zip(self._entries, self._positions, strict=True):
            name, label = entry.name, entry.group
            if label is None:
                if at[0] >= 0:
                    out[at[0]] = name
                continue
            for region, position in zip(self._groups[label].tolist(), at.tolist(), strict=True):
                if position >= 0:
                    out[position] = name.replace(label, self._codes[region])
        return tuple(out)

    @cached_property
    def families(self) -> NDArray[np.str_]:
        """Family of each row or column."""
        known = {family: at for at, family in enumerate({e.family: 0 for e in self._entries})}
        number = np.zeros(self._total, dtype=np.int64)
        for entry, at in zip(self._entries, self._positions, strict=True):
            number[at[at >= 0]] = known[entry.family]
        families: NDArray[np.str_] = np.array(list(known), dtype=np.str_)[number]
        return families

    def members(self, name: str) -> Positions:
        """Positions of all rows or columns of a family, rising."""
        parts = [
            at[at >= 0]
            for entry, at in zip(self._entries, self._positions, strict=True)
            if entry.family == name
        ]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))

    def cells(self, name: str, *axes: Axis) -> Positions:
        """Positions of a family by its labels; -1 where there is none."""
        out = np.full(tuple(len(axis) for axis in axes), -1, dtype=np.int64)
        places = [{str(label): at for at, label in enumerate(axis)} for axis in axes]
        for entry, at in zip(self._entries, self._positions, strict=True):
            if entry.family != name or len(entry.index) != len(axes):
                continue
            where: list[int | Positions] = []
            for part, place in zip(entry.index, places, strict=True):
                if entry.group is not None and part == entry.group:
                    chosen = [place.get(self._codes[i], -1) for i in self._groups[part]]
                    where.append(np.array(chosen, dtype=np.int64))
                else:
                    where.append(place.get(part, -1))
            kept = np.ones(len(at), dtype=bool)
            for each in where:
                kept &= np.asarray(each) >= 0
            if kept.any():
                index = tuple(w if isinstance(w, int) else w[kept] for w in where)
                out[index] = at[kept] if entry.group is not None else at[0]
        return out
