"""Tables as LaTeX (booktabs, longtable) and HTML, from one pandas Styler."""

from __future__ import annotations

from html import escape

import pandas as pd

from hukou_opt.report.table import Table

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
#: Letters of a row label that still stands on one line, and the column for longer ones.
LONGEST_LABEL = 30
LABEL_COLUMN = "p{4cm}"


def latex_escape(text: str) -> str:
    """Escape what LaTeX would read as a command."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def to_latex(table: Table) -> str:
    """LaTeX text of a table, for a document that loads booktabs and longtable.

    Parameters
    ----------
    table : Table
        Table to print.

    Returns
    -------
    str
        A ``table`` or, where it runs over pages, a ``longtable``, with caption, label and notes.
    """
    text = _escaped(table.text())
    levels = text.index.nlevels
    # The header row of index names would stand empty beside the columns.
    text.index.names = [None] * levels
    style = text.style
    for row in table.total_rows:
        style = style.apply(
            lambda _: ["textbf:--rwrap"] * text.shape[1],
            axis=1,
            subset=([text.index[row]], slice(None)),
        )
    body = str(
        style.to_latex(
            environment="longtable" if table.long else "table",
            position=None if table.long else "htbp",
            position_float=None if table.long else "centering",
            column_format=_label_columns(text.index) + "r" * text.shape[1],
            hrules=True,
            caption=latex_escape(table.caption),
            label=f"tab:{table.name}",
            multirow_align="naive",
            multicol_align="c",
        )
    )
    note = " ".join(latex_escape(line) for line in table.notes)
    # Most LaTeX documents have no Chinese font: the sentence stands beside the table.
    comment = "".join(f"% {line}\n" for line in table.notes_zh)
    if table.long:
        opening = "% needs booktabs and longtable\n{\\footnotesize\\setlength{\\tabcolsep}{4pt}\n"
        return f"{opening}{body}{note}\\par}}\n{comment}"
    end = "\\end{table}"
    body = body.replace(end, f"\n\\par\\smallskip\\footnotesize {note}\n{end}")
    return f"% needs booktabs\n{body}{comment}"


def _label_columns(index: pd.Index) -> str:
    """Column format of the row labels: long ones are broken, so that figures keep their room."""
    widths = [
        max((len(str(label)) for label in index.get_level_values(level)), default=0)
        for level in range(index.nlevels)
    ]
    return "".join("l" if width <= LONGEST_LABEL else LABEL_COLUMN for width in widths)


def _escaped(text: pd.DataFrame) -> pd.DataFrame:
    """Escape cells and headers, and write the dash and thin space that LaTeX knows."""
    result = text.map(lambda cell: latex_escape(cell).replace("–", "--"))
    result.index = _escaped_index(text.index)
    result.columns = _escaped_index(text.columns)
    return result


def _escaped_index(index: pd.Index) -> pd.Index:
    if isinstance(index, pd.MultiIndex):
        rows = [tuple(latex_escape(str(item)) for item in row) for row in index]
        return pd.MultiIndex.from_tuples(rows, names=index.names)
    return pd.Index([latex_escape(str(item)) for item in index], name=index.name)


def to_html(tables: list[Table], heading: str) -> str:
    """One HTML page with all tables.

    Parameters
    ----------
    tables : list of Table
        Tables to print.
    heading : str
        Title of the page.
    """
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title><style>',
        "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}",
        "table{border-top:2px solid #444;border-bottom:2px solid #444}",
        "td,th{padding:0.15em 0.6em;text-align:right}thead{border-bottom:1px solid #444}",
        "th.row_heading{text-align:left;font-weight:400;vertical-align:top}",
        "caption{text-align:left;font-weight:700;padding:0.3em 0}",
        "p.note{font-size:85%;color:#444;max-width:60em}",
        f"</style></head><body><h1>{escape(heading)}</h1>",
    ]
    for table in tables:
        text = table.text().map(escape)
        style = text.style.set_uuid(table.name).set_caption(escape(table.caption))
        style = style.format_index(lambda item: escape(str(item)), axis=0)
        style = style.format_index(lambda item: escape(str(item)), axis=1)
        for row in table.total_rows:
            style = style.set_properties(
                subset=([text.index[row]], slice(None)), **{"font-weight": "700"}
            )
        parts.append(str(style.to_html()))
        parts += [f'<p class="note">{escape(" ".join(table.notes))}</p>']
        parts += [f'<p class="note" lang="zh">{escape(line)}</p>' for line in table.notes_zh]
    parts.append("</body></html>\n")
    return "\n".join(parts)
