"""The plan's figures, targets and dates, one row each in `facts.csv`.

Wording is this project's own; ``section`` says where in the plan a figure stands. A figure that
the plan gives twice, differently, has a row for each.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hukou_opt.errors import DataError, Fault

FILE = Path(__file__).resolve().parent / "facts.csv"
ROLES = (
    "initial_value",
    "parameter",
    "policy_lever",
    "constraint",
    "budget",
    "target",
    "evaluation",
    "risk_threshold",
    "none",
)


@dataclass(frozen=True)
class PlanFact:
    """One figure, target, rule or date of the plan.

    Parameters
    ----------
    id : str
        Identifier, used by the parameter registry.
    section : str
        Section of the plan, or ``derived`` for what follows from several of its figures.
    meaning : str
        What the figure says.
    value, low, high : float or None
        The figure, and the range where the plan gives one or official statistics differ.
    unit : str
        Unit; ``1`` for shares and ratios.
    year_from, year_to : int or None
        Years for which it holds.
    role : str
        One of `ROLES`.
    """

    id: str
    section: str
    meaning: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    year_from: int | None
    year_to: int | None
    role: str


def _number(text: str) -> float | None:
    return float(text) if text else None


def _year(text: str) -> int | None:
    return int(text) if text else None


@lru_cache(maxsize=1)
def load_facts() -> dict[str, PlanFact]:
    """Load the plan's facts by identifier, in the plan's order.

    Raises
    ------
    DataError
        If an identifier stands twice, a role is unknown, or a row lacks its section or any number.
    """
    facts: dict[str, PlanFact] = {}
    faults: list[Fault] = []
    with FILE.open(encoding="utf-8", newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle), start=2):
            where = f"{FILE.name} line {line}"
            fact = PlanFact(
                row["id"],
                row["section"],
                row["meaning"],
                _number(row["value"]),
                _number(row["low"]),
                _number(row["high"]),
                row["unit"],
                _year(row["year_from"]),
                _year(row["year_to"]),
                row["role"],
            )
            if fact.id in facts:
                faults.append(Fault(where, f"{fact.id!r} stands twice", "keep one row"))
            if fact.role not in ROLES:
                faults.append(Fault(where, f"unknown role {fact.role!r}", f"use one of {ROLES}"))
            if not fact.section or not fact.meaning:
                faults.append(Fault(where, "section or meaning is empty", "fill it in"))
            if fact.value is None and fact.low is None and fact.high is None:
                faults.append(Fault(where, "has no number", "give a value or a range"))
            facts[fact.id] = fact
    if faults:
        raise DataError(faults)
    return facts
