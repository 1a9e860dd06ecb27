"""Official figures of which all that became known after a year are made absurd."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd

from hukou_opt.bundled import data_folder
from hukou_opt.regions import load

#: No figure of any unit is so large.
ABSURD = 1e12


def rows(name):
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def poisoned_history(folder, limit):
    """The shipped annual series with every figure that became known after a year made absurd."""
    target = folder / "china_provinces"
    shutil.copytree(data_folder(), target)
    known_in = {}
    for row in rows("history_columns.csv"):
        for year in range(int(row["first_year"]), int(row["last_year"]) + 1):
            rule = row["known"]
            when = year + int(rule) if rule.startswith("+") else int(rule)
            known_in[row["variable"], year] = when
            known_in[row["variable"], f"{row['first_year']}-{row['last_year']}"] = when
    changed = 0
    for name, label in (("history.csv", "year"), ("moves_5yr.csv", "period")):
        table = pd.read_csv(target / name, dtype={"code": str})
        for column in table.columns.difference(["code", label]):
            table[column] = table[column].astype(float)
            late = [known_in.get((column, each), 0) > limit for each in table[label]]
            late = np.asarray(late) & table[column].notna()
            table.loc[late, column] = ABSURD
            changed += int(late.sum())
        table.to_csv(target / name, index=False)
    assert changed > 0
    return target


def poison_regions(patch, limit):
    """The same for the tables of the base years, the national figures and the birthplaces."""
    read = load.read_folder
    columns = rows("columns.csv")
    known_in = {(int(r["base_year"]), r["column"]): int(r["known_year"]) for r in columns}
    nation = {(r["variable"], int(r["year"])): int(r["known_year"]) for r in rows("national.csv")}

    def poisoned(folder, base):
        regions = read(folder, base)
        late = {name: ABSURD for name in regions.table if known_in[base, str(name)] > limit}
        national = {
            key: replace(figure, value=ABSURD) if nation[key] > limit else figure
            for key, figure in regions.national.items()
        }
        matrix = regions.birthplace
        if matrix is not None and regions.birthplace_about.known_year > limit:
            matrix = matrix * 0 + ABSURD
        table = regions.table.assign(**late)
        return replace(regions, table=table, national=national, birthplace=matrix)

    patch.setattr(load, "read_folder", poisoned)
