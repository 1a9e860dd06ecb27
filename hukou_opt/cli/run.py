"""``hukou-opt run``: from an experiment, or from many, to their tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from hukou_opt.cli.validate import FAILED, write_report

if TYPE_CHECKING:
    from hukou_opt.experiment import Experiment

#: What is run where nothing is named.
DEFAULT = "plan_as_written"
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
        if before not in ("--out", "--threads", "--time-limit", "--jobs", "--only")
    ]


def run(
    experiment: Annotated[
        str | None,
        typer.Argument(
            help="Shipped experiment by name, or a YAML file; FAMILY.VARIANT for one of a family, "
            "whose name alone runs them all.",
            show_default=DEFAULT,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder to write to; of several experiments each has a folder in it.",
            show_default="results/NAME",
        ),
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
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Run every shipped experiment; what --out already has from the same settings, "
            "model, data and version is kept. Status 1 if one goes wrong.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            help="Of several experiments, how many at a time.",
            show_default="cores",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only", metavar="PATTERN,...", help="Of several, those that fit, such as land_*."
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Of several, run those anew that would be kept.")
    ] = False,
) -> None:
    """Run an experiment, a family or all, and write tables, figures and results."""
    if every and experiment is not None:
        raise typer.BadParameter("runs every experiment: name none, or use --only")
    from hukou_opt.experiment import load_experiment, variants_of

    name = DEFAULT if experiment is None else experiment
    if every or variants_of(name) is not None:
        _refuse(
            {"--validate": validate, "--repair": repair is not None, "--threads": threads > 1},
            "works on one experiment at a time",
        )
        from hukou_opt.cli.run_many import experiments_of, run_many

        run_many(
            experiments_of(name, every, only),
            Path("results") if out is None else out,
            jobs=jobs,
            fresh=fresh,
            progress=progress,
            time_limit=time_limit,
        )
        return
    _refuse(
        {"--jobs": jobs is not None, "--only": only is not None, "--fresh": fresh},
        "is for --all and for families",
    )
    limit: dict[str, Any] = {} if time_limit is None else {"time_limit": time_limit}
    settings = load_experiment(name)
    run_single(settings, out, validate, repair, progress=progress, threads=threads, **limit)


def _refuse(given: Mapping[str, bool], why: str) -> None:
    for option, is_given in given.items():
        if is_given:
            raise typer.BadParameter(why, param_hint=option)


def run_single(
    settings: Experiment,
    out: Path | None,
    validate: bool,
    repair: str | None,
    *,
    progress: bool,
    **options: Any,
) -> None:
    """Run one experiment, write everything and say where.

    Raises
    ------
    Exit
        With status 8 if a validation was asked for and a check failed.
    """
    from hukou_opt.report.run_folder import SETTINGS_FILE, write_run

    if repair is not None and validate:
        raise typer.BadParameter(
            f"validates the experiment, not its repair; use it on the {SETTINGS_FILE} that a "
            "repaired run writes",
            param_hint="--validate",
        )
    name = settings.name if repair is None else f"{settings.name}{REPAIRED}"
    folder = Path("results") / name if out is None else out

    from hukou_opt.report.publish import check_writable
    from hukou_opt.result_card import summary

    check_writable(folder)

    from hukou_opt import planning

    if repair is None:
        result = planning.run(settings, progress=progress, **options)
    else:
        result = planning.repair(settings, repair, progress=progress, **options)
    report = None
    if validate:
        from hukou_opt.planning.validate import validate as check
        from hukou_opt.planning.validate import with_validation

        report = check(settings, progress=progress)
        result = with_validation(result, report)
    paths = write_run(result, folder, None if report is None else partial(write_report, report))
    typer.echo(summary(result))
    typer.echo(f"Written to {folder}:")
    for path in paths:
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
