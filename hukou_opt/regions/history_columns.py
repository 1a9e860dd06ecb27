"""What every annual series means: unit, years, source, and the rule by which it became known."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hukou_opt.errors import DataError, Fault

#: Moves across borders within five years; their span of years is the period itself.
MOVES = ("in_moves", "out_moves")


@dataclass(frozen=True)
class SeriesColumn:
    """One span of years of an annual series.

    Parameters
    ----------
    variable : str
        Name of the series.
    unit : str
        Unit; ``1`` for a share.
    first_year, last_year : int
        Years for which this line speaks.
    known : str
        ``+1``: every figure became known the year after its own; ``2021``: all in that year;
        ``own``: stated in the user's file.
    status : str
        ``official`` for every shipped series, ``own`` for a user's.
    source : str
        Statistical publication.
    note : str
        What to know before use; may be empty.
    """

    variable: str
    unit: str
    first_year: int
    last_year: int
    known: str
    status: str
    source: str
    note: str

    def known_year(self, year: int) -> int:
        """Year in which the figure of a year became known."""
        return year + int(self.known) if self.known.startswith("+") else int(self.known)


def known_year(spans: Sequence[SeriesColumn], year: int) -> int | None:
    """Year in which a series' figure of a year became known; None outside all its spans."""
    for span in spans:
        if span.first_year <= year <= span.last_year:
            return span.known_year(year)
    return None


def periods(spans: Sequence[SeriesColumn]) -> dict[str, int]:
    """Year in which the moves of each period, such as ``2010-2015``, became known."""
    return {
        f"{span.first_year}-{span.last_year}": span.known_year(span.last_year) for span in spans
    }


def series_sources(about: Mapping[str, Sequence[SeriesColumn]]) -> list[dict[str, object]]:
    """Describe every span of every series like a column of a base year's table.

    Parameters
    ----------
    about : mapping of str to sequence of SeriesColumn
        Spans of every series.

    Returns
    -------
    list of dict
        ``column``, ``dims``, ``unit``, ``data_year`` and ``known_year`` (first to last where they
        differ), ``status``, ``source``, ``note``, one per span.
    """
    rows: list[dict[str, object]] = []
    for name, spans in about.items():
        for span in spans:
            known = [span.known_year(year) for year in (span.first_year, span.last_year)]
            if name in MOVES:
                known = known[-1:]
            rows.append(
                {
                    "column": f"annual: {name}" if name not in MOVES else f"five years: {name}",
                    "dims": "region, year" if name not in MOVES else "region, period",
                    "unit": span.unit,
                    "data_year": _span([span.first_year, span.last_year]),
                    "known_year": _span(known),
                    "status": span.status,
                    "source": span.source,
                    "note": span.note,
                }
            )
    return rows


def _span(years: Sequence[int]) -> str:
    return str(years[0]) if years[0] == years[-1] else f"{years[0]}-{years[-1]}"


def _faults(about: dict[str, tuple[SeriesColumn, ...]]) -> list[Fault]:
    """Find spans that overlap, and figures known before their own year."""
    faults = []
    for name, spans in about.items():
        for span in spans:
            where = f"history_columns.csv, {name} {span.first_year}-{span.last_year}"
            if span.first_year > span.last_year:
                faults.append(Fault(where, "ends before it begins", "swap the years"))
            elif span.known_year(span.last_year) < span.last_year:
                faults.append(
                    Fault(where, f"is known before its own year ({span.known})", "mend the rule")
                )
        # Periods of moves share the year in which one ends and the next begins.
        share = 1 if name in MOVES else 0
        ordered = sorted(spans, key=lambda span: span.first_year)
        faults += [
            Fault(
                f"history_columns.csv, {name}",
                f"has two lines for {later.first_year}",
                "give every year one line",
            )
            for earlier, later in itertools.pairwise(ordered)
            if later.first_year < earlier.last_year + 1 - share
        ]
    return faults


@lru_cache(maxsize=8)
def read_series_columns(folder: Path) -> dict[str, tuple[SeriesColumn, ...]]:
    """Spans of every series of a shipped table, by name, in the table's order.

    Raises
    ------
    DataError
        If spans overlap, or a figure would be known before its own year.
    """
    found: dict[str, list[SeriesColumn]] = {}
    with (folder / "history_columns.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            found.setdefault(row["variable"], []).append(
                SeriesColumn(
                    row["variable"],
                    row["unit"],
                    int(row["first_year"]),
                    int(row["last_year"]),
                    row["known"],
                    row["status"],
                    row["source"],
                    row["note"],
                )
            )
    about = {name: tuple(spans) for name, spans in found.items()}
    faults = _faults(about)
    if faults:
        raise DataError(faults)
    return about
