"""Files of a comparison of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hukou_opt.report.compare_figure import fonts, has_chinese_font
from hukou_opt.report.excel import write_workbook
from hukou_opt.report.latex import to_html, to_latex
from hukou_opt.report.publish import CSV_FORMAT, FIGURE_DPI, staged

if TYPE_CHECKING:
    from hukou_opt.report.compare_tables import Comparison

#: No date and no version of the drawing library in a file: the same figure, the same bytes.
_PLAIN: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def write_comparison(comparison: Comparison, folder: str | Path, lang: str = "en") -> list[Path]:
    """Write table and figure of a comparison; all files or none.

    Parameters
    ----------
    comparison : Comparison
        From `hukou_opt.report.compare_runs.compare`.
    folder : str or Path
        Folder to write to; it is made where missing.
    lang : {"en", "zh"}, optional
        Language.

    Returns
    -------
    list of Path
        compare.csv, compare.html, compare.svg, compare.tex, compare.xlsx; compare.png too, unless
        the words are Chinese and the system has no font for them.

    Raises
    ------
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    table = comparison.table(lang)
    kinds = ["svg", "png"] if lang == "en" or has_chinese_font() else ["svg"]
    with staged(folder) as written, fonts(lang):
        here = written.folder
        comparison.tidy.to_csv(
            here / "compare.csv", index=False, float_format=CSV_FORMAT, lineterminator="\n"
        )
        (here / "compare.tex").write_text(to_latex(table), encoding="utf-8")
        (here / "compare.html").write_text(to_html([table], table.caption), encoding="utf-8")
        write_workbook([table], here / "compare.xlsx", table.caption)
        figure = comparison.figure(lang)
        for kind in kinds:
            figure.savefig(here / f"compare.{kind}", dpi=FIGURE_DPI, metadata=_PLAIN[kind])
    return written.paths
