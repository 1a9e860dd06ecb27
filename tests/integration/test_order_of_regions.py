"""The answer for the real provinces does not depend on the order of the region table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import permuted

from hukou_opt import bundled
from hukou_opt.allocation.problem import DEFAULT_MODES, Problem
from hukou_opt.allocation.solve import solve
from hukou_opt.dynamics import ArrayEngine, model_constants
from hukou_opt.parameters import load_parameters
from hukou_opt.planning.coupling import Coupling
from hukou_opt.regions import derive_base_year, load_regions

#: 100m yuan of the central fund, and 10k seats or beds over the horizon.
FUND, BUILT = 0.1, 0.2
LAST = 2033


@pytest.fixture(scope="module")
def problem() -> Problem:
    """The program of the first round on the 31 provinces."""
    parameters = load_parameters()
    base = derive_base_year(load_regions(), parameters)
    engine = ArrayEngine(bundled.model(), base.codes, range(2024, 2039))
    engine.reset(model_constants(base, parameters, reform=True))
    coupling = Coupling(engine, base, parameters, LAST, DEFAULT_MODES, lambda _: None)
    return coupling.problem(coupling.needs(coupling.first_run, coupling.nothing()))


def test_permuting_the_provinces_permutes_the_table(problem: Problem) -> None:
    order = np.random.default_rng(20240101).permutation(len(problem.codes))
    there = solve(problem).solution
    back = np.argsort(order)
    turned = permuted(problem, order)
    assert turned.codes != problem.codes
    other = solve(turned).solution
    fund = np.abs(there.central_by_block(problem) - other.central_by_block(turned)[back])
    assert fund.max() < FUND
    assert np.abs(there.central.sum(axis=-1) - other.central.sum(axis=-1)[:, back]).max() < FUND
    built = np.abs((there.all_starts - other.all_starts[:, :, back]).sum(axis=-1))
    assert built.max() < BUILT


def test_two_equal_provinces_get_the_same(problem: Problem) -> None:
    # One province stands twice in the table, under two codes, in place of another one.
    order = np.arange(len(problem.codes))
    order[10] = 9
    twins = replace(permuted(problem, order), codes=problem.codes)
    answer = solve(twins).solution
    fund = answer.central_by_block(twins)
    assert fund[9] == pytest.approx(fund[10], abs=FUND)
    built = answer.all_starts.sum(axis=-1)
    assert built[..., 9, None] == pytest.approx(built[..., 10, None], abs=BUILT)
