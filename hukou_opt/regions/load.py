"""Read a region table, shipped or a user's own, and refuse it with all its faults at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError, Fault, did_you_mean
from hukou_opt.regions import schema
from hukou_opt.regions.columns import (
    LABELS,
    Column,
    NationalFigure,
    read_columns,
    read_national,
)
from hukou_opt.regions.methods import required_columns

#: Name of the shipped region table.
SHIPPED = "china_provinces"
#: Layout of the shipped folder that this code reads.
SCHEMA_VERSION = 1
#: Base year that the estimates are made for.
BASE_YEAR = 2023


@dataclass(frozen=True, eq=False)
class Regions:
    """Official figures of all regions for one base year.

    Parameters
    ----------
    name : str
        Name of the shipped table, or the file name of the user's own.
    base_year : int
        Year at whose end the base-year figures stand.
    labels : DataFrame
        Names, macro-region, city cluster and place on the tile map, by region code.
    table : DataFrame
        Official figures by region code; a figure of another year carries the year in its name.
    columns : mapping of str to Column
        Unit, years and source of every column.
    national : mapping of (str, int) to NationalFigure
        National figures by series and year.
    birthplace : DataFrame or None
        Persons by region of birth (rows) and of residence (columns); None when unknown.
    birthplace_about : Column or None
        Years and source of the matrix of birthplaces.
    withheld : tuple of str
        What became known only after the `known_by` year and is therefore left out.
    coverage : float
        The regions' part of the country's population, 1 for the whole country; national totals
        (births, deaths, transfers, land) are scaled by it.
    identity : str
        SHA-256 of all figures and labels, in hexadecimal.
    """

    name: str
    base_year: int
    labels: pd.DataFrame
    table: pd.DataFrame
    columns: Mapping[str, Column]
    national: Mapping[tuple[str, int], NationalFigure]
    birthplace: pd.DataFrame | None
    birthplace_about: Column | None
    withheld: tuple[str, ...]
    coverage: float
    identity: str

    @property
    def codes(self) -> tuple[str, ...]:
        """Region codes in the table's order."""
        return tuple(str(code) for code in self.table.index)

    def figure(self, name: str) -> NDArray[np.float64]:
        """Return one column in the table's order.

        Raises
        ------
        DataError
            If the table lacks the column or it became known too late.
        """
        if name not in self.table:
            late = name in self.withheld
            raise DataError(
                Fault(
                    f"{self.name} {self.base_year}, column {name!r}",
                    "became known too late" if late else "is missing",
                    "choose a later known_by"
                    if late
                    else did_you_mean(name, [str(known) for known in self.table]),
                )
            )
        return self.table[name].to_numpy(dtype=float)

    def has(self, *names: str) -> bool:
        """Say whether the table has all these columns."""
        return set(names) <= set(self.table.columns)

    def country(self, name: str, year: int) -> float:
        """Return a national figure.

        Raises
        ------
        DataError
            If there is none for the year, or it became known too late.
        """
        if (name, year) not in self.national:
            years = sorted(known for series, known in self.national if series == name)
            raise DataError(
                Fault(
                    f"{self.name}, national figure {name!r}",
                    f"is missing for {year}",
                    f"years at hand: {', '.join(map(str, years)) or 'none'}",
                )
            )
        return self.national[name, year].value


def _identity(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _identified(regions: Regions) -> Regions:
    """Fill in the identity from every figure and label."""
    matrix = regions.birthplace
    parts = [
        str(regions.base_year),
        regions.table.to_csv(),
        regions.labels.to_csv(),
        "" if matrix is None else matrix.to_csv(),
        *(f"{key} {figure.value!r}" for key, figure in regions.national.items()),
    ]
    return replace(regions, identity=_identity(parts))


def _birthplace(
    folder: Path, about: Mapping[str, Any], codes: tuple[str, ...]
) -> tuple[pd.DataFrame, Column, list[Fault]]:
    file = str(about["file"])
    column = Column(
        "birthplace",
        str(about["unit"]),
        int(about["data_year"]),
        int(about["known_year"]),
        str(about["status"]),
        str(about["source"]),
        str(about["note"]),
    )
    matrix = pd.read_csv(folder / file, dtype={"code": str}).set_index("code")
    faults = schema.check_birthplace(matrix, codes, file)
    if not faults:
        matrix = matrix.loc[list(codes), list(codes)].astype(float)
    return matrix, column, faults


def _labels(cells: pd.DataFrame) -> pd.DataFrame:
    labels = pd.DataFrame(index=pd.Index(cells["code"], name="code"))
    for name in LABELS:
        given = cells[name] if name in cells else pd.Series([""] * len(cells))
        labels[name] = [str(value).strip() for value in given]
    for name in ("name_en", "name_zh", "short_zh"):
        labels[name] = labels[name].where(labels[name] != "", labels.index.to_series())
    return labels


def _known(regions: Regions, known_by: int) -> Regions:
    """Leave out what was published after a year."""
    late = [name for name, column in regions.columns.items() if column.known_year > known_by]
    late = [name for name in late if name in regions.table]
    national = {
        key: figure for key, figure in regions.national.items() if figure.known_year <= known_by
    }
    about = regions.birthplace_about
    matrix_late = about is not None and about.known_year > known_by
    return replace(
        regions,
        table=regions.table.drop(columns=late),
        national=national,
        birthplace=None if matrix_late else regions.birthplace,
        withheld=(
            *late,
            *(
                f"national {name} {year}"
                for name, year in regions.national
                if (name, year) not in national
            ),
            *(("birthplace",) if matrix_late else ()),
        ),
        identity=_identity([regions.identity, f"known by {known_by}"]),
    )


def _read_folder(folder: Path, base: int) -> Regions:
    about = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    if about.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            Fault(
                f"{folder.name}/schema.json",
                f"has another schema version ({about.get('schema_version')!r})",
                f"use a folder of version {SCHEMA_VERSION}",
            )
        )
    columns = read_columns(folder)
    if base not in columns:
        years = sorted(columns)
        raise DataError(
            Fault(
                f"{folder.name}, base year {base}",
                "has no data",
                f"choose one of {', '.join(map(str, years))}",
            )
        )
    label_cells, faults = schema.read_cells(folder / "regions.csv", "regions.csv")
    if faults:
        raise DataError(faults)
    expected = list(label_cells["code"])
    where = f"{base}.csv"
    cells, faults = schema.read_cells(folder / where, where)
    if faults:
        raise DataError(faults)
    faults += schema.check_codes(expected, None, "regions.csv")
    faults += schema.check_labels(label_cells, "regions.csv")
    faults += schema.check_codes(list(cells["code"]), expected, where)
    faults += schema.check_missing(list(cells.columns), list(columns[base]), where)
    table, bad = schema.read_numbers(cells, columns[base], where)
    faults += [*bad, *schema.check_figures(table, columns[base], where, {f.where for f in bad})]
    national = read_national(folder)
    country = national.get(("resident_pop", base))
    faults += schema.check_total(
        table, country.value if country else None, float(about["population_tolerance"]), where
    )
    birthplace, matrix_about = None, None
    if str(base) in about["birthplace"]:
        birthplace, matrix_about, bad = _birthplace(
            folder, about["birthplace"][str(base)], tuple(expected)
        )
        faults += bad
    if faults:
        raise DataError(faults)
    table = table.loc[expected]
    labels = _labels(label_cells)
    return _identified(
        Regions(
            name=folder.name,
            base_year=base,
            labels=labels,
            table=table,
            columns=columns[base],
            national=national,
            birthplace=birthplace,
            birthplace_about=matrix_about,
            withheld=(),
            coverage=1.0,
            identity="",
        )
    )


def _expected_codes(codes: Collection[str]) -> list[str] | None:
    """Return the provinces' codes when the table has more than half of them, else None."""
    cells, _ = schema.read_cells(data_folder(SHIPPED) / "regions.csv", "regions.csv")
    provinces = list(cells["code"])
    shared = sum(code in provinces for code in set(codes))
    return provinces if shared * 2 > len(provinces) else None


def _read_own(path: Path, base: int) -> tuple[Regions | None, list[Fault]]:
    folder = data_folder(SHIPPED)
    columns = read_columns(folder)
    if base != BASE_YEAR:
        return None, [
            Fault(f"{path.name}, base year {base}", "has no data", f"use base year {BASE_YEAR}")
        ]
    where = path.name
    cells, faults = schema.read_cells(path, where)
    if faults:
        return None, faults
    codes = list(cells["code"])
    expected = _expected_codes(codes)
    faults += schema.check_codes(codes, expected, where)
    faults += schema.check_labels(cells, where)
    faults += schema.check_missing(list(cells.columns), required_columns(), where)
    table, bad = schema.read_numbers(cells, columns[base], where)
    faults += [*bad, *schema.check_figures(table, columns[base], where, {f.where for f in bad})]
    national = read_national(folder)
    shipped = _read_folder(folder, base)
    if expected is not None:
        tolerance = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
        faults += schema.check_total(
            table,
            national["resident_pop", base].value,
            float(tolerance["population_tolerance"]),
            where,
        )
    if faults:
        return None, faults
    labels = shipped.labels.loc[codes] if expected is not None else _labels(cells)
    birthplace = (
        shipped.birthplace.loc[codes, codes]
        if (expected is not None and shipped.birthplace is not None)
        else None
    )
    part = float(table["resident_pop"].sum() / shipped.table["resident_pop"].sum())
    return (
        _identified(
            Regions(
                name=path.name,
                base_year=base,
                labels=labels,
                table=table,
                columns=columns[base],
                national=national,
                birthplace=birthplace,
                birthplace_about=shipped.birthplace_about if birthplace is not None else None,
                withheld=(),
                coverage=1.0 if expected is not None else part,
                identity="",
            )
        ),
        [],
    )


def load_regions(
    name_or_path: str | Path = SHIPPED, *, base: int = BASE_YEAR, known_by: int | None = None
) -> Regions:
    """Load the official figures of all regions for one base year.

    Parameters
    ----------
    name_or_path : str or Path
        ``china_provinces``, a folder laid out like it, or a user's own CSV file with the same
        column names (one line per region, column ``code``).
    base : int
        Base year.
    known_by : int, optional
        Leave out everything published after this year, as an honest back-test must; what is left
        out is listed in `Regions.withheld`, and asking for it is an error.

    Raises
    ------
    DataError
        With every fault of the table at once.
    """
    shipped = data_folder(str(name_or_path))
    path = (
        shipped if shipped.is_dir() and (shipped / "schema.json").is_file() else Path(name_or_path)
    )
    if path.is_dir() and (path / "schema.json").is_file():
        regions = _read_folder(path, base)
    elif path.is_file():
        own, faults = _read_own(path, base)
        if own is None:
            raise DataError(faults)
        regions = own
    else:
        raise DataError(
            Fault(
                f"regions {str(name_or_path)!r}",
                "is neither a shipped table nor a file",
                f"give {SHIPPED!r} or the path of a CSV file",
            )
        )
    return regions if known_by is None else _known(regions, known_by)


def check_table(path: str | Path) -> list[Fault]:
    """List all faults of a user's own region table; an empty list means that it can be used.

    Parameters
    ----------
    path : str or Path
        A CSV file with one line per region and the column names of the shipped table. A table with
        more than half of the provinces' codes is taken as a table of the provinces: then a missing
        or unknown code is a fault. Otherwise any codes may be used, one region or more.
    """
    try:
        load_regions(path)
    except DataError as error:
        return list(error.faults)
    return []
