"""Regions: official figures, their checks, and the base year estimated from them.

`load.py` reads a table of official figures, `schema.py` lists its faults, `derive.py` estimates
the base year of the stock-flow model, `sources.py` says where every figure comes from.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hukou_opt.regions.base_year import BaseYear
    from hukou_opt.regions.derive import derive_base_year
    from hukou_opt.regions.history import History, load_history
    from hukou_opt.regions.load import Regions, check_table, load_regions
    from hukou_opt.regions.sources import derived_overview, sources_table

__all__ = [
    "load_regions",
    "load_history",
    "History",
    "check_table",
    "derive_base_year",
    "sources_table",
    "derived_overview",
    "Regions",
    "BaseYear",
]

_WHERE = {
    "load_regions": "load",
    "load_history": "history",
    "History": "history",
    "check_table": "load",
    "Regions": "load",
    "derive_base_year": "derive",
    "BaseYear": "base_year",
    "sources_table": "sources",
    "derived_overview": "sources",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'hukou_opt.regions' has no attribute {name!r}")
    return getattr(import_module(f"hukou_opt.regions.{_WHERE[name]}"), name)
