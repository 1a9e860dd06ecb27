"""``hukou-opt compare``: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FORMATS = ("text", "csv", "latex", "html")


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="Saved results, their folders, or names of runs in results/; the others are "
            "compared with the first.",
        ),
    ],
    years: Annotated[
        str,
        typer.Option(
            "--years",
            metavar="YEAR,...",
            help="Years to show.",
            show_default="2026 and the last",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for table and figure.", show_default="none are written"),
    ] = None,
    style: Annotated[
        str, typer.Option("--format", help="On the screen: text, csv, latex or html.")
    ] = "text",
    lang: Annotated[str, typer.Option("--lang", help="Language of the words: en or zh.")] = "en",
) -> None:
    """Compare runs: every named outcome by experiment, with the differences to the first."""
    from hukou_opt.cli import options

    options.check_options(
        (("--format", style, FORMATS), ("--lang", lang, options.LANGUAGES)), out, folder=True
    )
    asked = _years(years)

    from hukou_opt.report.compare_runs import compare as compared
    from hukou_opt.report.latex import to_html, to_latex
    from hukou_opt.report.text_lines import text_lines

    found = compared(*runs, years=asked)
    if style == "csv":
        text = str(found.tidy.to_csv(index=False, lineterminator="\n"))
    elif style == "latex":
        text = to_latex(found.table(lang))
    elif style == "html":
        text = to_html([found.table(lang)], found.caption(lang))
    else:
        text = text_lines(found.words(lang), options.line_width(None))
    typer.echo(text, nl=False)
    if out is not None:
        paths = found.write(out, lang)
        typer.echo("\n".join([f"Written to {out}:", *(f"  {path}" for path in paths)]), err=True)


def _years(text: str) -> list[int] | None:
    """The years asked for; all that are none are named at once."""
    from hukou_opt.errors import Fault, ResultError

    if not text:
        return None
    words = [word.strip() for word in text.split(",")]
    faults = [
        Fault(f"--years {word!r}", "is no year", "write years like 2026,2033")
        for word in words
        if not (word.isdigit() and len(word) == 4)
    ]
    if faults:
        raise ResultError(faults)
    return [int(word) for word in words]
