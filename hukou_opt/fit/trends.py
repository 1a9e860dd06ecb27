"""What a window of years says of each region: slope of the urban share, net moves, natural growth.

Every estimate is the mean of the window's yearly changes (random walk with drift), so that its
error follows from their scatter. Slopes are pooled toward the regions' mean by the share of their
variance that is noise (empirical Bayes); net moves are damped toward zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from hukou_opt.errors import DataError, Fault
from hukou_opt.regions.fitting import Array

#: Fewest years of a window: two changes, so that a scatter exists.
FEWEST_YEARS = 3
PER_MILLE = 1000.0
#: Length of the periods of the migration tables, years.
TABLE_YEARS = 5


def logit(share: Array) -> Array:
    """Log odds of a share."""
    return np.asarray(np.log(share / (1 - share)), dtype=float)


def expit(value: Array) -> Array:
    """Share of given log odds."""
    return np.asarray(1 / (1 + np.exp(-value)), dtype=float)


@dataclass(frozen=True, eq=False)
class Window:
    """Yearly figures of the regions over a window, all known at its vintage.

    Parameters
    ----------
    codes : tuple of str
        Region codes.
    years : tuple of int
        Years with figures, at their ends; gaps are allowed, an interval counts by its length.
    population : array, dims (region, year)
        Residents, 10k persons.
    urban_share : array, dims (region, year)
        Urban residents over residents.
    natural_rate : array, dims (region, interval)
        Births less deaths over residents, 1/year, mean of the years of each interval.
    earlier_moves, later_moves : array, dims (region), or None
        Net moves between regions in two successive five-year tables, 10k persons.
    """

    codes: tuple[str, ...]
    years: tuple[int, ...]
    population: Array
    urban_share: Array
    natural_rate: Array
    earlier_moves: Array | None = None
    later_moves: Array | None = None

    def __post_init__(self) -> None:
        if len(self.years) < FEWEST_YEARS:
            raise DataError(
                Fault(
                    f"window {self.years[0] if self.years else ''} to "
                    f"{self.years[-1] if self.years else ''}",
                    f"has too few years to fit ({len(self.years)})",
                    f"give at least {FEWEST_YEARS} years with figures",
                )
            )

    @property
    def steps(self) -> Array:
        """Lengths of the intervals between the years, dims (interval)."""
        return np.diff(np.asarray(self.years, dtype=float))

    @property
    def last(self) -> int:
        """Last year of the window: the base year of what is fitted to it."""
        return self.years[-1]


@dataclass(frozen=True, eq=False)
class Drift:
    """Mean of a yearly change by region, with its error.

    Parameters
    ----------
    mean, error : array, dims (region)
        Mean and its standard error, 1/year.
    changes : int
        Number of yearly changes.
    """

    mean: Array
    error: Array
    changes: int

    @classmethod
    def of(cls, changes: Array, steps: Array) -> Drift:
        """Mean change a year and its standard error.

        The changes are taken as those of a random walk with drift, whose variance grows with the
        length of the interval.

        Parameters
        ----------
        changes : array, dims (region, interval)
            Change over each interval.
        steps : array, dims (interval)
            Lengths of the intervals, years.
        """
        number, length = len(steps), float(steps.sum())
        mean = changes.sum(axis=1) / length
        scatter = ((changes - mean[:, None] * steps) ** 2 / steps).sum(axis=1) / (number - 1)
        return cls(mean, np.asarray(np.sqrt(scatter / length), dtype=float), number)

    @property
    def noise_share(self) -> float:
        """Part of the variance between the regions' means that is error of the means."""
        between = float(self.mean.var(ddof=1)) if len(self.mean) > 1 else 0.0
        if between <= 0:
            return 0.0
        return min(1.0, float(np.mean(self.error**2)) / between)

    def pooled(self, weight: float) -> Array:
        """Means moved toward the mean of all regions by a weight."""
        return np.asarray((1 - weight) * self.mean + weight * self.mean.mean(), dtype=float)

    def interval(self, level: float) -> tuple[Array, Array]:
        """Bounds of the means at a confidence level, by Student's t."""
        half = float(stats.t.ppf((1 + level) / 2, self.changes - 1)) * self.error
        return self.mean - half, self.mean + half


@dataclass(frozen=True, eq=False)
class Trends:
    """What the window says of each region.

    Parameters
    ----------
    slope : Drift
        Yearly change of the urban share on the logit scale.
    net_moves : Drift
        Net moves from other regions over residents, 1/year; they sum to zero over the regions.
    natural : array, dims (region)
        Births less deaths over residents, 1/year, mean of the window.
    persistence : float
        Slope of net moves between two successive five-year tables; 1 where there are no two tables.
    pooling : float
        Part of the variance between the regions' slopes that is noise, as the data say.
    """

    slope: Drift
    net_moves: Drift
    natural: Array
    persistence: float
    pooling: float

    def expected(
        self, *, pooled: bool, damped: bool, years_ahead: float
    ) -> tuple[Array, Array, float]:
        """Slope and net moves to expect after the window.

        Parameters
        ----------
        pooled, damped : bool
            Whether slopes are pooled and net moves damped.
        years_ahead : float
            Years from the middle of the window to the middle of the years to come.

        Returns
        -------
        tuple of array, array, float
            Slope on the logit scale and net moves over residents, dims (region), 1/year; and the
            factor by which net moves are damped.
        """
        factor = self.persistence ** (years_ahead / TABLE_YEARS) if damped else 1.0
        slope = self.slope.pooled(self.pooling) if pooled else self.slope.mean
        return slope, factor * self.net_moves.mean, factor


def trends(window: Window) -> Trends:
    """Estimate slopes, net moves and natural growth from a window of yearly figures.

    Net moves are the change of residents less births and deaths. What the country as a whole gains
    that way is enumeration, not migration, and is taken off in proportion to residents.
    """
    steps = window.steps
    slope = Drift.of(np.diff(logit(window.urban_share), axis=1), steps)
    middle = (window.population[:, 1:] + window.population[:, :-1]) / 2
    residual = np.diff(window.population, axis=1) / middle - window.natural_rate * steps
    residual = residual - (residual * middle).sum(axis=0) / middle.sum(axis=0)
    persistence = 1.0
    if window.earlier_moves is not None and window.later_moves is not None:
        slope_of_tables = float(np.polyfit(window.earlier_moves, window.later_moves, 1)[0])
        # Moves that turn or grow are not damped moves.
        persistence = min(1.0, max(0.0, slope_of_tables))
    return Trends(
        slope=slope,
        net_moves=Drift.of(residual, steps),
        natural=np.asarray(window.natural_rate @ steps / steps.sum(), dtype=float),
        persistence=persistence,
        pooling=slope.noise_share,
    )
