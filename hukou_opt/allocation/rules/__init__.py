"""The plan's rules, one file per family; `RULES` lists what each says of itself."""

from __future__ import annotations

from typing import Any

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import (
    building,
    capacity,
    central_fund,
    levels,
    money,
    places,
    reports,
    support,
)
from hukou_opt.allocation.rules.rule import Rule

#: Families that add to the linear program.
FAMILIES = (capacity, building, places, levels, money, central_fund, support)
RULES: tuple[Rule, ...] = tuple(rule for family in (*FAMILIES, reports) for rule in family.RULES)


def add_all(m: Any, p: Problem) -> None:
    """Add the rows of every family to the Pyomo model."""
    for family in FAMILIES:
        family.add(m, p)
