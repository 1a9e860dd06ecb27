"""From an experiment to a result: regions, model, needs, linear program, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm.auto import tqdm

from hukou_opt.allocation.infeasible import in_words
from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.allocation.threads import DEFAULT, solver_threads
from hukou_opt.dynamics import (
    ArrayEngine,
    Engine,
    PysdEngine,
    check_step,
    check_trajectory,
    model_constants,
    no_decisions,
    pins,
)
from hukou_opt.dynamics.contract import check_contract, own_constants, taken
from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.own_model import ReadingEngine
from hukou_opt.errors import ExperimentError, Fault, InfeasibleError, ModelError
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.parameters import Parameters
from hukou_opt.planning.aims import aims_of
from hukou_opt.planning.assemble import allocated, simulated_only
from hukou_opt.planning.cases import all_cases, check_comparators
from hukou_opt.planning.coupling import Coupling, published
from hukou_opt.planning.engines import fast_engine, replayed
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.planning.own_regions import check_budget
from hukou_opt.planning.proofs import replayed_exactly
from hukou_opt.planning.rolling.result import believed_parameters, check_rolling, run_rolling
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.result import Result


def engine_of(
    settings: Experiment, base: BaseYear, parameters: Parameters, years: Sequence[int]
) -> PysdEngine:
    """The experiment's model, held to the contract, with all constants set.

    A model that does not ship, or was edited, takes of base year and parameters what it declares.

    Parameters
    ----------
    settings : Experiment
        Names the model and the constants of the user's own.
    base : BaseYear
        State of the regions at the start.
    parameters : Parameters
        The registry with the experiment's values.
    years : sequence of int
        Calendar years of the run.

    Raises
    ------
    ModelError
        If the model is not trusted, cannot be translated safely, breaks the contract, or the step
        is too long for it; all broken names at once.
    ExperimentError
        If the experiment sets constants or parameters that the model does not have.
    """
    path, trust = settings.model_source, settings.trust_model
    state = pins.state(path)
    constants = model_constants(base, parameters, reform=settings.reform)
    if state != "foreign":
        # The rates that it knows are those of the toolkit's own equations.
        check_step(constants, settings.time_step)
    kind = PysdEngine if state == "bundled" else ReadingEngine
    engine = kind(path, base.codes, tuple(years), time_step=settings.time_step, trust=trust)
    broken = check_contract(engine.variables, path.name) if state != "bundled" else []
    unknown = own_constants(engine.variables, settings.model_constants)
    if state != "bundled":
        unknown += _without_effect(settings, parameters, engine)
        constants = taken(engine.variables, constants)
    if broken:
        raise ModelError([*broken, *unknown])
    if unknown:
        raise ExperimentError(unknown)
    own: dict[str, Constant] = dict(settings.model_constants)
    engine.reset(constants | own)
    return engine


def _without_effect(
    settings: Experiment, parameters: Parameters, engine: PysdEngine
) -> list[Fault]:
    """Parameters of the model room that the experiment sets and the model does not take."""
    return [
        Fault(
            f"parameters.{name}",
            "would change nothing: the model has no constant of that name",
            f"leave it out, or declare it in {settings.model_source.name}",
        )
        for name in settings.parameters
        if parameters.rows[name].room == "model" and name not in engine.constants
    ]


@contextmanager
def progress_bar(show: bool) -> Iterator[Callable[[str], None]]:
    """One progress bar that counts steps and names the present one."""
    with tqdm(disable=not show, unit=" steps", leave=False, dynamic_ncols=True) as bar:

        def step(words: str) -> None:
            bar.set_description(words, refresh=False)
            bar.update(1)

        yield step


def run(
    experiment: str | Path | Experiment,
    *,
    progress: bool = True,
    threads: int = DEFAULT,
    time_limit: float = TIME_LIMIT,
    explained: bool = True,
) -> Result:
    """Run an experiment: simulate, allocate, prove, compare.

    Parameters
    ----------
    experiment : str, Path or Experiment
        Shipped experiment by name, a YAML file, or an experiment already loaded.
    progress : bool, optional
        Show a progress bar.
    threads : int, optional
        Threads of the linear solver; the answer is the same with any number.
    time_limit : float, optional
        Seconds that one solve of the linear program may take.
    explained : bool, optional
        Where demanded rules cannot all hold, look for their conflicts and repairs.

    Returns
    -------
    Result
        Labelled trajectory, allocation, gaps, certificates; see `hukou_opt.result`.

    Raises
    ------
    ExperimentError, ParameterError, DataError
        For faults in the input, all listed, before anything runs.
    ModelError
        If the stock-flow model is not trusted, breaks the contract, cannot run or breaks a balance.
    InfeasibleError
        If demanded rules cannot all hold; names the conflicts, amounts and repairs (see
        `hukou_opt.planning.repair`).
    UnboundedError, TimeLimitError, NumericalError, CertificateError
        If the linear program has no proved optimum.
    """
    settings = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    given = inputs_of(settings)
    check_budget(settings, given.regions, given.parameters)
    parameters, regions, base, years = given.parameters, given.regions, given.base, given.years
    check_rolling(settings, parameters)
    if settings.rolling is not None:
        believed_parameters(settings, parameters)
    if settings.allocation.enabled:
        check_comparators(settings.allocation.comparators, base)
    with solver_threads(threads), progress_bar(progress) as step:
        step("model: translate")
        engine = engine_of(settings, base, parameters, years)
        stretch = parameters["class_stretch"]
        if not settings.allocation.enabled:
            step("model")
            nothing = no_decisions(engine.codes, engine.years)
            trajectory = engine.run(nothing)
            checks = check_trajectory(trajectory, nothing, class_stretch=stretch)
            return simulated_only(settings, regions, base, parameters, trajectory, checks)
        fast: Engine = engine
        if settings.engine == "arrays":
            step("model: arrays")
            fast = fast_engine(engine, settings.model_source, trust=settings.trust_model)
        if settings.rolling is not None:
            if not isinstance(fast, ArrayEngine):
                what = "uses what the array engine does not know, so no state can be gone on from"
                raise ExperimentError(Fault("rolling", f"the model {what}", "leave rolling out"))
            return run_rolling(settings, given, engine, fast, step, time_limit=time_limit)
        coupling = Coupling(
            fast,
            base,
            parameters,
            settings.horizon.end,
            settings.allocation.rules.model_dump(),
            step,
            aims=aims_of(settings),
            count_settlers=settings.allocation.count_settlers,
            time_limit=time_limit,
        )
        if isinstance(engine, ReadingEngine):
            # An unknown model is held to its balances before the linear program reads from it.
            check_trajectory(coupling.first_run, coupling.nothing(), class_stretch=stretch)
        try:
            coupled = coupling.iterate(
                max_rounds=settings.coupling.max_rounds,
                tolerance=settings.coupling.tolerance,
                keep_proofs=True,
            )
        except InfeasibleError as error:
            if not explained:
                raise
            raise in_words(error, step, time_limit) from error
        exact = replayed_exactly(coupled.best.allocation, step)
        replay = None
        if fast is not engine:
            step("model: PySD repeats the published run")
            replay = replayed(engine, coupled.best.run, coupled.best.decisions)
            coupled = published(coupled, replay.run)
        checks = check_trajectory(coupled.best.run, coupled.best.decisions, class_stretch=stretch)
        cases = all_cases(coupling, coupled, settings.allocation.comparators, settings.base_year)
    return allocated(settings, regions, base, parameters, coupled, cases, checks, replay, exact)
