"""Options that several commands share: how, in which language and where to write."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

LANGUAGES = ("en", "zh")
#: Width of text that goes to no terminal, and the narrowest and widest that reads well.
WIDTH, NARROWEST, WIDEST = 120, 60, 160


def check_options(
    asked: Sequence[tuple[str, str, Sequence[str]]], out: Path | None, *, folder: bool = False
) -> None:
    """Name all wrong options at once, before anything is made.

    Parameters
    ----------
    asked : sequence of (str, str, sequence of str)
        Option, its value, and the values that it may have; an empty value is none.
    out : Path or None
        Where to write.
    folder : bool, optional
        Whether a folder is wanted there, not a file.

    Raises
    ------
    OutputError
        If a value is unknown, or the place is of the wrong kind or cannot be written.
    """
    from hukou_opt.errors import Fault, OutputError, did_you_mean
    from hukou_opt.report.publish import check_writable

    faults = [
        Fault(f"{option} {value!r}", "is unknown", did_you_mean(value, list(known)))
        for option, value, known in asked
        if value and value not in known
    ]
    if out is not None and not folder and out.is_dir():
        faults.append(Fault(f"--out {str(out)!r}", "is a folder", "name a file"))
    if faults:
        raise OutputError(faults)
    if out is not None:
        check_writable(out if folder else out.absolute().parent)


def form_of(style: str, out: Path | None, endings: Mapping[str, str], default: str = "text") -> str:
    """The format asked for, else the one that the ending of the file tells."""
    return style or endings.get("" if out is None else out.suffix.lower(), default)


def line_width(out: Path | None) -> int:
    """Columns of text for the screen or a file."""
    columns = WIDTH if out is not None else shutil.get_terminal_size((WIDTH, 24)).columns
    return max(NARROWEST, min(columns, WIDEST))


def write_out(text: str, out: Path | None) -> None:
    """Print a text, or write it to a file."""
    if out is None:
        typer.echo(text, nl=False)
        return
    from hukou_opt.report.publish import staged

    with staged(out.absolute().parent) as written:
        (written.folder / out.name).write_text(text, encoding="utf-8")
    typer.echo(f"Written to {out}")
