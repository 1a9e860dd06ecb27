"""A search for the least value of a lever: its answer in words, its runs and binding rules."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hukou_opt.errors import Fault, OutputError
from hukou_opt.report.goal_seek_words import amount, answer, difference, figure, reasons, share
from hukou_opt.report.longtable import Column
from hukou_opt.report.table import MISSING
from hukou_opt.report.text_lines import text_lines, wrap
from hukou_opt.report.text_table import TextTable

if TYPE_CHECKING:
    from hukou_opt.planning.goal_seek import Goal, GoalSeek, Run

RUNS_FILE = "goal_seek.csv"
COLUMNS = (
    "lever",
    "value",
    "others",
    "goal",
    "outcome",
    "met",
    "state",
    "rounds",
    "converged",
    "certified",
    "moved_fund",
    "moved_need",
    "fund_unused",
    "unfunded_share",
    "seconds",
    "identity",
    "reason",
)
_DIGITS = 10


def report(seek: GoalSeek, width: int) -> str:
    """The whole answer as text: words, runs, rules, and other levers.

    Parameters
    ----------
    seek : GoalSeek
        The search.
    width : int
        Columns of the text.
    """
    lines = [line for sentence in (*answer(seek), *reasons(seek)) for line in wrap(sentence, width)]
    tables = [runs_table(seek)]
    if seek.best.rules:
        tables.append(rules_table(seek))
    if seek.others:
        tables.append(others_table(seek))
    parts = ["\n".join(lines) + "\n", *(text_lines(table, width) for table in tables)]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def runs_table(seek: GoalSeek) -> TextTable:
    """Every run of the lever alone, by its value."""
    columns = (
        Column(_with_unit(seek.lever.name, seek.lever.unit)),
        Column(_with_unit(seek.goal.name, seek.goal.unit)),
        Column("met", 0.05),
        Column("rounds"),
        Column("at rest", 0.05),
        Column("proved", 0.05),
        Column("fund moved"),
        Column("need moved"),
        Column("fund unused"),
        Column("unfunded"),
        Column("seconds"),
        Column("", 0.05),
    )
    rows = tuple(
        (
            amount(each.lever, seek.lever.unit),
            MISSING if each.outcome is None else figure(each.outcome, seek.goal.unit),
            "yes" if each.met else "no",
            MISSING if each.rounds is None else str(each.rounds),
            _yes(each.converged),
            _yes(each.certified),
            share(each.moved_fund),
            share(each.moved_need),
            share(each.unused),
            share(each.unfunded),
            MISSING if each.seconds is None else f"{each.seconds:.0f}",
            "" if each.state == "ran" else each.state,
        )
        for each in sorted(seek.runs, key=lambda run: run.lever)
    )
    return TextTable("goal_seek", f"Runs of {seek.experiment}", columns, (("", rows),), ())


def rules_table(seek: GoalSeek) -> TextTable:
    """Rules that bind at the answer and at the end with the best outcome, by share of cells."""
    shown = {"best": seek.best} if seek.met is None else {"answer": seek.met, "best": seek.best}
    if seek.met is seek.best:
        shown.pop("best")
    found = {key: {rule.rule: rule for rule in run.rules} for key, run in shown.items()}
    names = dict.fromkeys(name for rules in found.values() for name in rules)
    heads = [f"{key} ({amount(run.lever, seek.lever.unit)})" for key, run in shown.items()]
    columns = (
        Column("rule", 0.3),
        Column("section", 0.3),
        Column("mode", 0.1),
        Column("cells"),
        *map(Column, heads),
    )
    rows = []
    for name in names:
        any_ = next(rules[name] for rules in found.values() if name in rules)
        cells = [share(rules[name].share if name in rules else 0.0) for rules in found.values()]
        rows.append((name, any_.section, any_.mode, str(any_.rows), *cells))
    notes = ("Share of a rule's cells that hold with equality; equations are left out.",)
    return TextTable("goal_seek_rules", "Binding rules", columns, (("", tuple(rows)),), notes)


def others_table(seek: GoalSeek) -> TextTable:
    """What other levers do, one at a time, at the ends of their ranges; the best first."""
    base = seek.best.outcome
    columns = (
        Column("lever", 0.3),
        Column("experiment"),
        Column("tried"),
        Column(_with_unit(seek.goal.name, seek.goal.unit)),
        Column("nearer by"),
        Column("met", 0.05),
        Column("at rest", 0.05),
    )
    rows = []
    for run in sorted(seek.others, key=lambda each: _short(seek.goal, each)):
        ((name, value),) = run.others.items()
        known = run.outcome is not None and base is not None
        nearer = _short(seek.goal, seek.best) - _short(seek.goal, run)
        rows.append(
            (
                name,
                f"{seek.start[name]:g}",
                f"{value:g}",
                MISSING if run.outcome is None else figure(run.outcome, seek.goal.unit),
                difference(nearer, seek.goal.unit) if known else MISSING,
                "yes" if run.met else "no",
                _yes(run.converged),
            )
        )
    caption = f"Other levers, one at a time, with {seek.lever.name} at its best end"
    return TextTable("goal_seek_others", caption, columns, (("", tuple(rows)),), ())


def write_runs(runs: Sequence[Run], lever: str, goal: Goal, folder: Path) -> Path:
    """Write one line for each run so far.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target, draft = folder / RUNS_FILE, folder / f".{RUNS_FILE}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(COLUMNS)
            for run in runs:
                writer.writerow([_text(value) for value in _cells(run, lever, goal)])
        draft.replace(target)
    except OSError as error:
        fault = Fault(str(target), f"cannot be written ({error.strerror or error})", "see --out")
        raise OutputError(fault) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def earlier_seconds(folder: Path) -> dict[str, float]:
    """Seconds that runs of earlier calls took, by the identity of their results."""
    try:
        with (folder / RUNS_FILE).open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                return {}
            return {
                line["identity"]: float(line["seconds"])
                for line in reader
                if line["identity"] and line["seconds"]
            }
    except (OSError, ValueError, csv.Error):
        return {}


def _cells(run: Run, lever: str, goal: Goal) -> tuple[object, ...]:
    others = ";".join(f"{name}={value:g}" for name, value in run.others.items())
    return (
        lever,
        run.lever,
        others,
        goal.text,
        run.outcome,
        run.met,
        run.state,
        run.rounds,
        run.converged,
        run.certified,
        run.moved_fund,
        run.moved_need,
        run.unused,
        run.unfunded,
        run.seconds,
        run.identity,
        run.reason,
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)


def _yes(value: bool | None) -> str:
    return MISSING if value is None else "yes" if value else "NO"


def _with_unit(name: str, unit: str) -> str:
    return name if unit == "1" else f"{name}, {unit}"


def _short(goal: Goal, run: Run) -> float:
    return float("inf") if run.outcome is None else goal.short(run.outcome)
