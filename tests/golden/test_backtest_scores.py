"""The whole back-test: scores that must not move unseen, and what they rest on.

A change that is meant to move them is shown by running this file, which writes the table anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from past_cases import TESTS, registry, whole
from poisoned import ABSURD, poison_regions, poisoned_history

from hukou_opt.fit import backtest as module
from hukou_opt.fit.backtest import MODEL, NAIVE, backtest
from hukou_opt.fit.forecast import hukou_rates, run
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.fit.score import MEASURES
from hukou_opt.regions import history as history_module

GOLDEN = Path(__file__).with_name("backtest_scores.csv")
KEYS = ["test", "quantity", "forecast", "kind", "unit"]
FIGURES = [
    "mean_absolute_error",
    "root_mean_square_error",
    "mean_error",
    "theil_um",
    "theil_us",
    "theil_uc",
    "theil_u",
]
#: Relative; parts of the error near zero are compared on the scale of one.
RELATIVE, ABSOLUTE = 1e-4, 1e-5
PROTOCOL = load_protocol()

pytestmark = pytest.mark.slow


def error(test: str, quantity: str, forecast: str) -> float:
    found = whole().scores().set_index(KEYS[:3])["mean_absolute_error"]
    return float(found.loc[test, quantity, forecast])


def table() -> pd.DataFrame:
    return whole().scores()[KEYS + FIGURES]


@pytest.mark.golden
def test_scores_are_those_of_the_table() -> None:
    expected = pd.read_csv(GOLDEN)
    pd.testing.assert_frame_equal(
        table(), expected, rtol=RELATIVE, atol=ABSOLUTE, check_dtype=False
    )


def test_naive_forecasts_have_the_errors_found_before() -> None:
    """Against the census, 31 provinces, as published with the data."""
    for test, quantity, forecast, expected in (
        ("revised", "urban_share", "logistic", 0.84),
        ("revised", "urban_share", "linear", 0.95),
        ("revised", "population", "geometric", 2.23),
        ("revised", "population", "persistence", 3.54),
        ("first_published", "urban_share", "linear", 1.77),
        ("first_published", "urban_share", "logistic", 1.775),
        ("first_published", "population", "persistence", 5.90),
        ("first_published", "population", "geometric", 6.04),
    ):
        assert error(test, quantity, forecast) == pytest.approx(expected, abs=0.0051)
    best = whole().best_naive("first_published", "population")
    assert best.name == "persistence"
    assert whole().best_naive("revised", "urban_share").name == "logistic"


def test_every_test_scores_every_quantity_that_is_known_of_its_target() -> None:
    scores = whole().scores()
    for name in TESTS:
        part = scores[scores["test"] == name]
        quantities = set(MEASURES) - ({"children"} if name == "to_2023" else set())
        assert set(part["quantity"]) == quantities
        for quantity in quantities:
            rows = part[part["quantity"] == quantity]
            naive = rows.loc[rows["kind"] == NAIVE, "forecast"]
            assert tuple(naive) == PROTOCOL.naive[quantity]
            assert list(rows.loc[rows["kind"] == MODEL, "forecast"]) == [PROTOCOL.primary]
            assert list(rows.loc[rows["primary"], "forecast"]) == [PROTOCOL.primary]


def test_scores_follow_from_the_regions_figures() -> None:
    """Recomputed from the table of regions alone, as a co-author would."""
    regions = whole().by_region()
    relative = regions["quantity"].isin(["population", "children", "beds"])
    scale = np.where(relative, regions["actual"], 1.0)
    regions["again"] = 100 * (regions["value"] - regions["actual"]) / scale
    np.testing.assert_allclose(regions["error"], regions["again"], atol=1e-9)
    grouped = regions.groupby(["test", "quantity", "forecast"], sort=False)
    scores = whole().scores().set_index(["test", "quantity", "forecast"])
    absolute = grouped["again"].apply(lambda each: each.abs().mean())
    np.testing.assert_allclose(absolute, scores.loc[absolute.index, "mean_absolute_error"])
    assert set(grouped.size()) == {1, 31}
    nation = regions[regions["code"] == "national"]
    assert set(nation["quantity"]) == {"hukou_rate"}
    parts = scores[["theil_um", "theil_us", "theil_uc"]].sum(axis=1)
    np.testing.assert_allclose(parts, 1, atol=1e-9)


def test_model_and_naive_forecasts_start_from_the_same_figures() -> None:
    regions = whole().by_region()
    for _, part in regions.groupby(["test", "quantity", "code"]):
        np.testing.assert_allclose(part["base_year"], part["base_year"].iloc[0], rtol=1e-9)
        assert part["actual"].nunique() == 1


def test_skill_is_told_against_every_naive_forecast_and_the_best_is_named() -> None:
    skills = whole().skills()
    expected = sum(
        len(PROTOCOL.naive[quantity])
        for name in TESTS
        for quantity in MEASURES
        if quantity != "hukou_rate" and (name, quantity) != ("to_2023", "children")
    )
    assert len(skills) == expected
    for _, part in skills.groupby(["test", "quantity"]):
        assert part["best_naive"].sum() == 1
        best = part.loc[part["best_naive"], "naive_error"].iloc[0]
        assert best == part["naive_error"].min()
        assert part["form"].unique().tolist() == [PROTOCOL.primary]
    np.testing.assert_allclose(skills["skill"], 1 - skills["error"] / skills["naive_error"])
    np.testing.assert_allclose(skills["gain"], skills["naive_error"] - skills["error"])
    for name in ("skill", "gain"):
        assert (skills[f"{name}_low"] <= skills[name]).all()
        assert (skills[name] <= skills[f"{name}_high"]).all()
    # The sign of the gain is that of the skill, at either end of the intervals as far as they say.
    assert ((skills["gain"] > 0) == (skills["skill"] > 0)).all()


def test_all_forms_are_reported_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    done = whole().calibrations["known_by_2015"]
    asked = []

    def again(*args: object, access_held: bool = False, **kwargs: object) -> object:
        asked.append(access_held)
        return done

    monkeypatch.setattr(module, "calibrate", again)
    found = backtest(registry(), tests=["known_by_2015"], progress=False)
    models = {each.name for each in found.forecasts if each.kind == MODEL}
    assert models == set(PROTOCOL.forms)
    # Forms that differ in how the window is run are not calibrated together.
    assert sorted(asked) == [False, True]
    for quantity in ("urban_share", "population"):
        values = [
            each.value.sum()
            for each in found.forecasts
            if each.kind == MODEL and each.quantity == quantity and each.name != "damped_only"
        ]
        assert len(values) == len(PROTOCOL.forms) - 1
    pooled = {
        each.name: each.value
        for each in found.forecasts
        if each.quantity == "urban_share" and each.kind == MODEL
    }
    # No table of moves was known in time: nothing is damped, and forms say the same.
    np.testing.assert_array_equal(pooled["unshrunk"], pooled["damped_only"])
    assert np.abs(pooled["unshrunk"] - pooled["shrunken"]).max() > 1e-3


def test_figures_of_later_years_reach_no_forecast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calibration, model and naive forecasts again, with all that came later made absurd."""
    test = PROTOCOL.tests["known_by_2015"]
    folder = poisoned_history(tmp_path, test.known_by)
    monkeypatch.setattr(history_module, "data_folder", lambda *_: folder)
    poison_regions(monkeypatch, test.known_by)
    found = backtest(
        registry(), tests=[test.name], forms=[PROTOCOL.primary], progress=False
    ).forecasts
    expected = [each for each in whole().forecasts if each.test == test.name]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.quantity, one.name) == (other.quantity, other.name)
        np.testing.assert_array_equal(one.value, other.value)
        np.testing.assert_array_equal(one.before, other.before)
        # What happened is read from the same poisoned files.
        assert one.actual.max() >= ABSURD / 1e6


@pytest.mark.parametrize("name", TESTS)
def test_no_other_national_values_fit_better(name: str) -> None:
    """All values on a grid, and a fine one around the estimate, run as members of one run."""
    found = whole().calibrations[name]
    best = found.national.values
    settlement = np.unique(
        [*np.linspace(0, 1, 11), *np.clip(best[0] + np.linspace(-0.02, 0.02, 5), 0, 1)]
    )
    reclassified = np.unique(
        [*np.linspace(0, 0.4, 5), *np.clip(best[1] + np.linspace(-0.02, 0.02, 5), 0, 0.4)]
    )
    grid = np.array([best, *((s, r) for s in settlement for r in reclassified)])
    members = {"member": np.arange(len(grid))}
    changed = {
        parameter: xr.DataArray(grid[:, at], members, ("member",))
        for at, parameter in enumerate(found.national.names)
    }
    path = run(found.fit.begun, found.fit.form, registry(), changed=changed)
    rates = hukou_rates(path).sel(year=list(found.national.years)).transpose("member", "year")
    squares = (100 * (rates.values - found.national.observed)) ** 2
    total = squares.sum(axis=1)
    assert total[1:].min() >= total[0] * (1 - 1e-6)
    freedom = len(found.national.years) - 2 + len(found.national.at_bound)
    assert found.national.scatter == pytest.approx(np.sqrt(total[0] / freedom), rel=1e-6)


@pytest.mark.parametrize("name", TESTS)
def test_free_parameters_are_counted_against_observations(name: str) -> None:
    found = whole().calibrations[name]
    test = PROTOCOL.tests[name]
    years = test.last - test.first
    assert sum(found.free.values()) == 31 + 30 + 2
    assert list(found.observations.values())[:2] == [31 * years, 31 * years]
    assert found.observations["national hukou rate"] == len(found.national.years) > 2
    assert max(found.national.years) <= test.last


def test_paths_of_the_primary_form_end_in_its_forecasts() -> None:
    for name in TESTS:
        end = whole().paths[name].sel(year=PROTOCOL.tests[name].target)
        value = next(
            each.value
            for each in whole().forecasts
            if (each.test, each.quantity, each.name) == (name, "population", PROTOCOL.primary)
        )
        np.testing.assert_array_equal(value, end["residents"])


if __name__ == "__main__":
    table().to_csv(GOLDEN, index=False, float_format="%.8g", lineterminator="\n")
