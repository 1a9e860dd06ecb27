from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hukou_opt.report.rounding import SNAP, largest_remainder, round_table

FIGURES = st.floats(0, 5e4, allow_nan=False)


@given(hnp.arrays(float, st.integers(1, 40), elements=FIGURES), st.integers(0, 2))
def test_list_adds_up_and_each_figure_goes_to_a_neighbour(values: np.ndarray, digits: int) -> None:
    rounded = largest_remainder(values, digits=digits)
    step = 10.0**-digits
    assert np.all(np.abs(rounded - values) < step * (1 + 1e-6))
    assert abs(rounded.sum() - values.sum()) <= step * (0.5 + 1e-4)


@given(hnp.arrays(float, st.integers(2, 20), elements=FIGURES))
def test_a_larger_remainder_never_loses_to_a_smaller_one(values: np.ndarray) -> None:
    rounded = largest_remainder(values)
    rest = values - np.floor(values)
    up = rounded > values
    down = (rounded < values - 1e-3) & (rest > 0)
    if up.any() and down.any():
        assert rest[up].min() >= rest[down].max() - 1e-6


def test_ties_go_to_the_first() -> None:
    assert largest_remainder(np.array([0.5, 0.5, 1.0])).tolist() == [1.0, 0.0, 1.0]


def test_the_fund_and_the_line_of_unused_money_add_up() -> None:
    parts = np.array([33333.4, 16666.2, 0.4])
    assert largest_remainder(parts, 50000.0).sum() == 50000.0


def test_solver_noise_is_no_remainder() -> None:
    assert largest_remainder(np.array([3 - 1e-9, -1e-9, 2 + 1e-9])).tolist() == [3.0, 0.0, 2.0]


@pytest.mark.parametrize("total", [7.0, -1.0])
def test_a_total_out_of_reach_is_refused(total: float) -> None:
    with pytest.raises(ValueError, match="adds up"):
        largest_remainder(np.array([1.2, 2.3]), total)


def test_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        largest_remainder(np.array([1.0, np.nan]))


@settings(max_examples=200)
@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 12), st.integers(1, 4)),
        elements=st.floats(0, 500, allow_nan=False),
    )
)
def test_table_rows_and_grand_total_add_up_and_cells_go_to_neighbours(values: np.ndarray) -> None:
    rounded = round_table(values)
    assert np.all(np.abs(rounded - values) < 1 + 1e-6)
    rows = largest_remainder(values.sum(axis=1))
    assert rounded.sum(axis=1).tolist() == rows.tolist()
    assert abs(rounded.sum() - values.sum()) <= 0.5 + 1e-4


@settings(max_examples=150)
@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(1, 3), st.integers(1, 3)),
        elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 1.3]),
    )
)
def test_table_columns_add_up_whenever_any_rounding_does(values: np.ndarray) -> None:
    rows = largest_remainder(values.sum(axis=1))
    columns = largest_remainder(values.sum(axis=0), float(rows.sum()))
    rounded = round_table(values)
    floors = np.floor(values + SNAP)
    free = np.argwhere(values - floors > SNAP)
    feasible = False
    for choice in product((0, 1), repeat=len(free)):
        trial = floors.copy()
        for (row, column), up in zip(free, choice, strict=True):
            trial[row, column] += up
        if (trial.sum(axis=1) == rows).all() and (trial.sum(axis=0) == columns).all():
            feasible = True
            break
    if feasible:
        assert rounded.sum(axis=0).tolist() == columns.tolist()


def test_given_totals_are_kept() -> None:
    values = np.array([[0.6, 0.6, 0.8], [0.2, 0.3, 0.5]])
    rounded = round_table(values, row_totals=np.array([2.0, 1.0]))
    assert rounded.sum(axis=1).tolist() == [2.0, 1.0]
    with pytest.raises(ValueError, match="row 0"):
        round_table(values, row_totals=np.array([5.0, 1.0]))
