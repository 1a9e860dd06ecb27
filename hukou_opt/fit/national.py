"""Fit the national parameters of settlement to the yearly national hukou rate.

Two ways lead from rural to urban hukou: migrants settle, and villages are reclassified as towns.
The series tells their sum; only its curvature tells them apart, so that the two estimates are
strongly correlated, and the correlation is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from hukou_opt.errors import DataError, Fault
from hukou_opt.regions.fitting import Array

#: Parameters fitted, with the bounds of the search.
FITTED = ("settlement_hazard_max", "reclassified_share")
BOUNDS = ((0.0, 1.0), (0.0, 0.4))
#: Shares of reclassification for which settlement is estimated alone.
RIDGE = (0.0, 0.1, 0.2, 0.3, 0.4)
#: Step of the finite differences, in the parameters' units.
STEP = 1e-4
#: Step of the differences from which errors follow.
WIDE_STEP = 1e-2
#: Distance to a bound, as part of the range, at which an estimate stands at it.
AT_BOUND = 1e-6
PERCENT = 100.0


@dataclass(frozen=True)
class Conditional:
    """Settlement estimated for a given share of reclassification.

    Parameters
    ----------
    reclassified : float
        Share of moves inside a region that are reclassified villages.
    settlement, low, high : float
        Estimate of the settlement hazard with its interval, 1/year.
    scatter : float
        Standard error of the regression, percentage points.
    """

    reclassified: float
    settlement: float
    low: float
    high: float
    scatter: float


@dataclass(frozen=True, eq=False)
class NationalFit:
    """Estimates of the national parameters.

    Parameters
    ----------
    names : tuple of str
        Parameters.
    values, errors : array
        Estimates and standard errors; the error of one at its bound is that of the free direction
        and NaN where nothing is left free.
    low, high : array
        Interval at the confidence level, cut at the bounds.
    correlation : array, dims (parameter, parameter)
        Correlation of the estimates.
    at_bound : tuple of str
        Parameters that stand at a bound of their range.
    years : tuple of int
        Years of the observations.
    observed, fitted : array, dims (year)
        National hukou rate.
    scatter : float
        Standard error of the regression, percentage points.
    ridge : tuple of Conditional
        Estimate of settlement for given reclassification: what the series tells together; empty
        unless asked for.
    """

    names: tuple[str, ...]
    values: Array
    errors: Array
    low: Array
    high: Array
    correlation: Array
    at_bound: tuple[str, ...]
    years: tuple[int, ...]
    observed: Array
    fitted: Array
    scatter: float
    ridge: tuple[Conditional, ...]

    def as_constants(self) -> dict[str, float]:
        """Estimates by the model's names."""
        return dict(zip(self.names, map(float, self.values), strict=True))


def fit_national(
    simulate: Callable[[Array], Array],
    path: Mapping[int, float],
    begin: Mapping[str, float],
    *,
    level: float,
    with_ridge: bool = False,
) -> NationalFit:
    """Fit settlement and reclassification to the national hukou rate by least squares.

    Parameters
    ----------
    simulate : callable
        National hukou rate of the observed years for values of the parameters.
    path : mapping of int to float
        Observed rate by year.
    begin : mapping of str to float
        Values to begin with.
    level : float
        Confidence level of the intervals.
    with_ridge : bool, optional
        Estimate settlement for given shares of reclassification too.

    Raises
    ------
    DataError
        If there are fewer observations than parameters and one more.
    """
    years = tuple(sorted(path))
    observed = np.array([path[year] for year in years])
    if len(years) <= len(FITTED):
        raise DataError(
            Fault(
                "national hukou rate",
                f"has too few years to fit ({len(years)} for {len(FITTED)} parameters)",
                "choose a longer window or a later vintage",
            )
        )
    lower, upper = np.array(BOUNDS).T
    first = np.clip([begin[name] for name in FITTED], lower + STEP, upper - STEP)

    def distance(values: Array) -> Array:
        return np.asarray(PERCENT * (simulate(values) - observed), dtype=float)

    def slopes(values: Array) -> Array:
        return _slopes(simulate, values, lower, upper, STEP)

    found = optimize.least_squares(
        distance,
        first,
        bounds=(lower, upper),
        x_scale=upper - lower,
        jac=slopes,
        xtol=1e-10,
        ftol=1e-12,
        gtol=1e-12,
    )
    values = np.asarray(found.x, dtype=float)
    near = (values - lower < AT_BOUND * (upper - lower)) | (
        upper - values < AT_BOUND * (upper - lower)
    )
    free = np.flatnonzero(~near)
    freedom = len(years) - len(free)
    scatter = float(np.sqrt(2 * found.cost / freedom))
    jacobian = _slopes(simulate, values, lower, upper, WIDE_STEP)
    if np.linalg.matrix_rank(jacobian) < len(values):
        raise DataError(
            Fault(
                "national hukou rate",
                f"does not tell {' and '.join(FITTED)}: the model's rate does not answer to them",
                "check that the regions have migrants",
            )
        )
    # The whole curvature for the correlation; only free directions for the errors.
    whole = np.linalg.inv(jacobian.T @ jacobian)
    spread = np.sqrt(np.diag(whole))
    part = jacobian[:, free]
    errors = np.full(len(values), np.nan)
    errors[free] = scatter * np.sqrt(np.diag(np.linalg.inv(part.T @ part)))
    wide = float(stats.t.ppf((1 + level) / 2, freedom)) * scatter
    # The interval is that of both together: one at its bound could lie inside by what the
    # curvature allows, and the other with it.
    half = wide * spread
    low, high = np.clip(values - half, lower, upper), np.clip(values + half, lower, upper)
    return NationalFit(
        names=FITTED,
        values=values,
        errors=errors,
        low=low,
        high=high,
        correlation=whole / np.outer(spread, spread),
        at_bound=tuple(name for name, yes in zip(FITTED, near, strict=True) if yes),
        years=years,
        observed=observed,
        fitted=np.asarray(found.fun / PERCENT + observed, dtype=float),
        scatter=scatter,
        ridge=tuple(
            _conditional(simulate, observed, share, float(values[0]), level)
            for share in (RIDGE if with_ridge else ())
        ),
    )


def _conditional(
    simulate: Callable[[Array], Array],
    observed: Array,
    reclassified: float,
    first: float,
    level: float,
) -> Conditional:
    """Least squares in settlement alone."""
    lower, upper = BOUNDS[0]

    def residual(value: Array) -> Array:
        return PERCENT * (simulate(np.array([value[0], reclassified])) - observed)

    found = optimize.least_squares(
        residual,
        [min(max(first, lower + STEP), upper - STEP)],
        bounds=(lower, upper),
        diff_step=[STEP],
    )
    freedom = len(observed) - 1
    scatter = float(np.sqrt(2 * found.cost / freedom))
    error = scatter / float(np.linalg.norm(np.asarray(found.jac, dtype=float)))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    best = float(found.x[0])
    return Conditional(
        reclassified, best, max(lower, best - half), min(upper, best + half), scatter
    )


def _slopes(
    simulate: Callable[[Array], Array], values: Array, lower: Array, upper: Array, step: float
) -> Array:
    """Derivatives of the national rate in percentage points, one-sided and inward at a bound."""
    columns = []
    for at in range(len(values)):
        ahead, behind = values.copy(), values.copy()
        ahead[at] = min(values[at] + step, upper[at])
        behind[at] = max(values[at] - step, lower[at])
        rise = PERCENT * (simulate(ahead) - simulate(behind))
        columns.append(rise / (ahead[at] - behind[at]))
    return np.stack(columns, axis=1)
