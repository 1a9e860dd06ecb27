"""What the stock-flow model needs of a base year: the contract between regions and dynamics.

`derive.py` fills it from a region table; `dynamics/` and `allocation/` read it and nothing else of
the data. Every variable carries ``unit``, ``status`` (official, derived, assumption) and ``source``
in its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

#: Size classes of cities, by urban population of the districts (plan 4.1).
TIERS = ("mega", "large", "small")

#: Variables of `BaseYear.data` with dims and unit; ``year`` runs from the base year's successor to
#: the end of the tail, ``year0`` from the base year itself. A flow of year y runs over
#: model time [y-1, y); a stock of year y stands at its end.
CONTRACT: dict[str, tuple[tuple[str, ...], str]] = {
    "initial_rural_residents": (("region",), "10k persons"),
    "initial_migrants": (("region", "dest"), "10k persons"),
    "initial_urban_hukou_residents": (("region",), "10k persons"),
    "initial_rural_children": (("region",), "10k persons"),
    "initial_migrant_children": (("region",), "10k persons"),
    "initial_urban_hukou_children": (("region",), "10k persons"),
    "initial_urban_seats": (("region",), "10k seats"),
    "initial_rural_seats": (("region",), "10k seats"),
    "initial_urban_beds": (("region",), "10k beds"),
    "initial_rural_beds": (("region",), "10k beds"),
    "initial_land_farmed": (("region",), "10k mu"),
    "initial_land_transferred": (("region",), "10k mu"),
    "initial_land_abandoned": (("region",), "10k mu"),
    "migration_coefficient": (("region",), "1/year"),
    "initial_destination_share": (("region", "dest"), "1"),
    "natural_growth_rural": (("region",), "1/year"),
    "natural_growth_migrant": (("region",), "1/year"),
    "natural_growth_urban": (("region",), "1/year"),
    "school_entrants": (("region", "year"), "10k persons/year"),
    "school_leavers": (("region", "year"), "10k persons/year"),
    "share_65plus": (("region", "year0"), "1"),
    "tier_share": (("region", "tier"), "1"),
    "urban_income": (("region",), "10k yuan/person/year"),
    "rural_income": (("region",), "10k yuan/person/year"),
    "same_cluster": (("region", "dest"), "1"),
    "eastern": (("region",), "1"),
    "supported": (("region",), "1"),
    "hardship": (("region",), "1"),
    "land_revenue": (("region",), "100m yuan/year"),
    "central_transfers": (("region",), "100m yuan/year"),
    "budget_revenue": (("region",), "100m yuan/year"),
    "budget_expenditure": (("region",), "100m yuan/year"),
    "education_expenditure": (("region",), "100m yuan/year"),
    "health_expenditure": (("region",), "100m yuan/year"),
}


@dataclass(frozen=True)
class BaseYear:
    """The state of all regions at the end of the base year, and what drives them later.

    Parameters
    ----------
    year : int
        Base year; stocks stand at its end.
    data : Dataset
        The variables of `CONTRACT`, aligned by region code.
    low, high : Dataset
        Same names, for derived variables and assumptions only: plausible lower and upper values.
    identity : str
        SHA-256 over the values of `data`, in hexadecimal.
    notes : tuple of str
        What a reader of figures from one's own regions must know, one sentence each.
    """

    year: int
    data: xr.Dataset
    low: xr.Dataset
    high: xr.Dataset
    identity: str
    notes: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Region codes in the table's order."""
        return tuple(str(code) for code in self.data["region"].values)
