"""How good a forecast is: errors, skill against another forecast, and where the error lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from hukou_opt.regions.fitting import Array

PERCENT = 100.0
#: Relative difference below which two figures are the same but for rounding.
SAME = 1e-12


@dataclass(frozen=True)
class Measure:
    """How a quantity is scored.

    Parameters
    ----------
    name : str
        Quantity.
    unit : str
        Unit of its errors.
    relative : bool
        Errors relative to what happened, in percent; else differences times 100 (points).
    """

    name: str
    unit: str
    relative: bool

    def errors(self, forecast: Array, actual: Array) -> Array:
        """Signed errors, forecast less actual, by region."""
        difference = forecast - actual
        if self.relative:
            difference = difference / actual
        return np.asarray(PERCENT * difference, dtype=float)


MEASURES = {
    "urban_share": Measure("urban_share", "percentage points", relative=False),
    "population": Measure("population", "percent", relative=True),
    "children": Measure("children", "percent", relative=True),
    "beds": Measure("beds", "percent", relative=True),
    "hukou_rate": Measure("hukou_rate", "percentage points", relative=False),
}


@dataclass(frozen=True)
class Interval:
    """A figure with a bootstrap interval."""

    value: float
    low: float
    high: float


def mean_absolute(errors: Array) -> float:
    """Mean absolute error; every region counts once."""
    return float(np.abs(errors).mean())


def skill(
    model: Array, other: Array, *, draws: int, seed: int, level: float
) -> tuple[Interval, Interval]:
    """Skill of a forecast over another, and the gain in mean absolute error, with intervals.

    Skill is one less the ratio of the mean absolute errors. Regions are drawn with replacement, the
    same for both forecasts (paired); intervals are bias-corrected and accelerated.

    Parameters
    ----------
    model, other : array, dims (region)
        Signed errors of the two forecasts.
    draws, seed, level
        Number of draws, seed, confidence level.

    Returns
    -------
    tuple of Interval, Interval
        Skill (1 perfect, 0 no better, below 0 worse) and gain in the unit of the errors.

    References
    ----------
    Efron (1987), Journal of the American Statistical Association 82(397): 171-185.
    """
    ours, theirs = np.abs(model), np.abs(other)

    def ratio(a: Array, b: Array, axis: int = -1) -> Array:
        return np.asarray(1 - a.mean(axis=axis) / b.mean(axis=axis))

    def gain(a: Array, b: Array, axis: int = -1) -> Array:
        return np.asarray((b - a).mean(axis=axis))

    # Errors in one proportion, or at one distance, give the same figure in every draw: nothing
    # varies, and the acceleration would divide by zero.
    fixed = {
        ratio: np.allclose(ours * theirs.sum(), theirs * ours.sum(), rtol=SAME, atol=0),
        gain: np.ptp(theirs - ours) <= SAME * float(theirs.mean() + ours.mean()),
    }
    found = []
    for statistic, constant in fixed.items():
        value = float(statistic(ours, theirs))
        if constant:
            found.append(Interval(value, value, value))
            continue
        result = stats.bootstrap(
            (ours, theirs),
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=draws,
            confidence_level=level,
            method="BCa",
            rng=np.random.default_rng(seed),
        )
        low, high = result.confidence_interval
        found.append(Interval(value, float(low), float(high)))
    return found[0], found[1]


@dataclass(frozen=True)
class Theil:
    """Decomposition of the mean squared error of predicted changes.

    Parameters
    ----------
    bias, variance, covariance : float
        Theil's UM, US and UC: parts of the mean squared error from unequal means, unequal spread
        and imperfect correlation; they add up to one. A good forecast has most in the last.
    inequality : float
        Theil's U: root mean squared error over that of no change.
    """

    bias: float
    variance: float
    covariance: float
    inequality: float


def theil(predicted: Array, actual: Array) -> Theil:
    """Decompose the error of changes since the base year.

    Parameters
    ----------
    predicted, actual : array
        Changes since the base year, same unit.

    References
    ----------
    Theil (1966), Applied Economic Forecasting; Sterman (1984), Dynamica 10(2): 51-66.
    """
    error = float(np.mean((predicted - actual) ** 2))
    if error == 0:
        return Theil(0.0, 0.0, 0.0, 0.0)
    no_change = float(np.mean(actual**2))
    spread_p, spread_a = float(predicted.std()), float(actual.std())
    together = float(np.mean((predicted - predicted.mean()) * (actual - actual.mean())))
    return Theil(
        bias=float((predicted.mean() - actual.mean()) ** 2) / error,
        variance=(spread_p - spread_a) ** 2 / error,
        covariance=2 * (spread_p * spread_a - together) / error,
        inequality=float(np.sqrt(error / no_change)) if no_change > 0 else np.inf,
    )
