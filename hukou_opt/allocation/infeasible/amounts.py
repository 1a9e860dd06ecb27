"""What each rule of a conflict asks or allows, and by how much it would have to give way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.infeasible.conflict import RuleSet
from hukou_opt.allocation.infeasible.elastic import Elastic
from hukou_opt.allocation.infeasible.families import BOUNDS, BY_NAME, Family, first_part, place
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.rules.cells import MET

Index = NDArray[np.int64]

#: Part of the shortfall that counts as met which the demands of a conflict may leave here: a few of
#: the solver's tolerances.
HELD = 0.02


@dataclass(frozen=True)
class Amount:
    """How far one rule gives way when it alone of its conflict does, in its own unit.

    Parameters
    ----------
    rule : str
        The rule.
    demanded : bool
        Whether it is a demand, which falls short, or a limit, which is exceeded.
    cells : int
        Cells in which it gives way.
    where : str
        The cell with the largest part.
    stated : float or None
        What the rule asks or allows there; None where no single number says it.
    reached : float or None
        What it gets, or what would be needed, there.
    short_by : float
        The difference there.
    total : float
        Sum of the differences over all cells.
    asked : float or None
        What a demand asks in all cells together; None for shares and for limits.
    """

    rule: str
    demanded: bool
    cells: int
    where: str
    stated: float | None
    reached: float | None
    short_by: float
    total: float
    asked: float | None = None

    @property
    def part(self) -> float:
        """Shortfall of the largest cell over what the rule asks there, or over 1."""
        return self.short_by / self.stated if self.demanded and self.stated else self.short_by

    @property
    def unit(self) -> str:
        """Unit of all amounts; empty for shares."""
        unit = BY_NAME[self.rule].unit
        return "" if unit == "1" else unit


def amounts(elastic: Elastic, one: RuleSet) -> tuple[Amount, ...]:
    """For every rule of a conflict, the least it has to give way so that the others hold.

    Raises
    ------
    SolveError, CertificateError
        As `Elastic.minimise`.
    """
    out: list[Amount] = []
    for name in one.demands:
        out.append(shortfall(elastic, one, name))
    for name in one.limits:
        out += _limit(elastic, one, elastic.limits[name])
    return tuple(out)


def _held(elastic: Elastic, upper: Array, demands: Sequence[str]) -> Array:
    """Upper bounds with which some demands are met, within the noise that counts as met."""
    upper = upper.copy()
    for name in demands:
        columns = elastic.slacks[name]
        upper[columns] = HELD * MET * (1 + elastic.sizes[columns])
    return upper


def shortfall(elastic: Elastic, one: RuleSet, rule: str) -> Amount:
    """Least shortfall of a demanded rule while the others of a set hold.

    Parameters
    ----------
    elastic : Elastic
        The program.
    one : RuleSet
        Demands and limits; only these hold.
    rule : str
        One of the demands.

    Raises
    ------
    SolveError, CertificateError
        As `Elastic.minimise`.
    """
    program = elastic.program
    rows, upper = elastic.lifted(one.limits)
    reduced = replace(
        program,
        matrix=sp.csr_array(program.matrix[rows]),
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
        upper=_held(elastic, upper, [name for name in one.demands if name != rule]),
    )
    x = elastic.minimise(reduced, elastic.cost([rule])).x
    columns = elastic.slacks[rule]
    slack = x[columns]
    noise = MET * (1 + elastic.sizes[columns])
    worst = int(np.argmax(slack / elastic.asked[columns]))
    label = program.column_names[columns[worst]].removeprefix("slack_")
    asked = float(program.row_lower[program.row_names.index(label)])
    short = float(slack[worst])
    return Amount(
        rule,
        True,
        int((slack > noise).sum()),
        place(label, elastic.p),
        asked if asked > 0 else None,
        asked - short if asked > 0 else None,
        short,
        float(slack.sum()),
        None if BY_NAME[rule].unit == "1" else float(elastic.asked[columns].sum()),
    )


def _limit(elastic: Elastic, one: RuleSet, family: Family) -> list[Amount]:
    """Least excess of one family's rows and bounds, each rule of it with its largest cell."""
    program = elastic.program
    others = [name for name in one.limits if name != family.name]
    rows, upper = elastic.lifted(others)
    rows[family.rows] = True
    kept = np.flatnonzero(rows)
    position = {int(row): i for i, row in enumerate(kept)}
    width, height = len(upper), len(kept)
    # One column for each side of a row that may give way, and one row for each bound.
    entries: list[tuple[int, float, str, float]] = []
    for row in family.rows.tolist():
        for bound, sign in ((program.row_upper[row], -1.0), (program.row_lower[row], 1.0)):
            if np.isfinite(bound):
                entries.append((position[row], sign, program.row_names[row], float(bound)))
    tall = len(family.bounds)
    bounds = program.upper[family.bounds]
    for i, column in enumerate(family.bounds.tolist()):
        entries.append((height + i, -1.0, program.column_names[column], float(bounds[i])))
    wide = len(entries)
    more = sp.csr_array(
        (
            np.array([sign for _, sign, _, _ in entries]),
            (np.array([at for at, _, _, _ in entries]), np.arange(wide)),
        ),
        shape=(height + tall, wide),
    )
    single = sp.csr_array((np.ones(tall), (np.arange(tall), family.bounds)), shape=(tall, width))
    stacked = sp.csr_array(sp.vstack([program.matrix[kept], single], format="csr"))
    extended = replace(
        program,
        matrix=sp.csr_array(sp.hstack([stacked, more], format="csr")),
        row_lower=np.concatenate([program.row_lower[kept], np.full(tall, -np.inf)]),
        row_upper=np.concatenate([program.row_upper[kept], bounds]),
        lower=np.concatenate([program.lower, np.zeros(wide)]),
        upper=np.concatenate([_held(elastic, upper, one.demands), np.full(wide, np.inf)]),
    )
    cost = np.concatenate([np.zeros(width), np.ones(wide)])
    excess = elastic.minimise(extended, cost).x[width:]
    return [
        amount
        for rule in dict.fromkeys(_rule(name) for _, _, name, _ in entries)
        if (amount := _largest(elastic, rule, entries, excess)) is not None
    ]


def _rule(name: str) -> str:
    first = first_part(name)
    return BOUNDS.get(first, first)


def _largest(
    elastic: Elastic, rule: str, entries: list[tuple[int, float, str, float]], excess: Array
) -> Amount | None:
    program = elastic.program
    own = [i for i, (_, _, name, _) in enumerate(entries) if _rule(name) == rule]
    given = [i for i in own if excess[i] > MET * (1 + abs(entries[i][3]))]
    if not given:
        return None
    worst = max(given, key=lambda i: excess[i])
    _, sign, name, bound = entries[worst]
    by = float(excess[worst])
    # A row that only adds up says what it allows; others weigh one thing against another.
    plain = name in program.column_names
    if not plain:
        row = program.row_names.index(name)
        adds_up = bool((program.matrix[[row]].data > 0).all())
        plain = sign < 0 and adds_up and not np.isfinite(program.row_lower[row])
    return Amount(
        rule,
        False,
        len({entries[i][2] for i in given}),
        place(name, elastic.p),
        bound if plain else None,
        bound + by if plain else None,
        by,
        float(excess[given].sum()),
    )
