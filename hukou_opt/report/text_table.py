"""Tables of ready words and figures: Markdown, LaTeX and HTML from one description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from hukou_opt.report.latex import latex_escape
from hukou_opt.report.longtable import Column, latex_figure, longtable

_STYLE = (
    "body{font-family:sans-serif;margin:2em;max-width:70em}"
    "table{border-collapse:collapse;margin:1em 0;"
    "border-top:2px solid #444;border-bottom:2px solid #444}"
    "td,th{padding:0.15em 0.6em;text-align:right}"
    "th{border-bottom:1px solid #444}"
    "td.text,th.text{text-align:left}"
    "tr.section td{text-align:left;font-weight:700;padding-top:0.6em}"
    "caption{text-align:left;font-weight:700;padding:0.3em 0}"
    "p.note{font-size:85%;color:#444}"
)


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are printed text.

    Parameters
    ----------
    name : str
        Label.
    caption : str
        Title.
    columns : tuple of Column
        Headers; a width marks a column of words, no width one of figures.
    sections : tuple of (str, rows)
        Heading of each section and its rows of plain text.
    notes : tuple of str
        Sentences under the table.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    notes: tuple[str, ...]

    def markdown(self) -> str:
        """The table in Markdown, one table per section."""
        head = _pipes([column.head for column in self.columns])
        rule = _pipes(["---" if column.width else "---:" for column in self.columns])
        lines = [f"## {self.caption}", ""]
        for heading, rows in self.sections:
            lines += [f"### {heading}", "", head, rule, *(_pipes(row) for row in rows), ""]
        return "\n".join([*lines, *(f"{note}\n" for note in self.notes)])

    def latex(self) -> str:
        """The table as LaTeX ``longtable``."""
        sections = [
            (
                latex_escape(heading),
                [
                    [
                        latex_escape(cell) if column.width else latex_figure(cell)
                        for column, cell in zip(self.columns, row, strict=True)
                    ]
                    for row in rows
                ],
            )
            for heading, rows in self.sections
        ]
        return longtable(
            self.columns, sections, caption=self.caption, label=self.name, notes=self.notes
        )

    def html(self) -> str:
        """The table as HTML, without the page around it."""
        kinds = [' class="text"' if column.width else "" for column in self.columns]
        head = "".join(
            f"<th{kind}>{escape(column.head)}</th>"
            for kind, column in zip(kinds, self.columns, strict=True)
        )
        lines = [f"<table><caption>{escape(self.caption)}</caption>", f"<tr>{head}</tr>"]
        for heading, rows in self.sections:
            lines.append(
                f'<tr class="section"><td colspan="{len(kinds)}">{escape(heading)}</td></tr>'
            )
            for row in rows:
                cells = zip(kinds, row, strict=True)
                lines.append(
                    f"<tr>{''.join(f'<td{kind}>{escape(cell)}</td>' for kind, cell in cells)}</tr>"
                )
        return "\n".join(
            [*lines, "</table>", f'<p class="note">{escape(" ".join(self.notes))}</p>']
        )


def html_page(heading: str, tables: Sequence[TextTable], lines: Sequence[str]) -> str:
    """One HTML page with tables, and lines of text below."""
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(heading)}</h1>",
        *(table.html() for table in tables),
        "<h2>How to read it</h2><ul>",
        *(f"<li>{escape(line)}</li>" for line in lines),
        "</ul></body></html>\n",
    ]
    return "\n".join(parts)


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
