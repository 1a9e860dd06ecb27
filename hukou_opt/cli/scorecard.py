"""``hukou-opt scorecard``: the plan's targets, and what a run has reached of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.result import Result

FORMATS = ("text", "csv", "latex", "html")
#: Formats told by the ending of the file to write.
_ENDINGS = {".csv": "csv", ".tex": "latex", ".html": "html"}
#: Signs that LaTeX wants written in mathematics.
_SIGNS = str.maketrans({"≥": r"$\ge$", "≤": r"$\le$"})
_READ = {
    "en": "A dash stands where there is no figure: none was stated, none computed, or none fits.",
    "zh": "短横表示无数值：方案未列、模型未算或不适用。",
}


def scorecard(
    result: Annotated[
        str,
        typer.Argument(help="Saved result, its folder, or the name of a run in results/."),
    ],
    style: Annotated[
        str,
        typer.Option(
            "--format",
            help="text, csv, latex or html.",
            show_default="by the ending of --out, else text",
        ),
    ] = "",
    lang: Annotated[str, typer.Option("--lang", help="Language of the words: en or zh.")] = "en",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write to instead of the screen.", show_default=False),
    ] = None,
) -> None:
    """Score every target of the plan: baseline, wanted, reached, state.

    What the model does not compute says "not modelled" and why; it is never filled.
    """
    from hukou_opt.cli import options

    options.check_options((("--format", style, FORMATS), ("--lang", lang, options.LANGUAGES)), out)
    form = options.form_of(style, out, _ENDINGS)

    from hukou_opt.report.saved import find_result

    options.write_out(_text(find_result(result), form, lang, options.line_width(out)), out)


def _text(result: Result, form: str, lang: str, width: int) -> str:
    from hukou_opt.report.scorecard_table import scorecard_frame, scorecard_words
    from hukou_opt.report.text_lines import text_lines
    from hukou_opt.report.text_table import html_page

    if form == "csv":
        return str(scorecard_frame(result).to_csv(index=False, lineterminator="\n"))
    if form == "latex":
        return scorecard_words(result, lang, remarks=False).latex().translate(_SIGNS)
    table = scorecard_words(result, lang)
    if form == "html":
        return html_page(table.caption, [table], [_READ[lang]])
    return text_lines(table, width, below=1)
