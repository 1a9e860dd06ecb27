"""Small linear programs over a few cells, as the toolkit builds them and a second time for SciPy.

The second program shares no code with the toolkit: every index is written in its exact pairwise or
deviation form as rows of `scipy.optimize.linprog`; ratios by the transformation of Charnes and
Cooper (1962), leximin by asking each cell in turn how far it can go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyomo.environ as pyo
from scipy.optimize import linprog

from hukou_opt.allocation.formulation import compile_model
from hukou_opt.allocation.goals import Leximin, Ratio, Sum
from hukou_opt.allocation.levels import LevelSolver
from hukou_opt.allocation.objectives import INDICES, mean_name
from hukou_opt.allocation.objectives.indices import Build, Settings
from hukou_opt.allocation.objectives.pools import Member, Pool


@dataclass(frozen=True)
class Cells:
    """A polytope of cells, ``rows y <= most, 0 <= y <= 1``, in pools with weights and portions.

    Losses ask for a least sum in every row (``rows`` and ``most`` are negative); goods have a most.
    """

    rows: np.ndarray
    most: np.ndarray
    pools: tuple[tuple[tuple[int, ...], np.ndarray], ...]
    portions: tuple[float, ...]
    sign: float

    @property
    def count(self) -> int:
        """Number of cells."""
        return int(self.rows.shape[1])


def random_cells(seed: int, *, good: bool, pools: int = 2, cells: int = 7) -> Cells:
    """A random program that is feasible, with ties among its coefficients."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(2 * pools, cells + 1))
    rows = draw.choice([0.0, 0.25, 0.5, 1.0], (int(draw.integers(1, 4)), count))
    rows[:, 0] = np.maximum(rows[:, 0], 0.25)
    most = draw.uniform(0.2, 0.8, len(rows)) * rows.sum(axis=1)
    parts = np.array_split(draw.permutation(count), pools)
    weighted = tuple((tuple(int(i) for i in part), draw.dirichlet(np.ones(len(part))))
                     for part in parts)  # fmt: skip
    portions = tuple(draw.dirichlet(np.ones(pools)))
    sign = -1.0 if good else 1.0
    return Cells(-sign * rows, -sign * most, weighted, portions, sign)


def reached(cells: Cells, index: str, settings: Settings) -> tuple[Any, np.ndarray]:
    """Goal and point that the toolkit reaches."""
    m: Any = pyo.ConcreteModel()
    m.planned_indices = []
    m.y = pyo.Var(range(cells.count), bounds=(0, 1))
    m.rows = pyo.Constraint(
        range(len(cells.most)),
        rule=lambda m, k: (
            sum(float(c) * m.y[i] for i, c in enumerate(cells.rows[k])) <= float(cells.most[k])
        ),
    )
    pools = tuple(
        Pool(
            str(number),
            portion,
            tuple(
                Member(str(i), float(w), (((i,), 1.0),))
                for i, w in zip(members, weights, strict=True)
            ),
        )
        for number, ((members, weights), portion) in enumerate(
            zip(cells.pools, cells.portions, strict=True)
        )
    )
    keys = {
        (pool.key, member.label): int(member.label) for pool in pools for member in pool.members
    }
    given = Build(
        m,
        "t",
        "t",
        pools,
        {key: m.y[i] for key, i in keys.items()},
        {key: f"y[{i}]" for key, i in keys.items()},
        cells.sign,
        settings,
    )
    values = INDICES[index].build(given)
    means = [cells.sign * given.mean_loss(pool) for pool in pools]
    total = sum(p * v for p, v in zip(cells.portions, values, strict=True))
    m.level_t = pyo.Objective(expr=values[0] if index == "leximin" else total)
    m.add_component(
        f"level_{mean_name('t')}",
        pyo.Objective(expr=sum(p * v for p, v in zip(cells.portions, means, strict=True))),
    )
    run = LevelSolver(compile_model(m), lambda _: None, {})
    columns, rows = run.program.columns(), run.program.row_positions()
    goal: Any
    if index == "leximin":
        goal = Leximin(
            run,
            "t",
            np.array([columns[f"y[{i}]"] for i in keys.values()]),
            np.array([rows[f"t_below[{pool},{label}]"] for pool, label in keys]),
            cells.sign,
        )
    else:
        goal = Ratio(run, "t") if INDICES[index].ratio else Sum(run, "t")
    point = goal.minimise()
    assert point.certificate.holds
    y = point.x[[columns[f"y[{i}]"] for i in range(cells.count)]]
    return (goal, point), y


def by_definition(cells: Cells, index: str, settings: Settings, y: np.ndarray) -> float:
    """The index of some values, pair by pair and cell by cell."""
    numerator = denominator = 0.0
    for (members, weights), portion in zip(cells.pools, cells.portions, strict=True):
        loss = cells.sign * y[list(members)]
        mean = float(weights @ loss)
        pairs = sum(
            weights[i] * weights[j] * abs(loss[i] - loss[j])
            for i, j in combinations(range(len(loss)), 2)
        )
        worst_first = sorted(zip(loss, weights, strict=True), reverse=True)
        left, tail = settings.part, 0.0
        for value, weight in worst_first:
            used = min(left, weight)
            tail, left = tail + used * value, left - used
        values: Mapping[str, float] = {
            "mean": mean,
            "shortfall": float(weights @ np.maximum(0, loss - cells.sign * settings.standard)),
            "worst": float(loss.max()),
            "worst_mean": tail / settings.part,
            "mean_deviation": float(weights @ np.abs(loss - mean)),
            "hoover": float(weights @ np.abs(loss - mean)) / 2,
            "gini_difference": pairs,
            "gini": pairs,
            "averse_mean": mean + settings.aversion * pairs,
        }
        numerator += portion * values[index]
        denominator += portion * cells.sign * mean
    return numerator / denominator if INDICES[index].ratio else numerator


class Rows:
    """Rows of a linear program by position of the variables."""

    def __init__(self) -> None:
        self.bounds: list[tuple[float | None, float | None]] = []
        self.less: list[tuple[dict[int, float], float]] = []
        self.equal: list[tuple[dict[int, float], float]] = []

    def new(self, low: float | None = 0.0, high: float | None = None) -> int:
        """Add a variable."""
        self.bounds.append((low, high))
        return len(self.bounds) - 1

    def minimise(self, cost: Mapping[int, float]) -> tuple[float, np.ndarray]:
        """Value and point of the optimum."""

        def table(rows: list[tuple[dict[int, float], float]]) -> tuple[Any, Any]:
            if not rows:
                return None, None
            dense = np.zeros((len(rows), len(self.bounds)))
            for k, (row, _) in enumerate(rows):
                for i, value in row.items():
                    dense[k, i] += value
            return dense, np.array([right for _, right in rows])

        c = np.zeros(len(self.bounds))
        for i, value in cost.items():
            c[i] += value
        (a, b), (a_eq, b_eq) = table(self.less), table(self.equal)
        found: Any = linprog(c, A_ub=a, b_ub=b, A_eq=a_eq, b_eq=b_eq, bounds=self.bounds)
        assert found.status == 0, found.message
        return float(found.fun), found.x


def second(cells: Cells, index: str, settings: Settings) -> float:
    """Optimum of the index by SciPy."""
    lp = Rows()
    ratio = index in ("gini", "hoover")
    y = [lp.new(0.0, None if ratio else 1.0) for _ in range(cells.count)]
    t = lp.new() if ratio else -1
    for row, most in zip(cells.rows, cells.most, strict=True):
        terms = {y[i]: float(value) for i, value in enumerate(row)}
        lp.less.append((terms | {t: -float(most)}, 0.0) if ratio else (terms, float(most)))
    if ratio:
        lp.less += [({y[i]: 1.0, t: -1.0}, 0.0) for i in range(cells.count)]
        whole: dict[int, float] = {}
        for (members, weights), portion in zip(cells.pools, cells.portions, strict=True):
            whole |= {y[i]: portion * w for i, w in zip(members, weights, strict=True)}
        lp.equal.append((whole, 1.0))
    cost: dict[int, float] = {}

    def add(terms: Mapping[int, float], factor: float) -> None:
        for i, value in terms.items():
            cost[i] = cost.get(i, 0.0) + factor * value

    for (members, weights), portion in zip(cells.pools, cells.portions, strict=True):
        loss = [{y[i]: cells.sign} for i in members]
        mean = {y[i]: cells.sign * w for i, w in zip(members, weights, strict=True)}
        if index in ("mean", "averse_mean"):
            add(mean, portion)
        if index == "shortfall":
            for each, w in zip(loss, weights, strict=True):
                short = lp.new()
                lp.less.append((each | {short: -1.0}, cells.sign * settings.standard))
                add({short: w}, portion)
        if index in ("worst", "worst_mean"):
            top = lp.new(None)
            add({top: 1.0}, portion)
            for each, w in zip(loss, weights, strict=True):
                above = {lp.new(): -1.0} if index == "worst_mean" else {}
                lp.less.append((each | {top: -1.0} | above, 0.0))
                add(dict.fromkeys(above, w / settings.part), portion)
        if index in ("mean_deviation", "hoover"):
            for each, w in zip(loss, weights, strict=True):
                away = lp.new()
                for way in (1.0, -1.0):
                    row = {i: -way * value for i, value in mean.items()}
                    for i, value in each.items():
                        row[i] = row.get(i, 0.0) + way * value
                    lp.less.append((row | {away: -1.0}, 0.0))
                add({away: w}, portion * (0.5 if index == "hoover" else 1.0))
        if index in ("gini", "gini_difference", "averse_mean"):
            factor = settings.aversion if index == "averse_mean" else 1.0
            for i, j in combinations(range(len(members)), 2):
                apart = lp.new()
                for way in (1.0, -1.0):
                    pair = {y[members[i]]: way, y[members[j]]: -way, apart: -1.0}
                    lp.less.append((pair, 0.0))
                add({apart: factor * weights[i] * weights[j]}, portion)
    return lp.minimise(cost)[0]


#: How far a cell may stay below its ceiling and still count as stuck there.
STUCK = 1e-7


def second_leximin(cells: Cells) -> np.ndarray:
    """Losses of the leximin optimum, the worst first, by asking each cell how far it can go."""
    members = [i for pool, _ in cells.pools for i in pool]
    fixed: dict[int, float] = {}

    def program(ceiling: float | None) -> tuple[Rows, list[int], int]:
        lp = Rows()
        y = [lp.new(0.0, 1.0) for _ in range(cells.count)]
        for row, most in zip(cells.rows, cells.most, strict=True):
            lp.less.append(({y[i]: float(v) for i, v in enumerate(row)}, float(most)))
        top = lp.new(None, ceiling)
        for i in members:
            if i in fixed:
                lp.less.append(({y[i]: cells.sign}, fixed[i] + STUCK / 10))
            else:
                lp.less.append(({y[i]: cells.sign, top: -1.0}, 0.0))
        return lp, y, top

    while len(fixed) < len(members):
        lp, _, top = program(None)
        ceiling, _ = lp.minimise({top: 1.0})
        lp, y, _ = program(ceiling + STUCK / 10)
        stuck = [
            i
            for i in members
            if i not in fixed and lp.minimise({y[i]: cells.sign})[0] > ceiling - STUCK
        ]
        assert stuck
        fixed |= dict.fromkeys(stuck, ceiling)
    return -np.sort(-np.array(list(fixed.values())))
