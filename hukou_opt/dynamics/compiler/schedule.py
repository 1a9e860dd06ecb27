"""Which operations depend on what, and in which order they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hukou_opt.dynamics.compiler.graph import Graph, Node

Leaves = Callable[[Node], Sequence[Node] | None]


class CircleError(Exception):
    """Operations that need each other.

    Parameters
    ----------
    nodes : list of Node
        The circle, each read by the one before it.
    """

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__(len(nodes))
        self.nodes = nodes


def ordered(roots: Iterable[Node], inside: Leaves) -> list[Node]:
    """Nodes in an order in which operands come first.

    Parameters
    ----------
    roots : iterable of Node
        What is wanted.
    inside : callable
        Operands of a node; None for what is known already.

    Raises
    ------
    CircleError
        If nodes depend on each other in a circle.
    """
    # Whether a node is finished; it is not yet while its operands are looked at.
    done: dict[int, bool] = {}
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, finished = stack.pop()
        if finished:
            done[id(node)] = True
            order.append(node)
            continue
        state = done.get(id(node))
        if state is not None:
            if state is False:
                above = [each for each, opened in stack if opened]
                raise CircleError(above[[id(each) for each in above].index(id(node)) :])
            continue
        operands = inside(node)
        if operands is None:
            done[id(node)] = True
            order.append(node)
            continue
        done[id(node)] = False
        stack.append((node, True))
        for operand in operands:
            if done.get(id(operand)) is not True:
                stack.append((operand, False))
    return order


def inside_at_start(graph: Graph, node: Node) -> Sequence[Node] | None:
    """Operands of a node when the first values are computed: stocks start from expressions."""
    if node.op == "stock":
        return (graph.firsts[node.data],)
    if node.op == "initial":
        return (graph.origins[node.data],)
    if node.op == "active":
        return (node.args[1],)
    return node.args or None


def circles_at_start(graph: Graph) -> list[list[str]]:
    """Variables whose values at the start depend on each other, each feeding the next."""
    roots = [*graph.firsts, *graph.origins, *(time for _, _, time in graph.delays)]
    names = {id(node): name for name, node in graph.variables.items()}
    cut: set[int] = set()
    found = []
    while True:
        try:
            ordered(
                roots,
                lambda node: None if id(node) in cut else inside_at_start(graph, node),
            )
        except CircleError as error:
            cut.add(id(error.nodes[0]))
            spoken = []
            for node in reversed(error.nodes):
                slots = {"stock": graph.stocks, "initial": graph.kept}.get(node.op)
                spoken.append(slots[node.data].name if slots else names.get(id(node), ""))
            circle = list(dict.fromkeys(each for each in spoken if each))
            found.append([*circle, circle[0]])
        else:
            return found


class Traits:
    """What each node of a graph depends on.

    Parameters
    ----------
    graph : Graph
        The model.
    varying : set of str
        Inputs that differ between members.
    """

    def __init__(self, graph: Graph, varying: frozenset[str]) -> None:
        self._graph = graph
        self._varying = varying
        self._stocks = [False] * len(graph.stocks)
        self._kept = [False] * len(graph.kept)
        self._member: dict[int, bool] = {}
        self._moving: dict[int, bool] = {}
        roots = [*graph.flows, *graph.firsts, *graph.origins, *graph.variables.values()]
        roots += [time for _, _, time in graph.delays]
        self._all = ordered(roots, lambda node: node.args or None)
        for node in self._all:
            own = node.op in ("time", "stock")
            self._moving[id(node)] = own or any(self._moving[id(arg)] for arg in node.args)
        # A stock that differs between members makes others differ: until nothing is added.
        while self._pass():
            pass

    def _pass(self) -> bool:
        member = self._member
        for node in self._all:
            if node.op == "input":
                member[id(node)] = node.data in self._varying
            elif node.op == "stock":
                member[id(node)] = self._stocks[node.data]
            elif node.op == "initial":
                member[id(node)] = self._kept[node.data]
            else:
                member[id(node)] = any(member[id(arg)] for arg in node.args)
        graph = self._graph
        stocks = [
            member[id(flow)] or member[id(first)]
            for flow, first in zip(graph.flows, graph.firsts, strict=True)
        ]
        kept = [member[id(origin)] for origin in graph.origins]
        changed = stocks != self._stocks or kept != self._kept
        self._stocks, self._kept = stocks, kept
        return changed

    def member(self, node: Node) -> bool:
        """Whether the node differs between members."""
        return self._member[id(node)]

    def moving(self, node: Node) -> bool:
        """Whether the node changes during a run: it reads the time or a stock."""
        return self._moving[id(node)]

    def stock_member(self, slot: int) -> bool:
        """Whether a stock differs between members."""
        return self._stocks[slot]

    def kept_member(self, slot: int) -> bool:
        """Whether a value kept from the start differs between members."""
        return self._kept[slot]
