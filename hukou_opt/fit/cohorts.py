"""School-age children of a past base year: what the last census before it and later births say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hukou_opt.regions.children import FIRST_AGE, LAST_AGE
from hukou_opt.regions.estimates import part_of_age_group
from hukou_opt.regions.fitting import Array


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Children by year of birth.

    Parameters
    ----------
    census : int
        Year of the census.
    counted : mapping of str to array, dims (region)
        Persons by age group, 10k, by the columns of `AGE_GROUPS`.
    births : mapping of int to array, dims (region)
        Births by year, 10k persons.
    """

    census: int
    counted: Mapping[str, Array]
    births: Mapping[int, Array]

    def born(self, year: int) -> Array:
        """Children of one year of birth, 10k persons, dims (region).

        Counted by the census where born by then; inside a group single years weigh as the births
        of the country where these are known for all of them, else equally. Nobody moves or dies.

        Raises
        ------
        DataError
            If the year lies outside what census and births tell.
        """
        if year > self.census and year in self.births:
            return self.births[year]
        national = {born: float(each.sum()) for born, each in self.births.items()}
        column, part = part_of_age_group(self.census, year, national, self.counted)
        return self.counted[column] * part

    def of_school_age(self, year: int) -> Array:
        """Children of 6 to 14 at the end of a year, 10k persons, dims (region)."""
        ages = range(FIRST_AGE, LAST_AGE + 1)
        return np.asarray(np.sum([self.born(year - age) for age in ages], axis=0), dtype=float)

    def entrants(self, years: range) -> Array:
        """Children who turn 6 in each year, 10k persons a year, dims (region, year)."""
        return np.stack([self.born(year - FIRST_AGE) for year in years], axis=1)

    def leavers(self, years: range) -> Array:
        """Children who turn 15 in each year, 10k persons a year, dims (region, year)."""
        return np.stack([self.born(year - LAST_AGE - 1) for year in years], axis=1)
