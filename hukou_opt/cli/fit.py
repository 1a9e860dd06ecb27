"""``hukou-opt calibrate`` and ``hukou-opt backtest``: fit to past years, score on known ones."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hukou_opt.fit.backtest import BackTest
    from hukou_opt.regions.history import History
    from hukou_opt.report.backtest_tables import Scores
    from hukou_opt.report.publish import Stage

#: Stem of the pages that hold the tables.
STEM = "backtest"
#: Significant digits in CSV files.
CSV_FORMAT = "%.10g"


class Series(StrEnum):
    """Series of today, or as first published."""

    REVISED = "revised"
    FIRST = "first"


class Access(StrEnum):
    """Access to schools and hospitals over the window."""

    HELD = "held"
    SIMULATED = "simulated"


def calibrate(
    first: Annotated[int, typer.Option("--from", help="First year of the window.")] = 2015,
    last: Annotated[int, typer.Option("--to", help="Last year of the window.")] = 2023,
    known_by: Annotated[
        int | None,
        typer.Option(
            "--known-by",
            help="Use nothing that became known after this year.",
            metavar="YEAR",
            show_default="the year after the window",
        ),
    ] = None,
    series: Annotated[
        Series, typer.Option("--series", help="As revised since, or as first published.")
    ] = Series.REVISED,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history",
            help="CSV file with annual series of the provinces, your own.",
            show_default="the shipped series",
        ),
    ] = None,
    access: Annotated[
        Access,
        typer.Option(
            "--access",
            help="Hold access to schools and hospitals at the first year's level, or simulate it "
            "although the model builds nothing in the past.",
        ),
    ] = Access.HELD,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write.", show_default="calibration_FROM_TO.yaml"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Calibrate the model to a window of past years and write a small file.

    Prints how many free parameters stand against how many observations, the national estimates
    with intervals, and what the data do not identify.
    """
    from hukou_opt.errors import Fault, OutputError
    from hukou_opt.report.publish import check_writable

    target = Path(f"calibration_{first}_{last}.yaml") if out is None else out
    if target.is_dir():
        raise OutputError(Fault(str(target), "is a folder", "name a file with --out"))
    if target.exists() and not force:
        raise OutputError(
            Fault(str(target), "is there already", "name another file with --out, or add --force")
        )
    check_writable(target.parent)

    from hukou_opt.fit.calibrate import calibrate as fit
    from hukou_opt.fit.calibration_file import write_calibration
    from hukou_opt.fit.protocol import load_protocol
    from hukou_opt.parameters.registry import load_parameters
    from hukou_opt.regions.history import SHIPPED, load_history

    limit = last + 1 if known_by is None else known_by
    loaded = load_history(SHIPPED if history is None else history, known_by=limit)
    check_window(loaded, first, last)
    made = fit(
        loaded,
        load_parameters(),
        vintage=series.value,
        first=first,
        last=last,
        level=load_protocol().level,
        access_held=access is Access.HELD,
        with_ridge=True,
        progress=progress,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_calibration(made, target)

    from hukou_opt.cli.fit_text import calibration_lines

    for line in calibration_lines(made):
        typer.echo(line)
    typer.echo(f"Written to {target}")


def check_window(history: History, first: int, last: int) -> None:
    """Refuse a window that cannot be fitted, or regions without census tables.

    Raises
    ------
    DataError
        With every fault at once.
    """
    from hukou_opt.errors import DataError, Fault
    from hukou_opt.fit.trends import FEWEST_YEARS
    from hukou_opt.fit.vintage import CENSUSES
    from hukou_opt.regions import load_regions

    faults = []
    if last - first + 1 < FEWEST_YEARS:
        what = (
            f"ends before it begins ({first} to {last})"
            if last < first
            else f"has too few years to fit ({max(last - first + 1, 0)})"
        )
        faults.append(Fault(f"window {first}-{last}", what, f"give at least {FEWEST_YEARS} years"))
    if first < CENSUSES[-1]:
        faults.append(
            Fault(
                f"window {first}-{last}",
                f"begins before the first census with tables ({CENSUSES[-1]})",
                f"begin in {CENSUSES[-1]} or later",
            )
        )
    known = load_regions().codes
    places = (
        ("lacks the provinces", known, history.codes),
        ("has codes that are no provinces'", history.codes, known),
    )
    for what, given, other in places:
        if odd := [code for code in given if code not in other]:
            faults.append(
                Fault(
                    f"{history.name} history",
                    f"{what} ({', '.join(odd)})",
                    "calibration needs the census tables of the provinces, all of them",
                )
            )
    if not faults and history.codes != known:
        faults.append(
            Fault(
                f"{history.name} history",
                f"has the provinces in another order (first {history.codes[0]})",
                f"sort the lines by code, beginning with {known[0]}",
            )
        )
    if faults:
        raise DataError(faults)


def backtest(
    tests: Annotated[
        list[str] | None,
        typer.Option("--test", help="Test of the protocol; may be repeated.", show_default="all"),
    ] = None,
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--form",
            help="Form of the protocol beside the primary; may be repeated.",
            show_default="all",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path(
        "results/backtest"
    ),
    progress: Annotated[
        bool, typer.Option("--progress/--no-progress", help="Show a progress bar.")
    ] = True,
) -> None:
    """Forecast a past year from what was known before it, and score it against what happened.

    Tests, forms and score were fixed beforehand in a protocol, which is copied beside the tables.
    Prints the model against the best naive forecast and writes tables, maps and calibrations.
    """
    from hukou_opt.report.publish import check_writable, staged

    check_writable(out)

    from hukou_opt.fit.backtest import backtest as score
    from hukou_opt.fit.protocol import load_protocol
    from hukou_opt.parameters.registry import load_parameters

    protocol = load_protocol()
    _check_names("--test", tests or (), list(protocol.tests))
    _check_names("--form", forms or (), list(protocol.forms))
    made = score(
        load_parameters(),
        tests=list(dict.fromkeys(tests or ())) or None,
        forms=forms or None,
        with_assumptions=True,
        progress=progress,
    )
    given = scores_of(made)
    with staged(out) as written:
        write_backtest(made, given, written)

    from hukou_opt.cli.fit_text import assumption_lines, backtest_lines

    for line in (*backtest_lines(given), *assumption_lines(made.assumptions)):
        typer.echo(line)
    typer.echo(f"\nWritten to {out}:")
    for path in written.paths:
        typer.echo(f"  {path}")


def scores_of(made: BackTest) -> Scores:
    """What the tables need of a back-test."""
    from hukou_opt.fit.revision import base_revision
    from hukou_opt.fit.used import known_later, used_parameters
    from hukou_opt.report.backtest_tables import Fixed, Scores

    protocol = made.protocol
    tests = [protocol.tests[name] for name in made.calibrations]
    return Scores(
        scores=made.scores(),
        skills=made.skills(),
        regions=made.by_region(),
        tests={
            test.name: {
                "vintage": test.vintage,
                "first": test.first,
                "last": test.last,
                "known_by": test.known_by,
                "target": test.target,
                "reference": test.reference,
                "hindsight": test.hindsight,
            }
            for test in tests
        },
        forms={
            name: {"text": form.text, "added_later": form.added_later}
            for name, form in protocol.forms.items()
        },
        revision={test.name: errors for test in tests if (errors := base_revision(test))},
        known_later={
            test.name: len(
                known_later(used_parameters(made.calibrations[test.name]), test.known_by)
            )
            for test in tests
        },
        fixed=Fixed(
            version=protocol.version,
            fixed_on=protocol.fixed_on,
            identity=protocol.identity,
            knowledge=protocol.knowledge,
            primary=protocol.primary,
            level=protocol.level,
            draws=protocol.draws,
            seed=protocol.seed,
        ),
    )


def write_backtest(made: BackTest, given: Scores, written: Stage) -> None:
    """Write tables, maps, protocol and calibrations into a folder that is being filled."""
    from hukou_opt.fit.calibration_file import write_calibration
    from hukou_opt.fit.protocol import FILE
    from hukou_opt.regions import load_regions
    from hukou_opt.report.backtest_figures import errors_map
    from hukou_opt.report.backtest_tables import (
        REFERENCES,
        SERIES,
        to_html,
        to_latex,
        to_markdown,
    )
    from hukou_opt.report.publish import FIGURE_DPI

    folder = written.folder
    for name, frame in (
        ("scores", given.scores),
        ("skill", given.skills),
        ("regions", given.regions),
        ("assumptions", made.assumptions),
    ):
        frame.to_csv(
            folder / f"{name}.csv", index=False, float_format=CSV_FORMAT, lineterminator="\n"
        )
    for ending, text in (
        ("md", to_markdown(given)),
        ("tex", to_latex(given)),
        ("html", to_html(given)),
    ):
        (folder / f"{STEM}.{ending}").write_text(text, encoding="utf-8", newline="\n")
    (folder / FILE.name).write_bytes(FILE.read_bytes())
    labels = load_regions().labels
    for test, calibration in made.calibrations.items():
        write_calibration(calibration, folder / f"calibration_{test}.yaml")
        row = given.tests[test]
        errors = given.regions[
            (given.regions["test"] == test) & (given.regions["forecast"] == given.fixed.primary)
        ]
        errors_map(
            errors,
            labels,
            title=f"Back-test {test}: forecast of {row['target']} from {row['first']}-"
            f"{row['last']} {SERIES[row['vintage']]}, known by {row['known_by']}",
            reference="the " + REFERENCES[row["reference"]].format(year=row["target"]),
        ).savefig(folder / f"errors_map_{test}.png", dpi=FIGURE_DPI, metadata={"Software": None})


def _check_names(option: str, given: Sequence[str], known: list[str]) -> None:
    """Refuse names that the protocol does not have."""
    from hukou_opt.errors import did_you_mean

    odd = [f"{name!r} ({did_you_mean(name, known)})" for name in given if name not in known]
    if odd:
        raise typer.BadParameter(f"not in the protocol: {'; '.join(odd)}", param_hint=option)
