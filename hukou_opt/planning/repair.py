"""Run an experiment whose demanded rules cannot all hold, with the least change that lets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hukou_opt.allocation.infeasible import Change, explain
from hukou_opt.allocation.infeasible import repair as repair_problem
from hukou_opt.allocation.infeasible.levers import LEVERS, changed, levers_named, outward
from hukou_opt.allocation.infeasible.words import faults, title_en, title_zh
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.allocation.threads import DEFAULT
from hukou_opt.errors import Fault, InfeasibleError
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.experiment.schema import Title
from hukou_opt.planning.run import run
from hukou_opt.result import Result

#: The word for whichever lever needs the least.
SMALLEST = "smallest"
#: Runs that are tried: needs move from round to round, and a repair that just suffices in one
#: round is widened by what the next one asks.
MOST_RUNS = 8
#: Run from which on a repair that still falls short is widened by twice what is asked.
WIDER = 3


def repair(
    experiment: str | Path | Experiment,
    levers: str | Sequence[str] | None = None,
    *,
    progress: bool = True,
    threads: int = DEFAULT,
    time_limit: float = TIME_LIMIT,
) -> Result:
    """Run an experiment; where its demanded rules cannot all hold, run the repaired one.

    Parameters
    ----------
    experiment : str, Path or Experiment
        Shipped experiment by name, a YAML file, or an experiment already loaded.
    levers : str or sequence of str, optional
        Levers that may change (`hukou_opt.allocation.infeasible.levers.LEVERS`), several together
        by the least sum of relative changes. Where missing, whichever needs the least.
    progress : bool, optional
        Show a progress bar.
    threads : int, optional
        Threads of the linear solver.
    time_limit : float, optional
        Seconds that one solve may take.

    Returns
    -------
    Result
        Its titles say in both languages what was changed, its settings hold the new values, and its
        name ends in ``_repaired``. The experiment itself where nothing had to change.

    Raises
    ------
    ExperimentError
        If a lever is unknown, or can only be changed alone and is not.
    InfeasibleError
        If these levers cannot make the rules hold; with all that is known of conflicts and repairs.
    HukouOptError
        As `hukou_opt.run`.
    """
    settings = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    named = _names(levers)
    levers_named(named or [])
    changes: tuple[Change, ...] = ()
    for number in range(MOST_RUNS):
        try:
            return run(
                repaired(settings, changes),
                progress=progress,
                threads=threads,
                time_limit=time_limit,
                explained=False,
            )
        except InfeasibleError as error:
            if not isinstance(error.problem, Problem):
                raise
            changes = _next(error.problem, changes, named, time_limit, twice=number >= WIDER)
    raise InfeasibleError(
        Fault(
            f"experiment {settings.name}",
            f"the repair did not come to rest in {MOST_RUNS} runs: each round asks for more",
            "give a wider repair in the experiment itself",
        )
    )


def _names(levers: str | Sequence[str] | None) -> list[str] | None:
    if levers is None or levers == SMALLEST:
        return None
    return levers.split(",") if isinstance(levers, str) else list(levers)


def repaired(settings: Experiment, changes: Sequence[Change]) -> Experiment:
    """The experiment with some levers changed, and a name and titles that say so.

    Parameters
    ----------
    settings : Experiment
        The experiment.
    changes : sequence of Change
        What changes; the same experiment where empty.
    """
    if not changes:
        return settings
    values = {change.lever.name: change.after for change in changes if change.after is not None}
    parameters = {
        LEVERS[name].parameter: value for name, value in values.items() if LEVERS[name].parameter
    }
    law = {LEVERS[name].rule: "law" for name in values if LEVERS[name].rule}
    loose = not all(LEVERS[name].in_range(value) for name, value in values.items())
    rules = settings.allocation.rules.model_copy(update=law)
    return settings.model_copy(
        update={
            "name": f"{settings.name}_repaired",
            "title": Title(
                en=settings.title_en + title_en(changes), zh=settings.title_zh + title_zh(changes)
            ),
            "parameters": {**settings.parameters, **parameters},
            "allow_out_of_range": settings.allow_out_of_range or loose,
            "allocation": settings.allocation.model_copy(update={"rules": rules}),
        }
    )


def _next(
    p: Problem,
    before: tuple[Change, ...],
    named: Sequence[str] | None,
    time_limit: float,
    *,
    twice: bool,
) -> tuple[Change, ...]:
    """The repair for the needs of one round, at least as wide as the one before."""
    changes = _again(p, before, named, time_limit)
    first = _undone(p, before)
    if not changes:
        changes = repair_problem(first, named, time_limit=time_limit)
    if not changes:
        report = explain(first, time_limit=time_limit)
        words = [] if report is None else faults(report)
        asked = ", ".join(named or [SMALLEST])
        raise InfeasibleError(
            [
                Fault(
                    f"repair {asked}",
                    "no amount of it lets all demanded rules hold",
                    "take another lever, several with commas between, or --repair alone",
                ),
                *words,
            ],
            problem=p,
        )
    return _wider(before, changes, twice=twice)


def _again(
    p: Problem, before: tuple[Change, ...], named: Sequence[str] | None, time_limit: float
) -> tuple[Change, ...]:
    """The same levers for another round, so that a repair does not jump; none if they fail."""
    # Years stay where they are: they cannot be found together with the other levers.
    years = tuple(change for change in before if change.lever.whole)
    others = tuple(change for change in before if not change.lever.whole)
    if named is not None or not others:
        return ()
    levers = [change.lever.name for change in others]
    found = repair_problem(_undone(p, others), levers, time_limit=time_limit)
    return (*years, *found) if found else ()


def _undone(p: Problem, changes: Sequence[Change]) -> Problem:
    """The problem with the levers of a repair back at the experiment's values."""
    parameters = {each.lever.name: each.before for each in changes if each.lever.parameter}
    hard = {each.lever.rule: "hard" for each in changes if each.lever.rule}
    undone = changed(p, parameters)
    return replace(undone, modes={**undone.modes, **hard})


def _wider(before: Sequence[Change], now: Sequence[Change], *, twice: bool) -> tuple[Change, ...]:
    """Of two repairs the wider one, lever by lever."""
    old = {change.lever.name: change for change in before}
    both = [_of_two(old.pop(each.lever.name, each), each, twice=twice) for each in now]
    return (*both, *old.values())


def _of_two(last: Change, now: Change, *, twice: bool) -> Change:
    """The wider of two changes of one lever; where the needs do not rest, wider than both."""
    lever = now.lever
    if lever.rule or last.after is None or now.after is None or last is now:
        return now
    after = max(last.after, now.after) if lever.up else min(last.after, now.after)
    if twice and not lever.whole:
        after = outward(lever, max(after + (after - last.after), 0.0))
    size = last.size * abs(after - now.before) / abs(last.after - now.before)
    return replace(now, after=after, size=size)
