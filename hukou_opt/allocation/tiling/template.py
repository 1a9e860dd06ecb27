"""The grouped Pyomo model as linear rows whose numbers may be one for each region."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.base import SortComponents
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.util import VarRecorder

from hukou_opt.allocation.tiling.across import Number
from hukou_opt.allocation.tiling.groups import CannotTile
from hukou_opt.allocation.tiling.placement import Entry


@dataclass(frozen=True)
class Linear:
    """A linear expression of a group, or of the nation.

    Parameters
    ----------
    columns : list of int
        Number of each column in the template.
    values : list of float or Across
        Its coefficient.
    constant : float or Across
        The constant.
    """

    columns: list[int]
    values: list[Number]
    constant: Number


@dataclass(frozen=True)
class Row:
    """``lower <= expression <= upper``; None where there is no bound."""

    entry: Entry
    expression: Linear
    lower: Number | None
    upper: Number | None


@dataclass(frozen=True)
class Template:
    """The linear program of the groups.

    Parameters
    ----------
    columns : list of Entry
        Columns.
    lower, upper : list of (float or Across or None)
        Bounds of the columns.
    rows : list of Row
        Rows.
    objectives : dict of str to Linear
        Cost rows by name of the objective.
    """

    columns: list[Entry]
    lower: list[Number | None]
    upper: list[Number | None]
    rows: list[Row]
    objectives: dict[str, Linear]


def _entry(item: Any, order: dict[str, dict[Any, tuple[str, ...]]]) -> Entry:
    """A row or column of the model; `order` says what comes first where the index does not."""
    family, index = item.parent_component().local_name, item.index()
    parts = () if index is None else index if isinstance(index, tuple) else (index,)
    texts = tuple(str(part) for part in parts)
    met = order[family][parts] if family in order else texts
    return Entry(family, texts, f"{family}[{','.join(met)}" if parts else family)


def template_of(m: Any) -> Template:
    """Read the grouped model in the order in which Pyomo's own compiler reads a model.

    Objectives come first, then constraints; the columns of a variable follow when the variable is
    first met, all in the order of its index.

    Parameters
    ----------
    m : ConcreteModel
        The model of groups.

    Raises
    ------
    CannotTile
        If a row is bounded from both sides, or an expression is not linear.
    """
    sorter = SortComponents.deterministic
    recorder = VarRecorder({}, sorter)
    visitor = LinearRepnVisitor({}, var_recorder=recorder)

    def linear(expression: Any) -> tuple[dict[int, Number], Number]:
        form = visitor.walk_expression(expression)
        if form.nonlinear is not None:
            raise CannotTile("an expression that is not linear")
        return form.linear, form.constant

    objectives = {
        each.local_name: linear(each.expr)
        for each in m.component_data_objects(pyo.Objective, active=True, sort=sorter)
    }
    rows = []
    for each in m.component_data_objects(pyo.Constraint, active=True, sort=sorter):
        lower, body, upper = each.to_bounded_expression()
        if lower is not None and upper is not None and lower is not upper and lower != upper:
            raise CannotTile(f"two bounds of a row of {each.parent_component().local_name}")
        rows.append((_entry(each, m.cell_order), linear(body), lower, upper))

    place = {at: number for number, at in enumerate(recorder.var_map)}

    def placed(form: tuple[dict[int, Number], Number]) -> Linear:
        terms, constant = form
        return Linear([place[at] for at in terms], list(terms.values()), constant)

    variables: Iterable[Any] = recorder.var_map.values()
    bounds = [_bounds(each) for each in variables]
    return Template(
        [_entry(each, m.cell_order) for each in recorder.var_map.values()],
        [low for low, _ in bounds],
        [high for _, high in bounds],
        [Row(entry, placed(form), low, high) for entry, form, low, high in rows],
        {name: placed(form) for name, form in objectives.items()},
    )


def _bounds(variable: Any) -> tuple[Number | None, Number | None]:
    """Bounds of a variable: its own, else those of its domain, which is 0 or more, or any number.

    Pyomo's own properties would compare a bound by region with that of the domain.
    """
    low, high = variable.domain.bounds()
    own_low, own_high = variable._lb, variable._ub
    if None not in (own_low, low) or None not in (own_high, high):
        raise CannotTile(f"two bounds of {variable.parent_component().local_name}")
    return low if own_low is None else own_low, high if own_high is None else own_high
