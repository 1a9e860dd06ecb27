"""Numbers for each region of a group go through expressions like the number of one region."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyomo.repn.linear import LinearRepnVisitor

from hukou_opt.allocation.tiling.across import Across, number, numbers, register

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4)
OPERATIONS = (operator.add, operator.sub, operator.mul, operator.truediv)
register()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("other", [0.3, 7, np.float64(-2.5), Across(np.array([4.0, 0.1]))])
def test_operations_are_those_of_each_region(operation: Any, other: Any) -> None:
    values = np.array([3.0, -0.7])
    each = numbers(other) * (2 if not isinstance(other, Across) else 1)
    there = operation(Across(values), other)
    assert numbers(there) == [operation(a, float(b)) for a, b in zip(values, each, strict=True)]
    back = operation(other, Across(values))
    assert numbers(back) == [operation(float(b), a) for a, b in zip(values, each, strict=True)]


def test_it_never_passes_for_one_number() -> None:
    zero = Across(np.zeros(2))
    assert bool(zero)
    assert zero != 0
    # Pyomo asks this to find numbers that are none.
    assert zero == zero
    with pytest.raises(TypeError, match="for each region"):
        float(zero)
    with pytest.raises(TypeError):
        max(zero, 1e-9)
    with pytest.raises(ValueError, match="two groups"):
        zero + Across(np.zeros(3))
    with pytest.raises(TypeError):
        zero + "text"
    with pytest.raises(ZeroDivisionError):
        1.0 / zero


def test_a_figure_is_one_number_or_one_for_each_region() -> None:
    table = np.arange(6.0).reshape(3, 2)
    assert number(table[1, 0]) == 2.0
    assert isinstance(number(table[1, 0]), float)
    assert numbers(number(table[np.array([0, 2]), 1])) == [1.0, 5.0]


@given(FIGURES, st.floats(-5, 5), st.floats(0.1, 5))
def test_pyomo_reads_the_same_coefficients_for_all_regions_and_for_each(
    figures: list[float], factor: float, divisor: float
) -> None:
    m: Any = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()

    def read(figure: Any) -> tuple[Any, Any, Any]:
        row = figure * (factor * (m.x - figure) / divisor + 1 - m.y / (figure * figure + 1)) - (
            sum([figure, m.x * figure, 2.0]) - m.x
        )
        form = LinearRepnVisitor({}).walk_expression(row)
        return form.linear.get(id(m.x), 0.0), form.linear.get(id(m.y), 0.0), form.constant

    together = read(Across(np.array(figures)))
    for i, figure in enumerate(figures):
        apart = read(figure)
        for one, all_of_them in zip(apart, together, strict=True):
            there = numbers(all_of_them)
            assert there[i if len(there) > 1 else 0] == one
