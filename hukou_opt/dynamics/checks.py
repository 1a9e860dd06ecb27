"""Invariants of the stock-flow model, checked at every saved step of every run.

People, hukou, children, farmland and buildings are conserved; stocks stay at or above zero; shares
stay between 0 and 1. A run that breaks one is refused, with check, region, year and value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Trajectory
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Decisions
from hukou_opt.dynamics.outputs import SHARES, STOCKS
from hukou_opt.errors import Fault, ModelError

#: Largest residual of a balance, relative to the stock that it concerns.
BALANCE_TOLERANCE = 1e-9
#: Rounding below zero or outside [0, 1] that is no breach.
ROUNDING = 1e-9
#: Largest numbers of places of one breach that a message lists.
SHOWN = 3


@dataclass(frozen=True)
class Check:
    """One invariant of one run.

    Parameters
    ----------
    name : str
        What must hold.
    worst : float
        Largest residual found, relative for balances.
    allowed : float
        Largest residual that is accepted.
    """

    name: str
    worst: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether the invariant holds."""
        return self.worst <= self.allowed


def check_trajectory(
    trajectory: Trajectory, decisions: Decisions, *, class_stretch: float
) -> list[Check]:
    """Check every invariant of a run at every saved step.

    Parameters
    ----------
    trajectory : Trajectory
        A run with all of the toolkit's variables.
    decisions : Decisions
        The decisions of that run.
    class_stretch : float
        Places that classes can hold beyond their seats, share of seats.

    Returns
    -------
    list of Check
        One per invariant, with the largest residual, for the report.

    Raises
    ------
    ModelError
        If an invariant is broken; every broken one with region, year and value.
    """
    run = trajectory.data
    checks: list[Check] = []
    faults: list[Fault] = []
    for name, residual, allowed in (
        *_balances(run),
        *_buildings(run, decisions),
        *_bounds(run, class_stretch),
        *_rates(run, trajectory.time_step),
    ):
        checks.append(Check(name, float(residual.max()), allowed))
        faults += _breaches(name, residual, allowed)
    if faults:
        raise ModelError(faults)
    return checks


Residual = tuple[str, xr.DataArray, float]


def _relative(difference: xr.DataArray, scale: xr.DataArray) -> xr.DataArray:
    # A stock of zero is compared on an absolute scale of one unit.
    return abs(difference) / abs(scale).clip(min=1.0)


def _since_start(stock: xr.DataArray) -> xr.DataArray:
    return stock - stock.isel(year=0, drop=True)


def _balances(run: xr.Dataset) -> Iterator[Residual]:
    people = run["residents"].sum("region")
    natural = run["cumulative_natural_rural_hukou"] + run["cumulative_natural_urban_hukou"]
    yield (
        "people: residents change by births and deaths only, all regions",
        _relative(_since_start(people) - natural.sum("region"), people),
        BALANCE_TOLERANCE,
    )
    rural_hukou = run["rural_residents"] + run["people_away"]
    explained = (
        run["cumulative_natural_rural_hukou"]
        + run["cumulative_other_rural_hukou"]
        - run["cumulative_settled_from"]
    )
    yield (
        "hukou: rural-hukou holders change by births, deaths and settlement only",
        _relative(_since_start(rural_hukou) - explained, rural_hukou),
        BALANCE_TOLERANCE,
    )
    here, gone = run["cumulative_settlers"], run["cumulative_settled_from"]
    yield (
        "settlers: those who arrive are those who leave, all regions",
        _relative(here.sum("region") - gone.sum("region"), here.sum("region")),
        BALANCE_TOLERANCE,
    )
    groups = run["rural_children"] + run["migrant_children"] + run["urban_hukou_children"]
    pupils, entries = groups.sum("region"), run["cumulative_children"].sum("region")
    yield (
        "children: they change by age only, all regions",
        _relative(_since_start(pupils) - entries, pupils),
        BALANCE_TOLERANCE,
    )
    land = (
        run["land_farmed"]
        + run["land_transferred"]
        + run["land_abandoned"]
        + run["land_built_over"]
    )
    yield (
        "land: farmed, rented, abandoned and built-over land stays constant",
        _relative(_since_start(land), land),
        BALANCE_TOLERANCE,
    )
    yield (
        "debt: what was borrowed is owed or repaid",
        _relative(
            _since_start(run["debt"]) - run["cumulative_borrowing"] + run["cumulative_repayment"],
            run["cumulative_borrowing"],
        ),
        BALANCE_TOLERANCE,
    )
    shares = run["destination_share"].sum("dest")
    yield "migration: shares of destinations sum to one", abs(shares - 1), BALANCE_TOLERANCE


def _buildings(run: xr.Dataset, decisions: Decisions) -> Iterator[Residual]:
    years = run["year"].values
    elapsed = xr.DataArray(years - years[0], {"year": years}, ("year",)).astype(float)
    for area in AREAS:
        for service in SERVICES:
            name = f"{area}_{service}"
            starts = decisions.starts.sel(area=area, service=service, drop=True)
            begun = starts.cumsum("year").reindex(year=years, fill_value=0.0)
            begun = begun + elapsed * run[f"replacement_{name}"].isel(year=0, drop=True)
            under_way = run[f"{name}_begun"] + run[f"{name}_building"]
            done = run[f"cumulative_completed_{name}"]
            yield (
                f"building: {area} {service} begun are completed or under way",
                _relative(begun - done - _since_start(under_way), begun),
                BALANCE_TOLERANCE,
            )


def _bounds(run: xr.Dataset, class_stretch: float) -> Iterator[Residual]:
    for name in STOCKS:
        yield f"{name} is not negative", (-run[name]).clip(min=0.0), ROUNDING
    for name in SHARES:
        outside = abs(run[name] - run[name].clip(0.0, 1.0))
        yield f"{name} lies between 0 and 1", outside, ROUNDING
    taken = (
        run["hukou_place_share_year_end"] * run["urban_hukou_children"]
        + run["migrant_place_share_year_end"] * run["migrant_children"]
    )
    places = run["public_places_year_end"]
    yield (
        "schools: children placed do not exceed places",
        (taken - places).clip(min=0.0) / places.clip(min=1.0),
        ROUNDING,
    )
    most = run["urban_seats"] * (1.0 + class_stretch) + run["temporary_places_year_end"]
    yield (
        "schools: places do not exceed seats, larger classes and temporary places",
        (places - most).clip(min=0.0) / most.clip(min=1.0),
        ROUNDING,
    )
    yield (
        "the hukou rate does not exceed the urban share",
        (run["hukou_rate"] - run["urban_share"]).clip(min=0.0),
        ROUNDING,
    )


def _rates(run: xr.Dataset, time_step: float) -> Iterator[Residual]:
    leaving_towns = run["return_hazard"].rename(region="dest") + run["settlement_hazard"]
    for name, rate in (
        ("rural residents", run["migration_rate"]),
        ("migrants", leaving_towns),
        ("children", run["leaving_hazard"]),
        ("seats under construction", run["seat_stage_rate"]),
        ("beds under construction", run["bed_stage_rate"]),
    ):
        yield f"step times the rate at which {name} leave is below one", time_step * rate, 1.0


def _breaches(name: str, residual: xr.DataArray, allowed: float) -> list[Fault]:
    # Written so that a value that is no number counts as a breach.
    bad = ~(residual.values <= allowed)
    places = np.argwhere(bad)
    faults = []
    for place in places[:SHOWN]:
        where = ", ".join(
            f"{dim} {residual.coords[dim].values[index]}"
            for dim, index in zip(residual.dims, place, strict=True)
        )
        value = float(residual.values[tuple(place)])
        faults.append(
            Fault(
                f"check {name!r}" + (f", {where}" if where else ""),
                f"fails ({value!r}, allowed {allowed:g}; {len(places)} place(s))",
                "look at the inputs and parameters of that region, or shorten the step",
            )
        )
    return faults
