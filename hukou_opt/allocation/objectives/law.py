"""Level 1: what must hold before anything is weighed."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.slack import asked_slack
from hukou_opt.allocation.problem import SOFT_RULES, Problem


def add(m: Any, p: Problem) -> None:
    """Slip of the rationing rule relative to migrant children, and slacks of rules made law."""
    children = float(p.children_migrant.sum())
    slip = sum(m.slip[r, t] for r in m.R for t in m.T) / max(children, 1e-9)
    laws = [name for name in SOFT_RULES if p.modes[name] in ("law", "hard")]
    m.level_law = pyo.Objective(expr=slip + sum(asked_slack(m, p, name) for name in laws))
