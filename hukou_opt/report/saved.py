"""Saved results by file, folder or name of the experiment."""

from __future__ import annotations

from pathlib import Path

from hukou_opt.errors import Fault, ResultError, did_you_mean
from hukou_opt.result import Result, open_result

#: Folder in which a run is written under its name, and the name of the result in it.
RESULTS = "results"
RESULT_FILE = "result.nc"


def find_result(where: str | Path | Result, results: str | Path = RESULTS) -> Result:
    """Open a result by its file, its folder, or the name of an experiment that has been run.

    Parameters
    ----------
    where : str, Path or Result
        A file, a folder with a result in it, or a name whose folder lies in `results`; a result
        already open is handed back.
    results : str or Path, optional
        Folder with one folder for each experiment.

    Raises
    ------
    ResultError
        If nothing is found, or what is found is no whole result.
    """
    if isinstance(where, Result):
        return where
    given = Path(where)
    if given.is_file():
        return open_result(given)
    named = Path(results) / str(where)
    for folder in (given, named):
        if (folder / RESULT_FILE).is_file():
            return open_result(folder / RESULT_FILE)
    if given.is_dir():
        raise ResultError(
            Fault(f"folder {str(where)!r}", f"has no {RESULT_FILE}", "name the folder of a run")
        )
    if given.suffix or given.is_absolute() or len(given.parts) > 1:
        raise ResultError(
            Fault(f"result {str(where)!r}", "there is no such file or folder", "check the path")
        )
    there = sorted(path.parent.name for path in Path(results).glob(f"*/{RESULT_FILE}"))
    hint = did_you_mean(str(where), there) if there else f"hukou-opt run {where}"
    raise ResultError(
        Fault(f"result {str(where)!r}", f"is neither a file nor a run in {results}/", hint)
    )
