"""Where every figure comes from, and the derived figures that a reader should look at first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.regions.base_year import CONTRACT, BaseYear
from hukou_opt.regions.region_table import Regions

#: Regions named at each end of a derived figure.
EXTREMES = 5
#: Regions whose values differ less, in relative terms, have the same value.
SAME = 1e-9
#: Beds are shown per this number of people.
PER = 1_000.0

SOURCE_COLUMNS = (
    "column",
    "dims",
    "unit",
    "data_year",
    "known_year",
    "status",
    "low",
    "high",
    "range_from",
    "source",
    "note",
)


def _official(regions: Regions) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "column": column.name,
            "dims": "region",
            "unit": column.unit,
            "data_year": column.data_year,
            "known_year": column.known_year,
            "status": column.status,
            "source": column.source,
            "note": column.note,
        }
        for column in regions.columns.values()
        if column.name in regions.table
    ]
    about = regions.birthplace_about
    if regions.birthplace is not None and about is not None:
        rows.append(
            {
                "column": about.name,
                "dims": "region, dest",
                "unit": about.unit,
                "data_year": about.data_year,
                "known_year": about.known_year,
                "status": about.status,
                "source": about.source,
                "note": about.note,
            }
        )
    rows += [
        {
            "column": f"national: {figure.name}",
            "dims": "",
            "unit": figure.unit,
            "data_year": figure.year,
            "known_year": figure.known_year,
            "status": figure.status,
            "source": figure.source,
            "note": figure.note,
        }
        for figure in regions.national.values()
    ]
    return rows


def _estimated(base_year: BaseYear) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, (dims, unit) in CONTRACT.items():
        attributes = base_year.data[name].attrs
        row: dict[str, object] = {
            "column": name,
            "dims": ", ".join(dims),
            "unit": unit,
            "data_year": base_year.year,
            "known_year": attributes.get("known_year", ""),
            "status": attributes["status"],
            "range_from": attributes.get("range_from", ""),
            "source": attributes["source"],
        }
        if name in base_year.low:
            middle = base_year.data[name].to_numpy()
            size = np.abs(middle).sum()
            for end, data in (("low", base_year.low), ("high", base_year.high)):
                moved = (data[name].to_numpy() - middle).sum()
                row[end] = f"{moved / size:+.1%}" if size > 0 else ""
        rows.append(row)
    return rows


def sources_table(regions: Regions, base_year: BaseYear | None = None) -> pd.DataFrame:
    """List every official column and, with a base year, every estimated variable with its source.

    Parameters
    ----------
    regions : Regions
        Official figures.
    base_year : BaseYear, optional
        Adds the estimated variables, their driving parameters, and how far the cells' lower and
        upper values lie from the estimate, all regions together.

    Returns
    -------
    DataFrame
        One row per column or variable: name, dims, unit, year of the figure, year in which it
        became known, status (official, derived, assumption), low, high, parameters that drive the
        range, source, note.
    """
    rows = _official(regions) + ([] if base_year is None else _estimated(base_year))
    filled = [{name: row.get(name, "") for name in SOURCE_COLUMNS} for row in rows]
    return pd.DataFrame(filled, columns=list(SOURCE_COLUMNS))


def _urban(data: xr.Dataset) -> xr.DataArray:
    return (
        data["initial_migrants"].sum("region").rename(dest="region")
        + (data["initial_urban_hukou_residents"])
    )


def _migrants(data: xr.Dataset) -> xr.DataArray:
    return data["initial_migrants"].sum("region").rename(dest="region")


def _town_children(data: xr.Dataset) -> xr.DataArray:
    return data["initial_urban_hukou_children"] + data["initial_migrant_children"]


#: Derived figure: label, unit, numerator, denominator; None stands for the figure itself.
FIGURES: tuple[
    tuple[
        str,
        str,
        Callable[[xr.Dataset], xr.DataArray],
        Callable[[xr.Dataset], xr.DataArray] | None,
        float,
    ],
    ...,
] = (
    ("rural-hukou migrants in towns", "10k persons", _migrants, None, 1.0),
    (
        "share of migrants in the urban population",
        "1",
        _migrants,
        _urban,
        1.0,
    ),
    (
        "hukou share of all residents",
        "1",
        lambda data: data["initial_urban_hukou_residents"],
        lambda data: data["initial_rural_residents"] + _urban(data),
        1.0,
    ),
    (
        "urban seats per child in town",
        "1",
        lambda data: data["initial_urban_seats"],
        _town_children,
        1.0,
    ),
    (
        "rural seats per rural child",
        "1",
        lambda data: data["initial_rural_seats"],
        lambda data: data["initial_rural_children"],
        1.0,
    ),
    (
        "urban beds per 1,000 townspeople",
        "beds/1000",
        lambda data: data["initial_urban_beds"],
        _urban,
        PER,
    ),
    (
        "rural beds per 1,000 rural residents",
        "beds/1000",
        lambda data: data["initial_rural_beds"],
        lambda data: data["initial_rural_residents"],
        PER,
    ),
    (
        "moves from countryside to town per rural resident and year",
        "1/year",
        lambda data: (
            data["migration_coefficient"]
            * _urban(data)
            / (data["initial_rural_residents"] + _urban(data))
            * data["initial_rural_residents"]
        ),
        lambda data: data["initial_rural_residents"],
        1.0,
    ),
)


def derived_figures(base_year: BaseYear) -> pd.DataFrame:
    """Compute the derived figures, one row per region, the country first."""
    data = base_year.data
    columns = {}
    for label, _, top, bottom, factor in FIGURES:
        above = top(data)
        below = xr.ones_like(above) if bottom is None else bottom(data)
        whole = float(above.sum()) if bottom is None else float(above.sum() / below.sum())
        columns[label] = [whole * factor, *((above / below).to_numpy() * factor)]
    return pd.DataFrame(columns, index=pd.Index(["national", *base_year.codes], name="region"))


def derived_overview(regions: Regions, base_year: BaseYear) -> pd.DataFrame:
    """Show each derived figure nationally and in the regions farthest from the middle.

    Parameters
    ----------
    regions : Regions
        For the names of the regions.
    base_year : BaseYear
        The estimates.

    Returns
    -------
    DataFrame
        Per derived figure: unit, national value, and the five regions whose value is farthest from
        the median of all regions, by ratio, with their values.
    """
    figures = derived_figures(base_year)
    names = regions.labels["name_en"]
    rows = []
    for label, unit, *_ in FIGURES:
        values = figures[label].drop("national")
        distance = np.abs(np.log(values / values.median()))
        same = float(distance.max()) < SAME
        far = distance.sort_values(ascending=False, kind="stable").index[:EXTREMES]
        rows.append(
            {
                "figure": label,
                "unit": unit,
                "national": figures.loc["national", label],
                "most extreme": "the same everywhere, by assumption"
                if same
                else "; ".join(f"{names[code]} {values[code]:.4g}" for code in far),
            }
        )
    return pd.DataFrame(rows)
