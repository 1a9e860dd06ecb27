"""Where migrants come from, and how many move in a year from region to region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.estimates import migrants_by_origin, movers_multiple, origin_shares
from hukou_opt.regions.fitting import Array, fit_margins
from hukou_opt.regions.origins import own_matrix
from hukou_opt.regions.population import Residents, residents
from hukou_opt.regions.region_table import Regions
from hukou_opt.regions.vital import growth_by_group, natural_change

#: First years of the shorter and of the longer window of moves; both end with the base year.
SHORT_WINDOW, LONG_WINDOW = 2020, 2018
#: Moves from a region's countryside in a year over its rural residents, at most, in own regions: a
#: city district with a handful of rural residents would empty in one step of the model.
MOST_LEAVING = 1.0
#: Part of a region's migrants that is spread over all regions of one's own table before fitting, so
#: that a table without moves between its regions still has a matrix with both margins.
SMALLEST_SEED = 1e-3


@dataclass(frozen=True, eq=False)
class YearlyFlows:
    """Rural-to-urban moves of one year and the margins they are fitted to, 10k persons a year.

    Parameters
    ----------
    matrix : array, dims (region, dest)
        Fitted moves.
    raw_out, raw_in : array, dims (region)
        Margins before floors: they close by themselves when the data agree with one another.
    """

    matrix: Array
    raw_out: Array
    raw_in: Array


def origin_pattern(regions: Regions, people: Residents) -> Array:
    """Share of each region of origin among the incomers of a destination, dims (region, dest).

    Lifetime migrants of the census of 2010 by birthplace; without that matrix the origins' rural
    residents. The diagonal is zero.
    """
    matrix = regions.birthplace
    return origin_shares(None if matrix is None else matrix.to_numpy(dtype=float), people.rural)


def migrants_from_outside(regions: Regions, people: Residents, parameters: Parameters) -> Array:
    """Rural-hukou migrants of every destination whose home is in another region, 10k persons.

    A common multiple of the census migrants from other provinces, at most a part of the region's
    migrants; the multiple is solved for the national share of cross-province moves.

    Raises
    ------
    DataError
        If the national share cannot be reached.
    """
    if regions.nation is not None:
        whole = regions.nation
        multiple = census_multiple(whole, residents(whole, parameters), parameters)
    elif len(regions.codes) == 1:
        return np.zeros(1)
    else:
        multiple = census_multiple(regions, people, parameters)
    counted = regions.figure("migrants_other_province_2020")
    return np.minimum(multiple * counted, parameters["cross_province_cap"] * people.migrants)


def census_multiple(regions: Regions, people: Residents, parameters: Parameters) -> float:
    """Rural-hukou movers over all census migrants from other provinces, for the whole country.

    Raises
    ------
    DataError
        If the national share cannot be reached.
    """
    counted = regions.figure("migrants_other_province_2020")
    return movers_multiple(counted, people.migrants, parameters)


def migrants_and_outside(
    regions: Regions, people: Residents, parameters: Parameters
) -> tuple[Array, Array]:
    """Migrants by home and residence, and those on the diagonal whose home is outside the table.

    Dims (region, dest) and (region), 10k persons; nobody is from outside in the whole country.
    """
    if regions.nation is None:
        return migrant_matrix(regions, people, parameters), np.zeros(len(regions.codes))
    nation = regions.nation
    outside = migrants_from_outside(regions, people, parameters)
    multiple = census_multiple(nation, residents(nation, parameters), parameters)
    return own_matrix(regions, nation, people, outside, multiple, parameters)


def migrant_matrix(regions: Regions, people: Residents, parameters: Parameters) -> Array:
    """Rural-hukou migrants by home region and region of residence, dims (region, dest), 10k."""
    if regions.nation is not None:
        return migrants_and_outside(regions, people, parameters)[0]
    outside = migrants_from_outside(regions, people, parameters)
    return migrants_by_origin(origin_pattern(regions, people), outside, people.migrants)


def _margins(
    regions: Regions, people: Residents, matrix: Array, parameters: Parameters, start: int
) -> tuple[Array, Array]:
    """Yearly moves out of the country and into towns since the end of year `start`, before floors.

    Out = fall of rural residents + their natural change + returns to them; in = rise of townspeople
    - their natural change + returns from them. Natural change is that of the same years.
    """
    length = regions.base_year - start
    total = regions.figure(f"resident_pop_{start}")
    urban = total * regions.figure(f"urban_share_{start}")
    rural = total - urban
    change = natural_change(regions, parameters, start + 1, regions.base_year)
    mean_rural = (rural + people.rural) / 2
    mean_urban = (urban + people.urban) / 2
    mean_migrants = people.migrants * mean_urban / people.urban
    rates = growth_by_group(
        change, mean_rural, mean_migrants, mean_urban - mean_migrants, parameters
    )
    returns = parameters["return_rate"] * matrix
    out = (rural - people.rural) / length + rates[0] * mean_rural + returns.sum(axis=1)
    into = (
        (people.urban - urban) / length
        - rates[1] * mean_migrants
        - rates[2] * (mean_urban - mean_migrants)
        + returns.sum(axis=0)
    )
    return out, into


def yearly_flows(
    regions: Regions, people: Residents, matrix: Array, parameters: Parameters
) -> YearlyFlows:
    """Estimate the yearly rural-to-urban moves between regions.

    Two-margin proportional fitting, seeded by the migrants' matrix, to what the change of town and
    country population implies. Each margin is at least a part of the yearly returns.

    Raises
    ------
    DataError
        If the fitting does not converge.
    """
    out, into = _margins(regions, people, matrix, parameters, SHORT_WINDOW)
    if regions.has(f"resident_pop_{LONG_WINDOW}", f"urban_share_{LONG_WINDOW}"):
        weight = parameters["long_window_weight"]
        longer = _margins(regions, people, matrix, parameters, LONG_WINDOW)
        out = (1 - weight) * out + weight * longer[0]
        into = (1 - weight) * into + weight * longer[1]
    floor = parameters["flow_floor_share"] * parameters["return_rate"]
    rows = np.maximum(out, floor * matrix.sum(axis=1))
    columns = np.maximum(into, floor * matrix.sum(axis=0))
    seed = matrix
    if regions.nation is not None:
        # Moves across the border of the table are not modelled: both margins are cut to the lower.
        rows = np.minimum(rows, MOST_LEAVING * people.rural)
        rows = rows * min(1.0, float(columns.sum() / rows.sum()))
        seed = matrix + SMALLEST_SEED * np.outer(people.rural, people.migrants) / people.rural.sum()
    columns = columns * rows.sum() / columns.sum()
    fitted = fit_margins(seed, rows, columns)
    if fitted is None:
        raise DataError(
            Fault(
                "yearly moves between regions",
                "cannot be fitted to the change of town and country population",
                "check resident_pop, urban_share and migrants_other_province_2020",
            )
        )
    return YearlyFlows(fitted, out, into)
