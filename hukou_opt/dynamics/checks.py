"""Invariants of the stock-flow model, checked at every saved step of every run.

People, hukou, children, farmland and buildings are conserved; stocks stay at or above zero; shares
stay between 0 and 1. A run that breaks one is refused, with check, region, year and value. Where a
model lacks variables that a check reads, the check is not made, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Trajectory
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Decisions
from hukou_opt.dynamics.outputs import OUTPUTS, SHARES, STOCKS
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
        Largest residual found, relative for balances; NaN where nothing was checked.
    allowed : float
        Largest residual that is accepted; NaN where nothing was checked.
    missing : tuple of str, optional
        Variables that the model lacks, so that the check was not made.
    """

    name: str
    worst: float
    allowed: float
    missing: tuple[str, ...] = ()

    @property
    def made(self) -> bool:
        """Whether the run was checked at all."""
        return not self.missing

    @property
    def holds(self) -> bool:
        """Whether the invariant was checked and holds."""
        return self.made and self.worst <= self.allowed

    @property
    def label(self) -> str:
        """What must hold; where it was not checked, that it was not, and why."""
        if self.made:
            return self.name
        lacking = ", ".join(repr(name) for name in self.missing)
        return f"not checked: {self.name} (no variable {lacking})"


@dataclass(frozen=True)
class _Rule:
    """An invariant before a run is held to it: variables it reads, residual, tolerance."""

    name: str
    reads: tuple[str, ...]
    residual: Callable[[xr.Dataset], xr.DataArray]
    allowed: float


Residual = tuple[str, xr.DataArray, float]


def check_trajectory(
    trajectory: Trajectory, decisions: Decisions, *, class_stretch: float
) -> list[Check]:
    """Check every invariant of a run at every saved step.

    Parameters
    ----------
    trajectory : Trajectory
        A run. What it has of the toolkit's variables is checked; other variables must be finite.
    decisions : Decisions
        The decisions of that run.
    class_stretch : float
        Places that classes can hold beyond their seats, share of seats.

    Returns
    -------
    list of Check
        One per invariant, with the largest residual or what is missing, for the report.

    Raises
    ------
    ModelError
        If an invariant is broken; every broken one with region, year and value.
    """
    run = trajectory.data
    checks: list[Check] = []
    faults: list[Fault] = []
    for rule in (
        *_balance_rules(),
        *_building_rules(decisions),
        *_bound_rules(class_stretch),
        *_rate_rules(trajectory.time_step),
        *_others(run),
    ):
        missing = tuple(name for name in rule.reads if name not in run)
        if missing:
            checks.append(Check(rule.name, float("nan"), float("nan"), missing))
            continue
        # Nothing but what the rule says that it reads, so that none is made by halves.
        residual = rule.residual(run[list(rule.reads)])
        checks.append(Check(rule.name, float(residual.max()), rule.allowed))
        faults += _breaches(rule.name, residual, rule.allowed)
    if faults:
        raise ModelError(faults)
    return checks


def _relative(difference: xr.DataArray, scale: xr.DataArray) -> xr.DataArray:
    # A stock of zero is compared on an absolute scale of one unit.
    return abs(difference) / abs(scale).clip(min=1.0)


def _since_start(stock: xr.DataArray) -> xr.DataArray:
    return stock - stock.isel(year=0, drop=True)


def _people(run: xr.Dataset) -> xr.DataArray:
    people = run["residents"].sum("region")
    natural = run["cumulative_natural_rural_hukou"] + run["cumulative_natural_urban_hukou"]
    return _relative(_since_start(people) - natural.sum("region"), people)


def _hukou(run: xr.Dataset) -> xr.DataArray:
    rural_hukou = run["rural_residents"] + run["people_away"]
    explained = (
        run["cumulative_natural_rural_hukou"]
        + run["cumulative_other_rural_hukou"]
        - run["cumulative_settled_from"]
    )
    return _relative(_since_start(rural_hukou) - explained, rural_hukou)


def _settlers(run: xr.Dataset) -> xr.DataArray:
    here, gone = run["cumulative_settlers"], run["cumulative_settled_from"]
    return _relative(here.sum("region") - gone.sum("region"), here.sum("region"))


def _children(run: xr.Dataset) -> xr.DataArray:
    groups = run["rural_children"] + run["migrant_children"] + run["urban_hukou_children"]
    pupils, entries = groups.sum("region"), run["cumulative_children"].sum("region")
    return _relative(_since_start(pupils) - entries, pupils)


def _land(run: xr.Dataset) -> xr.DataArray:
    land = (
        run["land_farmed"]
        + run["land_transferred"]
        + run["land_abandoned"]
        + run["land_built_over"]
    )
    return _relative(_since_start(land), land)


def _debt(run: xr.Dataset) -> xr.DataArray:
    return _relative(
        _since_start(run["debt"]) - run["cumulative_borrowing"] + run["cumulative_repayment"],
        run["cumulative_borrowing"],
    )


def _destinations(run: xr.Dataset) -> xr.DataArray:
    return abs(run["destination_share"].sum("dest") - 1)


def _balance_rules() -> Iterator[_Rule]:
    natural = ("cumulative_natural_rural_hukou", "cumulative_natural_urban_hukou")
    for name, reads, residual in (
        (
            "people: residents change by births and deaths only, all regions",
            ("residents", *natural),
            _people,
        ),
        (
            "hukou: rural-hukou holders change by births, deaths and settlement only",
            (
                "rural_residents",
                "people_away",
                "cumulative_natural_rural_hukou",
                "cumulative_other_rural_hukou",
                "cumulative_settled_from",
            ),
            _hukou,
        ),
        (
            "settlers: those who arrive are those who leave, all regions",
            ("cumulative_settlers", "cumulative_settled_from"),
            _settlers,
        ),
        (
            "children: they change by age only, all regions",
            ("rural_children", "migrant_children", "urban_hukou_children", "cumulative_children"),
            _children,
        ),
        (
            "land: farmed, rented, abandoned and built-over land stays constant",
            ("land_farmed", "land_transferred", "land_abandoned", "land_built_over"),
            _land,
        ),
        (
            "debt: what was borrowed is owed or repaid",
            ("debt", "cumulative_borrowing", "cumulative_repayment"),
            _debt,
        ),
        (
            "migration: shares of destinations sum to one",
            ("destination_share",),
            _destinations,
        ),
    ):
        yield _Rule(name, reads, residual, BALANCE_TOLERANCE)


def _building_rules(decisions: Decisions) -> Iterator[_Rule]:
    for area in AREAS:
        for service in SERVICES:
            name = f"{area}_{service}"
            starts = decisions.starts.sel(area=area, service=service, drop=True)
            yield _Rule(
                f"building: {area} {service} begun are completed or under way",
                (
                    f"replacement_{name}",
                    f"{name}_begun",
                    f"{name}_building",
                    f"cumulative_completed_{name}",
                ),
                partial(_built, name, starts),
                BALANCE_TOLERANCE,
            )


def _built(name: str, starts: xr.DataArray, run: xr.Dataset) -> xr.DataArray:
    years = run["year"].values
    elapsed = xr.DataArray(years - years[0], {"year": years}, ("year",)).astype(float)
    begun = starts.cumsum("year").reindex(year=years, fill_value=0.0)
    begun = begun + elapsed * run[f"replacement_{name}"].isel(year=0, drop=True)
    under_way = run[f"{name}_begun"] + run[f"{name}_building"]
    done = run[f"cumulative_completed_{name}"]
    return _relative(begun - done - _since_start(under_way), begun)


def _below_zero(name: str, run: xr.Dataset) -> xr.DataArray:
    return (-run[name]).clip(min=0.0)


def _outside(name: str, run: xr.Dataset) -> xr.DataArray:
    return abs(run[name] - run[name].clip(0.0, 1.0))


def _placed(run: xr.Dataset) -> xr.DataArray:
    taken = (
        run["hukou_place_share_year_end"] * run["urban_hukou_children"]
        + run["migrant_place_share_year_end"] * run["migrant_children"]
    )
    places = run["public_places_year_end"]
    return (taken - places).clip(min=0.0) / places.clip(min=1.0)


def _held(class_stretch: float, run: xr.Dataset) -> xr.DataArray:
    places = run["public_places_year_end"]
    most = run["urban_seats"] * (1.0 + class_stretch) + run["temporary_places_year_end"]
    return (places - most).clip(min=0.0) / most.clip(min=1.0)


def _hukou_rate(run: xr.Dataset) -> xr.DataArray:
    return (run["hukou_rate"] - run["urban_share"]).clip(min=0.0)


def _bound_rules(class_stretch: float) -> Iterator[_Rule]:
    for name in STOCKS:
        yield _Rule(f"{name} is not negative", (name,), partial(_below_zero, name), ROUNDING)
    for name in SHARES:
        yield _Rule(f"{name} lies between 0 and 1", (name,), partial(_outside, name), ROUNDING)
    yield _Rule(
        "schools: children placed do not exceed places",
        (
            "hukou_place_share_year_end",
            "urban_hukou_children",
            "migrant_place_share_year_end",
            "migrant_children",
            "public_places_year_end",
        ),
        _placed,
        ROUNDING,
    )
    yield _Rule(
        "schools: places do not exceed seats, larger classes and temporary places",
        ("public_places_year_end", "urban_seats", "temporary_places_year_end"),
        partial(_held, class_stretch),
        ROUNDING,
    )
    yield _Rule(
        "the hukou rate does not exceed the urban share",
        ("hukou_rate", "urban_share"),
        _hukou_rate,
        ROUNDING,
    )


def _leaving_towns(time_step: float, run: xr.Dataset) -> xr.DataArray:
    return time_step * (run["return_hazard"].rename(region="dest") + run["settlement_hazard"])


def _leaving(name: str, time_step: float, run: xr.Dataset) -> xr.DataArray:
    return time_step * run[name]


def _rate_rules(time_step: float) -> Iterator[_Rule]:
    for name, rate in (
        ("rural residents", "migration_rate"),
        ("migrants", None),
        ("children", "leaving_hazard"),
        ("seats under construction", "seat_stage_rate"),
        ("beds under construction", "bed_stage_rate"),
    ):
        words = f"step times the rate at which {name} leave is below one"
        if rate is None:
            reads = ("return_hazard", "settlement_hazard")
            yield _Rule(words, reads, partial(_leaving_towns, time_step), 1.0)
        else:
            yield _Rule(words, (rate,), partial(_leaving, rate, time_step), 1.0)


def _others(run: xr.Dataset) -> Iterator[_Rule]:
    """Variables that the toolkit does not know: nothing but finite can be asked of them."""
    for name in run.data_vars:
        if name not in OUTPUTS:
            yield _Rule(
                f"{name} is finite", (str(name),), partial(_not_finite, str(name)), ROUNDING
            )


def _not_finite(name: str, run: xr.Dataset) -> xr.DataArray:
    values = run[name]
    return values.copy(data=np.where(np.isfinite(values.values), 0.0, np.inf))


def _made(run: xr.Dataset, rules: Iterable[_Rule]) -> Iterator[Residual]:
    """Name, residual and tolerance of every rule whose variables the run has."""
    for rule in rules:
        if all(name in run for name in rule.reads):
            yield rule.name, rule.residual(run[list(rule.reads)]), rule.allowed


def _balances(run: xr.Dataset) -> Iterator[Residual]:
    return _made(run, _balance_rules())


def _buildings(run: xr.Dataset, decisions: Decisions) -> Iterator[Residual]:
    return _made(run, _building_rules(decisions))


def _bounds(run: xr.Dataset, class_stretch: float) -> Iterator[Residual]:
    return _made(run, _bound_rules(class_stretch))


def _rates(run: xr.Dataset, time_step: float) -> Iterator[Residual]:
    return _made(run, _rate_rules(time_step))


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
