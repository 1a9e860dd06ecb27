"""``hukou-opt init``: a workbook, a CSV file and an experiment to start from with own regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

WORKBOOK, TABLE, EXPERIMENT = "regions.xlsx", "regions.csv", "experiment.yaml"
#: Significant figures of the example's money.
_DIGITS = 3
_TEXT = """\
# Your own regions: fill in regions.xlsx (or regions.csv and name it below), then
#   hukou-opt data check regions.xlsx
#   hukou-opt run experiment.yaml
extends: plan_as_written
title:
  en: {title}
description: >-
  {description}

# One line per region. What the table lacks is taken from the province named in its column `parent`,
# or from the nation; every fallback is listed by `data check` and under every table.
regions: regions.xlsx

# The amounts of the registry are the whole country's. State your own here; without them an
# allocation is refused. The sheet `budget` of the workbook shows your part by head.
parameters:
{amounts}
# Where little money is missing many splits are equally good, and the rounds take longer to rest.
coupling:
  max_rounds: 24

# To run the stock-flow model alone, without money:
# allocation:
#   enabled: false
"""


def _amount_lines(amounts: Sequence[tuple[str, float, str, str]], part: float | None) -> str:
    lines = []
    for name, value, unit, _ in amounts:
        head = "  " if part is not None else "  # "
        stated = f"{float(f'{part * value:.{_DIGITS}g}'):g}" if part is not None else ""
        lines.append(f"{head}{name}: {stated}  # {unit}; whole country: {value:g}")
    text = "\n".join(lines) + "\n"
    # Without an example no amount is stated, and the group is a mapping without entries.
    return text if part is not None else f"  {{}}\n{text}"


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made if missing.")],
    example: Annotated[
        bool, typer.Option("--example", help="Fill in a few real provinces; runs at once.")
    ] = False,
) -> None:
    """Write a commented workbook, a CSV file and an experiment for regions of your own."""
    from hukou_opt.errors import Fault, OutputError
    from hukou_opt.parameters import load_parameters
    from hukou_opt.planning.own_regions import national_amounts
    from hukou_opt.regions import load_regions
    from hukou_opt.regions.template import (
        csv_text,
        example_rows,
        template_columns,
        write_workbook,
    )
    from hukou_opt.report.publish import staged

    if present := [name for name in (WORKBOOK, TABLE, EXPERIMENT) if (folder / name).exists()]:
        raise OutputError(
            [
                Fault(str(folder / name), "is there already", "name another folder, or move it")
                for name in present
            ]
        )
    parameters = load_parameters()
    amounts = [
        (name, parameters[name], parameters.rows[name].unit, parameters.rows[name].meaning)
        for name in national_amounts(parameters)
    ]
    shipped = load_regions()
    rows = example_rows(shipped) if example else []
    people = float(shipped.figure("resident_pop").sum())
    part = sum(float(row["resident_pop"]) for row in rows) / people if example else None
    text = _TEXT.format(
        title="Four provinces of my own" if example else "My regions",
        description=(
            "Four real provinces with a few figures of their own; the rest by fallback."
            if example
            else "What the experiment asks, in a sentence or two."
        ),
        amounts=_amount_lines(amounts, part),
    )
    with staged(folder) as stage:
        write_workbook(stage.folder / WORKBOOK, rows, amounts)
        (stage.folder / TABLE).write_bytes(csv_text(template_columns(), rows))
        (stage.folder / EXPERIMENT).write_text(text, encoding="utf-8")
    typer.echo(f"Written to {folder}:")
    for path in stage.paths:
        typer.echo(f"  {path}")
    typer.echo(f"Next: fill in {folder / WORKBOOK}, then hukou-opt data check {folder / WORKBOOK}")
