"""Validate an experiment: model, computation, rounds and money, every check with its figure."""

from __future__ import annotations

from pathlib import Path

from tqdm.auto import tqdm

from hukou_opt import bundled
from hukou_opt.dynamics import check_step, model_constants
from hukou_opt.dynamics.validation import balances, extreme, numerics, structural
from hukou_opt.dynamics.validation.report import Finding, ValidationReport, answered
from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.planning import validate_coupled as coupled_checks
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.planning.own_regions import check_budget
from hukou_opt.planning.validate_history import GROUP as HISTORY
from hukou_opt.planning.validation_stages import NO_ROUNDS, Case, Stage, all_stages
from hukou_opt.result import Result

QUICK = "left out of a quick validation"
NO_ALLOCATION = "the experiment has no allocation"
#: Groups in the order in which the report has them.
ORDER = (
    structural.GROUP,
    balances.GROUP,
    extreme.GROUP,
    extreme.SWITCH.group,
    numerics.GROUP,
    coupled_checks.REST,
    coupled_checks.MONEY,
    coupled_checks.SIGNS,
    HISTORY,
)


def validate(
    experiment: str | Path | Experiment = "plan_as_written",
    *,
    quick: bool = False,
    progress: bool = True,
) -> ValidationReport:
    """Check an experiment's model, computation, rounds and money; every check with its figure.

    A check that fails, or that cannot be made, is a finding of the report and stops nothing.

    Parameters
    ----------
    experiment : str, Path or Experiment
        Shipped experiment by name, a YAML file, or an experiment already loaded.
    quick : bool, optional
        Leave out the checks that take long: all that need the linear program, and half steps.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    ValidationReport
        One finding per check.

    Raises
    ------
    ExperimentError, ParameterError, DataError
        For faults in the input, all listed, before anything runs.
    ModelError
        If the experiment's step is too long for its parameters.
    """
    case = case_of(experiment)
    stages = list(all_stages(case))
    findings: list[Finding] = []
    with tqdm(total=len(stages), disable=not progress, leave=False, dynamic_ncols=True) as bar:
        case.tell = lambda words: bar.set_postfix_str(words, refresh=False)
        for stage in stages:
            bar.set_description(stage.words)
            findings += made(stage, case, quick=quick)
            bar.set_postfix_str("", refresh=False)
            bar.update(1)
    findings.sort(key=lambda finding: ORDER.index(finding.group))
    return ValidationReport(case.settings.name, _identity(case), tuple(findings))


def case_of(experiment: str | Path | Experiment) -> Case:
    """Read an experiment and derive its base year; nothing is run.

    Raises
    ------
    ExperimentError, ParameterError, DataError, ModelError
        As `validate`.
    """
    settings = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    if not settings.names_shipped_model or settings.model_constants:
        raise ExperimentError(
            Fault(
                "model",
                f"is not the toolkit's as it ships ({settings.model!r})",
                "these checks know its equations only; try: hukou-opt model check FILE.mdl",
            )
        )
    given = inputs_of(settings)
    check_budget(settings, given.regions, given.parameters)
    parameters, base = given.parameters, given.base
    check_step(model_constants(base, parameters, reform=settings.reform), settings.time_step)
    return Case(settings, parameters, base, bundled.model())


def made(stage: Stage, case: Case, *, quick: bool) -> list[Finding]:
    """Findings of one stage, or why it was not run."""
    reason = ""
    if stage.coupled and not case.settings.allocation.enabled:
        reason = NO_ALLOCATION
    elif quick and (stage.slow or stage.coupled):
        reason = QUICK
    elif stage.coupled and case.tried and case.coupled is None:
        reason = NO_ROUNDS
    if reason:
        return [question.not_run(reason) for question in stage.questions]
    return answered(stage.questions, stage.answer)


def with_validation(result: Result, report: ValidationReport) -> Result:
    """The same result with the report as its group ``validation``.

    Parameters
    ----------
    result : Result
        A run of the experiment.
    report : ValidationReport
        Its validation.
    """
    groups = {name: result[name] for name in result.tree.children}
    return Result.build(result.attrs, groups | {"validation": report.to_dataset()})


def _identity(case: Case) -> str:
    """Hash of the model's text; empty where it could not be read, which a finding has said."""
    try:
        return case.own_engine.identity
    except Exception:
        return ""
