"""The plan's figures, targets and dates, one row each in `facts.csv`.

Wording is this project's own; ``section`` says where in the plan a figure stands. A figure that
the plan gives twice, differently, has a row for each. Where a figure is used is not typed here: it
is read from the registries of parameters, rules, targets and experiments, to which a row may add
what these cannot say. What is used nowhere says why. `facts_zh.csv` has the Chinese words.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hukou_opt.errors import DataError, Fault

FILE = Path(__file__).resolve().parent / "facts.csv"
CHINESE = FILE.with_name("facts_zh.csv")
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
    parameter : str
        Parameter of which this is another figure, beside the fact that the parameter itself names.
    rule : str
        Rule of the linear program that states it without a parameter.
    column : str
        Column of the region table that is counted by it.
    why_not : str
        Why it is used nowhere; empty for a fact in use.
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
    parameter: str = ""
    rule: str = ""
    column: str = ""
    why_not: str = ""


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
                row["parameter"],
                row["rule"],
                row["column"],
                row["why_not"],
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


@lru_cache(maxsize=1)
def chinese_words() -> dict[str, tuple[str, str]]:
    """Meaning and reason of every fact in Chinese, by identifier.

    Raises
    ------
    DataError
        If a fact has no row or no meaning, or a row has no fact.
    """
    with CHINESE.open(encoding="utf-8", newline="") as handle:
        words = {row["id"]: (row["meaning"], row["why_not"]) for row in csv.DictReader(handle)}
    odd = sorted(set(words) ^ set(load_facts())) + [
        name for name, (meaning, _) in words.items() if not meaning
    ]
    if odd:
        raise DataError(
            Fault(CHINESE.name, f"lacks words, or has too many ({odd})", "one row for each fact")
        )
    return words
