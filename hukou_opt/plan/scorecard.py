"""How a figure of a run is scored against a target of the plan: progress and state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from hukou_opt.plan.targets import Direction, Target

State = Literal["met", "on_track", "behind", "no_data", "not_modelled"]

STATES: tuple[State, ...] = ("met", "on_track", "behind", "no_data", "not_modelled")
#: Relative miss that is a solver's or a rounding noise and no miss.
NOISE = 1e-6
#: Distance from a share that counts as kept: half a percentage point.
SHARE_BAND = 0.005


@dataclass(frozen=True)
class Score:
    """What a run has reached of one target.

    Parameters
    ----------
    target : Target
        The target.
    value : float or None
        Figure of the run; None where the run has none or the model has none.
    judged : int or None
        Year of the figure: the target's own, or the last year of the run where that is earlier.
    base : float or None
        Baseline from which progress counts.
    base_kind : str
        ``official``, ``plan`` or ``run`` (the run's own start); empty where there is none.
    start : int
        Base year.
    """

    target: Target
    value: float | None
    judged: int | None
    base: float | None
    base_kind: str
    start: int

    @property
    def progress(self) -> float | None:
        """Part of the way from baseline to target.

        None where either is missing, where the baseline is on the target or beyond it, and where a
        share has less than `SHARE_BAND` to go: over so short a way any figure says nothing.
        """
        wanted, near = self.target.target, SHARE_BAND if self.target.form == "percent" else 0.0
        if self.value is None or self.base is None or abs(wanted - self.base) <= near:
            return None
        if reaches(self.base, wanted, self.target.direction):
            return None
        return (self.value - self.base) / (wanted - self.base)

    @property
    def state(self) -> State:
        """Met, on track, behind, no data or not modelled."""
        if not self.target.measure:
            return "not_modelled"
        if self.value is None:
            return "no_data"
        if reaches(self.value, self.target.target, self.target.direction):
            # The mean of a span that is not over, or a state before its year, may still change.
            return "on_track" if self._early and self.target.kind == "mean" else "met"
        due = self.due
        if self._early and due is not None and reaches(self.value, due, self.target.direction):
            return "on_track"
        return "behind"

    @property
    def due(self) -> float | None:
        """What the linear path from baseline to target asks for in the judged year."""
        year = self.target.year
        if self.judged is None or year is None or not self._early or self.target.kind == "mean":
            return self.target.target
        if self.base is None:
            return None
        part = (self.judged - self.start) / (year - self.start)
        return self.base + part * (self.target.target - self.base)

    @property
    def _early(self) -> bool:
        """Whether the figure is of an earlier year than the target's."""
        return (
            self.judged is not None
            and self.target.year is not None
            and self.judged < self.target.year
        )


def reaches(value: float, wanted: float, direction: Direction) -> bool:
    """Whether a figure lies on the side of the target that is asked for."""
    noise = NOISE * max(abs(wanted), NOISE)
    if direction == "equal":
        return abs(value - wanted) <= SHARE_BAND
    if direction == "at_most":
        return value <= wanted + noise
    return value >= wanted - noise


def score(
    target: Target,
    *,
    value: float | None,
    judged: int | None,
    begins: float | None,
    official: bool | None,
    start: int,
) -> Score:
    """Hold a figure of a run against a target.

    Parameters
    ----------
    target : Target
        The target.
    value : float or None
        Figure of the run; not used where the target is outside the model.
    judged : int or None
        Year of the figure.
    begins : float or None
        The run's own figure at the start, the baseline where neither plan nor statistics have one.
    official : bool or None
        Whether the run starts from official statistics, as `Target.base` reads it.
    start : int
        Base year.
    """
    base, kind = target.base(official)
    if not target.measure:
        return Score(target, None, None, base, kind, start)
    if base is None and target.kind == "total":
        base, kind = 0.0, "run"
    elif base is None and begins is not None and math.isfinite(begins):
        base, kind = begins, "run"
    if value is None or not math.isfinite(value):
        return Score(target, None, None, base, kind, start)
    return Score(target, value, judged, base, kind, start)
