"""Named outcomes of a saved result: what experiments are compared and checked by.

National figures are made from the regions' amounts: a rate is the sum of what is counted over the
sum of those concerned, never a mean of the regions' rates. `outcomes.csv` states name, unit, labels
and span of each outcome; whoever prints or checks one takes it from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from hukou_opt.errors import Fault, ResultError, did_you_mean
from hukou_opt.outcome_figures import FIGURES, NotHeldError, Seen, last_year
from hukou_opt.outcome_registry import Outcome, registry

if TYPE_CHECKING:
    from hukou_opt.result import Result

__all__ = ["Outcome", "last_year", "outcome", "outcomes", "registry", "series"]


def outcome(result: Result, name: str, year: int | None = None, region: str | None = None) -> float:
    """One outcome of a result.

    Parameters
    ----------
    result : Result
        A run, with or without allocation.
    name : str
        Name in `registry`.
    year : int, optional
        Year; the last decision year if not given.
    region : str, optional
        Code or name of a region; the nation if not given.

    Returns
    -------
    float
        In the outcome's unit.

    Raises
    ------
    ResultError
        If the name, year or region is unknown, or the result does not hold the figure.
    """
    values = series(result, name, region)
    wanted = last_year(result) if year is None else year
    if wanted not in values.index:
        known = f"{values.index[0]} to {values.index[-1]}"
        if len(values) < int(values.index[-1]) - int(values.index[0]) + 1:
            known = ", ".join(map(str, values.index))
        raise ResultError(
            Fault(f"outcome {name}", f"is not known for that year ({wanted})", f"known: {known}")
        )
    return float(values[wanted])


def outcomes(result: Result, year: int | None = None) -> dict[str, float]:
    """All national outcomes that a result holds for a year, in the registry's order.

    Parameters
    ----------
    result : Result
        A run, with or without allocation.
    year : int, optional
        Year; the last decision year if not given.
    """
    wanted = last_year(result) if year is None else year
    found = {}
    for name in registry():
        try:
            found[name] = outcome(result, name, wanted)
        except ResultError:
            # What a run without allocation, or a model of the user's own, does not have.
            continue
    return found


def series(result: Result, name: str, region: str | None = None) -> pd.Series:
    """An outcome year by year.

    Parameters
    ----------
    result : Result
        A run, with or without allocation.
    name : str
        Name in `registry`.
    region : str, optional
        Code or name of a region; the nation if not given.

    Returns
    -------
    Series
        By year, without years for which there is no figure.

    Raises
    ------
    ResultError
        If the name or region is unknown, or the result does not hold the figure in any year.
    """
    if name not in registry():
        raise ResultError(
            Fault(f"outcome {name!r}", "is unknown", did_you_mean(name, list(registry())))
        )
    seen = Seen(result, None if region is None else _code(result, region))
    try:
        values = FIGURES[name](seen).dropna()
    except NotHeldError as error:
        raise ResultError(
            Fault(f"outcome {name} of {result.name!r}", f"is not known: {error}", error.fix)
        ) from None
    if values.empty:
        raise ResultError(
            Fault(
                f"outcome {name} of {result.name!r}",
                "is not defined in any year: nobody is concerned",
                "leave it out",
            )
        )
    values.index = values.index.astype(int)
    return values.rename(name)


def _code(result: Result, region: str) -> str:
    table = result["regions"]
    for key in ("region", "name_en", "name_zh"):
        names = [str(each) for each in table[key].values]
        if region in names:
            return str(table["region"].values[names.index(region)])
    known = [*map(str, table["region"].values), *map(str, table["name_en"].values)]
    raise ResultError(Fault(f"region {region!r}", "is unknown", did_you_mean(region, known)))
