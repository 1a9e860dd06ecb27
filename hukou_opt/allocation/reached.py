"""What the levels have come to, and whether tables and linear program agree on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from hukou_opt.allocation.goals import Goal, Leximin
from hukou_opt.allocation.levelling_down import LevelledDown, can_level_down
from hukou_opt.allocation.levels import ABSOLUTE_HOLD
from hukou_opt.allocation.limits import LimitRows
from hukou_opt.allocation.objectives import INDICES, MEASURES
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute_terms import sorted_losses, worst_pool
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import LevelSpec
from hukou_opt.errors import CertificateError, Fault

#: How exactly a level that is a plain sum is known.
EXACT = "exact"
#: An index that falls when need is overstated may differ from the tables by this share, or this
#: amount: what the levels that hold the need leave open.
OVERSTATED, OVERSTATED_LEAST = 0.01, 1e-4


@dataclass(frozen=True)
class Level:
    """What one level, or limit, reached.

    All values are in the sense of the quantity: beds of the worst-off are positive, and more is
    better.

    Parameters
    ----------
    name, meaning : str
        The level and what it makes small, or large.
    sense : {"small", "large", "at most"}
        Which way is better; a limit only must not be exceeded.
    value : float
        Optimum in the linear program; the limit itself for a limit.
    held_at : float
        Value within which later levels keep it.
    final : float
        Value at the end, after all later levels.
    recomputed : float
        Final value recomputed from capacity, need and money without the linear program.
    given_up : float
        What later levels have given up of the optimum, 0 or more but for the solver's tolerance.
    exact : str
        How exactly the linear program has it.
    sorted : tuple of float
        Final values of all cells, the worst first, where the level is leximin.
    levelled_down : LevelledDown or None
        How much better all could be without the level, where it has made people worse off.
    """

    name: str
    meaning: str
    sense: str
    value: float
    held_at: float
    final: float
    recomputed: float
    given_up: float
    exact: str
    sorted: tuple[float, ...] = ()
    levelled_down: LevelledDown | None = None


@dataclass(frozen=True)
class Reached:
    """A level that has been minimised: its optimum as a loss, and what it is held at."""

    name: str
    meaning: str
    goal: Goal
    level: LevelSpec | None
    value: float
    held_at: float

    @property
    def key(self) -> str:
        """Name of the level whose value this is; the guard has another's."""
        return self.name if self.level is None else self.level.name

    def hold(self, stage: str) -> None:
        """Keep the level from now on."""
        self.goal.hold(stage, self.held_at)


def _sign(level: LevelSpec | None) -> float:
    """-1 where the level is the value of a quantity of which more is better, else 1."""
    if level is None or len(level.terms) != 1:
        return 1.0
    term = level.terms[0]
    return 1.0 if INDICES[term.index].spread else MEASURES[term.measure].sign


def _exact(level: LevelSpec | None) -> str:
    texts = dict.fromkeys(INDICES[term.index].exact for term in level.terms) if level else {}
    return "; ".join(texts) or EXACT


def level_record(
    p: Problem, s: Solution, reached: Reached, exact: Mapping[str, float], x: Array
) -> Level:
    """Record of one level at the last point.

    Parameters
    ----------
    p : Problem
        Inputs.
    s : Solution
        The answer.
    reached : Reached
        The level.
    exact : mapping of str to float
        Value of each level recomputed from the tables.
    x : ndarray, shape (column,)
        The last point of the program.
    """
    sign, final = _sign(reached.level), reached.goal.value(x)
    losses: tuple[float, ...] = ()
    if isinstance(reached.goal, Leximin) and reached.level is not None:
        losses = sorted_losses(p, s, reached.level.terms[0])
    return Level(
        reached.name,
        reached.meaning,
        "large" if sign < 0 else "small",
        sign * reached.value,
        sign * reached.held_at,
        sign * final,
        sign * exact[reached.key],
        final - reached.value,
        _exact(reached.level),
        tuple(sign * loss for loss in losses),
    )


def limit_record(p: Problem, s: Solution, limit: LimitRows, x: Array) -> Level:
    """Record of one limit at the last point: its worst pool."""
    at_most, term = limit.limit.at_most, limit.limit.term
    return Level(
        limit.name,
        f"limit: {limit.words}",
        "at most",
        at_most,
        at_most + ABSOLUTE_HOLD,
        limit.value(x),
        worst_pool(p, s, term),
        0.0,
        INDICES[term.index].exact,
    )


def agree(reached: Sequence[Reached], exact: Mapping[str, float], x: Array) -> None:
    """Compare the levels with those recomputed from the tables.

    Parameters
    ----------
    reached : sequence of Reached
        The levels, in order.
    exact : mapping of str to float
        Value of each level recomputed from the tables.
    x : ndarray, shape (column,)
        The last point of the program.

    Raises
    ------
    CertificateError
        If a level of the program is not what the tables say.
    """
    compared = [
        Compared(
            each.name,
            each.value,
            each.goal.value(x),
            exact[each.key],
            each.goal.noise(x),
            each.level is not None and can_overstate(each.level),
        )
        for each in reached
    ]
    faults = disagreements(compared)
    if faults:
        raise CertificateError(faults)


def can_overstate(level: LevelSpec) -> bool:
    """Whether a level can fall because the program overstates need, which it may do freely."""
    return can_level_down(level) and any(term.measure == "unmet_rate" for term in level.terms)


@dataclass(frozen=True)
class Compared:
    """One level as a loss: optimum, value at the last point, and value of the tables."""

    name: str
    value: float
    final: float
    true: float
    noise: float = 2 * ABSOLUTE_HOLD
    can_overstate: bool = False


def disagreements(levels: Sequence[Compared]) -> list[Fault]:
    """Levels whose recomputed value is not what the program says.

    A recomputed level may lie below the program's, which can leave slack in a held level, but never
    above it, and never below the level's own optimum.
    """
    overstated = [
        Fault(
            f"objective {each.name!r}",
            f"counts need as unmet that is met: {each.true:.6g} in truth, {each.final:.6g} with "
            "the overstated need",
            "nothing holds the unmet need: put a level before it that does, such as the "
            "averse_mean of the same measure, services and years, without a guard that leaves room",
        )
        for each in levels
        if each.can_overstate and each.true > each.final + each.noise + _room(each)
    ]
    if overstated:
        return overstated
    # Where a level may overstate need a little, those after it inherit that.
    inherited = fsum(_room(each) for each in levels if each.can_overstate)
    return [
        Fault(
            f"level {each.name!r}",
            f"recomputed {each.true:.9g}, linear program {each.final:.9g}, its optimum "
            f"{each.value:.9g}",
            "rows and tables disagree: report this as a bug",
        )
        for each in levels
        if not each.can_overstate
        and not each.value - each.noise - inherited <= each.true <= each.final + each.noise
    ]


def _room(level: Compared) -> float:
    return max(OVERSTATED_LEAST, OVERSTATED * abs(level.true))
