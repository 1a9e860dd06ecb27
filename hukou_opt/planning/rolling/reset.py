"""One setting of the shares: the program of the years to come, with what is left of the totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from hukou_opt.allocation.problem import SECTORS, Array, Problem
from hukou_opt.dynamics import Needs, Runner, capacity_of_starts
from hukou_opt.dynamics.exchange import AREAS, SERVICES
from hukou_opt.parameters import Parameters
from hukou_opt.parameters.contradictions import TARGET_YEARS
from hukou_opt.planning.coupling import Coupling
from hukou_opt.planning.rolling.ledger import Ledger
from hukou_opt.regions.base_year import BaseYear

#: Mode of a rule whose target year is past: it asks nothing more.
PAST: Mapping[str, str] = {"public_share": "off", "seat_target": "report"}


class Reset(Coupling):
    """Rounds between model and program for the years after an observed one.

    The state is the observed one, and so are needs, pipelines and the settlers who are there. Of
    fund, sector shares, teacher posts and partners' building the program has what is left; teachers
    and payments for what was built before come first. Promises about coverage stay those of the
    plan's own start.

    Parameters
    ----------
    engine : Runner
        Starts at the end of the observed year.
    base, parameters, last_year, modes, progress, aims, count_settlers, time_limit
        As `Coupling`; the parameters of the whole plan.
    ledger : Ledger
        Years before; nothing in later ones.
    first : int
        First year of the ledger.
    start_coverage : ndarray, shape (area, service, region), or None
        Coverage at the start of the whole plan; None where this is the start.
    standing : DataArray, dims (service, age)
        Capacity standing after one unit was started, over the whole span.
    """

    def __init__(
        self,
        engine: Runner,
        base: BaseYear,
        parameters: Parameters,
        last_year: int,
        modes: Mapping[str, str],
        progress: Callable[[str], None],
        *,
        ledger: Ledger,
        first: int,
        start_coverage: Array | None,
        standing: xr.DataArray,
        **more: Any,
    ) -> None:
        self._ledger, self._first, self._coverage = ledger, first, start_coverage
        begun = engine.years[0] > first
        left = ledger.left(parameters) if begun else {}
        past = {
            rule: PAST[rule]
            for rule, name in TARGET_YEARS.items()
            if rule in PAST and round(parameters[name]) < engine.years[0]
        }
        super().__init__(
            engine,
            base,
            parameters.override(left, allow_out_of_range=True),
            last_year,
            {**modes, **past},
            progress,
            **more,
        )
        self._seats = self._seats_standing(standing) if begun else None

    def _seats_standing(self, standing: xr.DataArray) -> Array:
        """Seats begun before that stand later, shape (region, year of this engine), 10k."""
        years = [int(year) for year in range(self._first, self.engine.years[-1] + 1)]
        made = self._ledger.all_starts
        starts = np.zeros((*made.shape[:-1], len(years)))
        starts[..., : made.shape[-1]] = made
        labelled = xr.DataArray(
            starts,
            {
                "area": list(AREAS),
                "service": list(SERVICES),
                "region": list(self.engine.codes),
                "year": years,
            },
            ("area", "service", "region", "year"),
        )
        stood = capacity_of_starts(labelled, standing).sel(service="seats").sum("area")
        after: Array = stood.transpose("region", "year").sel(year=list(self.engine.years)).values
        return after

    def due(self, p: Problem) -> Array:
        """Payments of each year for what partners built before, shape (sector, region, year)."""
        if self._seats is None:
            return np.zeros((len(SECTORS), len(p.codes), len(p.years)))
        yearly = self._ledger.partner_payments(p)
        return np.repeat(yearly[..., None], len(p.years), axis=-1)

    def problem(self, needs: Needs) -> Problem:
        """Inputs of the linear program, less what earlier years have used."""
        p = super().problem(needs)
        if self._seats is None:
            return p
        per, years = p.parameters["pupils_per_teacher"], len(p.years)
        hired = self._ledger.teachers.sum(axis=-1)[:, None]
        free = p.redeployed + hired - self._seats[:, :years] / per
        local = np.maximum(0.0, p.local_ceiling - self.due(p).sum(axis=0))
        coverage = p.start_coverage if self._coverage is None else self._coverage
        return replace(
            p, redeployed=np.maximum(0.0, free), local_ceiling=local, start_coverage=coverage
        )
