"""Which engine runs the model: arrays for rounds and ensembles, PySD as the reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hukou_opt.dynamics import ArrayEngine, Decisions, Engine, PysdEngine, Trajectory
from hukou_opt.dynamics.compiler.lower import UnsupportedError
from hukou_opt.dynamics.difference import largest_difference
from hukou_opt.errors import Fault, ModelError

#: Above so many regions PySD replays the first years only: its time grows with their square.
WHOLE_REPLAY_REGIONS = 120
REPLAYED_YEARS = 3
#: What is smaller, in a variable's own unit, is compared as if it were this large: sums that cancel
#: leave rounding of 1e-13, which two machines need not share.
SMALLEST = 1e-3
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
    here = run.data[list(compared.data_vars)].sel(year=compared["year"])
    found = largest_difference(compared, here, smallest=SMALLEST)
    if found.relative > AGREEMENT:
        raise ModelError(
            Fault(
                f"the model's {found.variable}",
                f"differs between PySD and the array engine ({found})",
                "report the model; set engine: pysd in the experiment",
            )
        )
    whole = until == reference.years[-1]
    return Replay(again if whole else run, found.relative, found.variable, until)
