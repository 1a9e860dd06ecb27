"""Read a folder of region tables laid out like the shipped one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hukou_opt.errors import DataError, Fault
from hukou_opt.regions import schema
from hukou_opt.regions.columns import Column, read_columns, read_national
from hukou_opt.regions.region_table import Regions, identified

#: Layout of the shipped folder that this code reads.
SCHEMA_VERSION = 1


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


def read_folder(folder: Path, base: int) -> Regions:
    """Read the figures of one base year from a folder.

    Raises
    ------
    DataError
        With every fault of the folder's files at once.
    """
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
    labels = schema.label_frame(label_cells)
    return identified(
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
            identity="",
        )
    )
