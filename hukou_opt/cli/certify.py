"""``hukou-opt certify``: a saved result proved again from what its file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def certify(
    result: Annotated[Path, typer.Argument(help="Saved result, such as results/NAME/result.nc.")],
    solve: Annotated[
        bool,
        typer.Option("--solve", help="Solve the published problem again and replay it exactly."),
    ] = False,
    lang: Annotated[str, typer.Option("--lang", help="Language of the sentence: en or zh.")] = "en",
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Check file, tables, program, answer and levels of a saved result; status 6 if one fails.

    The linear program is built anew from the inputs in the file and compared with its tables row
    by row; the answer in the file is held to every rule, level and budget.
    """
    from hukou_opt.cli.rules import LANGUAGES
    from hukou_opt.errors import Fault, OutputError, did_you_mean

    if lang not in LANGUAGES:
        raise OutputError(
            Fault(f"--lang {lang!r}", "is unknown", did_you_mean(lang, list(LANGUAGES)))
        )

    from hukou_opt.report.certificate_note import certificate_note
    from hukou_opt.report.table import require_allocation
    from hukou_opt.result import open_result

    opened = open_result(result)
    require_allocation(opened)
    typer.echo(f"ok  file: content has the identity that it states, {opened.identity}")

    from hukou_opt.planning.certify import NEEDS_SOLVE, check_by_solving, check_file, require
    from hukou_opt.planning.run import progress_bar

    checks = check_file(opened)
    for check in checks:
        typer.echo(str(check))
    require(checks)
    if solve:
        with progress_bar(progress) as step:
            again = check_by_solving(opened, step)
        for check in again:
            typer.echo(str(check))
        require(again)
    else:
        typer.echo("Not checked without a new solve (--solve):")
        for line in NEEDS_SOLVE:
            typer.echo(f"    {line}")
    typer.echo(certificate_note(opened, lang))
