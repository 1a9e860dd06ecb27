"""The equations of a model file as trees, for the checks that read them.

PySD parses the file; nothing is built and nothing is run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hukou_opt.dynamics.parse import abstract_model, plain

#: How tightly operators bind, as in Vensim; a part that binds less stands in parentheses.
BINDING = {":OR:": 1, ":AND:": 2, ":NOT:": 3, "+": 5, "-": 5, "*": 6, "/": 6, "negative": 7, "^": 8}
COMPARISON_BINDING = 4
LONGEST_PART = 140


@dataclass(frozen=True)
class Equation:
    """One variable of a model file.

    Parameters
    ----------
    name : str
        Name as the file writes it.
    unit : str
        Unit as the file writes it; empty where it gives none.
    dims : tuple of str
        Subscript ranges of its left-hand side.
    parts : tuple of syntax trees
        Right-hand side; more than one where subscripts have equations of their own.
    """

    name: str
    unit: str
    dims: tuple[str, ...]
    parts: tuple[Any, ...]

    @property
    def is_datum(self) -> bool:
        """Whether the right-hand side is a number or a list of numbers."""
        return all(number(part) is not None or isinstance(part, np.ndarray) for part in self.parts)

    @property
    def is_stock(self) -> bool:
        """Whether the variable is the integral of a flow."""
        return any(kind(part) == "IntegStructure" for part in self.parts)


@dataclass(frozen=True)
class Equations:
    """All variables and subscript ranges of a model file.

    Parameters
    ----------
    by_name : dict of str to Equation
        Variables by plain name, see `plain`.
    roots : dict of str to str
        The range that each range is an alias of; itself where it is none.
    members : dict of str to tuple of str
        Subscripts of each range.
    """

    by_name: dict[str, Equation]
    roots: dict[str, str]
    members: dict[str, tuple[str, ...]]

    def reads(self, name: str) -> frozenset[str]:
        """Plain names of the variables that a variable follows at every moment.

        For a stock these are its flows. What stands inside ``INITIAL()`` acts once, at the start.
        """
        return frozenset(
            reference
            for part in self.by_name[plain(name)].parts
            for reference in _references(part)
            if reference in self.by_name
        )


def kind(node: Any) -> str:
    """Class of a node of a syntax tree, ``number`` for a number."""
    if isinstance(node, (int, float, np.number)) and not isinstance(node, bool):
        return "number"
    return type(node).__name__


def number(node: Any) -> float | None:
    """The number that a node is, with its sign, or none."""
    if kind(node) == "number":
        return float(node)
    if kind(node) == "ArithmeticStructure" and node.operators == ["negative"]:
        inner = number(node.arguments[0])
        return None if inner is None else -inner
    return None


def parse_equations(text: str, name: str) -> Equations:
    """Parse the rendered text of a model file.

    Parameters
    ----------
    text : str
        Text with regions and years written in, see `hukou_opt.dynamics.render`.
    name : str
        Name of the file, for messages.

    Raises
    ------
    ModelError
        If PySD cannot parse the text.
    """
    with tempfile.TemporaryDirectory(prefix="hukou-opt-") as folder:
        model = abstract_model(text, name, Path(folder) / "model.mdl")
    equations: dict[str, Equation] = {}
    aliases: dict[str, str] = {}
    members: dict[str, tuple[str, ...]] = {}
    for section in model.sections:
        for item in section.subscripts:
            if isinstance(item.subscripts, str):
                aliases[item.name] = item.subscripts
            else:
                members[item.name] = tuple(item.subscripts)
        for element in section.elements:
            first = element.components[0]
            equations[plain(element.name)] = Equation(
                element.name,
                (element.units or "").strip(),
                tuple(first.subscripts[0]),
                tuple(component.ast for component in element.components),
            )
    roots = {each: each for each in members}
    for alias in aliases:
        root = alias
        while root in aliases:
            root = aliases[root]
        roots[alias], members[alias] = root, members[root]
    return Equations(equations, roots, members)


def children(node: Any) -> tuple[Any, ...]:
    """Parts that a node is made of."""
    name = kind(node)
    if name in ("ArithmeticStructure", "LogicStructure", "CallStructure"):
        return tuple(node.arguments)
    if name == "IntegStructure":
        return (node.flow, node.initial)
    if name == "InitialStructure":
        return (node.initial,)
    if name in ("number", "ReferenceStructure", "ndarray"):
        return ()
    # Kinds that the model does not use yet: every field that may hold an expression.
    return tuple(vars(node).values()) if hasattr(node, "__dict__") else ()


def _references(node: Any) -> Iterator[str]:
    name = kind(node)
    if name == "ReferenceStructure":
        yield plain(node.reference)
    elif name == "IntegStructure":
        yield from _references(node.flow)
    elif name != "InitialStructure":
        for child in children(node):
            yield from _references(child)


def written(node: Any) -> str:
    """A part of an equation as the model file would write it, shortened where it is long."""
    text = _written(node, 0)
    return text if len(text) <= LONGEST_PART else text[: LONGEST_PART - 4] + " ..."


def _written(node: Any, outside: int) -> str:
    name = kind(node)
    if name == "number":
        return f"{float(node):g}"
    if name == "ReferenceStructure":
        subscripts = node.subscripts.subscripts if node.subscripts else ()
        return str(node.reference) + (f"[{','.join(subscripts)}]" if subscripts else "")
    if name == "CallStructure":
        function = node.function.reference.upper().replace("_", " ")
        return f"{function}({', '.join(_written(each, 0) for each in node.arguments)})"
    if name in ("InitialStructure", "IntegStructure"):
        inside = ", ".join(_written(each, 0) for each in children(node))
        return f"{name.removesuffix('Structure').upper()}({inside})"
    if name in ("ArithmeticStructure", "LogicStructure"):
        binding = min(BINDING.get(sign, COMPARISON_BINDING) for sign in node.operators)
        if node.operators[0] in ("negative", ":NOT:"):
            sign = "-" if node.operators[0] == "negative" else ":NOT: "
            text = sign + _written(node.arguments[0], binding)
        else:
            # What follows a minus or a slash needs parentheses even if it binds as tightly.
            text = _written(node.arguments[0], binding) + "".join(
                f" {sign} " + _written(each, binding + (sign in "-/"))
                for sign, each in zip(node.operators, node.arguments[1:], strict=True)
            )
        return f"({text})" if binding < outside else text
    return name
