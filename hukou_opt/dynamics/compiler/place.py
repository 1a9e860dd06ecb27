"""Where in the model an expression stands, and which subscripts it may therefore read."""

from __future__ import annotations

from dataclasses import dataclass

from hukou_opt.dynamics.compiler.calls import Builder
from hukou_opt.dynamics.compiler.ranges import BOUND


@dataclass(frozen=True)
class Place:
    """Where in the model an expression stands.

    Parameters
    ----------
    variable : str
        Name for messages and slots.
    builder : Builder
        Order of the labels.
    free : frozenset of str
        Labels of the left-hand side.
    """

    variable: str
    builder: Builder
    free: frozenset[str]

    @property
    def reducing(self) -> bool:
        """Whether it stands within a function over marked subscripts."""
        return any(label.endswith(BOUND) for label in self.builder.order)
