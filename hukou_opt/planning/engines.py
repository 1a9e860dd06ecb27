"""Which engine runs the model: arrays for rounds and ensembles, PySD as the reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics import ArrayEngine, Decisions, Engine, PysdEngine, Trajectory
from hukou_opt.dynamics.compiler.lower import UnsupportedError
from hukou_opt.errors import Fault, ModelError

#: Above so many regions PySD replays the first years only: its time grows with their square.
WHOLE_REPLAY_REGIONS = 120
REPLAYED_YEARS = 3
#: Values below this part of a variable's largest value are compared as if they were that large:
#: what is left of sums that cancel is rounding.
FLOOR = 1e-6
#: Largest relative difference between the engines in a run that is published.
AGREEMENT = 1e-9


@dataclass(frozen=True)
class Replay:
    """A run of the array engine, repeated by PySD.

    Parameters
    ----------
    run : Trajectory
        PySD's path, where the whole span was replayed; else the array engine's.
    difference : float
        Largest relative difference over all variables, regions and years replayed.
    where : str
        Variable in which it was found.
    until : int
        Last year replayed.
    """

    run: Trajectory
    difference: float
    where: str
    until: int


def fast_engine(reference: PysdEngine, path: Path, *, trust: bool) -> Engine:
    """The array engine for the same model and constants, or the reference where it cannot be.

    Parameters
    ----------
    reference : PysdEngine
        PySD with the constants set.
    path : Path
        Model file of the reference.
    trust : bool
        Whether the user trusts a model that does not ship with the toolkit.

    Raises
    ------
    ModelError
        If the model cannot be read safely.
    """
    try:
        engine = ArrayEngine(
            path, reference.codes, reference.years, time_step=reference.time_step, trust=trust
        )
    except UnsupportedError:
        # The model uses what arrays do not know; PySD itself runs.
        return reference
    engine.reset(reference.given)
    return engine


def replayed(reference: PysdEngine, run: Trajectory, decisions: Decisions) -> Replay:
    """Repeat a run in PySD and compare all its variables.

    Parameters
    ----------
    reference : PysdEngine
        PySD with the run's constants set.
    run : Trajectory
        The array engine's path.
    decisions : Decisions
        Decisions of that run.

    Raises
    ------
    ModelError
        If the engines differ by more than rounding.
    """
    columns = [str(name) for name in run.data.data_vars]
    if len(reference.codes) <= WHOLE_REPLAY_REGIONS:
        again = reference.run(decisions, columns)
        compared = again.data
    else:
        reference.restart()
        reference.act(decisions)
        reference.advance(min(REPLAYED_YEARS, len(reference.years)))
        again = reference.collect()
        compared = again.data[[name for name in columns if name in again.data]]
    until = int(again.data["year"].values[-1])
    difference, where = apart(compared, run.data)
    if not difference <= AGREEMENT:
        raise ModelError(
            Fault(
                f"the model's {where}",
                f"differs between PySD and the array engine ({difference:.2g})",
                "report the model; set engine: pysd in the experiment",
            )
        )
    whole = until == reference.years[-1]
    return Replay(again if whole else run, difference, where, until)


def apart(one: xr.Dataset, other: xr.Dataset) -> tuple[float, str]:
    """Largest relative difference between two paths, and the variable in which it is found."""
    worst, where = 0.0, ""
    for name, array in one.data_vars.items():
        beside = other[name].sel(year=one["year"]).transpose(*array.dims)
        scale = float(np.abs(beside.values).max(initial=0.0))
        near = np.maximum(np.abs(beside.values), FLOOR * scale if scale else 1.0)
        found = float((np.abs(array.values - beside.values) / near).max(initial=0.0))
        if np.isnan(found):
            return np.inf, str(name)
        if found > worst:
            worst, where = found, str(name)
    return worst, where
