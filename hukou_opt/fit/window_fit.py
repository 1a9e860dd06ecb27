"""Calibrate slopes and net moves: the model, started in the window's first year, reproduces both.

Returns, settlement and the ageing of the migrants' stock bend the path of the model, so that a flow
matrix fitted to the first year alone does not keep the window's slope. The correction is found by
iteration: what the run lacks is added to what the margins are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hukou_opt.dynamics.engine import Constant
from hukou_opt.errors import Fault, ModelError
from hukou_opt.fit.forecast import Form, Start, run, start
from hukou_opt.fit.past import Known
from hukou_opt.fit.trends import Drift, Trends, Window, logit
from hukou_opt.parameters.registry import Parameters

#: Largest remaining difference in slope or net moves, 1/year.
TOLERANCE = 1e-6
#: Iterations after which calibration gives up; six are usual.
ROUNDS = 60


def as_it_is(*, access_held: bool) -> Form:
    """The form in which the window itself is simulated: nothing pooled, nothing damped."""
    return Form("window", "as it is", pooled=False, damped=False, access_held=access_held)


@dataclass(frozen=True, eq=False)
class WindowFit:
    """Slopes and net moves with which the model reproduces a window.

    Parameters
    ----------
    form : Form
        How the window was simulated.
    trends : Trends
        The window's trends with calibrated means; errors are those of the data.
    begun : Start
        Base year of the window's first year.
    remaining : float
        Largest difference left, 1/year.
    fixed : tuple of int
        Regions whose margins stand at their floor and cannot follow.
    """

    form: Form
    trends: Trends
    begun: Start
    remaining: float
    fixed: tuple[int, ...]


def fit_window(
    window: Window,
    known: Known,
    found: Trends,
    parameters: Parameters,
    *,
    form: Form,
    changed: Mapping[str, Constant] | None = None,
) -> WindowFit:
    """Calibrate slopes and net moves of a window.

    Parameters
    ----------
    window : Window
        Yearly figures.
    known : Known
        Figures at the window's first year.
    found : Trends
        What the window says.
    parameters : Parameters
        The registry.
    form : Form
        How the window is simulated; see `as_it_is`.
    changed : mapping, optional
        Constants of the model that differ from the registry.

    Raises
    ------
    ModelError
        If the run does not come to reproduce the window.
    """
    length = window.last - window.years[0]
    slope, net = found.slope.mean.copy(), found.net_moves.mean.copy()
    wanted_slope, wanted_net = found.slope.mean, found.net_moves.mean
    for _ in range(ROUNDS):
        tried = replace(
            found,
            slope=Drift(slope, found.slope.error, found.slope.changes),
            net_moves=Drift(net, found.net_moves.error, found.net_moves.changes),
        )
        begun = start(known, tried, form, parameters, until=window.last, years_ahead=0.0)
        path = run(begun, form, parameters, changed=changed)
        total = path["residents"].values
        share = path["urban_residents"].values / total
        missing_slope = wanted_slope - (logit(share[-1]) - logit(share[0])) / length
        # Growth beyond natural growth, less the country's, as in `trends`.
        residual = np.diff(total, axis=0) / ((total[1:] + total[:-1]) / 2) - found.natural
        weight = total[:-1]
        residual = residual - (residual * weight).sum(1, keepdims=True) / weight.sum(
            1, keepdims=True
        )
        missing_net = wanted_net - residual.mean(axis=0)
        free = np.ones(len(slope), dtype=bool)
        free[list(begun.moves.floored)] = False
        # Net moves sum to zero: what regions at their floor keep, the others share, and no
        # calibration takes it from them.
        shared = float((missing_net * total[0])[free].sum() / total[0][free].sum())
        missing_net = missing_net - shared
        remaining = float(max(np.abs(missing_slope[free]).max(), np.abs(missing_net[free]).max()))
        if remaining < TOLERANCE:
            return WindowFit(form, tried, begun, remaining, begun.moves.floored)
        slope, net = slope + np.where(free, missing_slope, 0), net + np.where(free, missing_net, 0)
    raise ModelError(
        Fault(
            f"calibration to {window.years[0]}-{window.last}",
            f"does not come to rest ({remaining:.1e} after {ROUNDS} rounds)",
            "check the window's figures for breaks",
        )
    )
