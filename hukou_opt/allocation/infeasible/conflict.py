"""The smallest sets of rules that cannot hold together, by lifting one rule after the other.

A set is irreducible when the rest can hold as soon as any one of its rules is lifted. The search
starts from the rules that the dual values name and lifts them in turn (the deletion filter): what
is not needed for the contradiction is left out, first what nobody can change, last what a plan
decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hukou_opt.allocation.infeasible.elastic import Elastic

#: Limits that stay in a set as long as another one can be left out: what a plan decides.
DECIDED = (
    "fund_volume",
    "bonds_nation",
    "local_ceiling",
    "teachers",
    "build_rate",
)
#: Sets that are looked for at most; each takes several solves.
MOST_SETS = 12


@dataclass(frozen=True)
class RuleSet:
    """Rules that cannot hold together, any of which could be left out to let the others hold.

    Parameters
    ----------
    demands : tuple of str
        Demanded rules of the plan.
    limits : tuple of str
        Limits that hold anyway.
    """

    demands: tuple[str, ...]
    limits: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All its rules."""
        return (*self.demands, *self.limits)


def rule_sets(elastic: Elastic, demands: Sequence[str]) -> tuple[RuleSet, ...]:
    """Irreducible sets of rules that cannot hold together.

    Each demanded rule is tried alone first. Once a set is found its limits are lifted, to see
    whether others forbid the same demands. Then the rules that can hold alone are tried together.

    Parameters
    ----------
    elastic : Elastic
        The program.
    demands : sequence of str
        Demanded rules.

    Returns
    -------
    tuple of RuleSet
        Sets in the order of finding; empty where all demands can hold. Not all sets there are:
        those that only repeat a rule that cannot hold anyway are not looked for.

    Raises
    ------
    SolveError, CertificateError
        As `Elastic.short`.
    """
    found: list[RuleSet] = []
    possible = []
    for name in demands:
        own = list(_of(elastic, [name]))
        found += own
        if not own:
            possible.append(name)
    while len(possible) > 1 and len(found) < MOST_SETS:
        together = list(_of(elastic, possible))
        if not together:
            break
        found += together
        # Without its last demand the set is no contradiction any more; there may be others.
        possible.remove(together[0].demands[-1])
    return tuple(found)


def _of(elastic: Elastic, demands: Sequence[str]) -> Iterator[RuleSet]:
    """Sets among some demands, the limits of each lifted before the next is looked for."""
    kept = list(elastic.limits)
    for _ in range(MOST_SETS):
        one = irreducible(elastic, demands, kept)
        if one is None:
            return
        yield one
        if not one.limits:
            return
        kept = [name for name in kept if name not in one.limits]


def irreducible(elastic: Elastic, demands: Sequence[str], kept: Sequence[str]) -> RuleSet | None:
    """One irreducible set among demands and limits, or None where they can hold together.

    Parameters
    ----------
    elastic : Elastic
        The program.
    demands, kept : sequence of str
        Demanded rules and limits to choose from.
    """
    first = elastic.short(demands, kept)
    if first.met:
        return None
    rules = [name for name in demands if name in first.needed]
    within = [name for name in kept if name in first.needed]
    order = [
        *reversed(rules),
        *(name for name in within if name not in DECIDED),
        *(name for name in reversed(DECIDED) if name in within),
    ]
    for name in order:
        fewer = [each for each in rules if each != name]
        less = [each for each in within if each != name]
        if not fewer or name not in (*rules, *within):
            continue
        rest = elastic.short(fewer, less)
        if not rest.met:
            # What this proof does not need can go at once.
            rules = [each for each in fewer if each in rest.needed]
            within = [each for each in less if each in rest.needed]
    return RuleSet(tuple(rules), tuple(within))
