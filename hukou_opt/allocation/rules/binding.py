"""Which rules an answer feels: a rule that binds nowhere could be dropped without a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hukou_opt.allocation.problem import Array, Problem

if TYPE_CHECKING:
    from hukou_opt.allocation.formulation import LinearProgram
    from hukou_opt.allocation.rules.rule import Rule

#: Distance from the bound, relative to 1 + its size, up to which a row or column is at its bound.
AT_BOUND = 1e-6
#: Columns whose upper bounds are the rule, by rule.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "build_rate": ("starts", "partner_starts"),
    "unfunded_is_running_cost": ("unfunded",),
}


@dataclass(frozen=True)
class Binding:
    """How often one rule of the linear program binds in an answer.

    Parameters
    ----------
    rule, section, kind : str
        As in `Rule`.
    mode : str
        How the rule acts in this problem.
    rows : int
        Rows of the rule, or bounds of columns.
    binding : int
        Those that hold with equality. Rows in which all amounts are 0 do not count: nothing is
        held back by them. Rows that are equations always count.
    """

    rule: str
    section: str
    kind: str
    mode: str
    rows: int
    binding: int


def _at(values: Array, bound: Array) -> np.ndarray:
    """Where values lie at a finite bound."""
    room = AT_BOUND * (1 + np.abs(np.where(np.isfinite(bound), bound, 0.0)))
    near: np.ndarray = np.isfinite(bound) & (np.abs(values - bound) <= room)
    return near


def binding_rules(
    rules: tuple[Rule, ...], p: Problem, program: LinearProgram, x: Array
) -> list[Binding]:
    """Count the rows and bounds of every rule, and those that bind.

    Parameters
    ----------
    rules : tuple of Rule
        Rules to be looked at, reports and checks without rows.
    p : Problem
        Modes of the rules.
    program : LinearProgram
        Rows and bounds as they stood in the last solve.
    x : ndarray, shape (column,)
        The answer.
    """
    activity, size = program.matrix @ x, abs(program.matrix) @ np.abs(x)
    tight = (_at(activity, program.row_lower) | _at(activity, program.row_upper)) & (
        size > AT_BOUND
    )
    acts = np.isfinite(program.row_lower) | np.isfinite(program.row_upper)
    bounded = np.isfinite(program.upper) & (program.upper > AT_BOUND)
    full = bounded & _at(x, program.upper)
    out = []
    for rule in rules:
        rows, binding = 0, 0
        if rule.form == "rows":
            here = program.row_names.members(rule.name)
            rows, binding = int(acts[here].sum()), int(tight[here].sum())
        elif rule.form == "bounds":
            here = np.concatenate([program.column_names.members(n) for n in COLUMNS[rule.name]])
            rows, binding = int(bounded[here].sum()), int(full[here].sum())
        mode = p.modes[rule.key] if rule.modes else "on"
        out.append(Binding(rule.name, rule.section, rule.kind, mode, rows, binding))
    return out
