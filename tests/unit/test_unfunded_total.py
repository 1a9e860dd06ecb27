"""The level of what stays unfunded in all is the smallest such sum there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from problems import made_up_problem

from hukou_opt.allocation.solve import solve
from hukou_opt.allocation.spec import SHIPPED, Aims


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_other_order_leaves_less(seed: int) -> None:
    p = made_up_problem(seed=seed, parameters={"guard": 1.0})
    first = replace(p, aims=Aims((SHIPPED["unfunded_total"], *p.aims.levels)))
    answer = solve(first)
    level = next(each for each in answer.levels if each.name == "unfunded_total")
    assert level.value == pytest.approx(answer.solution.unfunded.sum() / p.cost.sum(), rel=2e-4)
    other = solve(p).solution
    assert other.unfunded.sum() / p.cost.sum() >= level.value - 1e-6
