"""Every level recomputed from the tables of an answer, by code that does not read the program."""

from __future__ import annotations

from collections.abc import Callable
from math import fsum

import numpy as np

from hukou_opt.allocation.objectives.inequality import inequality_averse_mean
from hukou_opt.allocation.objectives.tie_break import (
    JUMP_WEIGHT,
    PREFERENCE,
    preferences,
    reference,
)
from hukou_opt.allocation.objectives.unmet import GROUPS, needed, people
from hukou_opt.allocation.problem import SERVICES, SOFT_RULES, Array, Problem
from hukou_opt.allocation.recompute_terms import term_value, unmet_rates
from hukou_opt.allocation.rules.slack_table import BY_AMOUNT, CELLS
from hukou_opt.allocation.solution import Solution
from hukou_opt.indicators import worst_mean


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


def asked_short(p: Problem, s: Solution, names: list[str]) -> dict[str, float]:
    """Shortfall of each soft rule relative to what it asks; exact, without a tolerance."""
    out = dict.fromkeys(names, 0.0)
    for name in names:
        cells = CELLS[name](p, s) if p.on(name) else []
        short = fsum(max(0.0, cell.asked - cell.got) for cell in cells)
        # Rates are averaged over cells; money and children are summed over what is asked.
        by_amount = name in BY_AMOUNT
        asked = fsum(cell.asked for cell in cells) if by_amount else float(len(cells))
        out[name] = short / asked if asked > 0 else 0.0
    return out


def extra_cost(p: Problem, s: Solution) -> float:
    """Building, temporary places, idle capacity and teachers, in shares of the fund."""
    par = p.parameters
    idle = np.maximum(0.0, s.capacity - (1 + par["surplus_margin"]) * p.need)
    total = (
        s.construction(p).sum()
        + par["temporary_place_cost"] * s.temporary.sum()
        + par["stranded_years_charge"] * np.einsum("js,jsrt->", p.unit_cost, idle)
        + par["teacher_pay"] * s.teachers.sum()
    )
    return float(total) / p.fund


def distance_to_need(p: Problem, s: Solution) -> float:
    """Distance of transfers to need, jumps of building and small preferences, over the fund."""
    blocks = s.central_by_block(p)
    by_sector = np.stack(
        [s.central[..., p.block_columns(b)].sum(axis=-1) for b in p.blocks], axis=-1
    )
    far = np.abs(blocks - reference(p)).sum()
    far += np.abs(by_sector - p.sector_share[:, None, None] * blocks).sum()
    jumps = np.einsum("js,jsrt->", p.unit_cost, np.abs(np.diff(s.starts, axis=-1)))
    small = preferences(p)
    liked = fsum(float((small[name] * getattr(s, name)).sum()) for name in small)
    return float(far + JUMP_WEIGHT * jumps + PREFERENCE * liked) / p.fund


def standard_levels(p: Problem, s: Solution) -> dict[str, float]:
    """The shipped levels of money and services, whatever an experiment has made small.

    Parameters
    ----------
    p : Problem
        Inputs.
    s : Solution
        An answer.
    """
    share, weight = s.unfunded_share(p).ravel(), p.block_weight.ravel()
    part = p.parameters["worst_share"]
    # Without any settlers nobody is concerned, and nothing is unfunded.
    someone = bool(weight.sum() > 0)
    return {
        "unfunded_worst": worst_mean(share, weight, part, high_is_bad=True) if someone else 0.0,
        "unfunded": inequality_averse_mean(share, weight, p.parameters["inequality_aversion"]),
        "unmet": float(unmet_index(p, s).mean()),
    }


def recompute(p: Problem, s: Solution) -> dict[str, float]:
    """All levels of a problem from capacity, need, places and money.

    Parameters
    ----------
    p : Problem
        Inputs, with the levels that are asked for.
    s : Solution
        An answer.

    Returns
    -------
    dict of str to float
        Value of each level in the unit and sense of the linear program, in which less is better.
    """
    rules = {
        mode: [name for name in SOFT_RULES if p.modes[name] == mode]
        for mode in ("hard", "law", "soft")
    }
    cost = float(p.cost.sum())
    built_in: dict[str, Callable[[], float]] = {
        "unfunded_total": lambda: float(s.unfunded.sum()) / cost if cost > 0 else 0.0,
        "slack": lambda: (
            fsum(asked_short(p, s, rules["soft"]).values()) / max(len(rules["soft"]), 1)
        ),
        "cost": lambda: extra_cost(p, s),
    }
    out = {
        "demanded": fsum(asked_short(p, s, rules["hard"]).values()),
        "law": fsum(asked_short(p, s, rules["law"]).values()),
    }
    for level in p.aims.levels:
        if level.terms:
            out[level.name] = fsum(term.weight * term_value(p, s, term) for term in level.terms)
        else:
            out[level.name] = built_in[level.name]()
    out["near_need"] = distance_to_need(p, s)
    return out
