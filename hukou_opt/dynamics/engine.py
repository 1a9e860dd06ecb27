"""What every engine of the stock-flow model offers, whatever computes it.

Timing, as everywhere: a decision of calendar year y acts over model time [y-1, y), constant inside
the year; a stock of year y is what stands at model time y. Year by year: observe at y, act for the
years from y+1 on, advance to y+1; `run` does the same in one call and gives the same.

A row of a trajectory is complete when its year is left: rates at y are those that act from y on,
under the decisions for y+1. What is observed at y knows only the decisions that were taken by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import xarray as xr

from hukou_opt.dynamics.exchange import Decisions

#: A constant of the model: a number, or an array over region, dest, year, year0 or tier.
Constant = float | xr.DataArray


@dataclass(frozen=True)
class Trajectory:
    """One run of the stock-flow model.

    Parameters
    ----------
    data : Dataset
        Variables of the model, dims ``year`` (base year included), ``region`` and, for matrices,
        ``dest``; each carries its ``unit``. Stocks stand at year ends. Rates are those that act
        from the year's end on; at the end of the run the decisions of the last year are held.
    time_step : float
        Euler step, years.
    model : str
        SHA-256 of the model's text.
    """

    data: xr.Dataset
    time_step: float
    model: str


class Runner(Protocol):
    """What simulates a whole span under decisions.

    Attributes
    ----------
    codes : tuple of str
        Region codes, in the order of every array that comes back.
    years : tuple of int
        Calendar years of decisions and flows; the year before the first is where it starts.
    time_step : float
        Euler step, years.
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    time_step: float

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate to the last year."""
        ...


class Engine(Runner, Protocol):
    """An engine of the stock-flow model.

    Attributes
    ----------
    codes : tuple of str
        Region codes, in the order of every array that comes back.
    years : tuple of int
        Calendar years of decisions and flows; the base year is the year before the first.
    time_step : float
        Euler step, years.
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    time_step: float

    @property
    def now(self) -> int:
        """Year whose end has been reached; the base year after a reset."""
        ...

    def reset(
        self, constants: Mapping[str, Constant], columns: Sequence[str] | None = None
    ) -> None:
        """Set the constants of the runs to come and go back to the base year."""
        ...

    def restart(self) -> None:
        """Go back to the base year, with the constants that are set and nothing decided."""
        ...

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate from the base year to the last year, whatever has been stepped before."""
        ...

    def observe(self) -> xr.Dataset:
        """Variables at the year's end that has been reached."""
        ...

    def act(self, decisions: Decisions) -> None:
        """Decide for years that are not past; what is not decided is nothing built, all paid."""
        ...

    def advance(self, years: int = 1) -> None:
        """Simulate some years on."""
        ...

    def collect(self) -> Trajectory:
        """The path from the base year to the year that has been reached."""
        ...
