"""The back-test: forecast a year that is known by now from what was known before, and score it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from tqdm.auto import tqdm

from hukou_opt.fit.calibrate import Calibration, calibrate
from hukou_opt.fit.forecast import Form, children_of, hukou_rates, run, start
from hukou_opt.fit.later import later_assumptions
from hukou_opt.fit.naive import FORECASTS
from hukou_opt.fit.outcome import outcome
from hukou_opt.fit.past import Known
from hukou_opt.fit.protocol import Protocol, Test, load_protocol
from hukou_opt.fit.score import MEASURES, PERCENT, Theil, mean_absolute, skill, theil
from hukou_opt.fit.vintage import VINTAGES, hukou_rate_at, known_at
from hukou_opt.parameters.registry import Parameters, load_parameters
from hukou_opt.regions import load_regions
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.history import load_history

#: Pupils of both stages stand for children between censuses.
PUPILS = ("primary_students", "junior_students")
PER_100K = 100_000.0
MODEL, NAIVE = "model", "naive"
#: Code of the country's own figure.
NATION = "national"


@dataclass(frozen=True, eq=False)
class Forecast:
    """One forecast of one quantity.

    Parameters
    ----------
    test, quantity, name, kind : str
        Test, quantity, form or naive forecast, ``model`` or ``naive``.
    value, before, actual : array, dims (region)
        Forecast, figure of the base year, and what happened.
    """

    test: str
    quantity: str
    name: str
    kind: str
    value: Array
    before: Array
    actual: Array

    @property
    def errors(self) -> Array:
        """Signed errors in percent or percentage points, dims (region)."""
        return MEASURES[self.quantity].errors(self.value, self.actual)

    @property
    def theil(self) -> Theil:
        """Decomposition of the error of changes, in percent or percentage points."""
        measure = MEASURES[self.quantity]
        scale = PERCENT / self.before if measure.relative else PERCENT
        return theil(scale * (self.value - self.before), scale * (self.actual - self.before))


@dataclass(frozen=True, eq=False)
class BackTest:
    """All forecasts and their scores.

    Parameters
    ----------
    protocol : Protocol
        What was fixed before.
    codes : tuple of str
        Region codes.
    calibrations : mapping of str to Calibration
        By test.
    forecasts : tuple of Forecast
        Provincial quantities, and the national hukou rate as one region.
    paths : mapping of str to Dataset
        Runs of the primary form by test.
    assumptions : DataFrame
        Scores of the primary form with each parameter that became known after the vintage at the
        ends of its range; see `later_assumptions`. Empty unless asked for.
    """

    protocol: Protocol
    codes: tuple[str, ...]
    calibrations: Mapping[str, Calibration]
    forecasts: tuple[Forecast, ...]
    paths: Mapping[str, xr.Dataset]
    assumptions: pd.DataFrame

    def scores(self) -> pd.DataFrame:
        """One line per test, quantity and forecast: errors and their decomposition."""
        lines = []
        for each in self.forecasts:
            errors = each.errors
            parts = each.theil
            lines.append(
                {
                    "test": each.test,
                    "quantity": each.quantity,
                    "forecast": each.name,
                    "kind": each.kind,
                    "primary": each.name == self.protocol.primary,
                    "unit": MEASURES[each.quantity].unit,
                    "mean_absolute_error": mean_absolute(errors),
                    "root_mean_square_error": float(np.sqrt(np.mean(errors**2))),
                    "mean_error": float(errors.mean()),
                    "theil_um": parts.bias,
                    "theil_us": parts.variance,
                    "theil_uc": parts.covariance,
                    "theil_u": parts.inequality,
                }
            )
        return pd.DataFrame(lines)

    def best_naive(self, test: str, quantity: str) -> Forecast:
        """The naive forecast with the smallest error, as hindsight shows."""
        found = [
            each
            for each in self.forecasts
            if each.test == test and each.quantity == quantity and each.kind == NAIVE
        ]
        return min(found, key=lambda each: mean_absolute(each.errors))

    def skills(self) -> pd.DataFrame:
        """Skill of every form over every naive forecast, with paired bootstrap intervals."""
        p = self.protocol
        lines = []
        for each in self.forecasts:
            if each.kind != MODEL or each.quantity == "hukou_rate":
                continue
            best = self.best_naive(each.test, each.quantity)
            for other in self.forecasts:
                if (other.test, other.quantity, other.kind) != (each.test, each.quantity, NAIVE):
                    continue
                # The ladder is compared with the best only; the primary form with all.
                if other is not best and each.name != p.primary:
                    continue
                ratio, gain = skill(
                    each.errors, other.errors, draws=p.draws, seed=p.seed, level=p.level
                )
                lines.append(
                    {
                        "test": each.test,
                        "quantity": each.quantity,
                        "form": each.name,
                        "naive": other.name,
                        "best_naive": other is best,
                        "unit": MEASURES[each.quantity].unit,
                        "error": mean_absolute(each.errors),
                        "naive_error": mean_absolute(other.errors),
                        "skill": ratio.value,
                        "skill_low": ratio.low,
                        "skill_high": ratio.high,
                        "gain": gain.value,
                        "gain_low": gain.low,
                        "gain_high": gain.high,
                    }
                )
        return pd.DataFrame(lines)

    def by_region(self) -> pd.DataFrame:
        """Forecast, outcome and error of every region."""
        frames = [
            pd.DataFrame(
                {
                    "test": each.test,
                    "quantity": each.quantity,
                    "forecast": each.name,
                    "kind": each.kind,
                    "code": self.codes if len(each.value) == len(self.codes) else [NATION],
                    "value": each.value,
                    "base_year": each.before,
                    "actual": each.actual,
                    "error": each.errors,
                }
            )
            for each in self.forecasts
        ]
        return pd.concat(frames, ignore_index=True)


def backtest(
    parameters: Parameters | None = None,
    *,
    tests: Iterable[str] | None = None,
    forms: Iterable[str] | None = None,
    with_assumptions: bool = False,
    progress: bool = True,
) -> BackTest:
    """Calibrate, forecast and score, as the protocol says.

    Parameters
    ----------
    parameters : Parameters, optional
        The shipped registry by default.
    tests, forms : iterable of str, optional
        Names from the protocol; all by default. The primary form is always run.
    with_assumptions : bool, optional
        Move each parameter that became known after the vintage to the ends of its range too.
    progress : bool, optional
        Show a progress bar.

    Raises
    ------
    DataError
        For figures that are missing or became known too late.
    """
    parameters = load_parameters() if parameters is None else parameters
    protocol = load_protocol()
    chosen = [protocol.tests[name] for name in tests or protocol.tests]
    names = dict.fromkeys([protocol.primary, *(forms or protocol.forms)])
    found: list[Forecast] = []
    calibrations: dict[str, Calibration] = {}
    paths: dict[str, xr.Dataset] = {}
    moved: list[pd.DataFrame] = []
    for test in tqdm(chosen, desc="back-test", disable=not progress):
        history = load_history(known_by=test.known_by)
        fits: dict[bool, Calibration] = {}
        known = known_at(history, test.vintage, test.last)
        actual, rate = outcome(test)
        for name in names:
            form = protocol.forms[name]
            if form.access_held not in fits:
                fits[form.access_held] = calibrate(
                    history,
                    parameters,
                    vintage=test.vintage,
                    first=test.first,
                    last=test.last,
                    level=protocol.level,
                    access_held=form.access_held,
                )
            path = forecast(test, form, fits[form.access_held], known, parameters)
            found += _of_model(test, name, path, actual, rate)
            if name == protocol.primary:
                paths[test.name] = path
        fitted = calibrations[test.name] = fits[protocol.forms[protocol.primary].access_held]
        if with_assumptions:
            form = protocol.forms[protocol.primary]
            lines = later_assumptions(test, form, fitted, parameters)
            lines.insert(0, "test", test.name)
            moved.append(lines)
        found += _naive(test, protocol, fitted, known, actual, rate)
    codes = next(iter(calibrations.values())).window.codes
    assumptions = pd.concat(moved, ignore_index=True) if moved else pd.DataFrame()
    return BackTest(protocol, codes, calibrations, tuple(found), paths, assumptions)


def forecast(
    test: Test, form: Form, fitted: Calibration, known: Known, parameters: Parameters
) -> xr.Dataset:
    """Run one form of the model from the end of the window to the target."""
    begun = start(
        known,
        fitted.fit.trends,
        form,
        parameters,
        until=test.target,
        years_ahead=test.years_ahead,
    )
    added = yearly_beds(fitted, test)
    return run(begun, form, parameters, beds_added=added, changed=fitted.national.as_constants())


def yearly_beds(fitted: Calibration, test: Test) -> Array:
    """Beds added a year over the window, 10k, dims (region)."""
    history = fitted.history
    rise = history.at("beds_total", test.last) - history.at("beds_total", test.first)
    return np.asarray(rise / (test.last - test.first), dtype=float)


def _of_model(
    test: Test,
    name: str,
    path: xr.Dataset,
    actual: Mapping[str, Array],
    rate: float | None,
) -> list[Forecast]:
    end, first = path.sel(year=test.target), path.sel(year=test.last)
    values = {
        "population": (end["residents"], first["residents"]),
        "urban_share": (
            end["urban_residents"] / end["residents"],
            first["urban_residents"] / first["residents"],
        ),
        "children": (children_of(end), children_of(first)),
        "beds": (end["urban_beds"] + end["rural_beds"], first["urban_beds"] + first["rural_beds"]),
    }
    made = [
        Forecast(
            test.name,
            quantity,
            name,
            MODEL,
            values[quantity][0].to_numpy(),
            values[quantity][1].to_numpy(),
            actual[quantity],
        )
        for quantity in actual
    ]
    if rate is not None:
        rates = hukou_rates(path).to_numpy()
        made.append(
            Forecast(test.name, "hukou_rate", name, MODEL, rates[-1:], rates[:1], np.array([rate]))
        )
    return made


def _naive(
    test: Test,
    protocol: Protocol,
    fitted: Calibration,
    known: Known,
    actual: Mapping[str, Array],
    rate: float | None,
) -> list[Forecast]:
    length = test.last - test.first
    window, history = fitted.window, fitted.history
    people = (window.population[:, 0], window.population[:, -1])
    share = (window.urban_share[:, 0], window.urban_share[:, -1])
    children = known.cohorts.of_school_age(test.last)
    growth = _pupils(fitted, test.last) / _pupils(fitted, test.first)
    pairs = {
        "population": people,
        "urban_share": share,
        "children": (children / growth, children),
        "beds": (history.at("beds_total", test.first), history.at("beds_total", test.last)),
    }
    if rate is not None:
        table = load_regions(base=2010, known_by=test.known_by)
        pairs["hukou_rate"] = (
            np.array([hukou_rate_at(table, test.first)]),
            np.array([hukou_rate_at(table, test.last)]),
        )
    truth = dict(actual) | ({} if rate is None else {"hukou_rate": np.array([rate])})
    made = []
    for quantity, happened in truth.items():
        first, last = pairs[quantity]
        for name in protocol.naive[quantity]:
            value = (
                known.cohorts.of_school_age(test.target)
                if name == "cohorts_in_place"
                else FORECASTS[name](first, last, length, test.ahead)
            )
            made.append(Forecast(test.name, quantity, name, NAIVE, value, last, happened))
    return made


def _pupils(fitted: Calibration, year: int) -> Array:
    """Pupils of both stages of compulsory school, 10k, dims (region); held after the last year."""
    history = fitted.history
    year = min(year, history.last_known(PUPILS[0]))
    primary = history.at(PUPILS[0], year)
    if int(history.known[PUPILS[1]].sel(year=year).min()) > 0:
        return np.asarray(primary + history.at(PUPILS[1], year), dtype=float)
    people = history.at(f"resident_pop{VINTAGES[fitted.vintage]}", year)
    return np.asarray(
        primary + history.at("junior_students_per_100k", year) * people / PER_100K, dtype=float
    )
