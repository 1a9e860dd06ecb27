"""The experiment file: what is to be run, read from YAML and checked before anything runs."""

from __future__ import annotations

from hukou_opt.experiment.load import (
    experiment_from,
    load_experiment,
    runs_of,
    shipped_runs,
    variants_of,
)
from hukou_opt.experiment.schema import Experiment, experiment_schema

__all__ = [
    "Experiment",
    "experiment_from",
    "experiment_schema",
    "load_experiment",
    "runs_of",
    "shipped_runs",
    "variants_of",
]
