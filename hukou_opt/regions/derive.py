"""Estimate the base year of the stock-flow model from official figures and named parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.errors import DataError, Fault
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions import children, fiscal, flows, land, population, services, vital
from hukou_opt.regions.base_year import CONTRACT, TIERS, BaseYear
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.methods import ERROR_ENDING, FALLBACKS, Method, read_methods
from hukou_opt.regions.region_table import Regions

#: Years of decisions and of the tail that a base year reaches by default.
REACH = 15
#: National series whose figure enters through a parameter of the same meaning.
THROUGH_PARAMETERS = {"hukou_urban_rate", "migrant_children_in_school"}
#: Relative rounding allowed where parts must add up.
ROUNDING = 1e-9


def _require(regions: Regions) -> None:
    """Name every column and national figure that the estimates lack, in one error."""
    faults: list[Fault] = []
    needed = {name for method in read_methods().values() for name in method.inputs}
    for name in sorted(needed - set(FALLBACKS)):
        if name in regions.table:
            continue
        late = name in regions.withheld
        faults.append(
            Fault(
                f"{regions.name} {regions.base_year}, column {name!r}",
                "became known too late" if late else "is missing",
                "choose a later known_by" if late else "add the column, or use base year 2023",
            )
        )
    series = {name for name, _ in regions.national}
    used = {name for method in read_methods().values() for name in method.national}
    faults += [
        Fault(f"{regions.name}, national figure {name!r}", "is missing", "choose a later known_by")
        for name in sorted(used - series - THROUGH_PARAMETERS)
    ]
    if faults:
        raise DataError(faults)


def _tiers(regions: Regions) -> Array:
    names = [f"tier_share_{tier}_2020" for tier in TIERS]
    if not regions.has(*names):
        return np.tile([float(tier == TIERS[-1]) for tier in TIERS], (len(regions.codes), 1))
    shares = np.stack([regions.figure(name) for name in names], axis=1)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=float)


@dataclass(frozen=True)
class Anchors:
    """National sums that scale one's own regions; None where the regions are the whole country."""

    movers_children: float | None = None
    abandonment_tilt: float | None = None


def _off_diagonal(matrix: Array) -> Array:
    return np.asarray(matrix.sum(axis=0) - np.diag(matrix), dtype=float)


def _anchors(regions: Regions, parameters: Parameters) -> Anchors:
    whole = regions.nation
    if whole is None:
        return Anchors()
    people = population.residents(whole, parameters)
    matrix = flows.migrant_matrix(whole, people, parameters)
    weight = children.movers_children(whole, people, _off_diagonal(matrix), parameters)
    tilt = land.mean_tilt(whole, people.rural, matrix.sum(axis=1), parameters)
    return Anchors(float(weight.sum()), tilt)


def _values(regions: Regions, parameters: Parameters, years: range) -> dict[str, Array]:
    """All variables of the contract as plain arrays in the order of the regions."""
    people = population.residents(regions, parameters)
    matrix, _ = flows.migrants_and_outside(regions, people, parameters)
    anchors = _anchors(regions, parameters)
    outside = (
        _off_diagonal(matrix)
        if regions.nation is None
        else flows.migrants_from_outside(regions, people, parameters)
    )
    moves = flows.yearly_flows(regions, people, matrix, parameters).matrix
    change = vital.natural_change(regions, parameters, regions.base_year, regions.base_year)
    growth = vital.growth_by_group(
        change, people.rural, people.migrants, people.urban_hukou, parameters
    )
    groups = children.by_group(
        regions, people, outside, parameters, national=anchors.movers_children
    )
    seats = services.seats(groups, parameters)
    beds = services.beds(regions, people, parameters)
    fields = land.cultivated(
        regions,
        people.rural,
        matrix.sum(axis=1),
        parameters,
        national_tilt=anchors.abandonment_tilt,
    )
    income = fiscal.incomes(regions)
    leaving = moves.sum(axis=1)
    return {
        "initial_rural_residents": people.rural,
        "initial_migrants": matrix,
        "initial_urban_hukou_residents": people.urban_hukou,
        "initial_rural_children": groups.rural,
        "initial_migrant_children": groups.migrant,
        "initial_urban_hukou_children": groups.urban_hukou,
        "initial_urban_seats": seats[0],
        "initial_rural_seats": seats[1],
        "initial_urban_beds": beds[0],
        "initial_rural_beds": beds[1],
        "initial_land_farmed": fields[0],
        "initial_land_transferred": fields[1],
        "initial_land_abandoned": fields[2],
        "migration_coefficient": leaving / (regions.figure("urban_share") * people.rural),
        "initial_destination_share": moves / leaving[:, None],
        "natural_growth_rural": growth[0],
        "natural_growth_migrant": growth[1],
        "natural_growth_urban": growth[2],
        "school_entrants": children.entrants(regions, parameters, years),
        "school_leavers": children.leavers(regions, parameters, years),
        "share_65plus": population.share_65plus(
            regions, parameters, range(regions.base_year, years.stop)
        ),
        "tier_share": _tiers(regions),
        "urban_income": income[0],
        "rural_income": income[1],
        "same_cluster": fiscal.same_cluster(regions),
        "eastern": fiscal.eastern(regions),
        "supported": fiscal.supported(regions, parameters),
        "hardship": fiscal.hardship(regions, parameters),
        "land_revenue": fiscal.land_revenue(regions),
        "central_transfers": fiscal.central_transfers(regions),
        "budget_revenue": regions.figure("budget_revenue"),
        "budget_expenditure": regions.figure("budget_expenditure"),
        "education_expenditure": regions.figure("exp_education"),
        "health_expenditure": regions.figure("exp_health"),
    }


def known_year(regions: Regions, method: Method) -> int:
    """Year in which the last of the figures behind a variable became known; 0 for none."""
    years = [regions.columns[name].known_year for name in method.inputs if name in regions.table]
    years += [
        figure.known_year
        for (series, _), figure in regions.national.items()
        if series in method.national and figure.year <= regions.base_year
    ]
    return max(years, default=0)


def _source(regions: Regions, method: Method) -> str:
    """Name the method and the publications behind it."""
    publications = dict.fromkeys(
        regions.columns[name].source for name in method.inputs if name in regions.table
    )
    publications |= dict.fromkeys(
        figure.source
        for (series, _), figure in regions.national.items()
        if series in method.national
    )
    return "; from: ".join([method.text, *([" / ".join(publications)] if publications else [])])


def _dataset(regions: Regions, values: Mapping[str, Array], years: range) -> xr.Dataset:
    """Label the arrays and say of each what it is."""
    codes = np.asarray(regions.codes, dtype=str)
    axes = {
        "region": codes,
        "dest": codes,
        "year": np.arange(years.start, years.stop),
        "year0": np.arange(regions.base_year, years.stop),
        "tier": np.asarray(TIERS, dtype=str),
    }
    methods = read_methods()
    data = {}
    for name, array in values.items():
        dims, unit = CONTRACT[name]
        method = methods[name]
        attributes: dict[str, str | int] = {
            "unit": unit,
            "status": method.status,
            "source": _source(regions, method),
        }
        if known := known_year(regions, method):
            attributes["known_year"] = known
        if method.drivers:
            attributes["range_from"] = " ".join(method.drivers)
        data[name] = xr.DataArray(
            np.asarray(array, dtype=float),
            dims=dims,
            coords={dim: axes[dim] for dim in dims},
            attrs=attributes,
        )
    return xr.Dataset({name: data[name] for name in CONTRACT if name in data})


def _ranges(
    regions: Regions, parameters: Parameters, years: range, middle: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Lowest and highest value of each variable when one driving parameter moves at a time."""
    low: dict[str, Array] = {}
    high: dict[str, Array] = {}
    methods = read_methods()
    drivers = dict.fromkeys(name for method in methods.values() for name in method.drivers)
    moved: dict[str, list[dict[str, Array]]] = {}
    for name in drivers:
        if name.endswith(ERROR_ENDING):
            continue
        row = parameters.rows[name]
        moved[name] = [
            _values(regions, parameters.override({name: end}, allow_out_of_range=True), years)
            for end in sorted({row.low, row.high} - {row.value})
        ]
    for name, method in methods.items():
        if not method.drivers:
            continue
        candidates = [middle[name]]
        for driver in method.drivers:
            if driver.endswith(ERROR_ENDING):
                width = parameters[driver]
                candidates += [middle[name] * (1 - width), middle[name] * (1 + width)]
            else:
                candidates += [values[name] for values in moved[driver]]
        low[name] = np.min(candidates, axis=0)
        high[name] = np.max(candidates, axis=0)
    return low, high


def check_base_year(data: xr.Dataset) -> list[Fault]:
    """List what is wrong with an estimated base year: missing, not finite, negative, off one."""
    faults = [
        Fault(f"base year, {name}", "is missing", "estimate it")
        for name in CONTRACT
        if name not in data
    ]
    for name in data.data_vars:
        values = data[name].to_numpy()
        wrong = ~np.isfinite(values)
        if not str(name).startswith("natural_growth"):
            wrong |= values < 0
        if CONTRACT[str(name)][1] == "1":
            wrong |= values > 1 + ROUNDING
        if wrong.any():
            place = np.argwhere(wrong)[0]
            code = data["region"].values[place[0]]
            faults.append(
                Fault(
                    f"base year, {name}, region {code}",
                    f"is not a possible value ({values[tuple(place)]:g})",
                    "check the region's figures and the parameters of the estimate",
                )
            )
    for name, dim in (("initial_destination_share", "dest"), ("tier_share", "tier")):
        if name in data and float(np.abs(data[name].sum(dim) - 1).max()) > ROUNDING:
            faults.append(Fault(f"base year, {name}", "does not sum to 1", "check its inputs"))
    return faults


def base_year_identity(data: xr.Dataset) -> str:
    """SHA-256 over the values of a base year, in hexadecimal."""
    digest = hashlib.sha256()
    for name in data.variables:
        variable = data[name]
        digest.update(f"{name} {variable.dims}".encode())
        if variable.dtype.kind in "US":
            digest.update(" ".join(map(str, variable.values)).encode())
        else:
            digest.update(np.ascontiguousarray(variable.values, dtype="<f8").tobytes())
    return digest.hexdigest()


def _notes(regions: Regions, parameters: Parameters) -> tuple[str, ...]:
    """Say how many migrants of one's own regions come from outside the table."""
    if regions.nation is None:
        return ()
    people = population.residents(regions, parameters)
    _, outside = flows.migrants_and_outside(regions, people, parameters)
    if not outside.sum() > 0:
        return ()
    return (
        f"Of {people.migrants.sum():,.1f} (10k) rural-hukou migrants {outside.sum():,.1f} come "
        "from outside the table: they stand as if at home where they live, their land is not in "
        "the table, and moves across its border are not modelled.",
    )


def derive_base_year(
    regions: Regions,
    parameters: Parameters,
    *,
    years: range | None = None,
    with_ranges: bool = True,
) -> BaseYear:
    """Estimate the state of all regions at the end of the base year and what drives them later.

    Parameters
    ----------
    regions : Regions
        Official figures.
    parameters : Parameters
        The registry; the estimates read the file ``derivation.csv`` of it only.
    years : range, optional
        Calendar years of decisions and tail; fifteen years after the base year by default.
    with_ranges : bool, optional
        Estimate low and high too, by moving each driving parameter to the ends of its range, one
        at a time. Bounds are cell by cell: for consistent draws estimate anew with other
        parameters.

    Returns
    -------
    BaseYear
        Every variable of the contract with unit, status, source and, where there is one, the year
        in which the last figure behind it became known.

    Raises
    ------
    DataError
        If figures are missing or became known too late, or the estimates are impossible.
    """
    _require(regions)
    span = years or range(regions.base_year + 1, regions.base_year + 1 + REACH)
    if span.step != 1 or span.start != regions.base_year + 1 or not len(span):
        raise DataError(
            Fault(
                "years of the base year",
                f"do not follow {regions.base_year} one by one ({span!r})",
                f"start with {regions.base_year + 1}",
            )
        )
    values = _values(regions, parameters, span)
    data = _dataset(regions, values, span)
    if faults := check_base_year(data):
        raise DataError(faults)
    low, high = _ranges(regions, parameters, span, values) if with_ranges else ({}, {})
    return BaseYear(
        year=regions.base_year,
        data=data,
        low=_dataset(regions, low, span),
        high=_dataset(regions, high, span),
        identity=base_year_identity(data),
        notes=_notes(regions, parameters),
    )
