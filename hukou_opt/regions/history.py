"""Annual series of the regions: what each year's figure was, and when it became known.

A back-test may only use what a researcher of its year could have had. So every figure carries the
year in which it became known, and a figure that became known later is refused by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError, Fault, did_you_mean
from hukou_opt.regions import history_checks, schema
from hukou_opt.regions.gathered import gathered
from hukou_opt.regions.history_columns import (
    MOVES,
    SeriesColumn,
    known_year,
    read_series_columns,
)
from hukou_opt.regions.history_moves import no_moves, read_moves

#: Name of the shipped table.
SHIPPED = data_folder().name
#: Files of a folder of annual series.
FILES = ("history.csv", "history_columns.csv", "regions.csv")
#: Known year where there is no figure.
NO_FIGURE = 0
#: Ending of the series as first published, beside the revised series of the same name.
FIRST_PUBLISHED = "_prerev"
#: Regions named in one message.
NAMED = 5


@dataclass(frozen=True, eq=False)
class History:
    """Annual series of all regions with the year in which every figure became known.

    Parameters
    ----------
    name : str
        Name of the shipped table, or the file name of the user's own.
    codes : tuple of str
        Region codes in the table's order.
    values : Dataset, dims (region, year)
        One variable per series, in the units of `about`. Missing where a figure was not published
        or became known after `known_by`.
    known : Dataset, dims (region, year)
        Year in which each figure became known, 0 where there is none; also of withheld figures.
    moves : Dataset, dims (region, period)
        ``in_moves`` and ``out_moves`` across borders within five years, 10k persons, by period
        such as ``2005-2010``; no period where there is no such table. ``known_year`` (period).
    about : mapping of str to tuple of SeriesColumn
        Unit, years, source and note of every series, one entry per span of years.
    known_by : int or None
        Last year whose knowledge may be used; None for all.
    identity : str
        SHA-256 of all figures and known years, in hexadecimal.
    """

    name: str
    codes: tuple[str, ...]
    values: xr.Dataset
    known: xr.Dataset
    moves: xr.Dataset
    about: Mapping[str, tuple[SeriesColumn, ...]]
    known_by: int | None
    identity: str

    def series(self, name: str, first: int, last: int) -> xr.DataArray:
        """Return a series over consecutive years, complete and known in time.

        Parameters
        ----------
        name : str
            Name of the series.
        first, last : int
            First and last year.

        Returns
        -------
        DataArray, dims (region, year)
            Figures in the unit of the series.

        Raises
        ------
        DataError
            With every year that lacks a figure or whose figure became known after `known_by`.
        """
        if last < first:
            raise DataError(
                Fault(
                    f"{self.name} history, {name} {first}-{last}",
                    "ends before it begins",
                    "give the first year, then the last",
                )
            )
        return self._years(name, list(range(first, last + 1)))

    def at(self, name: str, year: int) -> NDArray[np.float64]:
        """Return one year of a series, in the order of `codes`.

        Raises
        ------
        DataError
            If a region lacks the figure, or it became known after `known_by`.
        """
        found: NDArray[np.float64] = self._years(name, [year]).isel(year=0).to_numpy()
        return found

    def last_known(self, name: str) -> int:
        """Return the last year for which all regions have a figure known by `known_by`.

        Raises
        ------
        DataError
            If there is no such year.
        """
        self._check_name(name)
        whole = self.values[name].notnull().all("region").to_numpy()
        if not whole.any():
            raise DataError(
                Fault(
                    f"{self.name} history, {name}",
                    "has no year with figures of all regions" + self._limit(),
                    f"years at hand: {self._at_hand(name)}",
                )
            )
        return int(self.values["year"].to_numpy()[whole].max())

    def moves_in_out(self, period: str) -> xr.Dataset:
        """Return the moves across borders within five years.

        Parameters
        ----------
        period : str
            Such as ``2010-2015``.

        Returns
        -------
        Dataset, dims (region)
            ``in_moves`` and ``out_moves``, 10k persons.

        Raises
        ------
        DataError
            If there is no table of the period, or it became known after `known_by`.
        """
        at_hand = [str(label) for label in self.moves["period"].to_numpy()]
        where = f"{self.name} history, moves {period}"
        if period not in at_hand:
            raise DataError(
                Fault(where, "are not in the table", f"periods: {', '.join(at_hand) or 'none'}")
            )
        found = self.moves.sel(period=period, drop=True)
        known = int(found["known_year"])
        if self.known_by is not None and known > self.known_by:
            earlier = [
                label
                for label in at_hand
                if int(self.moves["known_year"].sel(period=label)) <= self.known_by
            ]
            hint = f"use period {earlier[-1]}, or known_by {known}" if earlier else ""
            raise DataError(
                Fault(
                    where,
                    f"became known in {known}, after {self.known_by}",
                    hint or f"use known_by {known}",
                )
            )
        return found.drop_vars("known_year")

    def _check_name(self, name: str) -> None:
        if name not in self.values:
            raise DataError(
                Fault(
                    f"{self.name} history, {name!r}",
                    "is not a series of this table",
                    did_you_mean(name, [str(known) for known in self.values]),
                )
            )

    def _limit(self) -> str:
        return "" if self.known_by is None else f" known by {self.known_by}"

    def _at_hand(self, name: str) -> str:
        whole = self.values[name].notnull().all("region").to_numpy()
        return spans([int(year) for year in self.values["year"].to_numpy()[whole]]) or "none"

    def _years(self, name: str, years: list[int]) -> xr.DataArray:
        self._check_name(name)
        present = [int(year) for year in self.values["year"].to_numpy()]
        faults: list[Fault] = []
        for year in years:
            if year not in present:
                faults.append(self._absent(name, year, ""))
                continue
            faults += self._faults(name, year)
        if faults:
            raise DataError(faults)
        return self.values[name].sel(year=years)

    def _absent(self, name: str, year: int, regions: str) -> Fault:
        return Fault(
            f"{self.name} history, {name} {year}{regions}",
            "is not in the table",
            f"years at hand: {self._at_hand(name)}",
        )

    def _faults(self, name: str, year: int) -> list[Fault]:
        """List what one year of a series lacks, and what became known too late."""
        known = self.known[name].sel(year=year).to_numpy()
        faults = []
        absent = known == NO_FIGURE
        if absent.any():
            faults.append(self._absent(name, year, self._regions(absent)))
        if self.known_by is None:
            return faults
        for late in sorted({int(when) for when in known if when > self.known_by}):
            faults.append(
                Fault(
                    f"{self.name} history, {name} {year}{self._regions(known == late)}",
                    f"became known in {late}, after {self.known_by}",
                    f"{self._earlier(name, year) or 'use '}known_by {late}",
                )
            )
        return faults

    def _regions(self, chosen: NDArray[np.bool_]) -> str:
        """Name the regions, or none when it is all of them."""
        if chosen.all():
            return ""
        codes = [code for code, is_it in zip(self.codes, chosen, strict=True) if is_it]
        more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
        return f", region {', '.join(codes[:NAMED])}{more}"

    def _earlier(self, name: str, year: int) -> str:
        """Point to the series as first published, where that was known in time."""
        other = f"{name}{FIRST_PUBLISHED}"
        if other not in self.values:
            return ""
        in_time = self.values[other].sel(year=year).notnull().all()
        return f"use {other}, or " if bool(in_time) else ""


def spans(years: list[int]) -> str:
    """Write years as spans: ``2005-2007, 2009``."""
    parts: list[list[int]] = []
    for year in sorted(years):
        if parts and year == parts[-1][-1] + 1:
            parts[-1].append(year)
        else:
            parts.append([year])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _grid(cells: pd.DataFrame, codes: tuple[str, ...], years: list[int]) -> xr.Dataset:
    """Lay out lines of (code, year) as region by year; missing lines stay empty."""
    index = pd.MultiIndex.from_product([codes, years], names=["region", "year"])
    full = cells.reindex(index)
    shape = (len(codes), len(years))
    return xr.Dataset(
        {str(name): (("region", "year"), full[name].to_numpy().reshape(shape)) for name in full},
        coords={"region": list(codes), "year": years},
    )


def _made(
    name: str,
    cells: pd.DataFrame,
    known: pd.DataFrame,
    codes: tuple[str, ...],
    moves: xr.Dataset,
    about: Mapping[str, tuple[SeriesColumn, ...]],
    known_by: int | None,
) -> History:
    """Put a history together, withhold what became known too late, and name it by its hash."""
    years = sorted({int(year) for year in cells.index.get_level_values("year")})
    values = _grid(cells, codes, years)
    published = _grid(known, codes, years).fillna(NO_FIGURE).astype(np.int64)
    parts = [
        values.to_dataframe().to_csv(),
        published.to_dataframe().to_csv(),
        moves.to_dataframe().to_csv(),
        "" if known_by is None else f"known by {known_by}",
    ]
    if known_by is not None:
        values = values.where(published <= known_by)
        late = moves["known_year"] > known_by
        moves = moves.assign({each: moves[each].where(~late) for each in MOVES})
    for each, spans_of in about.items():
        holder = values if each in values else moves
        if each in holder:
            holder[each].attrs["units"] = spans_of[0].unit
    identity = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return History(name, codes, values, published, moves, about, known_by, identity)


def _read_folder(folder: Path, known_by: int | None) -> History:
    lacking = [name for name in FILES if not (folder / name).is_file()]
    if lacking:
        raise DataError(
            Fault(f"folder {folder.name!r}", f"lacks {name}", f"lay it out like {SHIPPED}")
            for name in lacking
        )
    about = read_series_columns(folder)
    labels, faults = schema.read_cells(folder / "regions.csv", "regions.csv")
    if faults:
        raise DataError(faults)
    codes = tuple(str(code) for code in labels["code"])
    series = [name for name in about if name not in MOVES]
    cells, faults = history_checks.read_lines(folder / "history.csv", series, "history.csv")
    if faults:
        raise DataError(faults)
    figures = cells.figures
    known = pd.DataFrame(np.nan, index=figures.index, columns=figures.columns)
    for name in series:
        for year in sorted(set(figures.index.get_level_values("year"))):
            when = known_year(about[name], int(year))
            here = figures.index.get_level_values("year") == year
            present = here & figures[name].notna().to_numpy()
            if present.any() and when is None:
                faults.append(
                    Fault(
                        f"history_columns.csv, {name}",
                        f"has no span with the year {year}",
                        "add a line that says when the figure became known",
                    )
                )
            elif when is not None:
                known.loc[present, name] = when
    if faults:
        raise DataError(faults)
    moves = read_moves(folder, codes, about)
    return _made(folder.name, figures, known, codes, moves, about, known_by)


def _read_own(path: Path, known_by: int | None) -> History:
    shipped = _read_folder(data_folder(SHIPPED), None)
    series = [str(name) for name in shipped.values]
    lines, faults = history_checks.read_lines(path, series, path.name)
    if faults and lines.figures.empty:
        raise DataError(gathered(faults))
    faults += history_checks.check_figures(lines, shipped.about, path.name)
    faults += history_checks.check_gaps(lines, shipped.known, path.name)
    vintage, known = history_checks.check_vintages(lines, shipped.values, shipped.known, path.name)
    faults += vintage
    if known_by is not None:
        faults += history_checks.check_planted(known, known_by, path.name)
    if faults:
        raise DataError(gathered(faults))
    figures = lines.figures.dropna(axis="columns", how="all")
    years = [int(year) for year in figures.index.get_level_values("year")]
    about = {
        str(name): (
            SeriesColumn(
                str(name),
                shipped.about[str(name)][0].unit,
                min(years),
                max(years),
                "own",
                "own",
                path.name,
                "",
            ),
        )
        for name in figures
    }
    codes = tuple(dict.fromkeys(str(code) for code in figures.index.get_level_values("code")))
    return _made(path.name, figures, known[list(figures)], codes, no_moves(codes), about, known_by)


def load_history(name_or_path: str | Path = SHIPPED, *, known_by: int | None = None) -> History:
    """Load the annual series of all regions, with the year in which every figure became known.

    Parameters
    ----------
    name_or_path : str or Path
        ``china_provinces``, a folder laid out like it, or a user's own CSV file: columns ``code``
        and ``year``, the series of the shipped table, and, if wanted, ``known_year`` (of the line)
        or ``NAME_known`` (of one series). Without them a figure counts as known the year after.
    known_by : int, optional
        Withhold everything that became known after this year. A file of one's own must not have
        such a figure at all: it is refused, because it was not at hand then.

    Raises
    ------
    DataError
        With every fault of the file at once.
    """
    shipped = data_folder(str(name_or_path))
    folder = shipped if shipped.is_dir() else Path(name_or_path)
    if folder.is_dir():
        return _read_folder(folder, known_by)
    path = Path(name_or_path)
    if path.is_file():
        return _read_own(path, known_by)
    raise DataError(
        Fault(
            f"history {str(name_or_path)!r}",
            "is neither a shipped table nor a file",
            f"give {SHIPPED!r} or the path of a CSV file",
        )
    )
