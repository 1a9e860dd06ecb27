"""Whether anything is lost or made: every invariant of a run as a finding with its figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from hukou_opt.dynamics.checks import (
    BALANCE_TOLERANCE,
    ROUNDING,
    Residual,
    _balances,
    _bounds,
    _buildings,
    _rates,
)
from hukou_opt.dynamics.engine import Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.validation.report import Finding, Question

GROUP = "balances"
_REFERENCE = "Sterman 2000, ch. 21: conservation; Barlas 1996: direct structure test"


def _question(name: str, words: str, unit: str, allowed: float) -> Question:
    return Question(f"balance.{name}", GROUP, words, unit, allowed, _REFERENCE)


#: Invariants of `hukou_opt.dynamics.checks` by the words with which their names begin or end.
QUESTIONS: dict[str, Question] = {
    "people:": _question(
        "people", "Are people conserved?", "share of residents", BALANCE_TOLERANCE
    ),
    "hukou:": _question(
        "hukou", "Are rural-hukou holders conserved?", "share of holders", BALANCE_TOLERANCE
    ),
    "settlers:": _question(
        "settlers",
        "Do as many settlers arrive as leave?",
        "share of settlers",
        BALANCE_TOLERANCE,
    ),
    "children:": _question(
        "children",
        "Are school-age children conserved?",
        "share of children",
        BALANCE_TOLERANCE,
    ),
    "land:": _question("land", "Is farmland conserved?", "share of land", BALANCE_TOLERANCE),
    "debt:": _question(
        "debt", "Is debt what was borrowed and not repaid?", "share of borrowing", BALANCE_TOLERANCE
    ),
    "migration:": _question(
        "destinations", "Do shares of destinations sum to one?", "1", BALANCE_TOLERANCE
    ),
    "building:": _question(
        "building",
        "Are seats and beds begun completed or under way?",
        "share of starts",
        BALANCE_TOLERANCE,
    ),
    "schools:": _question(
        "places",
        "Do children placed fit into the places, and places into the seats?",
        "share of places",
        ROUNDING,
    ),
    "the hukou rate": _question(
        "hukou_rate", "Does the hukou rate stay below the urban share?", "1", ROUNDING
    ),
    "is not negative": _question(
        "not_negative", "Do all stocks stay at or above zero?", "stock's unit", ROUNDING
    ),
    "lies between 0 and 1": _question(
        "shares", "Do all shares stay between 0 and 1?", "1", ROUNDING
    ),
    "step times": _question(
        "rates", "Does no step take more out of a stock than it holds?", "share of a stock", 1.0
    ),
}


def questions() -> list[Question]:
    """One question per kind of invariant."""
    return list(QUESTIONS.values())


@dataclass(frozen=True)
class SimulatedPath:
    """A run, its decisions, and which one it is in words."""

    words: str
    trajectory: Trajectory
    decisions: Decisions


def balances_of(paths: Sequence[SimulatedPath], *, class_stretch: float) -> list[Finding]:
    """Worst residual of every invariant over some runs; a breach is a failure, no exception.

    Parameters
    ----------
    paths : sequence of SimulatedPath
        Runs with all of the toolkit's variables.
    class_stretch : float
        Places that classes can hold beyond their seats, share of seats.
    """
    worst: dict[str, tuple[float, str]] = {}
    questions = dict(QUESTIONS)
    for path in paths:
        for name, residual, allowed in _residuals(path, class_stretch):
            figure, place = _largest(name, residual)
            key = next(
                (key for key in QUESTIONS if name.startswith(key) or name.endswith(key)), name
            )
            # An invariant that has no words here yet must not go unseen.
            number = len(questions) - len(QUESTIONS) + 1
            questions.setdefault(key, _question(f"other_{number}", f"Holds: {name}?", "1", allowed))
            if key not in worst or _rank(figure) > _rank(worst[key][0]):
                worst[key] = (figure, f"{path.words}; largest: {place}")
    return [questions[key].judge(figure, place) for key, (figure, place) in worst.items()]


def _residuals(path: SimulatedPath, class_stretch: float) -> Iterator[Residual]:
    run = path.trajectory.data
    groups: tuple[Iterable[Residual], ...] = (
        _balances(run),
        _buildings(run, path.decisions),
        _bounds(run, class_stretch),
        _rates(run, path.trajectory.time_step),
    )
    for group in groups:
        yield from group


def _largest(name: str, array: xr.DataArray) -> tuple[float, str]:
    values = np.asarray(array.values, dtype=float)
    ranked = np.where(np.isnan(values), np.inf, values)
    position = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
    where = ", ".join(
        f"{dim} {array.coords[dim].values[index]}"
        for dim, index in zip(array.dims, position, strict=True)
    )
    return float(values[position]), f"{name} ({where or 'all regions and years'})"


def _rank(figure: float) -> float:
    # What is no number is the worst of all.
    return np.inf if np.isnan(figure) else figure
