"""Load a region table, shipped or a user's own, and refuse it with all its faults at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hukou_opt.bundled import data_folder
from hukou_opt.errors import DataError, Fault
from hukou_opt.regions.own import BASE_YEAR, SHIPPED, read_own
from hukou_opt.regions.region_table import Regions, digest
from hukou_opt.regions.shipped import read_folder

__all__ = ["BASE_YEAR", "SHIPPED", "Regions", "check_table", "load_regions"]


def _known(regions: Regions, known_by: int) -> Regions:
    """Leave out what was published after a year."""
    late = [name for name, column in regions.columns.items() if column.known_year > known_by]
    late = [name for name in late if name in regions.table]
    national = {
        key: figure for key, figure in regions.national.items() if figure.known_year <= known_by
    }
    about = regions.birthplace_about
    matrix_late = about is not None and about.known_year > known_by
    return replace(
        regions,
        table=regions.table.drop(columns=late),
        national=national,
        birthplace=None if matrix_late else regions.birthplace,
        withheld=(
            *late,
            *(
                f"national {name} {year}"
                for name, year in regions.national
                if (name, year) not in national
            ),
            *(("birthplace",) if matrix_late else ()),
        ),
        identity=digest([regions.identity, f"known by {known_by}"]),
    )


def load_regions(
    name_or_path: str | Path = SHIPPED, *, base: int = BASE_YEAR, known_by: int | None = None
) -> Regions:
    """Load the official figures of all regions for one base year.

    Parameters
    ----------
    name_or_path : str or Path
        ``china_provinces``, a folder laid out like it, or a user's own table: CSV (UTF-8 or
        GB18030) or XLSX, one line per region. Two figures and a code are enough; what else is
        missing is taken from the region's ``parent``, a shipped province or the nation.
    base : int
        Base year.
    known_by : int, optional
        Leave out everything published after this year, as an honest back-test must; what is left
        out is listed in `Regions.withheld`, and asking for it is an error.

    Raises
    ------
    DataError
        With every fault of the table at once.
    """
    shipped = data_folder(str(name_or_path))
    path = (
        shipped if shipped.is_dir() and (shipped / "schema.json").is_file() else Path(name_or_path)
    )
    if path.is_dir() and (path / "schema.json").is_file():
        regions = read_folder(path, base)
    elif path.is_file():
        regions = read_own(path, base)
    else:
        raise DataError(
            Fault(
                f"regions {str(name_or_path)!r}",
                "is neither a shipped table nor a file",
                f"give {SHIPPED!r} or the path of a CSV or XLSX file",
            )
        )
    return regions if known_by is None else _known(regions, known_by)


def check_table(path: str | Path) -> list[Fault]:
    """List all faults of a user's own region table; an empty list means that it can be used.

    Parameters
    ----------
    path : str or Path
        A CSV or XLSX file with one line per region. A table with more than half of the provinces'
        codes is taken as a table of the provinces: then a missing or unknown code is a fault.
        Otherwise any codes may be used, one region or more.
    """
    try:
        load_regions(path)
    except DataError as error:
        return list(error.faults)
    return []
