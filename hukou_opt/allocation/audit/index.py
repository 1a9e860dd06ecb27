"""Labels of a family of rows or columns, and where the program has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.names import Names

Labels = NDArray[np.object_]
Positions = NDArray[np.int64]
#: Names up to which all are written out: then a dictionary is faster than their parts.
WRITTEN_OUT = 100_000


def full_name(family: str, label: str) -> str:
    """Name of a row or column, ``starts[urban,seats,110000,2024]``."""
    return f"{family}[{label}]" if label else family


def _by_name(names: Names, family: str, labels: Labels) -> Positions:
    """Positions of labels by their full names; -1 where there is none."""
    where = names.position
    found = [where.get(full_name(family, label), -1) for label in labels]
    return np.array(found, dtype=np.int64)


class Index(ABC):
    """Labels of a family, in the order of its values."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the values that belong to the labels."""

    @cached_property
    @abstractmethod
    def texts(self) -> Labels:
        """The labels as they stand in names, shape (label,)."""

    @abstractmethod
    def only(self, keep: NDArray[np.bool_]) -> Index:
        """Those labels where `keep`, one for each, holds."""

    @abstractmethod
    def positions(self, names: Names, family: str) -> Positions:
        """Position of each label in the program, shape (label,); -1 where there is none."""

    def __len__(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Grid(Index):
    """All combinations of labels along some axes; no axis is one label.

    Parameters
    ----------
    axes : tuple of sequence of str
        Labels along each axis.
    """

    axes: tuple[Sequence[str], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(axis) for axis in self.axes)

    @cached_property
    def texts(self) -> Labels:
        """The labels, the last axis fastest."""
        return as_labels(",".join(label) for label in product(*self.axes))

    def only(self, keep: NDArray[np.bool_]) -> Index:
        """Those combinations where `keep` holds."""
        return self if keep.all() else Some(self, np.flatnonzero(keep))

    def positions(self, names: Names, family: str) -> Positions:
        """Position of each combination."""
        if len(names) > WRITTEN_OUT:
            return names.cells(family, *self.axes).ravel()
        return _by_name(names, family, self.texts)


@dataclass(frozen=True, eq=False)
class Some(Index):
    """Some of the labels of another index.

    Parameters
    ----------
    every : Index
        The other index.
    kept : ndarray of int
        Which of its labels.
    """

    every: Index
    kept: Positions

    @property
    def shape(self) -> tuple[int, ...]:
        """One axis."""
        return (len(self.kept),)

    @cached_property
    def texts(self) -> Labels:
        """The labels."""
        return self.every.texts[self.kept]

    def only(self, keep: NDArray[np.bool_]) -> Index:
        """Those labels where `keep` holds."""
        return Some(self.every, self.kept[keep])

    def positions(self, names: Names, family: str) -> Positions:
        """Position of each label."""
        return self.every.positions(names, family)[self.kept]


@dataclass(frozen=True, eq=False)
class Listed(Index):
    """Labels that are listed one by one, because a part of them is made of several.

    Parameters
    ----------
    labels : ndarray of str
        The labels.
    """

    labels: Labels

    @property
    def shape(self) -> tuple[int, ...]:
        """One axis."""
        return self.labels.shape

    @cached_property
    def texts(self) -> Labels:
        """The labels."""
        return self.labels

    def only(self, keep: NDArray[np.bool_]) -> Index:
        """Those labels where `keep` holds."""
        return Listed(self.labels[keep])

    def positions(self, names: Names, family: str) -> Positions:
        """Position of each label."""
        return _by_name(names, family, self.labels)


@dataclass(frozen=True, eq=False)
class Joined(Index):
    """Several indices one after the other.

    Parameters
    ----------
    parts : tuple of Index
        The indices.
    """

    parts: tuple[Index, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """One axis."""
        return (sum(len(part) for part in self.parts),)

    @cached_property
    def texts(self) -> Labels:
        """The labels."""
        return as_labels(text for part in self.parts for text in part.texts)

    def only(self, keep: NDArray[np.bool_]) -> Index:
        """Those labels where `keep` holds."""
        return self if keep.all() else Some(self, np.flatnonzero(keep))

    def positions(self, names: Names, family: str) -> Positions:
        """Position of each label."""
        return np.concatenate([part.positions(names, family) for part in self.parts])


def as_labels(texts: Iterable[str]) -> Labels:
    """Texts as an array."""
    found = list(texts)
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out
