"""What is to be met: a target of the plan, or an outcome with a value of one's own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hukou_opt.errors import ExperimentError, Fault, ResultError, did_you_mean
from hukou_opt.experiment import Experiment
from hukou_opt.outcome_registry import registry
from hukou_opt.outcomes import outcome
from hukou_opt.plan.scorecard import reaches
from hukou_opt.plan.targets import Target, load_targets
from hukou_opt.planning.measure import PUBLISHED_YEARS
from hukou_opt.report.scorecard_figures import MEASURES
from hukou_opt.result import Result

#: ``hukou_rate@2033 >= 0.65``; the year may be left out, and a share may be written in percent.
EXPRESSION = re.compile(
    r"\s*(?P<name>\w+)\s*(?:@\s*(?P<year>\w+))?\s*(?P<sign>>=|<=|=|>|<)\s*(?P<value>\S+)\s*"
)
_SIGNS: dict[str, Literal["at_least", "at_most"]] = {">=": "at_least", "<=": "at_most"}
_HOW = "name a target of hukou-opt scorecard, or write an outcome, like hukou_rate@2033>=0.65"


@dataclass(frozen=True)
class Goal:
    """A figure of a run and the value that it has to reach.

    Parameters
    ----------
    name : str
        Name of the target, or the outcome with its year.
    label : str
        What the figure is, in words.
    unit : str
        Its unit; ``1`` for shares and indices.
    wanted : float
        Value to be reached, in that unit.
    direction : {"at_least", "at_most"}
        On which side of it the figure has to lie.
    year : int
        Year of the figure.
    section : str
        Section of the plan; empty for a value of one's own.
    figure : callable
        Takes the figure from a result; None where the result has none.
    """

    name: str
    label: str
    unit: str
    wanted: float
    direction: Literal["at_least", "at_most"]
    year: int
    section: str
    figure: Callable[[Result], float | None] = field(repr=False, compare=False)

    @property
    def sign(self) -> str:
        """The direction as it is written."""
        return ">=" if self.direction == "at_least" else "<="

    @property
    def text(self) -> str:
        """The goal in one line."""
        return f"{self.name} {self.sign} {self.wanted:g}"

    def value(self, result: Result) -> float:
        """The figure of a result.

        Raises
        ------
        ResultError
            If the result has none.
        """
        found = self.figure(result)
        if found is None or not math.isfinite(found):
            raise ResultError(
                Fault(f"goal {self.name}", "has no figure in this run", "choose another target")
            )
        return float(found)

    def met(self, value: float) -> bool:
        """Whether a figure reaches the goal; rounding is no miss."""
        return reaches(value, self.wanted, self.direction)

    def short(self, value: float) -> float:
        """How far a figure is from the goal; negative beyond it."""
        return self.wanted - value if self.direction == "at_least" else value - self.wanted


def goal_of(text: str, settings: Experiment) -> Goal:
    """Read a goal and check that a run of the experiment has a figure for it.

    Parameters
    ----------
    text : str
        Id of a target of the plan, id of the fact that states a single one, or an outcome with
        ``>=`` or ``<=`` and a value.
    settings : Experiment
        What is run.

    Raises
    ------
    ExperimentError
        If the goal is unknown, not modelled, no inequality, or of a year outside the run; all
        faults at once.
    """
    written = EXPRESSION.fullmatch(text)
    return _target(text.strip(), settings) if written is None else _outcome(written, settings)


def _target(name: str, settings: Experiment) -> Goal:
    targets = load_targets()
    fitting = [each for each in targets if name in (each.id, each.fact.id)]
    exact = [each for each in fitting if each.id == name]
    found = exact or fitting
    where = f"target {name!r}"
    if not found:
        known = [*(each.id for each in targets), *registry()]
        raise ExperimentError(Fault(where, "is unknown", f"{did_you_mean(name, known)} {_HOW}"))
    if len(found) > 1:
        names = ", ".join(each.id for each in found)
        raise ExperimentError(Fault(where, "is a fact with several targets", f"choose: {names}"))
    (target,) = found
    last = settings.horizon.end
    year = last if target.year is None else target.year
    faults = _year_faults(where, year, settings)
    if not target.measure:
        faults.append(
            Fault(where, f"is not modelled: {target.remark_en}", "choose one that has a figure")
        )
    if target.direction == "equal":
        faults.append(
            Fault(
                where,
                f"asks for a figure that is equal to {target.target:g}",
                "a goal has one side: write an outcome with >= or <=",
            )
        )
    if faults:
        raise ExperimentError(faults)
    return Goal(
        target.id,
        target.label_en,
        "1" if target.form == "percent" else target.fact.unit,
        target.target,
        "at_most" if target.direction == "at_most" else "at_least",
        year,
        f"plan {target.sections}",
        _measured(target, year),
    )


def _measured(target: Target, year: int) -> Callable[[Result], float | None]:
    return lambda result: MEASURES[target.measure](result, target, year).value


def _outcome(written: re.Match[str], settings: Experiment) -> Goal:
    name, sign, last = written["name"], written["sign"], settings.horizon.end
    where = f"target {written.group().strip()!r}"
    known, faults, year = registry().get(name), [], last
    if known is None:
        faults.append(
            Fault(where, f"names an unknown outcome ({name})", did_you_mean(name, list(registry())))
        )
    if sign not in _SIGNS:
        faults.append(Fault(where, f"has no side ({sign})", "write >= or <="))
    value = _number(written["value"])
    if value is None:
        faults.append(Fault(where, f"has no number ({written['value']})", "write 0.65 or 65%"))
    if written["year"] is not None and not re.fullmatch(r"\d{4}", written["year"]):
        faults.append(Fault(where, f"has no year ({written['year']})", "write @2033"))
    elif written["year"] is not None:
        year = int(written["year"])
        faults += _year_faults(where, year, settings)
    if known is not None and not faults:
        faults += _span_faults(where, known.span, year, last)
        if not settings.allocation.enabled and known.span in ("whole", "stored"):
            faults.append(
                Fault(where, "is made from the allocation, which is off", "set enabled: true")
            )
    if faults or known is None or value is None:
        raise ExperimentError(faults)
    return Goal(
        f"{name}@{year}",
        known.label_en,
        known.unit,
        value,
        _SIGNS[sign],
        year,
        "",
        lambda result: outcome(result, name, year),
    )


def _number(text: str) -> float | None:
    """A finite number; a percentage is divided by 100."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _year_faults(where: str, year: int, settings: Experiment) -> list[Fault]:
    first, last = settings.base_year + 1, settings.horizon.end
    if first <= year <= last:
        return []
    return [
        Fault(
            where,
            f"is of a year outside the run, {first} to {last} ({year})",
            "choose an earlier one, or set horizon.end in the experiment",
        )
    ]


def _span_faults(where: str, span: str, year: int, last: int) -> list[Fault]:
    """Outcomes that a result holds for some years only."""
    years = [last] if span == "whole" else [y for y in PUBLISHED_YEARS if y <= last]
    if span not in ("whole", "stored") or year in years:
        return []
    known = ", ".join(map(str, years)) or "no year of this run"
    return [Fault(where, f"has no figure in that year ({year})", f"there is one for {known}")]
