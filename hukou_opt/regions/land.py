"""Cultivated land at the base year: farmed by its holders, transferred, abandoned."""

from __future__ import annotations

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.region_table import Regions

#: Year of the national land survey to whose total the shares of 2008 are applied.
SURVEY = 2019


def _land_and_tilt(
    regions: Regions, rural: Array, away: Array, parameters: Parameters
) -> tuple[Array, Array]:
    """All land of every region, 10k mu, and its tilt of abandonment before it is scaled."""
    whole = regions.whole.figure("cultivated_land_2008").sum()
    total = regions.figure("cultivated_land_2008") / whole
    total = total * regions.country("cultivated_land", SURVEY)
    return total, (away / (rural + away)) ** parameters["abandoned_tilt"]


def mean_tilt(regions: Regions, rural: Array, away: Array, parameters: Parameters) -> float:
    """Tilt of abandonment of all the country's land together, which scales that of a region."""
    total, tilt = _land_and_tilt(regions, rural, away, parameters)
    return float((tilt * total).sum() / total.sum())


def cultivated(
    regions: Regions,
    rural: Array,
    away: Array,
    parameters: Parameters,
    *,
    national_tilt: float | None = None,
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
    national_tilt : float, optional
        Tilt of the whole country where the regions are a part of it; their own mean without.

    Raises
    ------
    DataError
        If transferred and abandoned land exceed all land.
    """
    total, tilt = _land_and_tilt(regions, rural, away, parameters)
    if national_tilt is None:
        national_tilt = float((tilt * total).sum() / total.sum())
    tilt = tilt / national_tilt
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
