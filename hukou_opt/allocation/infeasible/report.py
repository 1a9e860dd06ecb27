"""Why the demanded rules cannot all hold, and the least that has to change so that they do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hukou_opt.allocation.infeasible.amounts import Amount, amounts, shortfall
from hukou_opt.allocation.infeasible.conflict import RuleSet, rule_sets
from hukou_opt.allocation.infeasible.families import demanded
from hukou_opt.allocation.infeasible.least import Search
from hukou_opt.allocation.infeasible.levers import (
    LEVERS,
    RULE,
    TARGETS,
    Lever,
    changed,
    levers_named,
    relative,
)
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.errors import ExperimentError, Fault


@dataclass(frozen=True)
class Change:
    """One lever, before and after.

    Parameters
    ----------
    lever : Lever
        What changes.
    before : float
        Its value in the experiment.
    after : float or None
        The least change with which the rules can hold; None where no amount helps.
    size : float
        Size of the change relative to the value; years relative to all decision years. A rule that
        becomes law: largest part that a cell falls short by.
    amount : Amount or None
        How far a rule falls short that has become law.
    """

    lever: Lever
    before: float
    after: float | None
    size: float = 0.0
    amount: Amount | None = None

    @property
    def in_range(self) -> bool:
        """Whether the registry's range holds the new value."""
        return self.after is not None and self.lever.in_range(self.after)


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot hold together, with what each would have to give way by.

    Parameters
    ----------
    rules : RuleSet
        The rules; the others can hold when any one of them is lifted.
    amounts : tuple of Amount
        One or more for each rule.
    """

    rules: RuleSet
    amounts: tuple[Amount, ...]


@dataclass(frozen=True)
class Alternatives:
    """Repairs of the same demands, by one lever each.

    Parameters
    ----------
    demands : tuple of str
        Demanded rules that cannot hold together.
    changes : tuple of Change
        Levers that act on their conflicts, the smallest change first; those that do not help last.
    """

    demands: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Report:
    """The conflicts of a problem and their repairs.

    Parameters
    ----------
    problem : Problem
        Inputs.
    conflicts : tuple of Conflict
        Irreducible sets of rules.
    alternatives : tuple of Alternatives
        Repairs by one lever, for each set of demands.
    smallest : tuple of Change
        The smallest repair of all conflicts together; empty where none was found.
    idle : tuple of Lever
        Levers on which no rule of any conflict depends.
    """

    problem: Problem
    conflicts: tuple[Conflict, ...]
    alternatives: tuple[Alternatives, ...]
    smallest: tuple[Change, ...]
    idle: tuple[Lever, ...]


def explain(
    p: Problem,
    *,
    progress: Callable[[str], None] = lambda _: None,
    time_limit: float = TIME_LIMIT,
) -> Report | None:
    """Find the conflicts of a problem's demanded rules, their amounts and repairs.

    Parameters
    ----------
    p : Problem
        Inputs of the linear program.
    progress : callable, optional
        Told in words what is being done.
    time_limit : float, optional
        Seconds that one solve may take.

    Returns
    -------
    Report or None
        None where all demanded rules can hold together.

    Raises
    ------
    SolveError, CertificateError
        If a solve ends without a proved optimum.
    """
    search = Search(p, progress, time_limit)
    demands = demanded(p)
    progress("conflicts: search")
    sets = rule_sets(search.elastic, demands)
    if not sets:
        return None
    progress("conflicts: amounts")
    conflicts = tuple(Conflict(one, amounts(search.elastic, one)) for one in sets)
    alternatives = _all_alternatives(search, sets, list(LEVERS.values()))
    touched = {name for one in sets for name in one.names}
    idle = tuple(
        lever for lever in LEVERS.values() if lever.parameter and not lever.families & touched
    )
    smallest = _smallest(search, sets, alternatives)
    return Report(p, conflicts, alternatives, smallest, idle)


def repair(
    p: Problem,
    levers: Sequence[str] | None = None,
    *,
    progress: Callable[[str], None] = lambda _: None,
    time_limit: float = TIME_LIMIT,
) -> tuple[Change, ...]:
    """The smallest repair by some levers together, or by whichever lever needs the least.

    Parameters
    ----------
    p : Problem
        Inputs.
    levers : sequence of str, optional
        Levers by name; where missing, one lever if one can do it, else as many as are needed.
    progress, time_limit
        As for `explain`.

    Returns
    -------
    tuple of Change
        Empty where all rules can hold already, or where these levers cannot make them hold.

    Raises
    ------
    ExperimentError
        If a lever is unknown, or can only be changed alone and is not.
    SolveError, CertificateError
        If a solve ends without a proved optimum.
    """
    if levers is None:
        return _whichever(Search(p, progress, time_limit))
    named = levers_named(levers)
    search = Search(p, progress, time_limit)
    demands = demanded(p)
    if search.elastic.short(demands, list(search.elastic.limits)).met:
        return ()
    alone = [lever.name for lever in named if not search.joins(lever)]
    if alone and len(named) > 1:
        raise ExperimentError(
            Fault(
                f"repair {','.join(levers)}",
                f"{' and '.join(alone)} can only be changed alone",
                "leave them out, or give the others in the experiment",
            )
        )
    values = search.least(named, demands)
    return () if values is None else _changes(search, values)


def _whichever(search: Search) -> tuple[Change, ...]:
    """The smallest repair, without what a report says beside it."""
    search.progress("conflicts: search")
    sets = rule_sets(search.elastic, demanded(search.p))
    if not sets:
        return ()
    several = len({one.demands for one in sets}) > 1
    # Where several rules fail, only the years cannot be found together with the other levers.
    levers = [each for each in LEVERS.values() if (each.whole if several else each.parameter)]
    return _smallest(search, sets, _all_alternatives(search, sets, levers))


def _all_alternatives(
    search: Search, sets: Sequence[RuleSet], levers: Sequence[Lever]
) -> tuple[Alternatives, ...]:
    """Repairs by one lever each, for each set of demands."""
    return tuple(
        _alternatives(search, demands, [one for one in sets if one.demands == demands], levers)
        for demands in dict.fromkeys(one.demands for one in sets)
    )


def _alternatives(
    whole: Search,
    demands: tuple[str, ...],
    sets: Sequence[RuleSet],
    levers: Sequence[Lever],
) -> Alternatives:
    """Repairs of some demands alone, by one lever each."""
    p, progress = whole.p, whole.progress
    # The rules that have no part in it are asked for all the same, but not demanded.
    modes = {name: "soft" for name in demanded(p) if name not in demands}
    alone = replace(p, modes={**p.modes, **modes})
    search = Search(alone, progress, whole.time_limit)
    found = []
    for lever in _acting(p, sets):
        if lever not in levers:
            continue
        progress(f"repair: {lever.name}")
        every = all(lever.families & set(one.names) for one in sets)
        values = search.least([lever], demands) if every else None
        if values is None:
            found.append(Change(lever, lever.value(p), None))
        else:
            found += _changes(search, values)
    found.sort(key=lambda change: (change.after is None, not change.in_range, change.size))
    return Alternatives(demands, tuple(found))


def _acting(p: Problem, sets: Sequence[RuleSet]) -> list[Lever]:
    """Levers that act on a rule of some conflicts."""
    touched = {name for one in sets for name in one.names}
    return [lever for lever in LEVERS.values() if lever.applies(p) and lever.families & touched]


def _changes(search: Search, values: Mapping[str, float]) -> tuple[Change, ...]:
    """Changes in the order of the levers, with what the rules that become law fall short by."""
    p = search.p
    law = [name for name in values if name.startswith(RULE)]
    short: dict[str, Amount] = {}
    if law:
        elastic = search.anew({name: values[name] for name in values if name not in law})
        kept = list(elastic.limits)
        hard = [name for name in demanded(p) if f"{RULE}{name}" not in law]
        for name in law:
            rule = LEVERS[name].rule
            short[name] = shortfall(elastic, RuleSet((*hard, rule), tuple(kept)), rule)
    out = []
    for name, lever in LEVERS.items():
        if name not in values:
            continue
        if name in short:
            amount = short[name]
            out.append(Change(lever, 1.0, 1.0, amount.part, amount))
        else:
            size = relative(lever, p, values[name])
            out.append(Change(lever, lever.value(p), values[name], size))
    return tuple(out)


def _smallest(
    search: Search, sets: Sequence[RuleSet], alternatives: Collection[Alternatives]
) -> tuple[Change, ...]:
    """One lever where one can repair all, inside its range if possible; else several together."""
    p, demands = search.p, demanded(search.p)
    if len(alternatives) == 1:
        (only,) = alternatives
        single = [each for each in only.changes if each.after is not None and not each.lever.rule]
        # Other demands that hold without the repair must hold with it too.
        for change in single:
            after = change.after
            if after is not None and search.confirmed({change.lever.name: after}) is not None:
                return (change,)
    together = _together(search, sets)
    best = together
    for change in (each for one in alternatives for each in one.changes):
        if not change.lever.whole or change.after is None:
            continue
        # A later year changes the rows themselves: it is tried beside all others.
        moved = {change.lever.name: change.after}
        later = Search(changed(p, moved), search.progress, search.time_limit)
        if later.elastic.short(demands, list(later.elastic.limits)).met:
            rest: tuple[Change, ...] = ()
        else:
            rest = _together(later, sets)
            if not rest:
                continue
        found = (change, *rest)
        if not best or _sum(found) < _sum(best):
            best = found
    return best


def _sum(changes: Sequence[Change]) -> float:
    return sum(change.size for change in changes)


def _together(search: Search, sets: Sequence[RuleSet]) -> tuple[Change, ...]:
    """Least sum of the changes of all levers that act; rules that are no target may become law."""
    p, demands = search.p, demanded(search.p)
    acting = [lever for lever in _acting(p, sets) if lever.linear and lever.parameter]
    rules = [LEVERS[f"{RULE}{name}"] for name in demands if name not in TARGETS]
    needed = [lever for lever in rules if any(lever.rule in one.demands for one in sets)]
    search.progress("repair: together")
    values = search.least([*acting, *needed], demands)
    if values is None:
        rest = [LEVERS[f"{RULE}{name}"] for name in demands]
        values = search.least([*acting, *rest], demands)
    return () if values is None else _changes(search, values)
