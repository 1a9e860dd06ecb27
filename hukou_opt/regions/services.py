"""Public school seats and hospital beds that stand at the base year, in town and country."""

from __future__ import annotations

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.estimates import Children
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.population import Residents
from hukou_opt.regions.region_table import Regions

#: Columns that tell beds in city districts from beds in counties.
BED_SPLIT = ("beds_urban_2019", "beds_rural_2019", "district_pop_2020", "county_pop_2020")


def seats(children: Children, parameters: Parameters) -> tuple[Array, Array]:
    """Public school seats serving townspeople and rural residents, 10k, by region.

    No statistic of places exists. Urban: one for every urban-hukou child and for the share of
    migrant children who are in public schools. Rural: rural children over utilisation, wherever the
    school stands (many rural children go to school in county towns).
    """
    urban = children.urban_hukou + parameters["public_school_share"] * children.migrant
    return urban, children.rural / parameters["rural_school_utilisation"]


def beds(regions: Regions, people: Residents, parameters: Parameters) -> tuple[Array, Array]:
    """Hospital beds serving townspeople and rural residents, 10k, by region.

    Rural residents are served at the level of counties and county-level cities (beds standing there
    per head of all who live there, half of whom are townspeople); the other beds serve townspeople.
    Levels of 2019 are moved by one factor per region to the beds of the base year. A region without
    counties has one level.

    Raises
    ------
    DataError
        If rural residents would use all the beds of a region.
    """
    total = regions.figure("beds_total")
    level = total / people.total
    if regions.has(*BED_SPLIT):
        districts, counties = (
            regions.figure("district_pop_2020"),
            regions.figure("county_pop_2020"),
        )
        of_districts = np.divide(
            regions.figure("beds_urban_2019"),
            districts,
            out=np.zeros_like(total),
            where=districts > 0,
        )
        of_counties = np.divide(
            regions.figure("beds_rural_2019"),
            counties,
            out=np.zeros_like(total),
            where=counties > 0,
        )
        weight = districts / (districts + counties)
        mean = weight * of_districts + (1 - weight) * of_counties
        split = (of_counties > 0) & (mean > 0)
        level = np.where(split, level * of_counties / np.where(split, mean, 1.0), level)
    rural = level * parameters["rural_bed_access"] * people.rural
    faults = [
        Fault(
            f"region {code}",
            f"has {number:.2f} 10k beds, and rural residents would use {used:.2f}",
            "check beds_urban_2019, beds_rural_2019 and the populations of districts and counties",
        )
        for code, number, used in zip(regions.codes, total, rural, strict=True)
        if used >= number
    ]
    if faults:
        raise DataError(faults)
    return total - rural, rural
