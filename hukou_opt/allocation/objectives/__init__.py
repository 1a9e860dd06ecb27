"""What is made small, level by level; inequality of unmet need comes before cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hukou_opt.allocation.objectives import cost, law, slack, tie_break, unfunded, unmet
from hukou_opt.allocation.objectives.inequality import InequalityIndex
from hukou_opt.allocation.problem import Problem

__all__ = ["LEVELS", "TIE_BREAK", "InequalityIndex", "add_all", "indices"]

#: Order in which the levels are solved; each is held within its tolerance by all later ones. The
#: guard of `unmet` comes before them (see `solve.py`).
LEVELS: tuple[tuple[str, str], ...] = (
    ("slip", "slip of the rationing rule: cells that no building reaches in time"),
    ("demanded", "shortfall of rules that the experiment demands"),
    ("law", "shortfall of rules that the experiment declares law"),
    ("unfunded_worst", "unfunded share: mean of the worst-off part"),
    ("unfunded", "unfunded share: inequality-averse mean"),
    ("unmet", "unmet rates of schools and beds: inequality-averse mean"),
    ("slack", "what the plan's soft rules ask and do not get"),
    ("cost", "building, temporary places, idle capacity, teachers"),
    ("near_need", "distance of transfers to the need-proportional split, jumps of building"),
)

#: The level that only chooses between answers that are equally good.
TIE_BREAK = "near_need"


def add_all(m: Any, p: Problem) -> None:
    """Add the variables, defining rows and objectives of all levels."""
    for family in (law, unfunded, unmet, slack, cost, tie_break):
        family.add(m, p)


def indices(m: Any, p: Problem, column: Mapping[str, int]) -> tuple[InequalityIndex, ...]:
    """Inequality indices of the model by column, for lazy rows."""
    return (*unfunded.indices(p, column), *unmet.indices(m, p, column))
