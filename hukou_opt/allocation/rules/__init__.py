"""The plan's rules, one file per family; `RULES` lists what each says of itself."""

from __future__ import annotations

from typing import Any

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import capacity, central_fund, levels, money, places
from hukou_opt.allocation.rules.rule import Rule

FAMILIES = (capacity, places, levels, money, central_fund)
RULES: tuple[Rule, ...] = tuple(rule for family in FAMILIES for rule in family.RULES)


def add_all(m: Any, p: Problem) -> None:
    """Add the rows of every family to the Pyomo model."""
    for family in FAMILIES:
        family.add(m, p)
