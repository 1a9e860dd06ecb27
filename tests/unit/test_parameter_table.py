from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hukou_opt.errors import DataError, ParameterError
from hukou_opt.parameters.registry import STATUSES, Parameters, load_parameters
from hukou_opt.regions import derive_base_year, load_regions
from hukou_opt.regions.base_year import CONTRACT
from hukou_opt.regions.methods import read_methods
from hukou_opt.report.base_year_ends import Estimates, estimate_with_ends
from hukou_opt.report.base_year_table import (
    derived_table,
    derived_to_latex,
    estimate_figure,
    find_region,
    in_a_region,
    keep,
    region_table,
    remarks,
)
from hukou_opt.report.parameter_table import (
    parameter_table,
    parameters_to_latex,
    status_counts,
    status_sentence,
    typed,
)


@pytest.fixture(scope="module")
def estimates() -> Estimates:
    return estimate_with_ends(load_regions(), load_parameters())


@pytest.fixture(scope="module")
def country(estimates: Estimates) -> pd.DataFrame:
    return derived_table(estimates)


def row_of(table: pd.DataFrame, name: str, at: str = "") -> dict[str, object]:
    (found,) = table[table["variable"].eq(name) & table["at"].eq(at)].to_dict("records")
    return found


# Registry.


def test_no_parameter_without_unit_range_source_status_and_meaning() -> None:
    table = parameter_table(load_parameters())
    assert len(table) == len(load_parameters())
    for column in ("unit", "status", "source", "meaning", "room"):
        assert table.loc[table[column].str.strip().eq(""), "name"].tolist() == []
    assert set(table["status"]) <= set(STATUSES)
    assert np.isfinite(table[["value", "low", "high"]].to_numpy()).all()
    known = {row.name: row.known_year for row in load_parameters().rows.values()}
    assert dict(zip(table["name"], table["known_year"], strict=True)) == known
    # A range of one point tells a study nothing.
    assert table.loc[~(table["low"] < table["high"]), "name"].tolist() == []
    assert not table["changed"].any()
    assert not table["out_of_range"].any()


def test_counts_add_up_over_rooms_and_statuses() -> None:
    table = parameter_table(load_parameters())
    counts = status_counts(table)
    assert list(counts.columns) == [*STATUSES, "all"]
    assert counts.loc["all", "all"] == len(table)
    assert (counts.drop("all").sum() == counts.loc["all"]).all()
    assert (counts[list(STATUSES)].sum(axis=1) == counts["all"]).all()
    plan = table["status"].eq("plan") & table["room"].eq("model")
    assert counts.loc["model", "plan"] == plan.sum()
    assert status_sentence(table).startswith(f"{len(table)} parameters: ")
    assert f"{counts.loc['all', 'assumption']} assumption" in status_sentence(table)


def test_changed_values_stand_beside_the_registry_s() -> None:
    registry = load_parameters()
    high = registry.rows["guard"].high
    used = registry.override(
        {"guard": high + 1, "lease_term": 15, "worst_share": registry["worst_share"]},
        allow_out_of_range=True,
    )
    table = parameter_table(used).set_index("name")
    assert table.index[table["changed"]].tolist() == ["guard", "lease_term"]
    assert table.index[table["out_of_range"]].tolist() == ["guard"]
    assert table.loc["lease_term", "value"] == 15
    assert table.loc["lease_term", "registry_value"] == registry["lease_term"]
    back = used.override({"guard": registry["guard"], "lease_term": registry["lease_term"]})
    assert not parameter_table(back)["changed"].any()


def test_filters_narrow_and_combine() -> None:
    registry = load_parameters()
    assert set(parameter_table(registry, room="model")["room"]) == {"model"}
    both = parameter_table(registry, room="allocation", status="plan", search="FUND health")
    assert both["name"].tolist() == ["sector_share_health"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"room": "modle"}, "room 'modle' | is unknown | did you mean 'model'?"),
        ({"status": "asumption"}, "did you mean 'assumption'?"),
        ({"search": "gaurd"}, "search 'gaurd' | matches no parameter | did you mean 'guard'?"),
        ({"search": "seat depreciatoin"}, "did you mean 'seat_depreciation'?"),
        ({"search": "zzzz"}, "without a filter all are listed"),
        ({"room": "derivation", "search": "guard"}, "drop a filter: guard"),
        ({"room": "derivation", "status": "paper"}, "drop one of the filters"),
    ],
)
def test_a_filter_that_leaves_nothing_says_what_to_do(filters: dict[str, str], words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parameter_table(load_parameters(), **filters)
    assert words in str(caught.value)


def test_unknown_room_and_status_are_told_together() -> None:
    with pytest.raises(ParameterError) as caught:
        parameter_table(load_parameters(), room="modle", status="guess")
    assert len(caught.value.faults) == 2


def test_values_are_written_as_typed() -> None:
    assert typed(50000.0, "100m yuan") == "50,000"
    assert typed(2028.0, "year") == "2028"
    assert typed(-0.00012, "1/year^2") == "-0.00012"


def whole_latex(text: str, rows: int) -> None:
    """Environments and braces close, nothing stands unescaped, every row has every column."""
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    body = [line for line in text.splitlines() if not line.startswith("%")]
    bare = re.sub(r"\\[\\{}%&#_$]", "", "\n".join(body))
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[%#_]", re.sub(r"\\label\{[^}]*\}", "", bare))
    assert bare.count("$") % 2 == 0
    assert not re.search("[–…−]", text)
    head = next(line for line in body if line.startswith((r"Parameter", "Variable")))
    columns = len(re.findall(r"(?<!\\)&", head)) + 1
    layout = re.search(r"\\begin\{longtable\}\{(.*)\}$", text, flags=re.MULTILINE)
    assert layout is not None
    wrapping = r">\{[^}]*\}p\{[^}]*\}"
    assert len(re.sub(wrapping, "p", layout.group(1))) == columns
    end = body.index(r"\endlastfoot")
    data = [line for line in body[end:] if line.endswith(r" \\")]
    assert len(data) == rows
    assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in data} == {columns}


def test_latex_of_the_registry_is_whole_and_escaped() -> None:
    table = parameter_table(load_parameters())
    text = parameters_to_latex(table)
    whole_latex(text, len(table))
    for mark in (r"\toprule", r"\label{tab:parameters}", r"central\_\allowbreak fund", "2028 &"):
        assert mark in text
    assert status_sentence(table) in text
    assert r"\emph{" in text
    assert r"& $-$0.53 &" in text
    row = load_parameters().rows["willingness_base"]
    assert f"& {row.status}, {row.known_year} &" in text


def test_latex_of_an_experiment_marks_what_it_changes() -> None:
    used = load_parameters().override({"guard": 2.0}, allow_out_of_range=True)
    table = parameter_table(used)
    text = parameters_to_latex(table, experiment="my_case")
    whole_latex(text, len(table))
    assert r"guard & 2\textsuperscript{*}\textsuperscript{!} & 0.05 & 0 to 1" in text
    assert r"\label{tab:parameters_my_case}" in text
    assert r"Parameters of the experiment my\_case" in text
    assert "! outside its range" in text


# Base year.


def test_every_variable_is_there_with_status_and_method(country: pd.DataFrame) -> None:
    assert country["variable"].drop_duplicates().tolist() == list(CONTRACT)
    for column in ("unit", "status", "method", "source", "formed", "extremes"):
        assert not country[column].str.strip().eq("").any()
    driven = country["variable"].map(lambda name: bool(read_methods()[name].drivers))
    assert country["low"].notna().equals(driven)
    inside = country[driven]
    assert (inside["low"] <= inside["national"]).all()
    assert (inside["national"] <= inside["high"]).all()
    assert country["national"].notna().all()


def test_the_national_hukou_population_moves_with_the_rate_only(
    estimates: Estimates, country: pd.DataFrame
) -> None:
    people = float(estimates.regions.figure("resident_pop").sum())
    rate = load_parameters().rows["national_hukou_rate"]
    row = row_of(country, "initial_urban_hukou_residents")
    expected = [people * share for share in (rate.low, rate.value, rate.high)]
    assert [row["low"], row["national"], row["high"]] == pytest.approx(expected, rel=1e-9)


def test_errors_of_single_regions_leave_published_totals(country: pd.DataFrame) -> None:
    row = row_of(country, "land_revenue")
    width = load_parameters()["land_revenue_error"]
    assert row["low"] == row["national"] == row["high"]
    assert row["region_low"] == pytest.approx(-width)
    assert row["region_high"] == pytest.approx(width)
    income = row_of(country, "urban_income")
    error = load_parameters()["income_ratio_error"]
    assert income["high"] == pytest.approx(income["national"] * (1 + error))  # type: ignore[operator]


def test_means_are_weighted_and_classes_counted(
    estimates: Estimates, country: pd.DataFrame
) -> None:
    data = estimates.base.data
    rural = data["initial_rural_residents"].to_numpy()
    income = data["rural_income"].to_numpy()
    row = row_of(country, "rural_income")
    assert row["national"] == pytest.approx(np.average(income, weights=rural))
    assert row["formed"] == "mean by rural residents"
    eastern = row_of(country, "eastern")
    assert eastern["national"] == float(data["eastern"].sum())
    assert "Beijing" in str(eastern["extremes"])
    shares = country.loc[country["variable"].eq("tier_share"), "national"]
    assert shares.sum() == pytest.approx(1)


def test_a_region_has_the_base_year_s_own_low_and_high(estimates: Estimates) -> None:
    base = derive_base_year(estimates.regions, load_parameters())
    for code in base.codes[:3]:
        table = region_table(estimates, code)
        for name, (dims, _) in CONTRACT.items():
            if dims != ("region",):
                continue
            row = row_of(table, name)
            assert row["value"] == float(base.data[name].sel(region=code))
            if name in base.low:
                assert row["low"] == pytest.approx(float(base.low[name].sel(region=code)))
                assert row["high"] == pytest.approx(float(base.high[name].sel(region=code)))
            else:
                assert np.isnan(row["low"])  # type: ignore[call-overload]


def test_the_range_of_a_sum_is_narrower_than_the_sum_of_ranges(
    estimates: Estimates, country: pd.DataFrame
) -> None:
    base = derive_base_year(estimates.regions, load_parameters())
    row = row_of(country, "initial_migrants", "from all regions")
    cells = float(base.high["initial_migrants"].sum()), float(base.low["initial_migrants"].sum())
    assert cells[1] < row["low"] < row["national"] < row["high"] < cells[0]  # type: ignore[operator]


def test_years_show_the_first_and_the_last() -> None:
    years = range(2024, 2030)
    made = estimate_with_ends(load_regions(), load_parameters(), years=years)
    table = derived_table(made)
    assert table.loc[table["variable"].eq("school_entrants"), "at"].tolist() == ["2024", "2029"]
    assert table.loc[table["variable"].eq("share_65plus"), "at"].tolist() == ["2023", "2029"]


def test_an_impossible_end_of_a_range_is_named_and_widens_nothing() -> None:
    registry = load_parameters()
    rows = dict(registry.rows)
    # Transferred and abandoned land cannot exceed all land.
    rows["transferred_share"] = replace(rows["transferred_share"], high=0.99)
    made = estimate_with_ends(load_regions(), Parameters(rows), years=range(2024, 2026))
    assert made.refused == ("transferred_share = 0.99",)
    assert "transferred_share = 0.99" in " ".join(remarks(made, False))
    land = row_of(derived_table(made), "initial_land_transferred")
    assert land["high"] == land["national"]


@pytest.mark.parametrize("name", ["440000", "guangdong", " Guangdong ", "广东省", "广东"])
def test_a_region_is_found_by_code_and_names(estimates: Estimates, name: str) -> None:
    assert find_region(estimates.regions, name) == "440000"


def test_an_unknown_region_has_a_suggestion(estimates: Estimates) -> None:
    with pytest.raises(DataError, match="did you mean 'Guangdong'"):
        find_region(estimates.regions, "guangdon")


def test_variables_are_kept_by_status_and_words(country: pd.DataFrame) -> None:
    assert set(keep(country, status="assumption")["status"]) == {"assumption"}
    assert keep(country, search="BEDS rural")["variable"].tolist() == [
        "initial_urban_beds",
        "initial_rural_beds",
    ]
    for filters, words in (
        ({"status": "plan"}, "known names: assumption, derived, official"),
        ({"search": "bedz"}, "did you mean 'beds'"),
    ):
        with pytest.raises(DataError, match=words):
            keep(country, **filters)


def test_latex_of_the_base_year_is_whole(estimates: Estimates, country: pd.DataFrame) -> None:
    whole_latex(derived_to_latex(country), len(country))
    table = region_table(estimates, "450000")
    text = derived_to_latex(table, region="Guangxi", experiment="my_case")
    whole_latex(text, len(table))
    assert r"\label{tab:base_year_Guangxi_my_case}" in text
    assert r"Guangxi, parameters of my\_case" in text


def test_estimates_are_written_without_powers_of_ten() -> None:
    assert estimate_figure(float("nan")) == "–"
    assert estimate_figure(140967.4) == "140,967"
    assert estimate_figure(0.00007273) == "0.00007273"
    assert estimate_figure(-12.0) == "-12"
    assert in_a_region(-0.15, 0.1) == "-15% to +10%"
    assert in_a_region(-0.001, 0.0) == "0%"
    assert in_a_region(float("nan"), float("nan")) == "–"
