"""Families: experiment files whose runs are their variants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hukou_opt.errors import Fault
from hukou_opt.experiment.raw import Place, Raw, Spot

KEY = "variants"
#: What a variant does not say: it has its name from its key, and its base is its family.
NOT_IN_VARIANT = ("name", "extends", KEY, "schema_version")
#: Stands between the name of a family and that of a variant.
DOT = "."
VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_TITLE = "give it a title of its own: `title: {en: ..., zh: ...}`"


def variant_names(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Names of the variants of a file's settings, in its order; None where it is no family."""
    if KEY not in values:
        return None
    given = values[KEY]
    return tuple(given) if isinstance(given, Mapping) else ()


def family_faults(raw: Raw) -> list[Fault]:
    """What is wrong with the variants of a file as such, whichever of them is run."""
    if KEY not in raw.values:
        return []
    given = raw.values[KEY]
    if not isinstance(given, Mapping):
        what = f"must be a group of variants by name ({given!r})"
        return [Fault(raw.where((KEY,)), what, "write names below it, indented")]
    if not given:
        return [Fault(raw.where((KEY,)), "lists nothing", "add a variant, or leave the key out")]
    faults = []
    first: dict[str, str] = {}
    for name, item in given.items():
        faults += _variant_faults(raw, name, item)
        earlier = first.setdefault(name.lower(), name)
        if earlier != name:
            # Folders of results are named after them, and not every disk tells cases apart.
            what = f"differs from {earlier!r} in capitals only ({name!r})"
            faults.append(Fault(raw.where((KEY, name)), what, "choose another name"))
    if "expect" in raw.values:
        what = "stands in a family, which is not run itself"
        faults.append(Fault(raw.where(("expect",)), what, "write it below a variant"))
    return faults


def _variant_faults(raw: Raw, name: str, item: Any) -> list[Fault]:
    at: Place = (KEY, name)
    faults = []
    if not VARIANT_NAME.fullmatch(name):
        what = f"must be letters, digits, _ and - only ({name!r})"
        faults.append(Fault(raw.where(at), what, "use a name that can name a folder"))
    if not isinstance(item, Mapping):
        shown = "" if item is None else f" ({item!r})"
        what = f"must be a group of keys{shown}"
        return [*faults, Fault(raw.where(at), what, "write keys below it, indented")]
    for key in NOT_IN_VARIANT:
        if key in item:
            what = "does not belong into a variant, which extends its family"
            faults.append(Fault(raw.where((*at, key)), what, "move it above `variants`"))
    title = item.get("title")
    if title is None or (isinstance(title, Mapping) and not title.get("en")):
        faults.append(Fault(raw.where(at), "has no English title", _TITLE))
    return faults


def with_variant(raw: Raw, variant: str) -> Raw:
    """One variant of a family laid over what the family's variants have in common.

    Parameters
    ----------
    raw : Raw
        The family's own file; faults of the family are among its faults.
    variant : str
        Name of one of its variants.
    """
    item = raw.values[KEY][variant]
    own = dict(item) if isinstance(item, Mapping) else {}
    under: Place = (KEY, variant)
    places = {
        at[2:]: Spot(spot.line, under)
        for at, spot in raw.places.items()
        if at[:2] == under and len(at) > 2
    }
    # A fault in the name of a variant stands where the variant does.
    places["name",] = Spot(raw.places[under].line)
    values = {key: value for key, value in own.items() if key not in NOT_IN_VARIANT}
    values["name"] = f"{raw.values['name']}{DOT}{variant}"
    return Raw(values, places).over(raw)
