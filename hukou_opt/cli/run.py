"""``hukou-opt run``: from an experiment to its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from hukou_opt.cli.validate import FAILED, write_report

#: Names of the saved result and of the settings beside the tables.
RESULT_FILE = "result.nc"
SETTINGS_FILE = "experiment.yaml"
#: What a repaired experiment's name, and so its folder, ends in.
REPAIRED = "_repaired"
#: Option that may stand without a value, and the value that it then has.
REPAIR, SMALLEST = "--repair", "smallest"


class RunCommand(TyperCommand):
    """The command, whose ``--repair`` may stand alone: whichever lever needs the least."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a lone ``--repair`` its value before the options are read."""
        return list(super().parse_args(ctx, with_value(args)))


def with_value(args: list[str]) -> list[str]:
    """The arguments with a value after every ``--repair``.

    What follows it is its value if the experiment has been named before, or if it names levers;
    else it is the experiment.
    """
    if REPAIR not in args:
        return args
    from hukou_opt.allocation.infeasible.levers import LEVERS

    out: list[str] = []
    for at, word in enumerate(args):
        out.append(word)
        if word != REPAIR:
            continue
        after = args[at + 1] if at + 1 < len(args) else "-"
        names_levers = all(name in (*LEVERS, SMALLEST) for name in after.split(","))
        named_before = any(not each.startswith("-") for each in _arguments(args[:at]))
        if after.startswith("-") or not (names_levers or named_before):
            out.append(SMALLEST)
    return out


def _arguments(words: list[str]) -> list[str]:
    """Words that are no values of options before them."""
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if before not in ("--out", "--threads", "--time-limit")
    ]


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
    threads: Annotated[
        int,
        typer.Option("--threads", min=1, help="Threads of the solver; the answer is the same."),
    ] = 1,
    repair: Annotated[
        str | None,
        typer.Option(
            "--repair",
            metavar="[LEVER,...]",
            help="Where demanded rules cannot all hold, run the plan with the least change that "
            "lets them: of these levers, or of whichever needs the least.",
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", min=0.1, help="Seconds that one solve may take (else 600)."),
    ] = None,
) -> None:
    """Run an experiment and write its tables, figures and result."""
    from hukou_opt.experiment import load_experiment

    settings = load_experiment(experiment)
    if repair is not None and validate:
        raise typer.BadParameter(
            f"validates the experiment, not its repair; use it on the {SETTINGS_FILE} that a "
            "repaired run writes",
            param_hint="--validate",
        )
    name = settings.name if repair is None else f"{settings.name}{REPAIRED}"
    folder = Path("results") / name if out is None else out

    from hukou_opt.report.publish import check_writable, staged, write_figures, write_tables
    from hukou_opt.result_card import summary

    check_writable(folder)

    from hukou_opt import planning

    limit: dict[str, Any] = {} if time_limit is None else {"time_limit": time_limit}
    if repair is None:
        result = planning.run(settings, progress=progress, threads=threads, **limit)
    else:
        result = planning.repair(settings, repair, progress=progress, threads=threads, **limit)
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
    if repair is not None and result.name == settings.name:
        typer.echo("All demanded rules can hold: nothing was repaired.", err=True)
    if report is not None:
        typer.echo(report.to_text())
        if not report.holds:
            raise typer.Exit(FAILED)
