"""Whether a level was met by making people worse off: how much better all could be without it.

An inequality can fall because the best-off lose. The check asks, for each level that such a loss
could satisfy, how much better the quantity could be on the mean without it, with everybody at least
as well off as in the answer and all other levels kept. Where the mean could be better, the
difference is what equality has cost some and given nobody.

Not kept are later levels that such a loss could satisfy too, which would hide it, and the cost:
what the best-off lose often shows as money saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.levels import RELATIVE_HOLD, Held, LevelSolver
from hukou_opt.allocation.objectives import INDICES, MEASURES, TIE_BREAKS
from hukou_opt.allocation.objectives.measure import Label
from hukou_opt.allocation.objectives.terms import cell_names, cell_shares
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute_terms import cell_values
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import LevelSpec, Term

#: A better mean counts from this share of the mean on: ten times the room that every held level
#: leaves to the levels after it.
NOTABLE = 10 * RELATIVE_HOLD
#: Room that the solver has around what people have now, relative to 1 and to their value.
ROOM = 1e-7


@dataclass(frozen=True)
class LevelledDown:
    """What a level has cost everybody.

    Parameters
    ----------
    measure : str
        The quantity.
    mean : float
        Its weighted mean in the answer.
    reachable : float
        Mean that could be had without the level, with nobody worse off and other levels kept.
    """

    measure: str
    mean: float
    reachable: float


def can_level_down(level: LevelSpec) -> bool:
    """Whether making people worse off can satisfy a level."""
    return any(not INDICES[term.index].monotone for term in level.terms)


def levelled_down(
    run: LevelSolver, p: Problem, level: LevelSpec, s: Solution, x: Array
) -> LevelledDown | None:
    """Check one level after the last solve.

    Parameters
    ----------
    run : LevelSolver
        The solve with all levels held; it comes back without `level` and those it does not keep,
        so that levels are checked from the last to the first.
    p : Problem
        Inputs.
    level : LevelSpec
        The level.
    s : Solution
        The answer.
    x : ndarray, shape (column,)
        Its point of the program.

    Returns
    -------
    LevelledDown or None
        None when nobody could be better off without somebody being worse off.
    """
    bounds = run.session.lower.copy(), run.session.upper.copy()
    names = [each.name for each in p.aims.levels]
    later = p.aims.levels[names.index(level.name) :]
    dropped = {each.name for each in later if can_level_down(each)} | {"cost", *TIE_BREAKS}
    kept = [held for held in run.held if held.stage not in dropped]
    worst: LevelledDown | None = None
    for term in level.terms:
        if INDICES[term.index].monotone:
            continue
        values = cell_values(p, s, term.measure)
        found = _check(run, p, level.name, term, values, bounds, kept, x)
        if found is not None:
            worst = found
    run.go_back(kept, bounds, x)
    return worst


def _check(
    run: LevelSolver,
    p: Problem,
    name: str,
    term: Term,
    values: Mapping[Label, float],
    bounds: tuple[Array, Array],
    kept: Sequence[Held],
    x: Array,
) -> LevelledDown | None:
    shares, sign = cell_shares(p, term), MEASURES[term.measure].sign
    columns = run.program.columns()
    places = np.array([columns[column] for column in cell_names(term, shares)])
    now = np.array([values[label] for label in shares])
    weights = np.array(list(shares.values()))
    lower, upper = bounds[0].copy(), bounds[1].copy()
    room = ROOM * (1 + np.abs(now))
    if sign > 0:
        upper[places] = now + room
    else:
        lower[places] = np.maximum(lower[places], now - room)
    run.go_back(kept, (lower, upper), x)
    cost = np.zeros(len(lower))
    cost[places] = sign * weights
    best = sign * run.minimise(f"{name}: nobody worse off", cost, note=False).value
    mean = float(weights @ now)
    better = sign * (mean - best)
    if better <= NOTABLE * max(abs(mean), ROOM):
        return None
    return LevelledDown(term.measure, mean, float(best))
