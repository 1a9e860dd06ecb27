"""Settings of an experiment before they are checked, and where each of them stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hukou_opt.errors import Fault

Place = tuple[str | int, ...]
#: What an experiment does not take from the one that it extends, nor a variant from its family.
NOT_INHERITED = ("name", "title", "description", "extends", "variants", "expect")


@dataclass(frozen=True)
class Spot:
    """Where a setting stands.

    Parameters
    ----------
    line : str
        File and line.
    under : tuple of str or int
        Keys above those of the setting's own path, such as ``variants`` and the variant's name.
    """

    line: str
    under: Place = ()


@dataclass(frozen=True)
class Raw:
    """Settings of an experiment before they are checked, and where each of them stands.

    Parameters
    ----------
    values : dict
        Nested settings, with those of the parents underneath.
    places : dict of tuple to Spot
        File and line of each setting, by its path of keys.
    faults : tuple of Fault
        An unknown parent, or a family that is built wrongly: the file's own settings are still
        checked, so that all faults show.
    variants : tuple of str or None
        Names of the variants where the file is a family and none of them was asked for.
    """

    values: dict[str, Any]
    places: dict[Place, Spot] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    variants: tuple[str, ...] | None = None

    def where(self, path: Place) -> str:
        """Dotted path of keys, items of lists by number, with file and line where known."""
        at = path
        while at and at not in self.places:
            at = at[:-1]
        if at not in self.places:
            return dotted(path)
        spot = self.places[at]
        return f"{spot.line}, {dotted((*spot.under, *path))}"

    def over(self, below: Raw) -> Raw:
        """These settings laid over those of a parent, or of the family."""
        inherited = {key: item for key, item in below.values.items() if key not in NOT_INHERITED}
        if "model" in self.values:
            # Trust is for the model that it was written for.
            inherited.pop("trust_model", None)
        places = {at: spot for at, spot in below.places.items() if at[0] not in NOT_INHERITED}
        return Raw(
            merge(inherited, self.values),
            {**places, **self.places},
            (*below.faults, *self.faults),
            self.variants,
        )


def dotted(path: Iterable[str | int]) -> str:
    """A path of keys as it is written in messages."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".") or "experiment"


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay settings over those of the parent; groups are merged, lists and values replaced."""
    merged = dict(below)
    for key, item in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(item, Mapping):
            merged[key] = merge(old, item)
        else:
            merged[key] = item
    return merged
