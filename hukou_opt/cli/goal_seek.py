"""``hukou-opt goal-seek``: the least value of a lever with which a target is met."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.planning.goal_seek import GoalSeek

#: Exit status where the goal cannot be met between the ends.
CANNOT = 12
WORDS_FILE = "goal_seek.txt"


def goal_seek(
    experiment: Annotated[
        str, typer.Argument(help="Shipped experiment by name, or a YAML file; FAMILY.VARIANT.")
    ],
    target: Annotated[
        str,
        typer.Option(
            "--target",
            help="Target of the plan by its id in the scorecard, such as hukou_rate_2033, or an "
            "outcome with a value: 'hukou_rate@2033>=65%'.",
        ),
    ],
    lever: Annotated[
        str, typer.Option("--lever", help="Any parameter of the registry.")
    ] = "central_fund_total",
    between: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--between", metavar="LOW HIGH", help="Ends of the search.", show_default="its range"
        ),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", help="Ends at this share of the distance between the ends."),
    ] = 0.005,
    rounds: Annotated[int, typer.Option("--rounds", help="Most runs between the ends.")] = 12,
    others: Annotated[
        str,
        typer.Option(
            "--others",
            metavar="LEVER,...",
            help="Where the target cannot be met, also try these levers at the ends of their "
            "ranges, one run each; 'policy' stands for the plan's own.",
            show_default="none",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder that keeps every finished run; the same call goes on there.",
            show_default="none is kept",
        ),
    ] = None,
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the solver.")] = 1,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", min=0.1, help="Seconds that one solve may take (else 600)."),
    ] = None,
) -> None:
    """Find the least value of a lever with which a target is met, by bisection on coupled runs.

    Ends with status 12 where it cannot be met between the ends, and says why.
    """
    from hukou_opt.cli import options
    from hukou_opt.planning.goal_seek import goal_seek as seek

    limit = {} if time_limit is None else {"time_limit": time_limit}
    found = seek(
        experiment,
        target,
        lever=lever,
        between=between,
        tolerance=tolerance,
        rounds=rounds,
        others=[word.strip() for word in others.split(",") if word.strip()],
        out=out,
        progress=progress,
        threads=threads,
        **limit,
    )
    text = found.words(options.line_width(None))
    typer.echo(text, nl=False)
    if out is not None:
        options.write_out(text, out / WORDS_FILE)
    if found.flat or found.state == "met_everywhere":
        _refuse(found)
    if found.state == "cannot":
        raise typer.Exit(CANNOT)


def _refuse(found: GoalSeek) -> None:
    """Two ends that bracket nothing are a fault of the call."""
    from hukou_opt.errors import ExperimentError, Fault

    low, high = found.low, found.high
    if found.flat:
        why = f"the outcome is the same from {low:g} to {high:g}"
        fix = "choose a lever that acts in this experiment"
    else:
        why = f"the target is met already at {low:g}, and at {high:g}"
        fix = "move an end to where it is missed"
    raise ExperimentError(Fault(f"--between {low:g} {high:g}", f"brackets nothing: {why}", fix))
