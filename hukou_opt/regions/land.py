"""Cultivated land at the base year: farmed by its holders, transferred, abandoned."""

from __future__ import annotations

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.load import Regions

#: Year of the national land survey to whose total the shares of 2008 are applied.
SURVEY = 2019


def cultivated(
    regions: Regions, rural: Array, away: Array, parameters: Parameters
) -> tuple[Array, Array, Array]:
    """Land farmed by its holders, transferred or in trusteeship, and abandoned, 10k mu, by region.

    No provincial series of abandonment exists: one national share, tilted if asked by the share of
    land holders who are away.

    Parameters
    ----------
    regions : Regions
        Official figures.
    rural, away : array, dims (region)
        Rural residents, and rural-hukou holders of the region who live in towns, 10k persons.
    parameters : Parameters
        Shares and tilt.

    Raises
    ------
    DataError
        If transferred and abandoned land exceed all land.
    """
    older = regions.figure("cultivated_land_2008")
    total = older / older.sum() * regions.country("cultivated_land", SURVEY) * regions.coverage
    tilt = (away / (rural + away)) ** parameters["abandoned_tilt"]
    tilt = tilt / ((tilt * total).sum() / total.sum())
    abandoned = parameters["abandoned_share"] * tilt * total
    transferred = parameters["transferred_share"] * total
    farmed = total - abandoned - transferred
    faults = [
        Fault(
            f"region {code}",
            f"would have less than no farmed land ({land:.0f} 10k mu)",
            "lower abandoned_share, transferred_share or abandoned_tilt",
        )
        for code, land in zip(regions.codes, farmed, strict=True)
        if land < 0
    ]
    if faults:
        raise DataError(faults)
    return farmed, transferred, abandoned
