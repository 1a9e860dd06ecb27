"""A graph as straight-line NumPy code.

Every value gets a name of its own; arrays of more than one number are written into buffers that are
used again once their value is no longer read. The member axis, where there is one, comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hukou_opt.dynamics.compiler.audit import GIVEN
from hukou_opt.dynamics.compiler.graph import Graph, Node
from hukou_opt.dynamics.compiler.schedule import Traits, inside_at_start, ordered

#: Operations with a sign of their own between plain numbers; others go through NumPy, which
#: divides by zero without an exception.
PLAIN = {"add": "+", "subtract": "-", "multiply": "*"}
#: How a function's sources are called: inputs, stocks, values kept, values prepared.
NAMES = {"input": "C", "stock": "S", "initial": "N"}


@dataclass
class Function:
    """A generated function.

    Parameters
    ----------
    source : str
        Python text.
    buffers : list of (labels, bool, bool)
        Axes, member axis and truth values of each buffer that it writes into.
    constants : list
        Arrays and index meshes that it reads.
    """

    source: str
    buffers: list[tuple[tuple[str, ...], bool, bool]] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)


class Writer:
    """Writes one function.

    Parameters
    ----------
    graph : Graph
        The model.
    traits : Traits
        What depends on what.
    prepared : mapping of int to int
        Position of each node that is computed once before the run, by its identity.
    initial : bool
        Whether the function computes the first values: stocks and values kept are then expressions.
    """

    def __init__(
        self,
        graph: Graph,
        traits: Traits,
        prepared: Mapping[int, int],
        *,
        initial: bool = False,
    ) -> None:
        self._graph, self._traits, self._prepared = graph, traits, prepared
        self._initial = initial
        self._lines: list[str] = []
        self._names: dict[int, str] = {}
        self._function = Function("")
        self._free: dict[tuple[tuple[str, ...], bool, bool], list[int]] = {}
        self._owner: dict[int, tuple[int, tuple[tuple[str, ...], bool, bool]]] = {}

    def write(
        self, name: str, roots: Sequence[Node], under: Sequence[tuple[Sequence[str], bool]] = ()
    ) -> Function:
        """A function of what `audit.GIVEN` names that returns the roots in order.

        Parameters
        ----------
        name : str
            Name of the function.
        roots : sequence of Node
            What it returns.
        under : sequence of (labels, bool), optional
            Labels and member axis under which each root is returned.
        """
        order = ordered(roots, self._inside)
        position = {id(node): at for at, node in enumerate(order)}
        last = dict(position)
        for at, node in enumerate(order):
            for arg in self._inside(node) or ():
                last[id(arg)] = max(last[id(arg)], at)
        # Views read the buffer of what they look at.
        for node in reversed(order):
            below = self._seen_through(node)
            if below is not None:
                last[id(below)] = max(last[id(below)], last[id(node)])
        keep = {id(self._below(root)) for root in roots} | {id(root) for root in roots}
        ending: dict[int, list[int]] = {}
        for node in order:
            if id(node) not in keep:
                ending.setdefault(last[id(node)], []).append(id(node))
        for at, node in enumerate(order):
            self._one(node)
            for dying in ending.get(at, ()):
                self._release(dying)
        shown = under or [(root.labels, self._member(root)) for root in roots]
        returned = ", ".join(
            self._view(root, labels, member)
            for root, (labels, member) in zip(roots, shown, strict=True)
        )
        head = f"def {name}({', '.join(GIVEN)}):"
        tail = f"    return ({returned},)" if roots else "    return ()"
        self._function.source = "\n".join([head, *self._lines, tail]) + "\n"
        return self._function

    # Order

    def _inside(self, node: Node) -> Sequence[Node] | None:
        if id(node) in self._prepared:
            return None
        if node.op == "reduce":
            return self._weights(node) or node.args
        if self._initial:
            return inside_at_start(self._graph, node)
        return (node.args[:1] if node.op == "active" else node.args) or None

    def _seen_through(self, node: Node) -> Node | None:
        """What a node that has no memory of its own shows."""
        inside = self._inside(node)
        if not inside:
            return None
        renamed = node.op == "look" and all(pick is None for pick in node.data)
        first = self._initial and node.op in ("stock", "initial")
        return inside[0] if renamed or first or node.op in ("active", "turned") else None

    def _below(self, node: Node) -> Node:
        below = self._seen_through(node)
        return node if below is None else self._below(below)

    # Buffers

    def _buffer(self, node: Node) -> str:
        key = (node.labels, self._member(node), node.logical)
        pool = self._free.setdefault(key, [])
        if pool:
            at = pool.pop()
        else:
            at = len(self._function.buffers)
            self._function.buffers.append(key)
        self._owner[id(node)] = (at, key)
        return f"W[{at}]"

    def _release(self, node: int) -> None:
        if node in self._owner:
            at, key = self._owner.pop(node)
            self._free[key].append(at)

    def _constant(self, value: Any) -> str:
        self._function.constants.append(value)
        return f"K[{len(self._function.constants) - 1}]"

    # Values

    def _member(self, node: Node) -> bool:
        return self._traits.member(node)

    def _view(self, node: Node, labels: Sequence[str], member: bool) -> str:
        """The operand under the labels of the operation, with axes of one where it has none."""
        name = self._names[id(node)]
        own = [label for label in labels if label in node.labels]
        if tuple(own) != node.labels:
            axes = [node.labels.index(label) for label in own]
            if self._member(node):
                axes.append(len(own))
            name += f".transpose({', '.join(map(str, axes))})"
        if not node.labels and not self._member(node):
            return name
        pieces = [":" if label in own else "None" for label in labels]
        added = member and not self._member(node)
        while pieces and pieces[0] == "None":
            # NumPy puts axes of one in front by itself.
            pieces.pop(0)
        if added:
            pieces.append("None")
        if all(piece == ":" for piece in pieces):
            return name
        return f"{name}[{', '.join(pieces)}]"

    def _scalar(self, node: Node) -> bool:
        return not node.labels and not self._member(node)

    def _put(self, node: Node, text: str) -> None:
        name = f"v{len(self._lines)}"
        self._names[id(node)] = name
        self._lines.append(f"    {name} = {text}")

    def _one(self, node: Node) -> None:
        if id(node) in self._prepared:
            self._put(node, f"I[{self._prepared[id(node)]}]")
            return
        op, inside = node.op, self._inside(node)
        if op == "active" or (self._initial and op in ("stock", "initial")):
            assert inside is not None
            self._names[id(node)] = self._spread(node, inside[0])
        elif op == "turned":
            self._put(node, self._view(node.args[0], node.labels, self._member(node)))
        elif op == "number":
            self._names[id(node)] = f"({node.data!r})"
        elif op == "array":
            self._put(node, self._constant(node.data))
        elif op == "time":
            self._names[id(node)] = "t"
        elif op == "control":
            self._names[id(node)] = node.data
        elif op == "input":
            self._put(node, f"C[{self._graph.inputs[node.data]}]")
        elif op in ("stock", "initial"):
            self._put(node, f"{NAMES[op]}[{node.data}]")
        elif op == "look":
            self._look(node)
        elif op == "where":
            self._where(node)
        elif op == "reduce":
            self._reduce(node)
        elif op == "interpolate":
            x, y = (self._constant(np.array(each)) for each in node.data)
            at = self._names[id(node.args[0])]
            if self._scalar(node):
                self._put(node, f"np.interp({at}, {x}, {y})")
            else:
                self._put(node, f"interpolate({at}, {x}, {y}, {self._buffer(node)})")
        elif op == "assemble":
            self._assemble(node)
        else:
            self._elementwise(node)

    def _spread(self, node: Node, inner: Node) -> str:
        """A value under more labels than it has of its own."""
        if node.labels == inner.labels and self._member(node) == self._member(inner):
            return self._names[id(inner)]
        name = f"v{len(self._lines)}"
        view = self._view(inner, node.labels, self._member(node))
        shape = self._graph.shape(node.labels)
        self._lines.append(
            f"    {name} = spread({view}, {shape!r}, {'m' if self._member(node) else 0})"
        )
        return name

    def _elementwise(self, node: Node) -> None:
        if self._scalar(node):
            args = [self._names[id(arg)] for arg in node.args]
            if node.op in PLAIN and len(args) == len(("left", "right")):
                self._put(node, f"{args[0]} {PLAIN[node.op]} {args[1]}")
            else:
                self._put(node, f"np.{node.op}({', '.join(args)})")
            return
        views = [self._view(arg, node.labels, self._member(node)) for arg in node.args]
        self._put(node, f"np.{node.op}({', '.join(views)}, out={self._buffer(node)})")

    def _where(self, node: Node) -> None:
        condition, yes, no = node.args
        if self._scalar(node):
            names = [self._names[id(arg)] for arg in (yes, condition, no)]
            self._put(node, "{} if {} else {}".format(*names))
            return
        views = [self._view(arg, node.labels, self._member(node)) for arg in (condition, yes, no)]
        self._put(node, f"choose({', '.join(views)}, {self._buffer(node)})")

    def _look(self, node: Node) -> None:
        (below,) = node.args
        name = self._names[id(below)]
        if all(pick is None for pick in node.data):
            self._names[id(node)] = name
            return
        self._put(node, self._takes(name, node))

    def _takes(self, name: str, node: Node) -> str:
        """Positions along several axes, one axis after the other."""
        text, axis = name, 0
        for pick in node.data:
            if pick is None:
                axis += 1
            elif isinstance(pick, int):
                text = f"np.take({text}, {pick}, {axis})"
            else:
                text = f"np.take({text}, {self._constant(np.array(pick))}, {axis})"
                axis += 1
        return text

    def _reduce(self, node: Node) -> None:
        how, over = node.data
        weights = self._weights(node)
        if weights is not None:
            values, weight = weights
            axis = values.labels.index(over[0])
            text = f"{self._names[id(values)]}, {self._names[id(weight)]}, {axis}"
            self._put(node, f"weighted({text}, {self._buffer(node)})")
            return
        (inner,) = node.args
        axes = tuple(inner.labels.index(label) for label in over)
        where = f"axis={axes[0] if len(axes) == 1 else axes}"
        name = self._names[id(inner)]
        if self._scalar(node):
            self._put(node, f"np.{how}({name}, {where})")
        else:
            self._put(node, f"np.{how}({name}, {where}, out={self._buffer(node)})")

    def _weights(self, node: Node) -> tuple[Node, Node] | None:
        """Values and weights, where a sum is over a product with weights of that axis alone.

        Weights that move are those of the year that is running: one of them is not zero.
        """
        (inner,), (how, over) = node.args, node.data
        if how != "sum" or inner.op != "multiply" or len(over) != 1 or self._scalar(node):
            return None
        for values, weight in (inner.args, tuple(reversed(inner.args))):
            alone = weight.labels == tuple(over) and not self._member(weight)
            kept = tuple(label for label in values.labels if label not in over)
            same = kept == node.labels and self._member(values) == self._member(node)
            if alone and same and over[0] in values.labels and self._traits.moving(weight):
                return values, weight
        return None

    def _assemble(self, node: Node) -> None:
        member = self._member(node)
        parts, cells = [], []
        for part, (labels, (fills, kept)) in zip(node.args, node.data, strict=True):
            parts.append(self._cell_view(part, labels, member))
            cells.append((np.ix_(*fills), None if kept.all() else kept))
        text = ", ".join(parts) + ("," if len(parts) == 1 else "")
        self._put(node, f"assemble(({text}), {self._constant(tuple(cells))}, {self._buffer(node)})")

    def _cell_view(
        self,
        part: Node,
        labels: Sequence[str | None],
        member: bool,
    ) -> str:
        """A part with one axis for each axis of the whole."""
        name = self._names[id(part)]
        if self._scalar(part):
            return name
        pieces = [":" if label in part.labels else "None" for label in labels]
        if member and not self._member(part):
            pieces.append("None")
        return f"{name}[{', '.join(pieces)}]"
