"""Faults of an experiment in a user's words: wrong keys, wrong types, wrong parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hukou_opt import bundled
from hukou_opt.errors import Fault, ParameterError, did_you_mean
from hukou_opt.experiment.read import Raw
from hukou_opt.experiment.schema import MODEL_NAME, Experiment
from hukou_opt.parameters.registry import load_parameters

FUND = "central_fund_total"
MODEL_SUFFIX = ".mdl"
SECTOR_SHARES = (
    "sector_share_education",
    "sector_share_health",
    "sector_share_social_security",
    "sector_share_other",
)
#: Shares that come from a table of rounded figures still count as summing to one.
SUM_TOLERANCE = 1e-6

_KINDS = {
    "bool_type": ("must be true or false", "write true or false"),
    "float_type": ("must be a number", "write a number, without unit or quotes"),
    "int_type": ("must be a whole number", "write a whole number"),
    "int_from_float": ("must be a whole number", "write a whole number"),
    "string_type": ("must be text", "write text"),
    "model_type": ("must be a group of keys", "write keys below it, indented"),
    "model_attributes_type": ("must be a group of keys", "write keys below it, indented"),
    "dict_type": ("must be a group of keys", "write keys below it, indented"),
    "tuple_type": ("must be a list", "write a list, like [a, b]"),
    "missing": ("is missing", "add it"),
    "string_pattern_mismatch": (
        "must be letters, digits, _ and - only",
        "use a name that can name a folder",
    ),
}


def schema_faults(error: ValidationError, raw: Raw) -> list[Fault]:
    """Turn what pydantic found into faults with file, line and remedy."""
    faults: list[Fault] = []
    for item in error.errors():
        path = tuple(item["loc"])
        where = raw.where(path)
        value = item["input"]
        shown = "" if isinstance(value, Mapping) else f" ({value!r})"
        kind = item["type"]
        if kind == "extra_forbidden":
            known = _keys_at(path[:-1])
            faults.append(Fault(where, "is an unknown key", did_you_mean(str(path[-1]), known)))
        elif kind == "literal_error":
            allowed = item.get("ctx", {}).get("expected", "")
            words = [word.strip(" '") for word in allowed.replace(" or ", ",").split(",")]
            fix = did_you_mean(value, words) if isinstance(value, str) else f"use {allowed}"
            faults.append(Fault(where, f"must be {allowed}{shown}", fix))
        elif kind == "value_error":
            subject, _, message = item["msg"].removeprefix("Value error, ").partition(": ")
            faults.append(Fault(raw.where((subject,)), message, "correct it"))
        elif kind in _KINDS:
            what, fix = _KINDS[kind]
            faults.append(Fault(where, what + ("" if kind == "missing" else shown), fix))
        else:
            message = item["msg"].replace("Input should", "must")
            faults.append(Fault(where, f"{message}{shown}", "correct the value"))
    return faults


def _keys_at(path: Sequence[str | int]) -> list[str]:
    """Keys that are known at a path of keys in the schema."""
    model: type[BaseModel] = Experiment
    for key in path:
        annotation = model.model_fields[str(key)].annotation
        if get_origin(annotation) is not None:
            annotation = get_args(annotation)[0]
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def parameter_faults(raw: Raw) -> list[Fault]:
    """Check the changed parameters: names, ranges, the budget, and the sector shares' sum."""
    given = raw.values.get("parameters", {})
    if not isinstance(given, Mapping):
        return []
    values = dict(given)
    # The schema's own check names values that are no numbers.
    numbers = {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    faults: list[Fault] = []
    fund = numbers.get(FUND)
    if fund is not None and not fund > 0:
        del numbers[FUND]
        faults.append(
            Fault(
                raw.where(("parameters", FUND)),
                f"there is no money to share out ({fund!r})",
                "give a fund above 0, or set allocation.enabled: false",
            )
        )
    registry = load_parameters().rows
    loose = raw.values.get("allow_out_of_range", False) is True
    unknown = {name: 0.0 for name in values if name not in registry and name not in numbers}
    try:
        load_parameters().override({**numbers, **unknown}, allow_out_of_range=loose)
    except ParameterError as error:
        for fault in error.faults:
            path = tuple(fault.where.split("."))
            faults.append(Fault(raw.where(path), fault.what, fault.fix))
    faults += _share_faults(
        raw, {**{name: row.value for name, row in registry.items()}, **numbers}, faults
    )
    return faults


def model_faults(experiment: Experiment, raw: Raw, folder: Path | None) -> list[Fault]:
    """Check the model that an experiment names: there, inside the folder, and trusted.

    Parameters
    ----------
    experiment : Experiment
        The checked settings.
    raw : Raw
        Where each setting stands.
    folder : Path or None
        Folder of the experiment file, which no path of a model may leave; None for settings made
        in Python, whose paths are the programmer's own.
    """
    if experiment.names_shipped_model:
        return []
    path, where = experiment.model_source, raw.where(("model",))
    if not path.is_file():
        shipped = [each.stem for each in bundled.folder("models").glob(f"*{MODEL_SUFFIX}")]
        named = MODEL_NAME.fullmatch(experiment.model)
        fix = did_you_mean(experiment.model, shipped) if named else "check the path"
        what = f"is neither a shipped model nor a file ({experiment.model!r})"
        return [Fault(where, what, fix)]
    if folder is not None and not path.resolve().is_relative_to(folder.resolve()):
        # Trust does not lift this: an experiment file must not reach for files that its sender
        # cannot see.
        return [
            Fault(
                where,
                f"lies outside the experiment's folder ({experiment.model!r})",
                "copy the model file beside the experiment file; links out of the folder count too",
            )
        ]
    faults = []
    if path.suffix.lower() != MODEL_SUFFIX:
        faults.append(
            Fault(where, f"is no Vensim model file ({experiment.model!r})", "give an .mdl file")
        )
    if not experiment.trust_model:
        faults.append(
            Fault(
                where,
                f"is not a model of the toolkit ({experiment.model!r})",
                "read it, then write `trust_model: true` beside `model:`",
            )
        )
    return faults


def _share_faults(raw: Raw, values: Mapping[str, Any], found: Sequence[Fault]) -> list[Fault]:
    if any(name not in values for name in SECTOR_SHARES):
        return []
    if any(fault.where.endswith(SECTOR_SHARES) for fault in found):
        return []
    shares = [float(values[name]) for name in SECTOR_SHARES]
    total = math.fsum(shares)
    if abs(total - 1) <= SUM_TOLERANCE:
        return []
    listed = " + ".join(f"{share:g}" for share in shares)
    return [
        Fault(
            raw.where(("parameters",)),
            f"the sector shares of the fund do not sum to 1 ({listed} = {total:.6g})",
            "give all of " + ", ".join(SECTOR_SHARES) + " so that they sum to 1",
        )
    ]
