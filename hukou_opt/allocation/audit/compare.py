"""The compiled program against the tables: the same rows, bounds and costs, or the rule's name.

Both are evaluated at points that are drawn at random. Two linear functions that agree at points
drawn independently of them are the same function, but for a chance of measure zero; so one changed
coefficient or bound, and a row that is missing or too many, are found without looking at names of
coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import full_name
from hukou_opt.allocation.audit.places import Regime
from hukou_opt.allocation.audit.statement import BOUND_BY, Statement
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values
from hukou_opt.allocation.audit.words import REPAIR, explain_row, row_fault
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.errors import CertificateError, Fault

#: Points at which program and tables are compared, and the seed from which they are drawn.
PROBES, SEED = 2, 20240601
#: Largest difference relative to the size of the terms of a row.
EXACT = 1e-10
#: Faults of one rule that are listed one by one.
MOST_FAULTS = 3


@dataclass(frozen=True)
class Audit:
    """What has been compared.

    Parameters
    ----------
    rows, columns, levels : int
        Rows, columns and cost rows that are the same in program and tables.
    difference : float
        Largest difference, relative to the size of the terms.
    """

    rows: int
    columns: int
    levels: int
    difference: float


@dataclass(frozen=True)
class _Side:
    """Room of every row to its lower and upper bound."""

    below: Array
    above: Array

    def turned(self) -> _Side:
        """The same rows with the other sign."""
        return _Side(self.above, self.below)


def _family(name: str) -> str:
    return name.partition("[")[0]


def _apart(a: Array, b: Array, size: Array) -> Array:
    """Difference relative to size; infinite where one is a bound and the other is none."""
    real = np.isfinite(a) & np.isfinite(b)
    both_endless = np.isinf(a) & np.isinf(b) & (np.sign(a) == np.sign(b))
    out = np.where(both_endless, 0.0, np.inf)
    out[real] = np.abs(a[real] - b[real]) / size[real]
    return out


class _Comparison:
    """One program and one statement, with the positions of each other's rows and columns."""

    def __init__(self, p: Problem, program: LinearProgram, alike: Regime) -> None:
        self.program, self.p = program, p
        families = frozenset(program.column_names.families.tolist())
        self.statement = Statement(Tables(p), families, alike)
        self.columns = {
            family: each.index.positions(program.column_names, family).reshape(each.index.shape)
            for family, each in self.statement.families.items()
        }
        self.rows: dict[str, NDArray[np.int64]] = {}

    def rows_of(self, rows: Rows) -> NDArray[np.int64]:
        """Positions of a family's rows in the program, found once."""
        if rows.family not in self.rows:
            self.rows[rows.family] = rows.index.positions(self.program.row_names, rows.family)
        return self.rows[rows.family]

    def column_faults(self) -> Iterator[Fault]:
        """Columns that only one of both has, and bounds that differ."""
        program, seen = self.program, np.zeros(len(self.program.lower), dtype=bool)
        for family, each in self.statement.families.items():
            at = self.columns[family]
            there = at >= 0
            seen[at[there]] = True
            for side, mine in (("lower", program.lower), ("upper", program.upper)):
                stated = np.asarray(getattr(each, side), dtype=float)[there]
                found = mine[at[there]]
                wrong = _apart(found, stated, 1 + np.abs(stated)) > EXACT
                if not wrong.any():
                    continue
                labels = each.index.texts[there.ravel()][wrong]
                for label, a, b in zip(labels, found[wrong], stated[wrong], strict=True):
                    yield row_fault(
                        self.p,
                        BOUND_BY.get(family, family),
                        full_name(family, label),
                        f"{side} bound is {a:.10g}, by the tables {b:.10g}",
                    )
        for column in np.flatnonzero(~seen):
            name = program.column_names[column]
            yield row_fault(self.p, _family(name), name, "is a column that the tables do not know")

    def row_counts(self, found: Sequence[Rows]) -> Iterator[Fault]:
        """Rows that only one of both has."""
        seen = np.zeros(len(self.program.row_lower), dtype=bool)
        for rows in found:
            at = self.rows_of(rows)
            seen[at[at >= 0]] = True
            for row in np.flatnonzero(at < 0):
                name = rows.name(int(row))
                yield row_fault(self.p, rows.family, name, "is missing from the program")
        for row in np.flatnonzero(~seen):
            name = self.program.row_names[row]
            yield row_fault(self.p, _family(name), name, "is a row that the tables do not have")

    def draw(self, random: np.random.Generator) -> tuple[Values, Array]:
        """Values drawn for every variable, and the same as a point of the program."""
        arrays, x = {}, np.zeros(len(self.program.lower))
        for family, at in self.columns.items():
            drawn = random.uniform(0.5, 1.5, at.shape)
            arrays[family] = drawn
            x[at[at >= 0]] = drawn[at >= 0]
        return Values(arrays), x

    def differences(self, found: Sequence[Rows], x: Array) -> Array:
        """Difference of every row at a point, relative to the size of its terms."""
        program = self.program
        activity, size = program.matrix @ x, abs(program.matrix) @ np.abs(x)
        for bound in (program.row_lower, program.row_upper):
            size += np.where(np.isfinite(bound), np.abs(bound), 0.0)
        size = np.maximum(size, np.finfo(float).tiny)
        ours = _Side(activity - program.row_lower, program.row_upper - activity)
        below, above = np.full(len(size), np.nan), np.full(len(size), np.nan)
        for rows in found:
            at = self.rows_of(rows)
            there = at >= 0
            below[at[there]] = (rows.activity - rows.lower)[there]
            above[at[there]] = (rows.upper - rows.activity)[there]
        stated = _Side(below, above)

        def worst(other: _Side) -> Array:
            return np.maximum(
                _apart(ours.below, other.below, size), _apart(ours.above, other.above, size)
            )

        # A row may be written with the other sign: then its bounds have changed places.
        return np.minimum(worst(stated), worst(stated.turned()))

    def index_faults(self) -> Iterator[Fault]:
        """Indices with rows as they are needed, whose people or cells differ."""
        listed = {index.name: index for index in self.program.indices}
        for aim in self.statement.aims:
            pools = aim.pools
            family = f"{aim.name}_index"
            if pools is None or family not in aim.families():
                continue
            places = [aim.places[cell] for cell in pools.cell]
            at = self.columns[aim.term.measure][places]
            if pools.joined.any():
                at[pools.joined] = self.columns[f"{aim.name}_member"]
            own = self.columns[family]
            for number, key in enumerate(pools.keys):
                name, here = full_name(family, key), pools.pool == number
                index = listed.pop(name, None)
                if index is None:
                    yield row_fault(self.p, family, name, "is no index of the program")
                    continue
                same = (
                    index.level == aim.level
                    and index.column == own[number]
                    and np.array_equal(index.cells, at[here])
                    and np.allclose(index.weights, pools.weight[here], rtol=EXACT, atol=0)
                    and (index.aversion, index.mean, index.sign)
                    == (aim.aversion, aim.mean_weight, aim.sign)
                )
                if not same:
                    yield row_fault(
                        self.p, family, name, "compares others than the tables, or weighs"
                    )
        for name in listed:
            yield row_fault(self.p, _family(name), name, "is an index that the tables do not have")

    def level_faults(self, v: Values, x: Array) -> Iterator[Fault]:
        """Cost rows that differ."""
        stated, costs = self.statement.costs(v), self.program.costs
        for name in stated.keys() ^ costs.keys():
            side = "program" if name in costs else "tables"
            yield Fault(f"level {name!r}", f"is in the {side} only", REPAIR)
        for name in stated.keys() & costs.keys():
            cost, constant = costs[name]
            found = float((cost * x).sum()) + constant
            size = float(np.abs(cost * x).sum()) + abs(constant) + np.finfo(float).tiny
            if not abs(found - stated[name]) <= EXACT * size:
                yield Fault(
                    f"level {name!r}",
                    f"is {found:.12g} at a test point, by the tables {stated[name]:.12g}",
                    REPAIR,
                )


def audit_program(p: Problem, program: LinearProgram, *, alike: Regime = None) -> Audit:
    """Compare every row, bound, cost row and index of a program with the tables.

    Parameters
    ----------
    p : Problem
        The tables.
    program : LinearProgram
        As compiled; or with the bounds of a solve, where `alike` is given.
    alike : ndarray of bool, shape (region, year), optional
        Cells in which the solve has places shared alike.

    Returns
    -------
    Audit
        What was compared.

    Raises
    ------
    CertificateError
        Naming rule, section of the plan, region and year of everything that differs, with both
        amounts.
    """
    both = _Comparison(p, program, alike)
    faults = [*both.column_faults(), *both.index_faults()]
    random = np.random.default_rng(SEED)
    differing = np.zeros(len(program.row_lower))
    for number in range(PROBES):
        v, x = both.draw(random)
        found = both.statement.rows(v)
        if number == 0:
            faults += both.row_counts(found)
        differing = np.maximum(differing, np.nan_to_num(both.differences(found, x), nan=0.0))
        faults += both.level_faults(v, x)
    wrong = np.flatnonzero(differing > EXACT)
    families = program.row_names.families[wrong] if wrong.size else np.empty(0, dtype=np.str_)
    for family in dict.fromkeys(families.tolist()):
        rows = wrong[families == family]
        faults += [explain_row(both, int(row)) for row in rows[:MOST_FAULTS]]
        if len(rows) > MOST_FAULTS:
            more = f"differs in {len(rows) - MOST_FAULTS} more rows"
            faults.append(row_fault(p, family, family, more))
    if faults:
        raise CertificateError(_shortened(faults))
    worst = float(differing.max(initial=0.0))
    return Audit(len(program.row_lower), len(program.lower), len(program.costs), worst)


def _shortened(faults: Sequence[Fault]) -> list[Fault]:
    """The faults once each, at most a few of those with the same rule and kind."""
    kinds: dict[str, list[Fault]] = {}
    for fault in dict.fromkeys(faults):
        kinds.setdefault(fault.where.partition(",")[0], []).append(fault)
    out = []
    for kind, found in kinds.items():
        # One more than are listed: the line that counts the others.
        out += found[: MOST_FAULTS + 1]
        if len(found) > MOST_FAULTS + 1:
            out.append(Fault(kind, f"differs in {len(found) - MOST_FAULTS - 1} more", REPAIR))
    return out
