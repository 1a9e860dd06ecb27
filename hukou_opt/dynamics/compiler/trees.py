"""What PySD's syntax trees hold: names, subscripts, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from hukou_opt.dynamics.compiler.calls import REDUCTIONS
from hukou_opt.dynamics.compiler.ranges import BOUND
from hukou_opt.dynamics.compiler.refusals import NotKnownError, WrongError
from hukou_opt.dynamics.parse import plain

#: Structures that give out what they held before, whatever their arguments are at the moment.
HOLDING = frozenset(
    {"IntegStructure", "InitialStructure", "SmoothStructure", "SmoothNStructure"}
    | {"DelayFixedStructure", "DelayNStructure", "TrendStructure", "ForecastStructure"}
    | {"SampleIfTrueStructure", "LookupsStructure"}
)
#: The one function whose argument is the name of a range.
COUNT = "elmcount"


def spoken(kind: str) -> str:
    """Name of a structure as it is written in a model."""
    words = re.findall(r"[A-Z][a-z]*", kind.removesuffix("Structure"))
    return " ".join(words).upper()


def is_datum(tree: Any) -> bool:
    """Whether an expression is numbers alone."""
    return isinstance(tree, int | float | np.number | np.ndarray)


def is_holding(tree: Any) -> bool:
    """Whether an expression is, or contains, a stock, a delay, a smooth or a value kept."""
    kind = type(tree).__name__
    if kind == "LookupsStructure":
        return False
    return kind == "DelayStructure" or kind in HOLDING or any(map(is_holding, parts(tree)))


def is_negative(tree: Any) -> bool:
    """Whether an expression is a number below zero."""
    return is_datum(tree) and bool(np.min(tree) < 0)


def finite(value: Any) -> Any:
    """A number, or an array, of the text as floats.

    Raises
    ------
    NotKnownError
        If it is ``:NA:``.
    WrongError
        If it is too large.
    """
    try:
        found = np.asarray(value, dtype=float)
    except OverflowError:
        found = np.asarray(np.inf)
    if np.isnan(found).any():
        raise NotKnownError("uses :NA:, which readers take for different numbers")
    if not np.isfinite(found).all():
        raise WrongError("holds a number that is too large", "write a smaller number")
    return found if found.ndim else float(found)


def parts(tree: Any) -> tuple[Any, ...]:
    """What an expression is made of."""
    if isinstance(tree, list | tuple):
        return tuple(tree)
    if type(tree).__name__ == "CallStructure":
        # The function's name is no variable, nor is the name of a range.
        return () if plain(called(tree)) == COUNT else tuple(tree.arguments)
    return tuple(vars(tree).values()) if hasattr(tree, "__dict__") else ()


def called(tree: Any) -> str:
    """Name of the function that a call names; empty where it names none."""
    return str(getattr(tree.function, "reference", ""))


def names(tree: Any) -> Iterator[str]:
    """Names of all variables in an expression."""
    if type(tree).__name__ == "ReferenceStructure":
        yield str(tree.reference)
        return
    for part in parts(tree):
        yield from names(part)


def names_now(tree: Any) -> Iterator[str]:
    """Names that an expression reads at the moment at which it is evaluated."""
    kind = type(tree).__name__
    if kind == "ReferenceStructure":
        yield str(tree.reference)
    elif kind == "DelayStructure":
        yield from names_now(tree.delay_time)
    elif kind not in HOLDING:
        for part in parts(tree):
            yield from names_now(part)


def subscripted(tree: Any, *, within: bool = False) -> Iterator[tuple[str, ...]]:
    """Subscripts of every reference in an expression.

    Parameters
    ----------
    tree : Any
        Syntax tree.
    within : bool
        Whether the expression stands within a function over marked subscripts that is itself part
        of the expression asked for: the marks are then that function's own.
    """
    kind = type(tree).__name__
    if kind == "ReferenceStructure":
        if tree.subscripts:
            found = tuple(tree.subscripts.subscripts)
            yield tuple(each for each in found if not (within and each.endswith(BOUND)))
        return
    within = within or (kind == "CallStructure" and plain(called(tree)) in REDUCTIONS)
    for part in parts(tree):
        yield from subscripted(part, within=within)


def marked_twice(tree: Any, above: frozenset[str] = frozenset()) -> Iterator[str]:
    """Marked subscripts over which a function runs that stands within another one over the same."""
    if type(tree).__name__ == "CallStructure" and plain(called(tree)) in REDUCTIONS:
        own = {
            label for look in subscripted(tree.arguments) for label in look if label.endswith(BOUND)
        }
        yield from sorted(own & above)
        above |= own
    for part in parts(tree):
        yield from marked_twice(part, above)
