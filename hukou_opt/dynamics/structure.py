"""The structure of a stock-flow model: what accumulates, what flows, and what acts on what.

The model file is rendered and read by PySD's parser; nothing of it is built or run. The structure
names every variable once, whatever its subscripts, so that ``dest`` and ``region`` are one place.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from hukou_opt.dynamics.expressions import is_number, references, summed, terms
from hukou_opt.dynamics.limits import RENDERED
from hukou_opt.dynamics.parse import parsed, plain
from hukou_opt.errors import Fault, ModelError, did_you_mean

Kind = Literal["stock", "memo", "flow", "auxiliary", "initial", "input", "constant"]
#: Ranges over years: numbers that have one change in time, other numbers do not.
YEAR_DIMS = frozenset({"year", "year0"})
#: Vensim's clock, a variable without an equation.
CLOCK = "time"
#: The structure does not depend on regions and years; two of each make a short text.
_REGIONS = ("1", "2")
_YEARS = (2024, 2025)
#: Sector of variables that stand before the first group of the file.
NO_SECTOR = "model"
#: How the model names sums since the start that only checks and tables read.
MEMO_PREFIX = "cumulative_"
_GROUP = re.compile(r"\*{3,}\s*\.([^*~|]+?)\s*\*{3,}\s*~([^~|]*)")


@dataclass(frozen=True)
class Term:
    """One signed term of a stock's rate of change.

    Parameters
    ----------
    sign : {1, -1}
        1 for an inflow, -1 for an outflow.
    name : str
        Name of the flow variable; empty where the term is not a plain name.
    text : str
        The term as written, without subscripts.
    """

    sign: int
    name: str
    text: str


@dataclass(frozen=True)
class Element:
    """A variable of the model.

    Parameters
    ----------
    name : str
        Name as the model spells it, without subscripts.
    kind : {"stock", "memo", "flow", "auxiliary", "initial", "input", "constant"}
        A memo is a stock that only sums up since the start: no equation reads it. An initial is a
        value kept from the start, an input a number by year, a constant any other number.
    dims : tuple of str
        Subscript ranges, in the model's order.
    unit, documentation : str
        As the model states them.
    sector : str
        Group of the model file.
    inputs : tuple of str
        Variables that act on this one during the run, in order of appearance.
    initial_inputs : tuple of str
        Variables that are read at the start only.
    reads_time : bool
        Whether the equation reads the model's clock.
    terms : tuple of Term
        For stocks, the signed terms of the rate of change; else empty.
    sums : str
        For a variable that is only the sum of another over a dimension, the other's name.
    """

    name: str
    kind: Kind
    dims: tuple[str, ...]
    unit: str
    sector: str
    documentation: str
    inputs: tuple[str, ...] = ()
    initial_inputs: tuple[str, ...] = ()
    reads_time: bool = False
    terms: tuple[Term, ...] = ()
    sums: str = ""

    @property
    def is_stock(self) -> bool:
        """Whether the variable accumulates, memos included."""
        return self.kind in ("stock", "memo")

    @property
    def inflows(self) -> tuple[Term, ...]:
        """Terms that add to the stock."""
        return tuple(term for term in self.terms if term.sign > 0)

    @property
    def outflows(self) -> tuple[Term, ...]:
        """Terms that take from the stock."""
        return tuple(term for term in self.terms if term.sign < 0)


@dataclass(frozen=True)
class Sector:
    """A group of the model file.

    Parameters
    ----------
    name, title : str
        Name of the group, and what it says of itself.
    elements : tuple of Element
        Its variables, in the file's order.
    """

    name: str
    title: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Structure:
    """All variables of a model and the links between them.

    Parameters
    ----------
    elements : tuple of Element
        In the file's order.
    sectors : tuple of Sector
        Groups that hold variables, in the file's order.
    """

    elements: tuple[Element, ...]
    sectors: tuple[Sector, ...]
    _by_name: dict[str, Element] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {plain(element.name): element for element in self.elements}
        object.__setattr__(self, "_by_name", by_name)

    def element(self, name: str) -> Element:
        """Return a variable by name; capitals, blanks and underscores make no difference.

        Raises
        ------
        ModelError
            If the model has no such variable.
        """
        found = self._by_name.get(plain(name))
        if found is None:
            hint = did_you_mean(name, [element.name for element in self.elements])
            raise ModelError(Fault(f"variable {name!r}", "is not in the model", hint))
        return found

    def sector(self, name: str) -> Sector:
        """Return a sector by name.

        Raises
        ------
        ModelError
            If the model has no such sector.
        """
        for sector in self.sectors:
            if plain(sector.name) == plain(name):
                return sector
        hint = did_you_mean(name, [sector.name for sector in self.sectors])
        raise ModelError(Fault(f"sector {name!r}", "is not in the model", hint))

    def inputs_of(self, name: str) -> tuple[str, ...]:
        """Names of the variables that act directly on one, during the run."""
        return self.element(name).inputs

    def readers_of(self, name: str) -> tuple[str, ...]:
        """Names of the variables on which one acts directly, in the file's order."""
        wanted = self.element(name).name
        return tuple(element.name for element in self.elements if wanted in element.inputs)

    def has_link(self, source: str, target: str) -> bool:
        """Whether one variable acts directly on another during the run."""
        return self.element(source).name in self.element(target).inputs

    @cached_property
    def varying(self) -> frozenset[str]:
        """Variables that can change during the run: through a stock, the clock or a yearly input.

        All others are numbers, or follow from numbers alone.
        """
        varying = {
            element.name
            for element in self.elements
            if element.is_stock or element.kind == "input" or element.reads_time
        }
        waiting = list(varying)
        while waiting:
            for reader in self._readers.get(waiting.pop(), ()):
                if reader not in varying:
                    varying.add(reader)
                    waiting.append(reader)
        return frozenset(varying)

    @cached_property
    def _readers(self) -> dict[str, list[str]]:
        readers: dict[str, list[str]] = {}
        for element in self.elements:
            for source in element.inputs:
                readers.setdefault(source, []).append(element.name)
        return readers


def read_structure(path: Path, *, trust: bool = False) -> Structure:
    """Read stocks, flows, auxiliaries and their links from a Vensim model file.

    Parameters
    ----------
    path : Path
        Vensim model file; it is read and never written. Nothing of it is run.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Raises
    ------
    ModelError
        If the model is not trusted, cannot be rendered or read, has names that are no plain words,
        or equations that name what the model does not define.
    """
    model = parsed(Path(path), _REGIONS, _YEARS, trust=trust)
    found = [element for section in model.tree.sections for element in section.elements]
    names = {plain(element.name): str(element.name) for element in found}
    groups, titles = _groups(model.text)
    drafts = []
    faults: list[Fault] = []
    for element in found:
        draft, unknown = _element(element, names, groups.get(plain(element.name), NO_SECTOR))
        drafts.append(draft)
        faults += [
            Fault(
                f"{path.name}, {element.name}",
                f"reads {word!r}, which the model does not define",
                did_you_mean(word, list(names.values())),
            )
            for word in unknown
        ]
    if faults:
        raise ModelError(faults)
    elements = _with_kinds(drafts)
    sectors = (
        Sector(name, titles.get(name, ""), tuple(e for e in elements if e.sector == name))
        for name in dict.fromkeys(element.sector for element in elements)
    )
    return Structure(elements, tuple(sectors))


def _groups(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Sector of each variable, and the title of each sector, from the groups of the file."""
    sector = NO_SECTOR
    sectors: dict[str, str] = {}
    titles: dict[str, str] = {}
    for entry in re.sub(r"^\s*\{[^}]*\}", "", text).split("|"):
        group = _GROUP.search(entry)
        if group:
            sector = group.group(1).strip()
            titles.setdefault(sector, " ".join(group.group(2).split()))
        else:
            word = re.split(r"[\[=:(]|<->", entry.split("~")[0], maxsplit=1)[0]
            sectors.setdefault(plain(word), sector)
    return sectors, titles


def _element(element: Any, names: dict[str, str], sector: str) -> tuple[Element, list[str]]:
    """A variable with its links; its kind is settled when all are known. And unknown names."""
    running: dict[str, None] = {}
    at_start: dict[str, None] = {}
    unknown: dict[str, None] = {}
    changes: dict[Term, None] = {}
    sums: set[str] = set()
    reads_time = number = only_start = False
    for component in element.components:
        tree = component.ast
        for word, start in references(tree):
            if word == CLOCK:
                reads_time = reads_time or not start
            elif word in names:
                (at_start if start else running)[names[word]] = None
            else:
                unknown[word] = None
        number = number or is_number(tree) or component.type in ("Constant", "Lookup")
        only_start = only_start or type(tree).__name__ == "InitialStructure"
        if type(tree).__name__ == "IntegStructure":
            changes |= {Term(*term): None for term in terms(tree.flow, 1, names)}
        sums.add(summed(tree, names))
    dims = tuple(str(dim) for dim in element.components[0].subscripts[0])
    guess: Kind = "auxiliary"
    if changes:
        guess = "stock"
    elif only_start:
        guess = "initial"
    elif number and not running:
        yearly = YEAR_DIMS & set(dims) and plain(element.name) not in RENDERED
        guess = "input" if yearly else "constant"
    made = Element(
        name=str(element.name),
        kind=guess,
        dims=dims,
        unit=str(element.units or "").strip(),
        sector=sector,
        documentation=" ".join(str(element.documentation or "").split()),
        inputs=tuple(running),
        initial_inputs=tuple(at_start),
        reads_time=reads_time,
        terms=tuple(changes),
        sums=sums.pop() if len(sums) == 1 else "",
    )
    return made, list(unknown)


def _with_kinds(drafts: Sequence[Element]) -> tuple[Element, ...]:
    """Tell flows from auxiliaries, and memos from stocks, now that all variables are known."""
    stocks = [draft for draft in drafts if draft.is_stock]
    into: dict[str, set[str]] = {}
    out_of: dict[str, set[str]] = {}
    for stock in stocks:
        for term in stock.terms:
            (into if term.sign > 0 else out_of).setdefault(term.text, set()).add(stock.name)
    flows = {term.name for stock in stocks for term in stock.terms if term.name}
    read = {source for draft in drafts for source in draft.inputs if source != draft.name}
    read |= {source for draft in drafts for source in draft.initial_inputs}

    def only_sums(stock: Element) -> bool:
        if stock.name in read or not stock.terms:
            return False
        # A stock that alone receives what leaves another one completes a balance, as the land
        # that is built over does; it is no memo unless it says so.
        received = not stock.outflows and all(
            out_of.get(term.text, set()) - {stock.name} and into[term.text] == {stock.name}
            for term in stock.inflows
        )
        return not received or plain(stock.name).startswith(MEMO_PREFIX)

    made = []
    for draft in drafts:
        kind: Kind = draft.kind
        if draft.is_stock:
            kind = "memo" if only_sums(draft) else "stock"
        elif draft.name in flows:
            kind = "flow"
        made.append(dataclasses.replace(draft, kind=kind))
    return tuple(made)
