"""Births, deaths and natural growth: national numbers shared among the regions."""

from __future__ import annotations

import numpy as np

from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.region_table import Regions

#: Year of the census whose count of children under one gives each region's share of births.
CENSUS = 2020
#: Years of the published regional birth and death rates on both sides of the gap 2020-23.
EARLIER, LATER = 2019, 2024


def national_births(regions: Regions, parameters: Parameters, year: int) -> float:
    """Births of the whole country, published or projected, 10k persons a year."""
    published = max(known for series, known in regions.national if series == "births")
    if year <= published:
        return regions.country("births", year)
    first = parameters["projected_births"]
    return float(first * (1 + parameters["projected_births_change"]) ** (year - published - 1))


def _between(year: int, start: int, first: Array, end: int, last: Array) -> Array:
    """Move shares linearly from one year to another; constant outside."""
    weight = min(1.0, max(0.0, (year - start) / (end - start)))
    return (1 - weight) * first + weight * last


def _share(regions: Regions, rate: str, people: str = "") -> Array:
    """Each region's part of the country: of a count, or of a rate times people."""

    def number(table: Regions) -> Array:
        return table.figure(rate) * table.figure(people) if people else table.figure(rate)

    return np.asarray(number(regions) / number(regions.whole).sum(), dtype=float)


def births(regions: Regions, parameters: Parameters, year: int) -> Array:
    """Births of every region in a year, 10k persons.

    Shares are interpolated, not rates: between the census of 2020 (or, by parameter, the birth rate
    of 2019) and the birth rates of 2024; after 2024 the shares stay.
    """
    weight = parameters["census_birth_share_weight"]
    counted = _share(regions, "census_age_0_2020")
    rated = _share(regions, "birth_rate_2019", "resident_pop_2019")
    later = _share(regions, "birth_rate_2024", "resident_pop")
    share = _between(year, CENSUS, weight * counted + (1 - weight) * rated, LATER, later)
    return share * national_births(regions, parameters, year)


def deaths(regions: Regions, year: int) -> Array:
    """Deaths of every region in a year, 10k persons; shares interpolated between 2019 and 2024."""
    earlier = _share(regions, "death_rate_2019", "resident_pop_2019")
    later = _share(regions, "death_rate_2024", "resident_pop")
    share = _between(year, EARLIER, earlier, LATER, later)
    return share * regions.country("deaths", year)


def natural_change(regions: Regions, parameters: Parameters, first: int, last: int) -> Array:
    """Mean births less deaths a year over calendar years `first` to `last`, 10k persons."""
    years = range(first, last + 1)
    yearly = [births(regions, parameters, year) - deaths(regions, year) for year in years]
    return np.asarray(np.mean(yearly, axis=0), dtype=float)


def growth_by_group(
    change: Array, rural: Array, migrants: Array, urban_hukou: Array, parameters: Parameters
) -> tuple[Array, Array, Array]:
    """Natural growth rates of rural residents, migrants and urban-hukou residents, 1/year.

    Each group has its differential; one constant per region makes the groups add up to the region's
    own births less deaths.
    """
    differences = (
        parameters["rural_growth_differential"],
        parameters["migrant_growth_differential"],
        parameters["urban_growth_differential"],
    )
    stocks = (rural, migrants, urban_hukou)
    shift = sum(rate * stock for rate, stock in zip(differences, stocks, strict=True))
    constant = (change - shift) / (rural + migrants + urban_hukou)
    return (
        differences[0] + constant,
        differences[1] + constant,
        differences[2] + constant,
    )
