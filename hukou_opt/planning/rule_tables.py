"""The rules in a result: what they ask and get, and how often they bind."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.allocation.rules.slack_table import asked
from hukou_opt.planning.coupling import Round


def slack_group(best: Round) -> xr.Dataset:
    """Every cell of every soft and reported rule: asked, got, short by."""
    cells = asked(best.problem, best.allocation.solution)
    columns = {
        key: ("cell", np.array([getattr(cell, key) for cell in cells]))
        for key in ("rule", "section", "kind", "where", "asked", "got", "short_by", "unit")
    }
    return xr.Dataset(columns, {"cell": list(range(len(cells)))})


def rules_group(best: Round) -> xr.Dataset:
    """Every rule with its mode, its rows, and how many of them bind in the answer."""
    found = best.allocation.binding
    columns = {
        key: ("rule", np.array([getattr(each, key) for each in found]))
        for key in ("section", "kind", "mode", "rows", "binding")
    }
    return xr.Dataset(columns, {"rule": [each.rule for each in found]})
