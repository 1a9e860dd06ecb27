"""What the package hangs on a result without the result knowing of it.

The result must not import the tables and figures made from it, so `hukou_opt` registers here by
name what ``result.table`` and ``result.plot`` are; they are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES: dict[str, tuple[str, str]] = {}


def register(name: str, module: str, attribute: str) -> None:
    """Say where the accessor `name` is to be found when it is first used."""
    _PLACES[name] = (module, attribute)


def names() -> tuple[str, ...]:
    """Names of all registered accessors."""
    return tuple(_PLACES)


def build(name: str, result: object) -> Any:
    """Import the accessor `name` and give it the result."""
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)(result)
