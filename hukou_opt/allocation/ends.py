"""What to say of a solve that ended without a proved optimum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np

from hukou_opt.allocation.problem import Array
from hukou_opt.errors import (
    Fault,
    InfeasibleError,
    NumericalError,
    SolveError,
    TimeLimitError,
    UnboundedError,
)

Status = highspy.HighsModelStatus

#: Rows and columns that a message names.
MOST_NAMED = 6
#: Ways in which HiGHS looks for a contradiction: from an elastic program, then by deletion.
FROM_ELASTIC, BY_DELETION = 2, 4
#: Seconds for the search of a contradiction: without it the message is shorter.
SEARCH_TIME = 60.0
#: Part of a direction's largest entry from which on a column is named with it.
MAIN_PART = 1e-3


def failure(
    solver: Any,
    name: str,
    cost: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    time_limit: float,
    tried: Sequence[str],
) -> SolveError:
    """The error for the present state of a solver.

    Parameters
    ----------
    solver : highspy Highs
        Solver whose last run found no optimum.
    name : str
        Level that was solved.
    cost : ndarray, shape (column,)
        Its cost row.
    rows, columns : sequence of str
        Names of the program's rows and columns; rows that were added later have none.
    time_limit : float
        Seconds that the solve could take.
    tried : sequence of str
        Methods that were tried, in order.
    """
    where, status = f"level {name!r}", solver.getModelStatus()
    if status == Status.kTimeLimit:
        return TimeLimitError(
            Fault(
                where,
                f"was not solved within the time limit ({time_limit:g} seconds)",
                "give a longer --time-limit (time_limit of run), fewer regions or simpler aims",
            )
        )
    if status in (Status.kUnbounded, Status.kUnboundedOrInfeasible):
        # Presolve may see that there is no optimum without seeing why; plain simplex does.
        solver.clearSolver()
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("solver", "simplex")
        solver.run()
        solver.setOptionValue("presolve", "choose")
        status = solver.getModelStatus()
    if status == Status.kUnbounded:
        return UnboundedError(
            Fault(
                where,
                f"can be made small without end: {_ray(solver, cost, columns)}",
                "an upper bound or a rule is missing: look for an input that is infinite, or a "
                "cost that is not positive",
            )
        )
    if status == Status.kInfeasible:
        return InfeasibleError(
            Fault(
                where,
                f"the rows contradict each other{_contradiction(solver, rows, columns)}",
                "relax a hard rule, or see the inputs of these rows",
            )
        )
    words = solver.modelStatusToString(status)
    return NumericalError(
        Fault(
            where,
            f"HiGHS ended {words!r} with every method ({', '.join(tried)})",
            "the numbers are too far apart in size or hold too tightly: look for extreme "
            "parameters, raise guard, or leave out a level",
        )
    )


def _ray(solver: Any, cost: Array, columns: Sequence[str]) -> str:
    """The direction without end: its columns that carry cost first, then the largest."""
    _, known, values = solver.getPrimalRay()
    if not known:
        return "the solver names no direction"
    ray = np.asarray(values, dtype=float)
    main = np.abs(ray) >= MAIN_PART * float(np.abs(ray).max(initial=0.0))
    weight = np.abs(cost * ray)
    order = sorted(np.flatnonzero(main), key=lambda i: (-weight[i], -abs(ray[i])))
    named = [f"{columns[int(i)]} {'grows' if ray[i] > 0 else 'falls'}" for i in order[:MOST_NAMED]]
    more = f" and {len(order) - MOST_NAMED} more" if len(order) > MOST_NAMED else ""
    return ", ".join(named) + more


def _contradiction(solver: Any, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Rows and bounds of an irreducible contradiction."""
    solver.setOptionValue("iis_strategy", FROM_ELASTIC + BY_DELETION)
    solver.setOptionValue("time_limit", solver.getRunTime() + SEARCH_TIME)
    status, found = solver.getIis()
    if status == highspy.HighsStatus.kError:
        return ""
    named = [
        rows[i] if i < len(rows) else "a level or limit held before" for i in found.row_index_
    ] + [f"bound of {columns[i]}" for i in found.col_index_]
    names = list(dict.fromkeys(named))
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f": {', '.join(names[:MOST_NAMED])}{more}"
