"""From a name, a path or a mapping to checked experiments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hukou_opt import bundled
from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment.faults import (
    expected_faults,
    model_faults,
    objective_faults,
    parameter_faults,
    schema_faults,
)
from hukou_opt.experiment.raw import Raw
from hukou_opt.experiment.read import Source, find, read
from hukou_opt.experiment.schema import Experiment
from hukou_opt.experiment.variants import DOT, KEY


def load_experiment(name_or_path: str | Path) -> Experiment:
    """Read one experiment by its shipped name or its path, and check it whole.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped experiment (``plan_as_written``), path of a YAML file, or either with a
        dot and the name of one of its variants (``opening_order.mega_first``).

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
        trusted, an unknown expected outcome. If the file is a family and no variant is named; see
        `runs_of`.
    """
    source = find(name_or_path)
    raw = read(source)
    if raw.variants is None:
        return _checked(raw, source.path.resolve().parent)
    if not raw.variants:
        raise ExperimentError(raw.faults)
    names = ", ".join(f"{name_or_path}{DOT}{variant}" for variant in raw.variants)
    family = Fault(
        f"experiment {str(name_or_path)!r}",
        f"is a family of {len(raw.variants)} experiments, none of which is named",
        f"name one: {names}",
    )
    raise ExperimentError([family, *raw.faults])


def runs_of(name_or_path: str | Path) -> tuple[Experiment, ...]:
    """All runs that a name stands for: the variants of a family, or the one experiment.

    Parameters
    ----------
    name_or_path : str or Path
        As for `load_experiment`.

    Raises
    ------
    ExperimentError
        With the faults of all runs at once.
    """
    source = find(name_or_path)
    variants = read(source).variants
    if not variants:
        return (load_experiment(name_or_path),)
    experiments: list[Experiment] = []
    faults: dict[Fault, None] = {}
    for variant in variants:
        try:
            raw = read(Source(source.path, variant))
            experiments.append(_checked(raw, source.path.resolve().parent))
        except ExperimentError as error:
            # What the variants have in common is said once.
            faults |= dict.fromkeys(error.faults)
    if faults:
        raise ExperimentError(faults)
    return tuple(experiments)


def variants_of(name_or_path: str | Path) -> tuple[str, ...] | None:
    """Names of the variants of a family; None where the name stands for one experiment.

    Raises
    ------
    ExperimentError
        If there is no such experiment, or its file cannot be read.
    """
    return read(find(name_or_path)).variants


def shipped_runs() -> tuple[str, ...]:
    """Names of all runs of the shipped experiments, a family's variants in its place.

    Raises
    ------
    ExperimentError
        If a file cannot be read.
    """
    names: list[str] = []
    for name, path in bundled.experiments().items():
        variants = read(Source(path)).variants
        names += [name] if variants is None else [f"{name}{DOT}{each}" for each in variants]
    return tuple(names)


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
    in_files = {"extends": "load the parent and change it", KEY: "make one experiment of each"}
    faults = [
        Fault(key, f"works in a file only ({settings[key]!r})", fix)
        for key, fix in in_files.items()
        if settings.get(key) is not None
    ]
    if faults:
        raise ExperimentError(faults)
    return _checked(Raw({key: item for key, item in settings.items() if key not in in_files}))


def _checked(raw: Raw, folder: Path | None = None) -> Experiment:
    faults: list[Fault] = list(raw.faults)
    experiment: Experiment | None = None
    try:
        experiment = Experiment.model_validate(raw.values)
    except ValidationError as error:
        faults += schema_faults(error, raw)
    faults += objective_faults(raw)
    faults += parameter_faults(raw)
    faults += expected_faults(raw)
    if experiment is not None:
        experiment._folder = folder
        faults += model_faults(experiment, raw, folder)
    if faults or experiment is None:
        raise ExperimentError(faults)
    return experiment
