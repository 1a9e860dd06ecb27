"""Checks of a user's own table beyond those of every table: unit of people, mixed vintages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.regions.complete import EITHER, NATION, figure_of, parent_figures
from hukou_opt.regions.region_table import Regions

if TYPE_CHECKING:
    from hukou_opt.regions.fitting import Array

#: Regions of one parent may have more residents than it by this factor: years and counts differ.
MORE_THAN_PARENT = 1.1
#: Beds or budget per head below this part of the nation's: people were given in persons.
LEAST_PER_HEAD = 0.01
#: Amounts per head that show the unit of people, with the people they are divided by.
PER_HEAD = ("beds_total", "budget_revenue", "budget_expenditure", "exp_education", "exp_health")
PEOPLE_FIX = "give people in 10k persons, not in persons"
#: Relative difference from which two series are two, and below which a figure is the series' own.
APART, EQUAL = 1e-3, 1e-4
#: Columns whose series was revised after the 2020 census, with year and series.
REVISED: Mapping[str, tuple[str, int]] = {
    "resident_pop_2018": ("resident_pop", 2018),
    "resident_pop_2019": ("resident_pop", 2019),
    "urban_share_2018": ("urban_share", 2018),
}


def check_required(present: Sequence[str], where: str) -> list[Fault]:
    """Find missing residents and urban share, and those of two different years."""
    faults: list[Fault] = []
    for now, before in EITHER:
        if now not in present and before not in present:
            faults.append(
                Fault(
                    f"{where}, column {now!r}",
                    "is missing",
                    f"add the column, or {before!r}; {did_you_mean(now, list(present))}",
                )
            )
    (people, people_before), (share, share_before) = EITHER
    have = set(present)
    if people in have and share not in have and share_before in have:
        faults.append(
            Fault(
                f"{where}, column {share_before!r}",
                f"is of 2020, beside {people!r} of 2023 (mixed vintages)",
                f"give {share!r} of 2023, or {people_before!r} without {people!r}: both are then "
                "moved to 2023",
            )
        )
    if share in have and people not in have and people_before in have:
        faults.append(
            Fault(
                f"{where}, column {people_before!r}",
                f"is of 2020, beside {share!r} of 2023 (mixed vintages)",
                f"give {people!r} of 2023, or {share_before!r} without {share!r}",
            )
        )
    return faults


def check_people(
    table: pd.DataFrame, parents: Sequence[str], shipped: Regions, where: str
) -> list[Fault]:
    """Find people given in persons: more than in the parent or the nation, or too few beds each."""
    above = parent_figures(shipped)
    faults: list[Fault] = []
    named = next((name for name in EITHER[0] if name in table), None)
    if named is None:
        return faults
    people = table[named].to_numpy(dtype=float)
    of = np.asarray(parents, dtype=object)
    for parent in dict.fromkeys(parents):
        total, most = float(people[of == parent].sum()), figure_of(above, parent, named)
        if np.isfinite(total) and total > MORE_THAN_PARENT * most:
            whole = "the nation" if parent == NATION else str(shipped.labels.loc[parent, "name_en"])
            faults.append(
                Fault(
                    f"{where}, column {named!r}",
                    f"sums to {total:,.0f} 10k persons in {whole}, which has {most:,.0f}",
                    PEOPLE_FIX,
                )
            )
    if faults:
        return faults
    for name in PER_HEAD:
        if name in table:
            faults += _too_few(table, name, named, above, where)
    return faults


def _too_few(
    table: pd.DataFrame, name: str, people: str, above: pd.DataFrame, where: str
) -> list[Fault]:
    least = LEAST_PER_HEAD * (figure_of(above, NATION, name) / figure_of(above, NATION, people))
    values: Array = table[name].to_numpy(dtype=float)
    heads: Array = table[people].to_numpy(dtype=float)
    return [
        Fault(
            f"{where}, region {code}, column {people!r}",
            f"gives {name} per head of less than {LEAST_PER_HEAD:.0%} of the nation's "
            f"({head:g} 10k persons, {name} {value:g})",
            PEOPLE_FIX,
        )
        for code, value, head in zip(table.index, values, heads, strict=True)
        if value > 0 and head > 0 and value / head < least
    ]


def check_revision(table: pd.DataFrame, shipped: Regions, where: str) -> list[Fault]:
    """Find figures of provinces as first published, beside residents of the revised series."""
    from hukou_opt.regions.history import load_history

    codes = [str(code) for code in table.index if code in shipped.codes]
    columns = [name for name in REVISED if name in table]
    if not codes or not columns:
        return []
    history = load_history()
    at = [history.codes.index(code) for code in codes]
    faults: list[Fault] = []
    for name in columns:
        series, year = REVISED[name]
        first = history.at(f"{series}_prerev", year)[at]
        revised = history.at(series, year)[at]
        given = table.loc[codes, name].to_numpy(dtype=float)
        old = (np.abs(given / first - 1) < EQUAL) & (np.abs(first / revised - 1) > APART)
        if not old.any():
            continue
        number = int(old.argmax())
        faults.append(
            Fault(
                f"{where}, column {name!r}",
                f"mixes two vintages: as first published in {int(old.sum())} of {len(codes)} "
                f"provinces (first {codes[number]}: {given[number]:g}), while residents of later "
                "years belong to the series revised after the 2020 census "
                f"({revised[number]:g} there)",
                "take all figures from the revised series, or drop the column",
            )
        )
    return faults
