"""How every variable of the base year is estimated: inputs, driving parameters, method."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

#: Columns that a region table may lack, and what is then assumed.
FALLBACKS = {
    "resident_pop_2018": "only the shorter window of moves is used",
    "urban_share_2018": "only the shorter window of moves is used",
    "beds_urban_2019": "town and country have the same level of beds",
    "beds_rural_2019": "town and country have the same level of beds",
    "district_pop_2020": "town and country have the same level of beds",
    "county_pop_2020": "town and country have the same level of beds",
    "tier_share_mega_2020": "all migrants live in cities of the smallest size class",
    "tier_share_large_2020": "all migrants live in cities of the smallest size class",
    "tier_share_small_2020": "all migrants live in cities of the smallest size class",
}
#: Parameters that are relative errors, not inputs of an estimate.
ERROR_ENDING = "_error"


@dataclass(frozen=True)
class Method:
    """How one variable of the base year comes about.

    Parameters
    ----------
    variable : str
        Name in the contract of the base year.
    status : str
        ``official``, ``derived`` or ``assumption``.
    inputs : tuple of str
        Columns of the region table.
    national : tuple of str
        National series.
    drivers : tuple of str
        Parameters whose low and high give the range of the variable.
    text : str
        The method in one sentence.
    """

    variable: str
    status: str
    inputs: tuple[str, ...]
    national: tuple[str, ...]
    drivers: tuple[str, ...]
    text: str


@lru_cache(maxsize=1)
def read_methods() -> dict[str, Method]:
    """Read how every variable of the base year is estimated, by name."""
    with (FOLDER / "variables.csv").open(encoding="utf-8", newline="") as handle:
        return {
            row["variable"]: Method(
                row["variable"],
                row["status"],
                tuple(row["inputs"].split()),
                tuple(row["national"].split()),
                tuple(row["drivers"].split()),
                row["method"],
            )
            for row in csv.DictReader(handle)
        }


def required_columns() -> tuple[str, ...]:
    """Columns without which no base year can be estimated, in the order of their first use."""
    used = dict.fromkeys(name for method in read_methods().values() for name in method.inputs)
    return tuple(name for name in used if name not in FALLBACKS)
