"""The program with some rules lifted and others demanded, and how far short they stay.

The rows of a demanded rule have slacks, so that the program always has an answer; its optimum is
the smallest shortfall, and the dual values of a positive one name the rows and bounds that force it
(the alternative of Farkas' lemma). Each answer has its certificate.

References
----------
Chinneck and Dravnieks (1991), Locating minimal infeasible constraint sets in linear programs;
Chinneck (2008), Feasibility and Infeasibility in Optimization.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.infeasible.families import Family, first_part, limits
from hukou_opt.allocation.problem import SOFT_RULES, Array, Problem
from hukou_opt.allocation.rules.cells import MET
from hukou_opt.allocation.session import TIME_LIMIT, Point, Session

Mask = NDArray[np.bool_]

#: Dual value, relative to the largest, from which on a row takes part in a contradiction.
PRICED = 1e-9


@dataclass(frozen=True)
class Short:
    """Smallest shortfall of some demanded rules under some limits.

    Parameters
    ----------
    x : ndarray, shape (column,)
        A point that has it.
    rules : tuple of str
        Demanded rules that fall short there.
    needed : tuple of str
        Families without which the shortfall would have no proof: demanded rules and limits.
    """

    x: Array
    rules: tuple[str, ...]
    needed: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether all demands hold."""
        return not self.rules


class Elastic:
    """The program of one problem, its rules lifted and demanded at will.

    Parameters
    ----------
    program : LinearProgram
        Rows and bounds with the rationing regimes set.
    p : Problem
        Its inputs.
    time_limit : float, optional
        Seconds that one solve may take.
    """

    def __init__(self, program: LinearProgram, p: Problem, time_limit: float = TIME_LIMIT) -> None:
        self.program, self.p, self.time_limit = program, p, time_limit
        self.limits: dict[str, Family] = limits(program)
        self.slacks = {name: slack_columns(program, name) for name in SOFT_RULES}
        #: What the row of each slack asks; 1 where it asks for what depends on the answer.
        self.asked = _asked(program)
        #: What each slack is measured by: the amount that its row asks, 1 for shares of need.
        self.sizes = np.maximum(1.0, self.asked)
        self.solves = 0

    def short(self, rules: Collection[str], kept: Collection[str]) -> Short:
        """Smallest shortfall of some demanded rules while only some limits hold.

        Parameters
        ----------
        rules : collection of str
            Demanded rules; all others may be missed at will.
        kept : collection of str
            Limits that hold; all others are lifted.

        Raises
        ------
        SolveError, CertificateError
            As `Session.minimise`.
        """
        rows, upper = self.lifted(kept)
        reduced = replace(
            self.program,
            matrix=sp.csr_array(self.program.matrix[rows]),
            row_lower=self.program.row_lower[rows],
            row_upper=self.program.row_upper[rows],
            upper=upper,
        )
        point = self.minimise(reduced, self.cost(rules))
        missed = tuple(name for name in rules if self.missed(point.x, name))
        needed = self._needed(reduced, point, np.flatnonzero(rows), rules) if missed else ()
        return Short(point.x, missed, needed)

    def minimise(self, program: LinearProgram, cost: Array) -> Point:
        """One solve of its own."""
        self.solves += 1
        session = Session(program, time_limit=self.time_limit)
        return session.minimise(cost, name="demanded rules")

    def cost(self, rules: Collection[str]) -> Array:
        """Cost row that adds up the slacks of some rules, each relative to what it asks."""
        cost = np.zeros(len(self.program.lower))
        for name in rules:
            cost[self.slacks[name]] = 1 / self.sizes[self.slacks[name]]
        return cost

    def missed(self, x: Array, rule: str) -> bool:
        """Whether a rule falls short at a point by more than the solver's noise."""
        columns = self.slacks[rule]
        size = self.sizes[columns]
        # Asked amounts below 1 are met within the same noise as an amount of 1.
        return bool((x[columns] > MET * (1 + size)).any())

    def lifted(self, kept: Collection[str]) -> tuple[Mask, Array]:
        """Rows that stay when only some limits hold, and upper bounds of the columns then."""
        rows = np.ones(len(self.program.row_names), dtype=np.bool_)
        upper = self.program.upper.copy()
        for name, family in self.limits.items():
            if name not in kept:
                rows[family.rows] = False
                upper[family.bounds] = np.inf
        return rows, upper

    def _needed(
        self, program: LinearProgram, point: Point, rows: NDArray[np.int64], rules: Collection[str]
    ) -> tuple[str, ...]:
        """Families with a priced row or bound."""
        dual = point.row_dual
        least = PRICED * float(np.abs(dual).max(initial=0.0))
        priced = set(rows[np.abs(dual) > least].tolist())
        reduced = self.cost(rules) - program.matrix.T @ dual
        # Only an upper bound has a negative reduced cost.
        bounds = set(np.flatnonzero(reduced < -least).tolist())
        used = [
            name
            for name, family in self.limits.items()
            if priced & set(family.rows.tolist()) or bounds & set(family.bounds.tolist())
        ]
        names = {first_part(self.program.row_names[row]) for row in priced}
        return (*(name for name in rules if name in names), *used)


def slack_columns(program: LinearProgram, rule: str) -> NDArray[np.int64]:
    """Columns of a rule's slack that stand in a row of the rule."""
    rows = [i for i, name in enumerate(program.row_names) if first_part(name) == rule]
    own = f"slack_{rule}"
    used = np.unique(program.matrix[rows].indices) if rows else np.array([], dtype=np.int64)
    columns = [int(i) for i in used if first_part(program.column_names[int(i)]) == own]
    return np.array(columns, dtype=np.int64)


def _asked(program: LinearProgram) -> Array:
    """What the row of each slack column asks; 1 for all other columns."""
    asked = np.ones(len(program.column_names))
    columns = program.columns()
    for row, name in enumerate(program.row_names):
        if first_part(name) in SOFT_RULES and program.row_lower[row] > 0:
            asked[columns[f"slack_{name}"]] = program.row_lower[row]
    return asked
