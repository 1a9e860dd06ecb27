"""Every check of a validation in order, and the runs that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hukou_opt.allocation.solve import Allocation
from hukou_opt.dynamics import (
    ArrayEngine,
    PysdEngine,
    Trajectory,
    model_constants,
    no_decisions,
)
from hukou_opt.dynamics.validation import balances, numerics, structural
from hukou_opt.dynamics.validation.empty_regions import EMPTY_REGIONS
from hukou_opt.dynamics.validation.extreme import CONDITIONS, Extremes
from hukou_opt.dynamics.validation.loops import trial_decisions
from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.experiment import Experiment
from hukou_opt.parameters import Parameters
from hukou_opt.planning import validate_coupled as coupled_checks
from hukou_opt.planning import validate_history
from hukou_opt.planning.coupling import Coupled, Coupling, Round
from hukou_opt.regions.base_year import BaseYear

#: Years after the base year at which the restart check stops a run.
YEARS_TO_THE_STOP = 3
#: A year's step: what must hold exactly is checked where it is fastest.
WHOLE_YEAR = 1.0
NO_ROUNDS = "the rounds between model and linear program ended with an error"


@dataclass(frozen=True)
class Stage:
    """Some checks that are made together.

    Parameters
    ----------
    words : str
        What is done, for the progress bar.
    questions : sequence of Question
        What is asked.
    answer : callable
        Makes the checks.
    coupled : bool
        Whether it needs the rounds between model and linear program.
    slow : bool
        Whether a quick validation leaves it out.
    """

    words: str
    questions: Sequence[Question]
    answer: Callable[[], list[Finding]]
    coupled: bool = False
    slow: bool = False


@dataclass
class Case:
    """An experiment, and the runs that several checks share.

    Parameters
    ----------
    settings : Experiment
        The experiment.
    parameters : Parameters
        Its parameters.
    base : BaseYear
        State of the regions at the start.
    path : Path
        Model file.
    trust : bool
        Accept a model that does not ship with the toolkit.
    tell : callable
        Told in words what is being done.
    coupling, coupled : Coupling, Coupled or None
        The rounds, once they have been made.
    tried : bool
        Whether they have been begun.
    """

    settings: Experiment
    parameters: Parameters
    base: BaseYear
    path: Path
    trust: bool = False
    tell: Callable[[str], None] = lambda _: None
    coupling: Coupling | None = None
    coupled: Coupled | None = None
    tried: bool = False

    @property
    def years(self) -> tuple[int, ...]:
        """Years of the run, tail included."""
        return tuple(int(year) for year in self.base.data["year"].values)

    def engine(self, step: float, base: BaseYear | None = None) -> PysdEngine:
        """Engine with the experiment's constants, for another step or another base year."""
        of = self.base if base is None else base
        engine = PysdEngine(self.path, of.codes, self.years, time_step=step, trust=self.trust)
        engine.reset(model_constants(of, self.parameters, reform=self.settings.reform))
        return engine

    @cached_property
    def own_engine(self) -> PysdEngine:
        """Engine at the experiment's own step."""
        return self.engine(self.settings.time_step)

    @cached_property
    def plain(self) -> Trajectory:
        """Run in which nothing is built and all cost is paid."""
        return self.own_engine.run(no_decisions(self.base.codes, self.years))

    @cached_property
    def yearly(self) -> Trajectory:
        """The same at a step of a year."""
        engine = self.engine(WHOLE_YEAR)
        return engine.run(no_decisions(self.base.codes, self.years), numerics.READ)

    @cached_property
    def extremes(self) -> Extremes:
        """The base year on which extreme conditions are put."""
        return Extremes(self.path, self.base, self.parameters, trust=self.trust)

    @property
    def best(self) -> Round:
        """The published round."""
        if self.coupled is None:
            raise LookupError(NO_ROUNDS)
        return self.coupled.best

    @cached_property
    def untied(self) -> Allocation:
        """Answer to the published inputs, with no choice between equally good ones."""
        return _ready(self).answer(self.best.problem, "published inputs", break_ties=False)

    def rounds(self, step: float) -> tuple[Coupling, Coupled]:
        """Model and linear program, round after round until both rest."""
        coupling = Coupling(
            self.engine(step),
            self.base,
            self.parameters,
            self.settings.horizon.end,
            self.settings.allocation.rules.model_dump(),
            self.tell,
        )
        limits = self.settings.coupling
        return coupling, coupling.iterate(max_rounds=limits.max_rounds, tolerance=limits.tolerance)


def all_stages(case: Case) -> Iterator[Stage]:
    """Every check, in the order in which they are made."""
    yield from _structure(case)
    for condition in (*CONDITIONS, *EMPTY_REGIONS):
        yield Stage(
            condition.words,
            condition.questions,
            lambda condition=condition: condition.answer(case.extremes),  # type: ignore[misc]
        )
    yield from _numerics(case)
    yield from _rounds(case)
    yield from _signs(case)
    # Last, so that the published path is among the runs that are looked at.
    yield Stage("balances", balances.questions(), lambda: _balances(case))
    yield Stage("history", validate_history.QUESTIONS, validate_history.judge_history, slow=True)


def _structure(case: Case) -> Iterator[Stage]:
    path, trust = case.path, case.trust
    yield Stage("units", (structural.UNITS,), lambda: [structural.units_of(path, trust=trust)])
    yield Stage("flows", (structural.FLOWS,), lambda: [structural.flows_of(path, trust=trust)])
    yield Stage(
        "loops",
        structural.loop_questions(),
        lambda: structural.loops_of(case.base, case.parameters, path=path, trust=trust),
    )


def _numerics(case: Case) -> Iterator[Stage]:
    nothing = no_decisions(case.base.codes, case.years)
    step = case.settings.time_step

    def halved() -> list[Finding]:
        fine = case.engine(step / 2).run(nothing, numerics.READ)
        return numerics.judge_step(case.plain, fine, case.settings.horizon.end)

    def split() -> list[Finding]:
        code = numerics.largest_region(case.base)
        halves = numerics.split_region(case.base, code)
        cut = case.engine(WHOLE_YEAR, halves).run(
            no_decisions(halves.codes, case.years), numerics.READ
        )
        return [numerics.judge_split(case.yearly.data, cut.data, code)]

    def order() -> list[Finding]:
        turned = numerics.reversed_regions(case.base)
        run = case.engine(WHOLE_YEAR, turned).run(
            no_decisions(turned.codes, case.years), numerics.READ
        )
        return [numerics.judge_order(case.yearly.data, run.data)]

    def restart() -> list[Finding]:
        engine, busy = case.engine(WHOLE_YEAR), trial_decisions(case.base)
        stop = case.settings.base_year + YEARS_TO_THE_STOP
        unbroken = engine.run(busy, numerics.READ).data
        resumed = numerics.stopped_and_resumed(engine, busy, stop, numerics.READ)
        return [numerics.judge_restart(unbroken, resumed, stop)]

    def engines() -> list[Finding]:
        busy, columns = trial_decisions(case.base), numerics.READ
        reference = case.engine(WHOLE_YEAR)
        arrays = ArrayEngine(
            case.path, case.base.codes, case.years, time_step=WHOLE_YEAR, trust=case.trust
        )
        arrays.reset(reference.given)
        return [
            numerics.judge_engines(
                reference.run(busy, columns).data, arrays.run(busy, columns).data
            )
        ]

    def second() -> list[Finding]:
        constants = model_constants(case.base, case.parameters, reform=case.settings.reform)
        return [
            numerics.second_reader_of(case.path, case.own_engine, constants, nothing, case.plain)
        ]

    of_step = (numerics.NATION, numerics.REGION, numerics.SETTLERS, numerics.EARLY)
    yield Stage("half the step", of_step, halved, slow=True)
    yield Stage("a region cut in two", (numerics.SPLIT,), split)
    yield Stage("regions in another order", (numerics.ORDER,), order)
    yield Stage("stop and go on", (numerics.RESTART,), restart)
    yield Stage("two engines", (numerics.ENGINES,), engines)
    yield Stage("second reader", (numerics.SECOND,), second)


def _rounds(case: Case) -> Iterator[Stage]:
    tolerance = case.settings.coupling.tolerance
    ask = coupled_checks.at_rest_questions(tolerance)

    def rest() -> list[Finding]:
        case.tried = True
        case.coupling, case.coupled = case.rounds(case.settings.time_step)
        return coupled_checks.judge_rest(case.coupled, tolerance)

    def money() -> list[Finding]:
        best = case.best
        s = best.allocation.solution
        return [
            coupled_checks.judge_balance(best.problem, s),
            *coupled_checks.judge_outlays(best.run, best.problem, best.simulated),
            coupled_checks.judge_bill(best.run, best.simulated_problem),
            coupled_checks.judge_certified(best, tolerance),
            coupled_checks.judge_fund(best.problem, s),
        ]

    def again() -> list[Finding]:
        p, s, need = coupled_checks.once_more(_ready(case), case.best)
        return coupled_checks.judge_again(case.best, p, s, need, tolerance)

    def half() -> list[Finding]:
        _, fine = case.rounds(case.settings.time_step / 2)
        if case.coupled is None:
            raise LookupError(NO_ROUNDS)
        return coupled_checks.judge_half_step(case.coupled, fine)

    yield Stage("rounds of model and program", (ask["fund"], ask["need"]), rest, coupled=True)
    yield Stage(
        "money",
        (
            coupled_checks.BALANCE,
            coupled_checks.BUILDING,
            coupled_checks.TEMPORARY,
            coupled_checks.BONDS,
            coupled_checks.BILL,
            ask["certified_bill"],
            coupled_checks.FUND,
        ),
        money,
        coupled=True,
    )
    yield Stage(
        "certificates",
        (coupled_checks.PROOF,),
        lambda: [
            coupled_checks.judge_certificates(
                [each.allocation for each in (case.coupled.rounds if case.coupled else ())]
            )
        ],
        coupled=True,
    )
    yield Stage(
        "cycles",
        (coupled_checks.SEEN, coupled_checks.QUIET),
        lambda: coupled_checks.judge_cycles(_ready(case), case.best),
        coupled=True,
    )
    yield Stage("one more round", (ask["again_fund"], ask["again_need"]), again, coupled=True)
    yield Stage(
        "rounds at half the step",
        (coupled_checks.STEP_FUND, coupled_checks.STEP_UNFUNDED),
        half,
        coupled=True,
    )


def _signs(case: Case) -> Iterator[Stage]:
    for question, change, judge in (
        (
            coupled_checks.BILL_SIGN,
            coupled_checks.with_larger_bill,
            coupled_checks.judge_bill_sign,
        ),
        (
            coupled_checks.SEAT_SIGN,
            coupled_checks.with_more_pupils,
            coupled_checks.judge_seat_sign,
        ),
        (
            coupled_checks.CEILING_SIGN,
            coupled_checks.with_more_local_money,
            coupled_checks.judge_ceiling_sign,
        ),
    ):

        def answer(
            change: Callable[..., object] = change, judge: Callable[..., Finding] = judge
        ) -> list[Finding]:
            # No tie is broken on either side: what differs is the input alone.
            changed = change(case.best.problem)
            after = _ready(case).answer(changed, "changed input", break_ties=False)  # type: ignore[arg-type]
            return [judge(case.untied, after)]

        yield Stage(f"sign: {question.id}", (question,), answer, coupled=True)


def _ready(case: Case) -> Coupling:
    if case.coupling is None:
        raise LookupError(NO_ROUNDS)
    return case.coupling


def _balances(case: Case) -> list[Finding]:
    nothing = no_decisions(case.base.codes, case.years)
    paths = [balances.SimulatedPath("nothing built", case.plain, nothing)]
    if case.coupled is not None:
        best = case.coupled.best
        paths.append(balances.SimulatedPath("published path", best.run, best.decisions))
    return balances.balances_of(paths, class_stretch=case.parameters["class_stretch"])
