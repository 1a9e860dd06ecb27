"""Whether the model's equations are of one piece: units, loops, and flows with names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hukou_opt.dynamics.structure import read_structure
from hukou_opt.dynamics.validation.loops import LoopResult, check_loops, load_loops
from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.dynamics.validation.units import UnitReport, inspect_units

if TYPE_CHECKING:
    from hukou_opt.parameters import Parameters
    from hukou_opt.regions.base_year import BaseYear

GROUP = "structure"
#: Faults that a detail names; the number of all stands in the figure.
SHOWN = 5

UNITS = Question(
    "structure.units",
    GROUP,
    "Does every equation give the unit that it declares?",
    "faults",
    0,
    "Barlas 1996: dimensional consistency test",
)
FLOWS = Question(
    "structure.flows",
    GROUP,
    "Does every stock change by named flows only?",
    "terms",
    0,
    "Barlas 1996: structure confirmation; Rahmandad and Sterman 2012",
)
_LOOPS = "Barlas 1996: structure-oriented behaviour; Sterman 2000, ch. 5: link polarity"


def loop_questions() -> list[Question]:
    """One question per named feedback loop."""
    return [
        Question(
            f"structure.loop.{loop.id}",
            GROUP,
            f"Does every link of the {loop.polarity} chain '{loop.name}' act in its direction?",
            "links off",
            0,
            _LOOPS,
        )
        for loop in load_loops()
    ]


def units_of(path: Path, *, trust: bool = False) -> Finding:
    """Dimensional analysis of every equation."""
    return judge_units(inspect_units(path, trust=trust))


def judge_units(report: UnitReport) -> Finding:
    """Finding from what the units check saw."""
    told = "; ".join(str(fault) for fault in report.faults[:SHOWN])
    seen = f"{report.equations} equations, {report.data} numbers, {report.units} unit texts read"
    return UNITS.judge(len(report.faults), f"{seen}. {told}")


def flows_of(path: Path, *, trust: bool = False) -> Finding:
    """Whether the rate of change of every stock is a signed sum of named variables."""
    stocks = [each for each in read_structure(path, trust=trust).elements if each.is_stock]
    nameless = [
        f"{stock.name} changes by {term.text}"
        for stock in stocks
        for term in stock.terms
        if not term.name
    ]
    detail = f"{len(stocks)} stocks, {sum(len(stock.terms) for stock in stocks)} terms. "
    return FLOWS.judge(len(nameless), detail + "; ".join(nameless[:SHOWN]))


def loops_of(
    base: BaseYear, parameters: Parameters, *, path: Path | None = None, trust: bool = False
) -> list[Finding]:
    """Sign of every link of every named loop, measured one at a time."""
    return judge_loops(check_loops(base, parameters, path=path, trust=trust))


def judge_loops(results: Sequence[LoopResult]) -> list[Finding]:
    """Findings from the measured loops."""
    questions = {question.id: question for question in loop_questions()}
    return [
        questions[f"structure.loop.{result.loop.id}"].judge(
            len(result.faults), "; ".join(_told(result))
        )
        for result in results
    ]


def _told(result: LoopResult) -> Iterable[str]:
    measured = [link for link in result.links if link.elasticity is not None]
    outside = sum(link.status == "outside" for link in result.links)
    yield f"{len(result.links)} links"
    if outside:
        yield f"{outside} through the linear program, tested with it"
    if measured:
        weakest = min(measured, key=lambda link: abs(link.elasticity or 0.0))
        yield (
            f"weakest {weakest.link.source} -> {weakest.link.target} "
            f"({weakest.elasticity:+.2g} in {weakest.region}, {weakest.year})"
        )
    if result.off_by_default:
        yield f"off by default ({', '.join(result.off_by_default)})"
    for fault in result.faults[:SHOWN]:
        yield str(fault)
