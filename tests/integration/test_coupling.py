"""The rounds between model and linear program: at rest, damped, or said to be restless.

Model and program are replaced by two lines of arithmetic: money that follows need with a gain, and
need that follows money. Everything between them is the real thing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from problems import made_up_problem

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.dynamics import Decisions, Needs
from hukou_opt.planning.coupling import Coupled, Coupling, split_starts

TOLERANCE = 0.005
START = 0.55
#: Most of the certified cost that stays unfunded in a region without central money.
UNFUNDED = 0.5
#: Most of the fund that one region takes; off the mirror of 0, so that a swing between the bounds
#: does not average to the middle by chance.
MOST = 0.8


class Swing(Coupling):
    """Two regions; the first one's share of the fund answers its need with `gain`.

    Undamped, a deviation from the middle is multiplied by minus `gain` in every round.
    """

    def __init__(self, gain: float) -> None:
        self.gain = gain
        self.p = made_up_problem(regions=2, years=3, tail=1)
        self.engine = SimpleNamespace(codes=self.p.codes, years=self.p.all_years)  # type: ignore[assignment]
        self.first_run = None  # type: ignore[assignment]
        self.orders = None
        self.told: list[str] = []
        self.progress = self.told.append

    def _needs(self, state: float) -> Needs:
        need = self.p.need.copy()
        need[:, :, 0] *= 1 + state
        dims = ("area", "service", "region", "year")
        return Needs(xr.Dataset({"need": (dims, need)}), xr.Dataset(), xr.DataArray(state))

    def nothing(self) -> Any:
        return None

    def needs(self, run: Any, decisions: Any) -> Needs:  # noqa: ARG002
        return self._needs(START)

    def problem(self, needs: Needs) -> Problem:
        # The state travels in the fund's formula, which the rounds do not look at.
        state = float(needs.standing)
        return replace(self.p, fund_by_region=np.array([state, 1 - state]))

    def answer(
        self,
        p: Problem,
        what: str,
        *,
        break_ties: bool = True,  # noqa: ARG002
        keep_proofs: bool = False,  # noqa: ARG002
    ) -> Any:
        self.told.append(what)
        assert p.fund_by_region is not None
        share = float(np.clip(0.5 - self.gain * (p.fund_by_region[0] - 0.5), 0, MOST))
        shares = np.array([share, 1 - share])
        none = np.zeros((2, 3))
        empty = Solution.empty(p, none, none)
        central = np.zeros_like(empty.central)
        central[:] = p.fund * shares[:, None] / (central.shape[0] * central.shape[2])
        unfunded = p.cost * UNFUNDED * (1 - shares)[:, None]
        return SimpleNamespace(solution=replace(empty, central=central, unfunded=unfunded))

    def simulate(self, p: Problem, s: Solution, decisions: Decisions) -> Any:
        funded = float(decisions.funded_share.isel(region=0, year=0))
        share = 1 - (1 - funded) / UNFUNDED
        return None, self._needs(share), p, s

    def go(self, rounds: int = 12) -> Coupled:
        return self.iterate(max_rounds=rounds, tolerance=TOLERANCE)


def moved(coupled: Coupled) -> list[float]:
    return [each.moved_fund for each in coupled.rounds]


def test_what_comes_to_rest_is_not_damped() -> None:
    coupled = Swing(gain=0.3).go()
    assert coupled.converged
    assert not coupled.cycle
    assert coupled.best is coupled.rounds[-1]
    assert coupled.best.moved_fund < TOLERANCE
    assert coupled.best.moved_need < TOLERANCE
    assert not any(each.damped for each in coupled.rounds)
    # The swing is 0.05 of the fund in the first answer, times minus 0.3 in each round.
    assert moved(coupled)[:3] == pytest.approx([1.0, 2 * 0.015 * 1.3, 2 * 0.0045 * 1.3])


def test_a_cycle_is_seen_and_damped_until_it_rests() -> None:
    coupled = Swing(gain=1.0).go()
    flags = [each.damped for each in coupled.rounds]
    # Rounds 3 and 4 move as much as the ones before them; the fifth is the first damped one.
    assert flags[:5] == [False] * 4 + [True]
    assert moved(coupled)[1:5] == pytest.approx([0.2] * 4)
    assert coupled.cycle
    assert coupled.converged
    assert all(flags[4:])
    middle = coupled.best.allocation.solution.central.sum(axis=(0, 2)) / coupled.best.problem.fund
    assert middle == pytest.approx([0.5, 0.5], abs=TOLERANCE)


def test_damped_decisions_are_the_mean_of_the_last_and_the_new_ones() -> None:
    rounds = Swing(gain=1.0).go().rounds
    swing = Swing(gain=1.0)
    for before, this in pairwise(rounds):
        new = swing.decisions(this.problem, this.allocation.solution).funded_share
        expected = (before.decisions.funded_share + new) / 2 if this.damped else new
        assert this.decisions.funded_share.values == pytest.approx(expected.values)


def test_what_the_model_was_told_is_split_in_the_proportion_of_the_answer() -> None:
    p = made_up_problem(regions=2, years=3, tail=1)
    cell = np.zeros((2, 3))
    s = Solution.empty(p, cell, cell)
    public, partners = s.starts.copy(), s.partner_starts.copy()
    public[:, :, 0], partners[:, 0] = 3.0, 1.0
    s = replace(s, starts=public, partner_starts=partners)
    built = s.all_starts
    np.testing.assert_allclose(built[:, :, 0], [[[4.0] * 3] * 2, [[3.0] * 3] * 2])
    for told, part in ((built, 1.0), (0.5 * built, 0.5)):
        own, private = split_starts(s, told)
        np.testing.assert_allclose(own, part * public)
        np.testing.assert_allclose(private, part * partners)
    # What the last round built where this answer builds nothing is public.
    told = built.copy()
    told[:, :, 1] = 2.0
    own, private = split_starts(s, told)
    np.testing.assert_allclose(own[:, :, 1], 2.0)
    assert not private[:, 1].any()


def test_what_never_rests_is_reported_and_the_best_round_is_published() -> None:
    swing = Swing(gain=3.5)
    coupled = swing.go(rounds=9)
    assert not coupled.converged
    assert coupled.cycle
    assert len(coupled.rounds) == 9
    assert coupled.rounds[-1].damped
    assert min(moved(coupled)) > TOLERANCE
    lowest = min(each.objective for each in coupled.rounds)
    assert coupled.best.objective == lowest
    # The last round is another one here, else the test shows nothing.
    assert coupled.rounds[-1].objective > lowest
    assert "round 9" in swing.told
    assert "round 10" not in swing.told


def test_one_round_cannot_be_at_rest() -> None:
    coupled = Swing(gain=0.0).go(rounds=1)
    assert not coupled.converged
    assert moved(coupled) == [1.0]
    assert Swing(gain=0.0).go(rounds=2).converged
