"""The plain way of the benchmark answers as ours does."""

from __future__ import annotations

import numpy as np
import pytest
from coupled import apart
from coupled_plain import WAYS, solve_plain
from problems import made_up_problem

from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.solve import solve


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [1, 5])
def test_the_plain_way_gives_the_same_levels_and_the_same_money(way, seed):
    p = made_up_problem(regions=4, years=4, seed=seed)
    ours, plain = solve(p), solve_plain(p, way)
    exact = recompute(p, plain.solution)
    for level in ours.levels:
        if level.name in exact and level.name != "guard":
            assert exact[level.name] == pytest.approx(level.value, rel=1e-3, abs=2e-5), level.name
    one, other = (s.central_by_block(p) for s in (ours.solution, plain.solution))
    assert np.abs(one - other).max() <= 2e-3 * p.fund


def test_distances_between_answers():
    one = {"fund": [[6.0, 4.0], [10.0, 0.0]], "levels": {"unmet": 0.2, "slack": 0.0}}
    assert apart(one, one) == {"fund": 0.0, "largest": 0.0, "level": 0.0}
    other = {"fund": [[5.0, 4.0], [10.0, 1.0]], "levels": {"unmet": 0.21, "slack": 0.0}}
    far = apart(one, other)
    assert far["fund"] == pytest.approx(0.05)
    assert far["largest"] == pytest.approx(1.0)
    assert far["level"] == pytest.approx(0.05)
