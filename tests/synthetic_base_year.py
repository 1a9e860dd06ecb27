"""A small base year of invented regions, for tests of the stock-flow model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.parameters.registry import Parameter
from hukou_opt.regions.base_year import CONTRACT, TIERS, BaseYear

FIRST, LAST = 2023, 2038
YEARS = tuple(range(FIRST + 1, LAST + 1))


def parameters() -> Parameters:
    """The shipped registry; shared rows are added where the derivation does not have them yet."""
    registry = load_parameters()
    rows = dict(registry.rows)
    for name, value in (("public_school_share", 0.8), ("return_rate", 0.045)):
        rows.setdefault(
            name,
            Parameter(name, value, 0.0, 1.0, "1", "assumption", "test", "", "test", "derivation"),
        )
    return Parameters(rows)


def base_year(codes: Sequence[str] = ("110000", "420000", "510000"), seed: int = 7) -> BaseYear:
    """Regions of different size, urban share and openness, all stocks above zero."""
    codes = list(codes)
    number = len(codes)
    random = np.random.default_rng(seed)
    population = random.uniform(1500, 9000, number)
    urban_share = random.uniform(0.5, 0.8, number)
    rural = population * (1 - urban_share)
    urban_hukou = population * urban_share * random.uniform(0.65, 0.85, number)
    migrants_by_dest = population * urban_share - urban_hukou
    inflow = random.dirichlet(np.ones(number) * 2, number).T + 2 * np.eye(number)
    inflow /= inflow.sum(axis=0)
    migrants = inflow * migrants_by_dest
    share = random.dirichlet(np.ones(number) * 2, number) + 3 * np.eye(number)
    share /= share.sum(axis=1, keepdims=True)
    rural_children = rural * 0.13
    migrant_children = migrants_by_dest * 0.06
    urban_children = urban_hukou * 0.12
    children = rural_children + migrant_children + urban_children
    entrants = children[:, None] / 9 * np.linspace(1.0, 0.45, len(YEARS))
    leavers = children[:, None] / 9 * np.linspace(1.05, 0.7, len(YEARS))
    elders = np.linspace(0.15, 0.23, len(YEARS) + 1) * random.uniform(0.8, 1.2, number)[:, None]
    rural_income = random.uniform(1.5, 2.5, number)
    land = rural * 9.0
    needed_beds = population * 0.0072
    registry = parameters()
    tiers = random.dirichlet(np.ones(len(TIERS)), number)
    cluster = np.zeros((number, number))
    cluster[:2, :2] = 1.0
    values: dict[str, np.ndarray] = {
        "initial_rural_residents": rural,
        "initial_migrants": migrants,
        "initial_urban_hukou_residents": urban_hukou,
        "initial_rural_children": rural_children,
        "initial_migrant_children": migrant_children,
        "initial_urban_hukou_children": urban_children,
        "initial_urban_seats": urban_children + registry["public_school_share"] * migrant_children,
        "initial_rural_seats": rural_children / 0.95,
        "initial_urban_beds": needed_beds * urban_share * 0.95,
        "initial_rural_beds": needed_beds * (1 - urban_share) * 0.9,
        "initial_land_farmed": land * 0.583,
        "initial_land_transferred": land * 0.33,
        "initial_land_abandoned": land * 0.087,
        "migration_coefficient": random.uniform(0.03, 0.06, number),
        "initial_destination_share": share,
        "natural_growth_rural": np.full(number, -0.006),
        "natural_growth_migrant": np.full(number, 0.001),
        "natural_growth_urban": np.full(number, -0.001),
        "school_entrants": entrants,
        "school_leavers": leavers,
        "share_65plus": elders,
        "tier_share": tiers,
        "urban_income": rural_income * 2.4,
        "rural_income": rural_income,
        "same_cluster": cluster,
        "eastern": np.arange(number) % 2 == 0,
        "supported": np.arange(number) % 2 == 1,
        "hardship": np.zeros(number),
    }
    coords = {
        "region": codes,
        "dest": codes,
        "tier": list(TIERS),
        "year": list(YEARS),
        "year0": [FIRST, *YEARS],
    }
    variables = {}
    for name, (dims, unit) in CONTRACT.items():
        data = np.asarray(values.get(name, population * 0.3), dtype=float)
        variables[name] = xr.DataArray(
            data, {dim: coords[dim] for dim in dims}, dims, attrs={"unit": unit}
        )
    data = xr.Dataset(variables)
    digest = hashlib.sha256(b"".join(data[name].values.tobytes() for name in CONTRACT))
    return BaseYear(FIRST, data, xr.Dataset(), xr.Dataset(), digest.hexdigest())


def with_values(base: BaseYear, **values: xr.DataArray) -> BaseYear:
    """The same base year with some variables replaced."""
    return replace(base, data=base.data.assign(values))


def split(base: BaseYear, code: str, parts: Sequence[str]) -> BaseYear:
    """Cut one region into two equal halves; every share is kept, every amount is halved.

    People who moved between halves are moved between halves in equal parts.
    """
    codes = list(base.codes)
    where = codes.index(code)
    order = [*range(where), where, where, *range(where + 1, len(codes))]
    names = [*codes[:where], *parts, *codes[where + 1 :]]
    doubled = [where, where + 1]
    variables = {}
    for name, (dims, unit) in CONTRACT.items():
        array = base.data[name]
        for dim in ("region", "dest"):
            if dim not in dims:
                continue
            amount = unit.split("/")[0].strip() not in ("1", "10k yuan")
            # Shares of destinations are cut by destination only: each half sends the same shares.
            halved = amount or (name == "initial_destination_share" and dim == "dest")
            array = array.isel({dim: order}).assign_coords({dim: names})
            if halved:
                factor = np.where(np.isin(np.arange(len(names)), doubled), 0.5, 1.0)
                array = array * xr.DataArray(factor, {dim: names}, (dim,))
        variables[name] = array.assign_attrs(unit=unit)
    return replace(base, data=xr.Dataset(variables))
