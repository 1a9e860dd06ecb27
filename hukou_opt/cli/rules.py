"""``hukou-opt rules`` and ``hukou-opt objectives``: the linear program in words, from its code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hukou_opt.cli import rule_words as words

if TYPE_CHECKING:
    from hukou_opt.report.catalogue_table import Catalogue

FORMATS = ("text", "latex", "csv", "md")
LANGUAGES = ("en", "zh")
KINDS = ("hard", "soft", "report", "check")
#: Formats told by the ending of the file to write.
_ENDINGS = {".tex": "latex", ".csv": "csv", ".md": "md"}
#: Width of text that goes to no terminal, and the narrowest and widest that reads well.
_WIDTH, _NARROWEST, _WIDEST = 100, 40, 120

Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="text, latex, csv or md.",
        show_default="by the ending of --out, else text",
    ),
]
Language = Annotated[str, typer.Option("--lang", help="Titles and headings: en or zh.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="File to write to instead of the screen.", show_default=False),
]


def rules(
    style: Format = "",
    lang: Language = "en",
    only: Annotated[
        str,
        typer.Option("--only", help="hard, soft, report or check.", show_default="all kinds"),
    ] = "",
    out: Out = None,
) -> None:
    """List every rule of the plan with equation, unit, section, modes and parameters."""
    form = _checked(style, lang, only, out)
    _write(words.rule_catalogue(lang, only), form, out)


def objectives(style: Format = "", lang: Language = "en", out: Out = None) -> None:
    """List what can be made small or equal: quantities, indices, and the shipped levels."""
    form = _checked(style, lang, "", out)
    _write(words.objective_catalogue(lang), form, out)


def _checked(style: str, lang: str, only: str, out: Path | None) -> str:
    """The format; all wrong options are named at once."""
    from hukou_opt.errors import Fault, OutputError, did_you_mean

    asked = (("--format", style, FORMATS), ("--lang", lang, LANGUAGES), ("--only", only, KINDS))
    faults = [
        Fault(f"{option} {value!r}", "is unknown", did_you_mean(value, known))
        for option, value, known in asked
        if value and value not in known
    ]
    if out is not None and out.is_dir():
        faults.append(Fault(f"--out {str(out)!r}", "is a folder", "name a file"))
    if faults:
        raise OutputError(faults)
    return style or _ENDINGS.get("" if out is None else out.suffix.lower(), "text")


def _write(catalogue: Catalogue, form: str, out: Path | None) -> None:
    from hukou_opt.report.publish import check_writable, staged

    if form == "text":
        columns = _WIDTH if out is not None else shutil.get_terminal_size((_WIDTH, 24)).columns
        text = catalogue.text(max(_NARROWEST, min(columns, _WIDEST)))
    elif form == "csv":
        text = catalogue.csv()
    elif form == "md":
        text = catalogue.markdown()
    else:
        text = catalogue.latex()
    if out is None:
        typer.echo(text, nl=False)
        return
    check_writable(out.parent)
    with staged(out.parent) as written:
        (written.folder / out.name).write_text(text, encoding="utf-8")
    typer.echo(f"Written to {out}")
