"""``hukou-opt data``: where the figures come from, and whether a table of your own can be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Region data: sources and checks.", no_args_is_help=True)

#: Longest text of one cell when the sources are printed for a terminal.
_CELL_WIDTH = 60


@app.command()
def sources(
    regions: Annotated[
        str, typer.Argument(help="Shipped region table by name, or a CSV file.")
    ] = "china_provinces",
    csv: Annotated[bool, typer.Option("--csv", help="Print as CSV, uncut.")] = False,
) -> None:
    """List every figure of the base year with unit, year, status and source."""
    from hukou_opt.parameters.registry import load_parameters
    from hukou_opt.regions import derive_base_year, load_regions, sources_table

    loaded = load_regions(regions)
    table = sources_table(loaded, derive_base_year(loaded, load_parameters()))
    if csv:
        typer.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)
    else:
        typer.echo(_text(table))


@app.command()
def overview(
    regions: Annotated[
        str, typer.Argument(help="Shipped region table by name, or a CSV file.")
    ] = "china_provinces",
) -> None:
    """Show derived figures nationally and in the regions farthest from the middle."""
    from hukou_opt.parameters.registry import load_parameters
    from hukou_opt.regions import derive_base_year, derived_overview, load_regions

    loaded = load_regions(regions)
    table = derived_overview(loaded, derive_base_year(loaded, load_parameters()))
    for figure, unit, national, extreme in table.itertuples(index=False):
        typer.echo(f"{figure} ({unit}): {float(national):,.4g}")
        typer.echo(f"    {extreme}")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV file with one row per region.")],
) -> None:
    """Check a region table of your own and list all its faults at once."""
    from hukou_opt.errors import DataError
    from hukou_opt.regions import check_table

    faults = check_table(file)
    if faults:
        raise DataError(faults)
    typer.echo(f"{file}: no faults found")


def _text(table: pd.DataFrame) -> str:
    """Columns of text, long cells cut."""
    from hukou_opt.cli.columns import columns, cut

    rows = [[cut(str(cell), _CELL_WIDTH) for cell in row] for row in table.itertuples(index=False)]
    return columns([list(map(str, table.columns)), *rows], 0)
