"""``hukou-opt run --all`` and families: many experiments, and one table of what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hukou_opt.experiment import Experiment
    from hukou_opt.planning.many import Row

#: Exit status where an experiment has gone wrong; the others are there nevertheless.
FAILED = 1
#: Longest reason in the table; the file has all of it.
_REASON = 300
_HEADS = (
    "experiment",
    "state",
    "seconds",
    "rounds",
    "moved fund",
    "moved need",
    "at rest",
    "certificate",
)


def experiments_of(experiment: str | None, every: bool, only: str | None) -> list[Experiment]:
    """Experiments that a call means: all that ship, or the runs of one name.

    Raises
    ------
    BadParameter
        If no name fits the pattern.
    ExperimentError
        With the faults of all experiments at once.
    """
    from hukou_opt.errors import ExperimentError, Fault, did_you_mean
    from hukou_opt.experiment import load_experiment, runs_of, shipped_runs

    names = shipped_runs() if every else tuple(each.name for each in runs_of(str(experiment)))
    wanted = [name for name in names if _fits(name, only)]
    if not wanted:
        raise typer.BadParameter(
            f"fits no experiment ({only}): {did_you_mean(str(only), names)}", param_hint="--only"
        )
    if not every:
        return [each for each in runs_of(str(experiment)) if each.name in wanted]
    loaded: list[Experiment] = []
    faults: list[Fault] = []
    for name in wanted:
        try:
            loaded.append(load_experiment(name))
        except ExperimentError as error:
            faults += error.faults
    if faults:
        raise ExperimentError(dict.fromkeys(faults))
    return loaded


def _fits(name: str, only: str | None) -> bool:
    """Whether a name, or the family that it belongs to, fits one of the patterns."""
    patterns = [part.strip() for part in (only or "*").split(",")]
    family = name.partition(".")[0]
    return any(fnmatchcase(each, pattern) for each in (name, family) for pattern in patterns)


def run_many(
    experiments: Sequence[Experiment],
    out: Path,
    *,
    jobs: int | None,
    fresh: bool,
    progress: bool,
    time_limit: float | None,
) -> None:
    """Run experiments side by side and print what came of them.

    Raises
    ------
    Exit
        With status 1 if one has gone wrong. One that is shown to have no answer has not.
    """
    from hukou_opt.planning.many import run_many as run
    from hukou_opt.planning.many.rows import SUMMARY_FILE

    rows = run(experiments, out, jobs=jobs, fresh=fresh, progress=progress, time_limit=time_limit)
    typer.echo(table_text(rows))
    typer.echo(f"Written to {out}, one folder each; the table is {out / SUMMARY_FILE}.")
    if not all(row.answered for row in rows):
        raise typer.Exit(FAILED)


def table_text(rows: Sequence[Row]) -> str:
    """One line for each experiment, reasons under it, and the sums."""

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.3%}"

    def word(value: bool | None) -> str:
        return "" if value is None else "yes" if value else "NO"

    cells = [
        (
            row.name,
            row.state,
            "" if row.seconds is None else f"{row.seconds:.0f}",
            "" if row.rounds is None else str(row.rounds),
            share(row.moved_fund),
            share(row.moved_need),
            word(row.converged),
            word(row.certified),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(_HEADS, *cells, strict=True)]
    lines = [_line(_HEADS, widths), "  ".join("-" * width for width in widths)]
    for row, cell in zip(rows, cells, strict=True):
        lines.append(_line(cell, widths))
        if row.reason:
            short = row.reason if len(row.reason) <= _REASON else f"{row.reason[:_REASON]} ..."
            lines.append(f"    {short}")
    counts = {state: sum(row.state == state for row in rows) for state in _states(rows)}
    told = ", ".join(f"{number} {state}" for state, number in counts.items())
    seconds = sum(row.seconds or 0.0 for row in rows)
    return "\n".join([*lines, f"{len(rows)} experiments: {told}; {seconds:.0f} s of work in all."])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    # Words to the left, figures to the right.
    left = 2
    parts = [
        cell.ljust(width) if at < left else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(parts).rstrip()


def _states(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.state for row in rows))
