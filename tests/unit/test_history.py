"""Annual series: shipped figures, vintages, and refusal of what became known too late."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hukou_opt.bundled import data_folder
from hukou_opt.cli import app
from hukou_opt.errors import DataError
from hukou_opt.regions.history import NO_FIGURE, History, load_history, spans
from hukou_opt.regions.history_columns import MOVES, read_series_columns

CODES = ("110000", "440000", "540000")
YEARS = (2013, 2014, 2015)


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


@pytest.fixture(scope="module")
def then() -> History:
    return load_history(known_by=2016)


def shipped() -> pd.DataFrame:
    return pd.read_csv(data_folder() / "history.csv", dtype={"code": str})


def some(*names: str, codes: tuple[str, ...] = CODES, years: tuple[int, ...] = YEARS):
    """Lines of the shipped series, as a user's own table would have them."""
    table = shipped()
    keep = table["code"].isin(codes) & table["year"].isin(years)
    return table.loc[keep, ["code", "year", *names]].reset_index(drop=True)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    def write(table: pd.DataFrame) -> Path:
        path = tmp_path / "own.csv"
        table.to_csv(path, index=False)
        return path

    return write


def faults(path: Path, known_by: int | None = None) -> list[str]:
    with pytest.raises(DataError) as caught:
        load_history(path, known_by=known_by)
    return [str(fault) for fault in caught.value.faults]


# The shipped series.


def test_years_that_are_kept_aside_do_not_ship(history: History) -> None:
    assert history.values["year"].values.tolist() == [*range(2005, 2021), 2023]
    assert len(history.codes) == 31


def test_sums_agree_with_published_totals(history: History) -> None:
    assert history.at("resident_pop", 2019).sum() == pytest.approx(140_805, abs=1)
    assert history.at("beds_total", 2019).sum() == pytest.approx(880.7, abs=0.1)
    assert history.at("primary_students", 2019).sum() == pytest.approx(10_561, abs=1)
    assert history.at("junior_students", 2019).sum() == pytest.approx(4_827, abs=1)
    beds = history.values[["beds_urban", "beds_rural", "beds_total"]].sel(year=range(2011, 2020))
    np.testing.assert_allclose(beds["beds_urban"] + beds["beds_rural"], beds["beds_total"])


@pytest.mark.parametrize("base", [2010, 2015, 2020, 2023])
def test_series_equal_the_tables_of_the_base_years(history: History, base: int) -> None:
    table = pd.read_csv(data_folder() / f"{base}.csv", dtype={"code": str}).set_index("code")
    both = [name for name in table if name in history.values]
    assert {"resident_pop", "urban_share", "beds_total"} <= set(both)
    for name in both:
        np.testing.assert_array_equal(history.at(name, base), table.loc[list(history.codes), name])


def test_every_figure_has_a_year_in_which_it_became_known(history: History) -> None:
    years = history.values["year"]
    for name in history.values:
        there = history.values[name].notnull()
        known = history.known[name]
        assert (known.where(there, NO_FIGURE) == known).all()
        assert (known > years).where(there, True).all()
        assert history.about[str(name)][0].unit


def test_documented_spans_are_those_of_the_figures(history: History) -> None:
    about = read_series_columns(data_folder())
    assert set(about) == {*map(str, history.values), *MOVES}
    for name in history.values:
        documented = {
            year for span in about[str(name)] for year in range(span.first_year, span.last_year + 1)
        }
        whole = history.values[name].notnull().all("region")
        assert documented == set(history.values["year"].values[whole.values].tolist())
        assert all(span.source and span.status == "official" for span in about[str(name)])


def test_series_are_one_until_2010_and_two_from_2011(history: History) -> None:
    """What history_columns.csv says of the two vintages holds for every region."""
    for name in ("resident_pop", "urban_share"):
        apart = abs(history.values[f"{name}_prerev"] / history.values[name] - 1)
        assert float(apart.sel(year=range(2005, 2011)).max()) < 1.2e-3
        assert (apart.sel(year=range(2012, 2020)).max("region") > 0.02).all()
    known = history.known.isel(region=0)
    assert known["resident_pop"].sel(year=[2009, 2010, 2011, 2019]).values.tolist() == [
        2011,
        2011,
        2021,
        2021,
    ]
    assert known["resident_pop_prerev"].sel(year=[2009, 2011, 2019]).values.tolist() == [
        2011,
        2012,
        2020,
    ]


def test_moves_in_are_moves_out_of_other_provinces(history: History) -> None:
    moves = history.moves_in_out("2005-2010")
    assert float(moves["in_moves"].sum()) == pytest.approx(5_499.39, abs=0.01)
    for period in ("2005-2010", "2010-2015"):
        moves = history.moves_in_out(period)
        assert float(moves["in_moves"].sum()) == pytest.approx(float(moves["out_moves"].sum()))
        assert set(moves) == set(MOVES)
    with pytest.raises(DataError, match="periods: 2005-2010, 2010-2015"):
        history.moves_in_out("2015-2020")


def test_moves_into_a_province_are_part_of_its_migrants(history: History) -> None:
    """Rows that carry each other's numbers would break the ratio to the census of 2010."""
    census = pd.read_csv(data_folder() / "2010.csv", dtype={"code": str}).set_index("code")
    migrants = census.loc[list(history.codes), "migrants_other_province"]
    ratio = history.moves_in_out("2005-2010")["in_moves"].values / migrants
    assert ratio.between(0.4, 1.2).all()


# What a study of an earlier year could have had.


def test_the_revised_series_is_refused_by_name_and_the_first_one_served(then: History) -> None:
    with pytest.raises(DataError) as caught:
        then.series("urban_share", 2010, 2015)
    assert [str(fault) for fault in caught.value.faults] == [
        f"china_provinces history, urban_share {year} | became known in 2021, after 2016 | "
        "use urban_share_prerev, or known_by 2021"
        for year in range(2011, 2016)
    ]
    served = then.series("urban_share_prerev", 2010, 2015)
    assert served.dims == ("region", "year")
    assert served.notnull().all()
    with pytest.raises(DataError, match=r"2016 \| became known in 2017, after 2016 \| use known"):
        then.at("resident_pop_prerev", 2016)


def test_nothing_later_is_left_in_the_values(history: History, then: History) -> None:
    for name in then.values:
        late = then.known[name] > 2016
        assert then.values[name].where(late).isnull().all()
        kept = history.values[name].where(~late)
        np.testing.assert_array_equal(then.values[name], kept)
    assert then.moves["in_moves"].sel(period="2010-2015").isnull().all()
    with pytest.raises(DataError, match=r"moves 2010-2015 \| became known in 2017, after 2016"):
        then.moves_in_out("2010-2015")
    assert then.moves_in_out("2005-2010")["in_moves"].notnull().all()


def test_the_last_known_year_depends_on_the_vintage(history: History, then: History) -> None:
    assert history.last_known("resident_pop") == 2023
    assert then.last_known("resident_pop") == 2010
    assert then.last_known("resident_pop_prerev") == 2015
    assert then.last_known("birth_rate") == 2015
    with pytest.raises(DataError, match="no year with figures of all regions known by 2009"):
        load_history(known_by=2009).last_known("resident_pop")


def test_a_year_without_figures_is_named(history: History) -> None:
    for year in (2008, 2022):
        with pytest.raises(DataError) as caught:
            history.at("beds_total", year)
        assert str(caught.value.faults[0]) == (
            f"china_provinces history, beds_total {year} | is not in the table | "
            "years at hand: 2005-2007, 2009-2020, 2023"
        )
    with pytest.raises(DataError, match="did you mean 'beds_total'"):
        history.at("beds_totl", 2010)
    with pytest.raises(DataError, match="ends before it begins"):
        history.series("beds_total", 2015, 2010)


def test_the_identity_tells_vintages_apart(history: History, then: History) -> None:
    assert len({history.identity, then.identity, load_history(known_by=2017).identity}) == 3
    assert load_history().identity == history.identity


def test_years_are_written_as_spans() -> None:
    assert spans([2009, 2005, 2006, 2007]) == "2005-2007, 2009"
    assert spans([]) == ""


# A table of one's own.


def test_an_own_table_is_known_the_year_after(own: Callable[[pd.DataFrame], Path]) -> None:
    table = some("birth_rate", "beds_total")
    table["code"] = table["code"].str[:2]
    history = load_history(own(table), known_by=2016)
    assert history.codes == ("11", "44", "54")
    assert (history.known["birth_rate"] == history.known["year"] + 1).all()
    assert history.series("beds_total", 2013, 2015).shape == (3, 3)
    assert history.moves.sizes["period"] == 0
    with pytest.raises(DataError, match="periods: none"):
        history.moves_in_out("2005-2010")


def test_a_figure_of_later_years_is_refused(own: Callable[[pd.DataFrame], Path]) -> None:
    table = some("birth_rate", years=(2015, 2016, 2017, 2018))
    listed = faults(own(table), known_by=2018)
    assert listed == [
        f"own.csv, region {code}, 2018, column 'birth_rate' | became known in 2019, after 2018: "
        "a planted figure | take it out, or use known_by 2019"
        for code in CODES
    ]


def test_stated_years_count_for_lines_and_for_series(own: Callable[[pd.DataFrame], Path]) -> None:
    table = some("birth_rate", "beds_total")
    table["known_year"] = 2017
    table["beds_total_known"] = table["year"]
    table.loc[0, "beds_total_known"] = np.nan
    table["beds_total_known"] = table["beds_total_known"].astype("Int64")
    path = own(table)
    history = load_history(path)
    assert (history.known["birth_rate"] == 2017).all()
    assert int(history.known["beds_total"].sel(region="440000", year=2014)) == 2014
    assert int(history.known["beds_total"].sel(region="110000", year=2013)) == 2017
    listed = faults(path, known_by=2016)
    assert len(listed) == 9 + 1
    table["known_year"] = 2012
    assert "lies before the year of the figure (2012)" in faults(own(table))[0]


def test_all_faults_of_a_file_are_listed_at_once(own: Callable[[pd.DataFrame], Path]) -> None:
    table = some("resident_pop_prerev", "urban_share_prerev", "primary_students").astype(object)
    table.loc[0, "urban_share_prerev"] = 86.3
    table.loc[1, "resident_pop_prerev"] = table.loc[1, "resident_pop_prerev"] * 10_000
    table.loc[3, "primary_students"] = "many"
    table.loc[6, "resident_pop_prerev"] = table.loc[6, "resident_pop_prerev"] / 10_000
    table = pd.concat([table, table.iloc[[4]]])
    table["resident_popp"] = 1
    text = "\n".join(faults(own(table)))
    for part in (
        "region 110000, 2013, column 'urban_share_prerev' | is a share above 1, probably a percent",
        "region 110000, 2014, column 'resident_pop_prerev' | is out of bounds",
        "give it in 10k persons, not in persons",
        "region 440000, 2013, column 'primary_students' | is not a number ('many')",
        "one 10,1",
        "line 11, region 440000, 2014 | stands twice | keep one line",
        "column 'resident_popp' | is unknown | did you mean 'resident_pop'?",
    ):
        assert part in text, text


def test_persons_for_10k_persons_are_seen_in_small_regions(
    own: Callable[[pd.DataFrame], Path],
) -> None:
    lines = [
        {"code": code, "year": year, "resident_pop": size * (1 + (year - 2010) / 100)}
        for code, size in (("a", 3.0), ("b", 5.0), ("c", 40_000.0))
        for year in (2010, 2011, 2012)
    ]
    table = pd.DataFrame(lines)
    assert faults(own(table)) == [
        "own.csv, region c, column 'resident_pop' | is 8,000 times the middle of all regions "
        "(40400) | give it in 10k persons"
    ]
    table.loc[table["code"].eq("c"), "resident_pop"] = [4.0, 4.1, 41_000.0]
    assert "is 10,000 times the middle of the region's years (41000)" in faults(own(table))[0]
    table["primary_students"] = 40.0
    assert "does not fit 3 10k residents (40 10k persons)" in "\n".join(faults(own(table)))


def test_a_gap_is_named_but_not_where_the_shipped_series_have_it(
    own: Callable[[pd.DataFrame], Path],
) -> None:
    table = some("birth_rate", years=(2012, 2013, 2014, 2015))
    table = table[~(table["code"].eq("440000") & table["year"].isin([2013, 2014]))]
    assert faults(own(table)) == [
        "own.csv, region 440000, column 'birth_rate' | has a gap (2013, 2014) | "
        "fill in the years between the first and the last"
    ]
    load_history(own(some("beds_total", years=(2007, 2009, 2010))))
    load_history(own(some("resident_pop", years=(2019, 2020, 2023))))


def test_two_vintages_in_one_column_are_named_with_their_cells(
    own: Callable[[pd.DataFrame], Path],
) -> None:
    years = tuple(range(2010, 2016))
    table = some("resident_pop_prerev", "resident_pop", years=years)
    mixed = table["code"].eq("440000") & table["year"].isin([2014, 2015])
    table.loc[mixed, "resident_pop_prerev"] = table.loc[mixed, "resident_pop"]
    (fault,) = faults(own(table.drop(columns="resident_pop")))
    assert "column 'resident_pop_prerev' | mixes two vintages: " in fault
    assert "2 of the revised series" in fault
    assert "of the revised series: 440000 2014, 440000 2015 |" in fault


def test_a_copy_of_the_revised_series_is_known_since_the_revision(
    own: Callable[[pd.DataFrame], Path],
) -> None:
    path = own(some("urban_share"))
    history = load_history(path)
    assert int(history.known["urban_share"].sel(region="440000", year=2015)) == 2021
    assert len(faults(path, known_by=2016)) == int((history.known["urban_share"] > 2016).sum())
    table = some("urban_share")
    table["known_year"] = table["year"] + 1
    assert (
        "is the revised figure, which became known in 2021 (stated: 2014)" in faults(own(table))[0]
    )


def test_own_figures_near_no_vintage_are_taken_as_they_are(
    own: Callable[[pd.DataFrame], Path],
) -> None:
    table = some("resident_pop_prerev", "resident_pop")
    table["resident_pop"] = (table["resident_pop_prerev"] * 1.013).round(2)
    # One of nine may equal a revised figure by chance.
    table.loc[4, "resident_pop"] = 11_489.0
    history = load_history(own(table.drop(columns="resident_pop_prerev")), known_by=2016)
    assert history.at("resident_pop", 2014)[1] == load_history().at("resident_pop", 2014)[18]
    assert (history.known["resident_pop"] == history.known["year"] + 1).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,resident_pop\n11,3\n", "has no column 'year' | add the column"),
        ("code,year\n11,2010\n", "has no series | known names: resident_pop"),
        ("region,year,resident_pop\n11,2010,3\n", "has no column 'code'"),
        ("code,year,resident_pop\n", "has no figures | give one line per year"),
        ("code,year,resident_pop\n11,late,3\n", "has no year ('late') | give a year"),
        ("code,year,resident_pop\n,2010,3\n", "has no region code | fill in the code"),
        ("code,year,resident_pop\n11,2010,-3\n", "is negative (-3)"),
        ("code,year,resident_pop,known_year\n11,2010,3,soon\n", "is no year ('soon')"),
    ],
)
def test_tables_that_are_no_series_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    assert words in "\n".join(faults(path))


def test_a_folder_without_its_files_names_them(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("code,year,birth_rate\n11,2010,9\n", encoding="utf-8")
    assert faults(tmp_path) == [
        f"folder {tmp_path.name!r} | lacks {name} | lay it out like china_provinces"
        for name in ("history_columns.csv", "regions.csv")
    ]


def test_a_name_that_is_nothing_says_what_to_give() -> None:
    with pytest.raises(DataError, match="neither a shipped table nor a file"):
        load_history("china_provincs")


# Where the series come from, on the command line.


def test_the_sources_mark_what_a_study_of_a_year_could_have_had() -> None:
    done = CliRunner().invoke(app, ["data", "sources", "--csv", "--known-by", "2016"])
    assert done.exit_code == 0
    table = pd.read_csv(io.StringIO(done.stdout)).set_index(["column", "data_year"])
    mark = table["known_by_2016"]
    assert mark["annual: urban_share", "2011-2019"] == "no"
    assert mark["annual: urban_share", "2010"] == "yes"
    assert mark["annual: urban_share_prerev", "2010-2019"] == "those known 2011-2016"
    assert mark["five years: in_moves", "2010-2015"] == "no"
    assert mark["nonagri_hukou_share_2010", "2010"] == "yes"
    assert mark["national: births", "2015"] == "no"
    assert table["source"].notna().all()
    plain = CliRunner().invoke(app, ["data", "sources"])
    assert "annual: beds_total" in plain.stdout
    assert "known_by" not in plain.stdout


def test_a_spreadsheet_s_years_and_codes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("code,year,birth_rate\n440000.0,2014.0,10.8\n", encoding="utf-8")
    history = load_history(path)
    assert history.codes == ("440000",)
    assert history.at("birth_rate", 2014).tolist() == [10.8]
