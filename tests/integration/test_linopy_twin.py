"""The program that the benchmark writes in linopy is the allocation's own, row by row."""

from __future__ import annotations

from dataclasses import replace

import highspy
import numpy as np
import pytest
import scipy.sparse as sp
from problems import made_up_problem

from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model

pytest.importorskip("linopy")
from linopy_twin import Twin, twin

#: Coefficients, bounds and costs of both agree to this, relative to the row.
CLOSE = 1e-11
LEVELS = {"slip", "unfunded_worst", "unfunded", "unmet", "slack", "cost", "near_need"}


def column_names(written: Twin) -> list[str]:
    """Names of the columns as in the Pyomo model, in the order of linopy's labels."""
    names: dict[int, str] = {}
    for name, variable in written.model.variables.items():
        component, _, lead = name.partition(":")
        frame = variable.labels.to_series()
        for index, label in frame.items():
            parts = index if isinstance(index, tuple) else (index,)
            whole = ",".join([*([lead] if lead else []), *(str(part) for part in parts)])
            names[int(label)] = f"{component}[{whole}]"
    return [names[label] for label in sorted(names)]


def fingerprint(
    matrix: sp.csr_array, lower: np.ndarray, upper: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """One line a row, sorted: length, sum of coefficients under random weights, bounds."""
    matrix = sp.csr_array(matrix)
    matrix.eliminate_zeros()
    value = matrix @ weights
    turned = value < 0
    low, high = np.where(turned, -upper, lower), np.where(turned, -lower, upper)
    bounds = [np.clip(each + 0.0, -1e20, 1e20) for each in (low, high)]
    table = np.stack([np.diff(matrix.indptr), np.abs(value), *bounds], axis=1)
    # Rounded keys, so that the last digit does not decide the order.
    keys = [np.array([f"{x:.9e}" for x in column]) for column in table.T]
    return table[np.lexsort(keys[::-1])]


def loaded(written: Twin, level: str) -> tuple[sp.csr_array, highspy.HighsLp]:
    lp = written.load(level).getLp()
    entries, by_row = lp.a_matrix_, lp.a_matrix_.format_ == highspy.MatrixFormat.kRowwise
    kind = sp.csr_array if by_row else sp.csc_array
    matrix = kind(
        (entries.value_, entries.index_, entries.start_), shape=(lp.num_row_, lp.num_col_)
    )
    return sp.csr_array(matrix), lp


def assert_same(program: LinearProgram, written: Twin) -> None:
    names = column_names(written)
    assert sorted(names) == sorted(program.column_names)
    at = [program.columns()[name] for name in names]
    matrix, lp = loaded(written, "slip")
    assert np.allclose(lp.col_lower_, np.maximum(program.lower[at], 0.0))
    assert np.allclose(lp.col_upper_, program.upper[at], rtol=CLOSE)
    weights = np.random.default_rng(1).uniform(1, 2, len(names))
    own = np.empty(len(names))
    own[at] = weights
    ours = fingerprint(program.matrix, program.row_lower, program.row_upper, own)
    theirs = fingerprint(matrix, np.array(lp.row_lower_), np.array(lp.row_upper_), weights)
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, rtol=CLOSE, atol=CLOSE)
    assert set(written.levels) == LEVELS
    for level, (_, constant) in written.levels.items():
        cost, own_constant = program.costs[level]
        _, lp = loaded(written, level)
        assert np.allclose(lp.col_cost_, cost[at], rtol=1e-9, atol=1e-15), level
        assert constant == own_constant


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_columns_rows_and_levels_are_the_same(seed: int) -> None:
    # The shares of the blocks need years that are decided; the target year of the places is 2026.
    p = made_up_problem(regions=5, years=6, tail=2, seed=seed)
    assert_same(compile_model(build_model(p)), twin(p))


def test_other_rules_and_objectives_are_refused() -> None:
    p = made_up_problem()
    for changed in (
        replace(p, modes={**p.modes, "teachers": "off"}),
        replace(p, aims=replace(p.aims, levels=p.aims.levels[:2])),
        replace(p, fund_by_region=np.ones(len(p.codes))),
    ):
        with pytest.raises(ValueError, match="only the default rules"):
            twin(changed)
