"""All errors of the toolkit.

Every fault reads ``where | what is wrong (value) | what to do``. Errors about input gather all the
faults found in one pass, so that a user repairs a file once and not fault by fault.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault in the user's input or in a result.

    Parameters
    ----------
    where : str
        File, table, row, column, parameter or rule in which the fault was found.
    what : str
        What is wrong, with the offending value in parentheses.
    fix : str
        What the user can do about it.
    """

    where: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where} | {self.what} | {self.fix}"


class HukouOptError(Exception):
    """Base of every error that the toolkit raises on purpose.

    Parameters
    ----------
    faults : iterable of Fault
        All faults found; at least one.
    """

    exit_code = 1
    title = "hukou-opt cannot go on"

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        if not self.faults:
            raise ValueError("an error needs at least one fault")
        super().__init__(str(self))

    def __str__(self) -> str:
        number = len(self.faults)
        head = f"{self.title} ({number} fault{'s' if number > 1 else ''}):"
        return "\n".join([head, *(f"  - {fault}" for fault in self.faults)])

    def __reduce__(self) -> tuple[type[HukouOptError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class DataError(HukouOptError):
    """The region table, or a figure derived from it, is not usable."""

    exit_code = 2
    title = "The region data cannot be used"


class ExperimentError(HukouOptError):
    """The experiment file is not usable."""

    exit_code = 2
    title = "The experiment cannot be used"


class ParameterError(HukouOptError):
    """A parameter is unknown, out of its range or of the wrong kind."""

    exit_code = 2
    title = "The parameters cannot be used"


class OutputError(HukouOptError):
    """The results cannot be written where the user asked for them."""

    exit_code = 2
    title = "The results cannot be written"


class ModelError(HukouOptError):
    """The stock-flow model cannot be translated or run, or its run breaks an invariant."""

    exit_code = 3
    title = "The stock-flow model cannot be run"


class SolveError(HukouOptError):
    """The linear program ended without a proved optimum; no table is made from it."""

    exit_code = 4
    title = "The allocation has no proved optimum"


class InfeasibleError(SolveError):
    """The hard rules cannot all hold; the faults name them and the amounts missing.

    Parameters
    ----------
    faults : Fault or iterable of Fault
        All faults found; at least one.
    problem : object, optional
        Inputs of the linear program that has no answer, for the search of a repair; it does not
        travel between processes.
    """

    exit_code = 5
    title = "The hard rules cannot all hold"

    def __init__(self, faults: Fault | Iterable[Fault], *, problem: object = None) -> None:
        super().__init__(faults)
        self.problem = problem


class CertificateError(SolveError):
    """The solution fails its certificate: the numbers do not prove what the solver claims."""

    exit_code = 6
    title = "The solution fails its certificate"


class UnboundedError(SolveError):
    """Some quantity can be improved for ever: an input or a rule is missing."""

    exit_code = 9
    title = "The allocation has no bound"


class TimeLimitError(SolveError):
    """A solve took longer than it may; nothing is proved."""

    exit_code = 10
    title = "The allocation ran out of time"


class NumericalError(SolveError):
    """No method of the solver came to a decision; nothing is proved."""

    exit_code = 11
    title = "The solver came to no decision"


class ResultError(HukouOptError):
    """A saved result cannot be read, was altered, or has no certificate."""

    exit_code = 7
    title = "The result cannot be used"


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Suggest the nearest known name, or list the names when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known names: " + ", ".join(sorted(known))
