"""What can be seen to be wrong with levels and limits before the solve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hukou_opt.allocation.objectives.indices import INDICES
from hukou_opt.allocation.objectives.indices.index import MOST_CELLS
from hukou_opt.allocation.objectives.measure import blocks_of
from hukou_opt.allocation.objectives.terms import MEASURES, pools_of
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import BETWEEN, SHIPPED, LevelSpec, Term
from hukou_opt.allocation.tiling.groups import GroupedProblem, Mixed, groups_of
from hukou_opt.errors import Fault, did_you_mean

#: Names that the order of the levels uses itself, and beginnings of such names.
RESERVED = ("slip", "demanded", "law", "near_need", "limits")
RESERVED_BEGINNINGS = ("guard", "limit_")
#: Levels without measures of inequality.
BUILT_IN = ("unfunded_total", "slack", "cost")
#: Settings of a term, and the indices that read them.
READ_BY = {
    "standard": ("shortfall",),
    "part": ("worst_mean",),
    "aversion": ("averse_mean",),
    "pairwise": ("gini_difference", "gini", "averse_mean"),
}


def check(p: Problem) -> list[Fault]:
    """Faults of the levels and limits of a problem."""
    aims = p.aims
    faults = _name_faults(aims.levels)
    for level in aims.levels:
        where = f"objective {level.name!r}"
        if not level.terms and level.name not in BUILT_IN:
            faults.append(Fault(where, "has no terms", f"list terms, or use one of {BUILT_IN}"))
        # A shipped level over nobody is 0, as when nothing is due; an own one is a mistake.
        shipped = SHIPPED.get(level.name) == level
        for term in level.terms:
            faults += _term_faults(p, where, term, may_be_empty=shipped)
        faults += _level_faults(where, level)
    for number, limit in enumerate(aims.limits, start=1):
        where = f"limit {number} ({limit.term.index} of {limit.term.measure})"
        faults += _term_faults(p, where, limit.term)
        faults += _limit_faults(where, limit.term, limit.at_most)
    if not aims.accept_levelling_down:
        faults += _levelling_faults(p)
    return faults


def _name_faults(levels: Sequence[LevelSpec]) -> list[Fault]:
    names = Counter(level.name for level in levels)
    faults = [
        Fault(f"objective {name!r}", f"is listed {times} times", "give each level its own name")
        for name, times in names.items()
        if times > 1
    ]
    for level in levels:
        built_in = level.name in BUILT_IN and level.terms
        if built_in or level.name in RESERVED or level.name.startswith(RESERVED_BEGINNINGS):
            faults.append(
                Fault(f"objective {level.name!r}", "has a name that is taken", "choose another")
            )
    return faults


def _term_faults(p: Problem, where: str, term: Term, *, may_be_empty: bool = False) -> list[Fault]:
    for name, known, kind in (
        (term.measure, MEASURES, "measure"),
        (term.index, INDICES, "index"),
        (term.between, BETWEEN, "comparison"),
    ):
        if name not in known:
            hint = did_you_mean(name, list(known))
            return [Fault(where, f"names an unknown {kind} ({name!r})", hint)]
    measure, index = MEASURES[term.measure], INDICES[term.index]
    faults = []
    outside = [year for year in term.years if year not in p.years]
    if outside:
        faults.append(
            Fault(
                where,
                f"counts years outside the plan ({', '.join(map(str, outside))})",
                f"choose from {p.years[0]} to {p.years[-1]}",
            )
        )
    elif measure.by == "block" and not blocks_of(p, term):
        labels = ", ".join(block.label for block in p.blocks)
        faults.append(
            Fault(
                where,
                f"counts no whole block of years ({', '.join(map(str, term.years))})",
                f"money is set by block: list all years of a block ({labels})",
            )
        )
    if index.applies_to == "good" and not measure.good:
        faults.append(
            Fault(
                where,
                f"divides by the mean of a quantity of which less is better ({term.measure})",
                "the ratio rises when that mean falls, so that helping everybody would count as "
                "harm: use averse_mean, or gini_difference after a level that holds the need",
            )
        )
    if term.between not in measure.groupings:
        faults.append(
            Fault(
                where,
                f"compares what {term.measure} does not tell apart ({term.between})",
                f"use one of {', '.join(measure.groupings)}",
            )
        )
    faults += _setting_faults(where, term, good=measure.good)
    if not faults:
        faults += _size_faults(p, where, term, may_be_empty=may_be_empty)
    return faults


def _setting_faults(where: str, term: Term, *, good: bool) -> list[Fault]:
    faults = []
    for setting, readers in READ_BY.items():
        given = getattr(term, setting)
        if given not in (None, False) and term.index not in readers:
            faults.append(
                Fault(
                    where,
                    f"{term.index} has no use for {setting} ({given})",
                    f"leave it out; it belongs to {', '.join(readers)}",
                )
            )
    if term.index == "shortfall":
        if good and (term.standard is None or not term.standard > 0):
            faults.append(
                Fault(
                    where,
                    f"has no standard above 0 ({term.standard})",
                    f"say from which {term.measure} on nothing is missing",
                )
            )
        elif not good and term.standard is not None and not 0 <= term.standard < 1:
            faults.append(
                Fault(where, f"standard is not a share ({term.standard})", "give 0 to below 1")
            )
    for setting, low in (("part", "above 0"), ("aversion", "0")):
        value = getattr(term, setting)
        if value is not None and not (0 <= value <= 1 and (value > 0 or setting == "aversion")):
            faults.append(Fault(where, f"{setting} is no share ({value})", f"give {low} to 1"))
    if not term.weight > 0:
        faults.append(Fault(where, f"weight is not positive ({term.weight})", "give it above 0"))
    return faults


def _size_faults(p: Problem, where: str, term: Term, *, may_be_empty: bool) -> list[Fault]:
    try:
        pools = pools_of(GroupedProblem.of(p, groups_of(p)), term)
    except Mixed:
        pools = pools_of(p, term)
    if not pools:
        if may_be_empty:
            return []
        fix = "see the years, the services, and whether anybody is there to be counted"
        what = f"has nobody to compare ({term.measure}, {term.between})"
        return [Fault(where, what, fix)]
    faults = []
    largest = max(pool.size for pool in pools)
    every = sum(pool.count * pool.size for pool in pools)
    if term.pairwise and largest > MOST_CELLS:
        faults.append(
            Fault(
                where,
                f"writes out all pairs of {largest} cells, at most {MOST_CELLS} are allowed",
                "leave pairwise out: rows are then added as they are needed",
            )
        )
    if term.index == "leximin" and every > MOST_CELLS:
        faults.append(
            Fault(
                where,
                f"orders {every} cells one by one, at most {MOST_CELLS} are allowed",
                "compare regions, or fewer years",
            )
        )
    return faults


def _level_faults(where: str, level: LevelSpec) -> list[Fault]:
    single = [t.index for t in level.terms if t.index == "leximin" or _is_ratio(t)]
    faults = []
    if single and len(level.terms) > 1:
        faults.append(
            Fault(
                where,
                f"adds up terms of which one is no sum ({', '.join(single)})",
                "put it into a level of its own",
            )
        )
    if level.guarded and "leximin" in single:
        faults.append(
            Fault(where, "guards leximin, which has no single value", "guard a level before it")
        )
    return faults


def _is_ratio(term: Term) -> bool:
    return term.index in INDICES and INDICES[term.index].ratio


def _limit_faults(where: str, term: Term, at_most: float) -> list[Fault]:
    if term.measure not in MEASURES or term.index not in INDICES:
        return []
    if term.index == "leximin":
        return [Fault(where, "limits leximin, which has no single value", "use worst")]
    if MEASURES[term.measure].good and not INDICES[term.index].spread:
        return [
            Fault(
                where,
                f"limits from above what is better when it is more ({term.measure})",
                "limit its shortfall below a standard, or its gini",
            )
        ]
    if not at_most >= 0:
        return [Fault(where, f"at_most is negative or no number ({at_most})", "give 0 or more")]
    return []


def _levelling_faults(p: Problem) -> list[Fault]:
    """Levels that can be met by making people worse off while nothing holds their level."""
    held: list[Term] = []
    if p.parameters["guard"] < 1:
        held += [term for level in p.aims.levels if level.guarded for term in level.terms]
    held = [term for term in held if _holds(term)]
    faults = []
    for level in p.aims.levels:
        for term in level.terms:
            if term.index not in INDICES or term.measure not in MEASURES:
                continue
            if not INDICES[term.index].monotone and not any(_covers(h, term) for h in held):
                faults.append(
                    Fault(
                        f"objective {level.name!r}",
                        f"can be met by making people worse off ({term.index} of {term.measure})",
                        f"put a level before it that holds {term.measure}, such as its averse_mean "
                        "or mean, or set allocation.accept_levelling_down: true",
                    )
                )
        held += [term for term in level.terms if _holds(term)]
    return faults


def _holds(term: Term) -> bool:
    """Whether a term rises with every loss, so that holding it holds people's level."""
    return term.index in INDICES and INDICES[term.index].monotone


def _covers(held: Term, term: Term) -> bool:
    """Whether the quantity, services and years of one term are among those of a held one."""
    years = not held.years or (bool(term.years) and set(term.years) <= set(held.years))
    services = set(term.services) <= set(held.services)
    return held.measure == term.measure and years and services
