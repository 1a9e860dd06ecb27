"""The least change of one lever, or of several together, with which all demanded rules hold.

Most levers move right-hand sides and bounds in a straight line, so that each becomes one more
column of the program and its least change one solve; the slope is the difference of two programs.
The others are searched by halving. What is found is confirmed on a program built anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.infeasible.elastic import Elastic
from hukou_opt.allocation.infeasible.families import demanded
from hukou_opt.allocation.infeasible.levers import Lever, changed, measure, outward
from hukou_opt.allocation.levels import LevelSolver
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.session import TIME_LIMIT, Session
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import InfeasibleError

#: Change, relative to the present value, by which the slope of a lever is taken.
PROBE = 0.5
#: Change from which on a lever counts as used.
USED = 1e-7
#: Precision of a search by halving, relative to the present value.
PRECISION = 2e-3
#: Largest change that a search by halving looks at, relative to the present value.
FURTHEST = 64.0
#: Factors by which a change is stretched until a program built anew confirms it.
STRETCH = (1.0, 1.002, 1.01, 1.03, 1.1, 1.3, 2.0)


@dataclass(frozen=True)
class Slope:
    """How bounds move when a lever moves by what counts as 1, in the direction that helps."""

    row_lower: Array
    row_upper: Array
    upper: Array


class Search:
    """Least changes for one problem.

    Parameters
    ----------
    p : Problem
        Inputs whose demands cannot all hold.
    progress : callable, optional
        Told in words what is being done.
    time_limit : float, optional
        Seconds that one solve may take.
    """

    def __init__(
        self,
        p: Problem,
        progress: Callable[[str], None] = lambda _: None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self.p, self.progress, self.time_limit = p, progress, time_limit
        self.program, self.elastic = self._elastic(p)
        self._slopes: dict[str, Slope | None] = {}

    def _elastic(self, p: Problem) -> tuple[LinearProgram, Elastic]:
        from hukou_opt.allocation.solve import as_solved, ration

        program = compile_problem(p)
        run = LevelSolver(program, lambda _: None, {}, time_limit=self.time_limit)
        ration(run, p)
        return program, Elastic(as_solved(run), p, self.time_limit)

    def confirmed(self, values: Mapping[str, float]) -> Elastic | None:
        """The program with some levers changed, built anew, if all demands hold there."""
        elastic = self.anew(values)
        short = elastic.short(demanded(elastic.p), list(elastic.limits))
        return elastic if short.met else None

    def anew(self, values: Mapping[str, float]) -> Elastic:
        """The program with some levers changed, built anew."""
        self.progress("repair: confirm")
        return self._elastic(changed(self.p, values))[1]

    def least(self, levers: Sequence[Lever], demands: Sequence[str]) -> dict[str, float] | None:
        """Smallest change of some levers together: their new values, or None where none helps.

        Parameters
        ----------
        levers : sequence of Lever
            What may change. One that is no straight line can be searched only alone.
        demands : sequence of str
            Rules that are to hold; the problem demands no others.

        Returns
        -------
        dict of str to float, or None
            New values by the lever's name, rounded away from what does not hold; confirmed.
        """
        straight = [lever for lever in levers if self._slope(lever) is not None]
        rules = [lever for lever in levers if lever.rule]
        if not straight and not rules:
            return self._searched(levers[0]) if len(levers) == 1 else None
        parts = self._together(straight, [lever.rule for lever in rules], demands)
        if parts is None:
            return None
        law = [lever for lever in rules if parts[lever.name] > USED]
        if law and straight:
            # What has become law binds nobody, so that the others may need less.
            hard = [name for name in demands if name not in {lever.rule for lever in law}]
            parts = self._together(straight, [], hard)
            if parts is None:
                return None
        tried: dict[str, float] = {}
        for factor in STRETCH:
            values = {
                lever.name: outward(lever, _moved(lever, self.p, parts[lever.name] * factor))
                for lever in straight
                if parts[lever.name] > USED
            } | {lever.name: 1.0 for lever in law}
            if values == tried:
                continue
            if self.confirmed(values) is not None:
                return values
            tried = values
        if len(levers) == 1:
            return self._searched(levers[0])
        return None

    def joins(self, lever: Lever) -> bool:
        """Whether a lever can be changed together with others in one program."""
        return bool(lever.rule) or self._slope(lever) is not None

    def _slope(self, lever: Lever) -> Slope | None:
        """Slope of a lever, or None where its program is not a straight line in it."""
        if lever.rule or not lever.linear:
            return None
        if lever.name not in self._slopes:
            value = _moved(lever, self.p, PROBE)
            other = compile_problem(changed(self.p, {lever.name: value}))
            self._slopes[lever.name] = _difference(self.program, other)
        return self._slopes[lever.name]

    def _together(
        self, levers: Sequence[Lever], rules: Sequence[str], demands: Sequence[str]
    ) -> dict[str, float] | None:
        """Relative change of each lever, and uniform lowering of each rule; least in sum."""
        slopes = [slope for lever in levers if (slope := self._slope(lever)) is not None]
        program = _with_levers(self.elastic, levers, slopes, rules)
        width = len(self.program.lower)
        names = [*(lever.name for lever in levers), *(f"rule:{name}" for name in rules)]
        strict = [name for name in demands if name not in rules]
        free = np.zeros(len(program.lower))
        free[:width] = self.elastic.cost(strict)
        session = Session(program, time_limit=self.time_limit)
        first = session.minimise(free, name="repair: possible")
        if any(self.elastic.missed(first.x[:width], name) for name in strict):
            return None
        for name in strict:
            columns = self.elastic.slacks[name]
            session.bound_columns(columns, np.zeros(len(columns)), np.zeros(len(columns)))
        cost = np.zeros(len(program.lower))
        cost[width:] = 1.0
        try:
            x = session.minimise(cost, name="repair: least").x
        except InfeasibleError:
            return None
        return dict(zip(names, x[width:].tolist(), strict=True))

    def _searched(self, lever: Lever) -> dict[str, float] | None:
        """Least change of one lever by trying: year after year, or by halving."""

        def holds(value: float) -> bool:
            return self.confirmed({lever.name: value}) is not None

        old = lever.value(self.p)
        if lever.whole:
            later = range(round(old) + 1, self.p.years[-1] + 1)
            year = next((year for year in later if holds(float(year))), None)
            return None if year is None else {lever.name: float(year)}
        low, high = 0.0, 1.0
        if lever.up:
            while not holds(_moved(lever, self.p, high)):
                low, high = high, 4 * high
                if high > FURTHEST:
                    return None
        elif not holds(0.0):
            return None
        while high - low > PRECISION:
            middle = (low + high) / 2
            if holds(outward(lever, _moved(lever, self.p, middle))):
                high = middle
            else:
                low = middle
        return {lever.name: outward(lever, _moved(lever, self.p, high))}


def _moved(lever: Lever, p: Problem, part: float) -> float:
    """Value of a lever that has moved by a part of what counts as 1."""
    step = measure(lever, p) * part
    return lever.value(p) + step if lever.up else max(lever.value(p) - step, 0.0)


def _difference(old: LinearProgram, new: LinearProgram) -> Slope | None:
    """Change of the bounds for a change of 1; None where rows or coefficients change too."""
    same = (
        old.row_names == new.row_names
        and old.column_names == new.column_names
        and old.matrix.shape == new.matrix.shape
        and abs(old.matrix - new.matrix).max() <= 1e-12 * abs(old.matrix).max()
    )
    if not same:
        return None

    def slope(before: Array, after: Array) -> Array:
        real = np.isfinite(before) & np.isfinite(after)
        out = np.zeros(len(before))
        out[real] = (after[real] - before[real]) / PROBE
        return out

    return Slope(
        slope(old.row_lower, new.row_lower),
        slope(old.row_upper, new.row_upper),
        slope(old.upper, new.upper),
    )


def _with_levers(
    elastic: Elastic, levers: Sequence[Lever], slopes: Sequence[Slope], rules: Sequence[str]
) -> LinearProgram:
    """The program with one column for each lever and for the uniform lowering of each rule."""
    program = elastic.program
    width, height = len(program.lower), len(program.row_names)
    wide = len(levers) + len(rules)
    rows: list[sp.csr_array] = []
    extra = np.zeros((height, wide))
    for i, slope in enumerate(slopes):
        # Rows with two different slopes do not occur: they are equations or have one side.
        lower = np.where(np.isfinite(program.row_lower), slope.row_lower, 0.0)
        upper = np.where(np.isfinite(program.row_upper), slope.row_upper, 0.0)
        extra[:, i] = -np.where(upper != 0, upper, lower)
    rows.append(sp.csr_array(sp.hstack([program.matrix, sp.csr_array(extra)], format="csr")))
    row_lower, row_upper = [program.row_lower], [program.row_upper]
    upper = program.upper.copy()
    moving = np.flatnonzero(
        np.any([slope.upper != 0 for slope in slopes] or [np.zeros(width, bool)], axis=0)
        & np.isfinite(program.upper)
        & (program.upper > program.lower)
    )
    if len(moving):
        # A bound that moves is a row.
        part = np.zeros((len(moving), wide))
        for i, slope in enumerate(slopes):
            part[:, i] = -slope.upper[moving]
        unit = sp.csr_array(
            (np.ones(len(moving)), (np.arange(len(moving)), moving)), shape=(len(moving), width)
        )
        rows.append(sp.csr_array(sp.hstack([unit, sp.csr_array(part)], format="csr")))
        row_lower.append(np.full(len(moving), -np.inf))
        row_upper.append(program.upper[moving])
        upper[moving] = np.inf
    for k, rule in enumerate(rules, start=len(levers)):
        columns = elastic.slacks[rule]
        count = len(columns)
        # Coverage is a share of need, amounts are what their row asks.
        asked = elastic.asked[columns]
        at = np.arange(count)
        rows.append(
            sp.csr_array(
                (
                    np.concatenate([np.ones(count), -asked]),
                    (
                        np.concatenate([at, at]),
                        np.concatenate([columns, np.full(count, width + k)]),
                    ),
                ),
                shape=(count, width + wide),
            )
        )
        row_lower.append(np.full(count, -np.inf))
        row_upper.append(np.zeros(count))
    most = [np.inf if lever.up else 1.0 for lever in levers] + [1.0] * len(rules)
    return replace(
        program,
        matrix=sp.csr_array(sp.vstack(rows, format="csr")),
        row_lower=np.concatenate(row_lower),
        row_upper=np.concatenate(row_upper),
        lower=np.concatenate([program.lower, np.zeros(wide)]),
        upper=np.concatenate([upper, np.array(most)]),
    )
