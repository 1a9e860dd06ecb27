"""Read experiment files: YAML 1.2, line numbers for the faults, simple inheritance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hukou_opt import bundled
from hukou_opt.errors import ExperimentError, Fault, did_you_mean

Place = tuple[str | int, ...]
#: What an experiment does not take from the one that it extends.
NOT_INHERITED = ("name", "title", "description", "extends")


@dataclass(frozen=True)
class Raw:
    """Settings of an experiment before they are checked, and where each of them stands.

    Parameters
    ----------
    values : dict
        Nested settings, with those of the parents underneath.
    places : dict of tuple to str
        File and line of each setting, by its path of keys.
    faults : tuple of Fault
        An unknown parent: the file's own settings are still checked, so that all faults show.
    """

    values: dict[str, Any]
    places: dict[Place, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def where(self, path: Place) -> str:
        """Dotted path of keys, items of lists by number, with file and line where known."""
        dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
        dotted = dotted.removeprefix(".") or "experiment"
        at = path
        while at and at not in self.places:
            at = at[:-1]
        return f"{self.places[at]}, {dotted}" if at in self.places else dotted


def find(name: str | Path, folder: Path | None = None) -> Path:
    """Return the path of an experiment given by its shipped name or by its path.

    Raises
    ------
    ExperimentError
        If there is neither a shipped experiment nor a file of that name.
    """
    text = str(name)
    shipped = bundled.experiments()
    if text in shipped:
        return shipped[text]
    path = Path(text) if folder is None else folder / text
    if path.is_file():
        return path
    if path.suffix in {".yaml", ".yml"} or len(Path(text).parts) > 1:
        fault = Fault(f"experiment {text!r}", "there is no such file", "check the path")
    else:
        fault = Fault(
            f"experiment {text!r}",
            "is neither a shipped experiment nor a file",
            did_you_mean(text, list(shipped)),
        )
    raise ExperimentError(fault)


def read(path: Path, chain: tuple[Path, ...] = ()) -> Raw:
    """Read one experiment file with all that it extends.

    Raises
    ------
    ExperimentError
        If a file is no YAML mapping, a key stands twice, or files extend each other in a circle.
    """
    path = path.resolve()
    if path in chain:
        names = " -> ".join(item.name for item in (*chain, path))
        raise ExperimentError(
            Fault(
                f"{path.name}, extends", f"the files extend each other ({names})", "cut the circle"
            )
        )
    raw = _read_one(path)
    parent = raw.values.pop("extends", None)
    if parent is None:
        return raw
    if not isinstance(parent, str):
        raise ExperimentError(
            Fault(raw.where(("extends",)), f"must be a name or a path ({parent!r})", "give text")
        )
    try:
        parent_path = find(parent, path.parent)
    except ExperimentError as error:
        unknown = tuple(
            Fault(raw.where(("extends",)), f"unknown parent ({parent!r})", fault.fix)
            for fault in error.faults
        )
        return Raw(raw.values, raw.places, unknown)
    below = read(parent_path, (*chain, path))
    inherited = {key: item for key, item in below.values.items() if key not in NOT_INHERITED}
    if "model" in raw.values:
        # Trust is for the model that it was written for.
        inherited.pop("trust_model", None)
    return Raw(_merge(inherited, raw.values), {**below.places, **raw.places}, below.faults)


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
    places: dict[Place, str] = {}
    values = _plain(loaded, (), places, path.name)
    values.setdefault("name", path.stem)
    return Raw(values, places)


def _plain(value: Any, at: Place, places: dict[Place, str], file: str) -> Any:
    """Turn the loader's own types into plain ones and note the line of each key and item."""
    if isinstance(value, CommentedMap):
        result: dict[str, Any] = {}
        for key, item in value.items():
            line = value.lc.data[key][0] + 1
            places[(*at, str(key))] = f"{file} line {line}"
            result[str(key)] = _plain(item, (*at, str(key)), places, file)
        return result
    if isinstance(value, CommentedSeq):
        items = []
        for index, item in enumerate(value):
            places[(*at, index)] = f"{file} line {value.lc.data[index][0] + 1}"
            items.append(_plain(item, (*at, index), places, file))
        return items
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay settings over those of the parent; groups are merged, lists and values replaced."""
    merged = dict(below)
    for key, item in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(item, Mapping):
            merged[key] = _merge(old, item)
        else:
            merged[key] = item
    return merged
