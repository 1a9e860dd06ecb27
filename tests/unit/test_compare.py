"""Runs side by side: figures, differences, files and everything that must be refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr
from PIL import Image
from result_builder import CODES, attrs, groups, result, without_allocation
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt.cli import app
from hukou_opt.errors import ResultError
from hukou_opt.outcomes import last_year, outcome, registry
from hukou_opt.report.compare_figure import PANELS, path_of
from hukou_opt.report.compare_names import GROUPS
from hukou_opt.report.compare_runs import compare
from hukou_opt.result import Result


def named(name: str, seed: int = 1, **changes: object) -> Result:
    return Result.build(attrs(experiment=name, title_en=f"Run {name}", **changes), groups(seed))


@pytest.fixture
def pair() -> tuple[Result, Result]:
    return named("first", 1), named("second", 2)


def test_figures_are_the_outcomes_and_differences_are_to_the_first(
    pair: tuple[Result, Result],
) -> None:
    found = compare(*pair, years=[2026, 2029])
    tidy = found.tidy
    assert set(tidy["experiment"]) == {"first", "second"}
    for row in tidy.itertuples():
        each = pair[0] if row.experiment == "first" else pair[1]
        year = last_year(each) if pd.isna(row.year) else int(row.year)
        if np.isfinite(row.value):
            assert row.value == outcome(each, row.outcome, year)
    wide = tidy.pivot(index=["outcome", "year"], columns="experiment", values="value")
    less = tidy[tidy["experiment"] == "second"].set_index(["outcome", "year"])["difference"]
    expected = (wide["second"] - wide["first"]).reindex(less.index)
    assert np.allclose(less, expected, equal_nan=True)
    assert (tidy.loc[tidy["experiment"] == "first", "difference"].dropna() == 0).all()


def test_every_outcome_that_a_run_holds_has_its_row(pair: tuple[Result, Result]) -> None:
    tidy = compare(*pair).tidy
    held = {name for each in pair for name in ho_outcomes(each)}
    assert held <= set(tidy["outcome"])
    # Sums over all years stand once.
    whole = tidy[tidy["span"] == "whole"]
    assert not whole.duplicated(["outcome", "experiment"]).any()
    assert whole["year"].isna().all()
    groups_in_order = list(dict.fromkeys(tidy["group"]))
    assert groups_in_order == [name for name in GROUPS if name in groups_in_order]
    assert {each.group for each in registry().values()} <= set(GROUPS)


def ho_outcomes(each: Result) -> list[str]:
    from hukou_opt.outcomes import outcomes

    return list(outcomes(each))


def test_table_and_printed_text_agree(pair: tuple[Result, Result]) -> None:
    found = compare(*pair)
    frame = found.frame
    assert frame.shape == (len(found.lines), 3)
    values = frame["Figure"]
    assert list(values.columns) == ["first", "second"]
    gap = frame["Difference from first"]["second"]
    assert np.allclose(gap, values["second"] - values["first"], equal_nan=True)
    words = found.words("en")
    rows = [row for _, part in words.sections for row in part]
    assert len(rows) == len(found.lines)
    for row, line in zip(rows, found.lines, strict=True):
        if np.isfinite(line.differences[0]) and line.kind == "fine_percent":
            assert row[-1].endswith(" pp")
            assert float(row[-1].split()[0]) == pytest.approx(100 * line.differences[0], abs=0.006)
    chinese = found.words("zh")
    assert "差值以first为基准" in chinese.notes[0]
    assert re.search(r"[\u4e00-\u9fff]", chinese.sections[0][1][0][0])


def test_years_by_default_are_the_early_one_and_the_last_of_all(
    pair: tuple[Result, Result],
) -> None:
    assert compare(*pair).years == (2026, 2029)
    shorter = without_allocation()
    # The path of the second run is longer; the shorter of both ends the comparison.
    assert compare(pair[0], shorter).years == (2026, 2029)
    assert last_year(shorter) == 2032


def test_a_run_without_allocation_shows_what_it_holds(pair: tuple[Result, Result]) -> None:
    tidy = compare(pair[0], without_allocation()).tidy
    other = tidy[tidy["experiment"] == "made_up"].set_index("outcome")["value"]
    assert other["hukou_rate"].notna().all()
    assert other[["central_money"]].isna().all()


def test_a_run_that_did_not_come_to_rest_says_so_everywhere() -> None:
    found = compare(named("first"), named("second", 2, converged=0))
    assert found.columns() == ["first", "second (not converged)"]
    assert "second (not converged)" in found.caption()
    assert ("Figure", "second (not converged)") in found.frame.columns
    assert any("NOT at rest" in note for note in found.notes())
    assert "second（未收敛）" in found.caption("zh")
    assert found.tidy.groupby("experiment")["converged"].first().to_dict() == {
        "first": 1,
        "second": 0,
    }


def test_two_runs_of_one_name_are_told_apart() -> None:
    found = compare(named("same"), named("same", 2), named("same", 3))
    assert found.names == ("same", "same (2)", "same (3)")
    assert found.frame.columns.is_unique


def test_all_that_hinders_is_named_at_once(tmp_path: Path) -> None:
    parts = groups(2)
    cut = {
        name: part.isel(region=[0, 1]) if "region" in part.dims else part
        for name, part in parts.items()
    }
    later = groups(3)
    later["trajectory"] = later["trajectory"].isel(year=slice(1, None))
    other_version = tmp_path / "old.nc"
    named("old").save(other_version)
    tree = xr.open_datatree(other_version).load()
    tree.attrs["schema_version"] = 0
    tree.to_netcdf(tmp_path / "older.nc")
    with pytest.raises(ResultError) as error:
        compare(
            named("first"),
            Result.build(attrs(experiment="fewer"), cut),
            Result.build(attrs(experiment="later"), later),
            named("unproved", certified=0),
            tmp_path / "missing.nc",
            tmp_path / "older.nc",
            years=[2026, 1999],
        )
    text = str(error.value)
    for words in (
        "result 'fewer' | has other regions than 'first' (440000)",
        "result 'later' | has another base year than 'first' (2024, not 2023)",
        "result 'unproved' | its allocation has no valid certificate",
        "missing.nc' | there is no such file",
        "older.nc, attribute schema_version | is not 1 (0)",
        "year 1999 | lies outside",
    ):
        assert words in text, words
    assert len(error.value.faults) == 6


@pytest.mark.parametrize("number", [0, 1])
def test_one_run_is_none_to_compare(number: int) -> None:
    with pytest.raises(ResultError, match=rf"at least two results \({number}\)"):
        compare(*[named("alone")] * number)


def test_no_year_is_refused(pair: tuple[Result, Result]) -> None:
    with pytest.raises(ResultError, match="none is named"):
        compare(*pair, years=[])


def test_runs_are_found_by_name_folder_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: tuple[Result, Result]
) -> None:
    for each in pair:
        folder = tmp_path / "results" / each.name
        folder.mkdir(parents=True)
        each.save(folder / "result.nc")
    monkeypatch.chdir(tmp_path)
    ways = [
        compare("first", "second"),
        compare("results/first", Path("results/second/result.nc")),
        ho.compare(pair[0], "second"),
    ]
    for found in ways:
        assert found.names == ("first", "second")
        assert found.frame.equals(ways[0].frame)


@pytest.mark.plots
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_figure_draws_what_the_runs_hold(pair: tuple[Result, Result], lang: str) -> None:
    found = compare(*pair, without_allocation())
    figure = found.figure(lang)
    panels = figure.axes
    assert len(panels) == len(PANELS)
    for axes, (_, outcomes) in zip(panels, PANELS, strict=True):
        for line, each in zip(axes.lines, found.results, strict=True):
            path = path_of(each, outcomes)
            drawn = np.asarray(line.get_ydata(), dtype=float)
            if path is None:
                assert drawn.size == 0
                continue
            share = registry()[outcomes[0]].unit == "1"
            assert np.allclose(drawn, path * (100 if share else 1))
            assert path.index[-1] == last_year(each)
    empty = [axes for axes in panels if axes.texts]
    assert len(empty) == sum(
        all(path_of(each, outcomes) is None for each in found.results) for _, outcomes in PANELS
    )
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == found.columns(lang)


@pytest.mark.plots
def test_files_are_whole_and_the_same_twice(tmp_path: Path, pair: tuple[Result, Result]) -> None:
    found = compare(*pair)
    names = [path.name for path in found.write(tmp_path / "a")]
    assert names == [f"compare.{kind}" for kind in ("csv", "html", "png", "svg", "tex", "xlsx")]
    found.write(tmp_path / "b")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    read = pd.read_csv(tmp_path / "a" / "compare.csv")
    assert len(read) == 2 * len(found.lines)
    with Image.open(tmp_path / "a" / "compare.png") as image:
        assert image.size[0] > 1000
    book = openpyxl.load_workbook(tmp_path / "a" / "compare.xlsx")
    assert book.sheetnames == ["compare", "Notes"]
    tex = (tmp_path / "a" / "compare.tex").read_text(encoding="utf-8")
    assert re.findall(r"\\begin\{(\w+)\}", tex) == re.findall(r"\\end\{(\w+)\}", tex)[::-1]
    chinese = [path.name for path in found.write(tmp_path / "zh", "zh")]
    assert "compare.svg" in chinese
    # Text stays text, so that the reader's own fonts show it.
    assert "户籍人口城镇化率" in (tmp_path / "zh" / "compare.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["text", "csv", "latex", "html"])
def test_the_command(tmp_path: Path, pair: tuple[Result, Result], form: str) -> None:
    files = []
    for each in pair:
        files.append(str(tmp_path / f"{each.name}.nc"))
        each.save(files[-1])
    asked = ["compare", *files, "--years", "2025,2028", "--format", form]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    for word in ("2025", "2028", "first", "second"):
        assert word in done.stdout
    assert "2026," not in done.stdout.replace("hukou", "")[:50]
    out = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "out")])
    assert out.exit_code == 0, out.output
    assert (tmp_path / "out" / "compare.csv").is_file()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--format", "pdf", "--lang", "fr"], 2, "(2 faults)"),
        (["--years", "2026,soon"], 7, "'soon' | is no year"),
        (["--years", "1990"], 7, "year 1990 | lies outside"),
    ],
)
def test_the_command_refuses_in_words(
    tmp_path: Path, pair: tuple[Result, Result], options: list[str], status: int, words: str
) -> None:
    files = [str(each.save(tmp_path / f"{each.name}.nc")) for each in pair]
    done = CliRunner().invoke(app, ["compare", *files, *options])
    assert done.exit_code == status
    assert words in done.output


def test_a_missing_run_is_named_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["compare", "one", "two"])
    assert done.exit_code == 7
    assert "(2 faults)" in done.output
    assert "hukou-opt run one" in done.output


def test_in_a_notebook(pair: tuple[Result, Result]) -> None:
    html = compare(*pair)._repr_html_()
    assert html.count("<table") == 1
    assert "Run second" in html
    assert "made_up" not in html
    assert CODES[0] not in html
    assert result().name == "made_up"
