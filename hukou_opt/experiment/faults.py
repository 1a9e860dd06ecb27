"""Faults of an experiment in a user's words: wrong keys, wrong types, wrong parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hukou_opt import bundled
from hukou_opt.errors import Fault, ParameterError, did_you_mean
from hukou_opt.experiment.objectives import LevelName
from hukou_opt.experiment.raw import Place, Raw
from hukou_opt.experiment.schema import MODEL_NAME, Experiment, Horizon, Rules
from hukou_opt.experiment.variants import KEY as VARIANTS
from hukou_opt.outcome_registry import registry as outcome_registry
from hukou_opt.parameters.contradictions import contradictions
from hukou_opt.parameters.registry import load_parameters

FUND = "central_fund_total"
MODEL_SUFFIX = ".mdl"
#: Path of the levels; pydantic puts which of two forms an item has after its number.
OBJECTIVES = ("allocation", "objectives")

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
        path = _plain_path(item["loc"])
        where = raw.where(path)
        value = item["input"]
        shown = "" if isinstance(value, Mapping) else f" ({value!r})"
        kind = item["type"]
        if kind == "too_short":
            # Pydantic counts what is left of a list after its items' own faults, too.
            if not value:
                faults.append(Fault(where, "lists nothing", _at_least_one(path)))
        elif kind == "extra_forbidden":
            known = _keys_at(path[:-1])
            faults.append(Fault(where, "is an unknown key", did_you_mean(str(path[-1]), known)))
        elif kind == "literal_error":
            allowed = item.get("ctx", {}).get("expected", "")
            words = [word.strip(" '") for word in allowed.replace(" or ", ",").split(",")]
            fix = did_you_mean(value, words) if isinstance(value, str) else f"use {allowed}"
            faults.append(Fault(where, f"must be {allowed}{shown}", fix))
        elif kind == "value_error":
            subject, _, message = item["msg"].removeprefix("Value error, ").partition(": ")
            faults.append(Fault(raw.where((*path, subject)), message, "correct it"))
        elif kind == "string_pattern_mismatch" and path[:2] == OBJECTIVES:
            what = "must be small letters, digits and _, and begin with a letter"
            faults.append(Fault(where, what + shown, "use a name like beds_gini"))
        elif kind in ("model_type", "model_attributes_type") and path[:-1] == OBJECTIVES:
            what = f"must be the name of a shipped level or a group of keys{shown}"
            faults.append(Fault(where, what, "write a name, or the keys of a level, indented"))
        elif kind in _KINDS:
            what, fix = _KINDS[kind]
            faults.append(Fault(where, what + ("" if kind == "missing" else shown), fix))
        else:
            message = item["msg"].replace("Input should", "must")
            faults.append(Fault(where, f"{message}{shown}", "correct the value"))
    return faults


def _plain_path(loc: Sequence[str | int]) -> Place:
    """Path of keys as in the file, without pydantic's own words for a form of a level."""
    path = tuple(loc)
    if path[:2] == OBJECTIVES and len(path) > 3:
        return (*path[:3], *path[4:])
    return path


def _at_least_one(path: Place) -> str:
    if path == OBJECTIVES:
        return (
            f"list at least one level, such as {get_args(LevelName)[0]}; see hukou-opt objectives"
        )
    return "list at least one" + ("" if path[-1] == "terms" else ", or leave the key out")


def _keys_at(path: Place) -> list[str]:
    """Keys that are known at a path of keys in the schema."""
    model: type[BaseModel] | None = Experiment
    for key in path:
        if isinstance(key, int):
            # An item of a list is what the list's own key stands for.
            continue
        model = next(_models(model.model_fields[key].annotation), None) if model else None
    known = list(model.model_fields) if model else []
    return known if path else [*known, VARIANTS]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Groups of keys within an annotation: plain, in a list, or one of several forms."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def objective_faults(raw: Raw) -> list[Fault]:
    """Check the names of levels, and the years of terms and limits against the run's years."""
    allocation = raw.values.get("allocation", {})
    if not isinstance(allocation, Mapping):
        return []
    shipped = get_args(LevelName)
    faults: list[Fault] = []
    first_at: dict[str, Place] = {}
    for number, item in enumerate(_items(allocation.get("objectives"))):
        at: Place = (*OBJECTIVES, number)
        own = isinstance(item, Mapping)
        name = item.get("name") if isinstance(item, Mapping) else item
        if not isinstance(name, str):
            continue
        if own and name in shipped:
            what = f"is the name of a shipped level ({name!r})"
            fix = "choose another name, or list the shipped level by its name alone"
            faults.append(Fault(raw.where((*at, "name")), what, fix))
        elif name in first_at:
            earlier = raw.where(first_at[name])
            what = f"is listed a second time ({name!r}, first in {earlier})"
            faults.append(Fault(raw.where(at), what, "list every level once, with its own name"))
        first_at.setdefault(name, at)
        if own:
            for place, term in enumerate(_items(item.get("terms"))):
                faults += _year_faults(raw, (*at, "terms", place), term)
    for number, limit in enumerate(_items(allocation.get("limits"))):
        faults += _year_faults(raw, ("allocation", "limits", number), limit)
    return faults


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _year_faults(raw: Raw, at: Place, term: Any) -> list[Fault]:
    years = _items(term.get("years")) if isinstance(term, Mapping) else ()
    first, last = _years(raw)
    outside = [
        str(year)
        for year in years
        if isinstance(year, int) and not isinstance(year, bool) and not first <= year <= last
    ]
    if not outside:
        return []
    what = f"has years that are not decided ({', '.join(outside)})"
    return [Fault(raw.where((*at, "years")), what, f"give years from {first} to {last}")]


def _years(raw: Raw) -> tuple[int, int]:
    """First and last year decided; the defaults where the file has no usable figures."""
    return _whole(raw, "base_year") + 1, _whole(raw, "horizon", "end")


def _whole(raw: Raw, *path: str) -> int:
    """A whole number of the settings, its default where the file has no usable one."""
    value: Any = raw.values
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    model = Horizon if len(path) > 1 else Experiment
    return value if isinstance(value, int) else int(model.model_fields[path[-1]].default)


def expected_faults(raw: Raw) -> list[Fault]:
    """Check the names of expected outcomes, and their years against the run's."""
    faults = []
    known, base, tail = outcome_registry(), _whole(raw, "base_year"), _whole(raw, "horizon", "tail")
    for number, item in enumerate(_items(raw.values.get("expect"))):
        if not isinstance(item, Mapping):
            continue
        name, year = item.get("quantity"), item.get("year")
        if isinstance(name, str) and name not in known:
            at = raw.where(("expect", number, "quantity"))
            faults.append(Fault(at, f"is no outcome ({name!r})", did_you_mean(name, list(known))))
        if isinstance(year, int) and not base <= year <= tail:
            at = raw.where(("expect", number, "year"))
            faults.append(
                Fault(at, f"lies outside the run ({year})", f"give a year from {base} to {tail}")
            )
    return faults


def parameter_faults(raw: Raw) -> list[Fault]:
    """Check the changed parameters: names, ranges, the budget, and what cannot hold together."""
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
    merged = {**{name: row.value for name, row in registry.items()}, **numbers}
    modes, given = _modes(raw), set(numbers)
    for each in contradictions(merged, modes, _years(raw), given):
        if any(fault.where.endswith(each.names) for fault in faults):
            # The first fault is the cause of the second.
            continue
        fault = each.fault
        named = next((name for name in each.names if name in given), None)
        path = tuple(fault.where.split(".")) if named is None else ("parameters", named)
        faults.append(Fault(raw.where(path), fault.what, fault.fix))
    return faults


def _modes(raw: Raw) -> dict[str, str]:
    """Modes of the rules, the default where the file says nothing that is known."""
    modes = {name: str(field.default) for name, field in Rules.model_fields.items()}
    allocation = raw.values.get("allocation")
    given = allocation.get("rules") if isinstance(allocation, Mapping) else None
    if isinstance(allocation, Mapping) and allocation.get("enabled") is False:
        return dict.fromkeys(modes, "off")
    if isinstance(given, Mapping):
        modes.update({name: mode for name, mode in given.items() if isinstance(mode, str)})
    return modes


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
