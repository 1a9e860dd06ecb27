"""Level 1: what must hold before anything is weighed."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.slack import asked_slack
from hukou_opt.allocation.problem import SOFT_RULES, Problem

#: Modes whose slack is made small in each level of this file, in order. One sum of all would buy a
#: rule with slip of the rationing, and a demanded rule with one that is only put first.
MODES_OF = {"demanded": "hard", "law": "law"}


def add(m: Any, p: Problem) -> None:
    """Slip of the rationing rule over migrant children; slack of demanded rules; slack of laws."""
    children = float(p.children_migrant.sum())
    slip = sum(m.slip[r, t] for r in m.R for t in m.T)
    m.level_slip = pyo.Objective(expr=slip / children if children > 0 else 0.0 * slip)
    for level, mode in MODES_OF.items():
        total = sum(asked_slack(m, p, name) for name in SOFT_RULES if p.modes[name] == mode)
        m.add_component(f"level_{level}", pyo.Objective(expr=total))
