"""Assumptions made later than the vintage of a back-test, and how much each moves its score.

The model's own parameters were set years after the vintages; no back-test can undo that. What can
be said is how far the score would be another one with another value inside the parameter's range.
The calibration is not repeated, which makes the movement larger than it would be.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.dynamics.accept import MEMBER
from hukou_opt.fit.calibrate import Calibration
from hukou_opt.fit.forecast import (
    ACCESS_HELD,
    HELD,
    Form,
    Start,
    children_of,
    constants,
    hukou_rates,
    run,
    start,
)
from hukou_opt.fit.national import FITTED
from hukou_opt.fit.outcome import outcome
from hukou_opt.fit.protocol import Test
from hukou_opt.fit.score import MEASURES, mean_absolute
from hukou_opt.fit.vintage import known_at
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.fitting import Array

#: Rooms whose parameters reach a past run; the linear program is not part of it.
MODEL, DERIVATION = "model", "derivation"
ENDS = ("low", "high")
#: What moves a score by less is rounding.
NOTHING = 1e-9


def later_assumptions(
    test: Test, form: Form, fitted: Calibration, parameters: Parameters
) -> pd.DataFrame:
    """Scores with each parameter that became known after the vintage at the ends of its range.

    Parameters
    ----------
    test : Test
        Test of the protocol.
    form : Form
        Form of the forecast.
    fitted : Calibration
        Calibration of the test.
    parameters : Parameters
        The registry.

    Returns
    -------
    DataFrame
        One line per parameter, end of its range and quantity whose score moves: ``parameter``,
        ``known_year``, ``end``, ``value``, ``quantity``, ``unit``, ``error``, ``change``.
    """
    known = known_at(fitted.history, test.vintage, test.last)
    truth, rate = outcome(test)
    if rate is not None:
        truth = {**truth, "hukou_rate": np.array([rate])}

    def begun(changed: Parameters) -> Start:
        return start(
            known,
            fitted.fit.trends,
            form,
            changed,
            until=test.target,
            years_ahead=test.years_ahead,
        )

    national = fitted.national.as_constants()
    usual = begun(parameters)
    trials = [
        (name, end, float(getattr(parameters.rows[name], end)))
        for name in _late(test, form, parameters)
        for end in ENDS
    ]
    # Parameters of the model alone are members of one run; the others change the base year.
    together = [each for each in trials if parameters.rows[each[0]].room == MODEL]
    path = run(
        usual, form, parameters, changed={**national, **_members(together, parameters, usual, form)}
    )
    scores = [_scores(path.isel({MEMBER: at}), truth) for at in range(len(together) + 1)]
    expected, found = scores[0], dict(zip(together, scores[1:], strict=True))
    for each in trials:
        if each not in found:
            changed = parameters.override({each[0]: each[2]})
            found[each] = _scores(run(begun(changed), form, changed, changed=national), truth)
    return pd.DataFrame(
        [
            {
                "parameter": each[0],
                "known_year": parameters.rows[each[0]].known_year,
                "end": each[1],
                "value": each[2],
                "quantity": quantity,
                "unit": MEASURES[quantity].unit,
                "error": error,
                "change": error - expected[quantity],
            }
            for each in trials
            for quantity, error in found[each].items()
            if abs(error - expected[quantity]) > NOTHING
        ]
    )


def _members(
    trials: list[tuple[str, str, float]], parameters: Parameters, begun: Start, form: Form
) -> dict[str, xr.DataArray]:
    """One member with the usual values, and one per trial."""
    usual = constants(begun, form, parameters)
    values = {}
    for name in dict.fromkeys(name for name, _, _ in trials):
        column = np.full(len(trials) + 1, float(usual[name]))
        for at, (other, _, value) in enumerate(trials, start=1):
            if other == name:
                column[at] = value
        values[name] = xr.DataArray(column, {MEMBER: np.arange(len(column))}, (MEMBER,))
    return values


def _late(test: Test, form: Form, parameters: Parameters) -> list[str]:
    """Parameters of a past run that were neither known nor fitted nor set aside."""
    aside = {*FITTED, *HELD, *(ACCESS_HELD if form.access_held else ())}
    return [
        name
        for name in parameters.later_than(test.known_by)
        if parameters.rows[name].room in (MODEL, DERIVATION) and name not in aside
    ]


def _scores(path: xr.Dataset, truth: Mapping[str, Array]) -> dict[str, float]:
    end = path.isel(year=-1)
    values: dict[str, Array] = {
        "population": end["residents"].to_numpy(),
        "urban_share": (end["urban_residents"] / end["residents"]).to_numpy(),
        "children": children_of(end).to_numpy(),
        "hukou_rate": hukou_rates(path).to_numpy()[-1:],
    }
    return {
        quantity: mean_absolute(MEASURES[quantity].errors(value, truth[quantity]))
        for quantity, value in values.items()
        if quantity in truth
    }
