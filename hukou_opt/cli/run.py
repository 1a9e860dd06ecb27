"""``hukou-opt run``: from an experiment to its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hukou_opt.cli.validate import FAILED, write_report

#: Names of the saved result and of the settings beside the tables.
RESULT_FILE = "result.nc"
SETTINGS_FILE = "experiment.yaml"


def run(
    experiment: Annotated[
        str, typer.Argument(help="Shipped experiment by name, or a YAML file.")
    ] = "plan_as_written",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to.", show_default="results/NAME"),
    ] = None,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate", help="Validate too, keep the report; status 8 if a check fails."
        ),
    ] = False,
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Run an experiment and write its tables, figures and result."""
    from hukou_opt.experiment import load_experiment

    settings = load_experiment(experiment)
    folder = Path("results") / settings.name if out is None else out

    from hukou_opt.report.publish import check_writable, staged, write_figures, write_tables
    from hukou_opt.result_card import summary

    check_writable(folder)

    from hukou_opt import planning

    result = planning.run(settings, progress=progress)
    report = None
    if validate:
        from hukou_opt.planning.validate import validate as check
        from hukou_opt.planning.validate import with_validation

        report = check(settings, progress=progress)
        result = with_validation(result, report)
    with staged(folder) as written:
        result.save(written.folder / RESULT_FILE)
        text = str(result.attrs["experiment_yaml"])
        (written.folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
        write_tables(result, written.folder)
        write_figures(result, written.folder)
        if report is not None:
            write_report(report, written)
    typer.echo(summary(result))
    typer.echo(f"Written to {folder}:")
    for path in written.paths:
        typer.echo(f"  {path}")
    if result.has_allocation and not result.converged:
        typer.echo(
            "The rounds between model and allocation did not come to rest; every title says so.",
            err=True,
        )
    if report is not None:
        typer.echo(report.to_text())
        if not report.holds:
            raise typer.Exit(FAILED)
