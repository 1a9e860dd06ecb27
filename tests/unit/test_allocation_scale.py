"""Levels start anew, or go on from the last vertex: both reach the same proved optimum."""

from __future__ import annotations

import numpy as np
import pytest
from problems import made_up_problem

from hukou_opt.allocation import session
from hukou_opt.allocation.solve import Allocation, solve

#: What the tolerance of the inequality rows and of held levels leaves.
CLOSE = 1e-5
LEVELS_OF_SUBSTANCE = ("guard", "unfunded_worst", "unfunded")


def solved(monkeypatch: pytest.MonkeyPatch, far: float) -> tuple[Allocation, int]:
    """Answer of a small problem, and how often the solver forgot all bases."""
    forgotten = []
    attempt = session.Session._attempt

    def noted(self: session.Session, *given: object) -> session.Point | None:
        forgotten.append(not self._solver.getBasis().valid)
        return attempt(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(session, "FAR", far)
        patch.setattr(session.Session, "_attempt", noted)
        answer = solve(made_up_problem(regions=6))
    return answer, sum(forgotten)


def test_levels_start_anew_and_agree_with_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    anew, forgotten = solved(monkeypatch, session.FAR)
    going_on, once = solved(monkeypatch, np.inf)
    assert once == 1
    # Guard and levels, but not the tie-break, which lies near the level before it.
    assert forgotten >= 5
    assert all(proof.holds for proof in (*anew.certificates, *going_on.certificates))
    values = [
        np.array([level.value for level in answer.levels if level.name in LEVELS_OF_SUBSTANCE])
        for answer in (anew, going_on)
    ]
    assert values[1] == pytest.approx(values[0], abs=CLOSE)
