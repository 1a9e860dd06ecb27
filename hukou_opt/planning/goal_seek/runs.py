"""The runs of a search, one after the other, kept on disk as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hukou_opt.errors import Fault, HukouOptError, InfeasibleError, OutputError, ResultError
from hukou_opt.planning.goal_seek.goal import Goal
from hukou_opt.planning.goal_seek.plans import Plans
from hukou_opt.planning.goal_seek.run import Run, run_of, without_answer
from hukou_opt.planning.many.identity import kept_result
from hukou_opt.report.goal_seek_table import earlier_seconds, write_runs
from hukou_opt.report.saved import RESULT_FILE
from hukou_opt.result import Result

#: Folder of the results of the runs, within the folder of a search.
RUNS = "runs"


class Search:
    """Runs of a search by the lever's value, written down as they come.

    Parameters
    ----------
    plans : Plans
        Makes the results.
    goal : Goal
        What is to be met.
    lever : str
        What is varied.
    folder : Path or None
        Where finished runs are kept.
    step : callable
        Told in words what is being done.
    """

    def __init__(
        self,
        plans: Plans,
        goal: Goal,
        lever: str,
        folder: Path | None,
        step: Callable[[str], None],
    ) -> None:
        self.plans, self.goal, self.lever, self.folder, self.step = plans, goal, lever, folder, step
        self.runs: list[Run] = []
        self.others: list[Run] = []
        self._known = {} if folder is None else earlier_seconds(folder)

    def __call__(self, value: float) -> Run:
        """A run with the lever alone."""
        return self.run(value, {})

    def run(self, value: float, others: Mapping[str, float]) -> Run:
        """A run with the lever, and others, at given values."""
        values = {self.lever: value, **others}
        words = ", ".join(f"{name} {each:g}" for name, each in values.items())
        self.step(words)
        try:
            run = self._run(value, values, others)
        except ResultError:
            raise
        except HukouOptError as error:
            # Which of many runs it was is said with the fault.
            fault = Fault(f"run with {words}", "has no answer", "see the faults below")
            raise type(error)([fault, *error.faults]) from error
        (self.others if others else self.runs).append(run)
        if self.folder is not None:
            write_runs([*self.runs, *self.others], self.lever, self.goal, self.folder)
        return run

    def _run(self, value: float, values: Mapping[str, float], others: Mapping[str, float]) -> Run:
        home = self._home(values)
        saved = None if home is None else kept_result(self.plans.at(values), home)
        if saved is not None:
            seconds = self._known.get(saved.identity)
            return run_of(saved, self.goal, value, "kept", seconds, others)
        begun = time.perf_counter()
        try:
            result = self.plans.run(values)
        except InfeasibleError as error:
            return without_answer(error, value, time.perf_counter() - begun, others)
        seconds = time.perf_counter() - begun
        self._keep(result, home)
        return run_of(result, self.goal, value, "ran", seconds, others)

    def _home(self, values: Mapping[str, float]) -> Path | None:
        if self.folder is None:
            return None
        name = "_".join(f"{name}-{value:.12g}" for name, value in values.items())
        return self.folder / RUNS / name

    def _keep(self, result: Result, home: Path | None) -> None:
        if home is None:
            return
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fault = Fault(str(home), f"cannot be made ({error.strerror})", "see --out")
            raise OutputError(fault) from error
        result.save(home / RESULT_FILE)
