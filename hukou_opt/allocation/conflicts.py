"""Demanded rules that cannot hold whatever is decided, found before the solve.

Every check here is a necessary condition: the most that money, building and teachers allow is less
than what the rule demands. Demands that fail only together are found by the solve.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hukou_opt.allocation.problem import AREAS, SERVICES, Array, Problem
from hukou_opt.allocation.rules.levels import rural_target
from hukou_opt.allocation.rules.places import rationed
from hukou_opt.errors import Fault

#: Relative shortfall that counts as rounding.
ROUNDING = 1e-9
#: Cells of a rule that are listed one by one, the largest shortfalls first.
MOST_LISTED = 12
#: Regions named with the largest part of a sum.
MOST_NAMED = 3


def conflicts(p: Problem) -> list[Fault]:
    """Faults of rules with mode ``hard`` that no decision can satisfy, all at once.

    Parameters
    ----------
    p : Problem
        Inputs without faults of their own (see `hukou_opt.allocation.screen.screen`).

    Returns
    -------
    list of Fault
        Rule, region and year, what is demanded and the most there can be.
    """
    return [
        *_central_money(p),
        *_reward_and_ceiling(p),
        *_seat_target(p),
        *_public_share(p),
        *_rural_beds(p),
        *_no_dilution(p),
    ]


def _demanded(p: Problem, rule: str) -> bool:
    return p.modes[rule] == "hard"


def most_built(p: Problem) -> Array:
    """Most capacity from new building, shape (area, service, region, year), 10k.

    All that the build rate lets start, in every year from the first; infinite without the rule.
    """
    limit = p.build_limit if p.on("build_rate") else np.full(p.build_limit.shape, np.inf)
    most = np.zeros_like(limit)
    for k in range(len(p.years)):
        for u in range(k + 1):
            share = p.standing[:, k - u]
            for q in np.flatnonzero(share > 0):
                most[:, q, :, k] += share[q] * limit[:, q, :, u]
    return most


def _most_taught(p: Problem, built: Array) -> Array:
    """Most new seats standing in the nation by year, shape (year,), 10k.

    In every region no more than is built and than freed teachers serve, and the new posts for what
    is left.
    """
    if not p.on("teachers"):
        total: Array = built.sum(axis=0)
        return total
    per = p.parameters["pupils_per_teacher"]
    freed = np.minimum(built, per * p.redeployed)
    posts = per * p.parameters["teacher_posts"]
    rest = np.where(np.isinf(built), np.inf, built - freed).sum(axis=0)
    most: Array = freed.sum(axis=0) + np.minimum(posts, rest)
    return most


def _listed(rule: str, unit: str, cells: Sequence[tuple[str, float, float]]) -> list[Fault]:
    """One fault for the whole rule and one for each of the largest cells."""
    if not cells:
        return []
    cells = sorted(cells, key=lambda cell: cell[2] - cell[1])
    more = f", the {MOST_LISTED} worst are listed" if len(cells) > MOST_LISTED else ""
    return [
        Fault(
            f"rule {rule}",
            f"is demanded and cannot hold in {len(cells)} cells{more}",
            f"set allocation.rules.{rule} to law or soft, or change the limits that it needs",
        ),
        *(
            Fault(
                f"rule {rule}, {where}",
                f"demands {asked:.6g}, at most {most:.6g} {unit} is possible",
                "see the rule above",
            )
            for where, asked, most in cells[:MOST_LISTED]
        ),
    ]


def _central_money(p: Problem) -> list[Fault]:
    """Floors and rewards of the blocks against the fund that has come in by then."""
    promised = np.zeros_like(p.block_cost)
    rules = []
    if _demanded(p, "support_floor"):
        rules.append("support_floor")
        promised = np.where(
            p.supported[:, None], p.parameters["central_support_rate"] * p.block_cost, 0.0
        )
    if _demanded(p, "performance_reward"):
        rules.append("performance_reward")
        promised = np.maximum(promised, p.reward)
    faults, through = [], np.zeros(len(p.codes))
    for b, block in enumerate(p.blocks):
        through = through + promised[:, b]
        available = p.fund * (p.column(block.last) + 1) / len(p.years)
        if through.sum() <= available * (1 + ROUNDING):
            continue
        largest = [i for i in np.argsort(-through, kind="stable")[:MOST_NAMED] if through[i] > 0]
        named = ", ".join(f"region {p.codes[i]} {through[i]:.6g}" for i in largest)
        faults.append(
            Fault(
                f"rule {' and '.join(rules)}, {p.years[0]}-{block.last}",
                f"{np.count_nonzero(through)} regions are promised {through.sum():.6g} up to the "
                f"block {block.label}, the fund has {available:.6g} 100m yuan by then (most to "
                f"{named})",
                "set the rule to law or soft, lower central_support_rate or reward_share, or raise "
                "central_fund_total",
            )
        )
    return faults


def _reward_and_ceiling(p: Problem) -> list[Fault]:
    if not (_demanded(p, "performance_reward") and p.on("support_ceiling")):
        return []
    reward, most = p.reward, p.support_ceiling[:, None] * p.block_cost
    cells = [
        (f"region {p.codes[i]}, {p.blocks[b].label}", float(reward[i, b]), float(most[i, b]))
        for i, b in np.argwhere(reward > most * (1 + ROUNDING))
    ]
    return _listed("performance_reward", "100m yuan (rule support_ceiling)", cells)


def _seat_target(p: Problem) -> list[Fault]:
    year = round(p.parameters["seat_target_year"])
    if not _demanded(p, "seat_target") or year not in p.years:
        return []
    k, asked = p.column(year), p.parameters["seat_target"]
    counts = p.modes["seat_target_counts"]
    if counts == "started":
        rate = float(p.build_limit[0, 0, :, : k + 1].sum()) if p.on("build_rate") else np.inf
        bounds = {"build_rate": rate}
    else:
        built = most_built(p)[0, 0]
        bounds = {"build_rate": float(built[:, k].sum())}
        if p.on("teachers"):
            bounds["teachers"] = float(_most_taught(p, built)[k])
    binding = min(bounds, key=lambda rule: bounds[rule])
    if bounds[binding] >= asked * (1 - ROUNDING):
        return []
    remedy = {
        "build_rate": "raise build_rate_limit",
        "teachers": "raise teacher_posts or redeployment_share",
    }[binding]
    return [
        Fault(
            f"rule seat_target (plan 3.1), nation, {year}",
            f"demands {asked:.6g}, at most {bounds[binding]:.6g} 10k new urban seats can be "
            f"{counts} by then (rule {binding})",
            f"{remedy}, set a later seat_target_year, or allocation.rules.seat_target to law, "
            "soft or report",
        )
    ]


def _public_share(p: Problem) -> list[Fault]:
    year = round(p.parameters["public_share_target_year"])
    if not _demanded(p, "public_share") or year not in p.years:
        return []
    k = p.column(year)
    built = most_built(p)[0, 0]
    if p.on("teachers"):
        posts = p.parameters["teacher_posts"] + p.redeployed
        built = np.minimum(built, p.parameters["pupils_per_teacher"] * posts)
    places = p.existing[0, 0, :, : len(p.years)] + p.stretch + p.temporary_limit + built
    # Without limits there is room for everybody; the rationing is that of the program's own rows.
    room = np.minimum(places, 10 * (p.children_hukou + p.children_migrant) + 1)
    _, migrant = rationed(p, room)
    most, children = float(migrant[:, k].sum()), float(p.children_migrant[:, k].sum())
    asked = p.parameters["public_share_target"] * children
    if most >= asked * (1 - ROUNDING):
        return []
    missing = p.children_migrant[:, k] - migrant[:, k]
    largest = [i for i in np.argsort(-missing, kind="stable")[:MOST_NAMED] if missing[i] > 0]
    named = ", ".join(f"region {p.codes[i]} {missing[i]:.4g}" for i in largest)
    return [
        Fault(
            f"rule public_share (plan 3.1), nation, {year}",
            f"demands {asked:.6g} of {children:.6g}, at most {most:.6g} 10k migrant children find "
            f"a public place then (most left out in {named})",
            "raise build_rate_limit or temporary_place_limit, set a later "
            "public_share_target_year, or allocation.rules.public_share to law or soft",
        )
    ]


def _most_coverage(p: Problem) -> Array:
    """Highest capacity over need, shape (area, service, region, year); infinite without need."""
    years = len(p.years)
    need, most = p.need[..., :years], p.existing[..., :years] + most_built(p)
    return np.divide(most, need, out=np.full_like(need, np.inf), where=need > 0)


def _rural_beds(p: Problem) -> list[Fault]:
    """Beds alone: the rule asks for seats only as far as children in town have places."""
    if not _demanded(p, "rural_level"):
        return []
    q = SERVICES.index("beds")
    asked, most = rural_target(p)[q], _most_coverage(p)[AREAS.index("rural"), q]
    town = p.need[AREAS.index("urban"), q, :, : len(p.years)] > 0
    cells = [
        (f"region {p.codes[i]}, {p.years[k]}, beds", float(asked[i, k]), float(most[i, k]))
        for i, k in np.argwhere(town & (most < asked * (1 - ROUNDING)))
    ]
    return _listed("rural_level", "of need (rule build_rate)", cells)


def _no_dilution(p: Problem) -> list[Fault]:
    if not _demanded(p, "no_dilution"):
        return []
    most = _most_coverage(p)
    asked = np.minimum(1.0, p.start_coverage)[..., None] * np.ones(len(p.years))
    cells = [
        (
            f"region {p.codes[i]}, {p.years[k]}, {SERVICES[q]}, {AREAS[a]}",
            float(asked[a, q, i, k]),
            float(most[a, q, i, k]),
        )
        for a, q, i, k in np.argwhere(most < asked * (1 - ROUNDING))
    ]
    return _listed("no_dilution", "of need (rule build_rate)", cells)
