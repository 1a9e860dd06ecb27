"""Where the migrants of one's own regions come from, with as little as the user knows.

No table of all origins by all destinations is asked for. Movers from other provinces are spread
over the provinces of birth of 2010 and, inside a province, by rural residents; movers from other
counties of the province by rural residents of the province's other regions. A home outside the
table has no row: these migrants stand on the diagonal, as if at home where they live.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.complete import NATION
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.population import Residents
from hukou_opt.regions.readers import read_origins
from hukou_opt.regions.region_table import Origins, Regions

#: Column of the first cells in the table of origins, and of the regions' group.
GROUP = "origin_group"
#: Row of the table of origins for homes outside the regions.
OUTSIDE = "outside"
#: Column with the movers from other regions of the table.
FROM_OTHERS = "migrants_other_region"
#: The table of origins is in persons, all others in 10k persons.
PERSONS = 1e-4


def read_origin_table(
    path: Path, where: str, codes: tuple[str, ...], group: tuple[str, ...]
) -> tuple[Origins | None, list[Fault]]:
    """Read the origins beside a table of regions; None where there are none.

    Parameters
    ----------
    path : Path
        The table of regions.
    where : str
        Its name in messages.
    codes, group : tuple of str
        Regions and their origin groups.
    """
    place, cells = read_origins(path, where)
    if isinstance(cells, Fault):
        return None, [cells]
    if cells is None or not any(any(line[1:]) for line in cells.lines[1:]):
        return None, []
    header = cells.lines[0]
    faults = _header_faults(header, codes, place)
    known = [*dict.fromkeys(group), OUTSIDE]
    rows: dict[str, list[float]] = {}
    for number, line in zip(cells.numbers[1:], cells.lines[1:], strict=True):
        name = line[0]
        if name not in known:
            faults.append(
                Fault(f"{place} line {number}", f"is no origin group ({name!r})",
                      did_you_mean(name, known))
            )  # fmt: skip
        if name in rows:
            faults.append(Fault(f"{place} line {number}, {name}", "stands twice", "keep one line"))
        if len(line) != len(header):
            faults.append(
                Fault(
                    f"{place} line {number}",
                    f"has {len(line)} fields, the header has {len(header)}",
                    "give one field per region",
                )
            )
        rows[name] = [
            _persons(text, f"{place} line {number}, {name}, region {code}", faults)
            for code, text in zip(header[1:], line[1:], strict=False)
        ]
    if faults:
        return None, faults
    persons = pd.DataFrame.from_dict(rows, orient="index", columns=list(header[1:]))
    persons = persons.loc[:, list(codes)] * PERSONS
    persons.index.name = GROUP
    return Origins(persons, group), []


def _header_faults(header: tuple[str, ...], codes: tuple[str, ...], place: str) -> list[Fault]:
    faults: list[Fault] = []
    if header[0] != GROUP:
        faults.append(
            Fault(f"{place} line 1", f"begins with {header[0]!r}", f"begin with {GROUP!r}")
        )
    for code, count in Counter(header[1:]).items():
        if count > 1:
            faults.append(Fault(f"{place}, column {code!r}", f"stands {count} times", "keep one"))
        if code not in codes:
            faults.append(Fault(f"{place}, column {code!r}", "is no region of the table",
                                did_you_mean(code, codes)))  # fmt: skip
    faults += [
        Fault(f"{place}, column {code!r}", "is missing", "add the region, with 0 where none")
        for code in codes
        if code not in header
    ]
    return faults


def _persons(text: str, where: str, faults: list[Fault]) -> float:
    try:
        value = float(text) if text else 0.0
    except ValueError:
        value = math.nan
    if not value >= 0 or math.isinf(value):
        faults.append(Fault(where, f"is no number of persons ({text!r})", "give 0 or more"))
    return value


def _part_of(rural: Array, group: NDArray[np.object_], size: dict[str, float]) -> Array:
    """Each region's part of the rural residents of its province, at most 1 together."""
    here = {name: float(rural[group == name].sum()) for name in dict.fromkeys(group)}
    whole = np.array([max(size.get(name, 0.0), here[name]) for name in group])
    return np.asarray(rural / whole, dtype=float)


def _rural_of_parents(nation: Regions) -> dict[str, float]:
    rural = nation.figure("resident_pop") * (1 - nation.figure("urban_share"))
    return dict(zip(nation.codes, rural.tolist(), strict=True)) | {NATION: float(rural.sum())}


def from_other_provinces(regions: Regions, nation: Regions, rural: Array) -> Array:
    """Part of a destination's movers from other provinces that comes from each region of the table.

    Dims (region, dest); a column sums to less than 1 where provinces are missing in the table.
    Without parents everywhere the country outside a region is one origin, by rural residents.
    """
    parents = np.asarray(regions.parents, dtype=object)
    size = _rural_of_parents(nation)
    if NATION in parents or nation.birthplace is None:
        most = max(size[NATION], float(rural.sum()))
        pattern = rural[:, None] / np.maximum(most - rural, rural.sum() - rural + 1e-9)[None, :]
        np.fill_diagonal(pattern, 0.0)
        return np.asarray(pattern, dtype=float)
    born = nation.birthplace.to_numpy(dtype=float)
    shares = born / born.sum(axis=0)
    at = np.array([nation.codes.index(parent) for parent in parents])
    pattern = shares[np.ix_(at, at)] * _part_of(rural, parents, size)[:, None]
    np.fill_diagonal(pattern, 0.0)
    return np.asarray(pattern, dtype=float)


def from_same_province(regions: Regions, nation: Regions, rural: Array) -> Array:
    """Part of a destination's movers inside its province that comes from each region of the table.

    Dims (region, dest); zero for regions whose province is unknown.
    """
    parents = np.asarray(regions.parents, dtype=object)
    size = _rural_of_parents(nation)
    here = {name: float(rural[parents == name].sum()) for name in dict.fromkeys(parents)}
    whole = np.array([max(size[name], here[name]) for name in parents])
    others = whole - rural
    same = (parents[:, None] == parents[None, :]) & (parents != NATION)[None, :]
    np.fill_diagonal(same, False)
    part = np.divide(1.0, others, out=np.zeros_like(others), where=others > 0)
    return np.asarray(np.where(same, rural[:, None] * part[None, :], 0.0), dtype=float)


def _from_groups(origins: Origins, rural: Array) -> Array:
    """Persons of the user's origin table by region: inside a group by rural residents."""
    group = np.asarray(origins.group, dtype=object)
    part = _part_of(rural, group, {})
    rows = origins.persons.reindex(list(origins.group)).fillna(0.0).to_numpy(dtype=float)
    matrix = rows * part[:, None]
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix, dtype=float)


def own_matrix(
    regions: Regions,
    nation: Regions,
    people: Residents,
    from_outside: Array,
    multiple: float,
    parameters: Parameters,
) -> tuple[Array, Array]:
    """Migrants between one's own regions, and those whose home is outside the table.

    Parameters
    ----------
    regions, nation : Regions
        The user's table, and the shipped provinces.
    people : Residents
        Residents by group.
    from_outside : array, dims (region)
        Rural-hukou migrants from other provinces, 10k persons.
    multiple : float
        Rural-hukou movers over movers of the census.
    parameters : Parameters
        Highest share of migrants from elsewhere.

    Returns
    -------
    matrix : array, dims (region, dest)
        Migrants by home and residence, 10k persons; the diagonal holds the rest.
    outside : array, dims (region)
        Of the diagonal, those whose home lies in no region of the table, 10k persons.
    """
    most = parameters["cross_province_cap"] * people.migrants
    counted = regions.figure("migrants_same_province_2020")
    inside = np.minimum(multiple * counted, most - from_outside)
    # A province as a region of its own has its movers between counties inside.
    coarse = np.array(
        [parent in ("", code) for code, parent in zip(regions.codes, regions.parents, strict=True)]
    )
    inside = np.where(coarse, 0.0, inside)
    if regions.origins is not None:
        matrix = _from_groups(regions.origins, people.rural)
        total = np.minimum(multiple * matrix.sum(axis=0), most)
    else:
        matrix = from_other_provinces(regions, nation, people.rural) * from_outside
        matrix += from_same_province(regions, nation, people.rural) * inside
        total = np.minimum(matrix.sum(axis=0), most)
    if regions.has(FROM_OTHERS):
        total = np.minimum(multiple * regions.figure(FROM_OTHERS), most)
    now = matrix.sum(axis=0)
    matrix *= np.divide(total, now, out=np.zeros_like(total), where=now > 0)
    moved = matrix.sum(axis=0)
    matrix[np.diag_indices_from(matrix)] = people.migrants - moved
    return matrix, np.maximum(0.0, from_outside + inside - moved)
