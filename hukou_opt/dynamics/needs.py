"""From a run of the stock-flow model to what the linear program takes from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Runner, Trajectory
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Decisions, Needs
from hukou_opt.dynamics.inputs import no_decisions
from hukou_opt.errors import Fault, ModelError

#: Regions differ in the standing capacity of one unit by rounding only.
AGREEMENT = 1e-9
#: Capacity by service and area in which one unit started leads to the same path: rural seats are
#: left out, because the closure of empty schools takes from them as well.
LINEAR = {"seats": ("urban",), "beds": ("urban", "rural")}
#: What the linear program takes where a model lacks an optional variable of the contract: classes
#: as large as their seats, hukou children first as without the reform, no grants.
WITHOUT = {"stretch": 0.0, "hukou_first": 1.0, "cumulative_grants": 0.0}


def standing_capacity(engine: Runner, without: Trajectory | None = None) -> xr.DataArray:
    """Capacity that stands at later year ends, from one unit started evenly over a year.

    The difference of two runs of the engine: one unit started in every region in the first year,
    and none. It holds building delay and depreciation together, at the engine's own step.

    Parameters
    ----------
    engine : Runner
        Engine whose constants are set.
    without : Trajectory, optional
        The same engine's run without any start; run here if not given.

    Returns
    -------
    DataArray, dims (service, age)
        Units standing at the end of year u + age per unit started in year u.

    Raises
    ------
    ModelError
        If regions or areas disagree.
    """
    nothing = no_decisions(engine.codes, engine.years)
    columns = [f"{area}_{service}" for service in SERVICES for area in LINEAR[service]]
    if without is None:
        without = engine.run(nothing, columns)
    starts = nothing.starts.copy(deep=True)
    starts.loc[{"year": engine.years[0]}] = 1.0
    unit = replace(nothing, starts=starts)
    with_unit = engine.run(unit, columns)
    standing = np.zeros((len(SERVICES), len(engine.years)))
    faults = []
    for row, service in enumerate(SERVICES):
        for area in LINEAR[service]:
            name = f"{area}_{service}"
            gained = (with_unit.data[name] - without.data[name]).sel(year=list(engine.years))
            path = gained.transpose("region", "year").values
            if area == LINEAR[service][0]:
                standing[row] = path[0]
            away = float(np.abs(path - standing[row]).max())
            scale = 1 + float(np.abs(without.data[name]).max())
            if away > AGREEMENT * scale:
                faults.append(
                    Fault(
                        f"standing capacity of {name}",
                        f"differs between regions ({away!r})",
                        "keep capacity linear in the starts, or tell the linear program",
                    )
                )
    if faults:
        raise ModelError(faults)
    return xr.DataArray(
        standing,
        {"service": list(SERVICES), "age": list(range(len(engine.years)))},
        ("service", "age"),
        attrs={"unit": "1"},
    )


def capacity_of_starts(starts: xr.DataArray, standing: xr.DataArray) -> xr.DataArray:
    """Capacity at year ends that comes from starts, by convolution with the standing capacity.

    Parameters
    ----------
    starts : DataArray, dims (area, service, region, year)
        Units started in each year, 10k.
    standing : DataArray, dims (service, age)
        As `standing_capacity` gives it.

    Returns
    -------
    DataArray, dims (area, service, region, year)
        10k.
    """
    ordered = starts.transpose("area", "service", "region", "year").sel(service=list(SERVICES))
    number = ordered.sizes["year"]
    kernel = standing.sel(service=list(SERVICES)).transpose("service", "age").values
    matrix = np.zeros((len(SERVICES), number, number))
    for started in range(number):
        matrix[:, started, started:] = kernel[:, : number - started]
    return ordered.copy(data=np.einsum("jsru,sut->jsrt", ordered.values, matrix))


def _with_optional(run: xr.Dataset) -> xr.Dataset:
    """The run with the neutral value of every optional variable that the model lacks."""
    like = run["urban_children"]
    shapes = {
        "stretch": like,
        "hukou_first": like.isel(region=0, drop=True),
        "cumulative_grants": like,
    }
    return run.assign(
        {name: xr.full_like(shapes[name], WITHOUT[name]) for name in WITHOUT if name not in run}
    )


def needs_from(trajectory: Trajectory, decisions: Decisions, standing: xr.DataArray) -> Needs:
    """Needs, existing capacity and populations of one run, as the linear program reads them.

    Parameters
    ----------
    trajectory : Trajectory
        A run with all that the contract requires; see `hukou_opt.dynamics.contract`.
    decisions : Decisions
        The decisions of that run; the capacity that they built is taken out.
    standing : DataArray, dims (service, age)
        As `standing_capacity` gives it.

    Returns
    -------
    Needs
        Stocks at year ends; settlers and land revenue of calendar years; settlers since the start
        and land revenue as means over the year.
    """
    run = _with_optional(trajectory.data)
    years = [int(year) for year in run["year"].values]
    later = years[1:]

    def by_service(seats: tuple[str, str], beds: tuple[str, str]) -> xr.DataArray:
        # Order of areas: urban, rural, as in exchange.AREAS.
        stacked = np.stack(
            [
                np.stack([run[name].transpose("region", "year").values for name in pair])
                for pair in zip(seats, beds, strict=True)
            ]
        )
        coords = {
            "area": list(AREAS),
            "service": list(SERVICES),
            "region": run["region"].values,
            "year": years,
        }
        return xr.DataArray(stacked, coords, ("area", "service", "region", "year"))

    def in_year(name: str, unit: str, *, mean: bool) -> xr.DataArray:
        values = run[name].transpose("region", "year")
        before, after = values.values[:, :-1], values.values[:, 1:]
        data = (before + after) / 2 if mean else after - before
        result = values.sel(year=later).copy(data=data)
        result.attrs = {"unit": unit}
        return result

    def at_end(name: str) -> xr.DataArray:
        return run[name].transpose("region", "year").sel(year=later)

    need = by_service(("urban_children", "rural_children"), ("need_urban_beds", "need_rural_beds"))
    capacity = by_service(("urban_seats", "rural_seats"), ("urban_beds", "rural_beds"))
    own = capacity_of_starts(
        decisions.starts.transpose("area", "service", "region", "year").sel(
            area=list(AREAS), service=list(SERVICES), region=run["region"].values, year=later
        ),
        standing,
    )
    data = xr.Dataset(
        {
            "need": need.sel(year=later).assign_attrs(unit="10k"),
            "existing_capacity": (capacity.sel(year=later) - own).assign_attrs(unit="10k"),
            "children_hukou": at_end("urban_hukou_children"),
            "children_migrant": at_end("migrant_children"),
            "children_rural": at_end("rural_children"),
            "stretch": at_end("stretch"),
            "hukou_first": run["hukou_first"].sel(year=later),
            "reform_settlers": in_year("cumulative_settlers", "10k persons", mean=True),
            "reform_settlers_end": at_end("cumulative_settlers").assign_attrs(unit="10k persons"),
            "settlers": in_year("cumulative_settlers", "10k persons/year", mean=False),
            "grants": in_year("cumulative_grants", "100m yuan/year", mean=False),
            "urban_population": at_end("urban_residents"),
            "rural_population": at_end("rural_residents"),
            "land_revenue": in_year("land_sale_revenue", "100m yuan/year", mean=True),
        }
    )
    start = xr.Dataset(
        {
            "need": need.sel(year=years[0], drop=True).assign_attrs(unit="10k"),
            "capacity": capacity.sel(year=years[0], drop=True).assign_attrs(unit="10k"),
        }
    )
    return Needs(data=data, start=start, standing=standing)
