"""Subscript ranges: aliases, subranges, members, and positions of one in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Marks a subscript over which a function such as SUM() runs.
BOUND = "!"


@dataclass(frozen=True)
class Ranges:
    """The subscript ranges of a model.

    Parameters
    ----------
    members : dict of str to tuple of str
        Members of every range, aliases included.
    mapped : frozenset of str
        Ranges with a mapping onto another range.
    """

    members: dict[str, tuple[str, ...]]
    mapped: frozenset[str]

    @classmethod
    def of(cls, section: Any) -> Ranges:
        """Ranges of a section of PySD's abstract model."""
        members: dict[str, tuple[str, ...]] = {}
        copies: dict[str, str] = {}
        mapped = set()
        for item in section.subscripts:
            if isinstance(item.subscripts, str):
                # PySD keeps the mapping of copies in one list for all models of a process.
                copies[item.name] = item.subscripts
            else:
                members[item.name] = tuple(item.subscripts)
                if item.mapping:
                    mapped.add(item.name)
        # A range may be a copy of a copy.
        for _ in copies:
            for copy, origin in copies.items():
                if origin in members:
                    members[copy] = members[origin]
        return cls(members, frozenset(mapped))

    def is_range(self, subscript: str) -> bool:
        """Whether a subscript names a range, and not one member."""
        return subscript.rstrip(BOUND) in self.members

    def cover(self, subscripts: Sequence[str], taken: Sequence[str] = ()) -> str:
        """The smallest range that holds some members and ranges.

        Parameters
        ----------
        subscripts : sequence of str
            Members and ranges.
        taken : sequence of str, optional
            Ranges that other axes of the variable have already.

        Raises
        ------
        LookupError
            If no range holds them all.
        """
        wanted = {
            member
            for subscript in subscripts
            for member in self.members.get(subscript, (subscript,))
        }
        holding = [
            name for name, each in self.members.items() if wanted <= set(each) and name not in taken
        ]
        if not holding:
            raise LookupError(", ".join(sorted(wanted)))
        return min(holding, key=lambda name: len(self.members[name]))

    def positions(self, inside: str, subscript: str) -> list[int]:
        """Positions of a member or a range within another range.

        Raises
        ------
        ValueError
            If it is not part of it.
        """
        whole = list(self.members[inside])
        return [whole.index(each) for each in self.members.get(subscript, (subscript,))]
