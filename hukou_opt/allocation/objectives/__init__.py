"""What is made small, level by level; the experiment chooses from a catalogue of measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives import cost, law, slack, tie_break, total
from hukou_opt.allocation.objectives.check import check
from hukou_opt.allocation.objectives.indices import INDICES
from hukou_opt.allocation.objectives.inequality import InequalityIndex
from hukou_opt.allocation.objectives.terms import MEASURES, add_measures, add_term, term_names
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import LevelSpec

__all__ = [
    "FIRST",
    "INDICES",
    "MEASURES",
    "TIE_BREAKS",
    "InequalityIndex",
    "add_all",
    "check",
    "indices",
    "limit_name",
    "mean_name",
    "spread_name",
]

#: Levels before all that an experiment lists, in their order, and what they make small.
FIRST: Mapping[str, str] = {
    "slip": "slip of the rationing rule: cells that no building reaches in time",
    "demanded": "shortfall of rules that the experiment demands",
    "law": "shortfall of rules that the experiment declares law",
}
#: Levels that only choose between answers that are equally good, and what they make small.
TIE_BREAKS: Mapping[str, str] = {
    "near_need": "distance of transfers to the need-proportional split, jumps of building",
}


def mean_name(level: str) -> str:
    """Name of the expression that holds the mean of a level's quantity."""
    return f"{level}:mean"


def limit_name(number: int) -> str:
    """Name of a limit, counted from 1; rows and indices of the limit begin with it."""
    return f"limit_{number}"


def spread_name(number: int, pool: int) -> str:
    """Name of the expression that holds the index of one pool of a limit."""
    return f"{limit_name(number)}:{pool}"


def _add_level(m: Any, p: Problem, level: LevelSpec) -> None:
    weighted: Any = 0.0
    for name, term in zip(term_names(level), level.terms, strict=True):
        built = add_term(m, p, name, level.name, term)
        # Leximin has one ceiling over all its pools.
        value = built.values[0] if term.index == "leximin" and built.values else built.value
        weighted += term.weight * value
        if INDICES[term.index].ratio:
            m.add_component(f"level_{mean_name(level.name)}", pyo.Objective(expr=built.mean))
    m.add_component(f"level_{level.name}", pyo.Objective(expr=weighted))


def add_all(m: Any, p: Problem) -> None:
    """Add the variables, defining rows and objectives of all levels and limits."""
    aims = p.aims
    m.planned_indices = []
    #: Where rows and columns are not in the order of their indices: what puts each in its place.
    m.cell_order = {}
    law.add(m, p)
    chosen = [term for level in aims.levels for term in level.terms]
    add_measures(m, p, [*chosen, *(limit.term for limit in aims.limits)])
    for number, limit in enumerate(aims.limits, start=1):
        name = limit_name(number)
        built = add_term(m, p, f"aim_{name}", name, limit.term)
        for i, (value, mean) in enumerate(zip(built.values, built.means, strict=True)):
            spread = spread_name(number, i)
            m.add_component(f"level_{spread}", pyo.Objective(expr=value))
            m.add_component(f"level_{mean_name(spread)}", pyo.Objective(expr=mean))
    if aims.limits:
        # Highest excess over a limit, made small to see whether the limit can hold.
        m.limit_excess = pyo.Var()
        m.level_limits = pyo.Objective(expr=m.limit_excess)
    for level in aims.levels:
        if level.terms:
            _add_level(m, p, level)
    if any(level.name == "unfunded_total" for level in aims.levels):
        total.add(m, p)
    slack.add(m, p)
    cost.add(m, p)
    tie_break.add(m, p)


def indices(m: Any, column: Mapping[str, int]) -> tuple[InequalityIndex, ...]:
    """Inequality indices of the model by column, for lazy rows."""
    return tuple(planned.placed(column) for planned in m.planned_indices)
