"""From an experiment to a result: regions, model, needs, linear program, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tqdm.auto import tqdm

from hukou_opt import bundled
from hukou_opt.dynamics import (
    PysdEngine,
    check_step,
    check_trajectory,
    model_constants,
    no_decisions,
)
from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.plan.facts import load_facts
from hukou_opt.planning.assemble import allocated, simulated_only
from hukou_opt.planning.cases import all_cases
from hukou_opt.planning.coupling import Coupling
from hukou_opt.regions import derive_base_year, load_regions
from hukou_opt.result import Result

#: Years after the base year for which entrants and leavers of schools can be told: later ones rest
#: on births that no cohort table or projection of this version covers.
MOST_YEARS = 15
#: Parameters whose value the plan states otherwise than official statistics, with the plan's fact;
#: ``base: plan`` takes the plan's figure.
PLAN_BASE: Mapping[str, str] = {
    "national_hukou_rate": "hukou_urban_rate_2023",
    "public_school_share": "migrant_public_share_2023",
}


def parameters_of(experiment: Experiment) -> Parameters:
    """The registry with the base of the experiment and its own values.

    Raises
    ------
    ParameterError
        If a value is unknown, not finite or out of range.
    """
    parameters = load_parameters()
    if experiment.base == "plan":
        facts = load_facts()
        stated = {name: facts[fact].value for name, fact in PLAN_BASE.items()}
        parameters = parameters.override(
            {name: value for name, value in stated.items() if value is not None}
        )
    return parameters.override(
        experiment.parameters, allow_out_of_range=experiment.allow_out_of_range
    )


@contextmanager
def _bar(show: bool) -> Iterator[Callable[[str], None]]:
    """One progress bar that counts steps and names the present one."""
    with tqdm(disable=not show, unit=" steps", leave=False, dynamic_ncols=True) as bar:

        def step(words: str) -> None:
            bar.set_description(words, refresh=False)
            bar.update(1)

        yield step


def run(experiment: str | Path | Experiment, *, progress: bool = True) -> Result:
    """Run an experiment: simulate, allocate, prove, compare.

    Parameters
    ----------
    experiment : str, Path or Experiment
        Shipped experiment by name, a YAML file, or an experiment already loaded.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    Result
        Labelled trajectory, allocation, gaps, certificates; see `hukou_opt.result`.

    Raises
    ------
    ExperimentError, ParameterError, DataError
        For faults in the input, all listed, before anything runs.
    ModelError
        If the stock-flow model cannot run or breaks a balance.
    InfeasibleError, SolveError, CertificateError
        If the linear program has no proved optimum.
    """
    settings = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    parameters = parameters_of(settings)
    regions = load_regions(settings.regions_source, base=settings.base_year)
    years = range(settings.base_year + 1, settings.horizon.tail + 1)
    base = derive_base_year(regions, parameters, years=years, with_ranges=False)
    if len(years) > MOST_YEARS:
        raise ExperimentError(
            Fault(
                "horizon.tail",
                f"figures by age reach {MOST_YEARS} years beyond the base year, to "
                f"{settings.base_year + MOST_YEARS} ({settings.horizon.tail})",
                "end earlier",
            )
        )
    with _bar(progress) as step:
        step("model: translate")
        constants = model_constants(base, parameters, reform=settings.reform)
        check_step(constants, settings.time_step)
        engine = PysdEngine(bundled.model(), base.codes, tuple(years), time_step=settings.time_step)
        engine.reset(constants)
        stretch = parameters["class_stretch"]
        if not settings.allocation.enabled:
            step("model")
            nothing = no_decisions(engine.codes, engine.years)
            trajectory = engine.run(nothing)
            checks = check_trajectory(trajectory, nothing, class_stretch=stretch)
            return simulated_only(settings, regions, base, parameters, trajectory, checks)
        coupling = Coupling(
            engine,
            base,
            parameters,
            settings.horizon.end,
            settings.allocation.rules.model_dump(),
            step,
        )
        coupled = coupling.iterate(
            max_rounds=settings.coupling.max_rounds, tolerance=settings.coupling.tolerance
        )
        checks = check_trajectory(coupled.best.run, coupled.best.decisions, class_stretch=stretch)
        cases = all_cases(coupling, coupled, settings.allocation.comparators, settings.base_year)
    return allocated(settings, regions, base, parameters, coupled, cases, checks)
