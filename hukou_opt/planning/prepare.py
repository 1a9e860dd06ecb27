"""From needs, base year and parameters to the frozen inputs of the linear program."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hukou_opt.allocation.conflicts import conflicts
from hukou_opt.allocation.objectives import check
from hukou_opt.allocation.problem import AREAS, SECTORS, SERVICES, Array, Block, Problem
from hukou_opt.allocation.screen import screen
from hukou_opt.allocation.spec import Aims
from hukou_opt.dynamics.exchange import Needs
from hukou_opt.errors import ExperimentError, InfeasibleError, SolveError
from hukou_opt.parameters import Parameters
from hukou_opt.regions.base_year import BaseYear

#: Years for which fiscal shares are set together (plan 6.1); a shorter rest joins the last block.
BLOCK_YEARS = 3
#: Settlers who make up the certified cost of a year: their mean, or those at its end.
SETTLERS: Mapping[str, str] = {
    "mid_year": "reform_settlers",
    "end_year": "reform_settlers_end",
}


def make_blocks(years: tuple[int, ...], length: int = BLOCK_YEARS) -> tuple[Block, ...]:
    """Three-year blocks; a rest of one or two years belongs to the last block (plan 8: 2030-33)."""
    starts = list(range(years[0], years[-1] + 1, length))
    if len(starts) > 1 and years[-1] - starts[-1] + 1 < length:
        starts.pop()
    ends = [start - 1 for start in starts[1:]] + [years[-1]]
    return tuple(Block(first, last) for first, last in zip(starts, ends, strict=True))


def levy_by_region(base: BaseYear, parameters: Mapping[str, float], land_revenue: Array) -> Array:
    """Entitlement to the eastern levy, shape (region, year), 100m yuan (plan 6.4).

    Eastern regions without fiscal hardship pay a share of gross land revenue; supported regions are
    entitled by migrants times the part of spending that own revenue does not cover.
    """
    data = base.data
    payers = (data["eastern"].values > 0) & ~(data["hardship"].values > 0)
    weakness = np.maximum(
        0.0, 1 - data["budget_revenue"].values / data["budget_expenditure"].values
    )
    migrants = data["initial_migrants"].sum("region").values
    claim = np.where(data["supported"].values > 0, migrants * weakness, 0.0)
    pool: Array = parameters["east_levy_share"] * land_revenue[payers].sum(axis=0)
    if claim.sum() <= 0:
        return np.zeros_like(land_revenue)
    entitled: Array = (claim / claim.sum())[:, None] * pool
    return entitled


def certified_cost(
    needs: Needs, parameters: Mapping[str, float], count_settlers: str = "mid_year"
) -> Array:
    """Certified running cost of settlers, shape (sector, region, year), 100m yuan (plan 6.1).

    All years of the needs. Grants are the model's own: it pays them to those who settle outside the
    east (plan 6.4).
    """
    data = needs.data
    counted, grants = (
        data[name].transpose("region", "year").values.astype(float)
        for name in (SETTLERS[count_settlers], "grants")
    )
    split = np.array([parameters[f"cost_split_{sector}"] for sector in SECTORS])
    cost: Array = split[:, None, None] * parameters["service_cost_per_settler"] * counted
    cost[SECTORS.index("other")] += grants
    return cost


def make_problem(
    needs: Needs,
    base: BaseYear,
    parameters: Parameters,
    *,
    last_year: int,
    modes: Mapping[str, str],
    aims: Aims | None = None,
    count_settlers: str = "mid_year",
) -> Problem:
    """Freeze the inputs of one linear program.

    Parameters
    ----------
    needs : Needs
        From the last run of the stock-flow model.
    base : BaseYear
        Fiscal figures and classes of the regions.
    parameters : Parameters
        The registry.
    last_year : int
        Last decision year; later years of `needs` are the tail.
    modes : mapping of str to str
        Mode of each rule that can be switched.
    aims : Aims, optional
        Objectives and limits; the shipped ones where missing.
    count_settlers : {"mid_year", "end_year"}, optional
        Settlers who make up the certified cost of a year. The weights of the regions are the mean
        settlers of the year in both cases.

    Raises
    ------
    SolveError
        If the inputs break a condition that can be seen before the solve; all faults are listed.
    ExperimentError
        If an objective or limit has nothing to compare, or cannot be used as it is written.
    InfeasibleError
        If a rule is demanded that no decision can satisfy.
    """
    data, par = needs.data, dict(parameters)
    every = [int(year) for year in needs.years]
    years = tuple(year for year in every if year <= last_year)
    count = len(years)

    def cells(name: str, *dims: str) -> Array:
        values: Array = data[name].transpose(*dims).values.astype(float)
        return values

    def early(name: str) -> Array:
        return cells(name, "region", "year")[:, :count]

    need = cells("need", "area", "service", "region", "year")
    start_need = needs.start["need"].transpose("area", "service", "region").values
    start_capacity = needs.start["capacity"].transpose("area", "service", "region").values
    coverage = np.divide(
        start_capacity, start_need, out=np.ones_like(start_need), where=start_need > 0
    )
    land = early("land_revenue")
    land_share = land / np.maximum(land.sum(axis=0), 1e-9)
    cost = certified_cost(needs, par, count_settlers)[..., :count]
    transfers = base.data["central_transfers"].values
    local = par["local_effort"] * (
        (par["province_land_share"] + par["city_land_share"]) * par["land_net_share"] * land
        + (par["province_transfer_share"] * par["general_transfer_share"] * transfers)[:, None]
    )
    rural = early("children_rural")
    start_rural = base.data["initial_rural_children"].values[:, None]
    freed = np.maximum(0.0, start_rural - rural) / par["pupils_per_teacher"]
    problem = Problem(
        codes=needs.codes,
        years=years,
        tail=tuple(every[count:]),
        blocks=make_blocks(years),
        need=need,
        existing=cells("existing_capacity", "area", "service", "region", "year"),
        start_coverage=coverage,
        standing=needs.standing.transpose("service", "age").values.astype(float),
        children_hukou=early("children_hukou"),
        children_migrant=early("children_migrant"),
        children_rural=rural,
        population=np.stack([early("urban_population"), early("rural_population")]),
        stretch=early("stretch"),
        hukou_first=data["hukou_first"].values[:count].astype(float),
        cost=cost,
        settlers_mid=early("reform_settlers"),
        unit_cost=np.array(
            [[par[f"unit_cost_{area}_{service[:-1]}"] for service in SERVICES] for area in AREAS]
        ),
        local_ceiling=local,
        bond_ceiling=par["bond_region_multiple"] * land_share * par["bonds_per_year"],
        levy_ceiling=levy_by_region(base, par, land),
        bond_total=np.full(count, par["bonds_per_year"]),
        fund=par["central_fund_total"],
        supported=base.data["supported"].values > 0,
        redeployed=par["redeployment_share"] * freed,
        parameters=par,
        modes=dict(modes),
        aims=Aims() if aims is None else aims,
        expenditure=base.data["budget_expenditure"].values.astype(float),
    )
    faults, unreachable = screen(problem), check(problem)
    if faults:
        raise SolveError([*faults, *unreachable])
    if unreachable:
        raise ExperimentError(unreachable)
    impossible = conflicts(problem)
    if impossible:
        raise InfeasibleError(impossible, problem=problem)
    return problem
