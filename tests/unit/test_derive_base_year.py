"""The estimated base year: national figures, balances, ranges, and what every variable says."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from hukou_opt.errors import DataError
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions import children, flows, population
from hukou_opt.regions.base_year import CONTRACT, BaseYear
from hukou_opt.regions.derive import check_base_year, derive_base_year
from hukou_opt.regions.load import Regions, load_regions
from hukou_opt.regions.methods import ERROR_ENDING, read_methods
from hukou_opt.regions.sources import derived_overview, sources_table

PARAMETERS = load_parameters()


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load_regions()


@pytest.fixture(scope="module")
def base(regions) -> BaseYear:
    return derive_base_year(regions, PARAMETERS)


@pytest.fixture(scope="module")
def data(base) -> xr.Dataset:
    return base.data


def migrants(data: xr.Dataset) -> xr.DataArray:
    return data["initial_migrants"].sum("region").rename(dest="region")


def test_the_contract_is_filled_with_dims_units_status_and_source(data):
    assert list(data.data_vars) == list(CONTRACT)
    for name, (dims, unit) in CONTRACT.items():
        variable = data[name]
        assert variable.dims == dims
        assert variable.attrs["unit"] == unit
        assert variable.attrs["status"] in {"official", "derived", "assumption"}
        assert variable.attrs["source"]
    assert list(data["year"].values) == list(range(2024, 2039))
    assert list(data["year0"].values) == list(range(2023, 2039))
    assert check_base_year(data) == []


def test_residents_add_up_and_the_mean_hukou_share_is_the_national_rate(data, regions):
    total = data["initial_rural_residents"] + data["initial_urban_hukou_residents"] + migrants(data)
    np.testing.assert_allclose(total, regions.figure("resident_pop"), rtol=1e-12)
    rate = float(data["initial_urban_hukou_residents"].sum() / total.sum())
    assert rate == pytest.approx(PARAMETERS["national_hukou_rate"], abs=1e-12)


def test_hukou_shares_move_by_one_logit_constant_except_where_the_floor_holds(regions):
    people = population.residents(regions, PARAMETERS)
    start = regions.figure("nonagri_hukou_share_2010") / regions.figure("census_urban_share_2010")
    end = people.urban_hukou / people.urban
    shift = np.log(end / (1 - end)) - np.log(start / (1 - start))
    floor = 0.5 * regions.figure("migrants_other_province_2020") * regions.figure("urban_share")
    held = np.isclose(people.migrants, floor, rtol=1e-9)
    assert (people.migrants >= floor * (1 - 1e-12)).all()
    assert {"110000", "310000", "650000"} <= {
        code for code, yes in zip(regions.codes, held, strict=True) if yes
    }
    assert np.ptp(shift[~held]) < 1e-9
    assert (shift[held] < shift[~held][0]).all()


def test_cross_province_share_holds_and_no_diagonal_is_negative(data):
    matrix = data["initial_migrants"].to_numpy()
    outside = matrix.sum() - np.trace(matrix)
    assert outside / matrix.sum() == pytest.approx(PARAMETERS["cross_province_share"], abs=1e-9)
    assert (np.diag(matrix) > 0).all()
    assert (np.diag(matrix) >= 0.15 * matrix.sum(axis=0) * (1 - 1e-9)).all()


def test_margins_of_the_yearly_flow_close_by_themselves(regions):
    people = population.residents(regions, PARAMETERS)
    matrix = flows.migrant_matrix(regions, people, PARAMETERS)
    moves = flows.yearly_flows(regions, people, matrix, PARAMETERS)
    assert abs(moves.raw_out.sum() - moves.raw_in.sum()) < 1
    assert moves.raw_out.sum() == pytest.approx(2_000, rel=0.03)
    longer = flows.yearly_flows(
        regions, people, matrix, PARAMETERS.override({"long_window_weight": 1})
    )
    assert longer.raw_out.sum() == pytest.approx(longer.raw_in.sum(), rel=0.005)
    assert longer.raw_out.sum() == pytest.approx(2_240, rel=0.03)


def test_migration_at_the_start_is_the_row_sum_of_the_flow_matrix(data, regions):
    people = population.residents(regions, PARAMETERS)
    matrix = flows.migrant_matrix(regions, people, PARAMETERS)
    moves = flows.yearly_flows(regions, people, matrix, PARAMETERS).matrix
    pull = data["migration_coefficient"] * regions.figure("urban_share")
    leaving = (pull * data["initial_rural_residents"]).to_numpy()
    np.testing.assert_allclose(leaving, moves.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(
        data["initial_destination_share"] * leaving[:, None], moves, rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(data["initial_destination_share"].sum("dest"), 1, rtol=1e-12)


def test_net_moves_reproduce_the_observed_change_of_the_towns(regions):
    """Beijing's towns grew by about 2 (10k) a year; stock shares as flow shares would give 19."""
    people = population.residents(regions, PARAMETERS)
    matrix = flows.migrant_matrix(regions, people, PARAMETERS)
    moves = flows.yearly_flows(regions, people, matrix, PARAMETERS).matrix
    net = moves.sum(axis=0) - PARAMETERS["return_rate"] * matrix.sum(axis=0)
    beijing = net[regions.codes.index("110000")]
    assert -2 < beijing < 5


def test_school_age_children_follow_the_cohort_table(data):
    number = float(
        sum(
            data[f"initial_{group}_children"].sum() for group in ("rural", "migrant", "urban_hukou")
        )
    )
    assert number == pytest.approx(16_060, rel=0.001)
    table = {2026: 15_040, 2030: 11_660, 2033: 9_230}
    for year in data["year"].values:
        number += float((data["school_entrants"] - data["school_leavers"]).sel(year=year).sum())
        if year in table:
            assert number == pytest.approx(table[year], rel=0.001)


def test_entrants_and_leavers_are_the_same_cohorts_nine_years_apart(data):
    entering = data["school_entrants"].sel(year=range(2024, 2030)).to_numpy()
    leaving = data["school_leavers"].sel(year=range(2033, 2039)).to_numpy()
    np.testing.assert_allclose(entering, leaving, rtol=1e-12)


def test_cohorts_of_a_census_group_add_up_to_it(regions):
    for name, born in (
        ("census_age_1_4_2020", range(2016, 2020)),
        ("census_age_5_9_2020", range(2011, 2016)),
        ("census_age_10_14_2020", range(2006, 2011)),
    ):
        total = sum(children.cohort(regions, PARAMETERS, year) for year in born)
        np.testing.assert_allclose(total, regions.figure(name), rtol=1e-12)
    with pytest.raises(DataError, match="in no age group at hand"):
        children.cohort(regions, PARAMETERS, 2005)


def test_seats_follow_the_public_share_and_the_utilisation(data):
    town = data["initial_urban_hukou_children"] + data["initial_migrant_children"]
    missing = (town - data["initial_urban_seats"]) / data["initial_migrant_children"]
    np.testing.assert_allclose(missing, 1 - PARAMETERS["public_school_share"], rtol=1e-9)
    used = data["initial_rural_children"] / data["initial_rural_seats"]
    np.testing.assert_allclose(used, PARAMETERS["rural_school_utilisation"], rtol=1e-12)
    assert float(data["initial_migrant_children"].sum()) == pytest.approx(1_400)


def test_beds_keep_their_total_and_lie_higher_in_town(data, regions):
    beds = data["initial_urban_beds"] + data["initial_rural_beds"]
    np.testing.assert_allclose(beds, regions.figure("beds_total"), rtol=1e-12)
    townspeople = data["initial_urban_hukou_residents"] + migrants(data)
    urban = 1_000 * float(data["initial_urban_beds"].sum() / townspeople.sum())
    rural = 1_000 * float(data["initial_rural_beds"].sum() / data["initial_rural_residents"].sum())
    assert urban == pytest.approx(7.5, abs=0.1)
    assert rural == pytest.approx(6.6, abs=0.1)


def test_natural_growth_of_the_groups_adds_up_to_births_less_deaths(data, regions):
    people = (
        data["natural_growth_rural"] * data["initial_rural_residents"]
        + data["natural_growth_migrant"] * migrants(data)
        + data["natural_growth_urban"] * data["initial_urban_hukou_residents"]
    )
    official = regions.country("births", 2023) - regions.country("deaths", 2023)
    assert float(people.sum()) == pytest.approx(official, abs=1e-6)
    assert float(people.sel(region="230000")) < 0 < float(people.sel(region="540000"))


def test_ageing_follows_the_national_path(data, regions):
    weight = regions.figure("resident_pop") / regions.figure("resident_pop").sum()
    mean = weight @ data["share_65plus"].to_numpy()
    np.testing.assert_allclose(mean, 0.154 + 0.0056 * np.arange(16), rtol=1e-9)
    assert float(data["share_65plus"].sel(region="210000", year0=2023)) > 0.19


def test_land_money_and_income_keep_their_national_totals(data, regions):
    land = sum(data[f"initial_land_{kind}"] for kind in ("farmed", "transferred", "abandoned"))
    assert float(land.sum()) == pytest.approx(regions.country("cultivated_land", 2019))
    assert float(data["initial_land_abandoned"].sum() / land.sum()) == pytest.approx(0.087)
    assert float(data["land_revenue"].sum()) == pytest.approx(57_996)
    assert float(data["central_transfers"].sum()) == pytest.approx(102_945)
    urban = regions.figure("urban_share")
    mean = data["urban_income"] * urban + data["rural_income"] * (1 - urban)
    np.testing.assert_allclose(mean, regions.figure("disp_income_all"), rtol=1e-12)


def test_supported_regions_are_all_but_the_well_funded_east(data, regions):
    east = [code for code in regions.codes if data["supported"].sel(region=code) == 0]
    names = set(regions.labels.loc[east, "name_en"])
    assert names == {
        "Beijing", "Tianjin", "Shanghai", "Jiangsu", "Zhejiang", "Fujian", "Shandong", "Guangdong",
    }  # fmt: skip
    without = derive_base_year(
        regions,
        PARAMETERS.override({"northeast_supported": 0, "hardship_supported": 0}),
        with_ranges=False,
    ).data
    assert int(without["supported"].sum()) == 18


def test_clusters_are_symmetric_and_leave_out_the_region_itself(data):
    same = data["same_cluster"].to_numpy()
    np.testing.assert_array_equal(same, same.T)
    assert not np.diag(same).any()
    assert same.sum() == 3 * 2 + 4 * 3 + 2 + 3 * 2


def test_tilted_abandonment_keeps_the_national_share(regions):
    tilted = derive_base_year(
        regions, PARAMETERS.override({"abandoned_tilt": 1}), with_ranges=False
    ).data
    land = sum(tilted[f"initial_land_{kind}"] for kind in ("farmed", "transferred", "abandoned"))
    share = tilted["initial_land_abandoned"] / land
    assert float(tilted["initial_land_abandoned"].sum() / land.sum()) == pytest.approx(0.087)
    assert float(share.max() - share.min()) > 0.01


def test_ranges_enclose_the_estimates_and_cover_what_has_a_driver(base):
    driven = {name for name, method in read_methods().items() if method.drivers}
    assert set(base.low.data_vars) == set(base.high.data_vars) == driven
    for name in driven:
        middle = base.data[name]
        assert (base.low[name] <= middle).all()
        assert (middle <= base.high[name]).all()
        assert (base.low[name] < base.high[name]).any(), name


def test_every_method_names_a_variable_of_the_contract_and_known_parameters(regions):
    assert set(read_methods()) == set(CONTRACT)
    for method in read_methods().values():
        assert set(method.inputs) <= set(regions.columns)
        assert set(method.drivers) <= set(PARAMETERS.room("derivation"))


def test_every_derivation_parameter_changes_the_base_year(regions, base):
    """A parameter that moves nothing would be a lie in the registry."""
    # No margin lies below its floor in these years; the floor guards other windows and regions.
    # All of the north-east is in fiscal hardship, so it is supported either way.
    guards = {"flow_floor_share", "northeast_supported"}
    for name in PARAMETERS.room("derivation"):
        row = PARAMETERS.rows[name]
        if name.endswith(ERROR_ENDING):
            continue
        other = PARAMETERS.override({name: row.low if row.low != row.value else row.high})
        changed = derive_base_year(regions, other, with_ranges=False).identity != base.identity
        assert changed != (name in guards), name


def test_relative_errors_widen_the_ranges(regions, base):
    wider = derive_base_year(regions, PARAMETERS.override({"land_revenue_error": 0.5}))
    assert (wider.low["land_revenue"] < base.low["land_revenue"]).all()
    assert (wider.high["land_revenue"] > base.high["land_revenue"]).all()


def test_moves_are_at_least_a_part_of_the_returns(regions):
    people = population.residents(regions, PARAMETERS)
    matrix = flows.migrant_matrix(regions, people, PARAMETERS)
    all_returns = PARAMETERS.override({"flow_floor_share": 1.5}, allow_out_of_range=True)
    moves = flows.yearly_flows(regions, people, matrix, all_returns)
    floor = 1.5 * PARAMETERS["return_rate"] * matrix.sum(axis=1)
    assert (moves.raw_out < floor).any()
    assert (moves.matrix.sum(axis=1) >= floor * (1 - 1e-9)).all()


def test_identity_follows_values_and_is_stable(regions, base):
    again = derive_base_year(regions, PARAMETERS, with_ranges=False)
    assert again.identity == base.identity
    other = derive_base_year(
        regions, PARAMETERS.override({"public_school_share": 0.68}), with_ranges=False
    )
    assert other.identity != base.identity


def test_years_must_follow_the_base_year(regions):
    with pytest.raises(DataError, match="start with 2024"):
        derive_base_year(regions, PARAMETERS, years=range(2025, 2039))
    short = derive_base_year(regions, PARAMETERS, years=range(2024, 2027), with_ranges=False)
    assert short.data.sizes["year"] == 3


def test_a_hukou_rate_above_the_urban_share_is_refused(regions):
    high = PARAMETERS.override({"national_hukou_rate": 0.66}, allow_out_of_range=True)
    with pytest.raises(DataError, match="highest mean hukou share"):
        derive_base_year(regions, high)


def test_a_cross_province_share_out_of_reach_is_refused(regions):
    high = PARAMETERS.override({"cross_province_share": 0.9}, allow_out_of_range=True)
    with pytest.raises(DataError, match="cross_province_cap"):
        derive_base_year(regions, high)


def test_too_many_migrant_children_are_refused(regions):
    high = PARAMETERS.override({"migrant_children": 14_000}, allow_out_of_range=True)
    with pytest.raises(DataError, match="as migrant children"):
        derive_base_year(regions, high)


def test_later_knowledge_is_refused_by_name(regions):
    with pytest.raises(DataError, match=r"column 'birth_rate_2024' \| became known too late"):
        derive_base_year(load_regions(known_by=2024), PARAMETERS)


def test_a_damaged_base_year_is_named(data):
    broken = data.copy(deep=True)
    broken["initial_urban_beds"][3] = -1
    broken["initial_destination_share"][0, 0] += 0.1
    faults = [str(fault) for fault in check_base_year(broken)]
    assert any("initial_urban_beds, region 140000" in fault for fault in faults)
    assert any("does not sum to 1" in fault for fault in faults)


def test_sources_list_every_column_and_variable(regions, base):
    official = sources_table(regions)
    table = sources_table(regions, base)
    assert set(regions.table.columns) <= set(official["column"])
    assert set(CONTRACT) <= set(table["column"])
    assert (table["source"] != "").all()
    assert set(table["status"]) == {"official", "official, recalled", "derived", "assumption"}
    row = table.set_index("column").loc["land_revenue"]
    assert (row["low"], row["high"]) == ("-30.0%", "+30.0%")


def test_overview_names_extremes_and_says_what_is_assumed(regions, base):
    table = derived_overview(regions, base).set_index("figure")
    assert "Guangdong 3.56" in table.loc["rural beds per 1,000 rural residents", "most extreme"]
    assert "assumption" in table.loc["rural seats per rural child", "most extreme"]
    assert table.loc["hukou share of all residents", "national"] == pytest.approx(0.483)
