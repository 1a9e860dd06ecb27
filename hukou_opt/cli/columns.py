"""Text for a terminal: lined-up columns, long words cut or put on a line below."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

#: Where less than this is left for words, they stand on a line of their own below the figures.
NARROWEST = 45
#: Longest line of running text, on the widest screen too.
PROSE = 100
_GAP = "  "
_INDENT = " " * 4


def entries(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Sequence[Sequence[str]],
    width: int | None,
    *,
    heading: str = "",
) -> str:
    """Rows of a name, figures, unit and status, with words beside or below them.

    Parameters
    ----------
    head : sequence of str
        Headers of the columns: name, figures, unit, status.
    rows : sequence of sequence of str
        Cells in the same order.
    words : sequence of sequence of str
        Lines of words about each row.
    width : int or None
        Characters of a line; None cuts nothing.
    heading : str, optional
        Header of the words where they have a column of their own; without it they stand below.
        On a screen too narrow for unit and status they join the words.
    """
    left = _left([head, *rows], width)
    if heading and (left is None or left >= NARROWEST):
        beside = [[*row, *lines] for row, lines in zip(rows, words, strict=True)]
        return columns([[*head, heading], *beside], len(head) - 3, width=width)
    if left is not None and left + len(_GAP) < 0:
        words = [
            ["; ".join([f"{status}, {unit}", *lines[:1]]), *lines[1:]]
            for (*_, unit, status), lines in zip(rows, words, strict=True)
        ]
        head, rows = head[:-2], [row[:-2] for row in rows]
        figures = len(head) - 1
    else:
        figures = len(head) - 3
    return columns([head, *rows], figures, width=width, below=[[], *words])


def columns(
    rows: Sequence[Sequence[str]],
    figures: int,
    *,
    width: int | None = None,
    below: Sequence[Sequence[str]] | None = None,
) -> str:
    """Lined-up columns; `figures` of them after the first stand to the right, the last is cut.

    `below` has the lines under each row.
    """
    sizes = _sizes(rows)
    left = _left(rows, width)
    if left is not None and left + len(_GAP) < 0:
        sizes[-1] = max(sizes[-1] + left + len(_GAP), len(_INDENT))
    lines: list[str] = []
    for number, row in enumerate(rows):
        cells = [cut(cell, size) for cell, size in zip(row, sizes, strict=True)]
        lined = [
            cell.rjust(size) if 0 < at <= figures else cell.ljust(size)
            for at, (cell, size) in enumerate(zip(cells, sizes, strict=True))
        ]
        lines.append(_GAP.join(lined).rstrip())
        for text in [] if below is None else below[number]:
            lines.append(_INDENT + (text if width is None else cut(text, width - len(_INDENT))))
    return "\n".join(lines)


def items_text(items: Mapping[str, str], width: int | None) -> list[str]:
    """One line per item, its name before it; long ones are wrapped beside the name."""
    label = max(map(len, items)) + len(_GAP)
    return [
        textwrap.fill(
            f"{_GAP}{name.ljust(label)}{text}",
            _prose(width),
            subsequent_indent=" " * (len(_GAP) + label),
        )
        for name, text in items.items()
    ]


def wrapped(text: str, width: int | None) -> str:
    """Running text in lines that fit."""
    return textwrap.fill(text, _prose(width))


def cut(text: str, size: int) -> str:
    """Text cut to a size, with a mark where something is missing."""
    return text if len(text) <= size else text[: size - 1] + "…"


def _prose(width: int | None) -> int:
    return PROSE if width is None else max(min(width, PROSE), NARROWEST)


def _sizes(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _left(rows: Sequence[Sequence[str]], width: int | None) -> int | None:
    """Room that the columns leave for one more."""
    return None if width is None else width - sum(_sizes(rows)) - len(_GAP) * len(rows[0])
