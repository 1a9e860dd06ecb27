"""The figures of the estimated base year by region and country, each with its low and high.

A region's range and the country's are found in the same way: the base year is estimated anew with
one driving parameter at the low or high end of its range, all others as they are, and the lowest
and highest figures are kept. So a sum over regions has the range of the sum; the ranges of its
parts added up would be wider wherever a parameter only moves people from one region to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.errors import DataError
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions import Regions, derive_base_year
from hukou_opt.regions.base_year import CONTRACT, BaseYear
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.methods import ERROR_ENDING, read_methods

#: Heads by which the national mean of a rate, share or income is weighted; all residents otherwise.
HEADS: Mapping[str, str] = {
    "migration_coefficient": "rural residents",
    "initial_destination_share": "moves to towns",
    "natural_growth_rural": "rural residents",
    "natural_growth_migrant": "migrants",
    "natural_growth_urban": "urban-hukou residents",
    "tier_share": "urban residents",
    "urban_income": "urban residents",
    "rural_income": "rural residents",
}
RESIDENTS = "all residents"
#: Units per head, per year or of shares: a sum over regions has no meaning, a mean has.
_RATES = ("1", "1/year")
_PER_HEAD = "/person"
#: How a national figure comes about.
SUM, COUNT, MEAN = "sum", "number of regions", "mean by "


@dataclass(frozen=True)
class Estimates:
    """The base year, and the same estimated with one parameter at the end of its range.

    Parameters
    ----------
    regions : Regions
        Official figures.
    base : BaseYear
        Estimates with all parameters as given.
    moved : mapping of str to tuple of Dataset
        By driving parameter: the variables with that parameter at its low and at its high end.
    errors : mapping of str to float
        Relative errors of single regions, by parameter.
    refused : tuple of str
        Ends of ranges at which no base year is possible; they widen no range.
    """

    regions: Regions
    base: BaseYear
    moved: Mapping[str, tuple[xr.Dataset, ...]]
    errors: Mapping[str, float]
    refused: tuple[str, ...]


def estimate_with_ends(
    regions: Regions, parameters: Parameters, *, years: range | None = None
) -> Estimates:
    """Estimate the base year, and again with each driving parameter at the ends of its range.

    Parameters
    ----------
    regions : Regions
        Official figures.
    parameters : Parameters
        The registry, or the parameters of one experiment.
    years : range, optional
        Calendar years of decisions and tail, as for `derive_base_year`.

    Raises
    ------
    DataError
        If figures are missing, or the estimates with all parameters as given are impossible.
    """
    base = derive_base_year(regions, parameters, years=years, with_ranges=False)
    drivers = dict.fromkeys(name for method in read_methods().values() for name in method.drivers)
    moved: dict[str, tuple[xr.Dataset, ...]] = {}
    refused: list[str] = []
    for name in drivers:
        if name.endswith(ERROR_ENDING):
            continue
        row = parameters.rows[name]
        ends = []
        for end in sorted({row.low, row.high} - {row.value}):
            other = parameters.override({name: end}, allow_out_of_range=True)
            try:
                anew = derive_base_year(regions, other, years=years, with_ranges=False)
            except DataError:
                refused.append(f"{name} = {end:g}")
            else:
                ends.append(anew.data)
        moved[name] = tuple(ends)
    errors = {name: parameters[name] for name in drivers if name.endswith(ERROR_ENDING)}
    return Estimates(regions, base, moved, errors, tuple(refused))


def yes_or_no(data: xr.Dataset, name: str) -> bool:
    """Whether a variable says yes or no of each region or pair."""
    return CONTRACT[name][1] == "1" and bool(np.isin(data[name].to_numpy(), (0.0, 1.0)).all())


def _readings(data: xr.Dataset, name: str) -> dict[str, Array]:
    """One figure per region, by size class or year where the variable has such an axis."""
    variable = data[name]
    axes = [str(dim) for dim in variable.dims if dim != "region"]
    values = variable.transpose("region", ...).to_numpy()
    if not axes:
        return {"": values}
    if axes == ["dest"]:
        if yes_or_no(data, name):
            return {"": values.max(axis=1)}
        if CONTRACT[name][1] == "1":
            return {"to other regions": 1 - np.diag(values)}
        return {"from all regions": values.sum(axis=0)}
    labels = [str(label) for label in variable[axes[0]].to_numpy()]
    shown = [0, len(labels) - 1] if axes[0].startswith("year") else range(len(labels))
    return {labels[place]: values[:, place] for place in dict.fromkeys(shown)}


def versions(estimates: Estimates, name: str) -> list[xr.Dataset]:
    """The base year as estimated, then with each parameter moved that drives the variable."""
    drivers = [driver for driver in read_methods()[name].drivers if driver in estimates.moved]
    return [
        estimates.base.data,
        *(data for driver in drivers for data in estimates.moved[driver]),
    ]


def error_width(estimates: Estimates, name: str) -> float:
    """Relative half-width of a variable's range from errors of single regions; 0 for none."""
    widths = [estimates.errors.get(driver, 0.0) for driver in read_methods()[name].drivers]
    return max(widths, default=0.0)


def spread(
    estimates: Estimates, name: str
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """Estimate, lowest and highest figure of every region."""
    found = [_readings(data, name) for data in versions(estimates, name)]
    centre = found[0]
    width = error_width(estimates, name)
    low, high = {}, {}
    for at, values in centre.items():
        each = [item[at] for item in found] + [values * (1 - width), values * (1 + width)]
        low[at], high[at] = np.min(each, axis=0), np.max(each, axis=0)
    return centre, low, high


def how_formed(data: xr.Dataset, name: str) -> str:
    """How the national figure of a variable comes about."""
    unit = CONTRACT[name][1]
    if yes_or_no(data, name):
        return COUNT
    if unit in _RATES or _PER_HEAD in unit:
        return MEAN + HEADS.get(name, RESIDENTS)
    return SUM


def national_figures(data: xr.Dataset, name: str, formed: str) -> list[float]:
    """National figures of a variable, in the order of its readings, formed as `how_formed` says."""
    readings = _readings(data, name).values()
    if not formed.startswith(MEAN):
        return [float(values.sum()) for values in readings]
    weights = _heads(data)[formed.removeprefix(MEAN)]
    return [float((values * weights).sum() / weights.sum()) for values in readings]


def _heads(data: xr.Dataset) -> dict[str, Array]:
    """People by region, by whom rates and shares are weighted."""
    rural = data["initial_rural_residents"].to_numpy()
    migrants = data["initial_migrants"].sum("region").to_numpy()
    hukou = data["initial_urban_hukou_residents"].to_numpy()
    urban = migrants + hukou
    share = urban / (urban + rural)
    return {
        "rural residents": rural,
        "migrants": migrants,
        "urban-hukou residents": hukou,
        "urban residents": urban,
        RESIDENTS: rural + urban,
        "moves to towns": data["migration_coefficient"].to_numpy() * share * rural,
    }
