"""Fill in what a user's own table lacks, from the province above each region or the nation.

Every column but code, residents and urban share may be missing. `fallbacks.csv` says for each how
it is then estimated; what was filled in has the status ``fallback`` and that text as its source.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.regions.columns import Column
from hukou_opt.regions.estimates import WIDEST_SHIFT
from hukou_opt.regions.fitting import SMALLEST_SHARE, Array, shift_logit, solve_monotone
from hukou_opt.regions.methods import FOLDER
from hukou_opt.regions.region_table import Regions

#: Name of the parent of a region without one: all shipped provinces together.
NATION = ""
NATION_NAME = "the nation"
#: Status of a column that was filled in, and of one that stands in the user's file.
FALLBACK, OWN = "fallback", "own table"
#: Columns of which a table must have one of each row, the later year first.
EITHER = (("resident_pop", "resident_pop_2020"), ("urban_share", "urban_share_2020"))
#: Labels that a region takes from its parent.
INHERITED = {
    "macro_region": "the parent's macro-region; none for the nation",
    "clusters": "the parent's city cluster; none for the nation",
}
#: Regions whose residents differ less from their parent's cover it: census and year end differ.
COVERS = 0.02
#: Shares of townspeople at which own regions are held: the model divides by town and country, and
#: migrants from outside the table return to the countryside of the region.
LEAST_URBAN, MOST_URBAN = 0.001, 0.999
#: Parents named one by one in a note.
MOST_NAMED = 3
#: Sums that are no columns: residents by place in the base year.
URBAN, RURAL = "urban_residents", "rural_residents"


@dataclass(frozen=True)
class Fallback:
    """How a missing column of a user's table is estimated.

    Parameters
    ----------
    column : str
        Name of the column.
    rule : str
        ``per``: the base times the parent's ratio of column to base; ``same``: the parent's value;
        ``logit``: the base moved as the parent's was, on the logit scale; ``moved``: the base moved
        by one constant on the logit scale to the parent's value.
    base : str
        Column or sum that the rule starts from.
    weight : str
        Weight of the provinces in the national mean of a share, rate or income.
    text, meaning, meaning_zh : str
        The rule in words; the column in words, English and Chinese.
    """

    column: str
    rule: str
    base: str
    weight: str
    text: str
    meaning: str
    meaning_zh: str


@lru_cache(maxsize=1)
def read_fallbacks() -> dict[str, Fallback]:
    """Read how each missing column is estimated, in the order in which they are filled in."""
    with (FOLDER / "fallbacks.csv").open(encoding="utf-8", newline="") as handle:
        return {
            row["column"]: Fallback(
                row["column"],
                row["rule"],
                row["base"],
                row["weight"],
                row["fallback"],
                row["meaning"],
                row["meaning_zh"],
            )
            for row in csv.DictReader(handle)
        }


def _with_sums(table: pd.DataFrame) -> pd.DataFrame:
    urban = table["resident_pop"] * table["urban_share"]
    return table.assign(**{URBAN: urban, RURAL: table["resident_pop"] - urban})


def parent_figures(shipped: Regions) -> pd.DataFrame:
    """Figures of every possible parent: the shipped provinces and, under ``""``, the nation.

    Amounts of the nation are sums, shares and rates are means with the weights of `fallbacks.csv`.
    """
    provinces = _with_sums(shipped.table)
    nation = provinces.sum()
    for name, rule in read_fallbacks().items():
        if rule.weight:
            weight = provinces[rule.weight]
            nation[name] = (provinces[name] * weight).sum() / weight.sum()
    return pd.concat([provinces, nation.to_frame(NATION).T])


def _logit(share: Array) -> Array:
    inside = np.clip(share, SMALLEST_SHARE, 1 - SMALLEST_SHARE)
    return np.asarray(np.log(inside / (1 - inside)), dtype=float)


def _moved(
    table: pd.DataFrame, parents: Sequence[str], above: pd.DataFrame, rule: Fallback
) -> Array:
    """Move shares of an earlier year by one constant per parent to the parent's later share.

    Regions that make up their parent reach its share together; others move by its own change.
    """
    earlier = table[rule.base].to_numpy(dtype=float)
    people = table[rule.weight].to_numpy(dtype=float)
    later = np.empty_like(earlier)
    of = np.asarray(parents, dtype=object)
    for parent in dict.fromkeys(parents):
        mine = of == parent
        goal = figure_of(above, parent, rule.column)
        start = figure_of(above, parent, rule.base)
        share, weight = earlier[mine], people[mine]
        constant = float(_logit(np.array(goal)) - _logit(np.array(start)))
        if abs(weight.sum() / figure_of(above, parent, rule.weight) - 1) <= COVERS:

            def excess(
                shift: float, share: Array = share, weight: Array = weight, goal: float = goal
            ) -> float:
                return float(weight @ shift_logit(share, shift) / weight.sum()) - goal

            solved = solve_monotone(excess, -WIDEST_SHIFT, WIDEST_SHIFT)
            constant = constant if solved is None else solved
        later[mine] = shift_logit(share, constant)
    return later


def _filled(
    table: pd.DataFrame, parents: Sequence[str], above: pd.DataFrame, rule: Fallback
) -> Array:
    parent = above.loc[list(parents)]
    value = parent[rule.column].to_numpy(dtype=float)
    if rule.rule == "same":
        return value
    if rule.rule == "moved":
        return _moved(table, parents, above, rule)
    own, base = table[rule.base].to_numpy(dtype=float), parent[rule.base].to_numpy(dtype=float)
    if rule.rule == "logit":
        shift = np.exp(_logit(value) - _logit(base))
        inside = np.clip(own, SMALLEST_SHARE, 1 - SMALLEST_SHARE)
        odds = inside / (1 - inside) * shift
        return np.asarray(odds / (1 + odds), dtype=float)
    return np.asarray(own * (value / base), dtype=float)


def check_parents(cells: pd.DataFrame, shipped: Regions, where: str) -> list[Fault]:
    """Find parents that are no shipped province."""
    if "parent" not in cells:
        return []
    return [
        Fault(
            f"{where}, region {code}, column 'parent'",
            f"is no province of {shipped.name} ({parent!r})",
            f"{did_you_mean(parent, shipped.codes)}; leave it empty for the nation",
        )
        for code, parent in zip(cells["code"], cells["parent"], strict=True)
        if parent and parent not in shipped.codes
    ]


def parents_of(cells: pd.DataFrame, shipped: Regions) -> tuple[str, ...]:
    """Parent of every region: as given, the province itself under its own code, else the nation."""
    given = cells["parent"] if "parent" in cells else [NATION] * len(cells)
    return tuple(
        str(parent) or (str(code) if code in shipped.codes else NATION)
        for code, parent in zip(cells["code"], given, strict=True)
    )


def parents_in_words(parents: Sequence[str], shipped: Regions) -> str:
    """Name the parents, in the order of their first use."""
    names = [
        NATION_NAME if parent == NATION else str(shipped.labels.loc[parent, "name_en"])
        for parent in dict.fromkeys(parents)
    ]
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} parents"


def complete_labels(labels: pd.DataFrame, given: pd.DataFrame, shipped: Regions) -> pd.DataFrame:
    """Take macro-region and city cluster from the parent where the table has no such column."""
    labels = labels.copy()
    for name in INHERITED:
        if name not in given:
            labels[name] = [
                "" if parent == NATION else str(shipped.labels.loc[parent, name])
                for parent in labels["parent"]
            ]
    return labels


def complete(
    table: pd.DataFrame, parents: Sequence[str], shipped: Regions, source: str
) -> tuple[pd.DataFrame, dict[str, Column], tuple[str, ...]]:
    """Fill in every missing column that the estimates use.

    Parameters
    ----------
    table : DataFrame
        Figures of the user's regions, by code.
    parents : sequence of str
        Parent of each region.
    shipped : Regions
        The shipped provinces.
    source : str
        Name of the user's file.

    Returns
    -------
    table : DataFrame
        With all columns.
    columns : dict of str to Column
        What each column is: the user's own, or a fallback.
    lines : tuple of str
        One line per missing column: name and fallback.
    """
    above = parent_figures(shipped)
    full = table.copy()
    columns: dict[str, Column] = {}
    lines: list[str] = []
    for name in table.columns:
        about = shipped.columns[str(name)]
        columns[str(name)] = replace(about, status=OWN, source=source, note="")
    for name, rule in read_fallbacks().items():
        if name not in full:
            full[name] = _filled(_with_bases(full), parents, above, rule)
            columns[name] = replace(
                shipped.columns[name], status=FALLBACK, source=f"fallback: {rule.text}", note=""
            )
            lines.append(f"{name}: {rule.text}")
        if name == "urban_share":
            full[name] = full[name].clip(LEAST_URBAN, MOST_URBAN)
    order = [name for name in shipped.columns if name in full]
    return full[order], {name: columns[name] for name in order}, tuple(lines)


def _with_bases(table: pd.DataFrame) -> pd.DataFrame:
    return _with_sums(table) if {"resident_pop", "urban_share"} <= set(table) else table


def grouped(lines: Sequence[str]) -> list[str]:
    """Put together the fallbacks of one kind: columns, then what stands in for them."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        name, _, text = line.partition(": ")
        groups.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" for text, names in groups.items()]


def held_at_ends(given: pd.Series) -> list[str]:
    """Regions whose urban share is held off 0 and 1."""
    return [str(code) for code in given.index[~given.between(LEAST_URBAN, MOST_URBAN)]]


def figure_of(above: pd.DataFrame, parent: str, column: str) -> float:
    """One figure of one parent."""
    return float(above[column].to_numpy(dtype=float)[list(above.index).index(parent)])
