"""Where program and tables differ, in words: rule, section of the plan, place, both amounts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.statement import Statement
from hukou_opt.allocation.audit.values import Rows, Values
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.errors import Fault

#: What to do where program and tables differ.
REPAIR = "the program is not what the tables say: report this as a bug"
#: Difference, relative to the size of both amounts, from which on they differ.
VISIBLE = 1e-12
SEED = 7


class Compared(Protocol):
    """Program and tables with the positions of the columns."""

    program: LinearProgram
    p: Problem
    statement: Statement
    columns: dict[str, NDArray[np.int64]]


def place(p: Problem, rule: str, name: str) -> str:
    """Rule, section of the plan, region and years of a row or column.

    Parameters
    ----------
    p : Problem
        Codes and years, by which the parts of the name are told.
    rule : str
        Name of the rule, or of the family of rows.
    name : str
        Full name of the row or column.
    """
    # For its words alone: what the rules say of themselves stands beside their rows.
    from hukou_opt.allocation.rules import RULES

    sections = {each.name: each.section for each in RULES}
    kind = f"rule {rule} ({sections[rule]})" if rule in sections else f"definition {rule}"
    parts = name.partition("[")[2].rstrip("]").split(",")
    years = {str(year) for year in p.all_years}
    words = [f"region {part}" if part in p.codes else part for part in parts if part]
    words.sort(key=lambda part: (not part.startswith("region "), part not in years))
    return ", ".join([kind, *words])


def row_fault(p: Problem, family: str, name: str, what: str) -> Fault:
    """Fault of one row or column."""
    return Fault(place(p, family, name), f"{name} {what}", REPAIR)


class _Row:
    """One row of program and tables at any point."""

    def __init__(self, both: Compared, row: int) -> None:
        self.both, self.row = both, row
        self.name = both.program.row_names[row]
        self.coefficients = both.program.matrix[[row]]
        self.bounds = float(both.program.row_lower[row]), float(both.program.row_upper[row])

    def values(self, x: Array) -> Values:
        """The labelled values of a point."""
        found = {
            family: np.where(at >= 0, x[np.maximum(at, 0)], 0.0)
            for family, at in self.both.columns.items()
        }
        return Values(found)

    def stated(self, x: Array) -> tuple[float, float, float] | None:
        """Activity and bounds by the tables."""
        family, _, rest = self.name.partition("[")
        for rows in self.both.statement.rows(self.values(x)):
            if rows.family == family:
                found = np.flatnonzero(rows.index.texts == rest[:-1])
                return _at(rows, int(found[0])) if found.size else None
        return None

    def activity(self, x: Array) -> float:
        """Activity by the program."""
        return float((self.coefficients @ x)[0])


def _at(rows: Rows, place: int) -> tuple[float, float, float]:
    return float(rows.activity[place]), float(rows.lower[place]), float(rows.upper[place])


def _differ(a: float, b: float) -> bool:
    if not (np.isfinite(a) and np.isfinite(b)):
        return a != b
    return abs(a - b) > VISIBLE * (abs(a) + abs(b))


def explain_row(both: Compared, row: int) -> Fault:
    """Say where a row of the program differs from the tables: a bound, or a coefficient."""
    this = _Row(both, row)
    family = this.name.partition("[")[0]
    width = len(both.program.lower)
    x = np.random.default_rng(SEED).uniform(0.5, 1.5, width)
    found = this.stated(x)
    zero = this.stated(np.zeros(width))
    if found is None or zero is None:
        return row_fault(both.p, family, this.name, "is a row that the tables do not have")
    activity, lower, upper = found
    # The same row may be written with the other sign.
    mine = this.activity(x)
    sign = 1.0 if abs(mine - activity) <= abs(mine + activity) else -1.0
    low, high = this.bounds if sign > 0 else (-this.bounds[1], -this.bounds[0])
    for side, a, b in (("lower bound", low, lower), ("upper bound", high, upper)):
        if _differ(a, b):
            return row_fault(
                both.p, family, this.name, f"has the {side} {a:.10g}, by the tables {b:.10g}"
            )
    columns = np.arange(width)

    def apart(chosen: NDArray[np.int64]) -> bool:
        part = np.zeros(width)
        part[chosen] = x[chosen]
        at = this.stated(part)
        return at is None or _differ(sign * this.activity(part), at[0])

    # Half of the columns, then half of these: 14 steps for 16,000 columns.
    while len(columns) > 1:
        first = columns[: len(columns) // 2]
        columns = first if apart(first) else columns[len(columns) // 2 :]
    unit = np.zeros(width)
    unit[columns] = 1.0
    table = this.stated(unit)
    name = both.program.column_names[int(columns[0])]
    return row_fault(
        both.p,
        family,
        this.name,
        f"has the coefficient {sign * this.activity(unit):.10g} of {name}, by the tables "
        f"{0.0 if table is None else table[0]:.10g}",
    )
