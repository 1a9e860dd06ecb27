"""From rows of groups of regions to the linear program of all regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.names import Positions
from hukou_opt.allocation.objectives.inequality import InequalityIndex, Planned
from hukou_opt.allocation.objectives.pools import INSIDE
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.tiling.across import Across, Number, register
from hukou_opt.allocation.tiling.groups import (
    CannotTile,
    GroupedProblem,
    Mixed,
    groups_of,
    split,
)
from hukou_opt.allocation.tiling.placement import Entry, TiledNames, placed
from hukou_opt.allocation.tiling.template import Linear, Row, Template, template_of

#: Regions for each group, on the mean, from which on groups are worth the trouble.
LEAST_REGIONS = 3
#: Most groups that are split while the model is built, because something else tells them apart.
MOST_SPLITS = 20


def compile_problem(p: Problem) -> LinearProgram:
    """The linear program of a problem.

    The Pyomo model is built for groups of regions with the same structure and tiled; where regions
    have too little in common, or a rule links them with each other, it is built for all regions.
    Both ways give the same program.

    Parameters
    ----------
    p : Problem
        Frozen inputs.
    """
    try:
        return tiled(p, groups_of(p), LEAST_REGIONS)
    except CannotTile:
        return compile_model(build_model(p))


def tiled(p: Problem, groups: tuple[Positions, ...], least_regions: int = 1) -> LinearProgram:
    """The linear program from groups of regions.

    Parameters
    ----------
    p : Problem
        Frozen inputs.
    groups : tuple of ndarray of int
        Regions of the same structure; groups that turn out not to be alike are split.
    least_regions : int, optional
        Fewest regions for each group, on the mean.

    Raises
    ------
    CannotTile
        If there are too many groups, or the rows of a region have columns of other regions.
    """
    if any(limit.term.between in INSIDE for limit in p.aims.limits):
        raise CannotTile("a limit for each region, which is an objective for each")
    register()
    for _ in range(MOST_SPLITS):
        if len(p.codes) < least_regions * len(groups):
            break
        grouped = GroupedProblem.of(p, groups)
        try:
            model = build_model(grouped)
        except Mixed as mixed:
            groups = split(groups, grouped.labels.index(mixed.label), mixed.holds)
            continue
        return _Tiler(template_of(model), grouped).program(model.planned_indices)
    raise CannotTile("regions with little in common")


class _Tiler:
    """One template on the way to the program of all regions."""

    def __init__(self, template: Template, p: GroupedProblem) -> None:
        self.template, self.p = template, p
        self.groups: dict[str, Positions] = p.rows()
        regions = len(p.codes)
        self.row_at, self.height = placed([r.entry for r in template.rows], self.groups, regions)
        self.column_at, self.width = placed(template.columns, self.groups, regions)
        self.column_group = [entry.group for entry in template.columns]

    def program(self, planned: Sequence[Planned]) -> LinearProgram:
        """The linear program."""
        matrix = self._matrix()
        costs = {name: self._cost(each) for name, each in self.template.objectives.items()}
        row_lower, row_upper = self._row_bounds()
        # As in Pyomo's own compiler: no rows without coefficients, and no columns that no row and
        # no objective needs.
        matrix.eliminate_zeros()
        used = np.zeros(self.width, dtype=bool)
        used[matrix.indices] = True
        for cost, _ in costs.values():
            used |= cost != 0
        filled = np.diff(matrix.indptr) > 0
        if np.any(row_lower[~filled] > 0) or np.any(row_upper[~filled] < 0):
            raise CannotTile("a row without coefficients that cannot hold")
        matrix = _without_empty(matrix, filled, used)
        costs = {name: (cost[used], constant) for name, (cost, constant) in costs.items()}
        self.row_at = _renumbered(self.row_at, filled)
        self.column_at = _renumbered(self.column_at, used)
        lower = self._columns(self.template.lower, -np.inf, used)
        upper = self._columns(self.template.upper, np.inf, used)
        return LinearProgram(
            costs={name.removeprefix("level_"): cost for name, cost in costs.items()},
            matrix=matrix,
            row_lower=row_lower[filled],
            row_upper=row_upper[filled],
            lower=lower,
            upper=upper,
            row_names=self._names([r.entry for r in self.template.rows], self.row_at, filled),
            column_names=self._names(self.template.columns, self.column_at, used),
            indices=self._indices(planned),
        )

    def _names(
        self, entries: list[Entry], positions: list[Positions], kept: NDArray[np.bool_]
    ) -> TiledNames:
        return TiledNames(entries, positions, self.groups, self.p.codes, int(kept.sum()))

    def _columns(
        self, values: Sequence[Number | None], absent: float, used: NDArray[np.bool_]
    ) -> Array:
        """Bounds of the columns that are used."""
        out = np.full(int(used.sum()), absent)
        for at, value in zip(self.column_at, values, strict=True):
            if value is not None:
                kept = at >= 0
                out[at[kept]] = np.broadcast_to(_array(value), at.shape)[kept]
        return out

    def _row_bounds(self) -> tuple[Array, Array]:
        lower, upper = np.full(self.height, -np.inf), np.full(self.height, np.inf)
        for row, at in zip(self.template.rows, self.row_at, strict=True):
            constant = row.expression.constant
            _require_national(row, constant, row.lower, row.upper)
            if row.lower is not None:
                lower[at] = _array(row.lower - constant)
            if row.upper is not None:
                upper[at] = _array(row.upper - constant)
        return lower, upper

    def _cost(self, linear: Linear) -> tuple[Array, float]:
        """Cost row of an objective, and its constant."""
        if isinstance(linear.constant, Across):
            raise CannotTile("a constant by region in an objective")
        cost = np.zeros(self.width)
        for column, value in zip(linear.columns, linear.values, strict=True):
            cost[self.column_at[column]] = _array(value)
        return cost, float(linear.constant)

    def _matrix(self) -> sp.csr_array:
        """Coefficients of all rows, those of a row in the order of the columns."""
        length = np.zeros(self.height, dtype=np.int64)
        for row, at in zip(self.template.rows, self.row_at, strict=True):
            columns = row.expression.columns
            length[at] = (
                len(columns)
                if row.entry.group is not None
                else sum(len(self.column_at[column]) for column in columns)
            )
        start = np.concatenate([[0], np.cumsum(length)])
        kind = np.int32 if start[-1] < np.iinfo(np.int32).max else np.int64
        data, index = np.empty(start[-1]), np.empty(start[-1], dtype=kind)
        for row, at in zip(self.template.rows, self.row_at, strict=True):
            fill = self._fill_national if row.entry.group is None else self._fill_region
            fill(row, start[at], data, index)
        return sp.csr_array((data, index, start.astype(kind)), shape=(self.height, self.width))

    def _fill_region(self, row: Row, start: Positions, data: Array, index: Positions) -> None:
        """Coefficients of a row that every region of a group has."""
        terms = []
        for column, value in zip(row.expression.columns, row.expression.values, strict=True):
            if self.column_group[column] not in (None, row.entry.group):
                raise CannotTile(f"{row.entry.family} links regions")
            terms.append((self.column_at[column], value))
        # Whichever region it is, its columns come in the same order.
        terms.sort(key=lambda term: int(term[0][0]))
        for slot, (at, value) in enumerate(terms):
            index[start + slot] = at
            data[start + slot] = _array(value)

    def _fill_national(self, row: Row, start: Positions, data: Array, index: Positions) -> None:
        """Coefficients of a row of the nation, which has the columns of all regions."""
        columns, values = self._spread(row.expression.columns, row.expression.values)
        # Stable, because that sort is quick where much is in order already.
        order = np.argsort(columns, kind="stable")
        part = slice(int(start[0]), int(start[0]) + len(columns))
        index[part], data[part] = columns[order], values[order]

    def _spread(self, columns: Iterable[int], values: Iterable[Number]) -> tuple[Positions, Array]:
        """Positions and coefficients in all regions."""
        at = [self.column_at[column] for column in columns]
        sizes = [
            np.broadcast_to(_array(value), each.shape)
            for each, value in zip(at, values, strict=True)
        ]
        none = np.empty(0)
        return np.concatenate([none.astype(np.int64), *at]), np.concatenate([none, *sizes])

    def _indices(self, planned: Sequence[Planned]) -> tuple[InequalityIndex, ...]:
        """Inequality indices: one over all regions, or one for each region."""
        by_name = {e.name: n for n, e in enumerate(self.template.columns)}
        heads = [_text_entry(each.name) for each in planned]
        places, total = placed(heads, self.groups, len(self.p.codes))
        out: list[InequalityIndex | None] = [None] * total
        for each, head, place in zip(planned, heads, places, strict=True):
            column = self.column_at[by_name[each.name]]
            cells = [self.column_at[by_name[cell]] for cell in each.cells]
            label = head.group
            if label is None:
                out[place[0]] = each.at(each.name, int(column[0]), *self._joined(each, cells))
                continue
            at = np.stack(cells, axis=1)
            weights = np.stack(
                [np.broadcast_to(_array(w), column.shape) for w in each.weights], axis=1
            )
            for i, region in enumerate(self.groups[label]):
                name = each.name.replace(label, self.p.codes[region])
                out[place[i]] = each.at(name, int(column[i]), at[i], weights[i].copy())
        return tuple(index for index in out if index is not None)

    def _joined(self, planned: Planned, cells: list[Positions]) -> tuple[Positions, Array]:
        """Cells of all regions with their weights, in the order of the full model."""
        entries = [_text_entry(name) for name in planned.cells]
        places, total = placed(entries, self.groups, len(self.p.codes))
        at, weights = np.empty(total, dtype=np.int64), np.empty(total)
        for place, cell, weight in zip(places, cells, planned.weights, strict=True):
            at[place], weights[place] = cell, _array(weight)
        return at, weights


def _text_entry(name: str) -> Entry:
    """An entry of which only the name is known."""
    return Entry("", (), name)


def _array(value: Number) -> Array | float:
    return value.values if isinstance(value, Across) else value


def _require_national(row: Row, *values: Number | None) -> None:
    if row.entry.group is None and any(isinstance(value, Across) for value in values):
        raise CannotTile(f"{row.entry.family} has a constant by region in a row of the nation")


def _without_empty(
    matrix: sp.csr_array, filled: NDArray[np.bool_], used: NDArray[np.bool_]
) -> sp.csr_array:
    """The matrix without its empty rows and unused columns, which have no entries to move."""
    number = (np.cumsum(used) - 1).astype(matrix.indices.dtype)
    start = np.append(matrix.indptr[:1], matrix.indptr[1:][filled])
    shape = (int(filled.sum()), int(used.sum()))
    return sp.csr_array((matrix.data, number[matrix.indices], start), shape=shape)


def _renumbered(positions: list[Positions], kept: NDArray[np.bool_]) -> list[Positions]:
    """Positions among those kept, -1 for the others."""
    if kept.all():
        return positions
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    return [new[at] for at in positions]
