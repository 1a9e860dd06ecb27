"""LaTeX tables of text and figures that run over pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hukou_opt.report.latex import latex_escape
from hukou_opt.report.table import MISSING


@dataclass(frozen=True)
class Column:
    """One column of a LaTeX table.

    Parameters
    ----------
    head : str
        Header as plain text.
    width : float, optional
        Part of the line's width for text that wraps; 0 for figures, right-aligned on one line.
    """

    head: str
    width: float = 0.0


def longtable(
    columns: Sequence[Column],
    sections: Sequence[tuple[str, Sequence[Sequence[str]]]],
    *,
    caption: str,
    label: str,
    notes: Sequence[str],
) -> str:
    r"""LaTeX ``longtable`` of text and figures, with the header repeated on every page.

    Parameters
    ----------
    columns : sequence of Column
        Headers and widths.
    sections : sequence of (str, rows)
        Heading of each section (empty for none) and its rows; cells are LaTeX text already.
    caption, label : str
        Caption as plain text; label without its ``tab:``.
    notes : sequence of str
        Sentences under the table, as plain text.
    """
    wide = r">{{\raggedright\arraybackslash}}p{{{:g}\linewidth}}"
    layout = "".join(wide.format(column.width) if column.width else "r" for column in columns)
    head = " & ".join(latex_escape(column.head) for column in columns) + r" \\"
    full = rf"\multicolumn{{{len(columns)}}}"
    title = latex_escape(caption)
    lines = [
        "% needs array, booktabs and longtable",
        r"{\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{longtable}}{{{layout}}}",
        rf"\caption{{{title}}} \label{{tab:{label}}} \\",
        *(r"\toprule", head, r"\midrule", r"\endfirsthead"),
        rf"\caption[]{{{title} (continued)}} \\",
        *(r"\toprule", head, r"\midrule", r"\endhead"),
        *(r"\midrule", rf"{full}{{r}}{{Continued on next page}} \\", r"\endfoot"),
        *(r"\bottomrule", r"\endlastfoot"),
    ]
    for number, (heading, rows) in enumerate(sections):
        if number:
            lines.append(r"\addlinespace")
        if heading:
            # No page may end with a heading: the star forbids the break.
            lines.append(rf"{full}{{l}}{{\textbf{{{heading}}}}} \\*")
        lines += [" & ".join(row) + r" \\" for row in rows]
    lines += [r"\end{longtable}", latex_escape(" ".join(notes)) + r"\par}"]
    return "\n".join(lines) + "\n"


def latex_name(name: str) -> str:
    """A name with underscores, escaped, that may break after each of them."""
    return latex_escape(name).replace(r"\_", r"\_\allowbreak ")


def latex_unit(text: str) -> str:
    """A unit, escaped, that may break after each stroke."""
    return latex_escape(text).replace("/", r"/\allowbreak ")


def latex_figure(text: str) -> str:
    """A figure in print, with a true minus sign."""
    return latex_escape(text).replace("-", "$-$").replace(MISSING, "--")


def latex_range(low: str, high: str) -> str:
    """Two figures in print with "to" between them, so that no minus meets a dash."""
    return f"{latex_figure(low)} to {latex_figure(high)}"


def latex_emphasis(text: str) -> str:
    """Plain text in italics."""
    return rf"\emph{{{latex_escape(text)}}}"
