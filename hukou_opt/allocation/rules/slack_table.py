"""What the soft and reported rules ask and get, from the tables of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from hukou_opt.allocation.problem import AREAS, SERVICES, SOFT_RULES, Array, Problem
from hukou_opt.allocation.rules.cells import Asked
from hukou_opt.allocation.rules.levels import rural_target
from hukou_opt.allocation.rules.reports import reports, seat_target_cell
from hukou_opt.errors import Fault

if TYPE_CHECKING:
    from hukou_opt.allocation.solution import Solution

#: Rules that ask for an amount: their shortfall is counted over all that they ask. The others ask
#: for shares of need, whose shortfall is averaged over their cells.
BY_AMOUNT = ("support_floor", "public_share", "seat_target", "performance_reward")


def amount_asked(p: Problem, name: str) -> float:
    """What a rule of `BY_AMOUNT` asks in all, in its unit."""
    par = p.parameters
    if name == "support_floor":
        return par["central_support_rate"] * float(p.block_cost[p.supported].sum())
    if name == "performance_reward":
        return float(p.reward.sum())
    if name == "seat_target":
        return par["seat_target"]
    year = p.column(round(par["public_share_target_year"]))
    return par["public_share_target"] * float(p.children_migrant[:, year].sum())


def _support_floor(p: Problem, s: Solution) -> list[Asked]:
    given = s.central_by_block(p)
    promised = p.parameters["central_support_rate"] * p.block_cost
    return [
        Asked(
            "support_floor",
            "plan 6.1",
            f"region {code}, {block.label}",
            float(promised[i, b]),
            float(given[i, b]),
            "100m yuan",
        )
        for i, code in enumerate(p.codes)
        if p.supported[i]
        for b, block in enumerate(p.blocks)
    ]


def _performance_reward(p: Problem, s: Solution) -> list[Asked]:
    given, reward = s.central_by_block(p), p.reward
    return [
        Asked(
            "performance_reward",
            "plan 7.1",
            f"region {code}, {block.label}",
            float(reward[i, b]),
            float(given[i, b]),
            "100m yuan",
        )
        for i, code in enumerate(p.codes)
        for b, block in enumerate(p.blocks)
        if reward[i, b] > 0
    ]


def _public_share(p: Problem, s: Solution) -> list[Asked]:
    year = round(p.parameters["public_share_target_year"])
    if year not in p.years:
        return []
    k = p.column(year)
    got = float(s.places_migrant[:, k].sum())
    asked = amount_asked(p, "public_share")
    return [Asked("public_share", "plan 3.1", f"nation, {year}", asked, got, "10k children")]


def _seat_target(p: Problem, s: Solution) -> list[Asked]:
    return seat_target_cell(p, s, p.modes["seat_target_counts"], "soft")


def _coverage(p: Problem, s: Solution) -> tuple[Array, Array]:
    """Need, and capacity over need, shape (area, service, region, year); 1 where need is 0."""
    years = len(p.years)
    need, capacity = p.need[..., :years], s.capacity[..., :years]
    return need, np.divide(capacity, need, out=np.ones_like(need), where=need > 0)


def _rural_level(p: Problem, s: Solution) -> list[Asked]:
    need, coverage = _coverage(p, s)
    # Beds are compared with full urban coverage, the strictest reading that is linear.
    urban = np.ones_like(need[0])
    children = p.children_hukou + p.children_migrant
    placed = s.places_hukou + s.places_migrant
    urban[0] = np.divide(placed, children, out=np.ones_like(placed), where=children > 0)
    target = rural_target(p)
    return [
        Asked(
            "rural_level",
            "plan 3.3",
            f"region {code}, {t}, {service}",
            float(target[q, i, k] * urban[q, i, k]),
            float(coverage[1, q, i, k]),
            "share of need",
        )
        for q, service in enumerate(SERVICES)
        for i, code in enumerate(p.codes)
        for k, t in enumerate(p.years)
        if need[0, q, i, k] > 0 < need[1, q, i, k]
    ]


def _no_dilution(p: Problem, s: Solution) -> list[Asked]:
    need, coverage = _coverage(p, s)
    return [
        Asked(
            "no_dilution",
            "plan 6.2",
            f"region {code}, {t}, {service}, {area}",
            float(min(1.0, p.start_coverage[a, q, i])),
            float(coverage[a, q, i, k]),
            "share of need",
        )
        for q, service in enumerate(SERVICES)
        for i, code in enumerate(p.codes)
        for k, t in enumerate(p.years)
        for a, area in enumerate(AREAS)
        if need[a, q, i, k] > 0
    ]


CELLS: Mapping[str, Callable[[Problem, Solution], list[Asked]]] = {
    "support_floor": _support_floor,
    "public_share": _public_share,
    "rural_level": _rural_level,
    "no_dilution": _no_dilution,
    "seat_target": _seat_target,
    "performance_reward": _performance_reward,
}


def soft_rules(p: Problem, s: Solution) -> list[Asked]:
    """Every cell of every rule with a slack that is not off."""
    return [cell for name in SOFT_RULES if p.on(name) for cell in CELLS[name](p, s)]


def asked(p: Problem, s: Solution) -> list[Asked]:
    """Every cell of every soft and every reported rule."""
    return [*soft_rules(p, s), *reports(p, s)]


def broken_rules(p: Problem, s: Solution, names: Sequence[str], most: int = 12) -> list[Fault]:
    """Faults of rules that were demanded and do not hold, the largest shortfalls first."""
    faults = []
    for name in names:
        cells = [cell for cell in soft_rules(p, s) if cell.rule == name and cell.short_by > 0]
        if not cells:
            continue
        total = fsum(cell.short_by for cell in cells)
        faults.append(
            Fault(
                f"rule {name} ({cells[0].section})",
                f"cannot hold in {len(cells)} cells: short by {total:.6g} {cells[0].unit} in all",
                "make the rule soft or law, or raise the money or limits that it draws on",
            )
        )
        cells.sort(key=lambda cell: -cell.short_by)
        faults += [
            Fault(
                f"rule {name}, {cell.where}",
                f"asked {cell.asked:.6g}, got {cell.got:.6g} {cell.unit} "
                f"(short by {cell.short_by:.6g})",
                "see the rule's total above",
            )
            for cell in cells[:most]
        ]
    return faults
