"""Yearly moves that give the expected change of town and country population at the base year.

With P residents, u their urban share, s its slope on the logit scale, n natural growth and v net
moves over residents:

    dP = (n + v) P                       du = s u (1 - u)
    d(urban) = du P + u dP               d(rural) = dP - d(urban)

Moves out of the country are the fall of rural residents plus their natural change and the returns
to them; moves into towns are the rise of townspeople less theirs plus the returns from them. A
matrix with these margins needs no other moves between regions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.regions.fitting import Array, fit_margins


@dataclass(frozen=True, eq=False)
class Stocks:
    """People at the base year, 10k persons.

    Parameters
    ----------
    rural, urban_hukou : array, dims (region)
        Rural residents and urban-hukou residents.
    migrants : array, dims (region, dest)
        Rural-hukou holders in towns by home region and region of residence.
    """

    rural: Array
    urban_hukou: Array
    migrants: Array

    @property
    def migrants_here(self) -> Array:
        """Migrants by where they live."""
        return np.asarray(self.migrants.sum(axis=0), dtype=float)

    @property
    def urban(self) -> Array:
        """Townspeople."""
        return self.urban_hukou + self.migrants_here

    @property
    def total(self) -> Array:
        """Residents."""
        return self.urban + self.rural


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves of the base year.

    Parameters
    ----------
    matrix : array, dims (region, dest)
        Moves from country to town, 10k persons a year.
    other : array, dims (region)
        Net moves between regions that are not from country to town, 10k persons a year.
    floored : tuple of int
        Regions whose margins had to be raised to the least that is believed.
    """

    matrix: Array
    other: Array
    floored: tuple[int, ...]


def _changes(
    stocks: Stocks, slope: Array, net_moves: Array, natural: Array
) -> tuple[Array, Array, Array]:
    """Yearly change of town and country, and net moves, 10k persons a year, dims (region)."""
    total = stocks.total
    share = stocks.urban / total
    moved = net_moves * total
    moved = moved - total * moved.sum() / total.sum()
    all_people = natural * total + moved
    urban = slope * share * (1 - share) * total + share * all_people
    return urban, all_people - urban, moved


def between_regions(
    stocks: Stocks,
    growth: tuple[Array, Array, Array],
    slope: Array,
    net_moves: Array,
    natural: Array,
    *,
    return_rate: float,
    floor: float,
) -> Moves:
    """Moves whose matrix carries all migration, fitted to both margins.

    Parameters
    ----------
    stocks : Stocks
        People at the base year.
    growth : tuple of array
        Natural growth of rural residents, migrants and urban-hukou residents, 1/year.
    slope, net_moves, natural : array, dims (region)
        Expected slope of the urban share on the logit scale, net moves and natural growth over
        residents, 1/year.
    return_rate : float
        Returns over migrants, 1/year.
    floor : float
        Each margin is at least this part of the yearly returns.

    Raises
    ------
    DataError
        If no matrix has both margins.
    """
    urban, rural, _ = _changes(stocks, slope, net_moves, natural)
    home = return_rate * stocks.migrants.sum(axis=1)
    back = return_rate * stocks.migrants_here
    out = -rural + growth[0] * stocks.rural + home
    into = urban - growth[1] * stocks.migrants_here - growth[2] * stocks.urban_hukou + back
    rows, columns = np.maximum(out, floor * home), np.maximum(into, floor * back)
    floored = tuple(int(i) for i in np.flatnonzero((rows > out) | (columns > into)))
    columns = columns * rows.sum() / columns.sum()
    matrix = fit_margins(stocks.migrants, rows, columns)
    if matrix is None:
        raise DataError(
            Fault(
                "moves between regions",
                "cannot be fitted to the change of town and country",
                "check population, urban share and migrants of the window",
            )
        )
    return Moves(matrix, np.zeros_like(out), floored)


def inside_regions(
    stocks: Stocks,
    growth: tuple[Array, Array, Array],
    slope: Array,
    net_moves: Array,
    natural: Array,
    *,
    return_rate: float,
) -> Moves:
    """Moves that stay inside each region, with net moves spread over town and country.

    Net moves enter rural and urban-hukou residents in proportion, as in the model; those to homes
    in other regions are taken off, since returns move people between regions too. Parameters as
    in `between_regions`.
    """
    urban, _, moved = _changes(stocks, slope, net_moves, natural)
    home = return_rate * stocks.migrants.sum(axis=1)
    back = return_rate * stocks.migrants_here
    other = moved - (home - back)
    settled = stocks.urban_hukou / (stocks.rural + stocks.urban_hukou)
    inside = (
        urban
        - growth[1] * stocks.migrants_here
        - growth[2] * stocks.urban_hukou
        + back
        - settled * other
    )
    floored = tuple(int(i) for i in np.flatnonzero(inside < 0))
    return Moves(np.diag(np.maximum(inside, 0.0)), other, floored)
