"""What stays unfunded in all, wherever it falls."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.problem import Problem


def add(m: Any, p: Problem) -> None:
    """Unfunded cost of all regions, sectors and years over the whole certified cost."""
    cost = float(p.cost.sum())
    total = sum(m.unfunded[index] for index in m.unfunded)
    m.level_unfunded_total = pyo.Objective(expr=total / cost if cost > 0 else 0.0 * total)
