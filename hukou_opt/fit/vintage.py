"""Gather what was known at a vintage: the window's yearly figures and the base year's figures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.fit.cohorts import Cohorts
from hukou_opt.fit.past import Known
from hukou_opt.fit.trends import PER_MILLE, Window
from hukou_opt.regions import load_regions
from hukou_opt.regions.base_year import TIERS
from hukou_opt.regions.estimates import AGE_GROUPS
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.history import FIRST_PUBLISHED, History
from hukou_opt.regions.load import Regions

#: Series of town and country by vintage: the revised ones of today, or as first published.
VINTAGES = {"revised": "", "first": FIRST_PUBLISHED}
#: Successive five-year tables of moves between regions.
EARLIER_TABLE, LATER_TABLE = "2005-2010", "2010-2015"
#: Years of a census, latest first.
CENSUSES = (2020, 2010)
#: First year of the published birth rates that ship.
FIRST_BIRTHS = 2005


def census_of(base: int) -> int:
    """Year of the last census by the end of a year."""
    return next(year for year in CENSUSES if year <= base)


def window_of(history: History, vintage: str, first: int, last: int) -> Window:
    """Yearly figures of a window at the history's vintage.

    A year without any figure is a gap; one whose figure became known too late is an error.

    Parameters
    ----------
    history : History
        Annual series, known by the vintage's year.
    vintage : {"revised", "first"}
        The series of today, or as first published.
    first, last : int
        First and last year.

    Raises
    ------
    DataError
        With every figure that is missing or became known too late; for too few years.
    """
    names = [f"{name}{VINTAGES[vintage]}" for name in ("resident_pop", "urban_share")]
    published = history.known[names[0]].max("region")
    years = [
        int(year)
        for year in history.known["year"].values
        if first < year < last and int(published.sel(year=year)) > 0
    ]
    years = [first, *years, last] if first < last else [first]
    values = []
    faults: list[Fault] = []
    for name in names:
        columns = []
        for year in years:
            try:
                columns.append(history.at(name, year))
            except DataError as error:
                faults += error.faults
        values.append(columns)
    if faults:
        raise DataError(faults)
    earlier, later = (
        net_table(history, period) if has_table(history, period) else None
        for period in (EARLIER_TABLE, LATER_TABLE)
    )
    counts = Nation(history.known_by)
    rates = [
        np.mean([natural_rate(history, counts, year) for year in range(a + 1, b + 1)], axis=0)
        for a, b in pairwise(years)
    ]
    return Window(
        codes=history.codes,
        years=tuple(years),
        population=np.stack(values[0], axis=1),
        urban_share=np.stack(values[1], axis=1),
        natural_rate=np.stack(rates, axis=1) if rates else np.empty((len(history.codes), 0)),
        earlier_moves=earlier,
        later_moves=later,
    )


def has_table(history: History, period: str) -> bool:
    """Whether the history has a table of moves that was known in time."""
    if period not in history.moves["period"].values:
        return False
    known = int(history.moves["known_year"].sel(period=period))
    return history.known_by is None or known <= history.known_by


def net_table(history: History, period: str) -> Array:
    """Net moves into each region in five years, 10k persons."""
    moves = history.moves_in_out(period)
    return np.asarray(moves["in_moves"].values - moves["out_moves"].values, dtype=float)


def _last_rates(history: History) -> int:
    return min(history.last_known("birth_rate"), history.last_known("death_rate"))


def births(history: History, population: str, year: int) -> Array:
    """Births of every region, 10k persons: published rate times residents at the year's end."""
    rate = history.at("birth_rate", year)
    return np.asarray(rate / PER_MILLE * history.at(population, year), dtype=float)


def natural_rate(history: History, counts: Nation, year: int) -> Array:
    """Births less deaths over residents, 1/year.

    After the last published rates of the regions these move with the births and deaths of the
    country, as far as they were known.
    """
    at = min(year, _last_rates(history))
    born, died = (history.at(f"{name}_rate", at) / PER_MILLE for name in ("birth", "death"))
    return np.asarray(
        born * counts.ratio("births", year, at) - died * counts.ratio("deaths", year, at),
        dtype=float,
    )


class Nation:
    """National figures that were known by a year.

    Parameters
    ----------
    known_by : int or None
        Last year whose knowledge may be used; None for all.
    """

    def __init__(self, known_by: int | None) -> None:
        self._regions = load_regions(base=CENSUSES[-1], known_by=known_by)

    def at(self, name: str, year: int) -> float:
        """Figure of a year, or of the last year before it that was known."""
        return national(self._regions, name, year)

    def ratio(self, name: str, year: int, reference: int) -> float:
        """Figure of a year over that of a reference year; one where they are the same."""
        return 1.0 if year == reference else self.at(name, year) / self.at(name, reference)


def national(regions: Regions, name: str, year: int) -> float:
    """National figure of a year, or of the last year before it that was known."""
    years = [known for series, known in regions.national if series == name and known <= year]
    if not years:
        raise DataError(
            Fault(
                f"national figure {name!r}",
                f"has no year up to {year} that was known in time",
                "choose a later vintage",
            )
        )
    return regions.country(name, max(years))


def hukou_path(regions: Regions, first: int, last: int) -> dict[int, float]:
    """National hukou rate of the years in which it was published and known in time."""
    years = [
        year
        for series, year in regions.national
        if series == "hukou_urban_rate" and first <= year <= last
    ]
    return {year: regions.country("hukou_urban_rate", year) for year in sorted(years)}


def hukou_rate_at(regions: Regions, year: int) -> float:
    """National hukou rate at a year's end; a year without a figure goes on from the two before."""
    path = hukou_path(regions, 0, year)
    if year in path:
        return path[year]
    before = sorted(path)[-2:]
    if len(before) < 2:
        raise DataError(
            Fault(
                f"national hukou rate {year}",
                f"is not known, nor are two years before it ({len(before)} known)",
                "choose a later year or a later vintage",
            )
        )
    slope = (path[before[1]] - path[before[0]]) / (before[1] - before[0])
    return path[before[1]] + slope * (year - before[1])


def known_at(history: History, vintage: str, year: int) -> Known:
    """Figures of a base year at the history's vintage.

    Raises
    ------
    DataError
        With every figure that is missing or became known too late.
    """
    limit = history.known_by
    ending = VINTAGES[vintage]
    census = census_of(year)
    counted = load_regions(base=census, known_by=limit)
    older = load_regions(base=CENSUSES[-1], known_by=limit)
    latest = load_regions(known_by=limit)
    if counted.codes != history.codes:
        raise DataError(
            Fault("regions of the history", "are not those of the censuses", "use the provinces")
        )
    last_births = _last_rates(history)
    cohorts = Cohorts(
        census=census,
        counted={column: counted.figure(column) for _, _, column in AGE_GROUPS},
        births={
            born: births(history, f"resident_pop{ending}", born)
            for born in range(FIRST_BIRTHS, last_births + 1)
        },
    )
    # City sizes change slowly: the list of 2020 also serves earlier years once it was known.
    cities = load_regions(base=CENSUSES[0], known_by=limit)
    tiers = None
    names = [f"tier_share_{tier}" for tier in TIERS]
    if cities.has(*names):
        shares = np.stack([cities.figure(name) for name in names], axis=1)
        tiers = shares / shares.sum(axis=1, keepdims=True)
    matrix = latest.birthplace
    return Known(
        codes=history.codes,
        year=year,
        population=history.at(f"resident_pop{ending}", year),
        urban_share=history.at(f"urban_share{ending}", year),
        hukou_ratio=older.figure("nonagri_hukou_share") / older.figure("census_urban_share"),
        hukou_rate=hukou_rate_at(older, year),
        migrants_outside=counted.figure("migrants_other_province"),
        migrants_inside=counted.figure("migrants_same_province"),
        birthplace=None if matrix is None else matrix.fillna(0.0).to_numpy(dtype=float),
        cohorts=cohorts,
        migrant_children=national(older, "migrant_children_in_school", year),
        share_65plus=counted.figure("census_share_65plus"),
        beds=history.at("beds_total", year),
        land=older.figure("cultivated_land_2008"),
        income=counted.figure("disp_income_all"),
        tiers=tiers,
    )
