"""The calibration file: a calibration as a small text file that can be read, cited and repeated."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from hukou_opt import __version__, bundled
from hukou_opt.errors import DataError, Fault, OutputError
from hukou_opt.fit.calibrate import Calibration
from hukou_opt.fit.calibration_schema import SCHEMA_VERSION, check
from hukou_opt.fit.national import Conditional
from hukou_opt.fit.used import known_later, used_parameters
from hukou_opt.regions.history import SHIPPED

#: Significant figures of the numbers in the file.
DIGITS = 6
#: No line is broken.
_WIDTH = 10_000
_HEAD = """\
# Calibration of the stock-flow model of hukou-opt to the years {first} to {last}.
# Repeat it with:
#   {command}
"""
_COLUMNS = """\
# slope: yearly change of the urban share on the logit scale, 1/year. net_moves: net moves from
# other regions over residents, 1/year. natural: births less deaths over residents, 1/year.
# _observed is what the figures say, without ending what the model needs to reproduce them, _error
# the standard error from the scatter of the yearly changes.
"""
_NO_RIDGE = "# The command also fills in the ridge, which a back-test leaves empty.\n"
READING = (
    "The slopes and net moves of the regions are means of the window's changes, one number per "
    "series: the end of the window is met by construction and is no evidence for the model. Their "
    "yearly changes serve for the errors only. The national hukou rate alone could contradict it."
)


@dataclass(frozen=True)
class SavedNational:
    """One national parameter with its interval.

    Parameters
    ----------
    value, low, high : float
        Estimate and interval, in the registry's unit.
    at_bound : bool
        Whether the estimate stands at a bound of its range.
    """

    value: float
    low: float
    high: float
    at_bound: bool


@dataclass(frozen=True)
class SavedRegion:
    """What a window says of one region, 1/year.

    Parameters
    ----------
    slope, slope_observed, slope_error : float
        Slope of the urban share on the logit scale: calibrated, observed, standard error.
    net_moves, net_moves_observed, net_moves_error : float
        Net moves from other regions over residents.
    natural : float
        Births less deaths over residents.
    at_floor : bool
        Whether the region's moves stand at the least that is believed, and cannot follow.
    """

    slope: float
    slope_observed: float
    slope_error: float
    net_moves: float
    net_moves_observed: float
    net_moves_error: float
    natural: float
    at_floor: bool


@dataclass(frozen=True)
class SavedCalibration:
    """A calibration read from its file.

    Parameters
    ----------
    first, last : int
        Window.
    years : tuple of int
        Years with figures.
    vintage : {"revised", "first"}
        Series of today, or as first published.
    known_by : int or None
        Nothing that became known later was used; None where nothing was withheld.
    access_held : bool
        Whether access to schools and hospitals was held.
    level : float
        Confidence level of the intervals.
    national : mapping of str to SavedNational
        National parameters by name.
    ridge : tuple of Conditional
        Settlement for given shares of reclassification; empty where it was not asked for.
    regions : mapping of str to SavedRegion
        By region code, in the file's order.
    pooling : float
        Part of the variance between the regions' slopes that is noise.
    persistence : float
        Slope of net moves between two successive five-year tables.
    free, observations : mapping of str to int
        Numbers of free parameters and of observations by kind.
    known_later : tuple of str
        Parameters in use that became known after the vintage.
    model, history : str
        SHA-256 of the model and of the annual series.
    identity : str
        SHA-256 of the file.
    """

    first: int
    last: int
    years: tuple[int, ...]
    vintage: str
    known_by: int | None
    access_held: bool
    level: float
    national: Mapping[str, SavedNational]
    ridge: tuple[Conditional, ...]
    regions: Mapping[str, SavedRegion]
    pooling: float
    persistence: float
    free: Mapping[str, int]
    observations: Mapping[str, int]
    known_later: tuple[str, ...]
    model: str
    history: str
    identity: str


def repeat_command(calibration: Calibration) -> str:
    """The command that makes the calibration again."""
    history = calibration.history
    parts = [
        "hukou-opt calibrate",
        f"--from {calibration.window.years[0]} --to {calibration.window.last}",
        # Without a limit the command would set one of its own; the last known year changes nothing.
        f"--known-by {history.known_by or int(history.known.to_dataframe().to_numpy().max())}",
        f"--series {calibration.vintage}",
        f"--access {'held' if calibration.fit.form.access_held else 'simulated'}",
    ]
    if history.name != SHIPPED:
        parts.append(f"--history {history.name}")
    return " ".join(parts)


def calibration_text(calibration: Calibration) -> str:
    """Text of the calibration file; the same calibration gives the same bytes."""
    head = _HEAD.format(
        first=calibration.window.years[0],
        last=calibration.window.last,
        command=repeat_command(calibration),
    )
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.default_flow_style = False
    stream = io.StringIO()
    yaml.dump(_content(calibration), stream)
    ridge = "" if calibration.national.ridge else _NO_RIDGE
    return head + ridge + _COLUMNS + stream.getvalue()


def write_calibration(calibration: Calibration, path: str | Path) -> None:
    """Write a calibration as one small YAML file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    target = Path(path)
    text = calibration_text(calibration)
    draft: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # A temporary file is for its owner only; a result is as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        draft.replace(target)
    except OSError as error:
        if draft is not None:
            draft.unlink(missing_ok=True)
        raise OutputError(
            Fault(
                str(target),
                f"cannot be written ({error.strerror or error})",
                "name a file in a folder of your own with --out",
            )
        ) from error


def read_calibration(path: str | Path) -> SavedCalibration:
    """Read a calibration file.

    Raises
    ------
    DataError
        With every fault of the file: wrong schema version, missing or unknown keys, numbers that
        are not finite, codes that are not those of the shipped regions.
    """
    source = Path(path)
    yaml = YAML(typ="safe", pure=True)
    try:
        text = source.read_text(encoding="utf-8")
        given: Any = yaml.load(text)
    except OSError as error:
        raise DataError(
            Fault(str(path), f"cannot be read ({error.strerror})", "check the path and its rights")
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise DataError(
            Fault(source.name, f"is not valid YAML ({problem})", "calibrate again")
        ) from None
    if faults := check(given, source.name):
        raise DataError(faults)
    window, provenance, counts = given["window"], given["provenance"], given["counts"]
    floor = set(given["at_floor"])
    return SavedCalibration(
        first=window["first"],
        last=window["last"],
        years=tuple(window["years"]),
        vintage=window["vintage"],
        known_by=window["known_by"],
        access_held=window["access_held"],
        level=float(given["national"]["level"]),
        national={
            row["name"]: SavedNational(
                float(row["value"]), float(row["low"]), float(row["high"]), row["at_bound"]
            )
            for row in given["national"]["parameters"]
        },
        ridge=tuple(
            Conditional(**{name: float(value) for name, value in row.items()})
            for row in given["national"]["ridge"]
        ),
        regions={
            row["code"]: SavedRegion(
                **{name: float(value) for name, value in row.items() if name != "code"},
                at_floor=row["code"] in floor,
            )
            for row in given["regions"]
        },
        pooling=float(given["pooling"]),
        persistence=float(given["persistence"]),
        free=dict(counts["free"]),
        observations=dict(counts["observations"]),
        known_later=tuple(provenance["known_later"]),
        model=provenance["model"],
        history=provenance["history_identity"],
        identity=hashlib.sha256(text.encode()).hexdigest(),
    )


def _content(calibration: Calibration) -> dict[str, Any]:
    """Content of the file in the order of its keys."""
    history, window, fit = calibration.history, calibration.window, calibration.fit
    found = calibration.national
    used = used_parameters(calibration)
    later = () if history.known_by is None else known_later(used, history.known_by)
    model = hashlib.sha256(bundled.model().read_bytes()).hexdigest()
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": {
            "hukou_opt": __version__,
            "model": model,
            "history": history.name,
            "history_identity": history.identity,
            "parameters": [
                _line({"name": row.name, "value": _short(row.value), "known_year": row.known_year})
                for row in used
            ],
            "known_later": _list(later),
        },
        "window": {
            "first": window.years[0],
            "last": window.last,
            "years": _list(window.years),
            "vintage": calibration.vintage,
            "known_by": history.known_by,
            "access_held": fit.form.access_held,
        },
        "counts": {
            "free": dict(calibration.free),
            "observations": dict(calibration.observations),
            "reading": READING,
        },
        "national": {
            "level": calibration.level,
            "parameters": [
                _line(
                    {
                        "name": name,
                        "value": _short(found.values[at]),
                        "low": _short(found.low[at]),
                        "high": _short(found.high[at]),
                        "at_bound": name in found.at_bound,
                    }
                )
                for at, name in enumerate(found.names)
            ],
            "correlation": [_list(map(_short, row)) for row in found.correlation],
            "scatter": _short(found.scatter),
            "ridge": [
                _line(
                    {
                        "reclassified": _short(each.reclassified),
                        "settlement": _short(each.settlement),
                        "low": _short(each.low),
                        "high": _short(each.high),
                        "scatter": _short(each.scatter),
                    }
                )
                for each in found.ridge
            ],
            "hukou_rate": [
                _line({"year": year, "observed": _short(seen), "fitted": _short(made)})
                for year, seen, made in zip(found.years, found.observed, found.fitted, strict=True)
            ],
        },
        "pooling": _short(fit.trends.pooling),
        "persistence": _short(fit.trends.persistence),
        "at_floor": _list(window.codes[at] for at in fit.fixed),
        "regions": _regions(calibration),
    }


def _regions(calibration: Calibration) -> list[CommentedMap]:
    made, seen = calibration.fit.trends, calibration.observed
    columns = {
        "slope": made.slope.mean,
        "slope_observed": seen.slope.mean,
        "slope_error": seen.slope.error,
        "net_moves": made.net_moves.mean,
        "net_moves_observed": seen.net_moves.mean,
        "net_moves_error": seen.net_moves.error,
        "natural": seen.natural,
    }
    return [
        _line({"code": code} | {name: _short(values[at]) for name, values in columns.items()})
        for at, code in enumerate(calibration.window.codes)
    ]


def _short(value: float) -> float:
    """A number to the file's significant figures; a rounded zero has no sign."""
    return float(f"{float(value):.{DIGITS}g}") + 0.0


def _line(values: Mapping[str, Any]) -> CommentedMap:
    """A mapping on one line."""
    made = CommentedMap(values)
    made.fa.set_flow_style()
    return made


def _list(values: Any) -> CommentedSeq:
    """A list on one line."""
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made
