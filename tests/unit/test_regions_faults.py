"""Bad region tables: every fault is found, named and listed together with the others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.derive import derive_base_year
from hukou_opt.regions.load import check_table, load_regions


def shipped() -> pd.DataFrame:
    """The shipped table as text, as a user would copy it."""
    return pd.read_csv(data_folder() / "2023.csv", dtype=str)


def written(table: pd.DataFrame, folder: Path) -> Path:
    path = folder / "own.csv"
    table.to_csv(path, index=False)
    return path


def set_cell(code: str, column: str, value: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table["code"] == code, column] = value
        return table

    return change


FAULTS = {
    "missing region": (lambda t: t[t["code"] != "110000"], "region 110000 | is missing"),
    "duplicate region": (lambda t: pd.concat([t, t.iloc[:1]]), "region 110000 | stands 2 times"),
    "unknown region": (set_cell("110000", "code", "110001"), "region '110001' | is unknown"),
    "no code": (set_cell("110000", "code", ""), "have no region code"),
    "empty population": (
        set_cell("120000", "resident_pop", ""),
        "region 120000, column 'resident_pop' | is missing",
    ),
    "negative population": (
        set_cell("120000", "resident_pop", "-5"),
        "region 120000, column 'resident_pop' | is negative (-5)",
    ),
    "zero population": (
        set_cell("120000", "resident_pop", "0"),
        "region 120000, column 'resident_pop' | is zero (0)",
    ),
    "infinite": (set_cell("120000", "beds_total", "inf"), "column 'beds_total' | is out of bounds"),
    "percent": (
        set_cell("130000", "urban_share", "62.8"),
        "column 'urban_share' | is a share above 1, probably a percentage (62.8)",
    ),
    "persons": (
        set_cell("130000", "resident_pop", "73930000"),
        "give it in 10k persons, not in persons",
    ),
    "beds, not 10k": (set_cell("130000", "beds_total", "1300"), "does not fit 7393 10k residents"),
    "yuan": (set_cell("130000", "disp_income_all", "32903"), "not in yuan"),
    "shares": (
        set_cell("130000", "tier_share_small_2020", "0.9"),
        "tier_share_small_2020 | sum to 1.2",
    ),
    "text": (set_cell("130000", "budget_revenue", "4,286"), "is not a number ('4,286')"),
    "unknown column": (
        lambda t: t.rename(columns={"urban_share": "urban_shar"}),
        "column 'urban_shar' | is unknown | did you mean 'urban_share'?",
    ),
    "missing column": (
        lambda t: t.drop(columns=["urban_share", "urban_share_2020"]),
        "column 'urban_share' | is missing",
    ),
    "implausible country": (
        lambda t: t.assign(resident_pop=(t["resident_pop"].astype(float) * 1.5).astype(str)),
        "the country has 140,967",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(name, tmp_path):
    change, message = FAULTS[name]
    faults = check_table(written(change(shipped()), tmp_path))
    assert any(message in str(fault) for fault in faults), "\n".join(map(str, faults))


def test_the_shipped_table_has_no_fault(tmp_path):
    assert check_table(written(shipped(), tmp_path)) == []


def test_all_faults_stand_in_one_error(tmp_path):
    table = shipped()
    for change in (
        set_cell("110000", "resident_pop", "-1"),
        set_cell("120000", "urban_share", "85"),
        set_cell("130000", "beds_total", "many"),
        set_cell("650000", "code", "999999"),
    ):
        table = change(table)
    with pytest.raises(DataError) as caught:
        load_regions(written(table, tmp_path))
    text = str(caught.value)
    for part in ("is negative (-1)", "percentage (85)", "('many')", "'999999' | is unknown"):
        assert part in text
    assert "region 650000 | is missing" in text
    assert text.count("'beds_total'") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("code,resident_pop,\n1,2,3\n", "merged or empty header cell"),
        ("code,resident_pop,resident_pop\n1,2,3\n", "column 'resident_pop' stands 2 times"),
        ("code,resident_pop\n1,2,3\n", "has 3 fields, the header has 2"),
        ("cod,resident_pop\n1,2\n", "has no column 'code' | did you mean 'cod'?"),
        ("code,resident_pop\n", "has no region"),
    ],
)
def test_a_file_that_is_no_table_is_explained(text, message, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    assert any(message in str(fault) for fault in check_table(path))


def test_a_file_in_another_encoding_is_explained(tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes(b"code,\xff\n")
    assert "is neither UTF-8 nor GB18030 text (byte 0xff at position 5)" in str(
        check_table(path)[0]
    )


def test_a_base_year_without_data_names_those_with_data():
    with pytest.raises(DataError, match="2010, 2015, 2020, 2023"):
        load_regions(base=2019)


def test_an_unknown_table_is_explained():
    with pytest.raises(DataError, match="neither a shipped table nor a file"):
        load_regions("china_cities")


def test_a_base_year_that_lacks_columns_lists_them_all():
    with pytest.raises(DataError) as caught:
        derive_base_year(load_regions(base=2015), load_parameters())
    named = {fault.where for fault in caught.value.faults}
    assert "china_provinces 2015, column 'nonagri_hukou_share_2010'" in named
    assert len(named) > 10


def test_a_folder_laid_out_like_the_shipped_one_is_checked_too(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(data_folder(), folder)
    assert load_regions(folder).identity == load_regions().identity
    matrix = pd.read_csv(folder / "birthplace_2010.csv", dtype={"code": str})
    matrix.loc[0, "110000"] = 5
    matrix.to_csv(folder / "birthplace_2010.csv", index=False)
    labels = pd.read_csv(folder / "regions.csv", dtype=str)
    labels.loc[0, "macro_region"] = "Eastem"
    labels.to_csv(folder / "regions.csv", index=False)
    with pytest.raises(DataError) as caught:
        load_regions(folder)
    assert "diagonal that is not zero" in str(caught.value)
    assert "did you mean 'Eastern'?" in str(caught.value)


def test_a_folder_of_another_schema_version_is_refused(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(data_folder(), folder)
    text = (folder / "schema.json").read_text(encoding="utf-8")
    (folder / "schema.json").write_text(
        text.replace('"schema_version": 1', '"schema_version": 2'), encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"another schema version \(2\)"):
        load_regions(folder)


def test_own_regions_may_be_few_and_lack_what_has_a_fallback(tmp_path):
    table = (
        shipped()
        .iloc[[1, 4]]
        .drop(
            columns=[
                "beds_urban_2019",
                "county_pop_2020",
                "tier_share_mega_2020",
                "resident_pop_2018",
            ]
        )
    )
    table["code"] = ["north", "south"]
    path = written(table, tmp_path)
    assert check_table(path) == []
    regions = load_regions(path)
    assert regions.nation is not None
    derive_base_year(regions, load_parameters(), with_ranges=False)
    assert {line.split(":")[0] for line in regions.fallbacks} >= {
        "beds_urban_2019",
        "county_pop_2020",
        "tier_share_mega_2020",
        "resident_pop_2018",
    }


def test_one_region_of_ones_own_has_no_moves_to_others(tmp_path):
    table = shipped().iloc[[14]]
    table["code"] = ["alone"]
    data = derive_base_year(
        load_regions(written(table, tmp_path)), load_parameters(), with_ranges=False
    ).data
    assert data["initial_destination_share"].item() == pytest.approx(1)
    assert data["initial_urban_hukou_residents"].item() > 0
