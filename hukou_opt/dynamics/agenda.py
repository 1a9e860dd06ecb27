"""Decisions of a run that is taken year by year: what is past cannot be changed any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import xarray as xr

from hukou_opt.dynamics.accept import MEMBER
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import no_decisions
from hukou_opt.errors import Fault, ModelError


class Agenda:
    """Decisions for all years of a run; nothing is decided at first.

    Parameters
    ----------
    codes : sequence of str
        Region codes.
    years : sequence of int
        Calendar years of the run.
    """

    def __init__(self, codes: Sequence[str], years: Sequence[int]) -> None:
        self._codes, self._years = list(codes), list(years)
        self.decisions = no_decisions(codes, years)

    def put(self, decisions: Decisions, now: int) -> None:
        """Decide for some years that are not past.

        Parameters
        ----------
        decisions : Decisions
            For exactly the run's regions, and for some of its years.
        now : int
            Year whose end has been reached.

        Raises
        ------
        ModelError
            If a year is past or beyond the run, or regions or years do not agree.
        """
        faults: list[Fault] = []
        for field in fields(Decisions):
            array: xr.DataArray = getattr(decisions, field.name)
            where = f"decisions.{field.name}"
            years = [int(year) for year in array["year"].values]
            past = [year for year in years if year <= now]
            beyond = [year for year in years if year not in self._years and year > now]
            if past:
                faults.append(
                    Fault(where, f"decides for years that are past ({past})", f"begin at {now + 1}")
                )
            if beyond:
                faults.append(
                    Fault(
                        where,
                        f"decides for years beyond the run ({beyond})",
                        f"end at {self._years[-1]}",
                    )
                )
            codes = [str(code) for code in array["region"].values]
            if sorted(codes) != sorted(self._codes):
                odd = sorted(set(codes) ^ set(self._codes))[:3]
                faults.append(
                    Fault(where, f"is not for the run's regions ({odd})", "give each region once")
                )
        if faults:
            raise ModelError(faults)
        self.decisions = Decisions(
            **{
                field.name: self._merged(
                    getattr(self.decisions, field.name), getattr(decisions, field.name)
                )
                for field in fields(Decisions)
            }
        )

    def _merged(self, old: xr.DataArray, new: xr.DataArray) -> xr.DataArray:
        years = [int(year) for year in new["year"].values]
        if MEMBER in new.dims and MEMBER not in old.dims:
            old = old.expand_dims({MEMBER: new[MEMBER].values}, axis=-1)
        merged = old.copy(deep=True)
        merged.loc[{"year": years}] = (
            new.sel(region=self._codes)
            .broadcast_like(merged.sel(year=years))
            .transpose(*merged.dims)
        )
        return merged
