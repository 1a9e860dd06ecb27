"""From a name, a path or a mapping to a checked experiment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment.faults import (
    model_faults,
    objective_faults,
    parameter_faults,
    schema_faults,
)
from hukou_opt.experiment.read import Raw, find, read
from hukou_opt.experiment.schema import Experiment


def load_experiment(name_or_path: str | Path) -> Experiment:
    """Read an experiment by its shipped name or its path, and check it whole.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped experiment (``plan_as_written``) or path of a YAML file.

    Returns
    -------
    Experiment
        All settings, inherited ones included.

    Raises
    ------
    ExperimentError
        With all faults at once: unknown keys, wrong types, an unknown parent, parameters unknown,
        out of range or at odds with each other, no budget, a level that is listed twice, years
        that are not decided, a model that does not exist, lies outside the file's folder or is not
        trusted.
    """
    path = find(name_or_path)
    return _checked(read(path), path.resolve().parent)


def experiment_from(settings: Mapping[str, Any]) -> Experiment:
    """Make an experiment from settings in Python, checked like a file.

    Parameters
    ----------
    settings : mapping
        The keys of an experiment file; ``name`` is required. Paths count from the working folder,
        and a model of your own may lie anywhere.

    Raises
    ------
    ExperimentError
        With all faults at once, as for a file.
    """
    values = dict(settings)
    parent = values.pop("extends", None)
    if parent is None:
        return _checked(Raw(values))
    raise ExperimentError(
        Fault("extends", f"works in a file only ({parent!r})", "load the parent and change it")
    )


def _checked(raw: Raw, folder: Path | None = None) -> Experiment:
    faults: list[Fault] = list(raw.faults)
    experiment: Experiment | None = None
    try:
        experiment = Experiment.model_validate(raw.values)
    except ValidationError as error:
        faults += schema_faults(error, raw)
    faults += objective_faults(raw)
    faults += parameter_faults(raw)
    if experiment is not None:
        experiment._folder = folder
        faults += model_faults(experiment, raw, folder)
    if faults or experiment is None:
        raise ExperimentError(faults)
    return experiment
