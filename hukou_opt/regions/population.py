"""Who lives in town and country, with which hukou, and how old: residents at the base year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.estimates import WIDEST_SHIFT, Townspeople
from hukou_opt.regions.fitting import Array, shift_logit, solve_monotone
from hukou_opt.regions.region_table import Regions

#: Year in which the national path of the share of people of 65 and more has its second point.
AGEING_YEAR = 2033


@dataclass(frozen=True, eq=False)
class Residents:
    """Residents of every region by place and hukou at the end of the base year, 10k persons.

    Parameters
    ----------
    total, urban, rural : array, dims (region)
        All residents, those in towns, those in the country.
    migrants : array, dims (region)
        Rural-hukou holders who live in towns of the region.
    urban_hukou : array, dims (region)
        Holders of urban hukou, local or not.
    """

    total: Array
    urban: Array
    rural: Array
    migrants: Array
    urban_hukou: Array


def _townspeople(regions: Regions) -> Townspeople:
    return Townspeople(
        total=regions.figure("resident_pop"),
        urban_share=regions.figure("urban_share"),
        ratio=regions.figure("nonagri_hukou_share_2010")
        / regions.figure("census_urban_share_2010"),
        from_other_provinces=regions.figure("migrants_other_province_2020"),
    )


def residents(regions: Regions, parameters: Parameters) -> Residents:
    """Split townspeople into urban-hukou residents and rural-hukou migrants.

    The ratio of hukou share to urban share of the census of 2010, the last that asked, is moved by
    one constant on the logit scale; migrants are at least a part of those who came from other
    provinces. The constant is solved on the whole country with this floor in place, so that its
    mean over all residents is the national hukou rate.

    Raises
    ------
    DataError
        If no constant gives the national rate.
    """
    rate = parameters["national_hukou_rate"]
    constant = _townspeople(regions.whole).hukou_constant(rate, parameters)
    here = _townspeople(regions)
    urban, moved = here.urban, here.migrants(constant, parameters)
    return Residents(here.total, urban, here.total - urban, moved, urban - moved)


def share_65plus(regions: Regions, parameters: Parameters, years: range) -> Array:
    """Share of people of 65 and more, dims (region, year).

    The census share is moved by one constant a year on the logit scale to the national path, which
    is linear through the base year and 2033.

    Raises
    ------
    DataError
        If the path leaves the range of a share.
    """
    start = parameters["national_share_65plus"]
    slope = (parameters["national_share_65plus_2033"] - start) / (AGEING_YEAR - regions.base_year)
    counted = regions.figure("census_share_65plus_2020")
    whole = regions.whole
    everywhere = whole.figure("census_share_65plus_2020")
    weight = whole.figure("resident_pop") / whole.figure("resident_pop").sum()
    shares = np.empty((len(counted), len(years)))
    for position, year in enumerate(years):
        target = start + slope * (year - regions.base_year)

        def excess(constant: float, target: float = target) -> float:
            return float(weight @ shift_logit(everywhere, constant)) - target

        constant = solve_monotone(excess, -WIDEST_SHIFT, WIDEST_SHIFT)
        if constant is None:
            raise DataError(
                Fault(
                    f"national share of 65 and more in {year}",
                    f"is no share ({target:g})",
                    "change national_share_65plus or national_share_65plus_2033",
                )
            )
        shares[:, position] = shift_logit(counted, constant)
    return shares
