"""The allocation's linear program written in linopy, for comparison of speed only.

Rules and levels are those of an experiment that changes neither: every other combination is refused
rather than written wrongly. Names are those of the Pyomo model: ``component:lead`` stands for the
members of a component whose index begins with `lead`. That it is the same program, row by row, is
a test's business (`tests/integration/test_linopy_twin.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import linopy
import numpy as np
import xarray as xr
from linopy_levels import aims, built_in, first, nearest
from linopy_writer import Writer, total
from numpy.typing import NDArray

from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    DEFAULT_MODES,
    PAYER,
    SECTORS,
    SERVICES,
    Problem,
)
from hukou_opt.allocation.rules.levels import rural_target
from hukou_opt.allocation.spec import DEFAULT_LEVELS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Twin:
    """The program and what its levels make small.

    Parameters
    ----------
    model : linopy.Model
        Columns and rows.
    levels : dict of str to (linopy.LinearExpression, float)
        Cost row and constant of each level.
    """

    model: linopy.Model
    levels: dict[str, tuple[linopy.LinearExpression, float]]

    def load(self, level: str) -> Any:
        """Hand the program to HiGHS with one level as objective.

        Returns
        -------
        highspy.Highs
            The solver's object, not yet run; its objective lacks the level's constant.
        """
        self.model.add_objective(self.levels[level][0], overwrite=True)
        return self.model.to_highspy(set_names=False)


def _check(p: Problem) -> None:
    changed = {name for name, mode in p.modes.items() if DEFAULT_MODES[name] != mode}
    if changed or p.aims.levels != DEFAULT_LEVELS or p.aims.limits or p.fund_by_region is not None:
        raise ValueError("only the default rules and objectives are written in linopy")


def twin(p: Problem) -> Twin:
    """Write the program.

    Parameters
    ----------
    p : Problem
        Inputs with the default rules and objectives.

    Raises
    ------
    ValueError
        If the problem has other rules, objectives or limits, or a formula for the fund.
    """
    _check(p)
    w = Writer(p)
    v = _variables(w)
    _capacity(w, v)
    _places(w, v)
    _service_levels(w, v)
    _money(w, v)
    _fund(w, v)
    return Twin(w.m, {**first(w, v), **aims(w, v), **built_in(w, v), **nearest(w, v)})


def _variables(w: Writer) -> dict[str, Any]:
    p, years = w.p, len(w.p.years)
    phi_hukou = p.hukou_first * p.children_hukou
    promised = [code for code, supported in zip(p.codes, p.supported, strict=True) if supported]
    target = round(p.parameters["public_share_target_year"])
    cell = ("area", "service", "region")
    ceiling = p.build_limit[..., :years]
    v = {
        name: w.columns(name, "sector", "region", "year", upper=upper)
        for name, upper in {
            "central": np.inf,
            "local": np.inf,
            "levy": np.inf,
            "unfunded": p.cost,
        }.items()
    }
    v["bonds"] = w.columns("bonds", "builder", "region", "year")
    v["central_block"] = w.columns("central_block", "region", "block")
    v["starts"] = w.columns("starts", *cell, "year", upper=ceiling)
    v["partner_starts"] = w.columns("partner_starts", "service", "region", "year", upper=ceiling[0])
    v["shortage"] = w.columns("shortage", *cell, "year")
    v["capacity"], v["idle"] = (w.columns(name, *cell, "all") for name in ("capacity", "idle"))
    for name, upper in {
        "places_hukou": p.children_hukou,
        "places_migrant": p.children_migrant,
        "temporary": p.temporary_limit,
        "slip": phi_hukou,
        "teachers_hired": np.inf,
    }.items():
        v[name] = w.columns(name, "region", "year", upper=upper)
    v["slack_support_floor"] = w.columns("slack_support_floor", "region", "block", region=promised)
    v["slack_public_share"] = w.columns(
        "slack_public_share", "year", year=[year for year in p.years if year == target]
    )
    v["slack_rural_level"] = w.columns("slack_rural_level", "service", "region", "year")
    v["slack_no_dilution"] = w.columns("slack_no_dilution", *cell, "year")
    return v


def _built(w: Writer, v: dict[str, Any], years: str, *, minus: bool = False) -> Any:
    """Capacity that stands at the end of each year from the starts, private ones in town."""
    p = w.p
    every = w.labels[years]
    age = np.subtract.outer(np.arange(len(every)), np.arange(len(p.years)))
    stands = np.where(age >= 0, p.standing[:, np.maximum(age, 0)], 0.0)
    kernel = xr.DataArray(
        stands,
        {"service": list(SERVICES), "year": every, "start": list(p.years)},
        ("service", "year", "start"),
    )
    town = w.data([1.0, 0.0], "area")
    sign = -1.0 if minus else 1.0
    public = (sign * kernel, v["starts"].rename(year="start"))
    private = (sign * kernel * town, v["partner_starts"].rename(year="start"))
    return total(public, private).sum("start")


def _capacity(w: Writer, v: dict[str, Any]) -> None:
    p, par, decided = w.p, w.p.parameters, list(w.p.years)
    cell = ("area", "service", "region")
    built = _built(w, v, "all", minus=True)
    w.rows("capacity_path", total(v["capacity"], built), "=", w.data(p.existing, *cell, "all"))
    seats_in_town = w.data([[1.0, 0.0], [0.0, 0.0]], "area", "service")
    need = w.data(p.need, *cell, "year")
    capacity = v["capacity"].sel(year=decided)
    met = total(v["shortage"], capacity, (seats_in_town, v["temporary"]))
    w.rows("shortage_definition", met, ">=", need)
    room = (1.0 + par["surplus_margin"]) * w.data(p.need, *cell, "all")
    w.rows("idle_definition", total(v["idle"], (-1, v["capacity"])), ">=", -room)
    seats = _built(w, v, "year").sel(service="seats", drop=True).sum("area")
    so_far = xr.DataArray(
        np.tri(len(decided)), {"year": decided, "hired": decided}, ("year", "hired")
    )
    per = par["pupils_per_teacher"]
    hired = v["teachers_hired"].rename(year="hired").to_linexpr(-per * so_far).sum("hired")
    w.rows("teachers", total(seats, hired), "<=", per * w.data(p.redeployed, "region", "year"))
    w.rows("teacher_posts", v["teachers_hired"].sum(), "<=", par["teacher_posts"])
    together = total(v["starts"].sel(area="urban", drop=True), v["partner_starts"])
    w.rows(
        "build_rate_together",
        together,
        "<=",
        w.data(p.build_limit[0], "service", "region", "year"),
    )
    partners = v["partner_starts"].sum(["region", "year"])
    w.rows("private_partners", partners, "<=", w.data(p.partner_limit, "service"))


def _places(w: Writer, v: dict[str, Any]) -> None:
    p, cell = w.p, ("region", "year")
    ku, km = w.data(p.children_hukou, *cell), w.data(p.children_migrant, *cell)
    phi, stretch = w.data(p.hukou_first, "year"), w.data(p.stretch, *cell)
    seats = v["capacity"].sel(area="urban", service="seats", drop=True).sel(year=list(p.years))

    def places(share: Any) -> tuple[Any, Any]:
        return (-share, seats), (-share, v["temporary"])

    children = total(v["places_hukou"], v["places_migrant"], *places(1.0))
    w.rows("places_total", children, "<=", stretch)
    alike = (1 - phi) * km / np.maximum(ku + km, 1e-9)
    share = phi + alike
    w.rows(
        "places_hukou_first",
        total(v["places_migrant"], *places(share), (-1, v["slip"])),
        "<=",
        share * stretch - phi * ku,
    )
    w.rows("places_alike", total(v["places_migrant"], *places(alike)), "<=", alike * stretch)
    target = v["slack_public_share"].coords["year"].values
    if len(target):
        placed = v["places_migrant"].sel(year=target).sum("region")
        asked = p.parameters["public_share_target"] * km.sel(year=target).sum("region")
        w.rows("public_share", total(placed, v["slack_public_share"]), ">=", asked)


def _service_levels(w: Writer, v: dict[str, Any]) -> None:
    p, decided = w.p, list(w.p.years)
    cell = ("service", "region", "year")
    need, rho = w.data(p.need, "area", *cell), w.data(rural_target(p), *cell)
    if float(need.min()) <= 0:
        raise ValueError("cells without need are not written in linopy")
    capacity = v["capacity"].sel(year=decided)
    children = w.data(p.children_hukou + p.children_migrant, "region", "year")
    for service in SERVICES:
        asked = rho.sel(service=service, drop=True)
        terms: list[Any] = [
            (
                1 / need.sel(area="rural", service=service, drop=True),
                capacity.sel(area="rural", service=service, drop=True),
            ),
            v["slack_rural_level"].sel(service=service, drop=True),
        ]
        if service == "seats":
            share = -asked / children
            terms += [(share, v["places_hukou"]), (share, v["places_migrant"])]
        right = 0.0 if service == "seats" else asked
        w.rows(f"rural_level:{service}", total(*terms), ">=", right)
    start = np.minimum(1.0, w.data(p.start_coverage, "area", "service", "region"))
    kept = total((1 / need, capacity), v["slack_no_dilution"])
    w.rows("no_dilution", kept, ">=", start)


def _building_cost(w: Writer, v: dict[str, Any], sector: str) -> list[Any]:
    """Terms of the building cost that a sector pays, with a minus."""
    service = next(s for s in SERVICES if PAYER[s] == sector)
    unit = w.p.unit_cost[:, SERVICES.index(service)]
    public = 1.0 - w.p.parameters["partner_capital_share"]
    starts = v["starts"].sel(service=service, drop=True)
    own = [(-float(unit[i]), starts.sel(area=area, drop=True)) for i, area in enumerate(AREAS)]
    return [*own, (-public * float(unit[0]), v["partner_starts"].sel(service=service, drop=True))]


def _money(w: Writer, v: dict[str, Any]) -> None:
    p, par, decided = w.p, w.p.parameters, list(w.p.years)
    cell = ("region", "year")
    cost = w.data(p.cost, "sector", *cell)
    earlier = xr.DataArray(
        np.tri(len(decided), k=-1), {"year": decided, "start": decided}, ("year", "start")
    )
    for sector in SECTORS:
        terms = [
            v[name].sel(sector=sector, drop=True)
            for name in ("central", "local", "levy", "unfunded")
        ]
        if sector in BUILDING_SECTORS:
            service = next(s for s in SERVICES if PAYER[s] == sector)
            bonds = v["bonds"].sel(sector=sector, drop=True)
            building = [bonds, *_building_cost(w, v, sector)]
            w.rows(f"bonds_build:{sector}", total(*building), "<=", 0.0)
            yearly = par["partner_yearly_payment"] * par["partner_capital_share"]
            yearly *= float(p.unit_cost[0, SERVICES.index(service)])
            started = v["partner_starts"].sel(service=service, drop=True).rename(year="start")
            terms += [*building, started.to_linexpr(-yearly * earlier).sum("start")]
        if sector == PAYER["seats"]:
            terms.append((-par["temporary_place_cost"], v["temporary"]))
        w.rows(f"money_balance:{sector}", total(*terms), "=", cost.sel(sector=sector, drop=True))
    for name, money, most in (
        ("local_ceiling", "local", p.local_ceiling),
        ("levy_entitlement", "levy", p.levy_ceiling),
        ("bonds_region", "bonds", p.bond_ceiling),
    ):
        w.rows(name, v[money].sum("sector"), "<=", w.data(most, *cell))
    bonds = v["bonds"].sum(["sector", "region"])
    w.rows("bonds_nation", bonds, "<=", w.data(p.bond_total, "year"))


def _fund(w: Writer, v: dict[str, Any]) -> None:
    p, profile, block = w.p, w.data(w.p.profile, "region", "year"), v["central_block"]
    shares = w.data(p.sector_share, "sector")
    of_block = np.array([[year in b.years for b in p.blocks] for year in p.years], float)
    inside = w.data(of_block, "year", "block")
    spent = (profile * inside).cumsum("year")
    part = np.arange(1, len(p.years) + 1) / len(p.years)
    reached = spent.any(["region", "block"])
    volume = (spent * block).sum(["region", "block"])
    w.m.add_constraints(
        volume, "<=", w.data(part * p.fund, "year"), name="fund_volume", mask=reached
    )
    w.rows(
        "block_money",
        total(v["central"].sum("sector"), block.to_linexpr(-profile * inside).sum("block")),
        "=",
        0.0,
    )
    by_sector = total(
        v["central"].sum(["region", "year"]), block.to_linexpr(-shares).sum(["region", "block"])
    )
    w.rows("sector_shares", by_sector, "=", 0.0)
    band = p.parameters["sector_share_band"]
    for b in p.blocks:
        spent_in = v["central"].sel(year=list(b.years)).sum(["region", "year"])
        money = block.sel(block=b.label, drop=True)
        above, below = (money.to_linexpr(s).sum("region") for s in (-shares - band, shares - band))
        w.rows(f"sector_band:{b.label}:above", total(spent_in, above), "<=", 0.0)
        w.rows(f"sector_band:{b.label}:below", total(-spent_in, below), "<=", 0.0)
    promised = p.parameters["central_support_rate"] * w.data(p.block_cost, "region", "block")
    slack = v["slack_support_floor"]
    there = list(slack.coords["region"].values)
    if there:
        floor = total(block.sel(region=there), slack)
        w.rows("support_floor", floor, ">=", promised.sel(region=there))
