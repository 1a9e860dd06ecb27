"""Every level recomputed from the tables of an answer, by code that does not read the program."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.objectives.inequality import inequality_averse_mean
from hukou_opt.allocation.objectives.tie_break import JUMP_WEIGHT, reference
from hukou_opt.allocation.objectives.unmet import GROUPS, needed, people
from hukou_opt.allocation.problem import SERVICES, SOFT_RULES, Array, Problem
from hukou_opt.allocation.rules.slack_table import soft_rules
from hukou_opt.allocation.solution import Solution


def unmet_rates(p: Problem, s: Solution) -> dict[str, Array]:
    """Unmet rate of every group, shape (region, year), from capacity, places and need."""
    need = needed(p)
    met = {
        "hukou_children": s.places_hukou,
        "migrant_children": s.places_migrant,
        "rural_children": need["rural_children"] - s.shortage[1, 0],
        "urban_residents": need["urban_residents"] - s.shortage[0, 1],
        "rural_residents": need["rural_residents"] - s.shortage[1, 1],
    }
    return {
        group: np.where(need[group] > 0, 1 - met[group] / np.maximum(need[group], 1e-300), 0.0)
        for group in met
    }


def unmet_index(p: Problem, s: Solution) -> Array:
    """Inequality-averse mean of the unmet rates, shape (service, year)."""
    rates, weight, need = unmet_rates(p, s), people(p), needed(p)
    out = np.zeros((len(SERVICES), len(p.years)))
    for i, service in enumerate(SERVICES):
        for k in range(len(p.years)):
            y = np.concatenate([rates[g][:, k] for g in GROUPS[service]])
            w = np.concatenate(
                [np.where(need[g][:, k] > 0, weight[g][:, k], 0.0) for g in GROUPS[service]]
            )
            if w.sum() > 0:
                out[i, k] = inequality_averse_mean(
                    y, w / w.sum(), p.parameters["inequality_aversion"]
                )
    return out


def worst_mean(rates: Array, weights: Array, part: float) -> float:
    """Weighted mean of the worst `part` of the weight (weights sum to 1)."""
    order = np.argsort(-rates, kind="stable")
    sorted_weights = weights[order]
    front = np.cumsum(sorted_weights) - sorted_weights
    used = np.clip(part - front, 0.0, sorted_weights)
    return float(used @ rates[order] / part)


def asked_short(p: Problem, s: Solution, names: list[str]) -> dict[str, float]:
    """Shortfall of each soft rule relative to what it asks; exact, without a tolerance."""
    out = dict.fromkeys(names, 0.0)
    for name in names:
        cells = [cell for cell in soft_rules(p, s) if cell.rule == name]
        short = sum(max(0.0, cell.asked - cell.got) for cell in cells)
        # Rates are averaged over cells; money and children are summed over what is asked.
        by_amount = name in ("support_floor", "public_share")
        asked = sum(cell.asked for cell in cells) if by_amount else float(len(cells))
        out[name] = short / asked if asked > 0 else 0.0
    return out


def extra_cost(p: Problem, s: Solution) -> float:
    """Building, temporary places, idle capacity and teachers, in shares of the fund."""
    par = p.parameters
    idle = np.maximum(0.0, s.capacity - (1 + par["surplus_margin"]) * p.need)
    total = (
        s.building_cost(p).sum()
        + par["temporary_place_cost"] * s.temporary.sum()
        + par["stranded_years_charge"] * np.einsum("js,jsrt->", p.unit_cost, idle)
        + par["teacher_pay"] * s.teachers.sum()
    )
    return float(total) / p.fund


def distance_to_need(p: Problem, s: Solution) -> float:
    """Distance of transfers to the need-proportional split and jumps of building, over the fund."""
    blocks = s.central_by_block(p)
    by_sector = np.stack(
        [s.central[..., p.block_columns(b)].sum(axis=-1) for b in p.blocks], axis=-1
    )
    far = np.abs(blocks - reference(p)).sum()
    far += np.abs(by_sector - p.sector_share[:, None, None] * blocks).sum()
    jumps = np.einsum("js,jsrt->", p.unit_cost, np.abs(np.diff(s.starts, axis=-1)))
    return float(far + JUMP_WEIGHT * jumps) / p.fund


def recompute(p: Problem, s: Solution) -> dict[str, float]:
    """All levels from capacity, need, places and money.

    Parameters
    ----------
    p : Problem
        Inputs.
    s : Solution
        An answer.

    Returns
    -------
    dict of str to float
        Value of each level in the unit of the linear program's level.
    """
    share, weight = s.unfunded_share(p).ravel(), p.block_weight.ravel()
    rules = {
        mode: [name for name in SOFT_RULES if p.modes[name] == mode]
        for mode in ("hard", "law", "soft")
    }
    return {
        "demanded": sum(asked_short(p, s, rules["hard"]).values()),
        "law": sum(asked_short(p, s, rules["law"]).values()),
        "unfunded_worst": worst_mean(share, weight, p.parameters["worst_share"]),
        "unfunded": inequality_averse_mean(share, weight, p.parameters["inequality_aversion"]),
        "unmet": float(unmet_index(p, s).mean()),
        "slack": sum(asked_short(p, s, rules["soft"]).values()) / max(len(rules["soft"]), 1),
        "cost": extra_cost(p, s),
        "near_need": distance_to_need(p, s),
    }
