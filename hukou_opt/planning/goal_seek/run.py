"""One run of a search: where the lever stood, what came of it, and which rules held it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hukou_opt.errors import InfeasibleError, ResultError
from hukou_opt.outcomes import outcome
from hukou_opt.planning.goal_seek.goal import Goal
from hukou_opt.planning.many.rows import row_of
from hukou_opt.result import Result

#: Rows that only say what a column means hold back nothing.
_MEANING = "_definition"


@dataclass(frozen=True)
class BindingRule:
    """How often a rule binds in a run.

    Parameters
    ----------
    rule, section, mode : str
        Name, section of the plan, and how the rule acts.
    rows, binding : int
        Cells of the rule, and those that hold with equality.
    """

    rule: str
    section: str
    mode: str
    rows: int
    binding: int

    @property
    def share(self) -> float:
        """Part of the cells that bind."""
        return self.binding / self.rows


@dataclass(frozen=True)
class Run:
    """One coupled run with the lever at one value.

    Parameters
    ----------
    lever : float
        Value of the lever, in its unit.
    outcome : float or None
        Figure of the goal; None where the demanded rules cannot hold.
    met : bool
        Whether it reaches the goal.
    state : {"ran", "kept", "infeasible"}
        Run now, taken over from an earlier call, or shown to have no answer.
    seconds : float or None
        Time that it took.
    rounds : int or None
        Rounds between model and linear program; None without allocation.
    converged, certified : bool or None
        Whether the rounds came to rest, and every solve passed its certificate.
    moved_fund, moved_need : float or None
        Share of the fund and of the needs that the published round still moved.
    unused : float or None
        Share of the central fund that is not used.
    unfunded : float or None
        Share of the certified cost without money.
    rules : tuple of BindingRule
        Rules that bind, without equations, the most often first.
    others : dict of str to float
        Other levers that are not where the experiment has them.
    identity : str
        SHA-256 of the result.
    reason : str
        Why there is no answer.
    """

    lever: float
    outcome: float | None
    met: bool
    state: Literal["ran", "kept", "infeasible"]
    seconds: float | None = None
    rounds: int | None = None
    converged: bool | None = None
    certified: bool | None = None
    moved_fund: float | None = None
    moved_need: float | None = None
    unused: float | None = None
    unfunded: float | None = None
    rules: tuple[BindingRule, ...] = field(default=(), repr=False)
    others: Mapping[str, float] = field(default_factory=dict)
    identity: str = ""
    reason: str = ""

    @property
    def at_rest(self) -> bool:
        """Whether nothing was left moving; a run without rounds always is."""
        return self.converged is not False


def run_of(
    result: Result,
    goal: Goal,
    lever: float,
    state: Literal["ran", "kept"],
    seconds: float | None,
    others: Mapping[str, float],
) -> Run:
    """What a search keeps of a result.

    Raises
    ------
    ResultError
        If the result has no figure for the goal.
    """
    value = goal.value(result)
    row = row_of(result, state, seconds, Path())
    fund = float(result.attrs.get("central_fund", 0.0))
    unused = _or_none(result, "central_unused")
    return Run(
        lever,
        value,
        goal.met(value),
        state,
        seconds,
        row.rounds,
        row.converged,
        row.certified,
        row.moved_fund,
        row.moved_need,
        unused / fund if unused is not None and fund > 0 else None,
        _or_none(result, "unfunded_share"),
        binding(result),
        dict(others),
        result.identity,
    )


def without_answer(
    error: InfeasibleError, lever: float, seconds: float, others: Mapping[str, float]
) -> Run:
    """A run whose demanded rules cannot all hold: the goal is missed."""
    reason = "; ".join(str(fault) for fault in error.faults)
    return Run(lever, None, False, "infeasible", seconds, others=dict(others), reason=reason)


def binding(result: Result) -> tuple[BindingRule, ...]:
    """Rules that bind in a result, without equations, the largest share of cells first."""
    if "rules" not in result:
        return ()
    equations = set()
    if "prices" in result:
        prices = result["prices"]
        equations = set(prices["rule"].values[prices["equation"].values.astype(bool)].tolist())
    table = result["rules"]
    found = [
        BindingRule(
            name,
            str(table["section"].values[i]),
            str(table["mode"].values[i]),
            int(table["rows"].values[i]),
            int(table["binding"].values[i]),
        )
        for i, name in enumerate(map(str, table["rule"].values))
        if name not in equations and not name.endswith(_MEANING)
    ]
    binds = [each for each in found if each.rows > 0 and each.binding > 0]
    return tuple(sorted(binds, key=lambda each: (-each.share, each.rule)))


def _or_none(result: Result, name: str) -> float | None:
    try:
        return outcome(result, name)
    except ResultError:
        return None
