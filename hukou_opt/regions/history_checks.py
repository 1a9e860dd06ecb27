"""Checks of a table of annual series; every fault of a file is listed in one pass."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.regions import schema
from hukou_opt.regions.history_columns import SeriesColumn

#: Column with the year in which a whole line became known, and ending for a single series.
LINE_KNOWN = "known_year"
SERIES_KNOWN = "_known"
#: A figure counts as known so many years after its own where the file says nothing.
PUBLISHED_AFTER = 1
#: Highest believable value of units that only annual series have: not more than a seventh of the
#: residents go to junior secondary school, three years of age.
HIGHEST = {
    **schema.HIGHEST,
    "per 100k residents": (15_000.0, "give pupils per 100,000 residents"),
}
#: A figure that is so many times its region's median, or a region's median that is so many times
#: the regions' median, is in another unit: persons for 10k persons is a factor of 10,000.
OTHER_UNIT = 1_000.0
#: Series of which there are two vintages: revised after the 2020 census, and as first published.
VINTAGES = (("resident_pop", "resident_pop_prerev"), ("urban_share", "urban_share_prerev"))
#: Vintages are told apart only where they differ by more than this, in relative terms.
DIFFER = 1e-3
#: A figure is taken from a vintage from which it differs by less: rounding.
SAME = 5e-5
#: A series is taken as copied from the statistics office when this part of it is.
COPIED = 0.5
#: Cells named in one message.
NAMED = 12


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a table of annual series.

    Parameters
    ----------
    figures : DataFrame
        Figures by code and year; one column per series, empty cells missing.
    stated : DataFrame
        Year in which each figure became known where the file states it, else missing.
    """

    figures: pd.DataFrame
    stated: pd.DataFrame


def _whole(text: str) -> int | None:
    try:
        # A spreadsheet may write a whole number with a decimal.
        return int(text.removesuffix(".0"))
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _header(present: Sequence[str], series: Sequence[str], where: str) -> list[Fault]:
    allowed = ["code", "year", LINE_KNOWN, *series, *(f"{name}{SERIES_KNOWN}" for name in series)]
    faults = [
        Fault(f"{where} line 1, column {name!r}", "is unknown", did_you_mean(name, allowed))
        for name in present
        if name not in allowed
    ]
    if "year" not in present:
        faults.append(Fault(f"{where} line 1", "has no column 'year'", "add the column"))
    elif not set(present) & set(series):
        faults.append(
            Fault(f"{where} line 1", "has no series", f"known names: {', '.join(series)}")
        )
    return faults


def read_lines(path: Path, series: Sequence[str], where: str) -> tuple[Lines, list[Fault]]:
    """Read annual series, one line per code and year; cells that are no numbers are faults.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV file with the columns ``code``, ``year`` and some of the series.
    series : sequence of str
        Names of the series that there are.
    where : str
        Name of the file in messages.
    """
    nothing = Lines(pd.DataFrame(), pd.DataFrame())
    cells, faults = schema.read_cells(path, where)
    if faults:
        return nothing, faults
    present = [str(name) for name in cells.columns]
    faults = _header(present, series, where)
    if "year" not in present:
        return nothing, faults
    given = [name for name in series if name in present]
    figures: dict[tuple[str, int], dict[str, float]] = {}
    stated: dict[tuple[str, int], dict[str, float]] = {}
    for number, texts in enumerate(cells.to_numpy(dtype=str), start=2):
        row = dict(zip(present, map(str, texts), strict=True))
        code, year = row["code"], _whole(row["year"].strip())
        place = f"{where} line {number}"
        if not code:
            faults.append(Fault(place, "has no region code", "fill in the code"))
            continue
        if year is None:
            faults.append(
                Fault(f"{place}, region {code}", f"has no year ({row['year']!r})", "give a year")
            )
            continue
        if (code, year) in figures:
            faults.append(Fault(f"{place}, region {code}, {year}", "stands twice", "keep one line"))
            continue
        line = dict.fromkeys(given, math.nan)
        for name in given:
            text = row[name].strip()
            if text and (value := _number(text)) is None:
                faults.append(
                    Fault(
                        f"{place}, region {code}, {year}, column {name!r}",
                        f"is not a number ({text!r})",
                        "give plain digits without thousands separators, or leave it empty",
                    )
                )
            elif text:
                line[name] = float(text) if value is None else value
        figures[code, year] = line
        stated[code, year], bad = _stated(row, given, year, f"{place}, region {code}, {year}")
        faults += bad
    index = pd.MultiIndex.from_tuples(list(figures), names=["code", "year"]) if figures else None
    if index is None:
        return nothing, [*faults, Fault(where, "has no figures", "give one line per year")]
    return (
        Lines(
            pd.DataFrame(list(figures.values()), index=index, columns=given),
            pd.DataFrame(list(stated.values()), index=index, columns=given),
        ),
        faults,
    )


def _stated(
    row: Mapping[str, str], given: Sequence[str], year: int, place: str
) -> tuple[dict[str, float], list[Fault]]:
    """Read when the figures of one line became known, where the file says so."""
    faults = []
    years: dict[str, float] = {}
    for column in (LINE_KNOWN, *(f"{name}{SERIES_KNOWN}" for name in given)):
        text = row.get(column, "").strip()
        if not text:
            continue
        known = _whole(text)
        if known is None:
            faults.append(Fault(f"{place}, column {column!r}", f"is no year ({text!r})", "mend it"))
        elif known < year:
            faults.append(
                Fault(
                    f"{place}, column {column!r}",
                    f"lies before the year of the figure ({known})",
                    "give the year in which the figure was published",
                )
            )
        else:
            years[column] = known
    line = years.get(LINE_KNOWN, math.nan)
    return {name: years.get(f"{name}{SERIES_KNOWN}", line) for name in given}, faults


def check_figures(
    lines: Lines, about: Mapping[str, Sequence[SeriesColumn]], where: str
) -> list[Fault]:
    """List negative and implausible figures: percents for shares, persons for 10k persons."""
    faults: list[Fault] = []
    for name in map(str, lines.figures):
        unit = about[name][0].unit
        highest, fix = HIGHEST[unit]
        values = lines.figures[name].dropna()
        own = values.groupby(level="code").transform("median")
        centres = values.groupby(level="code").median()
        centre = float(centres.median()) if len(centres) else math.nan
        for code, year, value in _items(values):
            place = f"{where}, region {code}, {year}, column {name!r}"
            must = name.startswith(schema.POSITIVE)
            if value < 0 or (must and value == 0):
                kind = "negative" if value < 0 else "zero"
                faults.append(Fault(place, f"is {kind} ({value:g})", f"give it in {unit}"))
            elif value > highest:
                what = (
                    f"is a share above 1, probably a percentage ({value:g})"
                    if unit == "1"
                    else f"is out of bounds ({value:g})"
                )
                faults.append(Fault(place, what, fix))
            elif _far(value, own[code, year]):
                faults.append(
                    Fault(
                        place,
                        f"is {_times(value, own[code, year])} the middle of the region's years "
                        f"({value:g})",
                        f"give it in {unit}",
                    )
                )
        faults += [
            Fault(
                f"{where}, region {code}, column {name!r}",
                f"is {_times(middle, centre)} the middle of all regions ({middle:g})",
                f"give it in {unit}",
            )
            for code, middle in centres.items()
            if _far(middle, centre) and middle <= highest
        ]
    return faults + _check_parts(lines, about, where)


def _items(values: pd.Series) -> list[tuple[str, int, float]]:
    """Code, year and value of every line."""
    codes, years = (values.index.get_level_values(level) for level in ("code", "year"))
    return [
        (str(code), int(year), float(value))
        for code, year, value in zip(codes, years, values.to_numpy(), strict=True)
    ]


def _far(value: float, middle: float) -> bool:
    return value > 0 and middle > 0 and not 1 / OTHER_UNIT < value / middle < OTHER_UNIT


def _times(value: float, middle: float) -> str:
    ratio = value / middle
    return f"{ratio:,.0f} times" if ratio > 1 else f"one {1 / ratio:,.0f}th of"


def _check_parts(
    lines: Lines, about: Mapping[str, Sequence[SeriesColumn]], where: str
) -> list[Fault]:
    """Find more pupils or beds than the residents can have."""
    peoples = [name for pair in VINTAGES[:1] for name in pair if name in lines.figures]
    if not peoples:
        return []
    residents = lines.figures[peoples].max(axis=1)
    faults = []
    for name in map(str, lines.figures):
        unit = about[name][0].unit
        if name in peoples or unit not in ("10k persons", "10k beds"):
            continue
        part = schema.BEDS_PER_RESIDENT if unit == "10k beds" else 1.0
        values = lines.figures[name]
        over = (values > part * residents) & (values <= HIGHEST[unit][0])
        faults += [
            Fault(
                f"{where}, region {code}, {year}, column {name!r}",
                f"does not fit {residents[code, year]:g} 10k residents ({value:g} {unit})",
                f"give it in {unit}",
            )
            for code, year, value in _items(values[over])
        ]
    return faults


def check_gaps(lines: Lines, shipped: xr.Dataset, where: str) -> list[Fault]:
    """Find years missing between a region's first and last figure of a series.

    Parameters
    ----------
    lines : Lines
        The table.
    shipped : Dataset, dims (region, year)
        Known years of the shipped series; a year that these lack too is no fault.
    where : str
        Name of the file in messages.
    """
    faults = []
    for name in map(str, lines.figures):
        at_hand = shipped[name].any("region")
        first, last = int(shipped["year"].min()), int(shipped["year"].max())
        lacking = {
            year
            for year in range(first, last + 1)
            if year not in shipped["year"] or not bool(at_hand.sel(year=year))
        }
        years_of: dict[str, set[int]] = {}
        for code, year in lines.figures[name].dropna().index:
            years_of.setdefault(str(code), set()).add(int(year))
        for code, years in years_of.items():
            missing = sorted(set(range(min(years), max(years))) - years - lacking)
            if missing:
                faults.append(
                    Fault(
                        f"{where}, region {code}, column {name!r}",
                        f"has a gap ({', '.join(map(str, missing))})",
                        "fill in the years between the first and the last",
                    )
                )
    return faults


def _cells(cells: Collection[tuple[str, int]]) -> str:
    listed = [f"{code} {year}" for code, year in sorted(cells)]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def check_vintages(
    lines: Lines, values: xr.Dataset, known: xr.Dataset, where: str
) -> tuple[list[Fault], pd.DataFrame]:
    """Find series that mix two vintages, and say when every figure became known.

    Where a column is copied from the statistics office, a figure of the revised series became
    known with the revision, whatever its own year.

    Parameters
    ----------
    lines : Lines
        The table.
    values, known : Dataset, dims (region, year)
        The shipped series and the years in which they became known.
    where : str
        Name of the file in messages.

    Returns
    -------
    list of Fault, DataFrame
        Faults; year in which each figure became known, by code and year, missing without figure.
    """
    figures = lines.figures
    years = figures.index.get_level_values("year").to_numpy(dtype=float)
    usual = pd.DataFrame(
        np.repeat(years[:, None] + PUBLISHED_AFTER, figures.shape[1], axis=1),
        index=figures.index,
        columns=figures.columns,
    )
    when = lines.stated.fillna(usual).where(figures.notna())
    faults: list[Fault] = []
    for revised, first in VINTAGES:
        table = values[[revised, first]].to_dataframe()
        apart = table[(table[first] / table[revised] - 1).abs() > DIFFER].dropna()
        apart.index.names = ["code", "year"]
        since = known[revised].to_dataframe()[revised]
        for name in (revised, first):
            if name not in figures:
                continue
            column = figures[name].dropna()
            both = column.index.intersection(apart.index)
            mine, theirs = column.loc[both], apart.loc[both]
            late = both[((mine / theirs[revised] - 1).abs() < SAME).to_numpy()]
            early = both[((mine / theirs[first] - 1).abs() < SAME).to_numpy()]
            if len(late) + len(early) < COPIED * max(len(both), 1):
                continue
            if len(late) and len(early):
                fewer, label = (
                    (late, "of the revised series")
                    if len(late) <= len(early)
                    else (early, "as first published")
                )
                faults.append(
                    Fault(
                        f"{where}, column {name!r}",
                        f"mixes two vintages: {len(early)} figures as first published, "
                        f"{len(late)} of the revised series; {label}: {_cells(list(fewer))}",
                        f"keep {revised} (revised) and {first} (as first published) apart",
                    )
                )
            for cell in late:
                published = int(since[cell])
                stated = lines.stated.loc[cell, name]
                if pd.notna(stated) and stated < published:
                    faults.append(
                        Fault(
                            f"{where}, region {cell[0]}, {cell[1]}, column {name!r}",
                            f"is the revised figure, which became known in {published} "
                            f"(stated: {stated:g})",
                            f"state {published}, or give the figure as first published",
                        )
                    )
                when.loc[cell, name] = max(float(when.loc[cell, name]), published)
    return faults, when


def check_planted(known: pd.DataFrame, known_by: int, where: str) -> list[Fault]:
    """Refuse figures that became known after the year whose knowledge may be used."""
    faults = []
    for name in map(str, known):
        late = known[name].dropna()
        for code, year, when in _items(late[late > known_by]):
            faults.append(
                Fault(
                    f"{where}, region {code}, {year}, column {name!r}",
                    f"became known in {when:g}, after {known_by}: a planted figure",
                    f"take it out, or use known_by {when:g}",
                )
            )
    return faults
