"""What a calibration file must hold, and every fault of one that does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.fit.national import FITTED
from hukou_opt.fit.vintage import VINTAGES
from hukou_opt.regions import load_regions

SCHEMA_VERSION = 1
#: Shapes: a type for a value, a tuple of types for a choice, a mapping of keys, a list of one
#: shape; ``COUNTS`` for a mapping of any names to whole numbers.
Shape = Any
COUNTS = "counts"
_WORDS = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
SHAPE: dict[str, Shape] = {
    "schema_version": int,
    "provenance": {
        "hukou_opt": str,
        "model": str,
        "history": str,
        "history_identity": str,
        "parameters": [{"name": str, "value": float, "known_year": int}],
        "known_later": [str],
    },
    "window": {
        "first": int,
        "last": int,
        "years": [int],
        "vintage": str,
        "known_by": (int, type(None)),
        "access_held": bool,
    },
    "counts": {"free": COUNTS, "observations": COUNTS, "reading": str},
    "national": {
        "level": float,
        "parameters": [
            {"name": str, "value": float, "low": float, "high": float, "at_bound": bool}
        ],
        "correlation": [[float]],
        "scatter": float,
        "ridge": [
            {"reclassified": float, "settlement": float, "low": float, "high": float}
            | {"scatter": float}
        ],
        "hukou_rate": [{"year": int, "observed": float, "fitted": float}],
    },
    "pooling": float,
    "persistence": float,
    "at_floor": [str],
    "regions": [
        {
            "code": str,
            "slope": float,
            "slope_observed": float,
            "slope_error": float,
            "net_moves": float,
            "net_moves_observed": float,
            "net_moves_error": float,
            "natural": float,
        }
    ],
}


def check(given: Any, file: str) -> list[Fault]:
    """List all faults of what was read from a calibration file.

    Parameters
    ----------
    given : object
        Content of the file.
    file : str
        Name of the file, for the messages.
    """
    if not isinstance(given, Mapping):
        return [Fault(file, "is no mapping of keys to values", "give a calibration file")]
    version = given.get("schema_version")
    if version != SCHEMA_VERSION:
        # The shape of another version is not known here: nothing else can be said.
        return [
            Fault(
                f"{file}, schema_version",
                f"is not {SCHEMA_VERSION} ({version!r})",
                "calibrate again with this version of hukou-opt",
            )
        ]
    faults: list[Fault] = []
    _check(given, SHAPE, file, faults)
    if not faults:
        faults += [*_meaning(given, file)]
    else:
        faults += _codes(given.get("regions"), given.get("at_floor"), file)
    return faults


def _check(value: Any, shape: Shape, where: str, faults: list[Fault]) -> None:
    """Compare a value with its shape, and go on below it."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            faults.append(Fault(where, f"is no list ({value!r})", "calibrate again"))
            return
        for at, each in enumerate(value):
            name = each.get("code", at) if isinstance(each, Mapping) else at
            _check(each, shape[0], f"{where}[{name}]", faults)
        return
    if shape == COUNTS or isinstance(shape, dict):
        if not isinstance(value, Mapping):
            faults.append(Fault(where, f"is no mapping ({value!r})", "calibrate again"))
            return
        wanted = dict.fromkeys(value, int) if shape == COUNTS else shape
        for key in wanted:
            if key not in value:
                faults.append(Fault(f"{where}, {key}", "is missing", "calibrate again"))
            else:
                _check(value[key], wanted[key], f"{where}, {key}", faults)
        faults += [
            Fault(f"{where}, {key}", "is unknown", did_you_mean(str(key), list(wanted)))
            for key in value
            if key not in wanted
        ]
        return
    choices = shape if isinstance(shape, tuple) else (shape,)
    if any(_is(value, each) for each in choices):
        if isinstance(value, float) and not math.isfinite(value):
            faults.append(Fault(where, f"is not finite ({value!r})", "calibrate again"))
        return
    words = " or ".join(_WORDS.get(each, "empty") for each in choices)
    faults.append(Fault(where, f"is not {words} ({value!r})", "calibrate again"))


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a kind; whole numbers are numbers, truth values are not."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _meaning(given: Mapping[str, Any], file: str) -> list[Fault]:
    """Faults of a file whose shape is right."""
    faults: list[Fault] = []
    window = given["window"]
    if window["vintage"] not in VINTAGES:
        faults.append(
            Fault(
                f"{file}, window, vintage",
                f"is unknown ({window['vintage']!r})",
                did_you_mean(window["vintage"], list(VINTAGES)),
            )
        )
    years = window["years"]
    if years != sorted(set(years)) or [*years[:1], *years[-1:]] != [
        window["first"],
        window["last"],
    ]:
        faults.append(
            Fault(
                f"{file}, window, years",
                f"do not run from {window['first']} to {window['last']} ({years})",
                "calibrate again",
            )
        )
    rows = given["national"]["parameters"]
    names = [row["name"] for row in rows]
    if names != list(FITTED):
        faults.append(
            Fault(
                f"{file}, national, parameters",
                f"are not those that are fitted ({', '.join(names) or 'none'})",
                f"give {', '.join(FITTED)}",
            )
        )
    faults += [
        Fault(
            f"{file}, national, {row['name']}",
            f"is outside its interval ({row['value']:g}, {row['low']:g} to {row['high']:g})",
            "calibrate again",
        )
        for row in rows
        if not row["low"] <= row["value"] <= row["high"]
    ]
    return faults + _codes(given["regions"], given["at_floor"], file)


def _codes(regions: Any, at_floor: Any, file: str) -> list[Fault]:
    """Codes that are unknown, missing or given twice."""
    if not isinstance(regions, list):
        return []
    known = load_regions().codes
    codes = [row.get("code") for row in regions if isinstance(row, Mapping)]
    faults = []
    for where, given in (("regions", codes), ("at_floor", at_floor)):
        texts = [code for code in given or [] if isinstance(code, str)]
        for code in dict.fromkeys(texts):
            if code not in known:
                faults.append(
                    Fault(
                        f"{file}, {where}, code {code!r}",
                        "is unknown",
                        "give the codes of the provinces",
                    )
                )
            if texts.count(code) > 1:
                faults.append(Fault(f"{file}, {where}, code {code!r}", "stands twice", "keep one"))
    faults += [
        Fault(f"{file}, regions, code {code!r}", "is missing", "calibrate again")
        for code in known
        if code not in codes
    ]
    return faults
