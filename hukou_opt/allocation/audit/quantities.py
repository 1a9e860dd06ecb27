"""The quantities whose inequality is measured: cells, people and definitions, by the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import Grid, Index, Joined
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.spec import Term

#: Quantities of which more is better.
GOODS = ("seats_per_child", "beds_per_1000", "spending_per_head")
#: Quantities whose cells are blocks of years.
BY_BLOCK = ("unfunded_share", "spending_per_head")
TOWN, COUNTRYSIDE = "town", "countryside"
RESIDENTS = 1000.0


@dataclass(frozen=True)
class Group:
    """One kind of people in one year or block, in all regions.

    Parameters
    ----------
    before, after : tuple of str
        Parts of a cell's name before and after the region's code.
    pool : tuple of str
        Cells of one pool are compared.
    period : int
        Position of the year or block.
    side, hukou : str
        Where they live, whether they are settled; empty where the quantity does not tell.
    people : ndarray, shape (region,)
        Weight of each cell; 0 where there is none.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    pool: tuple[str, ...]
    period: int
    side: str
    hukou: str
    people: Array


def _share(part: Array, whole: Array) -> Array:
    out: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return out


def settlers(t: Tables) -> Array:
    """Mean settlers by block where anything is due, in parts of all, shape (region, block)."""
    length = np.array([len(years) for years in t.blocks])
    mean = np.where(t.block_bill > 0, t.by_block(t.p.settlers_mid) / length, 0.0)
    return mean / max(float(mean.sum()), 1e-300)


def _unfunded(t: Tables, term: Term) -> list[Group]:
    weight = settlers(t)
    return [
        Group((), (label,), (), b, "", "", weight[:, b])
        for b, label in enumerate(t.axes["block"])
        if _counted_block(t, term, b)
    ]


def _unfunded_value(t: Tables, v: Values, group: Group) -> Array:
    years = t.blocks[group.period]
    unpaid = v["unfunded"][:, :, years].sum(axis=(0, 2))
    return _share(unpaid, t.block_bill[:, group.period])


def resident_years(t: Tables) -> Array:
    """Residents of both areas summed over the years of a block, shape (region, block)."""
    return t.by_block(t.p.population.sum(axis=0))


def _spending(t: Tables, term: Term) -> list[Group]:
    people = resident_years(t)
    return [
        Group((), (label,), (), b, "", "", people[:, b])
        for b, label in enumerate(t.axes["block"])
        if _counted_block(t, term, b)
    ]


def _spending_value(t: Tables, v: Values, group: Group) -> Array:
    money = (v["central"] + v["local"] + v["levy"]).sum(axis=0) + v["bonds"].sum(axis=0)
    spent = money[:, t.blocks[group.period]].sum(axis=1)
    return _share(spent, resident_years(t)[:, group.period])


#: Service, group, side and standing of everyone whose need can be unmet.
UNMET = (
    ("seats", "hukou_children", TOWN, "hukou"),
    ("seats", "migrant_children", TOWN, "migrant"),
    ("seats", "rural_children", COUNTRYSIDE, ""),
    ("beds", "urban_residents", TOWN, ""),
    ("beds", "rural_residents", COUNTRYSIDE, ""),
)


def _concerned(t: Tables, group: str) -> tuple[Array, Array]:
    """People of a group and what they need, shape (region, year) each."""
    p, n = t.p, t.years
    return {
        "hukou_children": (p.children_hukou, p.children_hukou),
        "migrant_children": (p.children_migrant, p.children_migrant),
        "rural_children": (p.children_rural, p.need[1, 0, :, :n]),
        "urban_residents": (p.population[0], p.need[0, 1, :, :n]),
        "rural_residents": (p.population[1], p.need[1, 1, :, :n]),
    }[group]


def _unmet(t: Tables, term: Term) -> list[Group]:
    out = []
    for service in ("seats", "beds"):
        for k, year in enumerate(t.axes["year"]):
            for of, group, side, hukou in UNMET:
                if of == service and service in term.services and _counted_year(t, term, k):
                    people, need = _concerned(t, group)
                    weight = np.where(need[:, k] > 0, people[:, k], 0.0)
                    pool = (service, year)
                    out.append(Group((service, group), (year,), pool, k, side, hukou, weight))
    return out


def _unmet_value(t: Tables, v: Values, group: Group) -> Array:
    service, who = group.before
    k = group.period
    need = _concerned(t, who)[1][:, k]
    if group.hukou:
        placed = v["places_hukou" if group.hukou == "hukou" else "places_migrant"]
        return 1.0 - _share(placed[:, k], need)
    area = 1 if group.side == COUNTRYSIDE else 0
    return _share(v["shortage"][area, 0 if service == "seats" else 1, :, k], need)


def _by_area(t: Tables, term: Term, people: Array) -> list[Group]:
    """Groups of both areas in every year; people have shape (area, region, year)."""
    return [
        Group((area,), (year,), (year,), k, (TOWN, COUNTRYSIDE)[a], "", people[a, :, k])
        for k, year in enumerate(t.axes["year"])
        if _counted_year(t, term, k)
        for a, area in enumerate(t.axes["area"])
    ]


def _children(t: Tables) -> Array:
    p = t.p
    return np.stack([p.children_hukou + p.children_migrant, p.children_rural])


def _seats(t: Tables, term: Term) -> list[Group]:
    return _by_area(t, term, _children(t))


def _seats_value(t: Tables, v: Values, group: Group) -> Array:
    a, k = (0 if group.side == TOWN else 1), group.period
    have = v["capacity"][a, 0, :, k]
    if a == 0:
        have = have + v["temporary"][:, k]
    return _share(have, _children(t)[a, :, k])


def _counted_alike(t: Tables) -> Array:
    """The nation's residents, shared out by the need of beds, shape (area, region, year)."""
    need = t.p.need[:, 1, :, : t.years]
    nation = need.sum(axis=(0, 1))
    return need * _share(t.p.population.sum(axis=(0, 1)), nation)


def _beds(t: Tables, term: Term) -> list[Group]:
    return _by_area(t, term, _counted_alike(t))


def _beds_value(t: Tables, v: Values, group: Group) -> Array:
    a, k = (0 if group.side == TOWN else 1), group.period
    return RESIDENTS * _share(v["capacity"][a, 1, :, k], _counted_alike(t)[a, :, k])


def _counted_year(t: Tables, term: Term, k: int) -> bool:
    return not term.years or t.p.years[k] in term.years


def _counted_block(t: Tables, term: Term, b: int) -> bool:
    return all(_counted_year(t, term, int(k)) for k in t.blocks[b])


GROUPS: Mapping[str, Callable[[Tables, Term], list[Group]]] = {
    "unfunded_share": _unfunded,
    "unmet_rate": _unmet,
    "seats_per_child": _seats,
    "beds_per_1000": _beds,
    "spending_per_head": _spending,
}
VALUES: Mapping[str, Callable[[Tables, Values, Group], Array]] = {
    "unfunded_share": _unfunded_value,
    "unmet_rate": _unmet_value,
    "seats_per_child": _seats_value,
    "beds_per_1000": _beds_value,
    "spending_per_head": _spending_value,
}


def cells_of(t: Tables, group: Group) -> Grid:
    """A group's cells: one for each region."""
    before, after = ([(part,) for part in parts] for parts in (group.before, group.after))
    return Grid((*before, t.p.codes, *after))


@dataclass(frozen=True)
class Quantity:
    """All cells of one quantity that some level or limit needs, in a fixed order.

    Parameters
    ----------
    measure : str
        Its name.
    index : Index
        Labels of the cells.
    groups : list of (Group, ndarray of bool)
        Groups and which of their regions have a cell; in the order of the cells.
    """

    measure: str
    index: Index
    groups: Sequence[tuple[Group, NDArray[np.bool_]]]

    def definition(self, t: Tables, v: Values) -> Rows:
        """Every cell less its definition is 0 but for the constant, which is left on the right."""
        zero = Values({name: np.zeros_like(array) for name, array in v.arrays.items()})
        define = VALUES[self.measure]
        cells, constants = [], []
        for group, real in self.groups:
            constant = define(t, zero, group)[real]
            constants.append(constant)
            cells.append(define(t, v, group)[real] - constant)
        right = np.concatenate(constants)
        rest = v[self.measure] - np.concatenate(cells)
        return make_rows(f"{self.measure}_definition", self.index, rest, lower=right, upper=right)


def quantities(
    t: Tables, terms: Sequence[Term], pooled: Callable[[Term, Group], bool]
) -> list[Quantity]:
    """The quantities that terms name, with the cells of all of them.

    Parameters
    ----------
    t : Tables
        Derived figures.
    terms : sequence of Term
        Terms of levels and limits.
    pooled : callable
        Whether a term compares a group with anybody.
    """
    out = []
    for measure in dict.fromkeys(term.measure for term in terms):
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], Group] = {}
        for term in terms:
            if term.measure == measure:
                for group in GROUPS[measure](t, term):
                    if pooled(term, group):
                        found.setdefault((group.before, group.after), group)
        groups = [(group, group.people > 0) for group in found.values()]
        groups = [(group, real) for group, real in groups if real.any()]
        if groups:
            parts = tuple(cells_of(t, group).only(real) for group, real in groups)
            out.append(Quantity(measure, Joined(parts), groups))
    return out
