"""All tables as one Excel workbook: real numbers with formats, frozen headers, a sheet of notes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from hukou_opt.report.table import MISSING, Kind, Table

#: A fixed date, so that the same tables give the same bytes.
CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
FORMATS: dict[Kind, str] = {
    "whole": "#,##0",
    "tenths": "#,##0.0",
    "percent": "0.0%",
    "fine_percent": "0.00%",
    "figure": "0.000",
    "index": "0.0000",
    "small": "0.00E+00",
}
_CAPTION_ROWS = 2
_LABEL_WIDTH = 24
_FIGURE_WIDTH = 14


def write_workbook(tables: list[Table], path: Path, heading: str) -> None:
    """Write one sheet per table and one of notes.

    Parameters
    ----------
    tables : list of Table
        Tables to write.
    path : Path
        Workbook to write.
    heading : str
        Title in the workbook's properties.
    """
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": heading, "created": CREATED})
        for table in tables:
            _sheet(book, table)
        sheet = book.add_worksheet("Notes")
        sheet.set_column(0, 0, 120, book.add_format({"text_wrap": True}))
        lines = dict.fromkeys(line for table in tables for line in (*table.notes, *table.notes_zh))
        for row, line in enumerate([heading, *lines]):
            sheet.write_string(row, 0, line)


def _sheet(book: Any, table: Table) -> None:
    sheet = book.add_worksheet(table.name[:31])
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "align": "right"})
    sheet.write_string(0, 0, table.caption, bold)
    frame = table.frame
    left, depth = frame.index.nlevels, frame.columns.nlevels
    first = _CAPTION_ROWS + depth
    for level in range(depth):
        labels = _sparse(frame.columns, level)
        for column, text in enumerate(labels):
            sheet.write_string(_CAPTION_ROWS + level, left + column, text, head)
    for level, name in enumerate(frame.index.names):
        sheet.write_string(first - 1, level, str(name or ""), head)
    # A sheet is sorted and filtered: every row carries all its labels.
    for level in range(left):
        for row, text in enumerate(frame.index.get_level_values(level)):
            style = bold if row in table.total_rows else None
            if isinstance(text, int | np.integer):
                sheet.write_number(first + row, level, int(text), style)
            else:
                sheet.write_string(first + row, level, str(text), style)
    # A sheet's numbers stay numbers: the best of a row is bold, as sums are.
    styles: dict[tuple[Kind, bool], Any] = {}
    for row, values in enumerate(frame.to_numpy(dtype=float)):
        for column, value in enumerate(values):
            kind = table.kind(row, column)
            key = (kind, row in table.total_rows or (row, column) in table.marked)
            if key not in styles:
                styles[key] = book.add_format(
                    {"num_format": FORMATS[kind], "bold": key[1], "align": "right"}
                )
            if np.isnan(value):
                sheet.write_string(first + row, left + column, MISSING, styles[key])
            else:
                sheet.write_number(first + row, left + column, float(value), styles[key])
    sheet.set_column(0, left - 1, _LABEL_WIDTH)
    sheet.set_column(left, left + frame.shape[1] - 1, _FIGURE_WIDTH)
    sheet.freeze_panes(first, left)


def _sparse(columns: pd.Index, level: int) -> list[str]:
    """Header texts of one level, repeated ones left blank above the last level."""
    texts = [str(text) for text in columns.get_level_values(level)]
    if level == columns.nlevels - 1:
        return texts
    return [text if not at or texts[at - 1] != text else "" for at, text in enumerate(texts)]
