"""How many threads HiGHS may use; one setting of the whole process, because HiGHS has it so.

The library keeps one set of threads for all of its objects, made at the first solve, and refuses to
solve with another number afterwards. So the number is not an option of a single program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from highspy import _core as highs_core

from hukou_opt.errors import Fault, SolveError

#: One thread by default: the serial simplex methods that are used here run in one.
DEFAULT = 1


class _Process:
    """The number that solves use now, and the one for which HiGHS has its threads."""

    wanted = DEFAULT
    #: None before the first solve: others may have had HiGHS make its threads for another number.
    made: int | None = None


@contextmanager
def solver_threads(count: int) -> Iterator[None]:
    """Let every solve inside the block use so many threads.

    The answers are the same with any number.

    Parameters
    ----------
    count : int
        Threads of HiGHS, at least 1.

    Raises
    ------
    SolveError
        If `count` is not a whole number of at least 1.

    Examples
    --------
    >>> with solver_threads(2):  # doctest: +SKIP
    ...     answer = solve(problem)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SolveError(
            Fault("threads", f"{count!r} is not a number of threads", "give 1 or a larger integer")
        )
    before, _Process.wanted = _Process.wanted, count
    try:
        yield
    finally:
        _Process.wanted = before


def claim(solver: highs_core._Highs) -> None:
    """Set the number of threads of a solver that is about to run.

    Parameters
    ----------
    solver : highspy._core._Highs
        The solver's object.
    """
    if _Process.made != _Process.wanted:
        highs_core._Highs.resetGlobalScheduler(True)
        _Process.made = _Process.wanted
    solver.setOptionValue("threads", _Process.wanted)
