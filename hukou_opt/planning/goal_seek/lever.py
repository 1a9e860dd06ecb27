"""What is varied: any parameter of the registry, between two values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import Fault, did_you_mean
from hukou_opt.experiment import Experiment
from hukou_opt.parameters import load_parameters

#: What `--others policy` stands for: levers of the plan itself, not of people or of estimates.
POLICY = (
    "openness_reform_mega",
    "contribution_years",
    "keep_pilot_share",
    "land_compensation_reform",
    "land_swap_share",
    "settling_grant",
    "housing_subsidy",
    "bonds_per_year",
    "build_rate_limit",
)


def lever_faults(settings: Experiment, name: str, between: Sequence[float] | None) -> list[Fault]:
    """All that is wrong with a lever and its ends, before anything runs.

    Parameters
    ----------
    settings : Experiment
        What is run.
    name : str
        The lever.
    between : sequence of float, or None
        Lowest and highest value; the registry's range where None.
    """
    rows = load_parameters().rows
    where = f"lever {name!r}"
    faults = _end_faults(between)
    if name not in rows:
        return [Fault(where, "is unknown", did_you_mean(name, list(rows))), *faults]
    row = rows[name]
    if row.low >= row.high and between is None:
        faults.append(Fault(where, f"has no range ({row.low:g})", "give two ends with --between"))
    for value in between or ():
        if math.isfinite(value) and not row.low <= value <= row.high:
            if settings.allow_out_of_range:
                continue
            unit = "" if row.unit == "1" else f" {row.unit}"
            faults.append(
                Fault(
                    where,
                    f"is asked for outside its range {row.low:g} to {row.high:g}{unit} ({value:g})",
                    "stay inside, or set allow_out_of_range: true in the experiment",
                )
            )
    if row.room == "allocation" and not settings.allocation.enabled:
        faults.append(
            Fault(where, "moves nothing: the experiment has no allocation", "set enabled: true")
        )
    elif off := switched_off(settings, name):
        faults.append(
            Fault(
                where,
                f"moves nothing: only {', '.join(off)} reads it, which binds nothing here",
                "switch the rule on under allocation.rules, or choose another lever",
            )
        )
    return faults


def _end_faults(between: Sequence[float] | None) -> list[Fault]:
    if between is None:
        return []
    low, high = between
    if not (math.isfinite(low) and math.isfinite(high)):
        return [Fault("--between", f"is not finite ({low:g} {high:g})", "give two numbers")]
    if low >= high:
        return [
            Fault("--between", f"begins above its end ({low:g} {high:g})", "give LOW below HIGH")
        ]
    return []


def switched_off(settings: Experiment, name: str) -> tuple[str, ...]:
    """Rules that read a lever, if none of them acts and nothing else reads it."""
    if load_parameters().rows[name].room != "allocation":
        return ()
    readers = [rule for rule in RULES if name in rule.parameters and rule.form != "figure"]
    reports = [rule for rule in RULES if name in rule.parameters and rule.form == "figure"]
    modes = settings.allocation.rules.model_dump()
    acting = [rule for rule in readers if modes.get(rule.key, "on") not in ("off", "report")]
    if acting or not (readers or reports):
        return ()
    return tuple(dict.fromkeys(rule.key for rule in readers or reports))


def moves(name: str, low: Problem, high: Problem) -> bool:
    """Whether the linear program is another one at the other end of a lever.

    Parameters
    ----------
    name : str
        The lever.
    low, high : Problem
        The same needs with the lever at its ends.
    """
    if name == "guard":
        # Not in the program: it limits what levels may take from guarded ones.
        return any(level.guarded for level in low.aims.levels)
    one, other = (compile_problem(each) for each in (low, high))
    return not _same(one, other)


def _same(one: LinearProgram, other: LinearProgram) -> bool:
    a, b = one.matrix, other.matrix
    if a.shape != b.shape or a.nnz != b.nnz or len(one.indices) != len(other.indices):
        return False
    arrays = [
        (a.indptr, b.indptr),
        (a.indices, b.indices),
        (a.data, b.data),
        *((getattr(one, key), getattr(other, key)) for key in _BOUNDS),
        *((one.costs[level][0], other.costs[level][0]) for level in one.costs),
        *((np.array(one.costs[k][1]), np.array(other.costs[k][1])) for k in one.costs),
        *((i.weights, j.weights) for i, j in zip(one.indices, other.indices, strict=True)),
    ]
    alike = all(np.array_equal(first, second) for first, second in arrays)
    return alike and all(
        (i.aversion, i.mean) == (j.aversion, j.mean)
        for i, j in zip(one.indices, other.indices, strict=True)
    )


_BOUNDS = ("row_lower", "row_upper", "lower", "upper")
