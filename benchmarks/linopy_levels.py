"""Levels of the allocation's linear program in linopy, with the rows that only they need."""

from __future__ import annotations

from typing import Any

import numpy as np
from linopy_writer import ALL, Writer, total

from hukou_opt.allocation.objectives import tie_break, unmet
from hukou_opt.allocation.problem import SERVICES, SOFT_RULES
from hukou_opt.allocation.rules.slack_table import BY_AMOUNT, amount_asked


def first(w: Writer, v: dict[str, Any]) -> dict[str, Any]:
    """Slack of the rationing rule."""
    return {"slip": (v["slip"].sum() / float(w.p.children_migrant.sum()), 0.0)}


def aims(w: Writer, v: dict[str, Any]) -> dict[str, Any]:
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


def built_in(w: Writer, v: dict[str, Any]) -> dict[str, Any]:
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


def nearest(w: Writer, v: dict[str, Any]) -> dict[str, Any]:
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
