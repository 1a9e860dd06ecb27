"""The shipped official figures: national sums, documentation of every column, honest years."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError
from hukou_opt.regions.columns import MACRO_REGIONS, read_columns, read_national
from hukou_opt.regions.load import load_regions

BASES = (2010, 2015, 2020, 2023)


def test_national_sums_agree_with_published_totals():
    regions = load_regions()
    population = regions.figure("resident_pop")
    assert population.sum() == pytest.approx(140_767, abs=1)
    assert (population * regions.figure("urban_share")).sum() / population.sum() == pytest.approx(
        0.661, abs=5e-4
    )
    assert regions.figure("beds_total").sum() == pytest.approx(1_017.4, abs=0.1)
    assert regions.figure("budget_revenue").sum() == pytest.approx(
        regions.country("local_budget_revenue", 2023), rel=1e-4
    )


def test_census_totals_agree_with_the_communiques():
    assert load_regions(base=2020).figure("census_pop").sum() == pytest.approx(140_977.87, abs=0.01)
    assert load_regions(base=2020).figure("migrants_other_province").sum() == pytest.approx(
        12_483.7, abs=0.1
    )
    assert load_regions(base=2010).figure("migrants_other_province").sum() == pytest.approx(
        8_587.6, abs=0.1
    )


@pytest.mark.parametrize("base", BASES)
def test_every_table_loads_with_31_regions_and_no_gap(base):
    regions = load_regions(base=base)
    assert len(regions.codes) == 31
    assert np.isfinite(regions.table.to_numpy()).all()
    assert list(regions.table.columns) == list(regions.columns)
    for column in regions.columns.values():
        assert column.status == "official"
        assert column.source
        assert column.unit
        assert column.known_year > column.data_year


def test_only_rates_and_budgets_are_later_than_the_base_year():
    """Population, urban share, beds, income and teachers of 2021, 2022 and 2024 are kept aside."""
    for base, columns in read_columns(data_folder()).items():
        for name, column in columns.items():
            if column.data_year in {2021, 2022, 2024}:
                assert name in {"birth_rate_2024", "death_rate_2024"}, (base, name)


def test_figures_that_stand_in_two_tables_are_the_same():
    now, earlier = load_regions(), load_regions(base=2020)
    for name in ("resident_pop", "urban_share", "census_age_5_9", "district_pop"):
        np.testing.assert_array_equal(now.figure(f"{name}_2020"), earlier.figure(name))
    census = load_regions(base=2010)
    np.testing.assert_array_equal(
        now.figure("nonagri_hukou_share_2010"), census.figure("nonagri_hukou_share")
    )


def test_labels_put_every_region_on_its_own_tile():
    labels = load_regions().labels
    assert labels["macro_region"].isin(MACRO_REGIONS).all()
    assert labels["macro_region"].value_counts().to_dict() == {
        "Western": 12,
        "Eastern": 10,
        "Central": 6,
        "Northeastern": 3,
    }
    assert not labels.duplicated(["tile_row", "tile_col"]).any()
    assert labels.loc["440000", "clusters"] == "Greater Bay"


def test_birthplaces_add_up_to_the_published_lifetime_migrants():
    matrix = load_regions().birthplace
    assert matrix is not None
    assert matrix.to_numpy().sum() == pytest.approx(102_306_910, abs=500)
    assert not np.diag(matrix.to_numpy()).any()
    assert list(matrix.index) == list(matrix.columns) == list(load_regions().codes)


def test_units_of_beds_and_people_are_those_of_the_document():
    """Beijing had 21.86 million residents and 138,800 beds at the end of 2023."""
    row = load_regions().table.loc["110000"]
    assert row["resident_pop"] == 2_186
    assert row["beds_total"] == pytest.approx(13.88)
    assert row["disp_income_all"] == pytest.approx(8.1752)


def test_known_by_withholds_what_was_published_later():
    regions = load_regions(base=2015, known_by=2016)
    assert "resident_pop" in regions.withheld
    assert "national births 2016" in regions.withheld
    assert regions.has("resident_pop_prerev", "urban_share_prerev")
    with pytest.raises(DataError, match="became known too late"):
        regions.figure("resident_pop")
    assert regions.identity != load_regions(base=2015).identity


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("known_by", [2011, 2016, 2021])
def test_nothing_is_served_that_became_known_later(base, known_by):
    regions = load_regions(base=base, known_by=known_by)
    late = {name for name, about in regions.columns.items() if about.known_year > known_by}
    assert late == set(regions.columns) - set(regions.table.columns)
    assert late <= set(regions.withheld)
    for name in late:
        with pytest.raises(DataError, match=rf"column '{name}' \| became known too late"):
            regions.figure(name)
    for key, figure in read_national(data_folder()).items():
        if figure.known_year <= known_by:
            assert regions.country(*key) == figure.value
            continue
        assert f"national {key[0]} {key[1]}" in regions.withheld
        with pytest.raises(DataError, match=f"national figure '{key[0]}'"):
            regions.country(*key)


def test_a_study_of_2016_has_the_series_as_first_published():
    then = load_regions(base=2015, known_by=2016)
    with pytest.raises(DataError, match="2015, column 'resident_pop'"):
        then.figure("resident_pop")
    with pytest.raises(DataError, match="2015, column 'urban_share'"):
        then.figure("urban_share")
    served = then.figure("resident_pop_prerev")
    # First published for the country: 137,462, with the armed forces.
    assert served.sum() == pytest.approx(137_462, rel=3e-3)
    # Tianjin was published as 15.47 million and revised to 14.39.
    assert served[then.codes.index("120000")] == pytest.approx(1_546.95)
    assert then.country("hukou_urban_rate", 2015) == 0.399
    with pytest.raises(DataError, match="national figure 'resident_pop'"):
        then.country("resident_pop", 2015)
    earlier = load_regions(base=2010, known_by=2016)
    assert earlier.withheld == tuple(name for name in earlier.withheld if name[:9] == "national ")
    assert earlier.figure("resident_pop").sum() == pytest.approx(133_385, abs=1)
    # The census yearbook is of 2012; its totals differ from the communique's.
    assert "census_pop" in load_regions(base=2010, known_by=2011).withheld


def test_no_figure_is_known_before_its_year_ends():
    for columns in read_columns(data_folder()).values():
        for name, column in columns.items():
            assert column.known_year > column.data_year, name
    for key, figure in read_national(data_folder()).items():
        assert figure.known_year > figure.year, key


def test_a_column_has_one_known_year_in_all_tables():
    """``beds_total`` of 2020 and ``beds_total_2020`` of 2023 are the same figure."""
    found: dict[tuple[str, int, str], set[int]] = {}
    for columns in read_columns(data_folder()).values():
        for name, column in columns.items():
            plain = name.removesuffix(f"_{column.data_year}")
            key = (plain, column.data_year, column.source)
            found.setdefault(key, set()).add(column.known_year)
    assert {key: years for key, years in found.items() if len(years) > 1} == {}


def test_a_missing_national_year_names_the_years_at_hand():
    with pytest.raises(DataError, match=r"missing for 1990.*2019, 2020"):
        load_regions().country("deaths", 1990)


def test_the_tables_are_plain_utf8_with_one_line_per_region():
    for base in BASES:
        with (data_folder() / f"{base}.csv").open(encoding="utf-8", newline="") as handle:
            assert len(list(csv.reader(handle))) == 32


def test_identity_is_stable_and_follows_the_figures():
    assert load_regions().identity == load_regions().identity
    assert load_regions().identity != load_regions(base=2020).identity
