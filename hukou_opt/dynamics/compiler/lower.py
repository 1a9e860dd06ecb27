"""PySD's syntax trees as a graph of array operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.compiler.calls import Builder
from hukou_opt.dynamics.compiler.equations import CLOCK, Equations
from hukou_opt.dynamics.compiler.graph import Graph, Node, joined, number
from hukou_opt.dynamics.compiler.place import Place
from hukou_opt.dynamics.compiler.ranges import Ranges
from hukou_opt.dynamics.compiler.refusals import NotKnownError, UnsupportedError, WrongError
from hukou_opt.dynamics.compiler.schedule import circles_at_start
from hukou_opt.dynamics.compiler.trees import finite, is_datum, names, names_now
from hukou_opt.dynamics.parse import plain
from hukou_opt.errors import Fault, ModelError

__all__ = ["UnsupportedError", "lower"]

#: Control variables of the model that the engine sets itself.
CONTROL = {"initial_time": "t0", "final_time": "t1", "time_step": "dt", "saveper": "every"}

#: Positions along each axis that an equation fills, and groups of positions that it leaves out.
Cells = tuple[tuple[tuple[int, ...], ...], tuple[tuple[tuple[int, ...], ...], ...]]


def lower(model: Any, file: str) -> Graph:
    """Turn a parsed model into a graph.

    Parameters
    ----------
    model : AbstractModel
        As PySD parses it.
    file : str
        Name of the file, for messages.

    Raises
    ------
    UnsupportedError
        With every variable that uses an unknown construct.
    ModelError
        With every fault besides: a name that is not defined, subscripts that do not fit, variables
        that depend on each other in a circle.
    """
    return _Lowering(model, file).graph


class _Lowering:
    def __init__(self, model: Any, file: str) -> None:
        section = model.sections[0]
        self.file = file
        self.ranges = Ranges.of(section)
        self.graph = Graph(self.ranges)
        self.wrong: list[Fault] = []
        self.unknown: list[Fault] = []
        self.elements = {plain(each.name): each for each in section.elements}
        self.tables = {
            name
            for name, each in self.elements.items()
            if any(type(part).__name__ == "AbstractLookup" for part in each.components)
        }
        self.cells: dict[str, list[Cells]] = {}
        self.defined: dict[str, NDArray[np.bool_]] = {}
        for name in list(self.elements):
            self._shape(name)
        self.equations = Equations(self.graph, self.elements, self.tables, self.defined)
        for name in self._ordered():
            self.graph.variables[name] = self._told(name, lambda each=name: self._variable(each))
        while self.equations.later:
            target, position, make, name = self.equations.later.pop(0)
            target[position] = self._told(name, make)
        if not self.wrong and not self.unknown:
            self._start()
        if self.wrong:
            raise ModelError(dict.fromkeys([*self.wrong, *self.unknown]))
        if self.unknown:
            raise UnsupportedError(dict.fromkeys(self.unknown))

    # Faults

    def _told(self, name: str, make: Any) -> Node:
        """What is made, or no number where a fault was found: the rest can still be looked at."""
        try:
            made: Node = make()
        except (NotKnownError, WrongError) as error:
            self._note(name, error)
            return number(np.nan)
        return made

    def _note(self, name: str, error: NotKnownError | WrongError) -> None:
        if isinstance(error, WrongError):
            self.wrong.append(Fault(self._where(name), error.what, error.fix))
        else:
            self.unknown.append(Fault(self._where(name), str(error), "run it with PySD"))

    def _where(self, name: str) -> str:
        return f"{self.file}: {self.elements[name].name}"

    # Order of evaluation

    def _ordered(self) -> list[str]:
        edges: dict[str, set[str]] = {}
        for name, element in self.elements.items():
            if name in self.tables or name not in self.graph.dims:
                continue
            asts = [part.ast for part in element.components]
            missing = {plain(each) for ast in asts for each in names(ast)} - set(self.elements)
            self._missing(name, sorted(missing - {CLOCK}))
            if missing - {CLOCK}:
                # A number in its place: other faults are found as well.
                self.graph.variables[name] = number(np.nan)
                continue
            found = {plain(each) for ast in asts for each in names_now(ast)}
            edges[name] = found & (set(self.elements) - self.tables)
        known = set(edges)
        for name, found in edges.items():
            edges[name] = found & known
        return self._without_circles(edges)

    def _missing(self, name: str, missing: Iterable[str]) -> None:
        subscripts = {*self.ranges.members, *sum(self.ranges.members.values(), ())}
        ranges = {plain(each) for each in subscripts}
        for each in missing:
            if each in ranges:
                self.unknown.append(
                    Fault(
                        self._where(name),
                        f"uses the subscript {each} as a number",
                        "run it with PySD",
                    )
                )
            else:
                self.wrong.append(
                    Fault(
                        self._where(name),
                        f"reads what is not defined ({each!r})",
                        "define it, or correct the name",
                    )
                )

    def _without_circles(self, edges: dict[str, set[str]]) -> list[str]:
        while True:
            try:
                return list(TopologicalSorter(edges).static_order())
            except CycleError as error:
                circle = list(error.args[1])[:-1]
                first = min(range(len(circle)), key=lambda at: list(edges).index(circle[at]))
                circle = [*circle[first:], *circle[:first], circle[first]]
                spoken = " -> ".join(self.elements[each].name for each in circle)
                self.wrong.append(
                    Fault(
                        self.file,
                        f"has variables that depend on each other at one moment ({spoken})",
                        "put a stock or a delay into it; all members of a variable count as one",
                    )
                )
                # Cut open, so that further circles are found.
                edges[circle[1]].discard(circle[0])
                self.graph.variables[circle[0]] = number(np.nan)

    def _start(self) -> None:
        for circle in circles_at_start(self.graph):
            self.wrong.append(
                Fault(
                    self.file,
                    "has values at the start that depend on each other in a circle "
                    f"({' -> '.join(self.elements[each].name for each in circle)})",
                    "start one of the stocks or INITIAL() from a number",
                )
            )

    # Variables

    def _shape(self, name: str) -> None:
        """Axes of a variable, and the cells that each of its equations fills."""
        element = self.elements[name]
        try:
            dims = self._dims(element)
            self.graph.dims[name] = dims
            if name in self.tables:
                return
            self.cells[name] = [
                self._cells(dims, part.subscripts[0], part.subscripts[1])
                for part in element.components
            ]
        except (NotKnownError, WrongError) as error:
            self.graph.dims.pop(name, None)
            self.graph.variables[name] = number(np.nan)
            self._note(name, error)
            return
        defined = np.zeros(self.graph.shape(dims), dtype=bool)
        for fills, leaves in self.cells[name]:
            index, kept = np.ix_(*fills), _kept(fills, leaves)
            if (defined[index] & kept).any():
                twice = "has two equations for the same members"
                self._note(name, WrongError(twice, "leave them out of one with :EXCEPT:"))
            defined[index] |= kept
        self.defined[name] = defined

    def _dims(self, element: Any) -> tuple[str, ...]:
        """Ranges of a variable's axes."""
        rows = [tuple(part.subscripts[0]) for part in element.components]
        if len({len(row) for row in rows}) > 1:
            raise WrongError(
                "has equations with different numbers of subscripts", "give all the same number"
            )
        columns = list(zip(*rows, strict=True))
        dims = [
            column[0] if len(set(column)) == 1 and self.ranges.is_range(column[0]) else ""
            for column in columns
        ]
        for at, column in enumerate(columns):
            if dims[at]:
                continue
            try:
                # Axes over the same members need names of their own.
                dims[at] = self.ranges.cover(column, dims)
            except LookupError as error:
                raise NotKnownError(
                    f"has subscripts that are in no range of their own ({error}); an alias "
                    "(name <-> range) would be one"
                ) from None
        return tuple(dims)

    def _cells(
        self, dims: Sequence[str], subscripts: Sequence[str], but: Sequence[Sequence[str]]
    ) -> Cells:
        """Positions that an equation fills, and those that it leaves out."""

        def places(group: Sequence[str]) -> tuple[tuple[int, ...], ...]:
            if len(group) != len(dims):
                raise WrongError(
                    f"excepts [{', '.join(group)}], it has {len(dims)} subscripts",
                    "name as many in each group",
                )
            try:
                return tuple(
                    tuple(self.ranges.positions(dim, each))
                    for dim, each in zip(dims, group, strict=True)
                )
            except ValueError:
                raise WrongError(
                    f"has [{', '.join(group)}], which is not part of [{', '.join(dims)}]",
                    "correct the subscripts; capital letters count",
                ) from None

        return places(subscripts), tuple(places(each) for each in but)

    def _variable(self, name: str) -> Node:
        if name in CONTROL:
            return Node("control", data=CONTROL[name])
        dims, components = self.graph.dims[name], self.elements[name].components
        if all(is_datum(part.ast) for part in components):
            given = self._given(name)
            self.graph.inputs[name] = len(self.graph.inputs)
            self.graph.defaults.append(given)
            return Node("input", labels=dims, data=name)
        values = []
        for part in components:
            subscripts = tuple(part.subscripts[0])
            labels = tuple(each for each in subscripts if self.ranges.is_range(each))
            if len(set(labels)) < len(labels):
                raise NotKnownError(f"has a subscript twice on the left ({', '.join(labels)})")
            place = Place(name, Builder(labels), frozenset(labels))
            if is_datum(part.ast) and np.ndim(part.ast):
                shaped = self._shaped(part.ast, labels)
                values.append(Node("array", labels=labels, data=shaped))
                continue
            value = place.builder.figure(self.equations.value(part.ast, place))
            stored = joined((value,), labels)
            # References count on axes in the order of the left-hand side.
            turned = value.labels != stored
            values.append(Node("turned", (value,), stored, truth=value.truth) if turned else value)
        subscripts, excepted = components[0].subscripts
        if len(components) == 1 and tuple(subscripts) == dims and not excepted:
            return values[0]
        along = [
            tuple(each if self.ranges.is_range(each) else None for each in part.subscripts[0])
            for part in components
        ]
        cells = [(fills, _kept(fills, leaves)) for fills, leaves in self.cells[name]]
        return Node("assemble", tuple(values), dims, data=tuple(zip(along, cells, strict=True)))

    def _given(self, name: str) -> Any:
        """Value of a constant as the file gives it; no number where no equation gives any."""
        dims, components = self.graph.dims[name], self.elements[name].components
        if not dims:
            return float(self._shaped(components[0].ast, ()))
        whole = np.full(self.graph.shape(dims), np.nan)
        for part, (fills, leaves) in zip(components, self.cells[name], strict=True):
            labels = [each for each in part.subscripts[0] if self.ranges.is_range(each)]
            value = self._shaped(part.ast, labels)
            if np.ndim(value):
                value = np.reshape(value, [len(each) for each in fills])
            index = np.ix_(*fills)
            whole[index] = np.where(_kept(fills, leaves), value, whole[index])
        return whole

    def _shaped(self, value: Any, labels: Sequence[str]) -> Any:
        """Numbers under the ranges of an equation's left-hand side."""
        found, shape = finite(value), self.graph.shape(labels)
        if np.ndim(found) == 0:
            return found
        flat = np.ndim(found) == 1 and np.size(found) == int(np.prod(shape))
        if not flat and [n for n in np.shape(found) if n > 1] != [n for n in shape if n > 1]:
            had = " x ".join(map(str, np.shape(found)))
            wanted = " x ".join(map(str, shape)) or "one"
            raise WrongError(
                f"gives {had} numbers for {wanted}", "give one number for each member of its ranges"
            )
        return np.reshape(found, shape)


def _kept(
    fills: Sequence[Sequence[int]], leaves: Sequence[Sequence[Sequence[int]]]
) -> NDArray[np.bool_]:
    """Where in the block that an equation fills it holds, exceptions taken out."""
    kept = np.ones(tuple(len(each) for each in fills), dtype=bool)
    for leave in leaves:
        hit = [
            [at for at, place in enumerate(each) if place in gone]
            for each, gone in zip(fills, leave, strict=True)
        ]
        kept[np.ix_(*hit)] = False
    return kept
