"""Write all tables of a result into a folder: all of them, or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from hukou_opt.errors import Fault, OutputError
from hukou_opt.report.all_tables import all_tables
from hukou_opt.report.excel import write_workbook
from hukou_opt.report.latex import to_html, to_latex
from hukou_opt.result import Result

#: Significant digits in tidy CSV files; the exact figures stand in the saved result.
CSV_FORMAT = "%.10g"
#: Resolution of written figures, dots per inch.
FIGURE_DPI = 150


def write_tables(result: Result, folder: str | Path) -> list[Path]:
    """Write every table as tidy CSV and LaTeX, and all of them as one workbook and one page.

    Parameters
    ----------
    result : Result
        A run with a certificate, or without allocation.
    folder : str or Path
        Folder to write to; it is made where missing.

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
    tables = all_tables(result)
    heading = str(result.attrs["title_en"])
    with staged(folder) as written:
        for table in tables:
            if table.tidy is not None:
                _write_csv(table.tidy, written.folder / f"{table.name}.csv")
            (written.folder / f"{table.name}.tex").write_text(to_latex(table), encoding="utf-8")
        write_workbook(tables, written.folder / "tables.xlsx", heading)
        (written.folder / "tables.html").write_text(to_html(tables, heading), encoding="utf-8")
    return written.paths


def write_figures(result: Result, folder: str | Path) -> list[Path]:
    """Write the tile map and the gaps over time as PNG; none for a run without allocation.

    Raises
    ------
    ResultError
        If the result's allocation has no valid certificate.
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    if not result.has_allocation:
        return []
    # Imported here: a run without allocation draws nothing and need not load matplotlib.
    from hukou_opt.report.figures import gaps_over_time, tile_map

    with staged(folder) as written:
        for name, draw in (("transfers_map", tile_map), ("gaps_over_time", gaps_over_time)):
            # No version of the drawing library in the file: the same figure, the same bytes.
            draw(result).savefig(
                written.folder / f"{name}.png", dpi=FIGURE_DPI, metadata={"Software": None}
            )
    return written.paths


def _write_csv(tidy: pd.DataFrame, path: Path) -> None:
    tidy.to_csv(path, index=False, float_format=CSV_FORMAT, lineterminator="\n")


class Stage:
    """A folder in which files are made before they are moved to where the user wants them.

    Parameters
    ----------
    folder : Path
        Where to write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []


@contextmanager
def staged(folder: str | Path) -> Iterator[Stage]:
    """Collect files in a hidden folder beside the target, and move them when all are complete.

    Raises
    ------
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    target = Path(folder)
    made = [path for path in (target, *target.parents) if not path.exists()]
    check_writable(target)
    draft: Path | None = None
    try:
        target.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".part-", dir=target))
        stage = Stage(draft)
        yield stage
        blocked = [path.name for path in draft.iterdir() if (target / path.name).is_dir()]
        if blocked:
            raise OutputError(
                Fault(
                    f"output folder {str(target)!r}",
                    f"has folders where files are to be written ({', '.join(sorted(blocked))})",
                    "move them, or name another folder with --out",
                )
            )
        for path in sorted(draft.iterdir()):
            stage.paths.append(path.replace(target / path.name))
    except BaseException as error:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
        for path in made:
            # Folders made for this run go again, unless something else has moved in.
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        if isinstance(error, OSError):
            raise OutputError(_fault(target, error)) from error
        raise
    draft.rmdir()


def check_writable(folder: str | Path) -> None:
    """Make sure that files can be written into a folder, before a long run starts.

    Raises
    ------
    OutputError
        If the folder, or the nearest one above it that exists, cannot be written.
    """
    target = Path(folder)
    nearest = next(path for path in (target, *target.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(prefix=".probe-", dir=nearest):
            pass
    except OSError as error:
        raise OutputError(_fault(target, error)) from error


def _fault(target: Path, error: OSError) -> Fault:
    return Fault(
        f"output folder {str(target)!r}",
        f"cannot be written ({error.strerror or error})",
        "name a folder of your own with --out",
    )
