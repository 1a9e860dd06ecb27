"""Checks of the rounds between model and linear program: at rest, money conserved, right signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.problem import PAYER, SECTORS, Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation
from hukou_opt.dynamics import Trajectory
from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.planning.coupling import Coupled, Coupling, Round, moved_need

REST, MONEY, SIGNS = "rounds", "money", "signs of the linear program"
_LOOP = "Barlas 1996: structure-oriented behaviour, for loops that close outside the model"
_CONSERVED = "Sterman 2000, ch. 21: conservation, across the border of two models"
_FIXED = "fixed-point residual"
#: Model and program repeat each other's money to rounding.
SAME = 1e-9
#: Of the fund that half the step may move: both paths rest within half a per cent of their fixed
#: points, the needs of both may differ by the model's own half per cent, and money that moves is
#: counted where it leaves and where it arrives: 2 x (0.5 % + 0.5 %).
FUND_BY_STEP = 0.02
#: Of the certified cost, in shares: bill and fund keep their sizes within half a per cent.
UNFUNDED_BY_STEP = 0.005
#: By how much an input of the linear program is raised.
RISE = 0.01
#: Change of an answer that is no more than the tolerance within which levels are held.
STILL = 1e-6

BALANCE = Question(
    "money.balance", MONEY,
    "Does every sector, region and year spend what it gets, unfunded cost set aside?",
    "share of spending", LIMIT, _CONSERVED,
)  # fmt: skip
BUILDING = Question(
    "money.building", MONEY,
    "Does the model spend on building, year by year, what the linear program pays?",
    "share of the largest outlay", SAME, _CONSERVED,
)  # fmt: skip
TEMPORARY = Question(
    "money.temporary_places", MONEY,
    "Does the model spend on temporary places, year by year, what the linear program pays?",
    "share of the largest outlay", SAME, _CONSERVED,
)  # fmt: skip
BONDS = Question(
    "money.bonds", MONEY,
    "Does the model borrow, year by year, the bonds that the linear program issues?",
    "share of the largest issue", SAME, _CONSERVED,
)  # fmt: skip
BILL = Question(
    "money.bill", MONEY,
    "Is the bill that the linear program gets from a path the path's own cost and grants?",
    "share of the largest bill", SAME, _CONSERVED,
)  # fmt: skip
FUND = Question(
    "money.fund", MONEY,
    "Is no more of the fund spent, by the end of any year, than has come in?",
    "share of the fund", LIMIT, _CONSERVED,
)  # fmt: skip
PROOF = Question(
    "money.certificate", MONEY,
    "Is every level of the answer proved by its own numbers?",
    "largest residual", LIMIT, "weak duality of linear programs",
)  # fmt: skip
SEEN = Question(
    "rounds.cycle_seen", REST,
    "Is a money share that swings for ever seen and damped?",
    "damped rounds", 1, _FIXED, ">=",
)  # fmt: skip
QUIET = Question(
    "rounds.no_false_alarm", REST,
    "Are rounds that come to rest by themselves left undamped?",
    "damped rounds", 0, _FIXED,
)  # fmt: skip
STEP_FUND = Question(
    "rounds.step_fund", REST,
    "Does half the model's step leave the fund where it goes?",
    "share of the fund", FUND_BY_STEP, "Sterman 2000, ch. 21: integration error test",
)  # fmt: skip
STEP_UNFUNDED = Question(
    "rounds.step_unfunded", REST,
    "Does half the model's step leave the unfunded share as it is?",
    "change of the share of certified cost", UNFUNDED_BY_STEP,
    "Sterman 2000, ch. 21: integration error test",
)  # fmt: skip
BILL_SIGN = Question(
    "signs.bill", SIGNS,
    "Does a larger bill leave no less of it unfunded where it is worst?",
    "change of the worst unfunded share", -STILL, _LOOP, ">=",
)  # fmt: skip
SEAT_SIGN = Question(
    "signs.seats", SIGNS,
    "Do more pupils in town start no fewer urban seats?",
    "relative change of seats started", -STILL, _LOOP, ">=",
)  # fmt: skip
CEILING_SIGN = Question(
    "signs.local_ceiling", SIGNS,
    "Does more local money leave no more unfunded?",
    "relative change of unfunded cost", STILL, _LOOP,
)  # fmt: skip


def at_rest_questions(tolerance: float) -> dict[str, Question]:
    """Questions whose limit is the experiment's own tolerance."""
    asked = {
        "fund": ("Has the fund stopped moving?", "share of the fund", REST),
        "need": ("Have the needs stopped moving?", "share of a national need", REST),
        "again_fund": (
            "Does one more round leave the fund where it is?",
            "share of the fund",
            REST,
        ),
        "again_need": ("Does one more round leave the needs?", "share of a national need", REST),
        "certified_bill": (
            "Is the bill of the simulated path the bill that the answer was made for?",
            "share of the bill",
            MONEY,
        ),
    }
    return {
        name: Question(f"{group}.{name}", group, words, unit, tolerance, _FIXED)
        for name, (words, unit, group) in asked.items()
    }


def judge_rest(coupled: Coupled, tolerance: float) -> list[Finding]:
    """What the published round still moved."""
    ask, best = at_rest_questions(tolerance), coupled.best
    damped = sum(each.damped for each in coupled.rounds)
    told = f"{len(coupled.rounds)} rounds, {damped} of them damped"
    return [ask["fund"].judge(best.moved_fund, told), ask["need"].judge(best.moved_need, told)]


def once_more(coupling: Coupling, best: Round) -> tuple[Problem, Solution, float]:
    """One more round from the published decisions: problem, answer, and needs moved by it."""
    p = coupling.problem(best.needs)
    allocation = coupling.answer(p, "one more round")
    decisions = coupling.decisions(p, allocation.solution)
    _, needs, _, _ = coupling.simulate(p, allocation.solution, decisions)
    return p, allocation.solution, moved_need(best.needs, needs)


def judge_again(
    best: Round, p: Problem, s: Solution, need: float, tolerance: float
) -> list[Finding]:
    """What one more round from the published decisions moved."""
    ask = at_rest_questions(tolerance)
    return [
        ask["again_fund"].judge(fund_moved(best.problem, best.allocation.solution, p, s)),
        ask["again_need"].judge(need),
    ]


def fund_moved(p: Problem, s: Solution, q: Problem, t: Solution) -> float:
    """Fund that two answers place differently, counted where it leaves and where it arrives."""
    moved: Array = np.abs(s.central_by_block(p) - t.central_by_block(q))
    return float(moved.sum()) / p.fund


def judge_balance(p: Problem, s: Solution) -> Finding:
    """Money in less money out, by sector, region and year."""
    spending = p.cost + s.building_cost(p) + s.partner_payments(p)
    spending[SECTORS.index(PAYER["seats"])] += p.parameters["temporary_place_cost"] * s.temporary
    money = s.central + s.local + s.bonds + s.levy + s.unfunded
    apart: Array = np.abs(money - spending) / (1 + np.abs(spending))
    g, r, t = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return BALANCE.judge(
        float(np.max(apart)), f"largest: {SECTORS[g]}, region {p.codes[r]}, {p.years[t]}"
    )


def judge_outlays(run: Trajectory, p: Problem, s: Solution) -> list[Finding]:
    """The model's outlays of each calendar year beside the linear program's.

    A rate that the model saves at the end of a year is the one of the year that follows.

    Parameters
    ----------
    run : Trajectory
        The run under the answer.
    p, s : Problem, Solution
        What the run was told.
    """
    paid = {
        BUILDING: ("building_outlay", s.construction(p).sum(axis=0)),
        TEMPORARY: (
            "temporary_outlay",
            p.parameters["temporary_place_cost"] * s.temporary,
        ),
        BONDS: ("bonds_now", s.bonds.sum(axis=0)),
    }
    before = [year - 1 for year in p.years]
    findings = []
    for question, (name, money) in paid.items():
        spent = run.data[name].transpose("region", "year").sel(year=before).values
        figure, place = _largest(spent, money, p)
        findings.append(question.judge(figure, f"{money.sum():,.0f} (100m yuan) in all; {place}"))
    return findings


def judge_bill(run: Trajectory, after: Problem) -> Finding:
    """Mean running cost and grants of each year of a run beside the bill made from its needs."""
    running = run.data["service_cost"].transpose("region", "year").values
    grants = run.data["cumulative_grants"].transpose("region", "year").values
    count = len(after.years)
    own = ((running[:, 1:] + running[:, :-1]) / 2 + np.diff(grants, axis=1))[:, :count]
    bill = after.cost.sum(axis=0)
    figure, place = _largest(own, bill, after)
    return BILL.judge(figure, f"{bill.sum():,.0f} (100m yuan) in all; {place}")


def judge_certified(best: Round, tolerance: float) -> Finding:
    """Bill of the simulated path less the bill that the answer was made for."""
    made_for, seen = best.problem.cost, best.simulated_problem.cost
    figure = float(np.abs(seen - made_for).sum() / made_for.sum())
    return at_rest_questions(tolerance)["certified_bill"].judge(
        figure, f"{made_for.sum():,.1f} certified, {seen.sum():,.1f} simulated (100m yuan)"
    )


def judge_fund(p: Problem, s: Solution) -> Finding:
    """Largest part of the fund spent before it came in."""
    spent = np.cumsum(s.central.sum(axis=(0, 1)))
    come_in = p.fund * np.arange(1, len(p.years) + 1) / len(p.years)
    over: Array = (spent - come_in) / p.fund
    return FUND.judge(
        max(0.0, float(np.max(over))),
        f"{spent[-1]:,.1f} spent, {p.fund - spent[-1]:,.1f} left of {p.fund:,.0f} (100m yuan)",
    )


def judge_certificates(allocations: Sequence[Allocation]) -> Finding:
    """Worst of the four figures of every certificate."""
    proofs = [proof for allocation in allocations for proof in allocation.certificates]
    worst = max(proofs, key=lambda proof: np.inf if np.isnan(proof.worst) else proof.worst)
    return PROOF.judge(worst.worst, f"{len(proofs)} levels; worst: {worst.name}")


def judge_half_step(coupled: Coupled, half: Coupled) -> list[Finding]:
    """The published answer beside that of a model with half the step."""
    one, other = coupled.best, half.best
    shares = [
        float(best.simulated.unfunded.sum() / best.simulated_problem.cost.sum())
        for best in (one, other)
    ]
    moved = fund_moved(
        one.problem, one.allocation.solution, other.problem, other.allocation.solution
    )
    rest = "" if half.converged else "; the rounds with half the step did not come to rest"
    steps = f"steps {one.run.time_step:g} and {other.run.time_step:g}"
    return [
        STEP_FUND.judge(moved, steps + rest),
        STEP_UNFUNDED.judge(
            abs(shares[1] - shares[0]), f"{shares[0]:.2%} and {shares[1]:.2%}, {steps}{rest}"
        ),
    ]


class _Told(Coupling):
    """Rounds whose answers are given beforehand; only what watches over them is at work.

    Parameters
    ----------
    coupling : Coupling
        Real model and program, of which nothing is run.
    best : Round
        Round whose answer is changed.
    shifts : sequence of float
        Part of the fund that each round's answer moves from the second region to the first.
    """

    def __init__(self, coupling: Coupling, best: Round, shifts: Sequence[float]) -> None:
        self.__dict__.update(vars(coupling))
        self.progress = lambda _: None
        self._best, self._shifts, self._number = best, shifts, 0

    def needs(self, *_: object) -> object:  # type: ignore[override]
        return self._best.needs

    def problem(self, *_: object) -> Problem:
        return self._best.problem

    def answer(self, *_: object, **__: object) -> Allocation:
        p, s = self._best.problem, self._best.allocation.solution
        central = s.central.copy()
        amount = self._shifts[self._number] * p.fund
        self._number += 1
        central[0, 0, 0] += amount
        central[0, -1, 0] -= amount
        return replace(self._best.allocation, solution=replace(s, central=central))

    def simulate(self, p: Problem, s: Solution, _: object) -> object:  # type: ignore[override]
        return self._best.run, self._best.needs, p, s


#: Part of the fund that swings in the constructed rounds, and by what a quiet series shrinks.
SWING, SHRINK, TOLD_ROUNDS = 0.05, 0.5, 8


def judge_cycles(coupling: Coupling, best: Round) -> list[Finding]:
    """Rounds that swing for ever, and rounds that come to rest, as the watch sees them."""
    series = {
        SEEN: [SWING * (-1) ** number for number in range(TOLD_ROUNDS)],
        QUIET: [SWING * (-SHRINK) ** number for number in range(TOLD_ROUNDS)],
    }
    findings = []
    for question, shifts in series.items():
        # No tolerance: all rounds are made.
        told = _Told(coupling, best, shifts).iterate(max_rounds=TOLD_ROUNDS, tolerance=0.0)
        damped = [number for number, each in enumerate(told.rounds, start=1) if each.damped]
        detail = f"first damped round: {damped[0]}" if damped else "none"
        findings.append(question.judge(len(damped), f"{TOLD_ROUNDS} constructed rounds, {detail}"))
    return findings


def with_larger_bill(p: Problem) -> Problem:
    """All certified cost up by one per cent."""
    return replace(p, cost=p.cost * (1 + RISE))


def with_more_pupils(p: Problem) -> Problem:
    """Children in town, and their need of seats, up by one per cent in all years."""
    need = p.need.copy()
    need[0, 0] *= 1 + RISE
    more = 1 + RISE
    return replace(
        p,
        need=need,
        children_hukou=p.children_hukou * more,
        children_migrant=p.children_migrant * more,
    )


def with_more_local_money(p: Problem) -> Problem:
    """Ceilings of province and city up by one per cent."""
    return replace(p, local_ceiling=p.local_ceiling * (1 + RISE))


def worst_share(allocation: Allocation) -> float:
    """Unfunded share of the worst-off fifth."""
    return next(level.final for level in allocation.levels if level.name == "unfunded_worst")


def judge_bill_sign(before: Allocation, after: Allocation) -> Finding:
    """What a larger bill does to the worst-off."""
    here, there = worst_share(before), worst_share(after)
    return BILL_SIGN.judge(there - here, f"bill +1 %: {here:.5f} to {there:.5f}")


def judge_seat_sign(before: Allocation, after: Allocation) -> Finding:
    """What more pupils do to the seats that are started."""
    here, there = (each.solution.all_starts[0, 0].sum() for each in (before, after))
    return SEAT_SIGN.judge(
        float((there - here) / max(here, 1e-9)), f"need +1 %: {here:,.2f} to {there:,.2f} (10k)"
    )


def judge_ceiling_sign(before: Allocation, after: Allocation) -> Finding:
    """What more local money does to the cost that nobody pays."""
    here, there = (each.solution.unfunded.sum() for each in (before, after))
    return CEILING_SIGN.judge(
        float((there - here) / max(here, 1e-9)),
        f"ceilings +1 %: {here:,.1f} to {there:,.1f} (100m yuan)",
    )


def _largest(one: Array, other: Array, p: Problem) -> tuple[float, str]:
    """Largest difference relative to the largest figure, and where."""
    apart: Array = np.abs(one - other) / max(1.0, float(np.abs(other).max()))
    r, t = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return float(np.max(apart)), f"largest difference in region {p.codes[r]}, {p.years[t]}"
