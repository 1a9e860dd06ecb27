"""``hukou-opt diagram``: the stock-flow model as pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """Kinds of picture files."""

    SVG = "svg"
    PNG = "png"
    BOTH = "both"


def diagram(
    model: Annotated[
        Path | None, typer.Argument(help="Vensim model file.", show_default="the shipped model")
    ] = None,
    sector: Annotated[
        list[str] | None,
        typer.Option("--sector", help="Draw this sector only; may be given more than once."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("diagram"),
    kind: Annotated[Format, typer.Option("--format", help="Kind of picture files.")] = Format.BOTH,
    constants: Annotated[
        bool, typer.Option("--constants", help="Show numbers that do not change in time too.")
    ] = False,
) -> None:
    """Draw stocks, flows and what drives them: an overview, and one picture for each sector."""
    from hukou_opt import bundled
    from hukou_opt.dynamics.structure import read_structure
    from hukou_opt.report.publish import check_writable

    # Nothing of the file is run, so a model that the user names needs no further trust.
    structure = read_structure(bundled.model() if model is None else model, trust=True)
    names = [structure.sector(name).name for name in sector] if sector else None
    check_writable(out)

    from hukou_opt.report.diagram import write_diagrams

    formats = ("svg", "png") if kind is Format.BOTH else (kind.value,)
    for path in write_diagrams(structure, out, sectors=names, formats=formats, constants=constants):
        typer.echo(str(path))
