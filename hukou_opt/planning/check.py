"""Expected figures of an experiment against those of its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hukou_opt.errors import ExperimentError, Fault, ResultError
from hukou_opt.experiment import Experiment
from hukou_opt.experiment.expected import Expected
from hukou_opt.outcomes import last_year, outcome, registry
from hukou_opt.planning.many.identity import kept_result
from hukou_opt.result import Result


@dataclass(frozen=True)
class Compared:
    """One expected figure and what the result has.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    expected : Expected
        Figure, tolerance and source.
    year : int
        Its year.
    got : float
        Figure of the result.
    """

    experiment: str
    expected: Expected
    year: int
    got: float

    @property
    def difference(self) -> float:
        """Figure of the result less the expected one."""
        return self.got - self.expected.value

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.difference) <= self.expected.allowed

    @property
    def unit(self) -> str:
        """Unit of the outcome."""
        return registry()[self.expected.quantity].unit


def compared(result: Result, expected: Sequence[Expected]) -> list[Compared]:
    """Expected figures beside those of a result.

    Parameters
    ----------
    result : Result
        A run of the experiment that expects the figures.
    expected : sequence of Expected
        What is expected.

    Raises
    ------
    ResultError
        If the result does not hold a figure, or a region is unknown; all faults at once.
    """
    rows: list[Compared] = []
    faults: list[Fault] = []
    for each in expected:
        year = last_year(result) if each.year is None else each.year
        try:
            got = outcome(result, each.quantity, year, each.region)
            rows.append(Compared(result.name, each, year, got))
        except ResultError as error:
            faults += error.faults
    if faults:
        raise ResultError(dict.fromkeys(faults))
    return rows


def check(
    experiments: Sequence[Experiment],
    results: str | Path = "results",
    *,
    progress: bool = True,
    threads: int = 1,
) -> list[Compared]:
    """Compare what experiments expect with their results, and run those that have none.

    Parameters
    ----------
    experiments : sequence of Experiment
        Those that expect nothing are passed over.
    results : str or Path, optional
        Folder with saved results; one of the same settings, toolkit, model, data and solver is
        read.
    progress : bool, optional
        Show a progress bar.
    threads : int, optional
        Threads of the linear solver.

    Raises
    ------
    ExperimentError
        If none of them expects anything.
    HukouOptError
        As `hukou_opt.planning.run` raises; nothing is written.
    """
    asked = [each for each in experiments if each.expect]
    if not asked:
        names = ", ".join(each.name for each in experiments)
        raise ExperimentError(
            Fault(
                f"experiment {names}",
                "expects no figures",
                "add `expect:` to the file; hukou-opt check --list names the outcomes",
            )
        )
    rows: list[Compared] = []
    for each in asked:
        result = kept_result(each, Path(results) / each.name)
        if result is None:
            # Imported here: a saved result is compared without model and solver.
            from hukou_opt.planning.run import run

            result = run(each, progress=progress, threads=threads)
        rows += compared(result, each.expect)
    return rows
