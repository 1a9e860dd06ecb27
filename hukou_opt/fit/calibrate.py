"""Calibrate the model to a window: what the data identify per region, and two national numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tqdm.auto import tqdm

from hukou_opt.fit.forecast import hukou_rates, run
from hukou_opt.fit.national import FITTED, NationalFit, fit_national
from hukou_opt.fit.past import Known
from hukou_opt.fit.trends import Trends, Window, trends
from hukou_opt.fit.vintage import census_of, hukou_path, known_at, window_of
from hukou_opt.fit.window_fit import WindowFit, as_it_is, fit_window
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions import load_regions
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.history import History

#: Rounds between the two fits; they hardly depend on each other.
ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Calibration:
    """The model calibrated to a window.

    Parameters
    ----------
    history : History
        Annual series at the vintage.
    vintage : str
        ``revised`` or ``first``.
    window : Window
        Yearly figures used.
    observed : Trends
        What the window says.
    fit : WindowFit
        Slopes and net moves with which the model reproduces the window.
    national : NationalFit
        National parameters.
    known : Known
        Figures at the window's first year.
    parameters : Parameters
        The registry that was used.
    level : float
        Confidence level of the national intervals.
    """

    history: History
    vintage: str
    window: Window
    observed: Trends
    fit: WindowFit
    national: NationalFit
    known: Known
    parameters: Parameters
    level: float

    @property
    def observations(self) -> Mapping[str, int]:
        """Number of observations by series."""
        changes = self.observed.slope.changes * len(self.window.codes)
        return {
            "yearly changes of the urban share": changes,
            "yearly changes of residents": changes,
            "national hukou rate": len(self.national.years),
        }

    @property
    def free(self) -> Mapping[str, int]:
        """Number of free parameters by kind; net moves sum to zero."""
        count = len(self.window.codes)
        return {
            "slope of the urban share, by region": count,
            "net moves, by region": count - 1,
            "national": len(FITTED),
        }


def calibrate(
    history: History,
    parameters: Parameters,
    *,
    vintage: str,
    first: int,
    last: int,
    level: float,
    access_held: bool = False,
    with_ridge: bool = False,
    progress: bool = False,
) -> Calibration:
    """Calibrate to a window of yearly figures, with nothing that became known later.

    Parameters
    ----------
    history : History
        Annual series; its `known_by` is the vintage's year.
    parameters : Parameters
        The registry.
    vintage : {"revised", "first"}
        Series of today, or as first published.
    first, last : int
        Window.
    level : float
        Confidence level of the intervals.
    access_held : bool, optional
        Hold access to schools and hospitals at its level of the first year, as if building had kept
        pace; otherwise the model crowds where it builds nothing.
    with_ridge : bool, optional
        Estimate settlement for given shares of reclassification too.
    progress : bool, optional
        Show a progress bar.

    Raises
    ------
    DataError
        For figures that are missing or became known too late, and for too few years.
    """
    window = window_of(history, vintage, first, last)
    observed = trends(window)
    known = known_at(history, vintage, first)
    rates = hukou_path(
        load_regions(base=census_of(first), known_by=history.known_by), first + 1, last
    )
    national = {name: parameters[name] for name in FITTED}
    years = sorted(rates)
    form = as_it_is(access_held=access_held)
    for turn in tqdm(range(ROUNDS), desc="calibration", disable=not progress):
        fit = fit_window(window, known, observed, parameters, form=form, changed=national)

        def simulate(values: Array, fit: WindowFit = fit) -> Array:
            changed = dict(zip(FITTED, map(float, values), strict=True))
            path = run(fit.begun, form, parameters, changed=changed)
            return hukou_rates(path).sel(year=years).to_numpy()

        last_turn = turn == ROUNDS - 1
        found = fit_national(
            simulate, rates, national, level=level, with_ridge=with_ridge and last_turn
        )
        national = found.as_constants()
    return Calibration(history, vintage, window, observed, fit, found, known, parameters, level)
