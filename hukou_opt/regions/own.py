"""Read a user's own table of regions, list all its faults, and complete what it lacks."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError, Fault
from hukou_opt.regions import complete, own_checks, schema
from hukou_opt.regions.columns import LABELS, Column
from hukou_opt.regions.gathered import gathered
from hukou_opt.regions.origins import FROM_OTHERS, GROUP, read_origin_table
from hukou_opt.regions.readers import is_workbook, read_regions
from hukou_opt.regions.region_table import Origins, Regions, identified
from hukou_opt.regions.shipped import read_folder

#: Name of the shipped region table.
SHIPPED = "china_provinces"
#: Base year that the estimates are made for.
BASE_YEAR = 2023
#: What stands in for the movers between one's own regions and for where they come from.
ORIGINS_TEXT = (
    "movers from other provinces by the provinces of birth of 2010 where every region has a "
    "province above it, else by rural residents; movers inside a province by rural residents"
)
#: A figure that only one's own regions have: the shipped ones have the matrix of birthplaces.
OTHERS = Column(
    FROM_OTHERS,
    "10k persons",
    2020,
    2022,
    complete.OWN,
    "own table",
    "residents whose hukou is in another region of the table",
)


def _provinces_expected(codes: Collection[str], provinces: Collection[str]) -> list[str] | None:
    """Return the provinces' codes when the table has more than half of them, else None."""
    shared = sum(code in provinces for code in set(codes))
    return list(provinces) if shared * 2 > len(provinces) else None


def _not_empty(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out columns without any value: they count as missing, as in a fresh template."""
    empty = [name for name in cells if name != "code" and not any(cells[name])]
    return cells.drop(columns=empty), [str(name) for name in empty]


def _labelled(cells: pd.DataFrame, parents: tuple[str, ...], shipped: Regions) -> pd.DataFrame:
    labels = schema.label_frame(cells)
    labels["parent"] = list(parents)
    return complete.complete_labels(labels, cells, shipped)


def _groups(cells: pd.DataFrame) -> tuple[str, ...]:
    """Origin group of every region: as given, else the region is a group of its own."""
    given = cells[GROUP] if GROUP in cells else [""] * len(cells)
    return tuple(str(group) or str(code) for code, group in zip(cells["code"], given, strict=True))


def _other_fallbacks(
    cells: pd.DataFrame, origins: Origins | None, own: bool
) -> list[tuple[str, str]]:
    """Fallbacks of columns that are no figures of the shipped table: labels and origins."""
    if not own:
        return []
    found = [(name, text) for name, text in complete.INHERITED.items() if name not in cells]
    if origins is None and FROM_OTHERS not in cells and len(cells) > 1:
        found.append((FROM_OTHERS, ORIGINS_TEXT))
    return found


def _notes(
    path: Path,
    how: str,
    parents: tuple[str, ...],
    shipped: Regions,
    lines: tuple[str, ...],
    given: pd.DataFrame,
    origins: Origins | None,
) -> tuple[str, ...]:
    kind = "workbook" if is_workbook(path) else "CSV file"
    notes = [
        f"Regions from the {kind} {path.name!r} ({how}); what it lacks is taken from "
        f"{complete.parents_in_words(parents, shipped)}."
    ]
    notes += [f"Fallback for {text}." for text in complete.grouped(lines)]
    if origins is not None:
        notes.append(
            f"Origins of migrants: own table of {len(origins.persons)} origin groups; inside a "
            "group by rural residents."
        )
    shares = given["urban_share"] if "urban_share" in given else given["urban_share_2020"]
    if held := complete.held_at_ends(shares):
        notes.append(
            f"The urban share of {len(held)} of {len(parents)} regions is held at "
            f"{complete.LEAST_URBAN:g} or {complete.MOST_URBAN:g}: the model divides by both parts."
        )
    return tuple(notes)


def read_own(path: Path, base: int) -> Regions:
    """Read a user's own table of regions.

    Parameters
    ----------
    path : Path
        CSV or XLSX file.
    base : int
        Base year.

    Raises
    ------
    DataError
        With every fault of the table at once.
    """
    where = path.name
    if base != BASE_YEAR:
        raise DataError(
            Fault(f"{where}, base year {base}", "has no data", f"use base year {BASE_YEAR}")
        )
    read = read_regions(path, where)
    if isinstance(read, Fault):
        raise DataError(read)
    cells, faults = schema.frame_of(read, where)
    if faults:
        raise DataError(gathered(faults))
    folder = data_folder(SHIPPED)
    shipped = read_folder(folder, base)
    known = {**shipped.columns, FROM_OTHERS: OTHERS}
    cells, _ = _not_empty(cells)
    codes = tuple(cells["code"])
    expected = _provinces_expected(codes, shipped.codes)
    faults += schema.check_codes(codes, expected, where)
    faults += schema.check_labels(cells, where)
    faults += complete.check_parents(cells, shipped, where)
    faults += own_checks.check_required(list(cells.columns), where)
    table, bad = schema.read_numbers(cells, known, where)
    faults += [*bad, *schema.check_figures(table, known, where, {fault.where for fault in bad})]
    if len(set(codes)) == len(codes):
        faults += own_checks.check_revision(table, shipped, where)
    parents = complete.parents_of(cells, shipped)
    if expected is not None:
        about = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
        national = shipped.national["resident_pop", base].value
        faults += schema.check_total(table, national, float(about["population_tolerance"]), where)
    elif all(parent in ("", *shipped.codes) for parent in parents):
        faults += own_checks.check_people(table, parents, shipped, where)
    groups = _groups(cells)
    origins, bad = read_origin_table(path, where, codes, groups)
    faults += bad
    if faults:
        raise DataError(gathered(faults))
    full, columns, lines = complete.complete(table.drop(columns=FROM_OTHERS, errors="ignore"),
                                             parents, shipped, where)  # fmt: skip
    lines += tuple(
        f"{name}: {text}" for name, text in _other_fallbacks(cells, origins, expected is None)
    )
    if FROM_OTHERS in table:
        full[FROM_OTHERS] = table[FROM_OTHERS]
        columns[FROM_OTHERS] = replace(OTHERS, source=where)
    labels = (
        shipped.labels.loc[list(codes), list(LABELS)]
        if expected is not None
        else _labelled(cells, parents, shipped)
    )
    birthplace = None
    if expected is not None and shipped.birthplace is not None:
        birthplace = shipped.birthplace.loc[list(codes), list(codes)]
    notes = _notes(path, read.how, parents, shipped, lines, table, origins)
    return identified(
        Regions(
            name=where,
            base_year=base,
            labels=labels,
            table=full,
            columns=columns,
            national=shipped.national,
            birthplace=birthplace,
            birthplace_about=shipped.birthplace_about if birthplace is not None else None,
            withheld=(),
            identity="",
            nation=None if expected is not None else shipped,
            origins=origins,
            notes=notes,
            fallbacks=lines,
        )
    )
