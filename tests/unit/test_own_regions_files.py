"""Files of own regions: encodings, workbooks, their faults, and what ``init`` writes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.experiment import load_experiment
from hukou_opt.parameters import load_parameters
from hukou_opt.planning.own_regions import national_amounts
from hukou_opt.regions.complete import read_fallbacks
from hukou_opt.regions.load import check_table, load_regions
from hukou_opt.regions.readers import read_csv
from hukou_opt.regions.template import EXAMPLE, REQUIRED, template_columns

TEXT = "code,name_zh,parent,resident_pop,urban_share\n330110,余杭区,330000,131.5,0.89\n"
SHEET = [
    ["code", "name_zh", "parent", "resident_pop", "urban_share"],
    [330110, "余杭区", 330000.0, 131.5, 0.89],
    [330122, "桐庐县", 330000.0, 46, 0.66],
]


def workbook(folder: Path, rows: list[list], name: str = "regions") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.title = name
    for row in rows:
        page.append(row)
    path = folder / "own.xlsx"
    book.save(path)
    book.close()
    return path


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "(UTF-8)"),
        ("utf-8-sig", "(UTF-8 with byte order mark)"),
        ("gb18030", "(GB18030)"),
        ("gbk", "(GB18030)"),
    ],
)
def test_each_encoding_is_read_and_named(encoding, said, tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes(TEXT.encode(encoding))
    regions = load_regions(path)
    assert regions.labels.loc["330110", "name_zh"] == "余杭区"
    assert said in regions.notes[0]


def test_figures_do_not_depend_on_the_kind_of_file(tmp_path):
    table = "".join(",".join(map(str, row)) + "\n" for row in SHEET)
    path = tmp_path / "own.csv"
    path.write_text(table, encoding="utf-8")
    assert load_regions(path).identity == load_regions(workbook(tmp_path, SHEET)).identity


def test_numbers_as_codes_and_lines_without_cells_are_read_from_a_workbook(tmp_path):
    path = workbook(tmp_path, [SHEET[0], [], *SHEET[1:], [None] * 7])
    regions = load_regions(path)
    assert regions.codes == ("330110", "330122")
    assert regions.parents == ("330000", "330000")


def test_merged_header_cells_are_named_with_their_range(tmp_path):
    path = workbook(tmp_path, SHEET)
    book = openpyxl.load_workbook(path)
    book["regions"].merge_cells("D1:E1")
    book.save(path)
    book.close()
    assert "has merged cells (D1:E1)" in str(check_table(path)[0])


def test_an_empty_header_cell_is_named_with_its_column(tmp_path):
    rows = [["code", "", "parent", "resident_pop", "urban_share"], *SHEET[1:]]
    assert "column 2 | has no name" in str(check_table(workbook(tmp_path, rows))[0])


def test_duplicate_codes_of_a_workbook_are_named(tmp_path):
    path = workbook(tmp_path, [*SHEET, SHEET[1]])
    assert "region 330110 | stands 2 times" in str(check_table(path)[0])


def test_a_workbook_without_the_sheet_or_no_workbook_is_refused(tmp_path):
    assert "has no sheet 'regions'" in str(check_table(workbook(tmp_path, SHEET, "Sheet1"))[0])
    path = tmp_path / "no.xlsx"
    path.write_text("no workbook", encoding="utf-8")
    assert "is no Excel workbook" in str(check_table(path)[0])
    hidden = tmp_path / "hidden.csv"
    hidden.write_bytes(workbook(tmp_path, SHEET).read_bytes())
    assert "is neither UTF-8 nor GB18030" in str(check_table(hidden)[0])


def test_line_numbers_are_those_of_the_file(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("a,b\n\n1,2\n", encoding="utf-8")
    cells = read_csv(path, "own.csv")
    assert cells.numbers == (1, 3)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_the_template_names_every_column_and_needs_at_most_ten():
    columns = {column.name: column for column in template_columns()}
    assert len([column for column in columns.values() if column.need.startswith(REQUIRED)]) <= 10
    assert set(read_fallbacks()) <= set(columns)
    assert all(column.fallback for column in columns.values() if column.name != "code")
    assert all(column.meaning and column.meaning_zh for column in columns.values())


def test_init_writes_three_files_with_the_same_bytes_and_never_over_others(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert run("init", str(first), "--example")[0] == 0
    assert run("init", str(second), "--example")[0] == 0
    names = sorted(path.name for path in first.iterdir())
    assert names == ["experiment.yaml", "regions.csv", "regions.xlsx"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    (second / "regions.csv").unlink()
    code, text = run("init", str(second))
    assert code == 2
    assert "regions.xlsx | is there already" in text
    assert not (second / "regions.csv").exists()


def test_the_example_is_a_table_and_an_experiment_with_its_own_money(tmp_path):
    run("init", str(tmp_path), "--example")
    book, table = load_regions(tmp_path / "regions.xlsx"), load_regions(tmp_path / "regions.csv")
    assert book.codes == table.codes == EXAMPLE
    assert book.identity == table.identity
    settings = load_experiment(tmp_path / "experiment.yaml")
    assert set(national_amounts(load_parameters())) <= set(settings.parameters)
    assert settings.regions_source == tmp_path / "regions.xlsx"


def test_an_empty_template_lists_what_is_missing_and_its_experiment_loads(tmp_path):
    run("init", str(tmp_path))
    text = "\n".join(map(str, check_table(tmp_path / "regions.xlsx")))
    assert "has no region" in text
    settings = load_experiment(tmp_path / "experiment.yaml")
    assert not set(national_amounts(load_parameters())) & set(settings.parameters)
    book = openpyxl.load_workbook(tmp_path / "regions.xlsx")
    assert book.sheetnames == ["regions", "columns", "origins", "budget", "readme"]
    page = book["regions"]
    assert page.freeze_panes == "B2"
    assert all(cell.comment for cell in page[1])
    assert page["E1"].value == "resident_pop"
    book.close()


def test_check_lists_every_fallback(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(TEXT, encoding="utf-8")
    code, text = run("data", "check", str(path))
    assert code == 0
    for line in load_regions(path).fallbacks:
        assert line in text
    assert "1 region(s)" in text
