"""``hukou-opt explain``: what a result hangs on, in words and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.result import Result

LANGUAGES = ("en", "zh")
#: Workbook with all tables of the command.
WORKBOOK = "explain.xlsx"


def explain(
    result: Annotated[Path, typer.Argument(help="Saved result of a run with an allocation.")],
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            help="Share of its optimum that every level may give up in the ranges of the cells.",
            show_default="the limits within which the levels were held",
        ),
    ] = None,
    coupled: Annotated[
        bool,
        typer.Option(
            "--coupled", help="Run model and allocation with 1 % more money too (minutes)."
        ),
    ] = False,
    sectors: Annotated[
        bool, typer.Option("--sectors", help="Ranges by region, block and sector too.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the tables.", show_default="none are written"),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", help="File for the result with prices and ranges.", show_default=False
        ),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the words: en or zh.")] = "en",
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Shadow prices with their ranges, and what each published cell could be instead."""
    from hukou_opt.cli import explain_words as words
    from hukou_opt.errors import Fault, OutputError, did_you_mean
    from hukou_opt.report.publish import check_writable
    from hukou_opt.result import open_result

    faults = []
    if lang not in LANGUAGES:
        faults.append(Fault(f"--lang {lang!r}", "is unknown", did_you_mean(lang, LANGUAGES)))
    if save is not None and save.is_dir():
        faults.append(Fault(f"--save {str(save)!r}", "is a folder", "name a file"))
    if save is not None and save.exists() and save.resolve() == result.resolve():
        faults.append(Fault(f"--save {str(save)!r}", "is the result itself", "name another file"))
    if faults:
        raise OutputError(faults)
    opened = open_result(result)
    if out is not None:
        check_writable(out)
    if save is not None:
        check_writable(save.absolute().parent)

    from hukou_opt.planning.explain import explain as explained

    found = explained(
        opened,
        epsilon=epsilon,
        region_by_sector=sectors,
        coupled=coupled,
        progress=progress,
    )
    typer.echo(words.text(found, lang))
    if out is not None:
        paths = _write(found, out, lang)
        typer.echo("\n".join([f"{words.WRITTEN[lang]} {out}:", *(f"  {path}" for path in paths)]))
    if save is not None:
        typer.echo(f"{words.SAVED[lang]} {found.save(save)}")


def _write(result: Result, folder: Path, lang: str) -> list[Path]:
    from hukou_opt.report.excel import write_workbook
    from hukou_opt.report.explain_tables import lever_table, price_table, range_table
    from hukou_opt.report.latex import to_latex
    from hukou_opt.report.publish import CSV_FORMAT, staged

    tables = [each(result, lang) for each in (lever_table, price_table, range_table)]
    with staged(folder) as written:
        for table in tables:
            stem = written.folder / table.name
            if table.tidy is not None:
                table.tidy.to_csv(
                    stem.with_suffix(".csv"),
                    index=False,
                    float_format=CSV_FORMAT,
                    lineterminator="\n",
                )
            stem.with_suffix(".tex").write_text(to_latex(table), encoding="utf-8")
        write_workbook(tables, written.folder / WORKBOOK, str(result.attrs[f"title_{lang}"]))
    return written.paths
