"""One row for each experiment of a large run: what came of it, and how well."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from hukou_opt.errors import Fault, OutputError
from hukou_opt.result import Result

SUMMARY_FILE = "summary.csv"
#: ran, taken over from an earlier call, shown to have no answer, or gone wrong.
State = Literal["ran", "kept", "infeasible", "failed"]
ANSWERED: tuple[State, ...] = ("ran", "kept", "infeasible")
DIGITS = 6


@dataclass(frozen=True)
class Row:
    """What came of one experiment.

    Parameters
    ----------
    name : str
        Name of the experiment.
    state : {"ran", "kept", "infeasible", "failed"}
        Whether it was run, taken over from an earlier call, has no answer, or went wrong.
    seconds : float or None
        Time that the run took, in an earlier call where it was kept and that call told.
    rounds : int or None
        Rounds between model and linear program; None without allocation.
    moved_fund, moved_need : float or None
        Share of the fund, and of the needs, that the published round still moved.
    converged, certified : bool or None
        Whether the rounds came to rest, and every solve passed its certificate; None without
        allocation.
    identity : str
        SHA-256 of the result.
    file : str
        The saved result; empty where there is none.
    reason : str
        Why there is no result.
    """

    name: str
    state: State
    seconds: float | None = None
    rounds: int | None = None
    moved_fund: float | None = None
    moved_need: float | None = None
    converged: bool | None = None
    certified: bool | None = None
    identity: str = ""
    file: str = ""
    reason: str = ""

    @property
    def answered(self) -> bool:
        """Whether there is a result, or a proof that there can be none."""
        return self.state in ANSWERED


COLUMNS = tuple(field.name for field in fields(Row))


def row_of(result: Result, state: State, seconds: float | None, file: Path) -> Row:
    """Row of a run that has a result."""
    row = Row(result.name, state, seconds, identity=result.identity, file=str(file))
    if not result.has_allocation:
        return row
    at = int(result.attrs.get("published_round", result.attrs["rounds"])) - 1
    moved = {
        name: float(result["rounds"][f"moved_{name}_share"].values[at])
        for name in ("fund", "need")
        if "rounds" in result
    }
    return replace(
        row,
        rounds=int(result.attrs["rounds"]),
        moved_fund=moved.get("fund"),
        moved_need=moved.get("need"),
        converged=result.converged,
        certified=result.certified,
    )


def write_summary(rows: Iterable[Row], folder: Path) -> Path:
    """Write one line for each experiment; lines of others, from earlier calls, stay.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = folder / SUMMARY_FILE
    draft = target.with_name(f".{SUMMARY_FILE}.part")
    lines = _earlier(folder)
    lines |= {row.name: {name: _text(getattr(row, name)) for name in COLUMNS} for row in rows}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines[name] for name in sorted(lines))
        draft.replace(target)
    except OSError as error:
        fault = Fault(str(target), f"cannot be written ({error.strerror or error})", "see --out")
        raise OutputError(fault) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def earlier_seconds(folder: Path) -> dict[str, float]:
    """Seconds that results took, by their identity, as the summary of earlier calls has them.

    The key is the identity, so that a time is never shown beside another run.
    """
    return {
        line["identity"]: float(line["seconds"])
        for line in _earlier(folder).values()
        if line["identity"] and line["seconds"].replace(".", "", 1).isdigit()
    }


def _earlier(folder: Path) -> dict[str, dict[str, str]]:
    """Lines of the summary by name; none where it is not there or has other columns."""
    try:
        with (folder / SUMMARY_FILE).open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            if reader.fieldnames != list(COLUMNS):
                return {}
            return {line["name"]: line for line in reader if None not in line.values()}
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
