"""Expressions as PySD parses them: what they name, and the signed sum that changes a stock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hukou_opt.dynamics.parse import plain


def is_number(tree: Any) -> bool:
    """Whether an expression is a number or a list of numbers."""
    if type(tree).__name__ == "ArithmeticStructure" and tree.operators == ["negative"]:
        return is_number(tree.arguments[0])
    return isinstance(tree, int | float | np.ndarray | np.number)


def references(tree: Any, start: bool = False) -> Iterator[tuple[str, bool]]:
    """Names in an expression, in order, each with whether it is read at the start only."""
    kind = type(tree).__name__
    if kind == "ReferenceStructure":
        yield plain(str(tree.reference)), start
    elif kind == "CallStructure":
        for argument in tree.arguments:
            yield from references(argument, start)
    elif dataclasses.is_dataclass(tree):
        for part in dataclasses.fields(tree):
            # INITIAL(...), and the first value of stocks and delays.
            yield from references(getattr(tree, part.name), start or part.name == "initial")
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from references(part, start)


def terms(tree: Any, sign: int, names: Mapping[str, str]) -> list[tuple[int, str, str]]:
    """Signed terms of a rate of change; sums in parentheses are taken apart.

    Returns
    -------
    list of tuple of int, str, str
        Sign, name where the term is a plain name (else empty), and the term's text.
    """
    kind = type(tree).__name__
    if kind == "ArithmeticStructure" and set(tree.operators) <= {"+", "-"}:
        signs = [1, *(1 if operator == "+" else -1 for operator in tree.operators)]
        return [
            term
            for factor, part in zip(signs, tree.arguments, strict=True)
            for term in terms(part, sign * factor, names)
        ]
    if kind == "ArithmeticStructure" and tree.operators == ["negative"]:
        return terms(tree.arguments[0], -sign, names)
    name = names.get(plain(str(tree.reference)), "") if kind == "ReferenceStructure" else ""
    return [(sign, name, name or _text(tree))]


def summed(tree: Any, names: Mapping[str, str]) -> str:
    """Name of the variable of which the expression is the plain sum over a dimension."""
    if type(tree).__name__ != "CallStructure" or _function(tree) != "sum":
        return ""
    inner = tree.arguments[0]
    if type(inner).__name__ != "ReferenceStructure":
        return ""
    return names.get(plain(str(inner.reference)), "")


def _function(call: Any) -> str:
    return str(getattr(call.function, "reference", call.function)).casefold()


def _text(tree: Any) -> str:
    """An expression in short, without subscripts."""
    kind = type(tree).__name__
    if kind == "ReferenceStructure":
        return str(tree.reference)
    if kind == "CallStructure":
        inside = ", ".join(_text(argument) for argument in tree.arguments)
        return f"{_function(tree).upper()}({inside})"
    if kind in ("ArithmeticStructure", "LogicStructure"):
        parts = [_inner(argument) for argument in tree.arguments]
        if len(parts) == 1:
            return str({"negative": "-"}.get(tree.operators[0], tree.operators[0])) + parts[0]
        pieces = [parts[0]]
        for operator, part in zip(tree.operators, parts[1:], strict=True):
            pieces += [operator, part]
        return " ".join(pieces)
    if isinstance(tree, int | float | np.number):
        return f"{float(tree):g}"
    return kind.removesuffix("Structure").upper()


def _inner(tree: Any) -> str:
    nested = type(tree).__name__ in ("ArithmeticStructure", "LogicStructure")
    return f"({_text(tree)})" if nested else _text(tree)
