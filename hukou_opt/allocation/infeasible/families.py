"""Rules as families of rows and bounds of the linear program, to be lifted or held as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import SOFT_RULES, Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.rule import Rule

Index = NDArray[np.int64]

#: Definitions and balances: no plan can do without them, so they stand behind every conflict.
BOOKKEEPING = (
    "capacity_path",
    "shortage_definition",
    "idle_definition",
    "money_balance",
    "block_sum",
)
#: Rules whose rows define something while the bound of a column is their limit.
LIMITED_BY_BOUND = ("places_total",)
#: Rules that are two readings of one, of which every cell has one or the other.
TOGETHER: Mapping[str, str] = {"places_alike": "places_hukou_first"}
#: Rules that are upper bounds of columns, by the columns' first name.
BOUNDS: Mapping[str, str] = {
    "starts": "build_rate",
    "partner_starts": "build_rate",
    "temporary": "places_total",
    "unfunded": "unfunded_is_running_cost",
}
BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


@dataclass(frozen=True)
class Family:
    """All rows and bounds of one rule, or of the rules that one switch puts on and off.

    Parameters
    ----------
    name : str
        Key under ``allocation.rules``, or the rule's name where it is always on.
    rows : ndarray of int
        Positions of the rows.
    bounds : ndarray of int
        Columns whose upper bound belongs to the rule.
    """

    name: str
    rows: Index
    bounds: Index

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What the rules say of themselves."""
        return tuple(
            rule for rule in RULES if self.name in (rule.name, TOGETHER.get(rule.name, rule.key))
        )


def first_part(name: str) -> str:
    """Name of a row's or column's rule or variable: ``starts`` of ``starts[urban,…]``."""
    return name.partition("[")[0]


def _family_of(name: str) -> str:
    rule = BY_NAME.get(name)
    if rule is None or name in (*BOOKKEEPING, *LIMITED_BY_BOUND):
        return ""
    return TOGETHER.get(name, rule.key)


def limits(program: LinearProgram) -> dict[str, Family]:
    """Rules that bind whatever is demanded, by name; the demanded ones are not among them."""
    rows: dict[str, list[int]] = {}
    bounds: dict[str, list[int]] = {}
    for position, name in enumerate(program.row_names):
        family = _family_of(first_part(name))
        if family and family not in SOFT_RULES:
            rows.setdefault(family, []).append(position)
    for position, name in enumerate(program.column_names):
        bound = BOUNDS.get(first_part(name))
        if bound and np.isfinite(program.upper[position]):
            bounds.setdefault(bound, []).append(position)
    names = [name for rule in RULES if (name := TOGETHER.get(rule.name, rule.key))]
    known = [name for name in dict.fromkeys(names) if name in rows or name in bounds]
    return {
        name: Family(
            name,
            np.array(rows.get(name, []), dtype=np.int64),
            np.array(bounds.get(name, []), dtype=np.int64),
        )
        for name in known
    }


def demanded(p: Problem) -> tuple[str, ...]:
    """Rules that the experiment demands, in the order of the rule list."""
    return tuple(name for name in SOFT_RULES if p.modes[name] == "hard")


def title(rule: str) -> str:
    """A rule with its section and its words, as in a message."""
    about = BY_NAME[rule]
    return f"{about.title} ({about.section})"


def place(name: str, p: Problem) -> str:
    """Where a row or column acts, in words: ``education, region 110000, 2024``; nation if nowhere.

    Parameters
    ----------
    name : str
        Name with its labels in brackets.
    p : Problem
        Knows the region codes.
    """
    inside = name.partition("[")[2].rstrip("]")
    parts = [part for part in inside.split(",") if part not in ("", "1", "-1")]
    words = [f"region {part}" if part in p.codes else part.replace("_", " ") for part in parts]
    if not any(part in p.codes for part in parts):
        words = ["nation", *words]
    return ", ".join(words)
