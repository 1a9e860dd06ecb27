"""Whatever the parameters inside their ranges, an estimated base year is possible."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.base_year import CONTRACT
from hukou_opt.regions.derive import check_base_year, derive_base_year
from hukou_opt.regions.fitting import fit_margins, shift_logit, solve_monotone
from hukou_opt.regions.load import load_regions

PARAMETERS = load_parameters()
REGIONS = load_regions()
WITHIN_RANGES = st.fixed_dictionaries(
    {
        name: st.floats(PARAMETERS.rows[name].low, PARAMETERS.rows[name].high)
        for name in PARAMETERS.room("derivation")
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WITHIN_RANGES)
def test_any_parameters_within_range_give_a_possible_base_year(values):
    parameters = PARAMETERS.override(values)
    data = derive_base_year(REGIONS, parameters, with_ranges=False).data
    assert check_base_year(data) == []
    for name, (_, unit) in CONTRACT.items():
        if unit == "1":
            assert float(data[name].min()) >= 0
            assert float(data[name].max()) <= 1 + 1e-9
    migrants = data["initial_migrants"].to_numpy().sum(axis=0)
    floor = (
        values["hukou_floor_factor"]
        * REGIONS.figure("migrants_other_province_2020")
        * REGIONS.figure("urban_share")
    )
    assert (migrants >= floor * (1 - 1e-9)).all()
    hukou = (
        float(data["initial_urban_hukou_residents"].sum()) / REGIONS.figure("resident_pop").sum()
    )
    assert abs(hukou - values["national_hukou_rate"]) < 1e-9
    assert (data["initial_migrant_children"] < data["initial_urban_seats"]).all()


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=9), st.floats(-5, 5))
def test_shifted_shares_stay_shares_and_keep_their_order(shares, constant):
    start = np.array(sorted(shares))
    moved = shift_logit(start, constant)
    assert ((moved > 0) & (moved < 1)).all()
    assert (np.diff(moved) >= 0).all()
    np.testing.assert_allclose(shift_logit(moved, -constant), start, rtol=1e-6)


@given(
    st.integers(1, 6).flatmap(
        lambda size: st.lists(
            st.lists(st.floats(0.1, 10), min_size=size, max_size=size),
            min_size=size,
            max_size=size,
        )
    ),
    st.data(),
)
def test_fitted_margins_are_met_and_the_pattern_of_odds_is_kept(seed, draw):
    pattern = np.array(seed)
    weights = st.lists(st.floats(0.5, 2), min_size=len(pattern), max_size=len(pattern))
    rows, columns = np.array(draw.draw(weights)), np.array(draw.draw(weights))
    columns = columns * rows.sum() / columns.sum()
    fitted = fit_margins(pattern, rows, columns)
    assert fitted is not None
    np.testing.assert_allclose(fitted.sum(axis=1), rows, rtol=1e-9)
    np.testing.assert_allclose(fitted.sum(axis=0), columns, rtol=1e-9)
    if len(pattern) > 1:
        odds = [m[0, 0] * m[1, 1] / (m[0, 1] * m[1, 0]) for m in (pattern, fitted)]
        np.testing.assert_allclose(odds[0], odds[1], rtol=1e-6)


def test_margins_that_the_zeros_forbid_are_refused():
    assert fit_margins(np.eye(2), np.array([1.0, 2.0]), np.array([2.0, 1.0])) is None


@given(st.floats(-10, 10))
def test_a_root_is_found_where_there_is_one(root):
    found = solve_monotone(lambda x: x - root, -10, 10)
    assert found is not None
    assert abs(found - root) < 1e-9
    assert solve_monotone(lambda x: x - 11, -10, 10) is None
