"""Programs of many regions: each level starts anew, and reaches the same proved optimum."""

from __future__ import annotations

import highspy
import numpy as np
import pytest
from problems import made_up_problem

from hukou_opt.allocation import session
from hukou_opt.allocation.solve import Allocation, solve

#: What the tolerance of the inequality rows and of held levels leaves.
CLOSE = 1e-5
LEVELS_OF_SUBSTANCE = ("guard", "unfunded_worst", "unfunded")


def solved(monkeypatch: pytest.MonkeyPatch, many_rows: int) -> tuple[Allocation, list[str]]:
    """Answer of a small problem, and the methods that HiGHS was asked for, in order."""
    methods: list[str] = []
    run = session.Session._run

    def noted(self: session.Session, method: str) -> highspy.HighsModelStatus:
        methods.append(method)
        return run(self, method)

    with monkeypatch.context() as patch:
        patch.setattr(session, "MANY_ROWS", many_rows)
        patch.setattr(session.Session, "_run", noted)
        return solve(made_up_problem(regions=6)), methods


def test_large_programs_start_each_level_anew_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    small, usual = solved(monkeypatch, session.MANY_ROWS)
    large, anew = solved(monkeypatch, 0)
    assert anew.count("ipx") > usual.count("ipx")
    # New rows under the same cost still go on from the last basis.
    assert anew.count("simplex") > 0
    assert all(proof.holds for proof in large.certificates)
    values = [
        np.array([level.value for level in answer.levels if level.name in LEVELS_OF_SUBSTANCE])
        for answer in (small, large)
    ]
    assert values[1] == pytest.approx(values[0], abs=CLOSE)
