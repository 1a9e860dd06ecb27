"""Which parameters of the registry a calibration rests on, and which of them became known later."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Constant
from hukou_opt.fit.calibrate import Calibration
from hukou_opt.fit.forecast import ACCESS_HELD, HELD, run, start
from hukou_opt.fit.national import FITTED
from hukou_opt.parameters.registry import Parameter, Parameters

#: What the calibration compares with the window's figures.
COMPARED = ("residents", "urban_residents", "urban_hukou_residents")
#: The room whose parameters the model reads all at once, the rows it shares with others apart.
MODEL_ROOM = "model"
#: Relative movement of the path that is rounding.
NOTHING = 1e-9


class _Noted(Parameters):
    """A registry that notes which of its values are asked for by name."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters.rows, parameters.overridden)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> float:
        self.asked.add(name)
        return super().__getitem__(name)


def used_parameters(calibration: Calibration) -> tuple[Parameter, ...]:
    """Parameters that the simulated window depends on, in the registry's order.

    Of the estimates of the base year, those that are read. Of the model, which is given all of its
    room, those that move people or hukou over the window when set to the farther end of their
    range. What is fitted, or set aside for a past window, is left out.
    """
    parameters, fit = calibration.parameters, calibration.fit
    noted = _Noted(parameters)
    window = calibration.window
    begun = start(
        calibration.known, fit.trends, fit.form, noted, until=window.last, years_ahead=0.0
    )
    found = {name for name in noted.asked if parameters.rows[name].room != MODEL_ROOM}
    aside = {*FITTED, *HELD, *(ACCESS_HELD if fit.form.access_held else ())}
    tried = [
        row
        for row in parameters.rows.values()
        if row.room == MODEL_ROOM and row.name not in aside and row.low < row.high
    ]
    members = list(range(len(tried) + 1))
    changed: dict[str, Constant] = dict(calibration.national.as_constants())
    for at, row in enumerate(tried, start=1):
        values = np.full(len(members), row.value)
        values[at] = row.low if row.value - row.low > row.high - row.value else row.high
        changed[row.name] = xr.DataArray(values, {"member": members}, ("member",))
    path = run(begun, fit.form, parameters, changed=changed)
    for at, row in enumerate(tried, start=1):
        for name in COMPARED:
            each = path[name].transpose("member", ...).to_numpy()
            if not np.allclose(each[at], each[0], rtol=NOTHING, atol=0.0):
                found.add(row.name)
    return tuple(row for row in parameters.rows.values() if row.name in found)


def known_later(used: tuple[Parameter, ...], year: int) -> tuple[str, ...]:
    """Names of the used parameters whose value became known after a year."""
    return tuple(row.name for row in used if row.known_year > year)
