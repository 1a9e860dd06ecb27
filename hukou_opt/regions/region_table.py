"""The official figures of all regions for one base year, and what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hukou_opt.errors import DataError, Fault, did_you_mean
from hukou_opt.regions.columns import Column, NationalFigure


@dataclass(frozen=True, eq=False)
class Origins:
    """Where the migrants of one's own regions come from, as coarse as the user knows it.

    Parameters
    ----------
    persons : DataFrame
        10k persons by origin group (rows) and region of residence (columns, all of the table's).
    group : tuple of str
        Origin group of every region, in the table's order.
    """

    persons: pd.DataFrame
    group: tuple[str, ...]


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
    identity : str
        SHA-256 of all figures and labels, in hexadecimal.
    nation : Regions or None
        The shipped regions of the whole country, on which national constants are solved; None when
        these regions are the whole country themselves.
    origins : Origins or None
        Where the migrants of one's own regions come from, as the user gave it.
    notes : tuple of str
        How the table was read and what stands in for missing columns, one sentence each.
    fallbacks : tuple of str
        One line for each column that the user's table lacks: its name and what stands in for it.
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
    identity: str
    nation: Regions | None = None
    origins: Origins | None = None
    notes: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()

    @property
    def whole(self) -> Regions:
        """Regions of the whole country: these, or the shipped ones that stand for it."""
        return self if self.nation is None else self.nation

    @property
    def parents(self) -> tuple[str, ...]:
        """Shipped province above each region, empty for the nation; none for the country itself."""
        if "parent" not in self.labels:
            return ("",) * len(self.codes)
        return tuple(str(parent) for parent in self.labels["parent"])

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


def digest(parts: list[str]) -> str:
    """SHA-256 of texts, in hexadecimal."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def identified(regions: Regions) -> Regions:
    """Fill in the identity from every figure and label."""
    matrix = regions.birthplace
    parts = [
        str(regions.base_year),
        regions.table.to_csv(),
        regions.labels.to_csv(),
        "" if matrix is None else matrix.to_csv(),
        *(f"{key} {figure.value!r}" for key, figure in regions.national.items()),
    ]
    # What only a user's own table has; the identity of the shipped one does not depend on it.
    if regions.nation is not None:
        parts.append(regions.nation.identity)
    if regions.origins is not None:
        parts.append(regions.origins.persons.to_csv())
        parts.append(" ".join(regions.origins.group))
    return replace(regions, identity=digest(parts))
