r"""Shadow prices by rule: what a level would gain if a rule gave way by one unit.

With the dual values y of a level's program, taken before the level is held, one unit more room in
row i lowers the level by :math:`|y_i|`: a row "at most" prices its upper bound, a row "at least"
its lower bound. For an equation the price is that of one unit more on its right-hand side, and has
a sign. A rule that is a bound of columns is priced by their reduced costs :math:`c - A^T y`.

References
----------
Bertsimas and Tsitsiklis (1997), Introduction to Linear Optimization, chapter 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.names import Names
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.rules.binding import COLUMNS
from hukou_opt.allocation.rules.rule import Rule

#: Rows or columns from which on prices are not told by region and year: their names would take more
#: memory than the program.
MOST_NAMES = 500_000
#: Price from which on a row counts as priced; smaller ones are noise of the solver's tolerances.
PRICED = 1e-9


@dataclass(frozen=True, eq=False)
class RulePrice:
    """What one level would gain if one rule gave way by one unit.

    Parameters
    ----------
    rule : str
        Name of the rule.
    level : str
        The level, before it is held and with all earlier ones held.
    unit : str
        Unit of the rule's rows; the price is the fall of the level's value per this unit.
    every_row : float
        Fall of the level if every row of the rule gave way by one unit.
    largest : float
        The largest price of a single row, 0 where none is priced.
    where : str
        Labels of that row; empty where the rule has one row only, or too many.
    rows, priced : int
        Rows, or bounds, of the rule, and those that have a price.
    equation : bool
        Whether the rows are equations: prices are those of one unit more on the right-hand side.
    by_region, by_period : ndarray, shapes (region,) and (period,)
        Sum of the prices of the rows of each region, and of each year and block.
    """

    rule: str
    level: str
    unit: str
    every_row: float
    largest: float
    where: str
    rows: int
    priced: int
    equation: bool
    by_region: Array
    by_period: Array


def periods_of(p: Problem) -> tuple[str, ...]:
    """Labels of years, tail and blocks, in order."""
    return (*(str(year) for year in p.all_years), *(block.label for block in p.blocks))


@dataclass(frozen=True, eq=False)
class Places:
    """Rows or columns of one rule: their positions and where they belong.

    Parameters
    ----------
    positions : ndarray of int, shape (entry,)
        Positions in the linear program.
    labels : tuple of str, shape (entry,)
        Text between the brackets of the name, empty for a rule of one row; none in programs of
        more than `MOST_NAMES` rows.
    region, period : ndarray of int, shape (entry,)
        Position of the region and of the year or block; -1 where there is none.
    """

    positions: NDArray[np.int64]
    labels: tuple[str, ...]
    region: NDArray[np.int64]
    period: NDArray[np.int64]


def _places(names: Names, families: Sequence[str], p: Problem) -> Places:
    """Where the rows or columns of some families belong."""
    positions = np.concatenate([names.members(each) for each in families])
    nowhere = np.full(positions.size, -1, dtype=np.int64)
    if len(names) > MOST_NAMES:
        return Places(positions, (), nowhere, nowhere)
    region = p.rows()
    period = {label: i for i, label in enumerate(periods_of(p))}
    texts = names.texts
    labels, regions, periods = [], nowhere.copy(), nowhere.copy()
    for i, at in enumerate(positions):
        label = texts[at].partition("[")[2][:-1]
        labels.append(label)
        for part in label.split(","):
            # A region's code may look like a year: what is a region is no year.
            if part in region:
                regions[i] = region[part]
            elif part in period:
                periods[i] = period[part]
    return Places(positions, tuple(labels), regions, periods)


class PriceBook:
    """Finds the rows of every rule once, and prices them in one level after the other.

    Parameters
    ----------
    program : LinearProgram
        The program of the rules.
    p : Problem
        Labels.
    rules : sequence of Rule
        Rules to price.
    """

    def __init__(self, program: LinearProgram, p: Problem, rules: Sequence[Rule]) -> None:
        self.regions, self.periods = len(p.codes), len(periods_of(p))
        self.rules: list[tuple[Rule, Places]] = []
        for rule in rules:
            if rule.form == "rows":
                places = _places(program.row_names, (rule.name,), p)
            elif rule.form == "bounds":
                places = _places(program.column_names, COLUMNS[rule.name], p)
            else:
                continue
            if places.positions.size:
                self.rules.append((rule, places))

    def prices(self, level: LevelProgram) -> list[RulePrice]:
        """Prices of every rule in one level.

        Parameters
        ----------
        level : LevelProgram
            The level before it is held.
        """
        y, z = level.point.row_dual, level.reduced
        program = level.program
        out = []
        for rule, places in self.rules:
            at = places.positions
            equation = False
            if rule.form == "rows":
                dual = y[at]
                equations = program.row_lower[at] == program.row_upper[at]
                equation = bool(equations.any())
                room = np.where(equations, -dual, np.abs(dual))
            else:
                # An upper bound holds the level back where the column's reduced cost is below 0.
                bounded = np.isfinite(program.upper[at])
                room = np.where(bounded, np.maximum(-z[at], 0.0), 0.0)
            room = np.where(np.abs(room) > PRICED, room, 0.0)
            out.append(self._price(rule, places, level.name, room, equation=equation))
        return out

    def _price(
        self, rule: Rule, places: Places, level: str, room: Array, *, equation: bool
    ) -> RulePrice:
        top = int(np.argmax(np.abs(room)))
        return RulePrice(
            rule.name,
            level,
            rule.unit,
            float(room.sum()),
            float(room[top]),
            places.labels[top] if places.labels and room[top] else "",
            room.size,
            int(np.count_nonzero(room)),
            equation,
            _summed(room, places.region, self.regions),
            _summed(room, places.period, self.periods),
        )


def _summed(values: Array, groups: NDArray[np.int64], count: int) -> Array:
    """Sum of the values of each group; entries of no group, -1, are left out."""
    known = groups >= 0
    total: Array = np.bincount(groups[known], values[known], minlength=count).astype(float)
    return total


def first_levels(prices: Sequence[RulePrice]) -> dict[str, str]:
    """Level in which each rule first has a price, in the order of the levels."""
    found: dict[str, str] = {}
    for price in prices:
        if price.priced:
            found.setdefault(price.rule, price.level)
    return found
