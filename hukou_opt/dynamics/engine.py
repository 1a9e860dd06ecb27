"""What every engine of the stock-flow model offers, whatever computes it.

Timing, as everywhere: a decision of calendar year y acts over model time [y-1, y), constant inside
the year; a stock of year y is what stands at model time y. An engine that can be stepped observes
at y, acts for the year y+1 and advances to y+1; whole runs do the same in one call.
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


class Engine(Protocol):
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

    def reset(self, constants: Mapping[str, Constant]) -> None:
        """Set the constants of the runs to come; nothing of earlier runs remains."""
        ...

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate from the base year to the last year."""
        ...
