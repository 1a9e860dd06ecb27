"""The rows and bounds of one rule as an LP file: for a reader's eye, and for any solver."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.names import family
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.rules import RULES

__all__ = ["RuleProgram", "family", "lp_name", "lp_text", "rule_program", "rule_text"]

#: Digits of a printed number; more would show the rounding of sums.
DIGITS = 12
#: Longest line of an LP file; every reader accepts it.
WIDTH = 100
#: Columns that carry the bounds of each rule without rows.
BOUNDED = {
    "unfunded_is_running_cost": ("unfunded",),
    "build_rate": ("starts", "partner_starts"),
}
_LP_LETTERS = str.maketrans({"[": "(", "]": ")", "-": "_", " ": "_"})


@dataclass(frozen=True)
class RuleProgram:
    """The part of a linear program that one rule makes.

    Parameters
    ----------
    name : str
        Name of the rule.
    row_names, column_names : tuple of str
        Names of its rows in the order of the program, and of the columns in them (or of those that
        it bounds) in alphabetical order.
    rows : tuple of (ndarray of int, ndarray)
        Columns, by their position in `column_names`, and coefficients of each row.
    row_lower, row_upper : ndarray, shape (row,)
        Bounds of the rows.
    lower, upper : ndarray, shape (column,)
        Bounds of the columns.
    """

    name: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    rows: tuple[tuple[NDArray[np.int64], Array], ...]
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array

    @property
    def empty(self) -> bool:
        """Whether the rule has neither rows nor bounds in this program."""
        return not self.column_names


def lp_name(name: str) -> str:
    """Name as LP files allow it: no brackets, which start a quadratic term, and no signs."""
    return name.translate(_LP_LETTERS)


def rule_program(program: LinearProgram, rule: str) -> RuleProgram:
    """Cut one rule out of a compiled linear program.

    Parameters
    ----------
    program : LinearProgram
        All rules together.
    rule : str
        Name of a rule; see `hukou_opt.allocation.rules.RULES`.

    Returns
    -------
    RuleProgram
        Its rows with the columns in them; for a rule of bounds alone, the columns that it bounds.
        Empty where the rule is off.
    """
    chosen = program.row_names.members(rule)
    matrix = program.matrix[chosen]
    if len(chosen):
        kept = np.unique(matrix.indices)
    else:
        bounded = [program.column_names.members(name) for name in BOUNDED.get(rule, ())]
        kept = np.concatenate([np.empty(0, dtype=np.int64), *bounded])
        kept = kept[np.isfinite(program.upper[kept])]
    # By name, so that a column added elsewhere in the model moves nothing here.
    kept = np.array(sorted(kept, key=lambda i: program.column_names[i]), dtype=np.int64)
    place = {int(column): at for at, column in enumerate(kept)}
    rows = []
    for at in range(len(chosen)):
        part = slice(matrix.indptr[at], matrix.indptr[at + 1])
        columns = np.array([place[int(i)] for i in matrix.indices[part]], dtype=np.int64)
        order = np.argsort(columns)
        rows.append((columns[order], matrix.data[part][order]))
    return RuleProgram(
        rule,
        tuple(program.row_names[i] for i in chosen),
        tuple(program.column_names[i] for i in kept),
        tuple(rows),
        program.row_lower[chosen],
        program.row_upper[chosen],
        program.lower[kept],
        program.upper[kept],
    )


def lp_text(part: RuleProgram, heading: Sequence[str] = ()) -> str:
    """Write a rule's part of the program in the CPLEX LP format.

    Parameters
    ----------
    part : RuleProgram
        Rows and columns of one rule.
    heading : sequence of str, optional
        Lines of comment at the top.

    Returns
    -------
    str
        A complete LP file without an objective; numbers have 12 digits.
    """
    names = [lp_name(name) for name in part.column_names]
    lines = [*(f"\\ {line}".rstrip() for line in heading), "minimize", " obj:", "subject to"]
    for name, (columns, values), low, high in zip(
        part.row_names, part.rows, part.row_lower, part.row_upper, strict=True
    ):
        lines += _row(lp_name(name), columns, values, names, float(low), float(high))
    lines.append("bounds")
    lines += [
        _bound(name, float(low), float(high))
        for name, low, high in zip(names, part.lower, part.upper, strict=True)
    ]
    return "\n".join([*lines, "end"]) + "\n"


def _number(value: float) -> str:
    text = f"{value:.{DIGITS}g}"
    return "0" if text == "-0" else text


def _row(
    name: str,
    columns: Iterable[int],
    values: Iterable[float],
    names: Sequence[str],
    low: float,
    high: float,
) -> list[str]:
    terms = []
    for column, value in zip(columns, values, strict=True):
        size = abs(float(value))
        factor = "" if size == 1 else f"{_number(size)} "
        terms.append(f"{'-' if value < 0 else '+'} {factor}{names[column]}")
    if low == high:
        terms.append(f"= {_number(low)}")
    elif np.isfinite(high):
        terms.append(f"<= {_number(high)}")
    else:
        terms.append(f">= {_number(low)}")
    return textwrap.wrap(
        f"{name}: {' '.join(terms)}",
        WIDTH,
        initial_indent=" ",
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _bound(name: str, low: float, high: float) -> str:
    if np.isinf(high):
        return f" {name} >= {_number(low)}"
    if low == high:
        return f" {name} = {_number(low)}"
    return f" {_number(low)} <= {name} <= {_number(high)}"


def rule_text(program: LinearProgram, rule: str) -> str:
    """LP file of one rule with its title, equation and source at the top."""
    about = next(each for each in RULES if each.name == rule)
    heading = [f"{about.name}: {about.title}", about.equation, f"{about.unit}; {about.section}"]
    wrapped = [line for text in heading for line in textwrap.wrap(text, WIDTH - 2)]
    return lp_text(rule_program(program, rule), wrapped)
