"""A saved result checked again: tables, program, answer and levels from what the file holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.audit import audit_program, check_answer
from hukou_opt.allocation.audit.compare import EXACT
from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.levels import held_at
from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.recompute import recompute
from hukou_opt.allocation.recompute_terms import worst_pool
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import solve
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import CertificateError, Fault
from hukou_opt.planning.problem_io import problem_of, solution_of
from hukou_opt.planning.proofs import FIGURES, replayed_exactly
from hukou_opt.result import Result

#: Difference of figures that are the same numbers, added up in the same way.
SAME = 1e-9
#: Change of a region's money of a block, in parts of the fund, that the tolerance of held levels
#: allows between two solves.
MOVED = 1e-4
#: Figures of a certificate that have a limit.
LIMITED = tuple(name for name in FIGURES if name != "safe_gap")
#: What cannot be told without solving anew, in words.
NEEDS_SOLVE = (
    "that no better answer exists: dual values are not stored, so each level is solved again",
    "the exact replay: it needs the program of each level with the rows added on the way",
)


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    name : str
        What was checked.
    figure, allowed : float
        What was found, and what is allowed at most.
    words : str
        What the figure is.
    """

    name: str
    figure: float
    allowed: float
    words: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within what is allowed."""
        return bool(self.figure <= self.allowed)

    def __str__(self) -> str:
        mark = "ok " if self.holds else "NO "
        return f"{mark} {self.name}: {self.words} {self.figure:.3g} (allowed {self.allowed:.3g})"


#: Table of the allocation group, and what it is in the answer.
PUBLISHED: Mapping[str, Callable[[Problem, Solution], Array]] = {
    "central_transfers": lambda _, s: s.central,
    "local_money": lambda _, s: s.local,
    "bonds": lambda _, s: s.bonds,
    "east_levy": lambda _, s: s.levy,
    "unfunded": lambda _, s: s.unfunded,
    "certified_cost": lambda p, _: p.cost,
    "building_cost": lambda p, s: s.building_cost(p),
    "partner_payments": lambda p, s: s.partner_payments(p),
    "starts": lambda _, s: s.all_starts,
    "partner_starts": lambda _, s: s.partner_starts,
    "temporary_places": lambda _, s: s.temporary,
    "teachers_hired": lambda _, s: s.teachers,
}
_AXES = ("sector", "area", "service", "region", "year")


def _tables(result: Result, p: Problem, s: Solution) -> Check:
    """Published tables against the answer."""
    worst, where = 0.0, "none differs"
    for name, of in PUBLISHED.items():
        array = result["allocation"][name]
        found = array.transpose(*(axis for axis in _AXES if axis in array.dims)).values
        apart = float(np.abs(found - of(p, s)).max(initial=0.0))
        if apart > worst:
            worst, where = apart, name
    return Check("published tables", worst, SAME, f"largest difference from the answer ({where})")


def _budget(result: Result, p: Problem, s: Solution) -> Iterator[Check]:
    spent, unused = float(s.central.sum()), float(result["allocation"]["central_unused"])
    apart = abs(spent + unused - p.fund) / (1 + p.fund)
    words = f"{spent:,.3f} given and {unused:,.3f} not used of {p.fund:,.3f}, relative difference"
    yield Check("budget", apart, LIMIT, words)
    stated = abs(float(result.attrs["central_fund"]) - p.fund)
    yield Check("fund", stated, 0.0, "difference of the stated fund")
    table = result["parameters"]["value"]
    known = {str(name): float(table.sel(parameter=name)) for name in table["parameter"].values}
    apart = max(
        (abs(known.get(name, np.inf) - value) for name, value in p.parameters.items()), default=0.0
    )
    yield Check("parameters", apart, 0.0, "largest difference from the parameter table")


def level_losses(p: Problem, s: Solution) -> dict[str, float]:
    """Levels, guards and limits recomputed from the tables, by the names of the level table.

    Parameters
    ----------
    p : Problem
        Inputs.
    s : Solution
        The answer.
    """
    out = recompute(p, s)
    for level in p.aims.levels:
        if level.guarded:
            out |= dict.fromkeys(("guard", f"guard_{level.name}"), out[level.name])
    for number, limit in enumerate(p.aims.limits, start=1):
        out[f"limit_{number}"] = worst_pool(p, s, limit.term)
    return out


def _levels(result: Result, p: Problem, s: Solution) -> Check:
    """Level values against those recomputed from the answer."""
    levels, losses = result["levels"], level_losses(p, s)
    worst, where = 0.0, "none differs"
    for name, sense, value in zip(
        *(levels[key].values for key in ("level", "sense", "recomputed")), strict=True
    ):
        loss = losses.get(str(name), np.nan)
        apart = abs((-loss if sense == "large" else loss) - float(value))
        apart /= 1 + abs(float(value))
        if not apart <= worst:
            worst, where = float(apart), str(name)
    return Check("level values", worst, SAME, f"largest difference from the answer ({where})")


def _certificates(result: Result) -> Iterator[Check]:
    proof = result["certificate"]
    worst = max(float(np.max(proof[name].values)) for name in LIMITED if name in proof)
    yield Check("certificates", worst, LIMIT, f"{proof.sizes['solve']} solves, largest figure")
    if "exact_gap" in proof and bool(np.isfinite(proof["exact_gap"].values).any()):
        exact = float(max(np.nanmax(proof[n].values) for n in ("exact_gap", "exact_residual")))
        yield Check("exact replay as stored", exact, LIMIT, "largest figure")


def check_file(result: Result) -> list[Check]:
    """All checks of a result that need no solve.

    Parameters
    ----------
    result : Result
        A run with an allocation, opened from a file: its identity has been compared already.

    Returns
    -------
    list of Check
        The checks, in order.

    Raises
    ------
    ResultError
        If the result does not hold the inputs of its linear program.
    CertificateError
        If the program is not what the tables say, or the answer breaks a rule: names the rule.
    """
    p, s = problem_of(result), solution_of(result)
    audit = audit_program(p, compile_problem(p))
    held = check_answer(p, s)
    words = f"{audit.rows:,} rows, {audit.columns:,} columns, {audit.levels} levels, difference"
    rules = f"{held.rows:,} rows and bounds, largest violation at {held.where or 'none'}"
    return [
        Check("program from tables", audit.difference, EXACT, words),
        Check("rules at the answer", held.residual, LIMIT, rules),
        _tables(result, p, s),
        _levels(result, p, s),
        *_budget(result, p, s),
        *_certificates(result),
    ]


def check_by_solving(
    result: Result, progress: Callable[[str], None] = lambda _: None
) -> list[Check]:
    """Solve the published problem anew, prove every level exactly, and compare the levels.

    Parameters
    ----------
    result : Result
        A run with an allocation.
    progress : callable, optional
        Told in words what is being done.

    Raises
    ------
    ResultError
        If the result does not hold the inputs of its linear program.
    SolveError, CertificateError
        If a level has no proved optimum.
    """
    p, s = problem_of(result), solution_of(result)
    allocation = solve(p, progress=progress, keep_proofs=True)
    replays = replayed_exactly(allocation, progress)
    exact = max(max(each.gap_printed, each.residual_printed) for each in replays)
    again = {level.name: level.value for level in allocation.levels}
    stored = result["levels"]
    worst, where = 0.0, "none"
    for name, value in zip(stored["level"].values, stored["value"].values, strict=True):
        room = held_at(abs(float(value))) - abs(float(value))
        apart = abs(again.get(str(name), np.inf) - float(value)) / room
        if apart > worst:
            worst, where = apart, str(name)
    moved = np.abs(allocation.solution.central_by_block(p) - s.central_by_block(p))
    moved_words = "largest change of a region's money of a block, in parts of the fund"
    # Where the tie-break found no proved optimum, other answers are as good.
    unique = allocation.ties_broken and bool(result.attrs.get("ties_broken", 1))
    return [
        Check("new solve, exact replay", exact, LIMIT, f"{len(replays)} levels, largest figure"),
        Check(
            "new solve, levels",
            worst,
            1.0,
            f"largest difference, in parts of what later levels may give up ({where})",
        ),
        Check(
            "new solve, transfers",
            float(moved.max()) / p.fund,
            MOVED if unique else 1.0,
            moved_words,
        ),
    ]


def require(checks: list[Check]) -> None:
    """Raise CertificateError unless all checks hold.

    Raises
    ------
    CertificateError
        Naming every check that fails.
    """
    faults = [
        Fault(
            f"check {check.name!r}",
            f"{check.words} {check.figure:.3g}, allowed {check.allowed:.3g}",
            "run the experiment again; the file proves nothing",
        )
        for check in checks
        if not check.holds
    ]
    if faults:
        raise CertificateError(faults)
