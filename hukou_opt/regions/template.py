"""A fresh table of regions for the user to fill in: a commented workbook and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hukou_opt.regions.complete import INHERITED, read_fallbacks
from hukou_opt.regions.load import load_regions
from hukou_opt.regions.origins import FROM_OTHERS, GROUP, OUTSIDE
from hukou_opt.regions.readers import ORIGINS_SHEET, REGIONS_SHEET
from hukou_opt.regions.region_table import Regions

#: A fixed date, so that the same template gives the same bytes.
CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
#: Codes of the provinces that the example takes: two that send migrants, two that receive them.
EXAMPLE = ("330000", "340000", "440000", "520000")
#: Figures that the example gives; the others are left to their fallbacks.
EXAMPLE_COLUMNS = ("resident_pop", "urban_share", "beds_total", "budget_revenue")
#: Marks of the columns sheet.
REQUIRED, ONE_OF, OPTIONAL = "required", "required, this or the one of 2020", "optional"
_COLUMN_WIDTH, _TEXT_WIDTH = 16, 60
_REQUIRED_COLOUR = "#FFE699"


@dataclass(frozen=True)
class TemplateColumn:
    """One column of the template.

    Parameters
    ----------
    name, need, unit : str
        Name, whether it must be there, unit.
    meaning, meaning_zh : str
        The column in words.
    fallback : str
        What stands in for it when it is missing.
    """

    name: str
    need: str
    unit: str
    meaning: str
    meaning_zh: str
    fallback: str


def template_columns() -> tuple[TemplateColumn, ...]:
    """All columns that one's own table may have, the required ones first."""
    about = load_regions().columns
    labels = (
        TemplateColumn("code", REQUIRED, "text", "Code of the region, any text", "地区代码", ""),
        TemplateColumn("name_en", OPTIONAL, "text", "English name", "英文名称", "the code"),
        TemplateColumn("name_zh", OPTIONAL, "text", "Chinese name", "中文名称", "the code"),
        TemplateColumn(
            "parent",
            OPTIONAL,
            "code",
            "Code of the province from which missing figures are taken, such as 330000",
            "上级省份代码，缺失数据由其推算",
            "a province under its own code; the nation for every other region",
        ),
    )
    figures = {
        name: TemplateColumn(
            name,
            ONE_OF if name in ("resident_pop", "urban_share") else OPTIONAL,
            about[name].unit,
            rule.meaning,
            rule.meaning_zh,
            rule.text,
        )
        for name, rule in read_fallbacks().items()
    }
    first = ("resident_pop", "urban_share", "resident_pop_2020", "urban_share_2020")
    others = (
        TemplateColumn(
            "macro_region",
            OPTIONAL,
            "text",
            "Eastern, Central, Western or Northeastern",
            "经济区域（东部、中部、西部、东北）",
            INHERITED["macro_region"],
        ),
        TemplateColumn(
            "clusters",
            OPTIONAL,
            "text",
            "City cluster inside which hukou is recognised",
            "城市群",
            INHERITED["clusters"],
        ),
        TemplateColumn(
            FROM_OTHERS,
            OPTIONAL,
            "10k persons",
            "Residents whose hukou is in another region of this table (census of 2020)",
            "户口在本表其他地区的常住人口",
            "from the movers inside and between provinces, by rural residents",
        ),
        TemplateColumn(
            GROUP,
            OPTIONAL,
            "text",
            "Row of the sheet 'origins' that holds those who left this region",
            "流出地分组",
            "the region's own code",
        ),
    )
    rest = tuple(column for name, column in figures.items() if name not in first)
    return (*labels, *(figures[name] for name in first), *others, *rest)


def example_rows(regions: Regions) -> list[dict[str, str]]:
    """A few real provinces with a few figures, as the user would give them."""
    return [
        {"code": code}
        | {name: str(regions.labels.loc[code, name]) for name in ("name_en", "name_zh")}
        | {
            name: f"{regions.figure(name)[regions.codes.index(code)]:.10g}"
            for name in EXAMPLE_COLUMNS
        }
        for code in EXAMPLE
    ]


def csv_text(columns: Sequence[TemplateColumn], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The table as CSV, UTF-8 with byte order mark so that Excel shows Chinese names."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, [column.name for column in columns], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8-sig")


def _regions_sheet(
    book: Any, columns: Sequence[TemplateColumn], rows: Sequence[Mapping[str, str]]
) -> None:
    sheet = book.add_worksheet(REGIONS_SHEET)
    plain = book.add_format({"bold": True, "bottom": 1})
    marked = book.add_format({"bold": True, "bottom": 1, "bg_color": _REQUIRED_COLOUR})
    texts = {"code", "parent", GROUP}
    # Codes are text: a leading zero stays.
    text = book.add_format({"num_format": "@"})
    for at, column in enumerate(columns):
        head = plain if column.need == OPTIONAL else marked
        sheet.write_string(0, at, column.name, head)
        note = f"{column.need}; {column.unit}\n{column.meaning}\n{column.meaning_zh}"
        if column.fallback:
            note += f"\nIf missing: {column.fallback}"
        sheet.write_comment(0, at, note, {"x_scale": 2, "y_scale": 1.2, "author": "hukou-opt"})
        sheet.set_column(at, at, _COLUMN_WIDTH, text if column.name in texts else None)
        for row, values in enumerate(rows, start=1):
            value = values.get(column.name, "")
            if not value:
                continue
            if column.unit in ("text", "code"):
                sheet.write_string(row, at, value, text if column.name in texts else None)
            else:
                sheet.write_number(row, at, float(value))
    sheet.freeze_panes(1, 1)


def _table_sheet(book: Any, name: str, lines: Sequence[Sequence[str]], wide: int) -> None:
    sheet = book.add_worksheet(name)
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    for row, line in enumerate(lines):
        for at, cell in enumerate(line):
            sheet.write_string(row, at, cell, bold if row == 0 else wrap)
    sheet.set_column(0, len(lines[0]) - 1, _COLUMN_WIDTH + 6)
    sheet.set_column(wide, len(lines[0]) - 1, _TEXT_WIDTH)
    sheet.freeze_panes(1, 0)


def _budget_sheet(book: Any, amounts: Sequence[tuple[str, float, str, str]], people: float) -> None:
    """Amounts of the whole country, and the regions' part by head worked out in the sheet."""
    sheet = book.add_worksheet("budget")
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    figure = book.add_format({"num_format": "#,##0.00"})
    for at, head in enumerate(
        ("parameter", "unit", "whole country", "your part by head", "meaning")
    ):
        sheet.write_string(0, at, head, bold)
    total = f"SUM({REGIONS_SHEET}!E:E)"
    for row, (name, value, unit, meaning) in enumerate(amounts, start=1):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, unit)
        sheet.write_number(row, 2, value)
        sheet.write_formula(row, 3, f"=C{row + 1}*{total}/{people:.10g}", figure, 0)
        sheet.write_string(row, 4, meaning, wrap)
    sheet.write_string(
        len(amounts) + 2,
        0,
        "Only a hint. What counts is the experiment file: state your own amounts there.",
        bold,
    )
    sheet.set_column(0, 3, _COLUMN_WIDTH + 6)
    sheet.set_column(4, 4, _TEXT_WIDTH)


def write_workbook(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    amounts: Sequence[tuple[str, float, str, str]],
) -> None:
    """Write the commented workbook.

    Parameters
    ----------
    path : Path
        File to write.
    rows : sequence of mapping
        Regions to start with; none for an empty template.
    amounts : sequence of (name, value, unit, meaning)
        Parameters that are amounts of the whole country.
    """
    import xlsxwriter

    columns = template_columns()
    people = float(load_regions().figure("resident_pop").sum())
    heads = ("column", "required?", "unit", "meaning", "含义", "if missing")
    listed = [(c.name, c.need, c.unit, c.meaning, c.meaning_zh, c.fallback or "–") for c in columns]
    readme = [
        ("Your own regions",),
        (
            "Fill in the sheet 'regions', one line per region. Coloured columns are required: "
            "code, residents and urban share, of 2023 or both of 2020. Delete or leave empty "
            "what you do not have: the sheet 'columns' says what then stands in for it.",
        ),
        ("People and beds in 10k, money in 100m yuan, income in 10k yuan per person, shares 0-1.",),
        (
            "Optional sheet 'origins': where migrants come from. First column origin groups (as in "
            f"'{GROUP}', or '{OUTSIDE}' for homes outside the table), one column per region code, "
            "cells in persons.",
        ),
        ("State your own money in experiment.yaml; the sheet 'budget' shows your part by head.",),
        ("Check: hukou-opt data check regions.xlsx. Run: hukou-opt run experiment.yaml.",),
    ]
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": "Regions for hukou-opt", "created": CREATED})
        _regions_sheet(book, columns, rows)
        _table_sheet(book, "columns", [heads, *listed], 3)
        _table_sheet(book, ORIGINS_SHEET, [(GROUP, *(row["code"] for row in rows))], 0)
        _budget_sheet(book, amounts, people)
        _table_sheet(book, "readme", readme, 0)
