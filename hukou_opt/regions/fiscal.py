"""Money of the regions: transfers, land revenue, income, and who is supported."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.region_table import Regions

#: Years of the published transfers by province.
TRANSFER_YEARS = (2014, 2015, 2016)
#: Years of the land deals whose mean smooths single large sales.
LAND_DEAL_YEARS = (2015, 2016, 2017, 2018, 2019)


def _scaled(regions: Regions, name: str, years: tuple[int, ...], national: str) -> Array:
    """Share a national total of the base year by the sum of a column over several years."""

    def summed(table: Regions) -> Array:
        return np.asarray(
            np.sum([table.figure(f"{name}_{year}") for year in years], axis=0), dtype=float
        )

    total = regions.country(national, regions.base_year)
    return np.asarray(summed(regions) / summed(regions.whole).sum() * total, dtype=float)


def central_transfers(regions: Regions) -> Array:
    """Transfers received from the centre in the base year, 100m yuan, by region."""
    return _scaled(regions, "central_transfer", TRANSFER_YEARS, "central_transfers")


def land_revenue(regions: Regions) -> Array:
    """Gross land-transfer revenue of the base year, 100m yuan, by region (shares are a proxy)."""
    return _scaled(regions, "land_deal_value", LAND_DEAL_YEARS, "land_transfer_revenue")


def incomes(regions: Regions) -> tuple[Array, Array]:
    """Disposable income per head in town and country, 10k yuan a year, by region.

    The ratio of town to country of 2019 splits the income of all residents of the base year.
    """
    ratio = regions.figure("disp_income_urban_2019") / regions.figure("disp_income_rural_2019")
    urban = regions.figure("urban_share")
    rural_income = regions.figure("disp_income_all") / (urban * ratio + 1 - urban)
    return ratio * rural_income, rural_income


def eastern(regions: Regions) -> Array:
    """1 for regions of the eastern macro-region."""
    macro = regions.labels["macro_region"].to_numpy(dtype=str)
    yes: NDArray[np.bool_] = np.equal(macro, "Eastern")
    return yes.astype(float)


def hardship(regions: Regions, parameters: Parameters) -> Array:
    """1 for regions whose own revenue covers less than a threshold of their expenditure."""
    cover = regions.figure("budget_revenue") / regions.figure("budget_expenditure")
    below: NDArray[np.bool_] = cover < parameters["hardship_threshold"]
    return below.astype(float)


def supported(regions: Regions, parameters: Parameters) -> Array:
    """1 for regions with a claim to central support: central, western, north-east, hardship."""
    macro = regions.labels["macro_region"].to_numpy(dtype=str)
    yes: NDArray[np.bool_] = np.isin(macro, ("Central", "Western"))
    if parameters["northeast_supported"] > 0:
        yes = yes | (macro == "Northeastern")
    if parameters["hardship_supported"] > 0:
        yes = yes | (hardship(regions, parameters) > 0)
    return np.where(yes, 1.0, 0.0)


def same_cluster(regions: Regions) -> Array:
    """1 between two different regions of one recognised city cluster, dims (region, dest)."""
    names = regions.labels["clusters"].to_numpy(dtype=str)
    same = (names[:, None] == names[None, :]) & (names[:, None] != "")
    np.fill_diagonal(same, False)
    return np.asarray(same, dtype=float)
