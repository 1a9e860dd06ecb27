"""``hukou-opt validate``: every check of model, computation and money, with its figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.dynamics.validation.report import ValidationReport
    from hukou_opt.report.publish import Stage

#: Exit status where a check has failed.
FAILED = 8
#: Stem of the files that hold the report.
STEM = "validation"
#: Width of the columns of text in the LaTeX table, parts of the line.
_QUESTION, _UNIT = 0.42, 0.2


def validate(
    experiment: Annotated[
        str, typer.Argument(help="Shipped experiment by name, or a YAML file.")
    ] = "plan_as_written",
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Leave out what takes minutes: the linear program and half steps."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to.", show_default="results/NAME"),
    ] = None,
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Check model, computation, rounds and money; exit status 8 if a check fails.

    Prints one line per check and writes validation.csv, validation.md and validation.tex.
    """
    from hukou_opt.experiment import load_experiment

    settings = load_experiment(experiment)
    folder = Path("results") / settings.name if out is None else out

    from hukou_opt.report.publish import check_writable, staged

    check_writable(folder)

    from hukou_opt.planning.validate import validate as check

    report = check(settings, quick=quick, progress=progress)
    with staged(folder) as written:
        write_report(report, written)
    typer.echo(report.to_text())
    typer.echo(f"Written to {folder}:")
    for path in written.paths:
        typer.echo(f"  {path}")
    if not report.holds:
        raise typer.Exit(FAILED)


def write_report(report: ValidationReport, written: Stage) -> None:
    """Write the report as CSV, Markdown and LaTeX into a folder that is being filled."""
    stem = written.folder / STEM
    csv = report.to_frame().to_csv(index=False, lineterminator="\n")
    stem.with_suffix(".csv").write_text(csv, encoding="utf-8")
    stem.with_suffix(".md").write_text(report.to_markdown(), encoding="utf-8")
    stem.with_suffix(".tex").write_text(latex(report), encoding="utf-8")


def latex(report: ValidationReport) -> str:
    """LaTeX ``longtable`` of the report, one section per group of checks."""
    from hukou_opt.dynamics.validation.report import allowed_text, figure_text
    from hukou_opt.report.latex import latex_escape
    from hukou_opt.report.longtable import Column, latex_figure, longtable

    limits = {"<=": r"$\le$", ">=": r"$\ge$"}

    def allowed(text: str) -> str:
        sign, _, figure = text.partition(" ")
        return f"{limits[sign]} {latex_figure(figure)}"

    groups = dict.fromkeys(finding.group for finding in report.findings)
    sections = [
        (
            latex_escape(group.capitalize()),
            [
                [
                    latex_escape(finding.question),
                    latex_escape(finding.state.replace("_", " ")),
                    latex_figure(figure_text(finding.figure)),
                    allowed(allowed_text(finding)),
                    latex_escape(finding.unit),
                ]
                for finding in report.findings
                if finding.group == group
            ],
        )
        for group in groups
    ]
    return longtable(
        [
            Column("Check", _QUESTION),
            Column("State"),
            Column("Figure"),
            Column("Allowed"),
            Column("Unit", _UNIT),
        ],
        sections,
        caption=f"Validation of {report.experiment}",
        label=f"validation-{report.experiment}",
        notes=[report.summary() + ".", "References: " + "; ".join(_references(report)) + "."],
    )


def _references(report: ValidationReport) -> list[str]:
    return sorted({finding.reference for finding in report.findings})
