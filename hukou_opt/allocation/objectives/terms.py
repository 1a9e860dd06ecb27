"""Terms of levels and limits as variables, rows and expressions of the Pyomo model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum
from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives import beds, seats, spending, unfunded, unmet
from hukou_opt.allocation.objectives.indices import INDICES, Build, Settings
from hukou_opt.allocation.objectives.measure import Label, Measure
from hukou_opt.allocation.objectives.pools import Member, Pool, pools
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import LevelSpec, Term

#: The catalogue of quantities, one per file.
MEASURES: dict[str, Measure] = {
    family.MEASURE.name: family.MEASURE for family in (unfunded, unmet, seats, beds, spending)
}


#: Pairs of members up to which a bare difference is written out in any case: near equality every
#: order of the members is nearly as good, and rows as needed come one by one for minutes.
FEW_PAIRS = 1000


def settings_of(p: Problem, term: Term, found: tuple[Pool, ...]) -> Settings:
    """Settings of a term, with the registry's values where it is silent.

    Parameters
    ----------
    p : Problem
        Inputs.
    term : Term
        The term.
    found : tuple of Pool
        Its pools.
    """
    par = p.parameters
    pairs = sum(pool.count * pool.pairs for pool in found)
    few = not INDICES[term.index].monotone and pairs <= FEW_PAIRS
    return Settings(
        0.0 if term.standard is None else term.standard,
        par["worst_share"] if term.part is None else term.part,
        par["inequality_aversion"] if term.aversion is None else term.aversion,
        term.pairwise or few,
    )


def term_names(level: LevelSpec) -> tuple[str, ...]:
    """Names of a level's terms; variables and rows begin with them."""
    if len(level.terms) == 1:
        return (f"aim_{level.name}",)
    # The number comes first, so that no two levels' names can ever run into each other.
    return tuple(f"aim{number}_{level.name}" for number in range(1, len(level.terms) + 1))


def pools_of(p: Problem, term: Term) -> tuple[Pool, ...]:
    """Who is compared with whom in a term."""
    return pools(MEASURES[term.measure], p, term)


def _cell_name(measure: str, label: Label) -> str:
    return f"{measure}[{','.join(str(part) for part in label)}]"


def column_name(term: Term, name: str, pool: Pool, member: Member) -> str:
    """Name of the column that holds a member's value."""
    if len(member.parts) == 1:
        return _cell_name(term.measure, member.parts[0][0])
    return f"{name}_member[{pool.key},{member.label}]"


def cell_shares(p: Problem, term: Term) -> dict[Label, float]:
    """Weight of each cell of the quantity in the mean of a term; the weights sum to 1."""
    shares: dict[Label, float] = {}
    for pool in pools_of(p, term):
        for member in pool.members:
            for label, share in member.parts:
                weight = pool.portion * member.weight * share
                shares[label] = shares.get(label, 0.0) + weight
    total = fsum(shares.values())
    return {label: weight / total for label, weight in shares.items()}


def cell_names(term: Term, labels: Iterable[Label]) -> list[str]:
    """Names of the columns of a quantity's cells."""
    return [_cell_name(term.measure, label) for label in labels]


@dataclass(frozen=True)
class Built:
    """One term inside the Pyomo model.

    Parameters
    ----------
    pools : tuple of Pool
        Who is compared with whom.
    values : list of expression
        Index of each pool, numerator where it is a ratio.
    means : list of expression
        Mean of the quantity in each pool.
    """

    pools: tuple[Pool, ...]
    values: list[Any]
    means: list[Any]

    @property
    def value(self) -> Any:
        """Sum over the pools of what each counts."""
        return sum(
            (pool.portion * value for pool, value in zip(self.pools, self.values, strict=True)), 0.0
        )

    @property
    def mean(self) -> Any:
        """Mean of the quantity over all pools."""
        return sum(
            (pool.portion * mean for pool, mean in zip(self.pools, self.means, strict=True)), 0.0
        )


def add_measures(m: Any, p: Problem, terms: Iterable[Term]) -> None:
    """Add the cells that any term needs, of the quantities that any term names."""
    #: Cells in the order in which they are met, each with the term, pool and member that met it.
    needed: dict[str, dict[Label, tuple[str, ...]]] = {}
    for number, term in enumerate(terms):
        for pool in pools_of(p, term):
            for member in pool.members:
                met = (str(number), pool.key, member.label)
                cells = needed.setdefault(term.measure, {})
                for part, _ in member.parts:
                    cells.setdefault(part, met)
    for name, labels in needed.items():
        m.cell_order.update({name: labels, f"{name}_definition": labels})
        value = MEASURES[name].define(m, p)
        index = pyo.Set(initialize=list(labels), dimen=len(next(iter(labels))), ordered=True)
        m.add_component(f"{name}_cells", index)
        variable = pyo.Var(index, domain=pyo.NonNegativeReals)
        m.add_component(name, variable)

        def equal(_: Any, *label: str | int, variable: Any = variable, value: Any = value) -> Any:
            return variable[label] == value(label)

        m.add_component(f"{name}_definition", pyo.Constraint(index, rule=equal))


def add_term(m: Any, p: Problem, name: str, level: str, term: Term) -> Built:
    """Add one term; its quantity's cells are there already.

    Parameters
    ----------
    m : ConcreteModel
        The model.
    p : Problem
        Inputs.
    name : str
        Name of the term.
    level : str
        Level, or limit, that the term belongs to.
    term : Term
        What is measured.
    """
    found = pools_of(p, term)
    measure = MEASURES[term.measure]
    cell = getattr(m, measure.name) if found else {}
    joined = {
        (pool.key, member.label): member
        for pool in found
        for member in pool.members
        if len(member.parts) > 1
    }
    columns, names = {}, {}
    if joined:
        variable = pyo.Var(list(joined), domain=pyo.NonNegativeReals)
        m.add_component(f"{name}_member", variable)
        m.add_component(
            f"{name}_member_definition",
            pyo.Constraint(
                list(joined),
                rule=lambda _, pool, label: (
                    variable[pool, label]
                    == sum(share * cell[part] for part, share in joined[pool, label].parts)
                ),
            ),
        )
    for pool in found:
        for member in pool.members:
            key = (pool.key, member.label)
            columns[key] = variable[key] if key in joined else cell[member.parts[0][0]]
            names[key] = column_name(term, name, pool, member)
    given = Build(m, name, level, found, columns, names, measure.sign, settings_of(p, term, found))
    values = INDICES[term.index].build(given) if found else []
    means = [measure.sign * given.mean_loss(pool) for pool in found]
    return Built(found, values, means)
