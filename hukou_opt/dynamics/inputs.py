"""What the model is told: the base year, the parameters, the reform switch, the decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Decisions
from hukou_opt.errors import Fault, ModelError
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import BaseYear

#: Variables of the base year that are constants of the model, under the same names.
BASE_YEAR_INPUTS = (
    "initial_rural_residents",
    "initial_migrants",
    "initial_urban_hukou_residents",
    "initial_rural_children",
    "initial_migrant_children",
    "initial_urban_hukou_children",
    "initial_urban_seats",
    "initial_rural_seats",
    "initial_urban_beds",
    "initial_rural_beds",
    "initial_land_farmed",
    "initial_land_transferred",
    "initial_land_abandoned",
    "migration_coefficient",
    "initial_destination_share",
    "natural_growth_rural",
    "natural_growth_migrant",
    "natural_growth_urban",
    "school_entrants",
    "school_leavers",
    "share_65plus",
    "tier_share",
    "urban_income",
    "same_cluster",
    "eastern",
    "land_revenue",
)
#: Parameters that stand in another room: the estimates of the base year use them, or the bill of
#: the linear program.
SHARED_PARAMETERS = (
    "public_school_share",
    "return_rate",
    "service_cost_per_settler",
    "unit_cost_urban_seat",
    "unit_cost_rural_seat",
    "unit_cost_urban_bed",
    "unit_cost_rural_bed",
    "temporary_place_cost",
)
#: Constants that stay at the neutral value of the model file unless a study sets them.
NEUTRAL = ("net_moves", "urban_income_growth")
#: Guards against division by zero and for comparing times; no figures of the world.
NUMERICAL = ("time_tolerance", "smallest_stock")
#: Units as numbers and quantities that are one by definition.
DEFINITIONS = ("time_passing", "one_year")
#: Sums of shares may differ from one by this much, from rounding.
SHARE_TOLERANCE = 1e-9


def model_constants(base: BaseYear, parameters: Parameters, *, reform: bool) -> dict[str, Constant]:
    """All constants of the model but the decisions.

    Parameters
    ----------
    base : BaseYear
        State of the regions at the end of the base year.
    parameters : Parameters
        The registry; its model room and the two shared rows are read.
    reform : bool
        Whether the reform's levers act. Without it no lever has any effect.

    Returns
    -------
    dict of str to float or DataArray
        Constants by the model's names.

    Raises
    ------
    ModelError
        If the base year lacks a variable, or its shares do not sum to one.
    ParameterError
        If a shared parameter is not in the registry.
    """
    missing = [name for name in BASE_YEAR_INPUTS if name not in base.data]
    if missing:
        raise ModelError(
            [Fault(f"base year {base.year}", f"lacks {name!r}", "derive it") for name in missing]
        )
    faults = []
    for name, dim in (("initial_destination_share", "dest"), ("tier_share", "tier")):
        sums = base.data[name].sum(dim, skipna=False)
        off = np.abs(sums.values - 1) > SHARE_TOLERANCE
        if off.any():
            region = str(base.data["region"].values[int(np.argmax(off))])
            faults.append(
                Fault(
                    f"{name}[region {region}]",
                    f"sums to {float(sums.values[int(np.argmax(off))])!r} over {dim}",
                    "make the shares sum to one",
                )
            )
    if faults:
        raise ModelError(faults)
    constants: dict[str, Constant] = {
        name: base.data[name].reset_coords(drop=True) for name in BASE_YEAR_INPUTS
    }
    constants |= parameters.room("model")
    constants |= {name: parameters[name] for name in SHARED_PARAMETERS}
    constants["reform"] = 1.0 if reform else 0.0
    return constants


def no_decisions(codes: Sequence[str], years: Sequence[int]) -> Decisions:
    """Nothing built beyond replacement, no temporary places, all running cost paid.

    Parameters
    ----------
    codes : sequence of str
        Region codes.
    years : sequence of int
        Calendar years of the run, tail included.
    """
    region, year = list(codes), [int(each) for each in years]
    coords = {"region": region, "year": year}
    cells = (len(region), len(year))
    starts = xr.DataArray(
        np.zeros((len(AREAS), len(SERVICES), *cells)),
        {"area": list(AREAS), "service": list(SERVICES)} | coords,
        ("area", "service", "region", "year"),
    )
    return Decisions(
        starts=starts,
        temporary_places=xr.DataArray(np.zeros(cells), coords, ("region", "year")),
        funded_share=xr.DataArray(np.ones(cells), coords, ("region", "year")),
        bonds=xr.DataArray(np.zeros(cells), coords, ("region", "year")),
    )


def extend_decisions(decisions: Decisions, years: Sequence[int]) -> Decisions:
    """Carry decisions on over the tail: nothing more is built, the funded share is held.

    Parameters
    ----------
    decisions : Decisions
        For the first years of the run.
    years : sequence of int
        All calendar years of the run.

    Raises
    ------
    ModelError
        If the years of the decisions are not the first years of the run.
    """
    have = [int(year) for year in decisions.starts["year"].values]
    wanted = [int(year) for year in years]
    if have != wanted[: len(have)]:
        raise ModelError(
            Fault("decisions", f"are for the years {have!r}", f"begin with {wanted[0]}, no gap")
        )
    tail = wanted[len(have) :]
    held = decisions.funded_share.isel(year=-1, drop=True)
    shares = [decisions.funded_share, *(held.expand_dims(year=[year]) for year in tail)]
    return Decisions(
        starts=decisions.starts.reindex(year=wanted, fill_value=0.0),
        temporary_places=decisions.temporary_places.reindex(year=wanted, fill_value=0.0),
        funded_share=xr.concat(
            shares, "year", join="exact", coords="minimal", compat="override"
        ).transpose("region", "year"),
        bonds=decisions.bonds.reindex(year=wanted, fill_value=0.0),
    )


def decision_constants(decisions: Decisions) -> dict[str, Constant]:
    """Decisions under the names that the model gives them.

    Raises
    ------
    ModelError
        If areas or services are not those of the model, or a decision is negative or a share above
        one.
    """
    faults = []
    for dim, expected in (("area", AREAS), ("service", SERVICES)):
        have = [str(label) for label in decisions.starts[dim].values]
        if sorted(have) != sorted(expected):
            faults.append(Fault("decisions.starts", f"has {dim} {have!r}", f"give {expected!r}"))
    for name, array, high in (
        ("starts", decisions.starts, math.inf),
        ("temporary_places", decisions.temporary_places, math.inf),
        ("bonds", decisions.bonds, math.inf),
        ("funded_share", decisions.funded_share, 1.0),
    ):
        if bool((array < 0).any()) or bool((array > high).any()):
            extreme = float(array.min()) if bool((array < 0).any()) else float(array.max())
            faults.append(
                Fault(f"decisions.{name}", f"is out of range ({extreme!r})", f"give 0 to {high:g}")
            )
    if faults:
        raise ModelError(faults)
    constants: dict[str, Constant] = {
        f"starts_{area}_{service}": decisions.starts.sel(area=area, service=service, drop=True)
        for area in AREAS
        for service in SERVICES
    }
    constants["temporary_places"] = decisions.temporary_places
    constants["funded_share"] = decisions.funded_share
    constants["bonds"] = decisions.bonds
    return constants
