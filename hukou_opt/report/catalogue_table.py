"""Lists of named definitions with their equations: rules of the plan, measures, indices, levels."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from hukou_opt.report.latex import latex_escape
from hukou_opt.report.longtable import Column, latex_name, latex_unit, longtable

#: Columns of the LaTeX table: name, title, unit and source, parts of the line's width.
_WIDTHS = (0.22, 0.44, 0.13, 0.13)
#: Width of an equation that spans them, with the gaps between them.
_SPAN = 0.96
_INDENT = "    "
#: Where a line may be broken: words, single characters of Chinese text, and spaces.
_PIECES = re.compile(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+")


@dataclass(frozen=True)
class Card:
    """One definition as printed.

    Parameters
    ----------
    name, title : str
        Name in experiments and the definition in words.
    group : str
        Heading under which it stands.
    equation, latex : str
        Its equation in plain notation, and in LaTeX mathematics without delimiters; may be empty.
    unit, source : str
        Unit, and section of the plan or reference.
    details : tuple of (str, str)
        Further words by their label.
    """

    name: str
    title: str
    group: str
    equation: str
    latex: str
    unit: str
    source: str
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """Definitions under headings, with the notation of their equations.

    Parameters
    ----------
    name, caption : str
        Label and title of the list.
    heads : tuple of str
        Headers: name, title, unit, source, equation.
    cards : tuple of Card
        The definitions in order; those of one group follow each other.
    notes : tuple of str
        Sentences at the end, as plain text.
    latex_notes : tuple of str
        The same as LaTeX text.
    """

    name: str
    caption: str
    heads: tuple[str, str, str, str, str]
    cards: tuple[Card, ...]
    notes: tuple[str, ...] = ()
    latex_notes: tuple[str, ...] = ()

    def groups(self) -> dict[str, list[Card]]:
        """Definitions by heading."""
        found: dict[str, list[Card]] = {}
        for card in self.cards:
            found.setdefault(card.group, []).append(card)
        return found

    def text(self, width: int) -> str:
        """Blocks of lines no longer than `width`, one block for each definition."""
        parts = [_fill(self.caption, width)]
        for group, cards in self.groups().items():
            parts.append(f"{group.upper()} ({len(cards)})")
            parts += [_block(card, width) for card in cards]
        parts += [_fill(note, width) for note in self.notes]
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """One line for each definition, with a column for each label of the details."""
        labels = list(dict.fromkeys(label for card in self.cards for label, _ in card.details))
        stream = io.StringIO()
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow(["name", "group", "title", "equation", "latex", "unit", "source", *labels])
        for card in self.cards:
            given = dict(card.details)
            lines.writerow(
                [
                    card.name,
                    card.group,
                    card.title,
                    card.equation,
                    card.latex,
                    card.unit,
                    card.source,
                    *(given.get(label, "") for label in labels),
                ]
            )
        return stream.getvalue()

    def markdown(self) -> str:
        """A table for each heading."""
        lines = [f"## {self.caption}", ""]
        for group, cards in self.groups().items():
            labels = list(dict.fromkeys(label for card in cards for label, _ in card.details))
            head = [*self.heads[:2], self.heads[4], *self.heads[2:4], *labels]
            lines += [f"### {group}", "", _pipes(head), _pipes(["---"] * len(head))]
            for card in cards:
                given = dict(card.details)
                equation = f"`{card.equation}`" if card.equation else ""
                cells = [f"`{card.name}`", card.title, equation, card.unit, card.source]
                lines.append(_pipes([*cells, *(given.get(label, "") for label in labels)]))
            lines.append("")
        return "\n".join([*lines, *(f"{note}\n" for note in self.notes)])

    def latex(self) -> str:
        """A ``longtable`` with an equation below each definition."""
        sections = []
        for group, cards in self.groups().items():
            rows = [row for card in cards for row in _latex_rows(card)]
            sections.append((latex_escape(group), rows))
        columns = [Column(head, width) for head, width in zip(self.heads[:4], _WIDTHS, strict=True)]
        table = longtable(columns, sections, caption=self.caption, label=self.name, notes=())
        end = r"\par}"
        body = table.rstrip("\n").removesuffix(end)
        return "% needs amsmath\n" + body + "\n\n".join(self.latex_notes) + end + "\n"


def _fill(text: str, width: int, first: str = "", later: str = "") -> str:
    """Wrap text at spaces and between Chinese characters, which take two columns each."""
    lines, line, used = [], first, len(first)
    for piece in _PIECES.findall(text):
        size = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in piece)
        if used + size > width and line.strip():
            lines.append(line.rstrip())
            line, used = later, len(later)
        if piece.isspace() and not line.strip():
            continue
        line, used = line + piece, used + size
    return "\n".join([*lines, line.rstrip()])


def _block(card: Card, width: int) -> str:
    lines = [_fill(f"{card.name}: {card.title}", width, later=_INDENT)]
    if card.equation:
        lines.append(_fill(card.equation, width, _INDENT, _INDENT + "  "))
    about = "; ".join(part for part in (card.unit, card.source) if part)
    if about:
        lines.append(_fill(f"[{about}]", width, _INDENT, _INDENT + " "))
    lines += [
        _fill(f"{label}: {text}", width, _INDENT, _INDENT + "  ") for label, text in card.details
    ]
    return "\n".join(lines)


def _latex_rows(card: Card) -> list[list[str]]:
    rows = [
        [
            rf"\texttt{{{latex_name(card.name)}}}",
            latex_escape(card.title),
            latex_unit(card.unit),
            latex_escape(card.source),
        ]
    ]
    if card.latex:
        rows.append([_spanning(f"${card.latex}$")])
    rows += [
        [_spanning(rf"\emph{{{latex_escape(label)}}}: {latex_name(text)}")]
        for label, text in card.details
    ]
    return rows


def _spanning(text: str) -> str:
    layout = rf">{{\raggedright\arraybackslash}}p{{{_SPAN:g}\linewidth}}"
    return rf"\multicolumn{{{len(_WIDTHS)}}}{{{layout}}}{{\quad {text}}}"


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
