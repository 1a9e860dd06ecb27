"""A table of words and figures for a terminal: lined-up columns, Chinese letters two wide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import east_asian_width

from hukou_opt.report.text_table import TextTable

_GAP = "  "
_INDENT = "    "
#: Where a line may be broken: words, single characters of Chinese text, and spaces.
_PIECES = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+")
#: Narrowest that a column of words is made.
_NARROWEST = 16


def text_lines(table: TextTable, width: int, below: int = 0) -> str:
    """Print a table in lines no longer than `width` where its figures leave the room.

    Parameters
    ----------
    table : TextTable
        Columns of words have a width there, columns of figures none.
    width : int
        Columns of the terminal.
    below : int, optional
        So many columns at the end stand under their row, in lines of their own.
    """
    heads = [column.head for column in table.columns]
    beside = len(heads) - below
    rows = [row for _, part in table.sections for row in part]
    sizes = _sizes([heads, *rows], [bool(column.width) for column in table.columns], beside, width)
    lines = [*wrap(table.caption, width), ""]
    lines += _row(heads, table, sizes, beside)
    lines.append(_GAP.join("-" * size for size in sizes))
    for heading, part in table.sections:
        if heading:
            lines += ["", *wrap(f"{heading} ({len(part)})", width)]
        for row in part:
            lines += _row(row, table, sizes, beside)
            for cell in row[beside:]:
                lines += [_INDENT + line for line in wrap(cell, width - len(_INDENT)) if cell]
    lines.append("")
    for note in table.notes:
        lines += wrap(note, width)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def shown(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def wrap(text: str, width: int) -> list[str]:
    """Break a text at spaces and between Chinese characters."""
    lines, line, used = [], "", 0
    for piece in _PIECES.findall(text):
        size = shown(piece)
        if used + size > width and line.strip():
            lines.append(line.rstrip())
            line, used = "", 0
        if piece.isspace() and not line:
            continue
        line, used = line + piece, used + size
    return [*lines, line.rstrip()]


def _sizes(
    rows: Sequence[Sequence[str]], words: Sequence[bool], beside: int, width: int
) -> list[int]:
    """Widths of the columns beside each other; the widest of words gives way first."""
    sizes = [max(shown(row[at]) for row in rows) for at in range(beside)]
    too_wide = sum(sizes) + len(_GAP) * (beside - 1) - width
    while too_wide > 0:
        can = [at for at in range(beside) if words[at] and sizes[at] > _NARROWEST]
        if not can:
            break
        widest = max(can, key=lambda at: sizes[at])
        sizes[widest] -= 1
        too_wide -= 1
    return sizes


def _row(cells: Sequence[str], table: TextTable, sizes: Sequence[int], beside: int) -> list[str]:
    """One row, as many lines as its longest words need."""
    parts = [wrap(cell, size) for cell, size in zip(cells[:beside], sizes, strict=True)]
    lines = []
    for number in range(max(map(len, parts))):
        padded = []
        for at, part in enumerate(parts):
            text = part[number] if number < len(part) else ""
            blank = " " * (sizes[at] - shown(text))
            padded.append(text + blank if table.columns[at].width else blank + text)
        lines.append(_GAP.join(padded))
    return lines
