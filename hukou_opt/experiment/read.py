"""Read experiment files: YAML 1.2, line numbers for the faults, simple inheritance, families."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hukou_opt import bundled
from hukou_opt.errors import ExperimentError, Fault, did_you_mean
from hukou_opt.experiment.raw import Place, Raw, Spot
from hukou_opt.experiment.variants import (
    DOT,
    KEY,
    VARIANT_NAME,
    family_faults,
    variant_names,
    with_variant,
)

SUFFIXES = (".yaml", ".yml")


class UnknownNameError(ExperimentError):
    """There is no experiment, or no variant, of that name."""


@dataclass(frozen=True)
class Source:
    """Where an experiment is read from.

    Parameters
    ----------
    path : Path
        Its file.
    variant : str or None
        Which variant of the file is meant; none where the file is meant whole.
    """

    path: Path
    variant: str | None = None


def find(name: str | Path, folder: Path | None = None) -> Source:
    """Return where an experiment is read from, given its name or its path.

    ``family.variant`` names one variant of a shipped family or of a file, whose ending may be left
    out.

    Raises
    ------
    ExperimentError
        If there is neither a shipped experiment nor a file of that name, or no such variant.
    """
    text = str(name)
    shipped = bundled.experiments()
    if text in shipped:
        return Source(shipped[text])
    base = Path() if folder is None else folder
    if (base / text).is_file():
        return Source(base / text)
    stem, _, variant = text.rpartition(DOT)
    if stem and VARIANT_NAME.fullmatch(variant) and f"{DOT}{variant}" not in SUFFIXES:
        files = [base / each for each in (stem, *(f"{stem}{suffix}" for suffix in SUFFIXES))]
        path = shipped.get(stem) or next((each for each in files if each.is_file()), None)
        if path is not None:
            return _named(text, path, variant)
        text, asked = stem, text
    else:
        asked = text
    if Path(asked).suffix in SUFFIXES or len(Path(asked).parts) > 1:
        fault = Fault(f"experiment {asked!r}", "there is no such file", "check the path")
    else:
        fault = Fault(
            f"experiment {asked!r}",
            "is neither a shipped experiment nor a file",
            did_you_mean(text, list(shipped)),
        )
    raise UnknownNameError(fault)


def _named(text: str, path: Path, variant: str) -> Source:
    """One variant of a file that is there."""
    names = variant_names(_read_one(path).values)
    if names is not None and variant in names:
        return Source(path, variant)
    where = f"experiment {text!r}"
    if names is None:
        raise UnknownNameError(
            Fault(where, f"has no variants ({path.name})", f"leave {DOT}{variant} out")
        )
    raise UnknownNameError(
        Fault(where, f"has no such variant ({variant!r})", did_you_mean(variant, names))
    )


def read(source: Source, chain: tuple[Path, ...] = ()) -> Raw:
    """Read one experiment with all that it extends.

    Parameters
    ----------
    source : Source
        A file, or one of its variants. A family without a variant gives what its variants have in
        common, and their names.
    chain : tuple of Path, optional
        Files that extend this one.

    Raises
    ------
    ExperimentError
        If a file is no YAML mapping, a key stands twice, or files extend each other in a circle.
    """
    path = source.path.resolve()
    if path in chain:
        names = " -> ".join(item.name for item in (*chain, path))
        raise ExperimentError(
            Fault(
                f"{path.name}, extends", f"the files extend each other ({names})", "cut the circle"
            )
        )
    file = _read_one(path)
    faults = list(family_faults(file))
    extends, parent_line = file.values.pop("extends", None), file.where(("extends",))
    if source.variant is None:
        raw = replace(file, variants=variant_names(file.values))
    else:
        raw = with_variant(file, source.variant)
    raw.values.pop(KEY, None)
    if extends is None:
        return replace(raw, faults=tuple(faults))
    if not isinstance(extends, str):
        raise ExperimentError(
            Fault(parent_line, f"must be a name or a path ({extends!r})", "give text")
        )
    try:
        parent = find(extends, path.parent)
    except UnknownNameError as error:
        faults += [
            Fault(parent_line, f"unknown parent ({extends!r})", fault.fix) for fault in error.faults
        ]
        return replace(raw, faults=tuple(faults))
    return replace(raw, faults=tuple(faults)).over(read(parent, (*chain, path)))


def _read_one(path: Path) -> Raw:
    # The round-trip loader is the one that knows lines; it constructs plain data only.
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = False
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" line {error.problem_mark.line + 1}"
        problem = str(error.problem or error.context or "cannot be read").strip()
        raise ExperimentError(
            Fault(f"{path.name}{line}", f"is not valid YAML ({problem})", "repair the line")
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ExperimentError(
            Fault(path.name, f"is not valid YAML ({error})", "save it as UTF-8 text")
        ) from None
    except OSError as error:
        raise ExperimentError(
            Fault(str(path), f"cannot be read ({error.strerror})", "check the path and its rights")
        ) from None
    if loaded is None:
        raise ExperimentError(Fault(path.name, "is empty", "start from a shipped experiment"))
    if not isinstance(loaded, CommentedMap):
        raise ExperimentError(
            Fault(path.name, "is no mapping of keys to values", "start from a shipped experiment")
        )
    places: dict[Place, Spot] = {}
    values = _plain(loaded, (), places, path.name)
    values.setdefault("name", path.stem)
    return Raw(values, places)


def _plain(value: Any, at: Place, places: dict[Place, Spot], file: str) -> Any:
    """Turn the loader's own types into plain ones and note the line of each key and item."""
    if isinstance(value, CommentedMap):
        result: dict[str, Any] = {}
        for key, item in value.items():
            # A key that comes by a merge (`<<`) has no line of its own.
            line = value.lc.data.get(key, [value.lc.line])[0] + 1
            places[(*at, str(key))] = Spot(f"{file} line {line}")
            result[str(key)] = _plain(item, (*at, str(key)), places, file)
        return result
    if isinstance(value, CommentedSeq):
        items = []
        for index, item in enumerate(value):
            places[(*at, index)] = Spot(f"{file} line {value.lc.data[index][0] + 1}")
            items.append(_plain(item, (*at, index), places, file))
        return items
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
