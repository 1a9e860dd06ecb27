"""Quantities and indices recomputed from the tables of an answer, without program and pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np

from hukou_opt.allocation.objectives.measure import Label
from hukou_opt.allocation.objectives.unmet import GROUPS, needed, people
from hukou_opt.allocation.problem import AREAS, SERVICES, Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import Term
from hukou_opt.indicators import half_mean_difference, mean_absolute_deviation, worst_mean

#: Quantities of which more is better.
GOODS = ("seats_per_child", "beds_per_1000", "spending_per_head")
#: Quantities whose cells are blocks of years; all blocks are compared with each other.
BY_BLOCK = ("unfunded_share", "spending_per_head")


@dataclass(frozen=True)
class Column:
    """One group of people in one year or block, over all regions.

    Parameters
    ----------
    before, after : tuple
        Label of a cell before and after the region's code.
    years : tuple of int
        Years that it covers.
    service, side, hukou : str
        What group it is; empty where the quantity does not tell.
    values, weights : ndarray, shape (region,)
        The quantity, and its people; a region without people has the weight 0.
    """

    before: Label
    after: Label
    years: tuple[int, ...]
    service: str
    side: str
    hukou: str
    values: Array
    weights: Array


def _over(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share


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


def _unmet(p: Problem, s: Solution) -> list[Column]:
    rates, weights, need = unmet_rates(p, s), people(p), needed(p)
    side = {g: "countryside" if g.startswith("rural") else "town" for g in rates}
    hukou = {"hukou_children": "hukou", "migrant_children": "migrant"}
    return [
        Column(
            (service, g),
            (t,),
            (t,),
            service,
            side[g],
            hukou.get(g, ""),
            rates[g][:, k],
            np.where(need[g][:, k] > 0, weights[g][:, k], 0.0),
        )
        for service in SERVICES
        for g in GROUPS[service]
        for k, t in enumerate(p.years)
    ]


def _unfunded(p: Problem, s: Solution) -> list[Column]:
    shares, weights = s.unfunded_share(p), p.block_weight
    return [
        Column(
            (), (b.label,), tuple(b.years), "", "", "", shares[:, i], np.maximum(0, weights[:, i])
        )
        for i, b in enumerate(p.blocks)
    ]


def _spending(p: Problem, s: Solution) -> list[Column]:
    money = (s.central + s.local + s.levy + s.bonds).sum(axis=0)
    residents = p.population.sum(axis=0)
    out = []
    for block in p.blocks:
        k = p.block_columns(block)
        person_years = residents[:, k].sum(axis=1)
        values = _over(money[:, k].sum(axis=1), person_years)
        out.append(Column((), (block.label,), tuple(block.years), "", "", "", values, person_years))
    return out


def _by_area(p: Problem, have: Array, weights: Array, per: float) -> list[Column]:
    """Columns of what each area has, shape (area, region, year), for its people."""
    return [
        Column(
            (area,),
            (t,),
            (t,),
            "",
            ("town", "countryside")[a],
            "",
            per * _over(have[a, :, k], weights[a, :, k]),
            weights[a, :, k],
        )
        for a, area in enumerate(AREAS)
        for k, t in enumerate(p.years)
    ]


def _seats(p: Problem, s: Solution) -> list[Column]:
    have = s.capacity[:, 0, :, : len(p.years)].copy()
    have[0] += s.temporary
    children = np.stack([p.children_hukou + p.children_migrant, p.children_rural])
    return _by_area(p, have, children, 1.0)


def _beds(p: Problem, s: Solution) -> list[Column]:
    years = len(p.years)
    need = p.need[:, 1, :, :years]
    # The nation's residents, shared out by need: the age-adjusted residents of each area.
    share = need / np.maximum(need.sum(axis=(0, 1)), 1e-300)
    residents = share * p.population.sum(axis=(0, 1))
    return _by_area(p, s.capacity[:, 1, :, :years], residents, 1000.0)


TABLES: Mapping[str, Callable[[Problem, Solution], list[Column]]] = {
    "unfunded_share": _unfunded,
    "unmet_rate": _unmet,
    "seats_per_child": _seats,
    "beds_per_1000": _beds,
    "spending_per_head": _spending,
}


def cell_values(p: Problem, s: Solution, measure: str) -> dict[Label, float]:
    """Value of every cell of a quantity, by the label of its variable."""
    return {
        (*column.before, code, *column.after): float(column.values[i])
        for column in TABLES[measure](p, s)
        for i, code in enumerate(p.codes)
    }


def _index(term: Term, p: Problem, y: Array, w: Array, sign: float) -> float:
    """One pool's index of losses y, the numerator of a ratio."""
    mean = float(w @ y)
    match term.index:
        case "mean":
            return mean
        case "shortfall":
            standard = sign * (0.0 if term.standard is None else term.standard)
            return float(w @ np.maximum(0.0, y - standard))
        case "worst" | "leximin":
            return float(y.max())
        case "worst_mean":
            part = term.part or p.parameters["worst_share"]
            return worst_mean(y, w, part, high_is_bad=True)
        case "mean_deviation":
            return mean_absolute_deviation(y, w)
        case "hoover":
            return mean_absolute_deviation(y, w) / 2
        case "gini_difference" | "gini":
            return half_mean_difference(y, w)
        case "averse_mean":
            given = p.parameters["inequality_aversion"] if term.aversion is None else term.aversion
            return mean + given * half_mean_difference(y, w)
    raise ValueError(term.index)


@dataclass(frozen=True)
class _Group:
    """People who are compared: what they count, their losses and weights."""

    portion: float
    losses: Array
    weights: Array


def _groups(p: Problem, s: Solution, term: Term) -> list[_Group]:
    years = [t for t in p.years if not term.years or t in term.years]
    columns = [
        column
        for column in TABLES[term.measure](p, s)
        if set(column.years) <= set(years)
        and (not column.service or column.service in term.services)
        and (term.between != "hukou_migrant" or column.hukou)
        and column.weights.sum() > 0
    ]
    slots: dict[tuple[object, ...], list[Column]] = {}
    for column in columns:
        key = () if term.measure in BY_BLOCK else (column.service, column.years)
        slots.setdefault(key, []).append(column)
    services = len({column.service for column in columns})
    count = 1 if term.measure in BY_BLOCK else services * len(years)
    sign = -1.0 if term.measure in GOODS else 1.0
    out = []
    for members in slots.values():
        values = np.stack([column.values for column in members])
        weights = np.stack([column.weights for column in members])
        if term.between == "cells":
            tables = [(values.ravel(), weights.ravel())]
        elif term.between == "regions":
            tables = [(_pooled(values, weights), weights.sum(axis=0))]
        else:
            kind = [c.side if term.between == "urban_rural" else c.hukou for c in members]
            both = [np.array([k == each for k in kind]) for each in sorted(set(kind))]
            pooled = np.stack([_pooled(values[each], weights[each]) for each in both])
            people = np.stack([weights[each].sum(axis=0) for each in both])
            tables = [(pooled[:, i], people[:, i]) for i in range(len(p.codes))]
        whole = fsum(float(w.sum()) for _, w in tables)
        for y, w in tables:
            if w.sum() > 0:
                real = w > 0
                portion = float(w.sum()) / whole / count
                out.append(_Group(portion, sign * y[real], w[real] / w.sum()))
    return out


def _pooled(values: Array, weights: Array) -> Array:
    """Weighted mean over the first axis."""
    return _over((values * weights).sum(axis=0), weights.sum(axis=0))


def term_value(p: Problem, s: Solution, term: Term) -> float:
    """One term as a loss, in the unit of the linear program.

    A ratio without anything to be shared is 0.
    """
    sign = -1.0 if term.measure in GOODS else 1.0
    groups = _groups(p, s, term)
    if term.index == "leximin":
        return max((float(g.losses.max()) for g in groups), default=0.0)
    total = fsum(g.portion * _index(term, p, g.losses, g.weights, sign) for g in groups)
    if term.index not in ("gini", "hoover"):
        return total
    mean = fsum(g.portion * sign * float(g.weights @ g.losses) for g in groups)
    return total / mean if mean > 0 else 0.0


def worst_pool(p: Problem, s: Solution, term: Term) -> float:
    """Largest index of any pool, which is what a limit holds."""
    sign = -1.0 if term.measure in GOODS else 1.0
    values = []
    for g in _groups(p, s, term):
        value = _index(term, p, g.losses, g.weights, sign)
        if term.index in ("gini", "hoover"):
            mean = sign * float(g.weights @ g.losses)
            value = value / mean if mean > 0 else 0.0
        values.append(value)
    return max(values)


def sorted_losses(p: Problem, s: Solution, term: Term) -> tuple[float, ...]:
    """Losses of all who are compared, the worst first."""
    losses = [g.losses for g in _groups(p, s, term)]
    return tuple(float(loss) for loss in -np.sort(-np.concatenate(losses)))
