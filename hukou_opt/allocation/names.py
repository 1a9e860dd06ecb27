"""Names of rows and columns, written out only when somebody asks for them.

A name is a family (rule or variable) and labels, ``starts[urban,seats,110000,2024]``. Programs of
thousands of regions have millions of names, so positions are asked for by family and labels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Axis = Sequence[object]


def family(name: str) -> str:
    """Rule or variable of a row or column, ``starts`` of ``starts[urban,seats,110000,2024]``."""
    return name.split("[", 1)[0]


class Names(Sequence[str]):
    """Names of all rows, or of all columns, by position."""

    @cached_property
    @abstractmethod
    def texts(self) -> tuple[str, ...]:
        """All names written out."""

    @cached_property
    @abstractmethod
    def families(self) -> NDArray[np.str_]:
        """Family of each row or column, shape (position,)."""

    @abstractmethod
    def cells(self, name: str, *axes: Axis) -> Positions:
        """Positions of a family by its labels.

        Parameters
        ----------
        name : str
            The family.
        *axes : sequence
            Labels along each axis of the family, such as sectors, region codes and years.

        Returns
        -------
        ndarray of int, one axis for each of `axes`
            Positions; -1 where the family has no such row or column.
        """

    @abstractmethod
    def members(self, name: str) -> Positions:
        """Positions of all rows or columns of a family, rising."""

    @cached_property
    def position(self) -> dict[str, int]:
        """Position by name."""
        return {text: at for at, text in enumerate(self.texts)}

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, at: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> str | tuple[str, ...]:
        return self.texts[at]

    def __contains__(self, name: object) -> bool:
        return name in self.position

    def index(self, name: str, start: int = 0, stop: int | None = None) -> int:
        """Position of a name; a ValueError where there is none."""
        at = self.position.get(name, -1)
        if not start <= at < (len(self) if stop is None else stop):
            raise ValueError(name)
        return at

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Iterable) and self.texts == tuple(other)

    def __hash__(self) -> int:
        return hash(self.texts)


class ListedNames(Names):
    """Names that are there already.

    Parameters
    ----------
    texts : iterable of str
        The names by position.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All names."""
        return self._texts

    @cached_property
    def families(self) -> NDArray[np.str_]:
        """Family of each row or column."""
        return np.array([family(text) for text in self._texts], dtype=np.str_)

    def members(self, name: str) -> Positions:
        """Positions of all rows or columns of a family, rising."""
        return np.flatnonzero(self.families == name)

    def cells(self, name: str, *axes: Axis) -> Positions:
        """Positions of a family by its labels; -1 where there is none."""
        out = np.full(tuple(len(axis) for axis in axes), -1, dtype=np.int64)
        for place in np.ndindex(out.shape):
            labels = ",".join(str(axis[i]) for axis, i in zip(axes, place, strict=True))
            out[place] = self.position.get(f"{name}[{labels}]" if axes else name, -1)
        return out
