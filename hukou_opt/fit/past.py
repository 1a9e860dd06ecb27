"""The base year of the model in the past, from what was known at a vintage and nothing later.

The estimates are those of the shipped base year where the figures exist, with the last census
before it in place of the census of 2020. What no source of the time tells is neutral or held and
named in `NEUTRAL`; none of it is scored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.errors import DataError
from hukou_opt.fit.cohorts import Cohorts
from hukou_opt.fit.margins import Moves, Stocks
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import CONTRACT, TIERS, BaseYear
from hukou_opt.regions.derive import check_base_year
from hukou_opt.regions.estimates import (
    Children,
    Townspeople,
    children_by_group,
    children_of_movers,
    migrants_by_origin,
    movers_multiple,
    origin_shares,
)
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.services import seats

#: What no figure of the vintage tells, and what is taken instead.
NEUTRAL = {
    "tier_share": "all cities of the middle size class where the city list came later",
    "initial_urban_beds, initial_rural_beds": "town and country at the same level of beds",
    "share_65plus": "share of the last census, held",
    "urban_income, rural_income": "income of all residents; only its growth acts, which is zero",
    "land": "shares of the survey of 2008; transferred and abandoned shares by parameter",
    "land_revenue, transfers, classes of regions": "zero: the reform is off",
}


@dataclass(frozen=True, eq=False)
class Known:
    """Official figures at a base year, all known at the vintage.

    Parameters
    ----------
    codes : tuple of str
        Region codes.
    year : int
        Base year.
    population, urban_share : array, dims (region)
        Residents, 10k persons; urban residents over residents.
    hukou_ratio : array, dims (region)
        Urban-hukou residents over townspeople at the last census that asked.
    hukou_rate : float
        National share of residents with urban hukou at the base year.
    migrants_outside, migrants_inside : array, dims (region)
        Census residents with hukou in another region, in another county of the region, 10k.
    birthplace : array, dims (region, dest), or None
        Persons by region of birth and of residence.
    cohorts : Cohorts
        Children by year of birth.
    migrant_children : float
        Children of migrants at school, the country, 10k persons.
    share_65plus : array, dims (region)
        Share of residents of 65 and more at the last census.
    beds, land, income : array, dims (region)
        Beds, 10k; cultivated land, 10k mu; disposable income per head, 10k yuan.
    tiers : array, dims (region, tier), or None
        Size classes of cities.
    """

    codes: tuple[str, ...]
    year: int
    population: Array
    urban_share: Array
    hukou_ratio: Array
    hukou_rate: float
    migrants_outside: Array
    migrants_inside: Array
    birthplace: Array | None
    cohorts: Cohorts
    migrant_children: float
    share_65plus: Array
    beds: Array
    land: Array
    income: Array
    tiers: Array | None


def people(known: Known, parameters: Parameters) -> Stocks:
    """Residents by place, hukou and origin at the base year.

    The same estimates as for the shipped base year: the census ratio of hukou to urban share is
    moved by one constant on the logit scale to the national hukou rate, with a floor; migrants from
    other regions are a common multiple of those counted, spread over origins by birthplace.
    """
    towns = Townspeople(
        known.population, known.urban_share, known.hukou_ratio, known.migrants_outside
    )
    here = towns.migrants(towns.hukou_constant(known.hukou_rate, parameters), parameters)
    urban = towns.urban
    rural = known.population - urban
    outside = np.zeros(len(rural))
    if len(rural) > 1:
        multiple = movers_multiple(known.migrants_outside, here, parameters)
        most = parameters["cross_province_cap"] * here
        outside = np.minimum(multiple * known.migrants_outside, most)
    shares = origin_shares(known.birthplace, rural)
    return Stocks(rural, urban - here, migrants_by_origin(shares, outside, here))


def children(known: Known, stocks: Stocks, parameters: Parameters) -> Children:
    """School-age children by group, as in the shipped base year."""
    total = known.cohorts.of_school_age(known.year)
    outside = stocks.migrants_here - np.diag(stocks.migrants)
    weight = children_of_movers(
        total, stocks.total, outside, known.migrants_inside, stocks.migrants_here
    )
    migrant = weight / weight.sum() * known.migrant_children
    return children_by_group(total, migrant, stocks.rural, stocks.urban_hukou, parameters)


def base_year(
    known: Known,
    stocks: Stocks,
    growth: tuple[Array, Array, Array],
    moves: Moves,
    parameters: Parameters,
    years: range,
) -> BaseYear:
    """Put the past base year together.

    Parameters
    ----------
    known : Known
        Official figures.
    stocks : Stocks
        People by place, hukou and origin.
    growth : tuple of array
        Natural growth of rural residents, migrants and urban-hukou residents, 1/year.
    moves : Moves
        Moves from country to town.
    parameters : Parameters
        The registry.
    years : range
        Calendar years to simulate; the first follows the base year.

    Raises
    ------
    DataError
        If an estimate is impossible.
    """
    count = len(known.codes)
    groups = children(known, stocks, parameters)
    places = seats(groups, parameters)
    level = known.beds / stocks.total
    rural_beds = level * parameters["rural_bed_access"] * stocks.rural
    abandoned, transferred = parameters["abandoned_share"], parameters["transferred_share"]
    leaving = moves.matrix.sum(axis=1)
    tiers = known.tiers
    if tiers is None:
        tiers = np.tile([float(tier == "large") for tier in TIERS], (count, 1))
    none, square = np.zeros(count), np.zeros((count, count))
    shares = np.divide(
        moves.matrix,
        leaving[:, None],
        out=np.eye(count),
        where=leaving[:, None] > 0,
    )
    values: dict[str, Array] = {
        "initial_rural_residents": stocks.rural,
        "initial_migrants": stocks.migrants,
        "initial_urban_hukou_residents": stocks.urban_hukou,
        "initial_rural_children": groups.rural,
        "initial_migrant_children": groups.migrant,
        "initial_urban_hukou_children": groups.urban_hukou,
        "initial_urban_seats": places[0],
        "initial_rural_seats": places[1],
        "initial_urban_beds": known.beds - rural_beds,
        "initial_rural_beds": rural_beds,
        "initial_land_farmed": (1 - abandoned - transferred) * known.land,
        "initial_land_transferred": transferred * known.land,
        "initial_land_abandoned": abandoned * known.land,
        "migration_coefficient": leaving / (known.urban_share * stocks.rural),
        "initial_destination_share": shares,
        "natural_growth_rural": growth[0],
        "natural_growth_migrant": growth[1],
        "natural_growth_urban": growth[2],
        "school_entrants": known.cohorts.entrants(years),
        "school_leavers": known.cohorts.leavers(years),
        "share_65plus": np.repeat(known.share_65plus[:, None], len(years) + 1, axis=1),
        "tier_share": tiers,
        "urban_income": known.income,
        "rural_income": known.income,
        "same_cluster": square,
        "eastern": none,
        "supported": none,
        "hardship": none,
        "land_revenue": none,
        "central_transfers": none,
        "budget_revenue": none,
        "budget_expenditure": none,
        "education_expenditure": none,
        "health_expenditure": none,
    }
    codes = np.asarray(known.codes, dtype=str)
    axes = {
        "region": codes,
        "dest": codes,
        "year": np.arange(years.start, years.stop),
        "year0": np.arange(known.year, years.stop),
        "tier": np.asarray(TIERS, dtype=str),
    }
    data = xr.Dataset(
        {
            name: xr.DataArray(
                array,
                {dim: axes[dim] for dim in CONTRACT[name][0]},
                CONTRACT[name][0],
                attrs={"unit": CONTRACT[name][1], "status": "derived", "source": "past base year"},
            )
            for name, array in values.items()
        }
    )
    if faults := check_base_year(data):
        raise DataError(faults)
    return BaseYear(known.year, data, xr.Dataset(), xr.Dataset(), identity="")
