"""What passes between the stock-flow model and the linear program.

Timing, once for all: a flow or decision of calendar year y acts over model time [y-1, y), constant
inside the year; a stock of year y is what stands at model time y, the end of calendar year y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

AREAS = ("urban", "rural")
SERVICES = ("seats", "beds")


@dataclass(frozen=True)
class Decisions:
    """The linear program's answer, as the stock-flow model takes it.

    Parameters
    ----------
    starts : DataArray, dims (area, service, region, year)
        Seats and beds whose building starts in the year, evenly over it, 10k; beyond ordinary
        replacement.
    temporary_places : DataArray, dims (region, year)
        Bought places and larger classes in urban schools in the year, 10k.
    funded_share : DataArray, dims (region, year)
        One minus the unfunded share of the certified cost of the year's three-year block, 0 to 1.
    bonds : DataArray, dims (region, year)
        Special bonds issued in the year to pay for building, 100m yuan.
    """

    starts: xr.DataArray
    temporary_places: xr.DataArray
    funded_share: xr.DataArray
    bonds: xr.DataArray


@dataclass(frozen=True)
class Needs:
    """What the linear program takes from one run of the stock-flow model.

    Parameters
    ----------
    data : Dataset
        ``need`` (area, service, region, year), 10k; ``existing_capacity`` (area, service, region,
        year), 10k: capacity of the run less the standing capacity of the run's own starts;
        ``children_hukou``, ``children_migrant``, ``children_rural`` (region, year), 10k persons;
        ``stretch`` (region, year), 10k seats: places that existing classes hold beyond their seats;
        ``hukou_first`` (year): priority of hukou children, 1 to 0;
        ``reform_settlers`` (region, year), 10k persons: settlers since the start, mean of the year;
        ``reform_settlers_end`` (region, year), 10k persons: the same at the end of the year;
        ``settlers`` (region, year), 10k persons a year; ``grants`` (region, year), 100m yuan a
        year: grants and housing subsidies to the year's settlers; ``urban_population``,
        ``rural_population`` (region, year), 10k persons; ``land_revenue`` (region, year), 100m yuan
        a year.
        Years from the first decision year to the end of the tail.
    start : Dataset
        ``need`` and ``capacity`` (area, service, region) at the end of the base year.
    standing : DataArray, dims (service, age)
        Capacity standing at the end of year u+age, from one unit whose building started evenly over
        year u, in units per unit. Computed by the engine, never typed.
    """

    data: xr.Dataset
    start: xr.Dataset
    standing: xr.DataArray

    @property
    def codes(self) -> tuple[str, ...]:
        """Region codes in the table's order."""
        return tuple(str(code) for code in self.data["region"].values)

    @property
    def years(self) -> np.ndarray:
        """Years of the needs, tail included."""
        return np.asarray(self.data["year"].values, dtype=int)
