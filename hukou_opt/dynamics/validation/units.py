"""Dimensional analysis of the model: every equation must give the unit that it declares.

Each right-hand side is walked part by part, factors included: ten thousand persons and persons do
not add up. Vensim does this with its units check; PySD does not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pint

from hukou_opt.dynamics.inputs import NUMERICAL
from hukou_opt.dynamics.parse import plain, rendered
from hukou_opt.dynamics.validation.parsed import (
    Equation,
    Equations,
    kind,
    number,
    parse_equations,
    written,
)
from hukou_opt.errors import Fault

Quantity: TypeAlias = "pint.Quantity[Any]"
Registry: TypeAlias = "pint.UnitRegistry[Any]"

#: The words that units are made of. A seat is a place for one person; a bed is not.
DEFINITIONS = (
    "person = [people]",
    "seat = person",
    "bed = [beds]",
    "mu = [land]",
    "yuan = [money]",
    "year = [time]",
    "ten = 10",
    "hundred = 100",
    "thousand = 1000",
    "million = 1000000",
)
#: Short forms of tables and older model files.
SHORT_FORMS = (
    (re.compile(r"\b(\d+)k\b"), r"\1 thousand"),
    (re.compile(r"\b(\d+)m\b"), r"\1 million"),
)
#: Functions whose result has the unit that all their arguments share.
ALIKE = frozenset({"min", "max", "modulo"})
#: Functions whose result has the unit of their first argument.
KEEPING = frozenset({"sum", "abs", "vmin", "vmax", "integer"})
#: Functions of plain numbers, with plain numbers as results.
PLAIN = frozenset({"exp", "ln", "sin", "cos", "tan", "arcsin", "arccos", "arctan"})
#: Variables of Vensim itself, in the unit of time.
CLOCK = frozenset({"time", "initial_time", "final_time", "time_step", "saveper"})
#: Regions and years for which the file is read; units do not depend on them.
SAMPLE_REGIONS = ("1", "2")
SAMPLE_YEARS = (2024, 2025)
#: Factors that differ by no more than rounding are equal.
ROUNDING = 1e-9


@dataclass(frozen=True)
class UnitFault:
    """A part of an equation whose unit does not fit.

    Parameters
    ----------
    variable : str
        Variable whose equation it is.
    part : str
        The part, as the model file writes it.
    found : str
        Its unit, or why it has none.
    declared : str
        The unit that it should have.
    """

    variable: str
    part: str
    found: str
    declared: str

    @property
    def fault(self) -> Fault:
        """The same as a fault of the toolkit."""
        return Fault(
            f"{self.variable}: {self.part}",
            f"has the wrong unit ({self.found!r})",
            f"should be {self.declared!r}: mend the equation or a declared unit",
        )

    def __str__(self) -> str:
        return f"{self.variable}: {self.part} is {self.found!r}, should be {self.declared!r}"


@dataclass(frozen=True)
class UnitReport:
    """What the units check saw.

    Parameters
    ----------
    faults : tuple of UnitFault
        Empty where all units are consistent.
    equations : int
        Equations checked: all variables that are more than a number.
    data : int
        Constants, whose numbers have the unit that they declare.
    units : int
        Different unit texts read.
    """

    faults: tuple[UnitFault, ...]
    equations: int
    data: int
    units: int


class _Fitting:
    """A term that fits whatever it stands beside, such as zero."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


_ZERO = _Fitting("zero")
_GUARD = _Fitting("numerical guard")
#: A fault was reported further inside; nothing more can be said.
_REPORTED = _Fitting("reported")
#: Amount of base units, or a term without a unit of its own.
_Unit: TypeAlias = "Quantity | _Fitting"


def check_units(path: Path, *, trust: bool = False) -> list[UnitFault]:
    """Check that the units of every equation of a model are consistent.

    Parameters
    ----------
    path : Path
        Vensim model file; it is read, never run.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Returns
    -------
    list of UnitFault
        Empty where the model is consistent. A function that cannot be judged is a fault too.

    Raises
    ------
    ModelError
        If the model is not trusted or cannot be parsed.
    """
    return list(inspect_units(path, trust=trust).faults)


def inspect_units(path: Path, *, trust: bool = False) -> UnitReport:
    """Check the units of a model and count what was checked; see `check_units`.

    Raises
    ------
    ModelError
        If the model is not trusted or cannot be parsed.
    """
    text, _, _ = rendered(path, SAMPLE_REGIONS, SAMPLE_YEARS, trust=trust)
    return _inspect(parse_equations(text, path.name))


def read_unit(text: str, registry: Registry) -> Quantity | None:
    """Amount of base units that a unit text stands for, or none if it has words unknown to it.

    Parameters
    ----------
    text : str
        Such as ``hundred million yuan/year``, ``10k persons``, ``beds/person`` or ``1``.
    registry : UnitRegistry
        From `unit_registry`.
    """
    for short, long in SHORT_FORMS:
        text = short.sub(long, text)
    try:
        quantity: Any = registry.Quantity(text).to_base_units()
    except Exception:
        # Pint raises errors of its tokenizer, its parser and its registry for what it cannot read.
        return None
    return registry.Quantity(float(quantity.magnitude), quantity.units)


def unit_registry() -> Registry:
    """Registry of exactly the units of this model; no metres, no prefixes."""
    registry: Registry = pint.UnitRegistry(None)
    for line in DEFINITIONS:
        registry.define(line)
    return registry


def _inspect(equations: Equations) -> UnitReport:
    registry = unit_registry()
    faults: list[UnitFault] = []
    declared: dict[str, _Unit] = {}
    texts = {equation.unit for equation in equations.by_name.values() if equation.unit}
    read = {text: read_unit(text, registry) for text in sorted(texts)}
    for key, equation in equations.by_name.items():
        found = read.get(equation.unit)
        declared[key] = _REPORTED if found is None else found
        if found is None:
            known = ", ".join(line.split(" = ")[0] for line in DEFINITIONS)
            faults.append(
                UnitFault(equation.name, "unit", equation.unit or "none", f"made of 1, {known}")
            )
    names = _Names(read)
    checked = [equation for equation in equations.by_name.values() if not equation.is_datum]
    guards = {plain(name) for name in NUMERICAL}
    seen = {key: _GUARD if key in guards else unit for key, unit in declared.items()}
    for name in CLOCK:
        seen[name] = registry.Quantity(1.0, "year")
        if name in declared and not _same(declared[name], seen[name]):
            equation = equations.by_name[name]
            faults.append(UnitFault(equation.name, "unit", equation.unit, "year"))
    for equation in checked:
        walk = _Walk(equation, seen, registry, names)
        walk.check(declared[plain(equation.name)])
        faults += walk.faults
    return UnitReport(
        tuple(faults), len(checked), len(equations.by_name) - len(checked), len(texts)
    )


def _same(one: _Unit, other: _Unit) -> bool:
    if isinstance(one, _Fitting) or isinstance(other, _Fitting):
        return True
    return one.units == other.units and math.isclose(
        one.magnitude, other.magnitude, rel_tol=ROUNDING
    )


class _Names:
    """Writes units in the model's own words where it has them."""

    def __init__(self, read: Mapping[str, Quantity | None]) -> None:
        self._known = [(unit, text) for text, unit in read.items() if unit is not None]

    def of(self, unit: _Unit) -> str:
        if isinstance(unit, _Fitting):
            return unit.reason
        for known, text in self._known:
            if _same(known, unit):
                return text
        return f"{unit.magnitude:g} {unit.units}"


class _Walk:
    """One walk through the right-hand side of one equation."""

    def __init__(
        self,
        equation: Equation,
        units: Mapping[str, _Unit],
        registry: Registry,
        names: _Names,
    ) -> None:
        self._equation = equation
        self._units = units
        self._one: Quantity = registry.Quantity(1.0, "")
        self._year: Quantity = registry.Quantity(1.0, "year")
        self._names = names
        self.faults: list[UnitFault] = []

    def check(self, declared: _Unit) -> None:
        """Compare each part of the equation with the declared unit."""
        for part in self._equation.parts:
            if number(part) is None and kind(part) != "ndarray":
                self._expect(part, self._of(part, declared), declared)

    def _expect(self, node: Any, found: _Unit, wanted: _Unit) -> None:
        if not _same(found, wanted):
            self._report(node, self._names.of(found), self._names.of(wanted))

    def _report(self, node: Any, found: str, wanted: str) -> None:
        self.faults.append(UnitFault(self._equation.name, written(node), found, wanted))

    def _unjudged(self, node: Any, why: str) -> _Unit:
        self._report(node, f"cannot be judged ({why})", self._equation.unit)
        return _REPORTED

    def _of(self, node: Any, declared: _Unit | None = None) -> _Unit:
        """Unit of a part; ``declared`` is given for the whole right-hand side only."""
        name = kind(node)
        if name == "number":
            return _ZERO if float(node) == 0 else self._one
        if name == "ReferenceStructure":
            unit = self._units.get(plain(node.reference))
            return self._unjudged(node, "unknown variable") if unit is None else unit
        if name == "ArithmeticStructure":
            return self._arithmetic(node)
        if name == "LogicStructure":
            return self._logic(node)
        if name == "CallStructure":
            return self._call(node)
        if name == "InitialStructure":
            return self._of(node.initial)
        if name == "IntegStructure" and declared is not None:
            return self._stock(node, declared)
        return self._unjudged(node, name)

    def _stock(self, node: Any, declared: _Unit) -> _Unit:
        wanted = declared if isinstance(declared, _Fitting) else declared / self._year
        self._expect(node.flow, self._of(node.flow), wanted)
        if number(node.initial) is None:
            # A number as initial value is a datum and has the unit of the stock.
            self._expect(node.initial, self._of(node.initial), declared)
        return declared

    def _alike(self, nodes: Sequence[Any]) -> _Unit:
        """Terms that must share one unit: the unit of the first that has one."""
        units = [self._of(node) for node in nodes]
        found = next((unit for unit in units if not isinstance(unit, _Fitting)), None)
        if found is None:
            return _REPORTED if _REPORTED in units else units[0]
        for node, unit in zip(nodes, units, strict=True):
            self._expect(node, unit, found)
        return found

    def _arithmetic(self, node: Any) -> _Unit:
        signs, nodes = node.operators, node.arguments
        if signs == ["negative"]:
            return self._of(nodes[0])
        if set(signs) <= {"+", "-"}:
            return self._alike(nodes)
        if set(signs) <= {"*", "/"}:
            unit = self._factor(nodes[0])
            for sign, each in zip(signs, nodes[1:], strict=True):
                unit = self._product(unit, self._factor(each), sign)
            return unit
        if signs == ["^"]:
            return self._power(nodes[0], nodes[1])
        return self._unjudged(node, f"operators {' '.join(signs)}")

    def _factor(self, node: Any) -> _Unit:
        unit = self._of(node)
        if unit is _ZERO:
            return self._one
        if unit is _GUARD:
            return self._unjudged(node, "a numerical guard as a factor")
        return unit

    @staticmethod
    def _product(one: _Unit, other: _Unit, sign: str) -> _Unit:
        if isinstance(one, _Fitting) or isinstance(other, _Fitting):
            return _REPORTED
        result: Quantity = one * other if sign == "*" else one / other
        return result

    def _power(self, base: Any, exponent: Any) -> _Unit:
        unit = self._of(base)
        self._expect(exponent, self._of(exponent), self._one)
        if isinstance(unit, _Fitting) or _same(unit, self._one):
            return unit if unit is _REPORTED else self._one
        power = number(exponent)
        if power is None:
            self._expect(base, unit, self._one)
            return _REPORTED
        raised: Quantity = unit**power
        return raised

    def _logic(self, node: Any) -> _Unit:
        if any(sign in (":AND:", ":OR:", ":NOT:") for sign in node.operators):
            for each in node.arguments:
                self._of(each)
        else:
            self._alike(node.arguments)
        return self._one

    def _call(self, node: Any) -> _Unit:
        function, nodes = plain(node.function.reference), node.arguments
        if function in ALIKE:
            return self._alike(nodes)
        if function in KEEPING:
            return self._of(nodes[0])
        if function == "if_then_else":
            self._of(nodes[0])
            return self._alike(nodes[1:])
        if function in PLAIN:
            self._expect(nodes[0], self._of(nodes[0]), self._one)
            return self._one
        if function == "sqrt":
            unit = self._of(nodes[0])
            return unit if isinstance(unit, _Fitting) else unit**0.5
        if function in ("zidz", "xidz"):
            unit = self._product(self._factor(nodes[0]), self._factor(nodes[1]), "/")
            for other in nodes[2:]:
                self._expect(other, self._of(other), unit)
            return unit
        for each in nodes:
            self._of(each)
        return self._unjudged(node, f"function {function!r}")
