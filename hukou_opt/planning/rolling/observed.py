"""The model of a planner who has watched some years: true until now, believed from now on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import xarray as xr

from hukou_opt.dynamics import ArrayEngine, Decisions, Trajectory
from hukou_opt.dynamics.engine import Constant


def of_years(decisions: Decisions, years: Sequence[int]) -> Decisions:
    """Decisions of some years only."""
    return Decisions(
        **{
            field.name: getattr(decisions, field.name).sel(year=list(years))
            for field in fields(Decisions)
        }
    )


class ObservedEngine:
    """An engine that starts at the end of an observed year, in the state that was observed.

    It runs the true constants under what was decided to that year, and the believed ones from there
    on. To those who use it, it is an engine whose base year is the observed one.

    Parameters
    ----------
    engine : ArrayEngine
        Engine of the whole span.
    truth, belief : mapping of str to float or DataArray
        All constants until the observed year, and those that the planner takes for true after it.
    decided : Decisions
        What was decided for all years of the engine; only those to the observed year are used.
    observed : int
        Year whose end is observed; the engine's base year for a plan from the start.
    """

    def __init__(
        self,
        engine: ArrayEngine,
        truth: Mapping[str, Constant],
        belief: Mapping[str, Constant],
        decided: Decisions,
        observed: int,
    ) -> None:
        self._engine, self._truth, self._belief = engine, truth, belief
        self._first = engine.years[0] - 1
        self._past = tuple(year for year in engine.years if year <= observed)
        self._decided = of_years(decided, self._past)
        self._observed = observed
        self.codes, self.time_step = engine.codes, engine.time_step
        self.years = tuple(year for year in engine.years if year > observed)

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate from the observed year to the last year.

        Parameters
        ----------
        decisions : Decisions
            For the years after the observed one.
        columns : sequence of str, optional
            Variables to return; by default all that the toolkit reads.
        """
        engine = self._engine
        if not self._past:
            engine.reset(self._belief)
            return engine.run(decisions, columns)
        engine.reset(self._truth, columns)
        engine.act(self._decided)
        engine.advance(len(self._past))
        engine.change(self._belief)
        engine.act(decisions)
        engine.advance(len(self.years))
        path = engine.collect()
        after: xr.Dataset = path.data.sel(year=slice(self._observed, None))
        return Trajectory(after, path.time_step, path.model)
