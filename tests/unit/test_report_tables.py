from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from result_builder import BLOCKS, FUND, attrs, groups, result, without_allocation

from hukou_opt.errors import OutputError, ResultError
from hukou_opt.report.all_tables import all_tables
from hukou_opt.report.latex import latex_escape, to_latex
from hukou_opt.report.publish import check_writable, staged, write_tables
from hukou_opt.report.table import write
from hukou_opt.report.tables import (
    allocation_table,
    gaps_table,
    path_table,
    rounded_money,
    rounded_places,
    summary_table,
)
from hukou_opt.result import Result


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("unused", [0.0, 30.4, 0.5])
def test_printed_money_adds_up_to_the_fund(seed: int, unused: float) -> None:
    made = result(seed, unused)
    money, left, fund = rounded_money(made)
    assert fund == FUND
    assert money.sum() + left == FUND
    assert np.array_equal(money.values, np.round(money.values))
    exact = made["allocation"]["central_transfers"]
    first = exact.isel(year=slice(0, 3)).sum("year").transpose("region", "sector")
    assert np.all(np.abs(money.sel(block=BLOCKS[0]).values - first.values) < 1 + 1e-6)
    for dim in ("region", "sector"):
        others = [name for name in money.dims if name != dim]
        true = exact.sum([name for name in exact.dims if name != dim])
        assert np.all(np.abs(money.sum(others).values - true.values) < 1 + 1e-6)


def test_the_table_s_rows_and_columns_add_up() -> None:
    frame = allocation_table(result()).frame
    money = frame["Central transfers, 100m yuan"]
    regions = ["Beijing", "Henan", "Guang_dong"]
    for block in [*BLOCKS, "All years"]:
        rows = frame.loc[[(name, block) for name in regions]]
        assert np.allclose(rows.sum(), frame.loc[("All regions", block)])
    sectors = money.drop(columns="Total")
    inner = sectors.notna().all(axis=1)
    assert inner.sum() == len(money) - 2
    assert (sectors[inner].sum(axis=1) == money.loc[inner, "Total"]).all()
    assert money.loc[("Money not used", "All years"), "Total"] == 30
    assert money.loc[("Central fund", "All years"), "Total"] == FUND
    spent = money.loc[("All regions", "All years"), "Total"]
    assert spent + 30 == FUND


def test_places_add_up_in_tenths() -> None:
    made = result()
    places = rounded_places(made)
    exact = made["allocation"]["starts"].sum("year").transpose("service", "area", "region")
    assert np.all(np.abs(places.sum("block").values - exact.values) < 0.1 + 1e-6)
    assert np.allclose(places.values * 10, np.round(places.values * 10))


def test_money_that_misses_the_fund_is_refused() -> None:
    with pytest.raises(ResultError, match="miss the fund"):
        allocation_table(Result.build(attrs(central_fund=FUND + 1), groups()))


def test_no_table_without_certificate(tmp_path: Path) -> None:
    bad = result(certified=0)
    for make in (allocation_table, summary_table, gaps_table, path_table, all_tables):
        with pytest.raises(ResultError, match="no valid certificate"):
            make(bad)
    with pytest.raises(ResultError, match="no valid certificate"):
        write_tables(bad, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_without_allocation_there_is_the_path_only() -> None:
    none = without_allocation()
    assert [table.name for table in all_tables(none)] == ["path", "scorecard"]
    with pytest.raises(ResultError, match="has no allocation"):
        allocation_table(none)


def test_tidy_figures_are_the_printed_ones() -> None:
    table = allocation_table(result())
    tidy = table.tidy
    assert tidy is not None
    assert not tidy.duplicated(["region", "block", "quantity", "part"]).any()
    assert tidy.notna().all(axis=None)
    one = tidy.query("region == '410000' and block == 'all' and part == 'health'")
    shown = table.frame.loc[("Henan", "All years"), ("Central transfers, 100m yuan", "Health")]
    assert one["value"].item() == shown
    money = tidy[tidy["quantity"] == "central_transfers"]
    cells = money[
        (money["region"] != "all") & (money["block"] != "all") & (money["part"] != "total")
    ]
    unused = tidy[tidy["quantity"] == "central_unused"]["value"].item()
    assert cells["value"].sum() + unused == FUND


def test_latex_is_whole_and_escaped() -> None:
    for table in all_tables(result()):
        text = to_latex(table)
        assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
        for mark in (r"\toprule", r"\bottomrule", rf"\label{{tab:{table.name}}}", r"50 \% rule"):
            assert mark in text
        body = [line for line in text.splitlines() if not line.startswith("%")]
        assert not [line for line in body if re.search(r"(?<!\\)[%#]", line)]
        assert "Guang_dong" not in text
        assert "Certificate: 2 levels" in text
        assert result().identity[:16] in text
        rows = [line for line in body if line.endswith(r"\\") and "multi" not in line]
        form = re.search(r"\{((?:[lr]|p\{4cm\})+)\}", text)
        assert form is not None
        # Long row labels are broken.
        assert ("p{4cm}" in form[1]) == (
            max(len(str(part)) for row in table.frame.index.to_frame().to_numpy() for part in row)
            > 30
        )
        columns = len(re.findall(r"[lr]|p\{4cm\}", form[1]))
        widths = {len(re.findall(r"(?<!\\)&", line)) + 1 for line in rows}
        assert widths - {1} == {columns}
    assert r"30.4\%" in latex_escape("30.4%")


def test_not_converged_stands_in_every_title() -> None:
    for table in all_tables(result(converged=0)):
        assert "rounds not converged" in table.caption
        assert any("NOT at rest" in note for note in table.notes)


def test_figures_are_written_as_readers_expect() -> None:
    assert write(float("nan"), "whole") == "–"
    assert write(-1e-9, "tenths") == "0.0"
    assert write(12345.4, "whole") == "12,345"
    assert write(0.0772, "percent") == "7.7%"


def test_excel_holds_numbers_formats_and_notes(tmp_path: Path) -> None:
    write_tables(result(), tmp_path)
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert book.sheetnames == [
        "allocation",
        "allocation_summary",
        "gaps",
        "comparators",
        "indicators",
        "formula_money",
        "path",
        "scorecard",
        "Notes",
    ]
    sheet = book["allocation"]
    assert sheet.freeze_panes == "C5"
    rows = {(row[0].value, row[1].value): row for row in sheet.iter_rows(min_row=5)}
    cell = rows[("All regions", "All years")][6]
    assert cell.value == FUND - 30
    assert cell.number_format == "#,##0"
    gaps = book["gaps"]
    assert gaps["B4"].number_format == "0.00%"
    assert isinstance(gaps["B4"].value, float)
    notes = [row[0].value for row in book["Notes"].iter_rows()]
    assert any(result().identity[:16] in str(line) for line in notes)


def test_written_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    names = [path.name for path in write_tables(result(), first)]
    assert names == [path.name for path in write_tables(result(), second)]
    assert names == [
        "allocation.csv",
        "allocation.tex",
        "allocation_summary.tex",
        "comparators.csv",
        "comparators.tex",
        "formula_money.csv",
        "formula_money.tex",
        "gaps.csv",
        "gaps.tex",
        "indicators.csv",
        "indicators.tex",
        "path.csv",
        "path.tex",
        "scorecard.csv",
        "scorecard.tex",
        "tables.html",
        "tables.xlsx",
    ]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert zipfile.is_zipfile(first / "tables.xlsx")
    read = pd.read_csv(first / "gaps.csv")
    assert read.shape == (10, 6)


def test_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hukou_opt.report.publish.write_workbook", broken)
    with pytest.raises(OutputError, match="No space left"):
        write_tables(result(), tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []
    kept = tmp_path / "mine"
    kept.mkdir()
    (kept / "note.txt").write_text("mine")
    with pytest.raises(OutputError, match="No space left"):
        write_tables(result(), kept)
    assert [path.name for path in kept.iterdir()] == ["note.txt"]


def test_a_folder_that_is_a_file_is_refused_before_anything_runs(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for target in (file, file / "below"):
        with pytest.raises(OutputError, match="cannot be written"):
            check_writable(target)
    check_writable(tmp_path / "new" / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_other_errors_pass_through_and_leave_nothing(tmp_path: Path) -> None:

    def stop_half_way() -> None:
        with staged(tmp_path / "out") as written:
            (written.folder / "a").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_half_way()
    assert list(tmp_path.iterdir()) == []


def test_result_table_in_a_notebook(tmp_path: Path) -> None:
    made = result()
    assert made.table.allocation().equals(allocation_table(made).frame)
    assert made.table.tidy("gaps").shape == (10, 6)
    assert made.table.latex("gaps").startswith("% needs booktabs")
    with pytest.raises(KeyError, match="this result has allocation"):
        made.table.latex("nothing")
    assert made.table.write(tmp_path)


def test_a_folder_in_the_place_of_a_file_stops_before_anything_is_moved(tmp_path: Path) -> None:
    (tmp_path / "gaps.csv").mkdir()
    with pytest.raises(
        OutputError, match=r"has folders where files are to be written \(gaps.csv\)"
    ):
        write_tables(result(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.csv"]
