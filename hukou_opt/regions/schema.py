"""Checks of a region table; every fault of a file is listed in one pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.regions.columns import LABELS, MACRO_REGIONS, OWN_LABELS, Column
from hukou_opt.regions.readers import Cells, read_csv

#: Highest believable value by unit; beyond it the figure is most likely given in another unit.
#: 10k persons: two billion people; per mille: no province or country has had more births.
HIGHEST = {
    "1": (1.0, "a share is given as 0.66, not as 66"),
    "10k persons": (200_000.0, "give it in 10k persons, not in persons"),
    "10k beds": (2_000.0, "give it in 10k beds, not in beds"),
    "10k yuan/person": (100.0, "give it in 10k yuan per person, not in yuan"),
    "per mille": (60.0, "give it per 1,000 residents"),
    "pupils/teacher": (100.0, "give pupils per teacher"),
}
#: Columns whose name begins so must be above zero, not only at least zero.
POSITIVE = ("resident_pop", "census_pop", "budget_expenditure", "disp_income", "birth_rate")
#: A part of the population may exceed the residents of another year by this factor.
PART_OF_POPULATION = 1.1
#: More beds per resident than this stand nowhere: 50 per 1,000.
BEDS_PER_RESIDENT = 0.05
#: Sum of the three size-class shares may differ from one by rounding only.
SHARE_SUM_TOLERANCE = 1e-4


def read_cells(path: Path, where: str) -> tuple[pd.DataFrame, list[Fault]]:
    """Read a CSV file as text; merged header cells and ragged rows are faults.

    Parameters
    ----------
    path : Path
        A CSV file whose first line names the columns.
    where : str
        Name of the file in messages.
    """
    cells = read_csv(path, where)
    return (pd.DataFrame(), [cells]) if isinstance(cells, Fault) else frame_of(cells, where)


def frame_of(cells: Cells, where: str) -> tuple[pd.DataFrame, list[Fault]]:
    """Make a table of text from lines of cells; merged header cells and ragged rows are faults."""
    lines = cells.lines
    if not lines:
        return pd.DataFrame(), [Fault(where, "is empty", "give one line per region")]
    header = list(lines[0])
    faults = [
        Fault(
            f"{where} line 1, column {number}",
            "has no name (a merged or empty header cell)",
            "unmerge header cells and name every column once, in one line",
        )
        for number, name in enumerate(header, start=1)
        if not name
    ]
    faults += [
        Fault(f"{where} line 1", f"column {name!r} stands {count} times", "keep one of them")
        for name, count in Counter(header).items()
        if name and count > 1
    ]
    faults += [
        Fault(
            f"{where} line {number}",
            f"has {len(line)} fields, the header has {len(header)}",
            "give one field per column; quote fields with commas",
        )
        for number, line in zip(cells.numbers[1:], lines[1:], strict=True)
        if len(line) != len(header)
    ]
    if faults:
        return pd.DataFrame(), faults
    frame = pd.DataFrame([list(line) for line in lines[1:]], columns=header, dtype=object)
    if "code" not in header:
        return frame, [
            Fault(f"{where} line 1", "has no column 'code'", did_you_mean("code", header))
        ]
    for name in {"code", "parent"} & set(header):
        frame[name] = [str(code).removesuffix(".0") for code in frame[name]]
    return frame, []


def check_codes(codes: Sequence[str], expected: Collection[str] | None, where: str) -> list[Fault]:
    """List missing, duplicate, empty and unknown region codes.

    Parameters
    ----------
    codes : sequence of str
        Codes as given.
    expected : collection of str or None
        The full list of codes when the regions are known; None for a user's own regions.
    where : str
        Name of the table in messages.
    """
    faults: list[Fault] = []
    if not codes:
        faults.append(Fault(where, "has no region", "give one line per region"))
    for code, count in Counter(codes).items():
        if not code:
            faults.append(Fault(where, f"{count} line(s) have no region code", "fill in the code"))
        elif count > 1:
            faults.append(
                Fault(f"{where}, region {code}", f"stands {count} times", "keep one line")
            )
    if expected is not None:
        for code in dict.fromkeys(codes):
            if code and code not in expected:
                faults.append(
                    Fault(
                        f"{where}, region {code!r}", "is unknown", did_you_mean(code, [*expected])
                    )
                )
        missing = [code for code in expected if code not in set(codes)]
        faults += [
            Fault(f"{where}, region {code}", "is missing", "add its line") for code in missing
        ]
    return faults


def read_numbers(
    cells: pd.DataFrame, columns: Mapping[str, Column], where: str
) -> tuple[pd.DataFrame, list[Fault]]:
    """Turn the cells of known columns into numbers; unknown columns and texts are faults."""
    faults: list[Fault] = []
    figures: dict[str, list[float]] = {}
    known = [*columns, "code", *LABELS, *OWN_LABELS]
    for name in cells.columns:
        if name not in known:
            faults.append(
                Fault(f"{where}, column {name!r}", "is unknown", did_you_mean(name, known))
            )
        if name not in columns:
            continue
        figures[name] = []
        for code, cell in zip(cells["code"], cells[name], strict=True):
            text = str(cell).strip()
            try:
                figures[name].append(float(text) if text else math.nan)
            except ValueError:
                figures[name].append(math.nan)
                faults.append(
                    Fault(
                        f"{where}, region {code}, column {name!r}",
                        f"is not a number ({text!r})",
                        "give a plain number, without thousands separators or signs",
                    )
                )
    return pd.DataFrame(figures, index=pd.Index(cells["code"], name="code")), faults


def _schema(columns: Mapping[str, Column], present: Collection[str]) -> pa.DataFrameSchema:
    checked = {}
    for name in present:
        unit = columns[name].unit
        rule = pa.Check.gt(0) if name.startswith(POSITIVE) else pa.Check.ge(0)
        highest = HIGHEST.get(unit, (math.inf, ""))[0]
        checked[name] = pa.Column(float, [rule, pa.Check.le(highest)], nullable=False)
    return pa.DataFrameSchema(checked)


def _fix(check: str, column: Column) -> str:
    if check.startswith("less_than"):
        return HIGHEST.get(column.unit, (math.inf, "give a finite number"))[1]
    if check == "not_nullable":
        return f"give a number in {column.unit}"
    return f"give a positive number in {column.unit}"


def check_figures(
    table: pd.DataFrame, columns: Mapping[str, Column], where: str, said: Collection[str] = ()
) -> list[Fault]:
    """List missing, negative and implausible figures, percents for shares, shares off one.

    Parameters
    ----------
    table : DataFrame
        Figures by region code.
    columns : mapping of str to Column
        What the columns mean.
    where : str
        Name of the table in messages.
    said : collection of str
        Beginnings of messages that are already listed, so that no cell is named twice.
    """
    faults: list[Fault] = []
    numbered = table.reset_index(drop=True)
    codes = list(table.index)
    try:
        _schema(columns, list(table.columns)).validate(numbered, lazy=True)
    except SchemaErrors as errors:
        for case in errors.failure_cases.itertuples():
            if pd.isna(case.index):
                continue
            place = f"{where}, region {codes[int(case.index)]}, column {case.column!r}"
            if place in said:
                continue
            value = table.iloc[int(case.index)][case.column]
            what = "is missing" if pd.isna(value) else f"is out of bounds ({value:g})"
            column = columns[case.column]
            if (
                not pd.isna(value)
                and str(case.check).startswith("less_than")
                and column.unit == "1"
            ):
                what = f"is a share above 1, probably a percentage ({value:g})"
            elif not pd.isna(value) and value <= 0:
                what = f"is {'zero' if value == 0 else 'negative'} ({value:g})"
            faults.append(Fault(place, what, _fix(str(case.check), column)))
    return faults + _check_parts(table, columns, where) + _check_shares(table, where)


def _check_parts(table: pd.DataFrame, columns: Mapping[str, Column], where: str) -> list[Fault]:
    """Find groups larger than the population they are part of."""
    if "resident_pop" not in table:
        return []
    faults: list[Fault] = []
    residents = table["resident_pop"].to_numpy(dtype=float)
    for name in table.columns:
        unit = columns[name].unit
        if unit == "10k beds":
            limit, fix = residents * BEDS_PER_RESIDENT, "give it in 10k beds"
        elif unit == "10k persons" and not name.startswith(("resident_pop", "census_pop")):
            limit, fix = residents * PART_OF_POPULATION, "give it in 10k persons"
        else:
            continue
        values = table[name].to_numpy(dtype=float)
        for code, value, most, people in zip(table.index, values, limit, residents, strict=True):
            if people > 0 and most < value <= HIGHEST[unit][0]:
                faults.append(
                    Fault(
                        f"{where}, region {code}, column {name!r}",
                        f"does not fit {people:g} 10k residents ({value:g} {unit})",
                        fix,
                    )
                )
    return faults


def _check_shares(table: pd.DataFrame, where: str) -> list[Fault]:
    faults: list[Fault] = []
    for ending in ("", "_2020"):
        names = [f"tier_share_{tier}{ending}" for tier in ("mega", "large", "small")]
        if not set(names) <= set(table.columns):
            continue
        total = table[names].to_numpy(dtype=float).sum(axis=1)
        faults += [
            Fault(
                f"{where}, region {code}, columns {', '.join(names)}",
                f"sum to {value:g}, not to 1",
                "give the three shares of the urban population",
            )
            for code, value in zip(table.index, total, strict=True)
            if np.isfinite(value) and abs(value - 1) > SHARE_SUM_TOLERANCE
        ]
    return faults


def check_labels(cells: pd.DataFrame, where: str) -> list[Fault]:
    """Find macro-regions outside the four that are known."""
    if "macro_region" not in cells:
        return []
    return [
        Fault(
            f"{where}, region {code}, column 'macro_region'",
            f"is unknown ({value!r})",
            did_you_mean(str(value), MACRO_REGIONS),
        )
        for code, value in zip(cells["code"], cells["macro_region"], strict=True)
        if value and value not in MACRO_REGIONS
    ]


def label_frame(cells: pd.DataFrame) -> pd.DataFrame:
    """Labels of the regions by code; the code stands in for a missing name."""
    labels = pd.DataFrame(index=pd.Index(cells["code"], name="code"))
    for name in LABELS:
        given = cells[name] if name in cells else pd.Series([""] * len(cells))
        labels[name] = [str(value).strip() for value in given]
    for name in ("name_en", "name_zh", "short_zh"):
        labels[name] = labels[name].where(labels[name] != "", labels.index.to_series())
    return labels


def check_total(
    table: pd.DataFrame, national: float | None, tolerance: float, where: str
) -> list[Fault]:
    """Compare the regions' population with the country's."""
    if national is None or "resident_pop" not in table:
        return []
    total = float(table["resident_pop"].sum())
    if not np.isfinite(total) or abs(total / national - 1) <= tolerance:
        return []
    return [
        Fault(
            f"{where}, column 'resident_pop'",
            f"sums to {total:,.0f} 10k persons, the country has {national:,.0f}",
            f"check unit and regions; {tolerance:.0%} of difference is allowed",
        )
    ]


def check_missing(present: Collection[str], required: Sequence[str], where: str) -> list[Fault]:
    """Name every required column that the table lacks."""
    return [
        Fault(f"{where}, column {name!r}", "is missing", "add the column")
        for name in required
        if name not in present
    ]


def check_birthplace(matrix: pd.DataFrame, codes: Sequence[str], where: str) -> list[Fault]:
    """Check the matrix of birthplaces: same regions both ways, no negative, empty diagonal."""
    faults = [
        *check_codes([str(code) for code in matrix.index], list(codes), f"{where} rows"),
        *check_codes([str(code) for code in matrix.columns], list(codes), f"{where} columns"),
    ]
    if faults:
        return faults
    values = matrix.to_numpy(dtype=float)
    if not np.isfinite(values).all() or (values < 0).any():
        faults.append(Fault(where, "has missing or negative cells", "give persons, 0 or more"))
    elif np.diag(values).any():
        faults.append(Fault(where, "has a diagonal that is not zero", "leave the diagonal at 0"))
    return faults
