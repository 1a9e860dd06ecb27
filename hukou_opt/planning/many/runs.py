"""Run experiments side by side; what is done stays done when the call is interrupted."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm.auto import tqdm

from hukou_opt.errors import HukouOptError, InfeasibleError
from hukou_opt.experiment import Experiment
from hukou_opt.planning.many.identity import PART, kept_result
from hukou_opt.planning.many.rows import Row, earlier_seconds, row_of, write_summary
from hukou_opt.report.publish import check_writable
from hukou_opt.report.run_folder import write_run
from hukou_opt.report.saved import RESULT_FILE
from hukou_opt.workers import answers, cores

#: What went wrong, in full, in the folder of an experiment that failed for a reason of its own.
FAILURE_FILE = "failure.txt"
DIED = "its process died, killed or out of memory"


@dataclass(frozen=True)
class Task:
    """One experiment and where it is written.

    Parameters
    ----------
    settings : Experiment
        What is run.
    folder : Path
        Where it is written.
    fresh : bool
        Whether it is run even where a saved result is the same.
    time_limit : float or None
        Seconds that one solve of the linear program may take; the usual limit if None.
    """

    settings: Experiment
    folder: Path
    fresh: bool
    time_limit: float | None


def run_one(task: Task) -> Row:
    """Run one experiment, or keep what is there; a failure is an answer, too."""
    name, folder = task.settings.name, task.folder
    try:
        saved = None if task.fresh else kept_result(task.settings, folder)
        if saved is not None:
            return row_of(saved, "kept", None, folder / RESULT_FILE)
        return _run(task)
    except InfeasibleError as error:
        return Row(name, "infeasible", reason=_reason(error))
    except HukouOptError as error:
        return Row(name, "failed", reason=_reason(error))
    except Exception as error:
        # A fault of the toolkit in one experiment must not take the others with it.
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FAILURE_FILE).write_text(traceback.format_exc(), encoding="utf-8")
        kind = type(error).__name__
        return Row(name, "failed", reason=f"{kind}: {error}; see {folder / FAILURE_FILE}")


def _run(task: Task) -> Row:
    # Imported here: what is kept needs no model and no solver.
    from hukou_opt.allocation.session import TIME_LIMIT
    from hukou_opt.planning.run import run

    begun = time.perf_counter()
    for stale in task.folder.glob(PART):
        shutil.rmtree(stale, ignore_errors=True)
    (task.folder / FAILURE_FILE).unlink(missing_ok=True)
    limit = TIME_LIMIT if task.time_limit is None else task.time_limit
    try:
        result = run(task.settings, progress=False, threads=1, time_limit=limit)
    except InfeasibleError as error:
        seconds = time.perf_counter() - begun
        return Row(task.settings.name, "infeasible", seconds, reason=_reason(error))
    write_run(result, task.folder)
    return row_of(result, "ran", time.perf_counter() - begun, task.folder / RESULT_FILE)


def _reason(error: HukouOptError) -> str:
    return f"{error.title}: " + "; ".join(str(fault) for fault in error.faults)


def run_many(
    experiments: Sequence[Experiment],
    out: str | Path = "results",
    *,
    jobs: int | None = None,
    fresh: bool = False,
    progress: bool = True,
    time_limit: float | None = None,
    work: Callable[[Task], Row] = run_one,
) -> list[Row]:
    """Run experiments in processes of their own, each into a folder with its name.

    A folder whose saved result rests on the same settings, toolkit, model, data and solver is kept,
    so that a call that was interrupted goes on where it stopped.

    Parameters
    ----------
    experiments : sequence of Experiment
        What is run; names differ.
    out : str or Path, optional
        Folder that gets one folder for each experiment, and ``summary.csv``.
    jobs : int, optional
        Experiments at a time; the number of cores if not given.
    fresh : bool, optional
        Run everything anew.
    progress : bool, optional
        Show a progress bar.
    time_limit : float, optional
        Seconds that one solve of the linear program may take.
    work : callable, optional
        What is done with one experiment.

    Returns
    -------
    list of Row
        One for each experiment, in their order; failures have a reason.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    folder = Path(out)
    check_writable(folder)
    known = earlier_seconds(folder)
    tasks = [Task(each, folder / each.name, fresh, time_limit) for each in experiments]
    rows: dict[str, Row] = {}
    under_way: list[str] = []

    with tqdm(total=len(tasks), disable=not progress, unit=" experiments", leave=False) as bar:

        def started(task: Task) -> None:
            under_way.append(task.settings.name)
            bar.set_description(", ".join(under_way))

        processes = cores() if jobs is None else jobs
        with closing(answers(work, tasks, processes, started)) as stream:
            for task, answer in stream:
                name = task.settings.name
                row = Row(name, "failed", reason=DIED) if answer is None else answer
                kept = row.state == "kept"
                rows[name] = replace(row, seconds=known.get(row.identity)) if kept else row
                under_way.remove(name)
                bar.set_description(", ".join(under_way))
                bar.update(1)
                # After each, so that an interrupted call leaves a summary of its part.
                write_summary([rows[x.name] for x in experiments if x.name in rows], folder)
    return [rows[each.name] for each in experiments]
