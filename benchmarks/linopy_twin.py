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
from numpy.typing import NDArray

from hukou_opt.allocation.objectives import tie_break, unmet
from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    DEFAULT_MODES,
    PAYER,
    SECTORS,
    SERVICES,
    SOFT_RULES,
    Problem,
)
from hukou_opt.allocation.rules.levels import rural_target
from hukou_opt.allocation.rules.slack_table import BY_AMOUNT, amount_asked
from hukou_opt.allocation.spec import DEFAULT_LEVELS

Array = NDArray[np.float64]

#: Key of the one pool in which all cells of a quantity are compared.
ALL = "all"


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


class _Writer:
    """Labels, columns and rows of one problem."""

    def __init__(self, p: Problem) -> None:
        self.p, self.m = p, linopy.Model()
        self.labels: dict[str, list[Any]] = {
            "area": list(AREAS),
            "service": list(SERVICES),
            "sector": list(SECTORS),
            "region": list(p.codes),
            "year": list(p.years),
            "all": list(p.all_years),
            "block": [block.label for block in p.blocks],
            "pool": [ALL],
            "later": list(p.years[1:]),
            "builder": list(BUILDING_SECTORS),
        }

    def data(self, values: Any, *dims: str, **labels: list[Any]) -> xr.DataArray:
        """Numbers with labels; decision years come first where there are more years."""
        every = {dim: {**self.labels, **labels}[dim] for dim in dims}
        part = tuple(slice(len(every[dim])) for dim in dims)
        coords = {self.axis(dim): found for dim, found in every.items()}
        return xr.DataArray(np.asarray(values, float)[part], coords, list(coords))

    @staticmethod
    def axis(dim: str) -> str:
        """Name of a dimension: years are years, sectors are sectors, however many."""
        return {"all": "year", "later": "year", "builder": "sector"}.get(dim, dim)

    def columns(
        self,
        name: str,
        *dims: str,
        upper: Any = np.inf,
        **labels: list[Any],
    ) -> Any:
        """Non-negative columns."""
        coords = {self.axis(dim): {**self.labels, **labels}[dim] for dim in dims}
        shape = [len(each) for each in coords.values()]
        upper = xr.DataArray(np.broadcast_to(upper, shape), coords, list(coords))
        zero = xr.zeros_like(upper)
        return self.m.add_variables(zero, upper, name=name)

    def rows(self, name: str, lhs: Any, sign: str, rhs: Any) -> None:
        """Rows, one family."""
        self.m.add_constraints(lhs, sign, rhs, name=name)


def total(*terms: Any) -> Any:
    """Sum of columns, expressions and (coefficient, column) in one go, the fast way of linopy."""
    parts = []
    for term in terms:
        if isinstance(term, tuple):
            coefficient, column = term
            parts.append(column.to_linexpr(coefficient))
        else:
            parts.append(term.to_linexpr() if isinstance(term, linopy.Variable) else term)
    return linopy.merge(parts)


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
    w = _Writer(p)
    v = _variables(w)
    _capacity(w, v)
    _places(w, v)
    _service_levels(w, v)
    _money(w, v)
    _fund(w, v)
    return Twin(w.m, {**_first(w, v), **_aims(w, v), **_built_in(w, v), **_nearest(w, v)})


def _variables(w: _Writer) -> dict[str, Any]:
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


def _built(w: _Writer, v: dict[str, Any], years: str, *, minus: bool = False) -> Any:
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


def _capacity(w: _Writer, v: dict[str, Any]) -> None:
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


def _places(w: _Writer, v: dict[str, Any]) -> None:
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


def _service_levels(w: _Writer, v: dict[str, Any]) -> None:
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


def _building_cost(w: _Writer, v: dict[str, Any], sector: str) -> list[Any]:
    """Terms of the building cost that a sector pays, with a minus."""
    service = next(s for s in SERVICES if PAYER[s] == sector)
    unit = w.p.unit_cost[:, SERVICES.index(service)]
    public = 1.0 - w.p.parameters["partner_capital_share"]
    starts = v["starts"].sel(service=service, drop=True)
    own = [(-float(unit[i]), starts.sel(area=area, drop=True)) for i, area in enumerate(AREAS)]
    return [*own, (-public * float(unit[0]), v["partner_starts"].sel(service=service, drop=True))]


def _money(w: _Writer, v: dict[str, Any]) -> None:
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


def _fund(w: _Writer, v: dict[str, Any]) -> None:
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


def _first(w: _Writer, v: dict[str, Any]) -> dict[str, Any]:
    return {"slip": (v["slip"].sum() / float(w.p.children_migrant.sum()), 0.0)}


def _aims(w: _Writer, v: dict[str, Any]) -> dict[str, Any]:
    """The measures' definitions, and the index columns with the row of the mean."""
    p, levels = w.p, {}
    weight, cost = (w.data(x, "region", "block") for x in (p.block_weight, p.block_cost))
    if float(cost.min()) <= 0:
        raise ValueError("blocks without cost are not written in linopy")
    share = w.columns("unfunded_share", "region", "block")
    for b in p.blocks:
        over = -1 / cost.sel(block=b.label, drop=True)
        unfunded = v["unfunded"].sel(year=list(b.years)).to_linexpr(over).sum(["sector", "year"])
        left = total(share.sel(block=b.label, drop=True), unfunded)
        w.rows(f"unfunded_share_definition:{b.label}", left, "=", 0.0)
    level = w.columns("aim_unfunded_worst_level", "pool")
    above = w.columns(f"aim_unfunded_worst_above:{ALL}", "region", "block")
    excess = total(above, (-1, share), level.sel(pool=ALL, drop=True))
    w.rows("aim_unfunded_worst_above_definition", excess, ">=", 0.0)
    mean = (weight / p.parameters["worst_share"] * above).sum()
    levels["unfunded_worst"] = (total(level.sum(), mean), 0.0)
    index = w.columns("aim_unfunded_index", "pool")
    w.rows("aim_unfunded_mean", total(index.sum(), (-weight * share).sum()), ">=", 0.0)
    levels["unfunded"] = (1.0 * index.sum(), 0.0)

    indices = w.columns("aim_unmet_index", "service", "year")
    area = {"rural_children": "rural", "rural_residents": "rural", "urban_residents": "urban"}
    places = {"hukou_children": "places_hukou", "migrant_children": "places_migrant"}
    need, people = unmet.needed(p), unmet.people(p)
    for service, groups in unmet.GROUPS.items():
        rate = w.columns(f"unmet_rate:{service}", "group", "region", "year", group=list(groups))
        for group in groups:
            over = 1 / w.data(need[group], "region", "year")
            if group in places:
                part, right = (over, v[places[group]]), 1.0
            else:
                short = v["shortage"].sel(area=area[group], service=service, drop=True)
                part, right = (-over, short), 0.0
            left = total(rate.sel(group=group, drop=True), part)
            w.rows(f"unmet_rate_definition:{group}", left, "=", right)
        weights = w.data(
            np.stack([people[group] for group in groups]),
            "group",
            "region",
            "year",
            group=list(groups),
        )
        share_of = weights / weights.sum(["group", "region"])
        mean = rate.to_linexpr(-share_of).sum(["group", "region"])
        w.rows(
            f"aim_unmet_mean:{service}",
            total(indices.sel(service=service, drop=True), mean),
            ">=",
            0.0,
        )
    levels["unmet"] = (indices.sum() / (len(SERVICES) * len(p.years)), 0.0)
    return levels


def _built_in(w: _Writer, v: dict[str, Any]) -> dict[str, Any]:
    """What soft rules do not get, and building costs."""
    p, par = w.p, w.p.parameters
    soft = [name for name in SOFT_RULES if p.modes[name] == "soft"]
    slacks = []
    for name in soft:
        column = v[f"slack_{name}"]
        if column.size:
            asked = amount_asked(p, name) if name in BY_AMOUNT else float(column.size)
            slacks.append(column.to_linexpr(1 / (asked * len(soft))).sum())
    unit = w.data(p.unit_cost, "area", "service")
    per = 1 / p.fund
    cost = [
        v[name].to_linexpr(per * price).sum()
        for name, price in {
            "starts": unit,
            "partner_starts": unit.sel(area="urban", drop=True),
            "temporary": par["temporary_place_cost"],
            "idle": par["stranded_years_charge"] * unit,
            "teachers_hired": par["teacher_pay"],
        }.items()
    ]
    return {"slack": (total(*slacks), 0.0), "cost": (total(*cost), 0.0)}


def _nearest(w: _Writer, v: dict[str, Any]) -> dict[str, Any]:
    """Distance from the split in proportion to need, jumps of building, small preferences."""
    p, unit = w.p, w.data(w.p.unit_cost, "area", "service")
    block, aim = v["central_block"], w.data(tie_break.reference(p), "region", "block")
    far = w.columns("far_block", "region", "block")
    w.rows("far_block_definition:above", total(far, (-1, block)), ">=", -aim)
    w.rows("far_block_definition:below", total(far, block), ">=", aim)
    far_sector = w.columns("far_sector", "sector", "region", "block")
    shares = w.data(p.sector_share, "sector")
    for b in p.blocks:
        money = v["central"].sel(year=list(b.years)).sum("year")
        distance, of_block = (
            far_sector.sel(block=b.label, drop=True),
            block.sel(block=b.label, drop=True),
        )
        above, below = ((sign * shares, of_block) for sign in (1, -1))
        w.rows(f"far_sector_definition:{b.label}:above", total(distance, -money, above), ">=", 0.0)
        w.rows(f"far_sector_definition:{b.label}:below", total(distance, money, below), ">=", 0.0)
    later = list(p.years[1:])
    jump = w.columns("jump", "area", "service", "region", "later")
    now = v["starts"].sel(year=later)
    before = v["starts"].sel(year=list(p.years[:-1])).assign_coords(year=later)
    w.rows("jump_definition:up", total(jump, (-1, now), before), ">=", 0.0)
    w.rows("jump_definition:down", total(jump, now, (-1, before)), ">=", 0.0)
    small = tie_break.preferences(p)
    money, cell = ("sector", "region", "year"), ("service", "region", "year")
    priced = {
        "local": w.data(small["local"], *money),
        "levy": w.data(small["levy"], *money),
        "unfunded": w.data(small["unfunded"], *money),
        "bonds": w.data(small["bonds"], "builder", "region", "year"),
        "starts": w.data(small["starts"], "area", *cell),
        "partner_starts": w.data(small["partner_starts"], *cell),
        "temporary": w.data(small["temporary"], "region", "year"),
        "teachers_hired": w.data(small["teachers"], "region", "year"),
    }
    per = 1 / p.fund
    parts = [far.to_linexpr(per).sum(), far_sector.to_linexpr(per).sum()]
    parts.append(jump.to_linexpr(per * tie_break.JUMP_WEIGHT * unit).sum())
    parts += [
        v[name].to_linexpr(per * tie_break.PREFERENCE * price).sum()
        for name, price in priced.items()
    ]
    return {"near_need": (total(*parts), 0.0)}
