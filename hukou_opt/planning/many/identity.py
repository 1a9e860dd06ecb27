"""What a run is made from, so that a saved one is kept only if it would come out the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from hukou_opt import __version__
from hukou_opt.dynamics.export import model_identity
from hukou_opt.errors import HukouOptError
from hukou_opt.experiment import Experiment
from hukou_opt.planning.assemble import VERSIONS
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.report.saved import RESULT_FILE
from hukou_opt.result import Result, open_result

#: Folder that is there while files of a run are made; left behind where that was interrupted.
PART = ".part-*"


def identity_of(settings: Experiment) -> dict[str, str]:
    """Settings, toolkit, model, data and parameters that a run of these settings would rest on.

    Raises
    ------
    HukouOptError
        For faults in the input.
    """
    given = inputs_of(settings)
    return {
        "experiment_yaml": settings.to_yaml(),
        "toolkit_version": __version__,
        "model_sha256": model_identity(settings.model_source, given.base.codes, given.years),
        "data_identity": given.base.identity,
        "versions": json.dumps({name: version(name) for name in VERSIONS}, sort_keys=True),
        "parameters": _digest(given.parameters),
    }


def identity_in(result: Result) -> dict[str, str]:
    """The same of a saved result."""
    table = result["parameters"]
    names = [str(name) for name in table["parameter"].values]
    values = dict(zip(names, table["value"].values.astype(float).tolist(), strict=True))
    keys = ("experiment_yaml", "toolkit_version", "model_sha256", "data_identity", "versions")
    return {
        **{key: str(result.attrs.get(key, "")) for key in keys},
        "parameters": _digest(values),
    }


def _digest(values: Mapping[str, float]) -> str:
    """SHA-256 of values by name, to the last digit."""
    text = json.dumps({name: float(values[name]).hex() for name in sorted(values)})
    return hashlib.sha256(text.encode()).hexdigest()


def kept_result(settings: Experiment, folder: Path) -> Result | None:
    """The saved result of a folder, if a run of these settings would give it again.

    Parameters
    ----------
    settings : Experiment
        What is to be run.
    folder : Path
        Folder of an earlier run.

    Returns
    -------
    Result or None
        None where there is none, where writing it was interrupted, where it cannot be read, or
        where settings, toolkit, model, data, parameters or solver are others.
    """
    if not (folder / RESULT_FILE).is_file() or any(folder.glob(PART)):
        return None
    try:
        result = open_result(folder / RESULT_FILE)
        return result if identity_in(result) == identity_of(settings) else None
    except HukouOptError:
        # An unreadable file, or settings that cannot be run: the run itself will say why.
        return None
