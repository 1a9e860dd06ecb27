"""The linear program as a readable Pyomo model, and its compilation into arrays.

Variables are money (100m yuan), seats, beds and children (10k); every denominator is data from the
stock-flow model, so all rows and levels are linear. The levels (what is made small, in which order)
are Pyomo objectives of one model; `compile_model` turns them into one cost row each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from hukou_opt.allocation import objectives, rules
from hukou_opt.allocation.names import Axis, ListedNames, Names, Positions
from hukou_opt.allocation.problem import (
    AREAS,
    BUILDING_SECTORS,
    SECTORS,
    SERVICES,
    Array,
    Problem,
)


@dataclass(frozen=True)
class LinearProgram:
    """``min cost x  s.t.  row_lower <= A x <= row_upper, lower <= x <= upper``, several costs.

    Parameters
    ----------
    costs : mapping of str to (ndarray of shape (column,), float)
        Cost row and constant of each level, by name, in the order of the levels.
    matrix : csr_array, shape (row, column)
        Row coefficients.
    row_lower, row_upper : ndarray, shape (row,)
        Row bounds.
    lower, upper : ndarray, shape (column,)
        Column bounds.
    row_names, column_names : Names
        Names as in the Pyomo model; plain texts may be given.
    indices : tuple of InequalityIndex
        Inequality indices whose rows are added lazily.
    """

    costs: Mapping[str, tuple[Array, float]]
    matrix: sp.csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    row_names: Names
    column_names: Names
    indices: tuple[objectives.InequalityIndex, ...]

    def __post_init__(self) -> None:
        for axis in ("row_names", "column_names"):
            names = getattr(self, axis)
            if not isinstance(names, Names):
                object.__setattr__(self, axis, ListedNames(names))

    def columns(self) -> dict[str, int]:
        """Position of each column by name; large programs ask `column_cells`."""
        return self.column_names.position

    def row_positions(self) -> dict[str, int]:
        """Position of each row by name; large programs ask `row_cells`."""
        return self.row_names.position

    def column_cells(self, variable: str, *axes: Axis) -> Positions:
        """Positions of a variable's columns by label, as `Names.cells`."""
        return self.column_names.cells(variable, *axes)

    def row_cells(self, rule: str, *axes: Axis) -> Positions:
        """Positions of a rule's rows by label, as `Names.cells`."""
        return self.row_names.cells(rule, *axes)


def build_model(p: Problem) -> Any:
    """Build the Pyomo model of the allocation.

    Parameters
    ----------
    p : Problem
        Frozen inputs.

    Returns
    -------
    pyomo.environ.ConcreteModel
        Sets AREA, SERVICE, G (sectors), GB (sectors that build), R, T, ALL (with tail), B (blocks).
    """
    m: Any = pyo.ConcreteModel("allocation")
    for name, members in {
        "AREA": AREAS,
        "SERVICE": SERVICES,
        "G": SECTORS,
        "GB": BUILDING_SECTORS,
        "R": p.labels,
        "T": p.years,
        "ALL": p.all_years,
        "B": tuple(block.label for block in p.blocks),
    }.items():
        m.add_component(name, pyo.Set(initialize=list(members), ordered=True))
    m.block_of = {year: block.label for block in p.blocks for year in block.years}

    def variables(*sets: Any) -> Any:
        return pyo.Var(*sets, domain=pyo.NonNegativeReals)

    m.central, m.local, m.levy, m.unfunded = (variables(m.G, m.R, m.T) for _ in range(4))
    m.bonds = variables(m.GB, m.R, m.T)
    m.central_block = variables(m.R, m.B)
    m.partner_starts = variables(m.SERVICE, m.R, m.T)
    m.starts, m.shortage = (variables(m.AREA, m.SERVICE, m.R, m.T) for _ in range(2))
    m.capacity, m.idle = (variables(m.AREA, m.SERVICE, m.R, m.ALL) for _ in range(2))
    m.places_hukou, m.places_migrant, m.temporary, m.slip, m.teachers_hired = (
        variables(m.R, m.T) for _ in range(5)
    )
    m.slack_support_floor = variables(m.R, m.B)
    m.slack_public_share = variables(m.T)
    m.slack_rural_level = variables(m.SERVICE, m.R, m.T)
    m.slack_no_dilution = variables(m.AREA, m.SERVICE, m.R, m.T)
    m.slack_seat_target = variables(m.T)
    m.slack_performance_reward = variables(m.R, m.B)
    rules.add_all(m, p)
    objectives.add_all(m, p)
    return m


def plain_name(item: Any) -> str:
    """Name of a Pyomo row or column, ``starts[urban,seats,110000,2024]``.

    Pyomo itself puts quotes around index texts that look like numbers, as region codes do.
    """
    index = item.index()
    name: str = item.parent_component().local_name
    if index is None:
        return name
    parts = index if isinstance(index, tuple) else (index,)
    return f"{name}[{','.join(str(part) for part in parts)}]"


def compile_model(m: Any) -> LinearProgram:
    """Turn the Pyomo model into arrays; rows and columns keep their names."""
    form = LinearStandardFormCompiler().write(m, mixed_form=True)
    kinds = np.array([entry.bound_type for entry in form.rows])
    rhs = np.asarray(form.rhs, dtype=float)
    bounds = [column.bounds for column in form.columns]
    names = ListedNames(plain_name(column) for column in form.columns)
    cost_rows = sp.csr_array(form.c).toarray()
    costs = {
        objective.local_name.removeprefix("level_"): (cost_rows[i], float(form.c_offset[i]))
        for i, objective in enumerate(form.objectives)
    }
    return LinearProgram(
        costs=costs,
        matrix=sp.csr_array(form.A),
        row_lower=np.where(kinds <= 0, rhs, -np.inf),
        row_upper=np.where(kinds >= 0, rhs, np.inf),
        lower=np.array([-np.inf if low is None else low for low, _ in bounds], dtype=float),
        upper=np.array([np.inf if high is None else high for _, high in bounds], dtype=float),
        row_names=ListedNames(plain_name(entry.constraint) for entry in form.rows),
        column_names=names,
        indices=objectives.indices(m, names.position),
    )
