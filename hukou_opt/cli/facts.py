"""``hukou-opt facts``: every fact of the plan, and where it is used or why it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FORMATS = ("text", "csv", "md", "latex")
#: Formats told by the ending of the file to write.
_ENDINGS = {".csv": "csv", ".md": "md", ".tex": "latex"}


def facts(
    style: Annotated[
        str,
        typer.Option(
            "--format",
            help="text, csv, md or latex.",
            show_default="by the ending of --out, else text",
        ),
    ] = "",
    lang: Annotated[str, typer.Option("--lang", help="Language of the words: en or zh.")] = "en",
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="Only facts of this role, such as target or policy_lever.",
            show_default="all roles",
        ),
    ] = "",
    unused: Annotated[
        bool, typer.Option("--unused", help="Only facts that are used nowhere, with the reason.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write to instead of the screen.", show_default=False),
    ] = None,
) -> None:
    """List every fact of the plan with its figure, and where it is used or why it is not."""
    from hukou_opt.cli import options
    from hukou_opt.plan.facts import ROLES

    options.check_options(
        (
            ("--format", style, FORMATS),
            ("--lang", lang, options.LANGUAGES),
            ("--role", role, ROLES),
        ),
        out,
    )
    form = options.form_of(style, out, _ENDINGS)

    from hukou_opt.cli.fact_uses import fact_uses
    from hukou_opt.report.facts_table import facts_csv, facts_table
    from hukou_opt.report.text_lines import text_lines

    kept = [
        each
        for each in fact_uses()
        if (not role or each.fact.role == role) and not (unused and each.used)
    ]
    if form == "csv":
        text = facts_csv(kept, lang)
    else:
        table = facts_table(kept, lang)
        if form == "md":
            text = table.markdown()
        elif form == "latex":
            text = table.latex()
        else:
            text = text_lines(table, options.line_width(out), below=1)
    options.write_out(text, out)
