"""``hukou-opt check``: figures that an experiment expects against those of its result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hukou_opt.cli.validate import FAILED

if TYPE_CHECKING:
    from hukou_opt.planning.check import Compared

#: Significant digits of figures.
_DIGITS = 6
_HEADS = ("outcome", "year", "where", "expected", "got", "difference", "allowed", "unit", "holds")
#: Columns of words; figures stand to the right.
_WORDS = ("outcome", "where", "unit", "holds")


def check(
    experiment: Annotated[
        str,
        typer.Argument(
            help="Shipped experiment by name, or a YAML file; of a family all variants are checked."
        ),
    ] = "plan_as_written",
    results: Annotated[
        Path,
        typer.Option("--results", help="Folder of saved results; what is not there is run."),
    ] = Path("results"),
    listed: Annotated[
        bool, typer.Option("--list", help="List the outcomes that can be expected.")
    ] = False,
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the solver.")] = 1,
) -> None:
    """Compare the figures that an experiment expects with its result; status 8 if one fails."""
    if listed:
        typer.echo(outcome_list())
        return
    from hukou_opt.experiment import runs_of

    experiments = runs_of(experiment)

    from hukou_opt.planning.check import check as compare

    rows = compare(experiments, results, progress=progress, threads=threads)
    typer.echo(table_text(rows))
    failed = sum(not row.holds for row in rows)
    if failed:
        typer.echo(f"{failed} of {len(rows)} figures are not as expected.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"All {len(rows)} figures are as expected.")


def table_text(rows: Sequence[Compared]) -> str:
    """One line for each expected figure, under the name of its experiment."""
    cells = [
        (
            row.expected.quantity,
            str(row.year),
            row.expected.region or "nation",
            *(
                f"{value:.{_DIGITS}g}"
                for value in (row.expected.value, row.got, row.difference, row.expected.allowed)
            ),
            row.unit,
            "yes" if row.holds else "NO",
        )
        for row in rows
    ]
    lines = _lines([_HEADS, *cells])
    out = [lines[0], "-" * len(lines[0])]
    named = ""
    for row, line in zip(rows, lines[1:], strict=True):
        if row.experiment != named:
            named = row.experiment
            out.append(f"{named}:")
        out.append(line)
    return "\n".join(out)


def outcome_list() -> str:
    """Names of all outcomes with unit and meaning."""
    from hukou_opt.outcome_registry import registry

    rows = [(each.name, each.unit, each.label_en) for each in registry().values()]
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    return "\n".join(
        f"{name:<{widths[0]}}  {unit:<{widths[1]}}  {label}" for name, unit, label in rows
    )


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if head in _WORDS else cell.rjust(width)
            for head, cell, width in zip(_HEADS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
