"""What an engine may be asked: years, steps, constants, variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hukou_opt.dynamics.accept import Variable
from hukou_opt.dynamics.inputs import DEFINITIONS
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.errors import Fault, ModelError, did_you_mean

#: Steps that are binary fractions of a year add up exactly; others drift and lose saved rows.
TIME_STEPS = tuple(2.0**-power for power in range(7))
#: Constants of the model that the toolkit writes itself when it renders the ranges.
RENDERED = frozenset({"year_end", "stock_year", "region_number"})
#: Quantities that are one by definition.
FIXED = frozenset(DEFINITIONS)
CONTROL = frozenset({"INITIAL TIME", "FINAL TIME", "TIME STEP", "SAVEPER"})


def check_time(years: Sequence[int], time_step: float) -> None:
    """Refuse years with gaps, and steps that drift.

    Raises
    ------
    ModelError
        If the years are not consecutive or the step is no binary fraction of a year.
    """
    faults = []
    if not years or tuple(years) != tuple(range(years[0], years[-1] + 1)):
        faults.append(Fault("years", f"are not consecutive ({tuple(years)!r})", "leave no gap"))
    if time_step not in TIME_STEPS:
        faults.append(
            Fault(
                "time_step",
                f"is no binary fraction of a year ({time_step!r})",
                f"give one of {', '.join(f'{step:g}' for step in TIME_STEPS)}",
            )
        )
    if faults:
        raise ModelError(faults)


def check_end(now: int, end: int, years: Sequence[int]) -> None:
    """Refuse to go back, or beyond the last year: PySD would do so without a word.

    Raises
    ------
    ModelError
        If the year to be reached is not after this one, or after the end of the run.
    """
    if not now < end <= years[-1]:
        raise ModelError(
            Fault("advance", f"from {now} to {end} is not possible", f"the run ends in {years[-1]}")
        )


def wanted(
    model: str, variables: Mapping[str, Variable], columns: Sequence[str] | None
) -> list[str]:
    """Names of the variables to return; all that the toolkit reads by default.

    Raises
    ------
    ModelError
        With every name that is not in the model.
    """
    names = list(dict.fromkeys(columns if columns is not None else OUTPUTS))
    unknown = [name for name in names if name not in variables]
    if unknown:
        raise ModelError(
            [
                Fault(
                    f"{model}: {name}",
                    "is not in the model",
                    did_you_mean(name, list(variables)),
                )
                for name in unknown
            ]
        )
    return names


def settable(variables: Mapping[str, Variable]) -> tuple[str, ...]:
    """Names of the constants that may be set, decisions included."""
    return tuple(
        name
        for name, variable in variables.items()
        if variable.kind == "Constant" and name not in RENDERED | CONTROL | FIXED
    )
