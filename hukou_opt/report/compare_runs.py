"""Find runs, make sure that they can stand side by side, and gather their outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hukou_opt.errors import Fault, ResultError
from hukou_opt.outcomes import last_year, registry, series
from hukou_opt.report.certificate_note import proof_faults
from hukou_opt.report.compare_names import GROUPS
from hukou_opt.report.compare_tables import Comparison, Line
from hukou_opt.report.saved import RESULTS, find_result
from hukou_opt.result import Result

#: Year of the plan's nearest targets, shown beside the last one.
EARLY = 2026
#: Regions that a message names.
NAMED = 5


def compare(
    *runs: str | Path | Result,
    years: Sequence[int] | None = None,
    results: str | Path = RESULTS,
) -> Comparison:
    """Compare two or more runs.

    Parameters
    ----------
    *runs : str, Path or Result
        Results, their files or folders, or names of experiments with a folder in `results`. The
        first one is what the others are compared with.
    years : sequence of int, optional
        Years that are shown; 2026 and the last year that all runs decide by default.
    results : str or Path, optional
        Folder with one folder for each experiment.

    Returns
    -------
    Comparison
        With ``frame``, ``tidy``, ``table()``, ``words()``, ``figure()`` and ``write()``.

    Raises
    ------
    ResultError
        If there are fewer than two runs, one is missing, altered, of another schema version or not
        certified, regions or base years differ, or a year lies outside; all faults at once.
    """
    faults: list[Fault] = []
    found: list[Result] = []
    for run in runs:
        try:
            found.append(find_result(run, results))
        except ResultError as error:
            faults += error.faults
    if len(runs) < 2:
        faults.append(
            Fault("compare", f"needs at least two results ({len(runs)})", "name another one")
        )
    names = unique_names([each.name for each in found])
    for each in found:
        faults += proof_faults(each)
    if found:
        faults += _unlike(names, found)
        shown, wrong = _years(found, years)
        faults += wrong
    if faults:
        raise ResultError(faults)
    return Comparison(tuple(found), tuple(names), shown, tuple(_lines(found, shown)))


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, later ones of the same run numbered."""
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _unlike(names: Sequence[str], found: Sequence[Result]) -> list[Fault]:
    """Runs that cannot stand beside the first one."""
    faults = []
    first = found[0]
    codes = [str(code) for code in first["regions"]["region"].values]
    start = int(first["trajectory"]["year"].values[0])
    for name, each in zip(names[1:], found[1:], strict=True):
        where = f"result {name!r}"
        others = [str(code) for code in each["regions"]["region"].values]
        if set(others) != set(codes):
            odd = sorted(set(others) ^ set(codes))
            faults.append(
                Fault(
                    where,
                    f"has other regions than {names[0]!r} ({', '.join(odd[:NAMED])}"
                    + (f" and {len(odd) - NAMED} more)" if len(odd) > NAMED else ")"),
                    "compare runs of the same regions",
                )
            )
        begins = int(each["trajectory"]["year"].values[0])
        if begins != start:
            faults.append(
                Fault(
                    where,
                    f"has another base year than {names[0]!r} ({begins}, not {start})",
                    "compare runs of the same base year",
                )
            )
    return faults


def _years(
    found: Sequence[Result], years: Sequence[int] | None
) -> tuple[tuple[int, ...], list[Fault]]:
    """Years to show, and those that not all runs have."""
    first = max(int(each["trajectory"]["year"].values[0]) for each in found)
    last = min(last_year(each) for each in found)
    if years is None:
        return tuple(sorted({EARLY, last})) if first <= EARLY <= last else (last,), []
    wrong = [
        Fault(f"year {year}", "lies outside the years of the runs", f"{first} to {last}")
        for year in years
        if not first <= year <= last
    ]
    if not years:
        wrong = [Fault("years", "none is named", f"name years from {first} to {last}")]
    return tuple(sorted(set(years))), wrong


def _lines(found: Sequence[Result], years: Sequence[int]) -> list[Line]:
    """Every outcome and year that at least one run holds, in the registry's order by group."""
    lines = []
    outcomes = sorted(registry().values(), key=lambda each: list(GROUPS).index(each.group))
    for outcome in outcomes:
        whole = outcome.span == "whole"
        columns = [held(each, outcome.name) for each in found]
        for year in (None,) if whole else years:
            at = [last_year(each) if year is None else year for each in found]
            values = np.array(
                [
                    np.nan if column is None else column.get(when, np.nan)
                    for column, when in zip(columns, at, strict=True)
                ],
                dtype=float,
            )
            if np.isfinite(values).any():
                lines.append(Line(outcome, year, values))
    return lines


def held(result: Result, name: str) -> pd.Series | None:
    """An outcome year by year; None where the run does not hold it."""
    try:
        return series(result, name)
    except ResultError:
        return None
