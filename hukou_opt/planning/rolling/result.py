"""A run whose shares are set anew every few years, from the experiment to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hukou_opt.allocation.recompute import recompute, standard_levels
from hukou_opt.allocation.solve import Allocation
from hukou_opt.dynamics import ArrayEngine, PysdEngine, check_trajectory, model_constants
from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment import Experiment
from hukou_opt.parameters import Parameters
from hukou_opt.planning.aims import aims_of
from hukou_opt.planning.assemble import allocated
from hukou_opt.planning.cases import plan_case, without_plan
from hukou_opt.planning.coupling import Coupled, Coupling, Round, level_values
from hukou_opt.planning.engines import replayed
from hukou_opt.planning.inputs import Inputs
from hukou_opt.planning.proofs import replayed_exactly
from hukou_opt.planning.rolling.horizon import Rolled, RollingHorizon
from hukou_opt.result import Result

#: Groups of a result that hold one program and its answer: a rolling plan has several.
OF_ONE_PROGRAM = ("problem", "answer", "slack")


def check_rolling(settings: Experiment, parameters: Parameters) -> None:
    """Refuse what a rolling horizon cannot do, before anything runs.

    Raises
    ------
    ExperimentError
        All faults at once.
    """
    if settings.rolling is None:
        return
    faults = []
    if not settings.allocation.enabled:
        faults.append(Fault("rolling", "sets no shares: allocation is off", "leave one out"))
    if settings.allocation.comparators:
        what = "are not made for a plan that is set anew"
        faults.append(Fault("allocation.comparators", what, "write comparators: []"))
    if settings.allocation.rules.performance_reward != "off":
        what = "counts from the first year of each setting, so that its first block has no reward"
        fix = "switch it off in a rolling experiment"
        faults.append(Fault("allocation.rules.performance_reward", what, fix))
    if settings.engine != "arrays":
        what = f"cannot go on from an observed state ({settings.engine})"
        faults.append(Fault("engine", what, "use arrays"))
    for name in settings.rolling.believed:
        if name in parameters.rows and parameters.rows[name].room != "model":
            what = "is no parameter of the stock-flow model, about which beliefs may differ"
            faults.append(Fault(f"rolling.believed.{name}", what, "set it under parameters"))
    if faults:
        raise ExperimentError(faults)


def believed_parameters(settings: Experiment, parameters: Parameters) -> Parameters:
    """The registry as the planner believes it.

    Raises
    ------
    ParameterError
        If a believed value is unknown, not finite or out of range.
    """
    assert settings.rolling is not None
    return parameters.override(
        settings.rolling.believed, allow_out_of_range=settings.allow_out_of_range
    )


def run_rolling(
    settings: Experiment,
    given: Inputs,
    reference: PysdEngine,
    engine: ArrayEngine,
    step: Callable[[str], None],
    *,
    time_limit: float,
) -> Result:
    """Run the settings one after the other and publish what happened.

    Parameters
    ----------
    settings : Experiment
        With its ``rolling`` part.
    given : Inputs
        What the run starts from.
    reference : PysdEngine
        PySD with the true constants set; it repeats the published path.
    engine : ArrayEngine
        Engine of the rounds.
    step : callable
        Told in words what is being done.
    time_limit : float
        Seconds that one solve may take.

    Raises
    ------
    As `hukou_opt.run`.
    """
    assert settings.rolling is not None
    parameters, base = given.parameters, given.base
    truth = model_constants(base, parameters, reform=settings.reform)
    belief = model_constants(
        base, believed_parameters(settings, parameters), reform=settings.reform
    )
    horizon = RollingHorizon(
        engine,
        truth,
        belief,
        base,
        parameters,
        settings.horizon.end,
        settings.allocation.rules.model_dump(),
        aims_of(settings),
        settings.allocation.count_settlers,
        settings.rolling.every,
        settings.coupling.max_rounds,
        settings.coupling.tolerance,
        step,
        time_limit,
    )
    rolled = horizon.roll()
    exact = [
        replay
        for setting in rolled.settings
        for replay in replayed_exactly(setting.coupled.best.allocation, step)
    ]
    step("model: PySD repeats the published run")
    replay = replayed(reference, rolled.run, rolled.decisions)
    coupled = as_coupled(replace(rolled, run=replay.run))
    stretch = parameters["class_stretch"]
    checks = check_trajectory(coupled.best.run, coupled.best.decisions, class_stretch=stretch)
    true = Coupling(
        horizon.true_engine(),
        base,
        parameters,
        settings.horizon.end,
        settings.allocation.rules.model_dump(),
        step,
        aims=aims_of(settings),
        count_settlers=settings.allocation.count_settlers,
        time_limit=time_limit,
    )
    cases = [without_plan(true, settings.base_year), plan_case(coupled, settings.base_year)]
    result = allocated(
        settings, given.regions, base, parameters, coupled, cases, checks, replay, exact
    )
    return _without_one_program(result, rolled)


def as_coupled(rolled: Rolled) -> Coupled:
    """All rounds of all settings, and what happened as the published one.

    Its residual is the largest that any setting was left with; its levels are values of the true
    path, no optima.
    """
    p, seen = rolled.problem, rolled.seen
    rounds = [each for setting in rolled.settings for each in setting.coupled.rounds]
    last = [setting.coupled.best for setting in rolled.settings]
    published = Round(
        allocation=_as_allocation(rolled),
        problem=p,
        decisions=rolled.decisions,
        run=rolled.run,
        needs=rolled.needs,
        simulated_problem=p,
        simulated=seen,
        moved_fund=max(each.moved_fund for each in last),
        moved_need=max(each.moved_need for each in last),
        objective=level_values(p, seen),
        unmet=standard_levels(p, seen)["unmet"],
        damped=any(each.damped for each in last),
    )
    return Coupled(
        (*rounds, published),
        published,
        all(setting.coupled.converged for setting in rolled.settings),
        any(setting.coupled.cycle for setting in rolled.settings),
    )


def _as_allocation(rolled: Rolled) -> Allocation:
    """The first setting's answer with what happened in its place, and the proofs of all."""
    answers = [setting.coupled.best.allocation for setting in rolled.settings]
    value = recompute(rolled.problem, rolled.seen)
    levels = tuple(
        replace(
            level,
            value=value[level.name],
            held_at=value[level.name],
            final=value[level.name],
            recomputed=value[level.name],
            given_up=0.0,
            sorted=(),
            levelled_down=None,
        )
        for level in answers[0].levels
        if level.name in value
    )
    certificates = tuple(
        replace(certificate, name=f"{setting.first}:{certificate.name}")
        for setting, answer in zip(rolled.settings, answers, strict=True)
        for certificate in answer.certificates
    )
    return replace(
        answers[0],
        solution=rolled.seen,
        levels=levels,
        certificates=certificates,
        proofs=(),
        ties_broken=all(answer.ties_broken for answer in answers),
        fallbacks=sum(answer.fallbacks for answer in answers),
        cuts=sum(answer.cuts for answer in answers),
    )


def _without_one_program(result: Result, rolled: Rolled) -> Result:
    """Take out what one program would say, and say when the shares were set."""
    groups = {name: result[name] for name in result.tree.children if name not in OF_ONE_PROGRAM}
    said = {
        "set_in": " ".join(str(setting.first) for setting in rolled.settings),
        "fund_left": " ".join(f"{setting.left:.6g}" for setting in rolled.settings),
    }
    attrs = {name: value for name, value in result.attrs.items() if name != "identity"}
    return Result.build(attrs | said, groups)
