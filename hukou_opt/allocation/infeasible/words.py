"""The report of conflicts and repairs as the lines of an error, in the plan's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hukou_opt.allocation.infeasible.amounts import Amount
from hukou_opt.allocation.infeasible.families import BY_NAME
from hukou_opt.allocation.infeasible.levers import Lever
from hukou_opt.allocation.infeasible.report import Alternatives, Change, Conflict, Report, explain
from hukou_opt.allocation.problem import Problem
from hukou_opt.errors import Fault, InfeasibleError

#: Digits of amounts.
DIGITS = 6


def figure(value: float) -> str:
    """A number with its thousands apart."""
    rounded = float(f"{value:.{DIGITS}g}")
    return f"{rounded:,.0f}" if rounded == round(rounded) else f"{rounded:,.{DIGITS}g}"


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def faults(report: Report) -> list[Fault]:
    """All lines of a report: conflicts with amounts, alternatives, the smallest repair."""
    out: list[Fault] = []
    for number, conflict in enumerate(report.conflicts, start=1):
        out += _conflict(f"conflict {number} of {len(report.conflicts)}", conflict)
    for each in report.alternatives:
        out += _alternatives(each, several=len(report.alternatives) > 1)
    if report.idle:
        out.append(
            Fault(
                "no repair",
                "no amount of these levers helps: "
                + ", ".join(f"{lever.title} ({lever.name})" for lever in report.idle),
                "no rule of a conflict depends on them",
            )
        )
    out.append(_smallest(report.smallest))
    return out


def in_words(
    error: InfeasibleError, progress: Callable[[str], None], time_limit: float
) -> InfeasibleError:
    """The error with conflicts, amounts and repairs in the place of what a solve could say.

    Parameters
    ----------
    error : InfeasibleError
        Error of a solve, or of the checks before it.
    progress : callable
        Told in words what is being done.
    time_limit : float
        Seconds that one solve may take.

    Returns
    -------
    InfeasibleError
        The same error where it has no problem with it, or where no rule is in conflict.
    """
    if not isinstance(error.problem, Problem):
        return error
    report = explain(error.problem, progress=progress, time_limit=time_limit)
    if report is None:
        return error
    return InfeasibleError(faults(report), problem=error.problem)


def _conflict(where: str, conflict: Conflict) -> list[Fault]:
    names = conflict.rules.names
    if len(names) == 1:
        head = f"rule {names[0]} cannot hold whatever is decided"
    elif len(conflict.rules.demands) == 1:
        head = f"rule {names[0]} cannot hold under {listed(conflict.rules.limits)}"
    else:
        head = f"these {len(names)} rules cannot hold together: {listed(names)}"
    return [
        Fault(where, head, "any one of them has to give way; without it the others can hold"),
        *(
            Fault(
                f"{where}, rule {amount.rule} ({_section(amount)})", _amount(amount), _way(amount)
            )
            for amount in conflict.amounts
        ),
    ]


def _section(amount: Amount) -> str:
    return BY_NAME[amount.rule].section


def _amount(amount: Amount) -> str:
    unit = f" {amount.unit}" if amount.unit else ""
    title = BY_NAME[amount.rule].title
    if amount.stated is None or amount.reached is None:
        said = f"short by {figure(amount.short_by)}{unit}"
    elif amount.demanded:
        said = f"demands {figure(amount.stated)}, gets {figure(amount.reached)}{unit}"
    else:
        said = f"allows {figure(amount.stated)}, needed {figure(amount.reached)}{unit}"
    more = ""
    if amount.cells > 1:
        more = f"; {amount.cells} cells, {figure(amount.total)}{unit} in all"
    if amount.asked is not None and amount.asked != amount.stated:
        more += f"; {figure(amount.asked)}{unit} asked in all cells together"
    return f"{title}: {said} in {amount.where}{more}"


def _way(amount: Amount) -> str:
    rule = BY_NAME[amount.rule]
    if amount.demanded:
        return f"set allocation.rules.{rule.key} to law or soft, or see the repairs"
    ways = [name for name in rule.parameters if name not in ("bond_region_multiple",)]
    if rule.modes:
        return (
            f"change {ways[0]}, or set allocation.rules.{rule.key}: off"
            if ways
            else (f"set allocation.rules.{rule.key}: off")
        )
    return f"change {ways[0]}" if ways else "the rule is always on"


def _alternatives(given: Alternatives, *, several: bool) -> list[Fault]:
    rules = listed(given.demands)
    where = f"repair of {rules}" if several else "repair"
    helping = [change for change in given.changes if change.after is not None]
    vain = [change.lever for change in given.changes if change.after is None]
    out = [
        Fault(f"{where} by {change.lever.name}", said(change), _how(change)) for change in helping
    ]
    if vain:
        out.append(
            Fault(
                where,
                f"no amount helps alone of {', '.join(f'{v.title} ({v.name})' for v in vain)}",
                "another limit of a conflict would still forbid it",
            )
        )
    return out


def said(change: Change) -> str:
    """One change in words: ``central fund (central_fund_total) 50,000 -> 51,880 100m yuan``."""
    lever = change.lever
    if lever.rule:
        short = change.amount
        if short is None:
            return lever.title
        unit = f" {short.unit}" if short.unit else " of need"
        if short.stated is not None and short.reached is not None:
            least = f"demands {figure(short.stated)}, gets {figure(short.reached)}{unit}"
        else:
            least = f"short by {figure(short.short_by)}{unit}"
        return (
            f"{lever.title}; it then falls short in {short.cells} cell"
            f"{'s' if short.cells > 1 else ''}, at most by {short.part:.3g} of what it asks "
            f"({short.where}: {least})"
        )
    unit = f" {lever.unit}" if lever.unit and not lever.whole else ""
    after = 0.0 if change.after is None else change.after
    size = (
        f"{after - change.before:.0f} year{'s' if after - change.before > 1 else ''} later"
        if lever.whole
        else (f"{'+' if after > change.before else '-'}{change.size:.1%}")
    )
    beyond = "" if change.in_range else "; outside the registry's range"
    return (
        f"{lever.title} ({lever.parameter}) {number(lever, change.before)} -> "
        f"{number(lever, after)}{unit} ({size}{beyond})"
    )


def number(lever: Lever, value: float) -> str:
    """Value of a lever as printed; years without thousands."""
    return f"{value:.0f}" if lever.whole else figure(value)


def _how(change: Change) -> str:
    return f"hukou-opt run EXPERIMENT --repair {change.lever.name}"


def _smallest(changes: Sequence[Change]) -> Fault:
    if not changes:
        return Fault(
            "smallest repair",
            "none was found with the levers there are",
            "set the demanded rules of the conflicts to law or soft",
        )
    words = "; and ".join(said(change) for change in changes)
    return Fault("smallest repair", words, "hukou-opt run EXPERIMENT --repair")


def title_en(changes: Sequence[Change]) -> str:
    """What a repaired run adds to its English title."""
    parts = [_title(change, change.lever.title, "law instead of hard") for change in changes]
    return f" (repaired: {'; '.join(parts)})"


def title_zh(changes: Sequence[Change]) -> str:
    """What a repaired run adds to its Chinese title."""
    parts = [_title(change, change.lever.title_zh, "") for change in changes]
    return f"（修复：{'，'.join(parts)}）"


def _title(change: Change, title: str, law: str) -> str:
    lever = change.lever
    if lever.rule:
        return title if not law else f"rule {lever.rule} {law}"
    after = 0.0 if change.after is None else change.after
    return f"{title} {number(lever, change.before)} -> {number(lever, after)}"
