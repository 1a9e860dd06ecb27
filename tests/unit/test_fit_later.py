"""Assumptions later than the vintage: many at once give what each alone gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import past_cases
import pytest

from hukou_opt.fit.forecast import HELD, run, start
from hukou_opt.fit.later import later_assumptions
from hukou_opt.fit.national import FITTED
from hukou_opt.fit.outcome import outcome
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.parameters import Parameters

TEST = "first_published"
#: One parameter of the model, one of the base year, one that was known in time.
MODEL, DERIVED, KNOWN = "return_crowding", "return_rate", "inequality_aversion"


@pytest.fixture(scope="module")
def few() -> Parameters:
    """The registry with only a few parameters known later, so that the test is quick."""
    rows = {
        name: row if name in (MODEL, DERIVED) else replace(row, known_year=2000)
        for name, row in past_cases.registry().rows.items()
    }
    return Parameters(rows)


@pytest.fixture(scope="module")
def moved(few: Parameters) -> pd.DataFrame:
    protocol = load_protocol()
    fitted = past_cases.whole().calibrations[TEST]
    return later_assumptions(protocol.tests[TEST], protocol.forms[protocol.primary], fitted, few)


def alone(parameters: Parameters) -> float:
    """Urban error of one run with other values."""
    protocol = load_protocol()
    test, form = protocol.tests[TEST], protocol.forms[protocol.primary]
    fitted = past_cases.whole().calibrations[TEST]
    begun = start(
        past_cases.known(TEST, test.last),
        fitted.fit.trends,
        form,
        parameters,
        until=test.target,
        years_ahead=test.years_ahead,
    )
    end = run(begun, form, parameters, changed=fitted.national.as_constants()).isel(year=-1)
    actual, _ = outcome(test)
    share = (end["urban_residents"] / end["residents"]).to_numpy()
    return float(np.abs(100 * (share - actual["urban_share"])).mean())


@pytest.mark.parametrize("name", [MODEL, DERIVED])
@pytest.mark.parametrize("end", ["low", "high"])
def test_each_is_what_a_run_of_its_own_gives(
    moved: pd.DataFrame, few: Parameters, name: str, end: str
) -> None:
    row = moved[
        (moved["parameter"] == name) & (moved["end"] == end) & (moved["quantity"] == "urban_share")
    ].iloc[0]
    value = getattr(few.rows[name], end)
    assert row["value"] == value
    expected = alone(few.override({name: value}))
    assert row["error"] == pytest.approx(expected, abs=1e-9)
    assert row["change"] == pytest.approx(expected - alone(few), abs=1e-9)


def test_only_what_was_known_later_and_is_not_fitted_moves(moved: pd.DataFrame) -> None:
    assert set(moved["parameter"]) == {MODEL, DERIVED}
    assert not set(moved["parameter"]) & {*FITTED, *HELD, KNOWN}
    assert (moved["change"].abs() > 0).all()
