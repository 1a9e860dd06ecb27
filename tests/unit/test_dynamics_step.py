"""A step in which a stock could lose more than it holds is refused before anything runs."""

from __future__ import annotations

import pytest
from synthetic_base_year import base_year, parameters

from hukou_opt import planning
from hukou_opt.dynamics import check_step, model_constants
from hukou_opt.dynamics.step import leaving_rates
from hukou_opt.errors import ModelError
from hukou_opt.experiment import experiment_from


def constants(**changes):
    registry = parameters().override(changes, allow_out_of_range=True)
    return model_constants(base_year(), registry, reform=True)


def test_the_shipped_parameters_run_with_a_year():
    check_step(constants(), 1.0)


def test_rates_are_those_of_the_parameters():
    rates = {stock: rate for stock, _, rate in leaving_rates(constants())}
    assert rates["seats under construction"] == 1.0
    assert rates["rented land"] == pytest.approx(0.05)
    assert all(0 <= rate <= 1 for rate in rates.values())


@pytest.mark.parametrize(
    ("changes", "stock"),
    [
        ({"seat_building_delay": 0.4}, "seats under construction"),
        ({"bed_building_delay": 0.4}, "beds under construction"),
        ({"settlement_hazard_max": 5.0}, "migrants"),
        ({"tension_delay": 0.1}, "social tension"),
        ({"reclaim_rate": 9.0}, "abandoned land"),
        ({"land_transfer_rate": 9.0}, "farmed land"),
        ({"lease_term": 0.1}, "rented land"),
    ],
)
def test_a_step_too_long_for_a_stock_is_named_with_the_step_that_would_do(changes, stock):
    with pytest.raises(ModelError, match=stock) as caught:
        check_step(constants(**changes), 0.25)
    assert len(caught.value.faults) == 1
    assert "below" in caught.value.faults[0].fix


@pytest.mark.parametrize(
    ("name", "stock"),
    [("migration_coefficient", "rural residents"), ("school_leavers", "children")],
)
def test_regional_rates_count_too(name, stock):
    given = constants()
    given[name] = given[name] * 200
    with pytest.raises(ModelError, match=stock):
        check_step(given, 0.25)


def test_all_faults_come_at_once():
    with pytest.raises(ModelError) as caught:
        check_step(constants(seat_building_delay=0.4, bed_building_delay=0.4), 0.25)
    assert len(caught.value.faults) == 2


def test_a_run_with_such_a_step_is_refused_before_the_model_runs(monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("ran")

    monkeypatch.setattr("hukou_opt.dynamics.pysd_engine.PysdEngine.run", never)
    asked = experiment_from(
        {
            "name": "coarse",
            "allocation": {"enabled": False},
            "time_step": 1.0,
            "parameters": {"seat_building_delay": 1.5},
        }
    )
    with pytest.raises(ModelError, match=r"time_step 1 .*seats under construction"):
        planning.run(asked, progress=False)
