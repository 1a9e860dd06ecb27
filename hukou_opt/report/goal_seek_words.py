"""What a search for a lever's least value has found, in sentences."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hukou_opt.report.table import MISSING

if TYPE_CHECKING:
    from hukou_opt.planning.goal_seek import GoalSeek, Run

#: A lever that moves the outcome by less than this share of the goal, end to end, moves nothing.
FLAT = 1e-5
#: Share of the fund from which on it counts as unused.
UNUSED = 1e-3
#: A step against the lever's direction by less than this share of the outcome is rounding.
NOISE = 1e-6
#: Rules that are named in the reason; the table has all.
NAMED = 5


def figure(value: float, unit: str) -> str:
    """A figure as it is printed: shares in percent, amounts with thousands."""
    if unit == "1":
        return f"{100 * value:.3f} %"
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def amount(value: float, unit: str) -> str:
    """A value of a lever: as it is written in an experiment."""
    return f"{value:.2f}" if unit == "year" else f"{value:,.10g}"


def difference(value: float, unit: str) -> str:
    """A difference of two figures: those of shares in percentage points."""
    return (
        f"{100 * value:.3f} percentage points" if unit == "1" else f"{figure(value, unit)} {unit}"
    )


def share(value: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return MISSING if value is None else f"{value:.2%}"


def answer(seek: GoalSeek) -> list[str]:
    """The answer, what it rests on, and what speaks against it."""
    goal, lever = seek.goal, seek.lever
    about = f"{goal.label}, {goal.year}" + (f", {goal.section}" if goal.section else "")
    wanted = f"{goal.sign} {figure(goal.wanted, goal.unit)}"
    lines = [f"{seek.experiment}: {goal.name} {wanted} ({about}) by {lever.name}."]
    if seek.met is not None and seek.missed is not None:
        least = "least" if seek.met.lever > seek.missed.lever else "largest"
        lines.append(
            f"Found: met with {_at(seek, seek.met)}, missed with {_at(seek, seek.missed)}. "
            f"The {least} {lever.name} lies between the two; the experiment has "
            f"{_lever(seek, lever.value)}."
        )
        if not seek.settled:
            lines.append(
                f"The runs allowed were used up before the two were within "
                f"{seek.tolerance:g} of the distance between the ends."
            )
    elif seek.state == "met_everywhere":
        low, high = seek.runs[:2]
        lines.append(
            f"Met already at {_at(seek, low)}, and at {_at(seek, high)}: the two ends bracket "
            "nothing."
        )
    else:
        best = seek.best
        assert best.outcome is not None
        short = difference(goal.short(best.outcome), goal.unit)
        lines.append(
            f"Cannot be met between {_lever(seek, seek.low)} and {_lever(seek, seek.high)}: the "
            f"best is {_at(seek, best)}, short by {short}."
        )
    return [*lines, *_doubts(seek)]


def _doubts(seek: GoalSeek) -> list[str]:
    lines = []
    shown = [seek.best] if seek.met is None or seek.missed is None else [seek.met, seek.missed]
    restless = [each for each in shown if not each.at_rest]
    if restless:
        where = " and ".join(_lever(seek, each.lever) for each in restless)
        lines.append(
            f"The answer rests on a run that did not come to rest ({where}): model and allocation "
            "had not agreed when the rounds ended."
        )
    others = [each for each in seek.runs if not each.at_rest and each not in shown]
    if others:
        where = ", ".join(_lever(seek, each.lever) for each in others)
        lines.append(f"Other runs that did not come to rest: {where}.")
    failed = [each for each in seek.runs if each.outcome is None]
    if failed:
        where = ", ".join(_lever(seek, each.lever) for each in failed)
        lines.append(
            f"The demanded rules cannot hold at {where}; such a run counts as missed. "
            f"{failed[0].reason}"
        )
    lines += [
        f"Against the direction of the lever: from {_at(seek, a)} to {_at(seek, b)}; the goal may "
        "be met elsewhere, too."
        for a, b in _against(seek)
    ]
    return lines


def _against(seek: GoalSeek) -> list[tuple[Run, Run]]:
    """Neighbouring runs whose outcome moves against the direction that the outer two show."""
    known = _known(seek)
    values = [each.outcome or 0.0 for each in known]
    if len(known) < 3:
        return []
    way = 1 if values[-1] >= values[0] else -1
    size = max(map(abs, values))
    return [
        (a, b)
        for a, b in pairwise(known)
        if way * ((b.outcome or 0.0) - (a.outcome or 0.0)) < -NOISE * size
    ]


def reasons(seek: GoalSeek) -> list[str]:
    """Why a goal cannot be met, as far as the runs show it; nothing where it can."""
    if seek.state != "cannot":
        return []
    goal, known = seek.goal, _known(seek)
    first, last = known[0], known[-1]
    assert first.outcome is not None
    assert last.outcome is not None
    moved = last.outcome - first.outcome
    lines = []
    if len(known) == 1:
        lines.append("Why: the other end has no answer, so that nothing tells of a reaction.")
    elif abs(moved) <= FLAT * max(abs(goal.wanted), abs(last.outcome)):
        lines.append(
            f"Why: the outcome does not react to {seek.lever.name}: from end to end it moves by "
            f"{difference(moved, goal.unit)}."
        )
    else:
        lines.append(
            f"Why: from {_lever(seek, first.lever)} to {_lever(seek, last.lever)} the outcome "
            f"moves by {difference(moved, goal.unit)}{_halves(seek, known)}."
        )
    best = seek.best
    if best.unused is not None and best.unused > UNUSED:
        lines.append(
            f"There, {share(best.unused)} of the central fund stay unused: more of it has no use."
        )
    elif best.unused is not None:
        lines.append("There, the whole central fund is used.")
    if best.unfunded is not None:
        lines.append(f"There, {share(best.unfunded)} of the certified cost have no money.")
    if best.rules:
        names = ", ".join(f"{rule.rule} {share(rule.share)}" for rule in best.rules[:NAMED])
        lines.append(f"Rules that bind most there, by share of their cells: {names}.")
    return lines


def _halves(seek: GoalSeek, known: list[Run]) -> str:
    """How much of the move is made in each part between neighbouring runs."""
    if len(known) < 3:
        return ""
    parts = [
        f"{difference((b.outcome or 0.0) - (a.outcome or 0.0), seek.goal.unit)} up to "
        f"{_lever(seek, b.lever)}"
        for a, b in pairwise(known)
    ]
    return f" ({', '.join(parts)})"


def _known(seek: GoalSeek) -> list[Run]:
    known = [each for each in seek.runs if each.outcome is not None]
    return sorted(known, key=lambda each: each.lever)


def _lever(seek: GoalSeek, value: float) -> str:
    unit = seek.lever.unit
    return amount(value, unit) + ("" if unit in ("1", "year") else f" {unit}")


def _at(seek: GoalSeek, run: Run) -> str:
    if run.outcome is None:
        return f"{_lever(seek, run.lever)} (no answer)"
    return f"{_lever(seek, run.lever)} ({figure(run.outcome, seek.goal.unit)})"
