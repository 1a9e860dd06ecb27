"""Columns, rows and labels of a problem in linopy, in the Pyomo model's names."""

from __future__ import annotations

from typing import Any

import linopy
import numpy as np
import xarray as xr

from hukou_opt.allocation.problem import AREAS, BUILDING_SECTORS, SECTORS, SERVICES, Problem

#: Key of the one pool in which all cells of a quantity are compared.
ALL = "all"


class Writer:
    """Labels, columns and rows of one problem."""

    def __init__(self, p: Problem) -> None:
        self.p, self.m = p, linopy.Model()
        self.labels: dict[str, list[Any]] = {
            "area": list(AREAS),
            "service": list(SERVICES),
            "sector": list(SECTORS),
            "region": list(p.codes),
            "year": list(p.years),
            "all": list(p.all_years),
            "block": [block.label for block in p.blocks],
            "pool": [ALL],
            "later": list(p.years[1:]),
            "builder": list(BUILDING_SECTORS),
        }

    def data(self, values: Any, *dims: str, **labels: list[Any]) -> xr.DataArray:
        """Numbers with labels; decision years come first where there are more years."""
        every = {dim: {**self.labels, **labels}[dim] for dim in dims}
        part = tuple(slice(len(every[dim])) for dim in dims)
        coords = {self.axis(dim): found for dim, found in every.items()}
        return xr.DataArray(np.asarray(values, float)[part], coords, list(coords))

    @staticmethod
    def axis(dim: str) -> str:
        """Name of a dimension: years are years, sectors are sectors, however many."""
        return {"all": "year", "later": "year", "builder": "sector"}.get(dim, dim)

    def columns(
        self,
        name: str,
        *dims: str,
        upper: Any = np.inf,
        **labels: list[Any],
    ) -> Any:
        """Non-negative columns."""
        coords = {self.axis(dim): {**self.labels, **labels}[dim] for dim in dims}
        shape = [len(each) for each in coords.values()]
        upper = xr.DataArray(np.broadcast_to(upper, shape), coords, list(coords))
        zero = xr.zeros_like(upper)
        return self.m.add_variables(zero, upper, name=name)

    def rows(self, name: str, lhs: Any, sign: str, rhs: Any) -> None:
        """Rows, one family."""
        self.m.add_constraints(lhs, sign, rhs, name=name)


def total(*terms: Any) -> Any:
    """Sum of columns, expressions and (coefficient, column) in one go, the fast way of linopy."""
    parts = []
    for term in terms:
        if isinstance(term, tuple):
            coefficient, column = term
            parts.append(column.to_linexpr(coefficient))
        else:
            parts.append(term.to_linexpr() if isinstance(term, linopy.Variable) else term)
    return linopy.merge(parts)
