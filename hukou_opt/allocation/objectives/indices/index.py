"""What an index says of itself, and what it is given to build its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hukou_opt.allocation.objectives.pools import Pool

#: Most members of a pool for which all pairs are written out, and most cells of leximin.
MOST_CELLS = 60


@dataclass(frozen=True)
class Settings:
    """Settings of one term, registry values filled in.

    Parameters
    ----------
    standard : float
        Standard of the shortfall, in the unit of the quantity.
    part : float
        Worst-off part of the weight.
    aversion : float
        Aversion to inequality, 0 to 1.
    pairwise : bool
        Whether the differences of all pairs are written out.
    """

    standard: float
    part: float
    aversion: float
    pairwise: bool


@dataclass(frozen=True)
class Build:
    """One term on the way into the Pyomo model.

    Parameters
    ----------
    m : ConcreteModel
        The model.
    name : str
        Name of the term; variables and rows begin with it.
    level : str
        Level whose indices become exact together; the name of a limit where it is one.
    pools : tuple of Pool
        Who is compared with whom.
    columns : mapping of (pool key, member label) to variable
        Value of each member.
    names : mapping of (pool key, member label) to str
        Names of these variables in the compiled program.
    sign : float
        Factor that turns values into losses.
    settings : Settings
        Settings of the term.
    """

    m: Any
    name: str
    level: str
    pools: tuple[Pool, ...]
    columns: Mapping[tuple[str, str], Any]
    names: Mapping[tuple[str, str], str]
    sign: float
    settings: Settings

    @property
    def members(self) -> list[tuple[str, str]]:
        """Every member of every pool."""
        return [(pool.key, member.label) for pool in self.pools for member in pool.members]

    def loss(self, pool: str, member: str) -> Any:
        """Loss of one member."""
        return self.sign * self.columns[pool, member]

    def mean_loss(self, pool: Pool) -> Any:
        """Weighted mean of a pool's losses."""
        return sum(each.weight * self.loss(pool.key, each.label) for each in pool.members)

    def add(self, suffix: str, component: Any) -> Any:
        """Add a component to the model under the term's name."""
        self.m.add_component(f"{self.name}_{suffix}", component)
        return component


@dataclass(frozen=True)
class Index:
    """One way of saying how bad, or how unequal, the members of a pool are off.

    Parameters
    ----------
    name : str
        Name in experiments.
    title, title_zh : str
        The index in words.
    equation, latex : str
        Its definition for losses y with weights w that sum to 1, in plain notation and in LaTeX.
    exact : str
        How exactly the linear program has it.
    applies_to : {"all", "good"}
        Quantities that it can be used for: all, or only those of which more is better.
    monotone : bool
        Whether it rises with every loss; else it can be met by levelling down.
    spread : bool
        Whether it is a spread or shortfall, 0 at best, in the same sense for every quantity; else
        it is in the sense of the quantity.
    ratio : bool
        Whether it is a spread over the mean.
    reference : str
        Where it is defined.
    build : callable
        Adds variables and rows; gives the linear expression of every pool, the numerator of a
        ratio.
    """

    name: str
    title: str
    title_zh: str
    equation: str
    latex: str
    exact: str
    applies_to: str
    monotone: bool
    spread: bool
    ratio: bool
    reference: str
    build: Callable[[Build], list[Any]]
