"""Estimates of people by hukou, origin and age group, as plain arrays.

Base years of today and of the past differ in where their figures come from, not in how they are
estimated: both call these functions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array, shift_logit, solve_monotone

#: Widest shift on the logit scale that is searched.
WIDEST_SHIFT = 12.0
#: Highest ratio of hukou share to urban share to start from: keeps the logit finite. No shipped
#: province reaches it (the highest has .94); a user's own region may.
HIGHEST_RATIO = 0.98
#: Age groups of the censuses: youngest age, oldest age, column without its year.
AGE_GROUPS = (
    (0, 0, "census_age_0"),
    (1, 4, "census_age_1_4"),
    (5, 9, "census_age_5_9"),
    (10, 14, "census_age_10_14"),
    (15, 19, "census_age_15_19"),
)
#: Multiples of the census migrants that are searched for the cross-province movers.
HIGHEST_MULTIPLE = 100.0


@dataclass(frozen=True, eq=False)
class Townspeople:
    """What the split of townspeople by hukou starts from, dims (region).

    Parameters
    ----------
    total, urban_share : array
        Residents, 10k persons, and urban residents over residents.
    ratio : array
        Share with urban hukou over urban share, at the last census that asked.
    from_other_provinces : array
        Census residents with hukou in another province, 10k persons.
    """

    total: Array
    urban_share: Array
    ratio: Array
    from_other_provinces: Array

    @property
    def urban(self) -> Array:
        """Townspeople, 10k persons."""
        return self.total * self.urban_share

    def migrants(self, constant: float, parameters: Parameters) -> Array:
        """Rural-hukou townspeople when the ratio is moved by a constant, with the floor, 10k."""
        floor = parameters["hukou_floor_factor"] * self.from_other_provinces * self.urban_share
        floor = np.minimum(floor, self.urban)
        ratio = np.minimum(self.ratio, HIGHEST_RATIO)
        return np.maximum(self.urban * (1 - shift_logit(ratio, constant)), floor)

    def hukou_constant(self, rate: float, parameters: Parameters) -> float:
        """Constant on the logit scale that gives the regions together a hukou rate.

        Parameters
        ----------
        rate : float
            Share of all residents with urban hukou.
        parameters : Parameters
            For the floor.

        Raises
        ------
        DataError
            If no constant gives the rate.
        """

        def excess(constant: float) -> float:
            migrants = self.migrants(constant, parameters)
            return float((self.urban - migrants).sum() / self.total.sum()) - rate

        constant = solve_monotone(excess, -WIDEST_SHIFT, WIDEST_SHIFT)
        if constant is None:
            reached = excess(WIDEST_SHIFT) + rate
            raise DataError(
                Fault(
                    "parameter 'national_hukou_rate'",
                    f"cannot be reached ({rate:g}); the highest mean hukou share is {reached:.3f}",
                    "lower it, or check urban_share and migrants_other_province_2020",
                )
            )
        return constant


def movers_multiple(counted: Array, migrants: Array, parameters: Parameters) -> float:
    """Rural-hukou movers over all census migrants from other provinces, for the whole country.

    Parameters
    ----------
    counted, migrants : array, dims (region)
        Census migrants from other provinces, and rural-hukou migrants, 10k persons.
    parameters : Parameters
        Cap, and national share of movers between provinces.

    Raises
    ------
    DataError
        If the national share cannot be reached.
    """
    most = parameters["cross_province_cap"] * migrants
    wanted = parameters["cross_province_share"] * migrants.sum()

    def excess(multiple: float) -> float:
        return float(np.minimum(multiple * counted, most).sum() - wanted)

    multiple = solve_monotone(excess, 0.0, HIGHEST_MULTIPLE)
    if multiple is None:
        share = (excess(HIGHEST_MULTIPLE) + wanted) / migrants.sum()
        raise DataError(
            Fault(
                "parameter 'cross_province_share'",
                f"cannot be reached ({parameters['cross_province_share']:g}); at most {share:.3f}",
                "lower it, or raise cross_province_cap",
            )
        )
    return multiple


def origin_shares(birthplace: Array | None, rural: Array) -> Array:
    """Share of each region of origin among the incomers of a destination, dims (region, dest).

    Lifetime migrants by birthplace; without that matrix the origins' rural residents. The diagonal
    is zero.
    """
    if birthplace is None:
        pattern = np.repeat(rural[:, None], len(rural), axis=1)
    else:
        pattern = birthplace.copy()
    np.fill_diagonal(pattern, 0.0)
    total = pattern.sum(axis=0)
    shares = np.divide(pattern, total, out=np.zeros_like(pattern), where=total > 0)
    return np.asarray(shares, dtype=float)


def migrants_by_origin(shares: Array, outside: Array, migrants: Array) -> Array:
    """Migrants by home and residence: the movers by origin, the others at home, 10k persons."""
    matrix = shares * outside
    matrix[np.diag_indices_from(matrix)] = migrants - matrix.sum(axis=0)
    return matrix


def part_of_age_group(
    census: int, born: int, births: Mapping[int, float], columns: Collection[str]
) -> tuple[str, float]:
    """Age group of a census in which a year of birth was counted, and its part of the group.

    Inside a group single years weigh as the births of the country where these are known for all of
    them, else equally.

    Parameters
    ----------
    census, born : int
        Year of the census and of birth.
    births : mapping of int to float
        Births of the country by year.
    columns : collection of str
        Columns of `AGE_GROUPS` at hand.

    Raises
    ------
    DataError
        If the year lies outside the groups at hand.
    """
    for youngest, oldest, column in AGE_GROUPS:
        if column in columns and youngest <= census - born <= oldest:
            years = [census - age for age in range(youngest, oldest + 1)]
            if all(year in births for year in years):
                return column, births[born] / sum(births[year] for year in years)
            return column, 1 / len(years)
    raise DataError(
        Fault(
            f"children born in {born}",
            f"are in no age group at hand of the census of {census}",
            "choose a later start, or a census nearer to it",
        )
    )


@dataclass(frozen=True, eq=False)
class Children:
    """School-age children by the group of their parents, 10k persons.

    Parameters
    ----------
    rural, migrant, urban_hukou : array, dims (region)
        Children of rural residents, of rural-hukou migrants who live with them, and of urban-hukou
        residents.
    """

    rural: Array
    migrant: Array
    urban_hukou: Array


def children_of_movers(
    children: Array, residents: Array, outside: Array, counted_within: Array, migrants: Array
) -> Array:
    """Movers between counties inside the migrants times children per head, dims (region).

    Movers came from other provinces (`outside`) or from other counties of the province.
    """
    within = np.minimum(counted_within, migrants - outside)
    return np.asarray((outside + within) * children / residents, dtype=float)


def children_by_group(
    children: Array, migrant: Array, rural: Array, urban_hukou: Array, parameters: Parameters
) -> Children:
    """Split the children who are not migrants' by weighted heads: more per head in the country."""
    country = parameters["rural_child_weight"] * rural
    town = parameters["urban_child_weight"] * urban_hukou
    others = children - migrant
    return Children(others * country / (country + town), migrant, others * town / (country + town))
