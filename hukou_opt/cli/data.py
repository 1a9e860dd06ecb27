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
    known_by: Annotated[
        int | None,
        typer.Option(
            "--known-by",
            help="Mark what a study of this year could have had.",
            metavar="YEAR",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List every figure of the base year and every annual series with unit, year and source."""
    from hukou_opt.parameters.registry import load_parameters
    from hukou_opt.regions import derive_base_year, load_regions, sources_table

    loaded = load_regions(regions)
    table = _with_series(sources_table(loaded, derive_base_year(loaded, load_parameters())))
    if known_by is not None:
        place = list(table.columns).index("known_year")
        marks = [_in_time(str(years), known_by) for years in table["known_year"]]
        table.insert(place + 1, f"known_by_{known_by}", marks)
    if csv:
        typer.echo(table.to_csv(index=False, lineterminator="\n"), nl=False)
        return
    typer.echo(_text(table))
    if known_by is not None:
        partly = sum(mark.startswith("those") for mark in marks)
        typer.echo(
            f"\n{marks.count('yes')} of {len(marks)} were known by {known_by}, {partly} in part."
        )


def _with_series(table: pd.DataFrame) -> pd.DataFrame:
    """Add the shipped annual series, which a back-test reads."""
    import pandas as pd

    from hukou_opt.bundled import data_folder
    from hukou_opt.regions.history_columns import read_series_columns, series_sources

    series = pd.DataFrame(series_sources(read_series_columns(data_folder())))
    return pd.concat([table, series.reindex(columns=table.columns, fill_value="")])


def _in_time(known: str, year: int) -> str:
    """Say whether a figure was known by a year; of a span of years, up to which known year."""
    if not known:
        return "no year given"
    first, _, last = known.partition("-")
    if int(last or first) <= year:
        return "yes"
    return "no" if int(first) > year else f"those known {first}-{year}"


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
    file: Annotated[Path, typer.Argument(help="CSV or XLSX file with one row per region.")],
) -> None:
    """Check a region table of your own: all its faults, or what stands in for what it lacks."""
    from hukou_opt.parameters.registry import load_parameters
    from hukou_opt.regions import derive_base_year, load_regions

    loaded = load_regions(file)
    base = derive_base_year(loaded, load_parameters(), with_ranges=False)
    typer.echo(f"{file}: no faults found, {len(loaded.codes)} region(s)")
    for note in (*loaded.notes, *base.notes):
        if not note.startswith("Fallback for "):
            typer.echo(note)
    if loaded.fallbacks:
        typer.echo("Missing columns, and what stands in for them:")
    for line in loaded.fallbacks:
        typer.echo(f"  {line}")


def _text(table: pd.DataFrame) -> str:
    """Columns of text, long cells cut."""
    from hukou_opt.cli.columns import columns, cut

    rows = [[cut(str(cell), _CELL_WIDTH) for cell in row] for row in table.itertuples(index=False)]
    return columns([list(map(str, table.columns)), *rows], 0)
