"""Bisection on runs that cost minutes each: ends first, then halves of what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hukou_opt.planning.goal_seek.run import Run


@dataclass(frozen=True)
class Found:
    """What bisection has come to.

    Parameters
    ----------
    state : {"found", "met_everywhere", "cannot"}
        The goal is met on one side and missed on the other; met at both ends; missed everywhere.
    met, missed : Run or None
        The two runs nearest to the value in search, if there are both.
    settled : bool
        Whether they are as near as was asked for.
    """

    state: Literal["found", "met_everywhere", "cannot"]
    met: Run | None
    missed: Run | None
    settled: bool


def bisect(
    run: Callable[[float], Run], low: float, high: float, *, tolerance: float, most: int
) -> Found:
    """Find where a goal begins to be met.

    The two ends are run first; the direction of the lever is whichever they show. Where both miss
    the goal the middle is run too, since a figure may rise and fall again.

    Parameters
    ----------
    run : callable
        A run with the lever at a value.
    low, high : float
        Ends of the search.
    tolerance : float
        Width at which it ends, as a share of the distance between the ends.
    most : int
        Most runs between the ends.
    """
    ends = [run(low), run(high)]
    if all(each.met for each in ends):
        return Found("met_everywhere", None, None, False)
    if not any(each.met for each in ends):
        middle = run((low + high) / 2) if most > 0 else None
        if middle is None or not middle.met:
            return Found("cannot", None, None, False)
        # Of the two halves the lower one holds the least value.
        missed, met, done = ends[0], middle, 1
    else:
        missed, met, done = (*sorted(ends, key=lambda each: each.met), 0)
    width = tolerance * (high - low)
    while abs(met.lever - missed.lever) > width and done < most:
        middle = run((met.lever + missed.lever) / 2)
        met, missed = (middle, missed) if middle.met else (met, middle)
        done += 1
    return Found("found", met, missed, abs(met.lever - missed.lever) <= width)
