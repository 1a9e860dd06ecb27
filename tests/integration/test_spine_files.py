"""The files of a finished run: the same bytes everywhere, true sums, no table without proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr
from processes import process

import hukou_opt as ho
from hukou_opt.errors import ResultError
from hukou_opt.report.accessor import TableAccessor
from hukou_opt.report.scorecard_figures import scorecard

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(spine: ho.Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spine") / "tables"
    spine.table.write(folder)
    return folder


def test_saved_and_opened_again_is_the_same_in_every_process(
    spine: ho.Result, tmp_path: Path
) -> None:
    first = spine.save(tmp_path / "first.nc")
    opened = ho.open_result(first)
    assert opened == spine
    xr.testing.assert_identical(opened.tree, spine.tree)
    code = "import sys, hukou_opt as ho; ho.open_result(sys.argv[1]).save(sys.argv[2])"
    for seed in (1, 2):
        again = tmp_path / f"{seed}.nc"
        process(code, str(first), str(again), seed=seed)
        assert again.read_bytes() == first.read_bytes()


def test_tables_of_an_opened_result_are_the_same_bytes(
    spine: ho.Result, written: Path, tmp_path: Path
) -> None:
    saved = spine.save(tmp_path / "run.nc")
    code = "import sys, hukou_opt as ho; ho.open_result(sys.argv[1]).table.write(sys.argv[2])"
    process(code, str(saved), str(tmp_path / "again"), seed=1)
    names = sorted(path.name for path in written.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (written / name).read_bytes(), name


def test_the_csv_adds_up_to_the_fund_after_rounding(spine: ho.Result, written: Path) -> None:
    money = spine["allocation"]
    rows = pd.read_csv(written / "allocation.csv", dtype={"region": str})
    transfers = rows[rows["quantity"] == "central_transfers"]
    cells = transfers[
        (transfers["region"] != "all")
        & (transfers["block"] != "all")
        & (transfers["part"] != "total")
    ]
    blocks = pd.unique(money["block"].values)
    assert len(cells) == 31 * len(blocks) * 4
    assert (cells["value"] == cells["value"].round()).all()
    assert (cells["value"] >= 0).all()
    unused = rows.loc[rows["quantity"] == "central_unused", "value"].item()
    fund = rows.loc[rows["quantity"] == "central_fund", "value"].item()
    assert fund == spine.attrs["central_fund"]
    assert cells["value"].sum() + unused == fund
    # Every sum in the file is the sum of the cells above it.
    by_region = transfers[(transfers["block"] == "all") & (transfers["part"] == "total")]
    sums = by_region.set_index("region")["value"]
    nation = sums.pop("all")
    assert cells.groupby("region")["value"].sum().equals(sums.sort_index())
    assert sums.sum() == nation == fund - unused
    exact = money["central_transfers"].sum(["sector", "year"]).to_series()
    assert (abs(sums - exact) < 1).all()
    places = rows[rows["quantity"].isin(["seats_started", "beds_started"])]
    total = places[(places["block"] == "all") & (places["part"] == "total")]
    started = money["starts"].sum(["area", "region", "year"]).to_series()
    for quantity, part in total.groupby("quantity"):
        started_in = part.set_index("region")["value"]
        whole = started_in.pop("all")
        assert started_in.sum() == pytest.approx(whole)
        assert whole == pytest.approx(started[str(quantity).split("_")[0]], abs=0.2)


def test_the_workbook_holds_the_same_figures(written: Path, spine: ho.Result) -> None:
    book = openpyxl.load_workbook(written / "tables.xlsx")
    scores = ["comparators", "indicators", "formula_money"]
    assert book.sheetnames == [
        "allocation",
        "allocation_summary",
        "gaps",
        *scores,
        "path",
        "scorecard",
        "Notes",
    ]
    frame = spine.table.allocation()
    top = 2 + frame.columns.nlevels
    read = [[cell.value for cell in row] for row in book["allocation"].iter_rows(min_row=top + 1)]
    assert [tuple(row[:2]) for row in read] == list(frame.index)
    cells = pd.DataFrame([row[2:] for row in read]).apply(pd.to_numeric, errors="coerce")
    # The file keeps 16 digits: sums of tenths may differ in the last one, whole money may not.
    assert np.allclose(cells.to_numpy(), frame.to_numpy(), rtol=1e-14, atol=0, equal_nan=True)
    total = list(frame.columns.get_level_values(1)).index("Total")
    rows = {tuple(row[:2]): row[2 + total] for row in read}
    names = [str(name) for name in spine["regions"]["name_en"].values]
    spent = sum(rows[name, "All years"] for name in names)
    assert spent == rows["All regions", "All years"]
    assert spent + rows["Money not used", "All years"] == rows["Central fund", "All years"]
    assert rows["Central fund", "All years"] == spine.attrs["central_fund"]


def bodies(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(folder.glob("*.tex")):
        text = path.read_text(encoding="utf-8")
        yield text, [line for line in text.splitlines() if not line.startswith("%")]


def test_latex_is_escaped_and_rows_are_whole(written: Path) -> None:
    seen = 0
    for text, lines in bodies(written):
        seen += 1
        assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
        label = [line for line in lines if r"\label{" in line]
        for line in lines:
            plain = re.sub(r"\\label\{[^}]*\}", "", line)
            # Unescaped, these start a comment, an index or a formula.
            assert not re.search(r"(?<!\\)[%#_$^]", plain), line
        assert len(label) >= 1
        spec = re.search(r"\{((?:[lr]|p\{4cm\})+)\}", text)
        assert spec
        rows = [line for line in lines if line.endswith(r"\\") and "multi" not in line]
        widths = {len(re.findall(r"(?<!\\)&", line)) + 1 for line in rows}
        assert widths - {1} == {len(re.findall(r"[lr]|p", spec.group(1).replace("4cm", "")))}
        assert r"\%" in text or "tab:gaps" not in text
    assert seen == 8


def test_every_table_names_its_proof_and_identity(written: Path, spine: ho.Result) -> None:
    for text, _ in bodies(written):
        assert spine.identity[:16] in text
        assert "Certificate: " in text
        assert "at rest after" in text
    assert spine.identity[:16] in (written / "tables.html").read_text(encoding="utf-8")


def test_no_table_from_a_result_without_proof(spine: ho.Result, tmp_path: Path) -> None:
    groups = {name: spine[name] for name in spine.tree.children}
    doubtful = ho.Result.build({**spine.attrs, "certified": 0}, groups)
    tables: TableAccessor = doubtful.table
    for make in (tables.allocation, tables.summary, tables.gaps, tables.path, tables.latex):
        with pytest.raises(ResultError, match="no valid certificate"):
            make()
    with pytest.raises(ResultError, match="no valid certificate"):
        tables.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    assert "failed: not proved" in doubtful._repr_html_()


def test_the_scorecard_of_the_plan(spine: ho.Result) -> None:
    found = {each.target.id: each for each in scorecard(spine)}
    # With an allocation every target inside the model has a figure.
    assert "no_data" not in {each.state for each in found.values()}
    assert found["hukou_rate_2026"].state == "met"
    assert found["new_seats_2026"].state == "behind"
    for sector in ("education", "health", "social_security", "other"):
        assert found[f"sector_{sector}"].state == "met"
    fund, share = found["central_fund"].value, found["city_spending"].value
    assert fund is not None
    assert share is not None
    assert fund <= spine.attrs["central_fund"] * (1 + 1e-9)
    assert 0 < share < 1
