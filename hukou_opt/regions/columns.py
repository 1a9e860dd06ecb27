"""What every column of a region table means: unit, year, source, and when it became known."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: Fixed labels of a region, allowed beside the figures in a user's own table.
LABELS = ("name_en", "name_zh", "short_zh", "macro_region", "clusters", "tile_row", "tile_col")
#: Labels of one's own regions: the shipped province above, and the group in the table of origins.
OWN_LABELS = ("parent", "origin_group")
#: Macro-regions of the national statistics office.
MACRO_REGIONS = ("Eastern", "Central", "Western", "Northeastern")


@dataclass(frozen=True)
class Column:
    """One official figure of every region.

    Parameters
    ----------
    name : str
        Name of the column.
    unit : str
        Unit; ``1`` for a share.
    data_year : int
        Year of the figure itself.
    known_year : int
        Year in which the figure was published; the same for revised series, year of the revision.
    status : str
        ``official`` for every shipped column.
    source : str
        Statistical publication.
    note : str
        What to know before use; may be empty.
    """

    name: str
    unit: str
    data_year: int
    known_year: int
    status: str
    source: str
    note: str


@dataclass(frozen=True)
class NationalFigure:
    """One national figure, used to scale or to check the regions.

    Parameters
    ----------
    name : str
        Name of the series.
    year : int
        Year of the figure.
    value : float
        Value in `unit`.
    unit : str
        Unit.
    known_year : int
        Year in which the figure was published.
    status : str
        ``official`` or ``official, recalled``: the latter was not read again in the publication.
    source : str
        Statistical publication.
    note : str
        What to know before use; may be empty.
    """

    name: str
    year: int
    value: float
    unit: str
    known_year: int
    status: str
    source: str
    note: str


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@lru_cache(maxsize=8)
def read_columns(folder: Path) -> dict[int, dict[str, Column]]:
    """Columns of a shipped region table, by base year and name, in the table's order."""
    found: dict[int, dict[str, Column]] = {}
    for row in _rows(folder / "columns.csv"):
        found.setdefault(int(row["base_year"]), {})[row["column"]] = Column(
            row["column"],
            row["unit"],
            int(row["data_year"]),
            int(row["known_year"]),
            row["status"],
            row["source"],
            row["note"],
        )
    return found


@lru_cache(maxsize=8)
def read_national(folder: Path) -> dict[tuple[str, int], NationalFigure]:
    """National figures of a shipped region table, by name and year."""
    return {
        (row["variable"], int(row["year"])): NationalFigure(
            row["variable"],
            int(row["year"]),
            float(row["value"]),
            row["unit"],
            int(row["known_year"]),
            row["status"],
            row["source"],
            row["note"],
        )
        for row in _rows(folder / "national.csv")
    }
