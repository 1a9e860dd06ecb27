"""The search for the least value of a lever: coupled runs, kept on disk as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.allocation.threads import DEFAULT, solver_threads
from hukou_opt.errors import ExperimentError, Fault, InfeasibleError
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.parameters import load_parameters
from hukou_opt.parameters.registry import Parameter
from hukou_opt.planning.goal_seek.goal import Goal, goal_of
from hukou_opt.planning.goal_seek.lever import POLICY, lever_faults
from hukou_opt.planning.goal_seek.plans import Plans
from hukou_opt.planning.goal_seek.run import Run
from hukou_opt.planning.goal_seek.runs import Search
from hukou_opt.planning.goal_seek.search import Found, bisect
from hukou_opt.planning.run import progress_bar
from hukou_opt.report.publish import check_writable

LEVER = "central_fund_total"
#: Share of the distance between the ends at which a search ends, and most runs between them.
TOLERANCE, ROUNDS = 0.005, 12
#: Name that stands for the shipped set of other levers.
POLICY_WORD = "policy"


@dataclass(frozen=True)
class GoalSeek:
    """Answer of a search, with every run that it rests on.

    Parameters
    ----------
    experiment, title : str
        Name and title of the experiment.
    goal : Goal
        What is to be met.
    lever : Parameter
        What is varied, with the experiment's value.
    low, high : float
        Ends of the search, in the lever's unit.
    tolerance : float
        Share of their distance at which the search ends.
    runs : tuple of Run
        Every run of the lever alone, in the order in which they were made.
    state : {"found", "met_everywhere", "cannot"}
        Found; met at both ends, so that nothing is bracketed; missed in every run.
    met, missed : Run or None
        The runs on both sides of the value in search.
    settled : bool
        Whether they are as near as was asked for.
    others : tuple of Run
        Runs with another lever at an end of its range, where the goal cannot be met.
    start : dict of str to float
        The experiment's own values of these levers.
    """

    experiment: str
    title: str
    goal: Goal
    lever: Parameter
    low: float
    high: float
    tolerance: float
    runs: tuple[Run, ...]
    state: Literal["found", "met_everywhere", "cannot"]
    met: Run | None
    missed: Run | None
    settled: bool
    others: tuple[Run, ...] = ()
    start: Mapping[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """Least value with which the goal was met; the largest one where less is better."""
        return None if self.met is None else self.met.lever

    @property
    def best(self) -> Run:
        """The run of the lever alone whose outcome is nearest to the goal, or furthest beyond."""
        known = [each for each in self.runs if each.outcome is not None]
        return min(known, key=lambda each: self.goal.short(_outcome(each)))

    @property
    def flat(self) -> bool:
        """Whether the outcome is the same in all runs, to the last digit."""
        return None not in (found := {run.outcome for run in self.runs}) and len(found) == 1

    def words(self, width: int = 100) -> str:
        """The answer and its runs as text."""
        from hukou_opt.report.goal_seek_table import report

        return report(self, width)

    def __str__(self) -> str:
        return self.words()


def _outcome(run: Run) -> float:
    assert run.outcome is not None
    return run.outcome


def goal_seek(
    experiment: str | Path | Experiment,
    target: str,
    *,
    lever: str = LEVER,
    between: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
    others: Sequence[str] = (),
    out: str | Path | None = None,
    progress: bool = True,
    threads: int = DEFAULT,
    time_limit: float = TIME_LIMIT,
) -> GoalSeek:
    """Find the least value of a lever with which a target is met, by bisection on coupled runs.

    Parameters
    ----------
    experiment : str, Path or Experiment
        Shipped experiment by name, a YAML file, or an experiment already loaded. Its comparators
        are left out.
    target : str
        Id of a target of the plan (``hukou_rate_2033``), or an outcome with its year and the value
        that is wanted (``hukou_rate@2033>=0.65``).
    lever : str, optional
        Any parameter of the registry; less of it may be better, which the two ends show.
    between : tuple of float, optional
        Ends of the search; the range of the registry if not given.
    tolerance : float, optional
        Share of the distance between the ends at which the search ends.
    rounds : int, optional
        Most runs between the ends.
    others : sequence of str, optional
        Where the target cannot be met: other levers that are tried at the ends of their ranges, one
        at a time. ``policy`` stands for the plan's own ones.
    out : str or Path, optional
        Folder in which every finished run is kept; a call with the same settings goes on there.
    progress : bool, optional
        Show a progress bar.
    threads : int, optional
        Threads of the linear solver.
    time_limit : float, optional
        Seconds that one solve of the linear program may take.

    Returns
    -------
    GoalSeek
        The answer; "cannot be met" is one.

    Raises
    ------
    ExperimentError
        If experiment, target, lever or ends cannot be used, all faults at once, or if the lever
        moves nothing.
    HukouOptError
        As `hukou_opt.planning.run` raises, but for rules that cannot hold: such a run misses.
    """
    settings = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    other = _names(others)
    goal = _checked(settings, target, lever, between, tolerance, rounds, other)
    row = load_parameters().rows[lever]
    low, high = between or (row.low, row.high)
    folder = None if out is None else Path(out)
    if folder is not None:
        check_writable(folder)
    with ExitStack() as stack:
        stack.enter_context(solver_threads(threads))
        step = stack.enter_context(progress_bar(progress))
        plans = Plans(settings, step, time_limit)
        row = replace(row, value=plans.value(lever))
        plans.check(lever, low, high)
        search = Search(plans, goal, lever, folder, step)
        found = bisect(search, low, high, tolerance=tolerance, most=rounds)
        seek = _answer(settings, goal, row, low, high, tolerance, search, found)
        if found.state == "cannot" and other:
            _try_others(search, seek.best.lever, other)
        start = {name: plans.value(name) for name in other}
        return replace(seek, others=tuple(search.others), start=start)


def _names(others: Sequence[str]) -> tuple[str, ...]:
    """The levers to try, each once, with the shipped set in the place of its name."""
    each = [name for word in others for name in (POLICY if word == POLICY_WORD else (word,))]
    return tuple(dict.fromkeys(each))


def _checked(
    settings: Experiment,
    target: str,
    lever: str,
    between: tuple[float, float] | None,
    tolerance: float,
    rounds: int,
    others: Sequence[str],
) -> Goal:
    """The goal, once everything that was asked for can be used; all faults at once."""
    faults: list[Fault] = []
    goal: Goal | None = None
    try:
        goal = goal_of(target, settings)
    except ExperimentError as error:
        faults += error.faults
    if settings.rolling is not None:
        what = "is no part of a search, whose runs are planned once and carried out as planned"
        faults.append(Fault("rolling", what, "leave it out of the experiment"))
    faults += lever_faults(settings, lever, between)
    if not 0 < tolerance < 1:
        faults.append(Fault("--tolerance", f"is no share ({tolerance:g})", "give 0.005, say"))
    if rounds < 0:
        faults.append(Fault("--rounds", f"is below 0 ({rounds})", "give a number of runs"))
    for name in others:
        # The plan's own set serves every experiment: what is off there is passed over.
        found = lever_faults(settings, name, None)
        faults += [] if name in POLICY else found
        if name == lever:
            faults.append(Fault(f"lever {name!r}", "is the lever itself", "leave it out"))
    if faults or goal is None:
        raise ExperimentError(dict.fromkeys(faults))
    return goal


def _answer(
    settings: Experiment,
    goal: Goal,
    lever: Parameter,
    low: float,
    high: float,
    tolerance: float,
    search: Search,
    found: Found,
) -> GoalSeek:
    if all(each.outcome is None for each in search.runs):
        reasons = dict.fromkeys(each.reason for each in search.runs)
        raise InfeasibleError(
            Fault(
                f"lever {lever.name!r}",
                f"no value tried lets the demanded rules hold: {'; '.join(reasons)}",
                "make a rule soft, or try hukou-opt run --repair",
            )
        )
    return GoalSeek(
        settings.name,
        settings.title_en,
        goal,
        lever,
        low,
        high,
        tolerance,
        tuple(search.runs),
        found.state,
        found.met,
        found.missed,
        found.settled,
    )


def _try_others(search: Search, best: float, others: Sequence[str]) -> None:
    """One run for each end of another lever's range that the experiment does not stand on."""
    rows = load_parameters().rows
    for name in others:
        if lever_faults(search.plans.settings, name, None):
            continue
        for end in (rows[name].low, rows[name].high):
            if end != search.plans.value(name):
                search.run(best, {name: end})
