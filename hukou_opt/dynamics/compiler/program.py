"""A compiled model: generated functions for what varies between members, made when first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.compiler import runtime
from hukou_opt.dynamics.compiler.audit import audit_arrays
from hukou_opt.dynamics.compiler.emit import Function, Writer
from hukou_opt.dynamics.compiler.graph import Graph, Node
from hukou_opt.dynamics.compiler.schedule import Traits

Array = NDArray[np.float64]
#: What generated code can see.
SEEN = {
    "np": np,
    "choose": runtime.choose,
    "weighted": runtime.weighted,
    "interpolate": runtime.interpolate,
    "assemble": runtime.assemble,
    "spread": runtime.spread,
}
#: Nodes that are at hand anyway: preparing them would save nothing.
AT_HAND = frozenset({"number", "input", "array", "control", "initial", "look"})


@dataclass(frozen=True)
class Run:
    """The functions of one model for one set of varying inputs, with their working memory.

    Parameters
    ----------
    graph : Graph
        The model.
    varying : frozenset of str
        Inputs that differ between members.
    traits : Traits
        What varies between members, and what moves.
    functions : dict of str to Function
        ``first``, ``prepare``, ``step``, ``show``.
    """

    graph: Graph
    varying: frozenset[str]
    traits: Traits
    functions: dict[str, Function]
    code: dict[str, Callable[..., tuple[Any, ...]]]

    def memory(self, name: str, members: int) -> list[Array]:
        """Buffers of one function."""
        return [
            np.empty(
                (*self.graph.shape(labels), *((members,) if member else ())),
                dtype=bool if logical else float,
            )
            for labels, member, logical in self.functions[name].buffers
        ]


def build(
    graph: Graph,
    varying: frozenset[str],
    shown: Sequence[str],
    name: str,
) -> Run:
    """Generate, audit and compile the functions of a model.

    Parameters
    ----------
    graph : Graph
        The model.
    varying : frozenset of str
        Inputs that differ between members.
    shown : sequence of str
        Variables that are read at saved times, by plain name.
    name : str
        Name of the model, for messages.

    Raises
    ------
    ModelError
        If values at the start depend on each other in a circle, or the audit finds what should not
        be there.
    """
    traits = Traits(graph, varying)
    results = [graph.variables[each] for each in shown]
    once = _frontier(traits, [*graph.flows, *results])
    prepared = {id(node): at for at, node in enumerate(once)}
    starts = [*graph.firsts, *graph.origins, *(time for _, _, time in graph.delays)]
    slots = [(slot.labels, traits.stock_member(at)) for at, slot in enumerate(graph.stocks)]
    kept = [(slot.labels, traits.kept_member(at)) for at, slot in enumerate(graph.kept)]
    delays = [(time.labels, traits.member(time)) for _, _, time in graph.delays]
    axes = [(graph.dims[each], traits.member(graph.variables[each])) for each in shown]
    functions = {
        "first": Writer(graph, traits, {}, initial=True).write(
            "first", starts, [*slots, *kept, *delays]
        ),
        "prepare": Writer(graph, traits, {}).write("prepare", once),
        "step": Writer(graph, traits, prepared).write("step", graph.flows, slots),
        "show": Writer(graph, traits, prepared).write("show", results, axes),
    }
    code = {}
    for each, function in functions.items():
        audit_arrays(function.source, name, frozenset(SEEN))
        space: dict[str, Any] = dict(SEEN) | {"__builtins__": {}}
        exec(compile(function.source, f"<{name}: {each}>", "exec"), space)
        code[each] = space[each]
    return Run(graph, varying, traits, functions, code)


def _frontier(traits: Traits, roots: Sequence[Node]) -> list[Node]:
    """Nodes that never move and that moving ones, or results, read."""
    found: dict[int, Node] = {}
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if traits.moving(node):
            # Only the running side of ACTIVE INITIAL is read during a run.
            stack.extend(node.args[:1] if node.op == "active" else node.args)
        elif node.op not in AT_HAND:
            found[id(node)] = node
        elif node.op == "look":
            stack.extend(node.args)
    return list(found.values())
