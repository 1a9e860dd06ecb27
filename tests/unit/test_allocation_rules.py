"""Every hard rule, recomputed in numpy from the tables of an answer and the inputs alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from problems import made_up_problem

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import solve, with_formula

#: Largest violation, relative to 1 + the size of the bound.
LIMIT = 1e-6
Array = np.ndarray
SHARE_NAMES = ("education", "health", "social_security", "other")


def above(left: Array, right: Array) -> Array:
    """How far `left` exceeds `right`."""
    left, right = np.broadcast_arrays(left, right)
    out: Array = np.maximum(0.0, left - right) / (1 + np.abs(right))
    return out


def apart(left: Array, right: Array) -> Array:
    left, right = np.broadcast_arrays(left, right)
    out: Array = np.abs(left - right) / (1 + np.abs(right))
    return out


def capacity(p: Problem, s: Solution) -> Array:
    """Capacity from the starts, year by year; partners build in town."""
    out = p.existing.copy()
    for u in range(len(p.years)):
        for t in range(u, out.shape[-1]):
            out[..., t] += p.standing[:, t - u, None] * s.starts[..., u]
            out[0, ..., t] += p.standing[:, t - u, None] * s.partner_starts[..., u]
    return out


def building(p: Problem, s: Solution, partners: float | None = None) -> Array:
    """Building cost by paying sector, with the purse's part of what partners build, or another."""
    part = 1 - p.parameters["partner_capital_share"] if partners is None else partners
    out = np.zeros_like(s.central)
    for service in (0, 1):
        out[service] = sum(p.unit_cost[area, service] * s.starts[area, service] for area in (0, 1))
        out[service] += part * p.unit_cost[0, service] * s.partner_starts[service]
    return out


def payments(p: Problem, s: Solution) -> Array:
    """What partners of earlier years get, by paying sector."""
    yearly = p.parameters["partner_yearly_payment"] * p.parameters["partner_capital_share"]
    out = np.zeros_like(s.central)
    for t in range(len(p.years)):
        for u in range(t):
            for service in (0, 1):
                paid = yearly * p.unit_cost[0, service] * s.partner_starts[service, :, u]
                out[service, :, t] += paid
    return out


def where_on(rule: str, check: Callable[[Problem, Solution], Array]) -> Any:
    """The check where the rule is switched on; nothing to see elsewhere."""
    return lambda p, s: check(p, s) if p.modes[rule] == "on" else np.zeros(1)


def rate(p: Problem) -> Array:
    out: Array = p.parameters["build_rate_limit"] * p.existing[..., : len(p.years)]
    return out


def places(p: Problem, s: Solution) -> Array:
    return capacity(p, s)[0, 0, :, : len(p.years)] + s.temporary + p.stretch


def alike_share(p: Problem, s: Solution) -> Array:
    children = np.maximum(p.children_hukou + p.children_migrant, 1e-9)
    out: Array = (1 - p.hukou_first) * p.children_migrant * places(p, s) / children
    return out


def in_blocks(p: Problem, values: Array) -> Array:
    """Sums over the years of each block, last axis."""
    first = p.years[0]
    spans = [slice(b.first - first, b.last - first + 1) for b in p.blocks]
    return np.stack([values[..., span].sum(axis=-1) for span in spans], axis=-1)


def shares(p: Problem) -> Array:
    return np.array([p.parameters[f"sector_share_{name}"] for name in SHARE_NAMES])


def profile(p: Problem) -> Array:
    bill = p.cost.sum(axis=0)
    left = np.maximum(0, bill - p.local_ceiling - p.levy_ceiling)
    out: Array = np.zeros_like(bill)
    for block in p.blocks:
        span = slice(block.first - p.years[0], block.last - p.years[0] + 1)
        for r in range(len(p.codes)):
            for basis in (left[r, span], bill[r, span], np.ones(span.stop - span.start)):
                if basis.sum() > 0:
                    out[r, span] = basis / basis.sum()
                    break
    return out


def teachers(p: Problem, s: Solution) -> Array:
    seats = (capacity(p, s) - p.existing)[:, 0, :, : len(p.years)].sum(axis=0)
    hired = np.cumsum(s.teachers, axis=-1)
    return above(seats, p.parameters["pupils_per_teacher"] * (hired + p.redeployed))


def money_balance(p: Problem, s: Solution) -> Array:
    paid = s.central + s.local + s.bonds + s.levy + s.unfunded
    bill = p.cost + building(p, s) + payments(p, s)
    bill[0] += p.parameters["temporary_place_cost"] * s.temporary
    return apart(paid, bill)


def sector_band(p: Problem, s: Solution) -> Array:
    by_block = in_blocks(p, s.central).sum(axis=1)
    whole = by_block.sum(axis=0)
    band = p.parameters["sector_share_band"] * whole
    return above(np.abs(by_block - shares(p)[:, None] * whole), band)


def block_money(p: Problem, s: Solution) -> Array:
    year = s.central.sum(axis=0)
    whole = np.zeros_like(year)
    for i, block in enumerate(p.blocks):
        span = slice(block.first - p.years[0], block.last - p.years[0] + 1)
        whole[:, span] = in_blocks(p, year)[:, i, None]
    return apart(year, profile(p) * whole)


def support_ceiling(p: Problem, s: Solution) -> Array:
    par = p.parameters
    part = np.where(p.supported, par["central_support_ceiling"], par["other_support_ceiling"])
    return above(
        in_blocks(p, s.central).sum(axis=0), part[:, None] * in_blocks(p, p.cost).sum(axis=0)
    )


def fund_volume(p: Problem, s: Solution) -> Array:
    spent = np.cumsum(s.central.sum(axis=(0, 1)))
    return above(spent, p.fund * np.arange(1, len(p.years) + 1) / len(p.years))


def formula_ceiling(p: Problem, s: Solution) -> Array:
    if p.fund_by_region is None:
        return np.zeros(1)
    return above(s.central.sum(axis=(0, 2)), p.fund_by_region)


def cost(p: Problem, s: Solution) -> float:
    """The level of cost, idle capacity from its definition."""
    enough = (1 + p.parameters["surplus_margin"]) * p.need
    charge = np.maximum(0, capacity(p, s) - enough) * p.unit_cost[..., None, None]
    return (
        float(
            building(p, s, partners=1.0).sum()
            + p.parameters["temporary_place_cost"] * s.temporary.sum()
            + p.parameters["stranded_years_charge"] * charge.sum()
            + p.parameters["teacher_pay"] * s.teachers.sum()
        )
        / p.fund
    )


CHECKS: dict[str, Callable[[Problem, Solution], Array]] = {
    "capacity_path": lambda p, s: apart(s.capacity, capacity(p, s)),
    "shortage_definition": lambda p, s: (
        above(
            p.need[0, 0, :, : len(p.years)] - capacity(p, s)[0, 0, :, : len(p.years)],
            s.shortage[0, 0] + s.temporary,
        )
        + above(
            (p.need - capacity(p, s))[..., : len(p.years)].reshape(4, -1)[1:],
            s.shortage.reshape(4, -1)[1:],
        ).max()
    ),
    "build_rate": where_on(
        "build_rate",
        lambda p, s: np.maximum(above(s.starts, rate(p)), above(s.partner_starts, rate(p)[0])),
    ),
    "build_rate_together": where_on(
        "build_rate", lambda p, s: above(s.starts[0] + s.partner_starts, rate(p)[0])
    ),
    "building_steps": where_on(
        "building_steps",
        lambda p, s: above(
            np.abs(np.diff(s.starts, axis=-1)), p.parameters["building_step"] * rate(p)[..., 1:]
        ),
    ),
    "private_partners": lambda p, s: above(
        s.partner_starts.sum(axis=(1, 2)),
        np.array([p.parameters["partner_schools"] * 0.15, 5000 * 0.005])
        * (p.modes["private_partners"] == "on"),
    ),
    "teachers": where_on("teachers", teachers),
    "teacher_posts": where_on(
        "teachers",
        lambda p, s: above(s.teachers.sum(), np.array(p.parameters["teacher_posts"])),
    ),
    "places_total": lambda p, s: above(s.places_hukou + s.places_migrant, places(p, s)),
    "places_hukou_first": lambda p, s: above(
        s.places_migrant,
        np.where(
            s.alike,
            np.inf,
            p.hukou_first * (places(p, s) - p.children_hukou) + alike_share(p, s),
        ),
    ),
    "places_alike": lambda p, s: above(
        s.places_migrant, np.where(s.alike, alike_share(p, s), p.children_migrant)
    ),
    "money_balance": money_balance,
    "unfunded_is_running_cost": lambda p, s: above(s.unfunded, p.cost),
    "local_ceiling": lambda p, s: above(s.local.sum(axis=0), p.local_ceiling),
    "bonds_build": lambda p, s: above(s.bonds, building(p, s)),
    "bonds_region": where_on(
        "bonds_region", lambda p, s: above(s.bonds.sum(axis=0), p.bond_ceiling)
    ),
    "bonds_nation": lambda p, s: above(s.bonds.sum(axis=(0, 1)), p.bond_total),
    "levy_entitlement": lambda p, s: above(s.levy.sum(axis=0), p.levy_ceiling),
    "fund_volume": fund_volume,
    "sector_shares": where_on(
        "sector_shares",
        lambda p, s: apart(s.central.sum(axis=(1, 2)), shares(p) * s.central.sum()),
    ),
    "sector_band": where_on("sector_shares", sector_band),
    "local_sector_shares": where_on(
        "local_sector_shares",
        lambda p, s: apart(s.local.sum(axis=(1, 2)), shares(p) * s.local.sum()),
    ),
    "block_money": where_on("block_money", block_money),
    "support_ceiling": where_on("support_ceiling", support_ceiling),
    "formula_ceiling": formula_ceiling,
}


def _short(p: Problem) -> Problem:
    """Two fifths of the urban seats missing in one region, little money: every regime occurs."""
    existing = p.existing.copy()
    existing[0, 0] *= np.linspace(0.6, 1.0, len(p.codes))[:, None]
    return replace(
        p,
        existing=existing,
        fund=0.5 * p.fund,
        bond_total=0.3 * p.bond_total,
        local_ceiling=0.3 * p.local_ceiling,
    )


def _formula(p: Problem) -> Problem:
    return with_formula(p, p.fund * np.array([0.4, 0.3, 0.2, 0.1]))


def _few_posts(p: Problem) -> Problem:
    return replace(
        p,
        parameters={**p.parameters, "teacher_posts": 0.2, "guard": 0.0},
        redeployed=0.1 * p.redeployed,
        levy_ceiling=3 * p.levy_ceiling,
    )


def _switched(p: Problem, **modes: str) -> Problem:
    return replace(p, modes={**p.modes, **modes})


CASES: dict[str, Callable[[], Problem]] = {
    "plain": made_up_problem,
    "ten years": lambda: made_up_problem(3, 10, 2, seed=3),
    "short": lambda: _short(made_up_problem(seed=1)),
    "no bonds": lambda: replace(made_up_problem(seed=2), bond_total=np.zeros(6)),
    "formula": lambda: _formula(made_up_problem(seed=3)),
    "few posts": lambda: _few_posts(made_up_problem(seed=4)),
    "all options": lambda: _switched(
        made_up_problem(seed=5, parameters={"partner_schools": 100.0, "building_step": 0.1}),
        support_ceiling="on",
        local_sector_shares="on",
        building_steps="on",
        seat_target="soft",
        performance_reward="soft",
    ),
    "all off": lambda: _switched(
        made_up_problem(seed=6),
        **dict.fromkeys(
            ("sector_shares", "block_money", "bonds_region", "build_rate", "teachers"), "off"
        ),
        private_partners="off",
    ),
}


@cache
def case(name: str) -> tuple[Problem, Any]:
    p = CASES[name]()
    return p, solve(p)


def test_every_hard_rule_has_a_check() -> None:
    # Idle capacity has no table of its own: the level of cost, which charges for it, shows it. The
    # sum over a block is no table either: it is made from the years.
    hard = {rule.name for rule in RULES if rule.kind == "hard"}
    assert set(CHECKS) == hard - {"idle_definition", "block_sum"}


@pytest.mark.parametrize("name", CASES)
def test_every_hard_rule_holds(name: str) -> None:
    p, answer = case(name)
    violation = {rule: float(np.max(check(p, answer.solution))) for rule, check in CHECKS.items()}
    assert {rule: v for rule, v in violation.items() if not v <= LIMIT} == {}


@pytest.mark.parametrize("name", CASES)
def test_cost_charges_for_idle_capacity_by_its_definition(name: str) -> None:
    p, answer = case(name)
    level = next(level for level in answer.levels if level.name == "cost")
    assert cost(p, answer.solution) == pytest.approx(level.final, rel=1e-6)
    assert cost(p, replace(answer.solution, starts=1.01 * answer.solution.starts)) > level.final


@pytest.mark.parametrize("name", CASES)
def test_no_amount_is_negative_or_above_the_children(name: str) -> None:
    p, answer = case(name)
    s = answer.solution
    for table in (s.central, s.local, s.bonds, s.levy, s.unfunded, s.starts, s.partner_starts,
                  s.shortage, s.capacity, s.temporary, s.places_hukou, s.places_migrant,
                  s.teachers):  # fmt: skip
        assert table.min() >= 0
    assert (s.places_hukou <= p.children_hukou).all()
    assert (s.places_migrant <= p.children_migrant).all()
    assert (s.temporary <= 0.03 * p.existing[0, 0, :, : len(p.years)] * (1 + 1e-9)).all()
    assert (s.bonds[2:] == 0).all()


def test_both_regimes_occur() -> None:
    _, answer = case("short")
    assert answer.solution.alike.any()
    assert not answer.solution.alike.all()


@pytest.mark.parametrize(
    ("name", "rule", "table", "change"),
    [
        ("plain", "capacity_path", "capacity", 0.01),
        ("plain", "shortage_definition", "shortage", -1.0),
        ("plain", "build_rate", "starts", 1e3),
        ("plain", "build_rate", "partner_starts", 1e3),
        ("plain", "build_rate_together", "partner_starts", 1e3),
        ("plain", "private_partners", "partner_starts", 1e3),
        ("all off", "private_partners", "partner_starts", 0.1),
        ("plain", "capacity_path", "partner_starts", 0.1),
        ("plain", "money_balance", "partner_starts", 0.1),
        ("all options", "building_steps", "starts", 1e3),
        ("all options", "local_sector_shares", "local", 1.0),
        ("all options", "support_ceiling", "central", 1e4),
        ("plain", "teachers", "starts", 50.0),
        ("plain", "teacher_posts", "teachers", 21.0),
        ("plain", "places_total", "places_hukou", 50.0),
        ("plain", "places_hukou_first", "places_migrant", 50.0),
        ("short", "places_alike", "places_migrant", 50.0),
        ("plain", "money_balance", "central", 0.1),
        ("plain", "unfunded_is_running_cost", "unfunded", 1e4),
        ("plain", "local_ceiling", "local", 1e4),
        ("plain", "bonds_build", "bonds", 1e4),
        ("plain", "bonds_region", "bonds", 1e4),
        ("plain", "bonds_nation", "bonds", 1e4),
        ("plain", "levy_entitlement", "levy", 1e4),
        ("plain", "fund_volume", "central", 1e5),
        ("plain", "sector_shares", "central", 1.0),
        ("plain", "sector_band", "central", 1e4),
        ("plain", "block_money", "central", 0.1),
        ("formula", "formula_ceiling", "central", 1e5),
    ],
)
def test_the_checks_can_fail(name: str, rule: str, table: str, change: float) -> None:
    """Amounts of the first region changed in the first year, or in all years, break the rule."""
    p, answer = case(name)
    values = getattr(answer.solution, table).copy()
    first_year = rule not in ("places_alike", "shortage_definition")
    values[(..., 0, 0) if first_year else (..., 0, slice(None))] += change
    wrong = replace(answer.solution, **{table: values})
    assert np.max(CHECKS[rule](p, wrong)) > LIMIT
