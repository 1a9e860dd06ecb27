"""The folder of a run: its result, its settings, its tables and figures, all of them or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hukou_opt.report.publish import Stage, staged, write_figures, write_tables
from hukou_opt.report.saved import RESULT_FILE
from hukou_opt.result import Result

SETTINGS_FILE = "experiment.yaml"


def write_run(
    result: Result, folder: str | Path, more: Callable[[Stage], None] | None = None
) -> list[Path]:
    """Write everything that is made from a result.

    Parameters
    ----------
    result : Result
        A run with a certificate, or without allocation.
    folder : str or Path
        Folder to write to; it is made where missing.
    more : callable, optional
        Writes further files into the folder that is being filled.

    Returns
    -------
    list of Path
        Files written, in order of their names.

    Raises
    ------
    ResultError
        If the result's allocation has no valid certificate.
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    with staged(folder) as written:
        result.save(written.folder / RESULT_FILE)
        text = str(result.attrs["experiment_yaml"])
        (written.folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
        write_tables(result, written.folder)
        write_figures(result, written.folder)
        if more is not None:
            more(written)
    return written.paths
