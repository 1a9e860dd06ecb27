"""``hukou-opt model``: the stock-flow model of a run, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The stock-flow model: export for Vensim.", no_args_is_help=True)

#: Name of a result inside the folder that a run writes.
RESULT_FILE = "result.nc"


@app.callback()
def _group() -> None:
    """Keep ``export`` a command of the group also while it is the only one."""


@app.command()
def export(
    result: Annotated[Path, typer.Argument(help="Saved result, or the folder of a run.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Model file to write.", show_default="EXPERIMENT.mdl beside the result"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            "--regions",
            help="The run's region table, where it no longer lies where the experiment says.",
            show_default=False,
        ),
    ] = None,
    second_reader: Annotated[
        bool,
        typer.Option(
            "--second-reader", help="Let another simulator run the file too (pip install pysimlin)."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write one Vensim file with data and decisions of a run inside, checked against the run."""
    from hukou_opt.result import open_result

    source = result / RESULT_FILE if result.is_dir() else result
    opened = open_result(source)
    target = source.with_name(f"{opened.name}.mdl") if out is None else out

    from hukou_opt.planning.export import export_model

    done = export_model(
        opened, target, regions=regions, overwrite=force, second_reader=second_reader
    )
    typer.echo(f"Written to {done.path} ({done.size:,} bytes)")
    typer.echo(f"Largest difference to the saved run, read by PySD: {done.difference}")
    if done.second_reader is not None:
        typer.echo(f"The same, read by the second reader: {done.second_reader}")
