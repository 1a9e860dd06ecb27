"""Own regions: few figures are enough, constants stay national, every fallback is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.complete import read_fallbacks
from hukou_opt.regions.derive import derive_base_year
from hukou_opt.regions.load import check_table, load_regions
from hukou_opt.regions.methods import required_columns
from hukou_opt.regions.origins import FROM_OTHERS
from hukou_opt.regions.sources import sources_table

PARAMETERS = load_parameters()
SHIPPED = load_regions()
BASE = derive_base_year(SHIPPED, PARAMETERS, with_ranges=False)
#: Variables that are amounts of a region and no matrix between regions.
AMOUNTS = (
    "initial_urban_hukou_residents",
    "initial_rural_children",
    "initial_migrant_children",
    "initial_urban_seats",
    "initial_urban_beds",
    "initial_rural_beds",
    "central_transfers",
    "land_revenue",
    "school_entrants",
    "school_leavers",
)


def shipped_table() -> pd.DataFrame:
    return pd.read_csv(data_folder() / "2023.csv", dtype=str)


def written(table: pd.DataFrame, folder: Path, name: str = "own.csv") -> Path:
    path = folder / name
    table.to_csv(path, index=False)
    return path


def minimal(parents: list[str], **columns: list[float]) -> pd.DataFrame:
    codes = [f"r{number}" for number in range(len(parents))]
    return pd.DataFrame({"code": codes, "parent": parents, **columns})


def halves(codes: list[str]) -> pd.DataFrame:
    """Each of some provinces cut into two halves with all their figures."""
    table = shipped_table()
    table = table[table["code"].isin(codes)]
    amounts = [
        name
        for name, column in SHIPPED.columns.items()
        if column.unit in ("10k persons", "10k beds", "100m yuan", "10k mu")
    ]
    parts = []
    for ending in ("a", "b"):
        half = table.assign(parent=table["code"], code=table["code"] + ending)
        for name in amounts:
            half[name] = half[name].astype(float) / 2
        parts.append(half)
    return pd.concat(parts)


def test_three_columns_are_enough_and_every_other_has_a_named_fallback(tmp_path):
    path = written(
        minimal(["330000"] * 2, resident_pop=[300, 200], urban_share=[0.7, 0.4]), tmp_path
    )
    assert check_table(path) == []
    regions = load_regions(path)
    said = {line.split(": ")[0] for line in regions.fallbacks}
    needed = set(required_columns()) | set(read_fallbacks())
    assert said == needed - {"resident_pop", "urban_share"} | {
        "macro_region", "clusters", FROM_OTHERS,
    }  # fmt: skip
    table = sources_table(regions).set_index("column")
    assert table.loc["beds_total", "status"] == "fallback"
    assert "as in the parent" in table.loc["beds_total", "source"]
    assert table.loc["resident_pop", "status"] == "own table"
    assert any("taken from Zhejiang" in note for note in regions.notes)


def test_fallbacks_follow_the_parent(tmp_path):
    path = written(
        minimal(["330000", ""], resident_pop=[300, 300], urban_share=[0.7, 0.7]), tmp_path
    )
    table = load_regions(path).table
    parent = SHIPPED.table.loc["330000"]
    nation = SHIPPED.table
    assert table.loc["r0", "beds_total"] / 300 == pytest.approx(
        parent["beds_total"] / parent["resident_pop"]
    )
    assert table.loc["r1", "beds_total"] / 300 == pytest.approx(
        nation["beds_total"].sum() / nation["resident_pop"].sum()
    )
    rural = parent["resident_pop"] * (1 - parent["urban_share"])
    assert table.loc["r0", "cultivated_land_2008"] / 90 == pytest.approx(
        parent["cultivated_land_2008"] / rural
    )
    assert table.loc["r0", "birth_rate_2024"] == parent["birth_rate_2024"]
    growth = parent["resident_pop"] / parent["resident_pop_2020"]
    assert 300 / table.loc["r0", "resident_pop_2020"] == pytest.approx(growth)

    def odds(share):
        return share / (1 - share)

    assert odds(0.7) / odds(table.loc["r0", "urban_share_2020"]) == pytest.approx(
        odds(parent["urban_share"]) / odds(parent["urban_share_2020"])
    )


def test_a_province_under_its_own_code_gets_its_own_figures(tmp_path):
    table = shipped_table()[["code", "resident_pop", "urban_share"]].iloc[[0, 10, 23]]
    regions = load_regions(written(table, tmp_path))
    codes = list(regions.codes)
    for name in regions.table.columns:
        np.testing.assert_allclose(
            regions.figure(name), SHIPPED.table.loc[codes, name], rtol=1e-9, err_msg=name
        )
    own = derive_base_year(regions, PARAMETERS, with_ranges=False).data
    for name in AMOUNTS:
        np.testing.assert_allclose(own[name], BASE.data[name].sel(region=codes), rtol=1e-6)


def test_national_constants_stay_national_for_a_few_regions(tmp_path):
    """A rich city keeps the hukou share that it has in the country, not the nation's mean."""
    table = shipped_table().iloc[[0]]
    table["code"], table["parent"] = ["city"], ["110000"]
    own = derive_base_year(load_regions(written(table, tmp_path)), PARAMETERS, with_ranges=False)
    beijing = BASE.data.sel(region="110000")
    for name in AMOUNTS:
        np.testing.assert_allclose(own.data[name][0], beijing[name], rtol=1e-9, err_msg=name)
    assert own.data["share_65plus"][0].to_numpy() == pytest.approx(beijing["share_65plus"].values)


def test_split_provinces_are_halves_of_the_whole(tmp_path):
    regions = load_regions(written(halves(list(SHIPPED.codes)), tmp_path))
    assert len(regions.codes) == 62
    own = derive_base_year(regions, PARAMETERS, with_ranges=False).data
    codes = [code[:-1] for code in regions.codes]
    for name in AMOUNTS:
        np.testing.assert_allclose(
            2 * own[name].to_numpy(), BASE.data[name].sel(region=codes).to_numpy(), rtol=1e-6
        )
    hukou = float(own["initial_urban_hukou_residents"].sum()) / regions.figure("resident_pop").sum()
    assert hukou == pytest.approx(PARAMETERS["national_hukou_rate"], abs=1e-9)
    tilted = derive_base_year(
        regions, PARAMETERS.override({"abandoned_tilt": 1}), with_ranges=False
    ).data
    land = sum(tilted[f"initial_land_{kind}"] for kind in ("farmed", "transferred", "abandoned"))
    assert float(land.sum()) == pytest.approx(SHIPPED.country("cultivated_land", 2019))


def test_a_table_of_2020_is_moved_to_2023_and_meets_its_parent(tmp_path):
    parent = SHIPPED.table.loc["520000"]
    people = parent["resident_pop_2020"]
    table = minimal(
        ["520000"] * 3,
        resident_pop_2020=[people * part for part in (0.5, 0.3, 0.2)],
        urban_share_2020=[0.8, 0.4, parent["urban_share_2020"]],
    )
    regions = load_regions(written(table, tmp_path))
    assert regions.figure("resident_pop").sum() == pytest.approx(parent["resident_pop"])
    urban = regions.figure("resident_pop") * regions.figure("urban_share")
    assert urban.sum() / parent["resident_pop"] == pytest.approx(parent["urban_share"])
    part = load_regions(written(table.iloc[:1], tmp_path))
    odds = [share / (1 - share) for share in (0.8, part.figure("urban_share")[0])]
    theirs = [parent[name] / (1 - parent[name]) for name in ("urban_share_2020", "urban_share")]
    assert odds[1] / odds[0] == pytest.approx(theirs[1] / theirs[0])


def test_movers_from_outside_stand_on_the_diagonal_and_are_named(tmp_path):
    table = minimal(["330000"] * 3, resident_pop=[900, 500, 300], urban_share=[0.9, 0.6, 0.3])
    base = derive_base_year(load_regions(written(table, tmp_path)), PARAMETERS, with_ranges=False)
    matrix = base.data["initial_migrants"].to_numpy()
    assert (matrix - np.diag(np.diag(matrix)) > 0).sum() == 6
    assert (np.diag(matrix) > 0).all()
    assert any("come from outside the table" in note for note in base.notes)
    away = matrix.sum(axis=1) - np.diag(matrix)
    assert away[2] == pytest.approx(matrix[2, 0] + matrix[2, 1])


def test_migrants_may_be_given_by_destination_only(tmp_path):
    table = minimal([""] * 3, resident_pop=[900, 500, 300], urban_share=[0.6, 0.6, 0.5])
    table[FROM_OTHERS] = [40.0, 10.0, 0.0]
    regions = load_regions(written(table, tmp_path))
    assert not any(line.startswith(FROM_OTHERS) for line in regions.fallbacks)
    matrix = derive_base_year(regions, PARAMETERS, with_ranges=False).data["initial_migrants"]
    away = matrix.to_numpy().sum(axis=0) - np.diag(matrix.to_numpy())
    assert away[2] == pytest.approx(0)
    assert away[0] / away[1] == pytest.approx(4)
    assert matrix[1, 0] / matrix[2, 0] == pytest.approx(200 / 150)


def origins(folder: Path, text: str) -> None:
    (folder / "own_origins.csv").write_text(text, encoding="utf-8")


def test_origins_may_be_coarser_than_destinations(tmp_path):
    table = minimal([""] * 3, resident_pop=[900, 500, 300], urban_share=[0.6, 0.6, 0.5])
    table["origin_group"] = ["", "south", "south"]
    path = written(table, tmp_path)
    origins(tmp_path, "origin_group,r0,r1,r2\nr0,0,30000,0\nsouth,70000,0,0\noutside,9000,0,0\n")
    regions = load_regions(path)
    assert any("2 origin groups" in note or "3 origin groups" in note for note in regions.notes)
    matrix = (
        derive_base_year(regions, PARAMETERS, with_ranges=False).data["initial_migrants"].values
    )
    assert matrix[0, 2] == matrix[1, 2] == 0
    assert matrix[2, 1] == 0
    assert matrix[1, 0] / matrix[2, 0] == pytest.approx(200 / 150)
    assert (matrix[1, 0] + matrix[2, 0]) / matrix[0, 1] == pytest.approx(7 / 3)
    plain = load_regions(written(table, tmp_path, "plain.csv"))
    assert plain.identity != regions.identity


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group,r0\nr0,1\n", "begins with 'group'"),
        ("origin_group,r0\nr0,1\n", "column 'r1' | is missing"),
        ("origin_group,r0,r1,r9\nr0,1,1,1\n", "'r9' | is no region of the table"),
        ("origin_group,r0,r1\nr7,1,1\n", "is no origin group ('r7')"),
        ("origin_group,r0,r1\nr0,1,many\n", "is no number of persons ('many')"),
        ("origin_group,r0,r1\nr0,1,-5\n", "is no number of persons ('-5')"),
        ("origin_group,r0,r1\nr0,1,5\nr0,1,5\n", "stands twice"),
    ],
)
def test_faults_of_the_origins_are_named(text, message, tmp_path):
    path = written(minimal([""] * 2, resident_pop=[9, 5], urban_share=[0.6, 0.5]), tmp_path)
    origins(tmp_path, text)
    assert any(message in str(fault) for fault in check_table(path)), check_table(path)


def test_a_region_all_town_or_all_country_gives_a_possible_base_year(tmp_path):
    table = minimal(["110000"] * 3, resident_pop=[70, 80, 90], urban_share=[1, 0, 0.5])
    regions = load_regions(written(table, tmp_path))
    assert any("held at 0.001 or 0.999" in note for note in regions.notes)
    data = derive_base_year(regions, PARAMETERS, with_ranges=False).data
    assert float(data["migration_coefficient"].max()) < 1.1
    assert np.isfinite(data["initial_destination_share"]).all()


def faults_of(table: pd.DataFrame, folder: Path) -> str:
    return "\n".join(map(str, check_table(written(table, folder))))


def test_persons_given_for_10k_persons_are_named_even_for_one_county(tmp_path):
    text = faults_of(minimal(["330000"], resident_pop=[709_000], urban_share=[0.6]), tmp_path)
    assert "give people in 10k persons, not in persons" in text
    assert "709,000 10k persons in Zhejiang" in text
    text = faults_of(minimal([""], resident_pop=[709_000], urban_share=[0.6]), tmp_path)
    assert "in the nation" in text
    small = minimal([""], resident_pop=[80_000], urban_share=[0.6], beds_total=[0.05])
    assert "beds_total per head of less than 1%" in faults_of(small, tmp_path)
    small = minimal([""], resident_pop=[8], urban_share=[0.6], beds_total=[0.05])
    assert faults_of(small, tmp_path) == ""


def test_mixed_vintages_are_named(tmp_path):
    table = minimal([""], resident_pop=[8.0], urban_share_2020=[0.6])
    text = faults_of(table, tmp_path)
    assert "'urban_share_2020' | is of 2020, beside 'resident_pop' of 2023" in text
    table = minimal([""], resident_pop_2020=[8.0], urban_share=[0.6])
    assert "'resident_pop_2020' | is of 2020, beside 'urban_share'" in faults_of(table, tmp_path)


def test_first_published_figures_beside_revised_ones_are_named(tmp_path):
    table = shipped_table()
    table.loc[table["code"] == "230000", "resident_pop_2019"] = "3751"
    text = faults_of(table, tmp_path)
    assert "column 'resident_pop_2019' | mixes two vintages" in text
    assert "230000: 3751" in text
    assert faults_of(shipped_table(), tmp_path) == ""


def test_all_faults_of_an_own_table_come_at_once(tmp_path):
    table = pd.DataFrame(
        {
            "code": ["a", "a", "b"],
            "parent": ["330000", "Zhejiang", ""],
            "macro_region": ["Eastern", "East", "Western"],
            "resident_pop": ["10", "x", "-4"],
            "urban_share": ["66", "0.5", "0.4"],
            "beds": ["1", "1", "1"],
        }
    )
    with pytest.raises(DataError) as caught:
        load_regions(written(table, tmp_path))
    text = str(caught.value)
    for part in (
        "region a | stands 2 times",
        "is no province of china_provinces ('Zhejiang')",
        "is unknown ('East')",
        "is not a number ('x')",
        "is negative (-4)",
        "percentage (66)",
        "column 'beds' | is unknown",
    ):
        assert part in text, text


def test_the_shipped_table_has_no_notes_and_is_its_own_nation():
    assert SHIPPED.notes == () == BASE.notes
    assert SHIPPED.fallbacks == ()
    assert SHIPPED.whole is SHIPPED
