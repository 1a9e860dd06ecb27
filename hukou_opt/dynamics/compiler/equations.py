"""The right-hand side of one equation as operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.compiler.calls import ARITHMETIC, COMPARISONS, REDUCTIONS, Builder
from hukou_opt.dynamics.compiler.graph import Graph, Node, Slot, joined, number
from hukou_opt.dynamics.compiler.place import Place
from hukou_opt.dynamics.compiler.ranges import BOUND
from hukou_opt.dynamics.compiler.refusals import NotKnownError, WrongError
from hukou_opt.dynamics.compiler.trees import (
    COUNT,
    called,
    finite,
    is_datum,
    is_negative,
    marked_twice,
    spoken,
    subscripted,
)
from hukou_opt.dynamics.parse import plain

#: Vensim's clock.
CLOCK = "time"
#: Stages of delays and smooths; PySD sets others at the start of a run.
ORDERS = (1, 3)
#: Reductions that give one of the values that they are given.
EXTREMES = ("min", "max")
JOINING = {":AND:": "logical_and", ":OR:": "logical_or"}

#: Where something put off goes, its position there, how it is made, and whose equation it is.
Later = tuple[list[Node], int, Callable[[], Node], str]


class Equations:
    """Turns expressions into nodes of a graph.

    Parameters
    ----------
    graph : Graph
        Holds the variables that are known already; stocks and values kept are added to it.
    elements : mapping of str to AbstractElement
        The model's variables by plain name.
    tables : set of str
        Those that are tables.
    defined : mapping of str to ndarray
        Cells of each variable that an equation gives.
    """

    def __init__(
        self,
        graph: Graph,
        elements: Mapping[str, Any],
        tables: set[str],
        defined: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        self.graph, self.ranges = graph, graph.ranges
        self.elements, self.tables, self.defined = elements, tables, defined
        #: Flows and first values may read any variable: they are made when all are there.
        self.later: list[Later] = []

    def value(self, tree: Any, place: Place) -> Node:
        """The operation that gives the value of an expression.

        Raises
        ------
        NotKnownError
            If it uses what the array engine does not know.
        WrongError
            If it is wrong for every reader.
        """
        kind = type(tree).__name__
        if is_datum(tree):
            given = finite(tree)
            if np.ndim(given):
                raise NotKnownError("uses a list of numbers within an expression")
            return number(given)
        method = getattr(self, f"_{kind}", None)
        if method is None:
            raise NotKnownError(f"uses {spoken(kind)}, which the array engine does not know")
        found: Node = method(tree, place)
        return found

    def _ReferenceStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        name = plain(tree.reference)
        if name == CLOCK:
            return Node("time")
        own = self.elements[name].name
        if name in self.tables:
            raise WrongError(f"reads the table {own} as a number", "give it an argument: name(x)")
        value = self.graph.variables[name]
        if name not in self.defined:
            # A fault of its own was found there.
            return value
        dims = self.graph.dims[name]
        subscripts = tuple(tree.subscripts.subscripts) if tree.subscripts else ()
        if len(subscripts) != len(dims):
            raise WrongError(
                f"reads {own} with {len(subscripts)} subscripts, it has {len(dims)}",
                f"give it {len(dims)}",
            )
        cells: list[list[int]] = []
        picks: list[Any] = []
        labels: list[str] = []
        for dim, subscript in zip(dims, subscripts, strict=True):
            positions = self._positions(own, dim, subscript, place)
            cells.append(positions)
            if dim not in value.labels:
                # The same for all members: nothing to look up.
                continue
            if not self.ranges.is_range(subscript):
                picks.append(positions[0])
                continue
            whole = positions == list(range(len(self.ranges.members[dim])))
            picks.append(None if whole else tuple(positions))
            labels.append(subscript)
        if len(set(labels)) < len(labels):
            raise NotKnownError(f"reads {own} with one subscript twice")
        if cells and not self.defined[name][np.ix_(*cells)].all():
            raise WrongError(
                f"reads {own}[{', '.join(subscripts)}], part of which no equation gives",
                f"write equations for all of {own}",
            )
        if all(pick is None for pick in picks) and tuple(labels) == value.labels:
            return value
        return Node("look", (value,), tuple(labels), data=tuple(picks), truth=value.truth)

    def _positions(self, own: str, dim: str, subscript: str, place: Place) -> list[int]:
        """Positions along one axis that a reference reads."""
        try:
            positions = self.ranges.positions(dim, subscript.rstrip(BOUND))
        except ValueError:
            raise WrongError(
                f"reads {own}[{subscript}], which is not part of {dim}",
                "correct the subscript; capital letters count",
            ) from None
        marked = subscript.endswith(BOUND)
        if marked and subscript not in place.builder.order:
            raise WrongError(
                f"marks {own}[{subscript}] outside of a function that runs over it",
                "put it into SUM() or another such function",
            )
        if self.ranges.is_range(subscript) and not marked and subscript not in place.free:
            if self.ranges.mapped & {subscript, *place.free}:
                raise NotKnownError(f"reads {own}[{subscript}] by the mapping of a range")
            raise WrongError(
                f"reads {own}[{subscript}] although {subscript} is not on its left",
                "name the subscript on the left, or a single member",
            )
        return positions

    def _ArithmeticStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        build = place.builder
        if "^" in tree.operators and any(is_negative(each) for each in tree.arguments[:-1]):
            # -2^2 and (-2)^2 come out of PySD's parser as one, and of its printer as -4.
            raise NotKnownError("raises a negative number, whose sign readers bind differently")
        args = [self.value(each, place) for each in tree.arguments]
        if tree.operators == ["negative"]:
            return build.op("negative", args[0])
        if "^" in tree.operators:
            # From the right, as PySD's own code.
            result = args[-1]
            for arg in reversed(args[:-1]):
                result = build.op("power", arg, result)
            return result
        result = args[0]
        for operator, arg in zip(tree.operators, args[1:], strict=True):
            if operator not in ARITHMETIC:
                raise NotKnownError(f"uses the operator {operator}")
            result = build.op(ARITHMETIC[operator], result, arg)
        return result

    def _LogicStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        build = place.builder
        if len(set(tree.operators)) > 1:
            # PySD binds them from the right, Vensim :AND: first.
            raise NotKnownError(
                "mixes :AND: and :OR: without brackets, which readers bind differently"
            )
        args = [self.value(each, place) for each in tree.arguments]
        if tree.operators == [":NOT:"]:
            return build.op("logical_not", _truth(build, args[0]))
        result = args[0]
        for operator, arg in zip(tree.operators, args[1:], strict=True):
            if operator in COMPARISONS:
                result = build.op(COMPARISONS[operator], build.figure(result), build.figure(arg))
            elif operator in JOINING:
                result = build.op(JOINING[operator], _truth(build, result), _truth(build, arg))
            else:
                raise NotKnownError(f"uses the operator {operator}")
        return result

    def _CallStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        function = plain(called(tree))
        if not function:
            raise NotKnownError("calls what is no function")
        if function in self.elements:
            if len(tree.arguments) != 1:
                raise WrongError(
                    f"reads the table {self.elements[function].name} at {len(tree.arguments)} "
                    "places",
                    "give one argument",
                )
            return self._interpolate(self._table(function), tree.arguments[0], place)
        if function in REDUCTIONS and len(tree.arguments) == 1:
            return self._reduce(REDUCTIONS[function], tree, place)
        if function == COUNT:
            return self._count(tree)
        active = function == "active_initial" and len(tree.arguments) == len(("running", "first"))
        if not active and not place.builder.knows(function, len(tree.arguments)):
            raise _unknown_function(tree)
        operands = [self.value(each, place) for each in tree.arguments]
        if active:
            figures = tuple(place.builder.figure(each) for each in operands)
            labels = joined(figures, place.builder.order)
            return Node("active", figures, labels, truth=any(each.truth for each in figures))
        return place.builder.call(function, operands)

    def _count(self, tree: Any) -> Node:
        wanted = plain(str(getattr(tree.arguments[0], "reference", "")))
        for name, members in self.ranges.members.items():
            if plain(name) == wanted:
                return number(len(members))
        raise WrongError(f"counts what is no range ({wanted!r})", "name a subscript range")

    def _reduce(self, how: str, tree: Any, place: Place) -> Node:
        twice = sorted(set(marked_twice(tree)))
        if twice:
            raise NotKnownError(f"marks a subscript within a function over it ({', '.join(twice)})")
        looks = sorted(subscripted(tree.arguments), key=len, reverse=True)
        seen = [label for look in looks for label in look if self.ranges.is_range(label)]
        order = tuple(dict.fromkeys([*seen, *place.builder.order]))
        bound = [label for label in dict.fromkeys(seen) if label.endswith(BOUND)]
        if not bound:
            raise WrongError(f"uses {how.upper()} without a marked subscript", "mark one with !")
        inner = replace(place, builder=Builder(order))
        value = inner.builder.figure(self.value(tree.arguments[0], inner))
        over = tuple(label for label in value.labels if label in bound)
        for label in bound:
            if label not in over and how in ("sum", "prod"):
                # The same for all members of the range.
                size = number(self.graph.shape((label,))[0])
                value = inner.builder.op("multiply" if how == "sum" else "power", value, size)
        if not over:
            return value
        kept = tuple(label for label in value.labels if label not in over)
        return Node(
            "reduce", (value,), kept, data=(how, over), truth=value.truth and how in EXTREMES
        )

    # What is kept from one moment to the next

    def _held(self, place: Place, what: str) -> None:
        if place.reducing:
            raise NotKnownError(f"uses {what} within a function over a marked subscript")

    def _InitialStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        self._held(place, "INITIAL")
        slot = len(self.graph.kept)
        self.graph.kept.append(Slot(place.variable, place.builder.order))
        self.graph.origins.append(number(np.nan))

        def origin() -> Node:
            found = self.value(tree.initial, place)
            if found.truth:
                raise NotKnownError("keeps a truth value from the start")
            return found

        self._put_off(self.graph.origins, slot, origin, place)
        return Node("initial", labels=place.builder.order, data=slot)

    def _IntegStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        self._held(place, "INTEG")
        if tree.non_negative:
            raise NotKnownError("is a stock that is cut off at zero")
        stock, slot = self._stock(place)
        for target, part in ((self.graph.flows, tree.flow), (self.graph.firsts, tree.initial)):
            self._put_off(target, slot, partial(self.value, part, place), place)
        return stock

    def _stock(self, place: Place) -> tuple[Node, int]:
        slot, labels = len(self.graph.stocks), place.builder.order
        self.graph.stocks.append(Slot(place.variable, labels))
        self.graph.flows.append(number(np.nan))
        self.graph.firsts.append(number(np.nan))
        return Node("stock", labels=labels, data=slot), slot

    def _SmoothStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        return self._chain(tree, tree.smooth_time, place, smooth=True)

    def _DelayStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        return self._chain(tree, tree.delay_time, place, smooth=False)

    def _chain(self, tree: Any, delay: Any, place: Place, *, smooth: bool) -> Node:
        """Stages of a smooth or a material delay, each a stock."""
        self._held(place, "SMOOTH" if smooth else "DELAY")
        if tree.order not in ORDERS:
            raise NotKnownError(f"delays by {tree.order!r} stages")
        build, order = place.builder, number(tree.order)
        stages = [self._stock(place) for _ in range(int(tree.order))]

        def time() -> Node:
            return self.value(delay, place)

        def flow(at: int) -> Node:
            own, source = stages[at][0], stages[at - 1][0]
            if smooth:
                source = source if at else self.value(tree.input, place)
                gap = build.op("subtract", source, own)
                return build.op("divide", build.op("multiply", gap, order), time())
            source = build.op("divide", source, time()) if at else self.value(tree.input, place)
            gap = build.op("subtract", source, build.op("divide", own, time()))
            return build.op("multiply", gap, order)

        def first() -> Node:
            value = self.value(tree.initial, place)
            return value if smooth else build.op("multiply", value, time())

        for at, (_, slot) in enumerate(stages):
            self._put_off(self.graph.flows, slot, partial(flow, at), place)
            self._put_off(self.graph.firsts, slot, first, place)
        last = stages[-1][0]
        if smooth:
            return last
        # PySD takes fewer stages where they would be shorter than a step.
        self.graph.delays.append((place.variable, float(tree.order), time()))
        return build.op("divide", last, time())

    def _put_off(
        self, target: list[Node], position: int, make: Callable[[], Node], place: Place
    ) -> None:
        def figure() -> Node:
            return place.builder.figure(make())

        self.later.append((target, position, figure, place.variable))

    # Tables

    def _InlineLookupsStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        return self._interpolate(tree.lookups, tree.argument, place)

    def _GameStructure(self, tree: Any, place: Place) -> Node:  # noqa: N802
        return self.value(tree.expression, place)

    def _table(self, name: str) -> Any:
        components, own = self.elements[name].components, self.elements[name].name
        if name not in self.tables:
            raise WrongError(f"calls {own}, which is no table", "write an operator before (")
        if len(components) != 1 or components[0].subscripts[0]:
            raise NotKnownError(f"uses the table {own}, which has subscripts")
        if type(components[0].ast).__name__ != "LookupsStructure":
            raise NotKnownError(f"uses the table {own}, which is not written in the model")
        return components[0].ast

    def _interpolate(self, table: Any, argument: Any, place: Place) -> Node:
        if table.type != "interpolate":
            raise NotKnownError(f"uses a table that it does not interpolate ({table.type})")
        x, y = finite(np.asarray(table.x)), finite(np.asarray(table.y))
        if len(np.unique(x)) < len(x):
            raise NotKnownError("uses a table with two values at one place")
        at = self.value(argument, place)
        if at.truth:
            raise NotKnownError("reads a table at a truth value")
        return Node("interpolate", (at,), at.labels, data=(tuple(x), tuple(y)))


def _truth(build: Builder, node: Node) -> Node:
    return node if node.logical else build.op("not_equal", node, number(0))


def _unknown_function(tree: Any) -> NotKnownError | WrongError:
    """What to say of a function: whether PySD has it."""
    from pysd.builders.python.python_functions import functionspace

    spelled, number = called(tree).upper().replace("_", " "), len(tree.arguments)
    if plain(called(tree)) in functionspace:
        return NotKnownError(
            f"calls {spelled} with {number} argument(s), which the array engine does not know"
        )
    return WrongError(
        f"calls {spelled}, which is no function that PySD knows",
        "correct the name, or write it out",
    )
