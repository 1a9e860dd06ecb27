"""What a quantity says of itself, and its cells: the people whose situations are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hukou_opt.allocation.spec import Term
from hukou_opt.allocation.tiling.across import Number

if TYPE_CHECKING:
    from hukou_opt.allocation.problem import Problem

Label = tuple[str | int, ...]


@dataclass(frozen=True)
class Cell:
    """One group of people of one region in one year or block.

    Parameters
    ----------
    label : tuple
        Index of the quantity's variable.
    pool : tuple
        Cells with the same key are compared with each other: one service, one year.
    region : str
        Region label.
    weight : float or Across
        People whom the quantity concerns.
    side : {"town", "countryside", ""}
        Where they live; empty where the quantity does not tell.
    hukou : {"hukou", "migrant", ""}
        Whether they are settled there; empty where the quantity does not tell.
    """

    label: Label
    pool: Label
    region: str
    weight: Number
    side: str = ""
    hukou: str = ""


@dataclass(frozen=True)
class Measure:
    """One quantity that can be made equal, or small, or large.

    Parameters
    ----------
    name : str
        Name in experiments and of the Pyomo variable.
    title, title_zh : str
        The quantity in words.
    equation, latex : str
        Its definition, in plain notation and in LaTeX mathematics without delimiters.
    unit : str
        Unit of the quantity.
    people : str
        What a cell weighs.
    good : bool
        Whether more is better; else less is better.
    by : {"year", "block"}
        Whether a cell is a year or a block of years.
    services : bool
        Whether the quantity is asked for by service.
    groupings : tuple of str
        Ways of comparing that it allows.
    cells : callable
        All its cells with their weights, given problem and term.
    define : callable
        Gives, for model and problem, the value of a cell as an expression of the variables.
    """

    name: str
    title: str
    title_zh: str
    equation: str
    latex: str
    unit: str
    people: str
    good: bool
    by: str
    services: bool
    groupings: tuple[str, ...]
    cells: Callable[[Problem, Term], list[Cell]]
    define: Callable[[Any, Problem], Callable[[Label], Any]]

    @property
    def sign(self) -> float:
        """Factor that turns the quantity into a loss, which is made small."""
        return -1.0 if self.good else 1.0


def years_of(p: Problem, term: Term) -> tuple[int, ...]:
    """Decision years that count for a term."""
    return tuple(year for year in p.years if not term.years or year in term.years)


def blocks_of(p: Problem, term: Term) -> tuple[int, ...]:
    """Positions of the blocks that lie wholly in the years of a term."""
    chosen = set(years_of(p, term))
    return tuple(i for i, block in enumerate(p.blocks) if set(block.years) <= chosen)
