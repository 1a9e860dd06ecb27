"""The root of the command line: version, groups of commands, errors in words."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hukou_opt import __version__
from hukou_opt.cli import (
    certify,
    check,
    compare,
    data,
    diagram,
    explain,
    facts,
    fit,
    goal_seek,
    init,
    model,
    parameters,
    rules,
    run,
    scorecard,
    validate,
)
from hukou_opt.errors import HukouOptError


class _Group(TyperGroup):
    """Print the toolkit's own errors in words, and end with their exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HukouOptError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.exit_code) from error


app = typer.Typer(
    name="hukou-opt",
    cls=_Group,
    help="China's household-registration reform: run an experiment, get proved allocation tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run", cls=run.RunCommand)(run.run)
app.command("init")(init.init)
app.command("validate")(validate.validate)
app.command("certify")(certify.certify)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("goal-seek")(goal_seek.goal_seek)
app.command("compare")(compare.compare)
app.command("scorecard")(scorecard.scorecard)
app.command("calibrate")(fit.calibrate)
app.command("backtest")(fit.backtest)
app.command("diagram")(diagram.diagram)
app.command("parameters", epilog=parameters.EXAMPLES)(parameters.parameters)
app.command("rules")(rules.rules)
app.command("facts")(facts.facts)
app.command("objectives")(rules.objectives)
app.add_typer(data.app, name="data")
app.add_typer(model.app, name="model")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hukou-opt {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Start the command line."""
    app()
