"""Linear expressions by name of their variables, and their minimum by SciPy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import linprog

Name = Any
Terms = Mapping[Any, float]


def total(*parts: tuple[float, Terms]) -> dict[Name, float]:
    """Sum of linear expressions, each with a factor."""
    out: dict[Name, float] = defaultdict(float)
    for factor, terms in parts:
        for name, value in terms.items():
            out[name] += factor * value
    return dict(out)


class Program:
    """Rows by name of their variables; all variables are >= 0, `()` is the constant 1."""

    def __init__(self) -> None:
        self.position: dict[tuple[object, ...], int] = {}
        self.upper: dict[Name, float] = {}
        self.less: list[Terms] = []
        self.equal: list[Terms] = []

    def le(self, *parts: tuple[float, Terms]) -> None:
        """Add the row ``sum of the parts <= 0``."""
        self.less.append(total(*parts))

    def eq(self, *parts: tuple[float, Terms]) -> None:
        """Add the row ``sum of the parts == 0``."""
        self.equal.append(total(*parts))

    def minimise(self, objective: Terms) -> tuple[float, dict[Name, float]]:
        """Minimise one linear expression; value and variables."""
        names = {name for row in (*self.less, *self.equal, objective) for name in row} - {()}
        position = {name: i for i, name in enumerate(sorted(names, key=repr))}

        def table(rows: list[Terms]) -> tuple[np.ndarray, np.ndarray]:
            dense = np.zeros((len(rows), len(position)))
            for i, row in enumerate(rows):
                for name in row.keys() - {()}:
                    dense[i, position[name]] = row[name]
            return dense, np.array([-row.get((), 0.0) for row in rows])

        cost = np.array([objective.get(name, 0.0) for name in position])
        scale = max(float(np.abs(cost).max()), 1e-12)
        bounds = [(0.0, self.upper.get(name, np.inf)) for name in position]
        tight: Any = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        (a, b), (c, d) = table(self.less), table(self.equal)
        found: Any = linprog(cost / scale, a, b, c, d, bounds, options=tight)
        assert found.status == 0, found.message
        value = float(found.fun) * scale + objective.get((), 0.0)
        return value, {name: float(found.x[i]) for name, i in position.items()}


def expression(names: Iterable[Name], factor: float = 1.0) -> Terms:
    """Sum of variables."""
    return total(*((factor, {name: 1.0}) for name in names))
