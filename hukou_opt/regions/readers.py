"""Read a table of cells from CSV in the encodings in use, or from an Excel workbook."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hukou_opt.errors import Fault

#: Sheets of a workbook that hold the table of regions and the origins of migrants.
REGIONS_SHEET, ORIGINS_SHEET = "regions", "origins"
#: Ending of the CSV file beside ``NAME.csv`` that holds the origins of migrants.
ORIGINS_ENDING = "_origins.csv"
EXCEL = ".xlsx"
#: Encodings that are tried in turn, and how the note names them. GB18030 holds GBK and GB2312.
ENCODINGS = (("utf-8", "UTF-8"), ("gb18030", "GB18030"))
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Cells:
    """Lines of text cells, the header first, and how they were read.

    Parameters
    ----------
    lines : tuple of tuple of str
        Lines that are not empty.
    numbers : tuple of int
        Line or row of the file in which each of them stands.
    how : str
        Encoding, or sheet of the workbook.
    """

    lines: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    how: str


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook, by its ending."""
    return path.suffix.lower() == EXCEL


def _decoded(raw: bytes, where: str) -> tuple[str, str] | Fault:
    if raw.startswith(BYTE_ORDER_MARK):
        try:
            return raw.decode("utf-8-sig"), "UTF-8 with byte order mark"
        except UnicodeDecodeError as error:
            wrong = error
    else:
        first: UnicodeDecodeError | None = None
        for encoding, name in ENCODINGS:
            try:
                return raw.decode(encoding), name
            except UnicodeDecodeError as error:
                first = first or error
        assert first is not None
        wrong = first
    return Fault(
        where,
        "is neither UTF-8 nor GB18030 text "
        f"(byte 0x{raw[wrong.start]:02x} at position {wrong.start})",
        "save it as CSV UTF-8, or as .xlsx",
    )


def read_csv(path: Path, where: str) -> Cells | Fault:
    """Read a CSV file in UTF-8, with or without byte order mark, or GB18030."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return Fault(where, f"cannot be read ({error.strerror})", "give the path of a file")
    if b"\0" in raw:
        place = raw.index(b"\0")
        return Fault(
            where,
            f"is neither UTF-8 nor GB18030 text (byte 0x00 at position {place})",
            "save it as CSV UTF-8, or give the workbook with its ending .xlsx",
        )
    decoded = _decoded(raw, where)
    if isinstance(decoded, Fault):
        return decoded
    text, how = decoded
    reader = csv.reader(io.StringIO(text, newline=""))
    lines, numbers = [], []
    try:
        for line in reader:
            if any(cell.strip() for cell in line):
                lines.append(tuple(cell.strip() for cell in line))
                numbers.append(reader.line_num)
    except csv.Error as error:
        return Fault(f"{where} line {reader.line_num}", f"is no CSV ({error})", "save it again")
    return Cells(tuple(lines), tuple(numbers), how)


def _text(value: Any) -> str:
    """A cell as text; a whole number has no decimal point, so that 110000.0 is a code."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_sheet(path: Path, where: str, sheet: str) -> Cells | Fault | None:
    """Read one sheet of a workbook; None when the workbook has no such sheet.

    Merged cells anywhere in the sheet are a fault that names their range.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, data_only=True)
    except OSError as error:
        return Fault(where, f"cannot be read ({error.strerror})", "give the path of a file")
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        return Fault(where, f"is no Excel workbook ({error})", "save it as .xlsx or CSV UTF-8")
    try:
        if sheet not in book.sheetnames:
            return None
        page = book[sheet]
        if merged := sorted(str(area) for area in page.merged_cells.ranges):
            return Fault(
                f"{where}, sheet {sheet!r}",
                f"has merged cells ({', '.join(merged)})",
                "unmerge them; every column has one name, every cell one value",
            )
        lines, numbers = [], []
        for number, row in enumerate(page.iter_rows(values_only=True), start=1):
            line = tuple(_text(value) for value in row)
            if any(line):
                lines.append(line)
                numbers.append(number)
    finally:
        book.close()
    # Columns that were touched once and are empty now.
    width = max((_width(line) for line in lines), default=0)
    return Cells(tuple(line[:width] for line in lines), tuple(numbers), f"sheet {sheet!r}")


def _width(line: tuple[str, ...]) -> int:
    return max((at + 1 for at, cell in enumerate(line) if cell), default=0)


def read_regions(path: Path, where: str) -> Cells | Fault:
    """Read the table of regions: a CSV file, or the sheet ``regions`` of a workbook."""
    if not is_workbook(path):
        return read_csv(path, where)
    found = read_sheet(path, where, REGIONS_SHEET)
    if found is None:
        return Fault(
            where,
            f"has no sheet {REGIONS_SHEET!r}",
            "name the sheet with the regions so",
        )
    return found


def read_origins(path: Path, where: str) -> tuple[str, Cells | Fault | None]:
    """Read the origins of migrants beside a table of regions, and name where they stand.

    They stand in the sheet ``origins`` of the workbook, or in ``NAME_origins.csv`` beside
    ``NAME.csv``; None where there is neither.
    """
    if is_workbook(path):
        return f"{where}, sheet {ORIGINS_SHEET!r}", read_sheet(path, where, ORIGINS_SHEET)
    beside = path.with_name(path.stem + ORIGINS_ENDING)
    return beside.name, read_csv(beside, beside.name) if beside.is_file() else None
