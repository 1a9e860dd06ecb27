"""Every index in a linear program, against SciPy, PySAL, brute force and its own definition."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_programs import (
    Cells,
    by_definition,
    random_cells,
    reached,
    second,
    second_leximin,
)
from inequality.gini import Gini
from inequality.schutz import Schutz

from hukou_opt.allocation.objectives import INDICES
from hukou_opt.allocation.objectives.indices import Settings
from hukou_opt.indicators import half_mean_difference, worst_mean

SEEDS = st.integers(0, 2**32 - 1)
EXAMPLES = settings(max_examples=25, deadline=None)
#: Where all pairs or deviations are written out.
EXACT = 1e-7
#: Where rows are added until the certificate holds: its limit.
CERTIFIED = 1e-6
#: Each step of leximin leaves the next a little room.
LEXIMIN = 1e-5
CUTS = ("gini_difference", "gini", "averse_mean")
SUMS = [name for name in INDICES if name != "leximin"]
BAD = [name for name in SUMS if INDICES[name].applies_to == "all"]


def chosen(seed: int, *, pairwise: bool = False, good: bool = False) -> Settings:
    """Random settings of a term."""
    draw = np.random.default_rng(seed + 1)
    part, aversion = draw.uniform(0.05, 1.0), float(draw.choice([0.0, 0.5, 1.0]))
    return Settings(float(draw.uniform(0.1, 0.9)) if good else 0.3, part, aversion, pairwise)


def ends_well(cells: Cells, index: str, given: Settings, tolerance: float) -> float:
    """Check value, point and feasibility of one program; give the value."""
    (goal, point), y = reached(cells, index, given)
    assert (cells.rows @ y <= cells.most + 1e-7).all()
    assert point.value == pytest.approx(second(cells, index, given), abs=tolerance)
    # The point really has the value: no index lies above its column.
    assert by_definition(cells, index, given, y) <= point.value + 2 * tolerance
    assert goal.value(point.x) == pytest.approx(point.value, abs=2 * tolerance)
    return float(point.value)


@pytest.mark.parametrize("index", BAD)
@given(seed=SEEDS)
@EXAMPLES
def test_every_index_of_a_loss_reaches_the_optimum_of_scipy(index: str, seed: int) -> None:
    cells = random_cells(seed, good=False)
    ends_well(cells, index, chosen(seed), CERTIFIED if index in CUTS else EXACT)


@pytest.mark.parametrize("index", SUMS)
@given(seed=SEEDS)
@EXAMPLES
def test_every_index_of_a_good_reaches_the_optimum_of_scipy(index: str, seed: int) -> None:
    cells = random_cells(seed, good=True)
    # A ratio divides what is certified by the mean.
    tolerance = CERTIFIED if index in CUTS or INDICES[index].ratio else EXACT
    ends_well(cells, index, chosen(seed, good=True), 10 * tolerance)


@pytest.mark.parametrize("index", CUTS)
@given(seed=SEEDS)
@EXAMPLES
def test_all_pairs_and_rows_as_needed_agree(index: str, seed: int) -> None:
    cells = random_cells(seed, good=True)
    pairs = ends_well(cells, index, chosen(seed, pairwise=True), 10 * EXACT)
    cuts = ends_well(cells, index, chosen(seed), 10 * CERTIFIED)
    assert cuts == pytest.approx(pairs, abs=10 * CERTIFIED)


@pytest.mark.parametrize("index", ["gini", "hoover"])
def test_a_ratio_is_the_best_of_a_fine_grid(index: str) -> None:
    """Two cells of unlike weight share one unit; the second can take no more than a third."""
    weights = np.array([0.3, 0.7])
    rows = np.array([[1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]])
    cells = Cells(rows, np.array([1.0, 0.33, -0.5]), (((0, 1), weights),), (1.0,), -1.0)
    given = Settings(0.0, 0.2, 1.0, False)
    value = ends_well(cells, index, given, CERTIFIED)
    grid = [
        by_definition(cells, index, given, np.array(y))
        for y in product(np.linspace(0, 1, 201), repeat=2)
        if (rows @ np.array(y) <= cells.most + 1e-12).all()
    ]
    assert value <= min(grid) + CERTIFIED
    assert value == pytest.approx(min(grid), abs=2e-3)


@given(seed=SEEDS, good=st.booleans())
@EXAMPLES
def test_leximin_is_the_one_of_asking_every_cell(seed: int, good: bool) -> None:
    cells = random_cells(seed, good=good)
    (goal, point), y = reached(cells, "leximin", chosen(seed))
    expected = second_leximin(cells)
    assert goal.vector(point.x) == pytest.approx(tuple(expected), abs=LEXIMIN)
    assert (cells.rows @ y <= cells.most + 1e-6).all()
    assert point.value == pytest.approx(expected[0], abs=EXACT)


@given(seed=SEEDS)
@EXAMPLES
def test_no_point_of_a_grid_is_better_by_leximin(seed: int) -> None:
    cells = random_cells(seed, good=False, pools=1, cells=3)
    (goal, point), _ = reached(cells, "leximin", chosen(seed))
    ours = np.array(goal.vector(point.x))
    for y in product(np.linspace(0, 1, 13), repeat=cells.count):
        if (cells.rows @ np.array(y) <= cells.most).all():
            theirs = -np.sort(-np.array(y))
            differ = np.flatnonzero(np.abs(theirs - ours) > LEXIMIN)
            assert not differ.size or theirs[differ[0]] > ours[differ[0]]


@given(seed=SEEDS, index=st.sampled_from(SUMS))
@EXAMPLES
def test_the_order_of_the_cells_changes_nothing(seed: int, index: str) -> None:
    cells = random_cells(seed, good=True)
    turn = np.random.default_rng(seed).permutation(cells.count)
    place = np.argsort(turn)
    pools = tuple((tuple(int(place[i]) for i in members), w) for members, w in cells.pools)
    turned = Cells(cells.rows[:, turn], cells.most, pools, cells.portions, cells.sign)
    given = chosen(seed, good=True)
    values = [reached(each, index, given)[0][1].value for each in (cells, turned)]
    assert values[0] == pytest.approx(values[1], abs=10 * CERTIFIED)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12).filter(lambda y: sum(y) > 0.01))
def test_gini_and_hoover_are_those_of_pysal_at_equal_weights(values: list[float]) -> None:
    y = np.array(values)
    w = np.full(len(y), 1 / len(y))
    cells = Cells(np.zeros((1, len(y))), np.zeros(1), ((tuple(range(len(y))), w),), (1.0,), -1.0)
    given = Settings(0.0, 0.2, 1.0, False)
    assert by_definition(cells, "gini", given, y) == pytest.approx(Gini(y).g, abs=1e-9)
    assert half_mean_difference(y, w) / y.mean() == pytest.approx(Gini(y).g, abs=1e-9)
    # Schutz's distance is the largest gap of the Lorenz curve from its diagonal: Hoover's index.
    distance = Schutz(pd.DataFrame({"y": y}), "y").distance
    assert by_definition(cells, "hoover", given, y) == pytest.approx(distance, abs=1e-9)


@given(SEEDS)
def test_recomputed_indices_are_those_of_the_definition(seed: int) -> None:
    cells = random_cells(seed, good=False, pools=1)
    given = chosen(seed)
    ((members, weights),) = cells.pools
    y = np.random.default_rng(seed).random(cells.count)
    loss = y[list(members)]
    assert half_mean_difference(loss, weights) == pytest.approx(
        by_definition(cells, "gini_difference", given, y), abs=1e-12
    )
    assert worst_mean(loss, weights, given.part, high_is_bad=True) == pytest.approx(
        by_definition(cells, "worst_mean", given, y), abs=1e-12
    )


@pytest.mark.parametrize("index", [name for name in SUMS if INDICES[name].monotone])
@given(seed=SEEDS)
@settings(max_examples=40)
def test_what_is_called_monotone_never_falls_when_a_loss_rises(index: str, seed: int) -> None:
    cells, given = random_cells(seed, good=False), chosen(seed)
    draw = np.random.default_rng(seed)
    y = draw.random(cells.count)
    more = y.copy()
    more[draw.integers(cells.count)] += draw.random()
    assert by_definition(cells, index, given, more) >= by_definition(cells, index, given, y) - 1e-12


@pytest.mark.parametrize("index", [n for n in SUMS if not INDICES[n].monotone])
def test_what_is_not_called_monotone_can_fall_when_a_loss_rises(index: str) -> None:
    w = np.array([0.5, 0.5])
    sign = 1.0 if INDICES[index].applies_to == "all" else -1.0
    cells = Cells(np.zeros((1, 2)), np.zeros(1), (((0, 1), w),), (1.0,), sign)
    given = Settings(0.0, 0.2, 1.0, False)
    better, worse = (np.array([0.2, 0.6]), np.array([0.6, 0.6]))
    if sign < 0:
        worse = np.array([0.2, 0.2])
    assert by_definition(cells, index, given, worse) < by_definition(cells, index, given, better)
