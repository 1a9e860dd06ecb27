"""Targets of the plan, one row each in `targets.csv`.

A target takes its figure, unit, section and year from the plan's facts. Where the plan contradicts
itself each figure is a row of its own. A target without a ``measure`` is outside the model: its
value stays blank whatever a run has found, and its reason says why.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from hukou_opt.errors import DataError, Fault
from hukou_opt.plan.facts import PlanFact, load_facts

FILE = Path(__file__).resolve().parent / "targets.csv"

Direction = Literal["at_least", "at_most", "equal"]
#: A state at the end of a year; a sum since the start; a mean or share over a span of years, which
#: is due from the first year on.
Kind = Literal["level", "total", "mean"]

FORMS = ("percent", "count", "ratio", "year")
DIRECTIONS = ("at_least", "at_most", "equal")
KINDS = ("level", "total", "mean")


@dataclass(frozen=True)
class Target:
    """One target of the plan.

    Parameters
    ----------
    id : str
        Name of the row.
    fact : PlanFact
        Fact that states it.
    section, also : str
        Section that states it, and others that repeat the same figure.
    form : {"percent", "count", "ratio", "year"}
        How its figures are written.
    direction : {"at_least", "at_most", "equal"}
        On which side of the target a figure has to lie.
    kind : {"level", "total", "mean"}
        A state at the end of a year, a sum since the start, or a mean over a span of years.
    label_en, label_zh : str
        The target in words.
    target : float
        Figure wanted, in the unit of the fact.
    base_plan, base_official : float or None
        Figure of the base year as the plan and as official statistics have it.
    base_fact : str
        Fact that states the plan's baseline; empty where none does.
    source_plan, source_official : str
        Section of the plan, and source of the official figure.
    measure : str
        Name of the figure of a run that is held against it; empty where the model has none.
    year : int or None
        Year in which it is due; None where the plan names none.
    remark_en, remark_zh : str
        Why the model has none, or how its figure is to be read.
    """

    id: str
    fact: PlanFact
    section: str
    also: str
    form: str
    direction: Direction
    kind: Kind
    label_en: str
    label_zh: str
    target: float
    base_plan: float | None
    base_official: float | None
    base_fact: str
    source_plan: str
    source_official: str
    year: int | None
    measure: str
    remark_en: str
    remark_zh: str

    @property
    def first_year(self) -> int | None:
        """First year of the span of a mean."""
        return self.fact.year_from

    @property
    def sections(self) -> str:
        """All sections that state this figure."""
        return f"{self.section}; {self.also}" if self.also else self.section

    def base(self, official: bool | None) -> tuple[float | None, str]:
        """Baseline that fits a run's own base, and which of the two it is.

        Parameters
        ----------
        official : bool or None
            Whether the run starts from official statistics, not from the plan's own figures; None
            where neither speaks of the run's regions.
        """
        if official is None:
            return None, ""
        both = [("official", self.base_official), ("plan", self.base_plan)]
        for name, value in both if official else both[::-1]:
            if value is not None:
                return value, name
        return None, ""


@lru_cache(maxsize=1)
def load_targets() -> tuple[Target, ...]:
    """Load all targets, in the order of the plan.

    Raises
    ------
    DataError
        If a row names an unknown fact, form, direction or kind, has no figure, or has neither a
        measure nor a reason for having none.
    """
    facts = load_facts()
    faults: list[Fault] = []
    targets: dict[str, Target] = {}
    with FILE.open(encoding="utf-8", newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle), start=2):
            where = f"{FILE.name} line {line}"
            found = _row_faults(where, row, facts)
            if row["id"] in targets:
                found.append(Fault(where, f"{row['id']!r} stands twice", "keep one row"))
            faults += found
            if not found:
                targets[row["id"]] = _target(row, facts)
    if faults:
        raise DataError(faults)
    return tuple(targets.values())


def _row_faults(where: str, row: dict[str, str], facts: dict[str, PlanFact]) -> list[Fault]:
    faults = []
    base_fact = row["base_plan"].partition(".")[0]
    for name in filter(None, (row["fact"], base_fact)):
        if name not in facts:
            faults.append(Fault(where, f"unknown fact {name!r}", "name a row of facts.csv"))
    known = (("form", FORMS), ("direction", DIRECTIONS), ("kind", KINDS))
    for key, words in known:
        if row[key] not in words:
            faults.append(Fault(where, f"unknown {key} {row[key]!r}", f"use one of {words}"))
    if not row["label_en"] or not row["label_zh"]:
        faults.append(Fault(where, "has no label", "fill in both languages"))
    if not row["measure"] and not row["remark_en"]:
        faults.append(Fault(where, "needs a measure, or a reason for having none", "fill in one"))
    if bool(row["remark_en"]) != bool(row["remark_zh"]):
        faults.append(Fault(where, "has its remark in one language only", "fill in both"))
    if bool(row["base_official"]) != bool(row["source_official"]):
        faults.append(Fault(where, "an official figure needs its source", "fill in both"))
    if not faults and _figure(f"{row['fact']}.{row['figure']}", facts) is None:
        faults.append(Fault(where, f"the fact has no figure {row['figure']!r}", "use value"))
    return faults


def _year(text: str, fact: PlanFact) -> int | None:
    """The year of the row where it has one of its own, else the fact's last."""
    if not text:
        return fact.year_to
    return int(text) if text.isdigit() else None


def _figure(name: str, facts: dict[str, PlanFact]) -> float | None:
    """A figure of a fact: its value, or its low or high end where named after a dot."""
    fact, _, end = name.partition(".")
    number: float | None = getattr(facts[fact], end or "value")
    return number


def _target(row: dict[str, str], facts: dict[str, PlanFact]) -> Target:
    fact = facts[row["fact"]]
    wanted = _figure(f"{row['fact']}.{row['figure']}", facts)
    assert wanted is not None  # a row without a figure is a fault
    base = row["base_plan"]
    return Target(
        id=row["id"],
        fact=fact,
        section=row["section"] or fact.section,
        also=row["also"],
        form=row["form"],
        direction=row["direction"],  # type: ignore[arg-type]
        kind=row["kind"],  # type: ignore[arg-type]
        label_en=row["label_en"],
        label_zh=row["label_zh"],
        target=wanted,
        base_plan=_figure(base, facts) if base else None,
        base_official=float(row["base_official"]) if row["base_official"] else None,
        base_fact=base.partition(".")[0],
        source_plan=f"plan {facts[base.partition('.')[0]].section}" if base else "",
        source_official=row["source_official"],
        year=_year(row["year"], fact),
        measure=row["measure"],
        remark_en=row["remark_en"],
        remark_zh=row["remark_zh"],
    )
