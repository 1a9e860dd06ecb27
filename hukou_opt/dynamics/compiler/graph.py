"""Nodes of the graph of array operations that a model becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hukou_opt.dynamics.compiler.ranges import BOUND, Ranges

#: Operations whose result is true or false.
LOGICAL = frozenset(
    {"greater", "less", "greater_equal", "less_equal", "equal", "not_equal"}
    | {"logical_and", "logical_or", "logical_not"}
)


@dataclass(eq=False)
class Node:
    """One operation, or one value that is known beforehand.

    Parameters
    ----------
    op : str
        A NumPy function by name, or ``number``, ``input``, ``stock``, ``initial``, ``time``,
        ``control``, ``array``, ``look`` (an array under the labels of an equation), ``reduce``,
        ``where``, ``interpolate``, ``assemble``, ``active``, ``turned`` (axes in another order).
    args : tuple of Node
        Operands.
    labels : tuple of str
        Axes in storage order: names of subscript ranges, with ``!`` where a sum runs over them.
    data : Any
        What the operation needs besides: number, name, positions, axes.
    logical : bool
        Whether the value is true or false.
    truth : bool
        Whether PySD holds the value as true or false, though it is 0 or 1 here.
    """

    op: str
    args: tuple[Node, ...] = ()
    labels: tuple[str, ...] = ()
    data: Any = None
    logical: bool = False
    truth: bool = False


@dataclass(frozen=True)
class Slot:
    """A stock or a value kept from the start.

    Parameters
    ----------
    name : str
        Variable, with a number where the variable has several.
    labels : tuple of str
        Axes in storage order.
    """

    name: str
    labels: tuple[str, ...]


@dataclass
class Graph:
    """A model as operations.

    Parameters
    ----------
    ranges : Ranges
        Subscript ranges.
    dims : dict of str to tuple of str
        Axes of each variable.
    variables : dict of str to Node
        Value of every variable, by plain name.
    stocks : list of Slot
        Stocks; delays and smooths have several.
    flows, firsts : list of Node
        Rate of change and first value of each stock.
    kept : list of Slot
        Values kept from the start.
    origins : list of Node
        What each of them is at the start.
    inputs : dict of str to int
        Position of each constant of the model.
    defaults : list
        Value of each of them as the model gives it: a number or an array over its axes.
    delays : list of (str, float, Node)
        Variable, number of stages and delay of every material delay.
    """

    ranges: Ranges
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    variables: dict[str, Node] = field(default_factory=dict)
    stocks: list[Slot] = field(default_factory=list)
    flows: list[Node] = field(default_factory=list)
    firsts: list[Node] = field(default_factory=list)
    kept: list[Slot] = field(default_factory=list)
    origins: list[Node] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    defaults: list[Any] = field(default_factory=list)
    delays: list[tuple[str, float, Node]] = field(default_factory=list)

    def shape(self, labels: Sequence[str]) -> tuple[int, ...]:
        """Sizes of axes."""
        return tuple(len(self.ranges.members[label.rstrip(BOUND)]) for label in labels)


def number(value: float) -> Node:
    """A number as a node."""
    return Node("number", data=float(value))


def joined(args: Sequence[Node], order: Sequence[str]) -> tuple[str, ...]:
    """Labels of an operation over several operands, in the order of the equation."""
    have = {label for arg in args for label in arg.labels}
    return tuple(label for label in order if label in have)
