"""School-age children: how many, whose, and how many enter and leave school age each year."""

from __future__ import annotations

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.estimates import (
    AGE_GROUPS,
    Children,
    children_by_group,
    children_of_movers,
    part_of_age_group,
)
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.population import Residents
from hukou_opt.regions.region_table import Regions
from hukou_opt.regions.vital import CENSUS, births

#: School age: nine years of compulsory school, from the 6th birthday to the 15th.
FIRST_AGE, LAST_AGE = 6, 14


def cohort(regions: Regions, parameters: Parameters, born: int) -> Array:
    """Children of one year of birth, 10k persons, by region.

    Counted by the census where born by then; see `part_of_age_group` for single years. Later births
    are national births shared out.

    Raises
    ------
    DataError
        If the year of birth lies before the census's children.
    """
    if born > CENSUS:
        return births(regions, parameters, born)
    national = {
        year: figure.value
        for (series, year), figure in regions.national.items()
        if series == "births"
    }
    counted = [column for _, _, column in AGE_GROUPS if regions.has(f"{column}_{CENSUS}")]
    column, part = part_of_age_group(CENSUS, born, national, counted)
    return regions.figure(f"{column}_{CENSUS}") * part


def of_school_age(regions: Regions, parameters: Parameters, year: int) -> Array:
    """Children aged 6 to 14 at the end of a year, 10k persons, by region."""
    ages = range(FIRST_AGE, LAST_AGE + 1)
    cohorts = [cohort(regions, parameters, year - age) for age in ages]
    return np.asarray(np.sum(cohorts, axis=0), dtype=float)


def entrants(regions: Regions, parameters: Parameters, years: range) -> Array:
    """Children who turn 6 in each calendar year, dims (region, year), 10k persons a year."""
    return np.stack([cohort(regions, parameters, year - FIRST_AGE) for year in years], axis=1)


def leavers(regions: Regions, parameters: Parameters, years: range) -> Array:
    """Children who turn 15 in each calendar year, dims (region, year), 10k persons a year."""
    return np.stack([cohort(regions, parameters, year - LAST_AGE - 1) for year in years], axis=1)


def movers_children(
    regions: Regions, people: Residents, outside: Array, parameters: Parameters
) -> Array:
    """Movers between counties inside the migrants times children per head, by region.

    Movers came from other provinces (`outside`) or from other counties of the province.
    """
    total = of_school_age(regions, parameters, regions.base_year)
    counted = regions.figure("migrants_same_province_2020")
    return children_of_movers(total, people.total, outside, counted, people.migrants)


def by_group(
    regions: Regions,
    people: Residents,
    outside: Array,
    parameters: Parameters,
    *,
    national: float | None = None,
) -> Children:
    """Split the school-age children of the base year among the three groups.

    Migrant children follow the movers between counties inside the migrants (from other provinces
    `outside`, plus those from other counties of the province) and the region's children per head,
    scaled to the national number. The others are split by weighted heads: more children per head in
    the country.

    Parameters
    ----------
    regions : Regions
        Official figures.
    people : Residents
        Residents by group.
    outside : array, dims (region)
        Migrants from other provinces, 10k persons.
    parameters : Parameters
        National number and weights.
    national : float, optional
        Sum of `movers_children` over the whole country where the regions are a part of it; their
        own sum without.

    Raises
    ------
    DataError
        If a region would have more migrant children than children.
    """
    total = of_school_age(regions, parameters, regions.base_year)
    weight = movers_children(regions, people, outside, parameters)
    every = weight.sum() if national is None else national
    migrant = weight / every * parameters["migrant_children"] if every > 0 else 0.0 * weight
    faults = [
        Fault(
            f"region {code}",
            f"would have {number:.1f} of its {children:.1f} 10k children as migrant children",
            "lower migrant_children, or check the census ages and migrants",
        )
        for code, number, children in zip(regions.codes, migrant, total, strict=True)
        if number >= children
    ]
    if faults:
        raise DataError(faults)
    return children_by_group(total, migrant, people.rural, people.urban_hukou, parameters)
