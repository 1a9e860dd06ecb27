"""A calibration in use: moves of the base year and settlement follow it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hukou_opt import bundled
from hukou_opt.errors import DataError, ParameterError
from hukou_opt.experiment import load_experiment
from hukou_opt.fit.apply import fitted_parameters, recalibrated
from hukou_opt.fit.calibration_file import SavedCalibration, read_calibration
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.regions import derive_base_year, load_regions
from hukou_opt.regions.base_year import BaseYear

UNTIL = 2033
#: Provinces whose margins stand at their floor miss what is asked.
SHARE_OF_FREE = 0.8


@pytest.fixture(scope="module")
def saved() -> SavedCalibration:
    return read_calibration(bundled.calibrations()["to_2023"])


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return load_parameters()


@pytest.fixture(scope="module")
def base(parameters: Parameters) -> BaseYear:
    return derive_base_year(load_regions(), parameters, with_ranges=False)


def slopes(base: BaseYear, parameters: Parameters) -> np.ndarray:
    """Slope of the urban share on the logit scale in the first instant, from the stocks' flows."""
    d = base.data
    rural, urban_hukou = (
        d[name].to_numpy() for name in ("initial_rural_residents", "initial_urban_hukou_residents")
    )
    migrants = d["initial_migrants"].to_numpy()
    here, away = migrants.sum(axis=0), migrants.sum(axis=1)
    urban = urban_hukou + here
    share = urban / (urban + rural)
    leaving = d["migration_coefficient"].to_numpy() * share * rural
    arriving = (leaving[:, None] * d["initial_destination_share"].to_numpy()).sum(axis=0)
    back = parameters["return_rate"]
    towns = (
        arriving
        - back * here
        + d["natural_growth_migrant"].to_numpy() * here
        + d["natural_growth_urban"].to_numpy() * urban_hukou
    )
    country = -leaving + back * away + d["natural_growth_rural"].to_numpy() * rural
    change = (towns * rural - country * urban) / (urban + rural) ** 2
    return change / (share * (1 - share))


def test_the_first_year_follows_the_pooled_slopes(
    saved: SavedCalibration, base: BaseYear, parameters: Parameters
) -> None:
    given = np.array([saved.regions[code].slope for code in base.codes])
    wanted = given + saved.pooling * (given.mean() - given)
    new = recalibrated(base, saved, parameters, until=UNTIL)
    off = np.abs(slopes(new, parameters) - wanted)
    # Some margins stand at their floor, and all columns give a little for them.
    assert np.median(off) < 1e-3
    assert (off < 3e-3).mean() > SHARE_OF_FREE
    assert np.abs(slopes(base, parameters) - wanted).mean() > 5 * np.median(off)


def test_shares_sum_to_one_and_only_moves_change(
    saved: SavedCalibration, base: BaseYear, parameters: Parameters
) -> None:
    new = recalibrated(base, saved, parameters, until=UNTIL)
    np.testing.assert_allclose(new.data["initial_destination_share"].sum("dest"), 1, atol=1e-12)
    changed = {str(name) for name in base.data if not base.data[name].identical(new.data[name])}
    assert changed == {"migration_coefficient", "initial_destination_share"}
    assert new.identity != base.identity
    assert saved.identity[:12] in new.data["migration_coefficient"].attrs["source"]


def test_settlement_follows_the_ridge_unless_it_is_stated(
    saved: SavedCalibration, parameters: Parameters
) -> None:
    ridge = {each.reclassified: each.settlement for each in saved.ridge}
    assert fitted_parameters(saved, parameters) == {"settlement_hazard_max": ridge[0.0]}
    some = parameters.override({"reclassified_share": 0.3})
    assert fitted_parameters(saved, some)["settlement_hazard_max"] == pytest.approx(ridge[0.3])
    between = parameters.override({"reclassified_share": 0.25})["reclassified_share"]
    halfway = fitted_parameters(saved, parameters.override({"reclassified_share": between}))
    assert ridge[0.3] < halfway["settlement_hazard_max"] < ridge[0.2]
    assert fitted_parameters(saved, parameters.override({"settlement_hazard_max": 0.2})) == {}


def test_other_base_year_other_regions_no_ridge_are_named(
    saved: SavedCalibration, base: BaseYear, parameters: Parameters
) -> None:
    few = {code: row for code, row in saved.regions.items() if code not in ("110000", "650000")}
    wrong = replace(saved, last=2020, regions=few, ridge=())
    with pytest.raises(DataError) as caught:
        recalibrated(base, wrong, parameters, until=UNTIL)
    text = str(caught.value)
    assert "does not end with the base year (2023)" in text
    assert "110000, 650000 (2 missing)" in text
    assert "no estimates of settlement" in text


def test_a_file_without_a_ridge_is_named_before_it_is_used(
    saved: SavedCalibration, parameters: Parameters
) -> None:
    with pytest.raises(DataError, match="no estimates of settlement"):
        fitted_parameters(replace(saved, ridge=()), parameters)


def test_an_experiment_takes_a_calibration(tmp_path: Path, saved: SavedCalibration) -> None:
    shipped = inputs_of(load_experiment("plan_recalibrated"))
    assert shipped.parameters["settlement_hazard_max"] == saved.ridge[0].settlement
    usual = inputs_of(load_experiment("plan_as_written"))
    assert shipped.base.identity != usual.base.identity

    (tmp_path / "mine.yaml").write_bytes(bundled.calibrations()["to_2023"].read_bytes())
    mine = tmp_path / "study.yaml"
    mine.write_text("extends: plan_as_written\ncalibration: mine.yaml\n", encoding="utf-8")
    assert inputs_of(load_experiment(mine)).base.identity == shipped.base.identity

    mine.write_text("extends: plan_as_written\ncalibration: absent.yaml\n", encoding="utf-8")
    with pytest.raises((DataError, ParameterError), match=r"absent\.yaml"):
        inputs_of(load_experiment(mine))
