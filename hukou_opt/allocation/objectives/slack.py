"""Level 4: what the plan's soft rules ask for and do not get, each relative to what it asks."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import SOFT_RULES, Problem
from hukou_opt.allocation.rules.slack_table import BY_AMOUNT, amount_asked


def asked_slack(m: Any, p: Problem, name: str) -> Any:
    """Slack of one soft rule over what it asks, 0 to 1; 0 when the rule has no rows."""
    rows = list(getattr(m, name))
    if not rows:
        return 0.0
    slack = getattr(m, f"slack_{name}")
    total = sum(slack[index] for index in rows)
    # Rows of shares end with region and year.
    asked = amount_asked(p, name) if name in BY_AMOUNT else _count(p, rows)
    return total / asked if asked > 0 else 0.0


def _count(p: Problem, rows: list[tuple[Any, ...]]) -> float:
    return float(sum(p.count(row[-2]) for row in rows))


def add(m: Any, p: Problem) -> None:
    """Mean over the soft rules of slack over what is asked."""
    soft = [name for name in SOFT_RULES if p.modes[name] == "soft"]
    total = sum(asked_slack(m, p, name) for name in soft)
    m.level_slack = pyo.Objective(expr=total / max(len(soft), 1))
