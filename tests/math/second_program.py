"""The allocation's rules and levels a second time, for SciPy, from the specification (C1-C20).

Nothing of the Pyomo model is used, only the input arrays of `Problem`: every derived figure
(profile of a block, weights, limits, targets) is computed here again, and inequality is in its
exact pairwise form. Both programs must reach the same value at every level.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from hukou_opt.allocation.problem import Problem

SECTORS = ("education", "health", "social_security", "other")
#: Sector that builds the seats (service 0) and the beds (service 1).
BUILDS = {0: 0, 1: 1}
SOFT = ("support_floor", "public_share", "rural_level", "no_dilution")
Name = Any
Terms = Mapping[Any, float]


def total(*parts: tuple[float, Terms]) -> dict[Name, float]:
    """Sum of linear expressions, each with a factor."""
    out: dict[Name, float] = defaultdict(float)
    for factor, terms in parts:
        for name, value in terms.items():
            out[name] += factor * value
    return dict(out)


class Program:
    """Rows by name of their variables; all variables are >= 0, `()` is the constant 1."""

    def __init__(self) -> None:
        self.position: dict[tuple[object, ...], int] = {}
        self.upper: dict[Name, float] = {}
        self.less: list[Terms] = []
        self.equal: list[Terms] = []

    def le(self, *parts: tuple[float, Terms]) -> None:
        """Add the row ``sum of the parts <= 0``."""
        self.less.append(total(*parts))

    def eq(self, *parts: tuple[float, Terms]) -> None:
        """Add the row ``sum of the parts == 0``."""
        self.equal.append(total(*parts))

    def minimise(self, objective: Terms) -> tuple[float, dict[Name, float]]:
        """Minimise one linear expression; value and variables."""
        names = {name for row in (*self.less, *self.equal, objective) for name in row} - {()}
        position = {name: i for i, name in enumerate(sorted(names, key=repr))}

        def table(rows: list[Terms]) -> tuple[np.ndarray, np.ndarray]:
            dense = np.zeros((len(rows), len(position)))
            for i, row in enumerate(rows):
                for name in row.keys() - {()}:
                    dense[i, position[name]] = row[name]
            return dense, np.array([-row.get((), 0.0) for row in rows])

        cost = np.array([objective.get(name, 0.0) for name in position])
        scale = max(float(np.abs(cost).max()), 1e-12)
        bounds = [(0.0, self.upper.get(name, np.inf)) for name in position]
        tight: Any = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
        (a, b), (c, d) = table(self.less), table(self.equal)
        found: Any = linprog(cost / scale, a, b, c, d, bounds, options=tight)
        assert found.status == 0, found.message
        value = float(found.fun) * scale + objective.get((), 0.0)
        return value, {name: float(found.x[i]) for name, i in position.items()}


def expression(names: Iterable[Name], factor: float = 1.0) -> Terms:
    """Sum of variables."""
    return total(*((factor, {name: 1.0}) for name in names))


class Toy:
    """The whole allocation of a small problem."""

    def __init__(self, p: Problem) -> None:
        self.p, self.lp = p, Program()
        self.R, self.T = range(len(p.codes)), range(len(p.years))
        self.G, self.J, self.S = range(4), range(2), range(2)
        self.ALL = range(len(p.years) + len(p.tail))
        self.blocks = [[y - p.years[0] for y in range(b.first, b.last + 1)] for b in p.blocks]
        self.block_of = {t: b for b, years in enumerate(self.blocks) for t in years}
        self.alike = self.unreachable()
        self.late = np.zeros_like(self.alike)
        self._capacity()
        self._money()
        self._fund()
        self._soft()
        self._index_columns()

    # -- expressions ------------------------------------------------------------------------------
    def built(self, j: int, s: int, r: int, t: int) -> Terms:
        """Standing capacity at the end of year t that came from starts."""
        h = self.p.standing[s]
        return {("x", j, s, r, u): h[t - u] for u in self.T if u <= t}

    def capacity(self, j: int, s: int, r: int, t: int) -> Terms:
        return {(): self.p.existing[j, s, r, t], **self.built(j, s, r, t)}

    def places(self, r: int, t: int) -> Terms:
        extra = {(): self.p.stretch[r, t], ("tp", r, t): 1.0}
        return total((1, self.capacity(0, 0, r, t)), (1, extra))

    def building(self, g: int, r: int, t: int) -> Terms:
        return {
            ("x", j, s, r, t): self.p.unit_cost[j, s]
            for j, s in product(self.J, self.S)
            if BUILDS[s] == g
        }

    def central(self, g: int, r: int, years: Iterable[int]) -> Terms:
        return expression(("F", g, r, t) for t in years)

    # -- rules ------------------------------------------------------------------------------------
    def unreachable(self) -> np.ndarray:
        """Cells that the largest build, all temporary places and stretch do not bring to KU."""
        p = self.p
        out = np.zeros((len(self.R), len(self.T)), dtype=bool)
        for r, t in product(self.R, self.T):
            rate = p.parameters["build_rate_limit"]
            most = p.existing[0, 0, r, t] * (1 + p.parameters["temporary_place_limit"])
            most += p.stretch[r, t]
            most += sum(p.standing[0, t - u] * rate * p.existing[0, 0, r, u] for u in range(t + 1))
            out[r, t] = most < p.children_hukou[r, t]
        return out

    def _capacity(self) -> None:
        p, lp = self.p, self.lp
        par = p.parameters
        for j, s, r in product(self.J, self.S, self.R):
            for t in self.T:
                lp.upper["x", j, s, r, t] = par["build_rate_limit"] * p.existing[j, s, r, t]
                bought = {("tp", r, t): 1.0} if (j, s) == (0, 0) else {}
                missing = {(): p.need[j, s, r, t], ("sh", j, s, r, t): -1.0}
                lp.le((1, missing), (-1, self.capacity(j, s, r, t)), (-1, bought))
            for t in self.ALL:
                enough = (1 + par["surplus_margin"]) * p.need[j, s, r, t]
                lp.le((1, self.capacity(j, s, r, t)), (-1, {(): enough, ("ov", j, s, r, t): 1.0}))
        for r, t in product(self.R, self.T):
            ku, km = p.children_hukou[r, t], p.children_migrant[r, t]
            lp.upper["a", r, t], lp.upper["m", r, t] = ku, km
            lp.upper["slip", r, t] = p.hukou_first[t] * ku
            lp.upper["tp", r, t] = par["temporary_place_limit"] * p.existing[0, 0, r, t]
            lp.le((1, {("a", r, t): 1.0, ("m", r, t): 1.0}), (-1, self.places(r, t)))
            posts = {("tch", r, u): par["pupils_per_teacher"] for u in range(t + 1)}
            freed = {(): par["pupils_per_teacher"] * p.redeployed[r, t]}
            seats = total(*((1, self.built(j, 0, r, t)) for j in self.J))
            lp.le((1, seats), (-1, posts), (-1, freed))
        hired = expression(("tch", r, t) for r, t in product(self.R, self.T))
        lp.le((1, hired), (-par["teacher_posts"], {(): 1.0}))

    def rationing(self) -> list[Terms]:
        """Rows of C3 under the regimes as they stand."""
        p = self.p
        rows: list[Terms] = []
        for r, t in product(self.R, self.T):
            ku, km, phi = p.children_hukou[r, t], p.children_migrant[r, t], p.hukou_first[t]
            even = (1 - phi) * km / max(ku + km, 1e-9)
            row = [(1, {("m", r, t): 1.0}), (-even, self.places(r, t))]
            if self.alike[r, t]:
                self.lp.upper["slip", r, t] = 0.0
            else:
                row += [(-phi, self.places(r, t)), (phi * ku, {(): 1.0})]
                row += [(-1, {("slip", r, t): 1.0})]
            rows.append(total(*row))
        return rows

    def _money(self) -> None:
        p, lp = self.p, self.lp
        for r, t in product(self.R, self.T):
            for g in self.G:
                lp.upper["gap", g, r, t] = p.cost[g, r, t]
                paid = expression((kind, g, r, t) for kind in ("F", "A", "EW", "gap"))
                bill = total((1, {(): p.cost[g, r, t]}), (1, self.building(g, r, t)))
                if g == 0:
                    bill = total(
                        (1, bill), (p.parameters["temporary_place_cost"], {("tp", r, t): 1})
                    )
                if g in BUILDS.values():
                    paid = total((1, paid), (1, {("Bd", g, r, t): 1.0}))
                    lp.le((1, {("Bd", g, r, t): 1.0}), (-1, self.building(g, r, t)))
                lp.eq((1, paid), (-1, bill))
            for kind, most in (("A", p.local_ceiling), ("EW", p.levy_ceiling)):
                lp.le((1, expression((kind, g, r, t) for g in self.G)), (-most[r, t], {(): 1.0}))
            bonds = expression(("Bd", g, r, t) for g in BUILDS.values())
            lp.le((1, bonds), (-p.bond_ceiling[r, t], {(): 1.0}))
        for t in self.T:
            bonds = expression(("Bd", g, r, t) for g in BUILDS.values() for r in self.R)
            lp.le((1, bonds), (-p.bond_total[t], {(): 1.0}))

    def profile(self, r: int, years: list[int]) -> np.ndarray:
        p = self.p
        bill = p.cost[:, r, years].sum(axis=0)
        left = np.maximum(0, bill - p.local_ceiling[r, years] - p.levy_ceiling[r, years])
        for basis in (left, bill, np.ones(len(years))):
            if basis.sum() > 0:
                return np.asarray(basis / basis.sum())
        raise AssertionError

    def _fund(self) -> None:
        p, lp = self.p, self.lp
        share = [p.parameters[f"sector_share_{name}"] for name in SECTORS]
        nation = {
            t: total(*((1, self.central(g, r, [t])) for g in self.G for r in self.R))
            for t in self.T
        }
        for t in self.T:
            part = p.fund * (t + 1) / len(self.T)
            lp.le(*((1, nation[u]) for u in range(t + 1)), (-part, {(): 1.0}))
        for g in self.G:
            spent = {t: total(*((1, self.central(g, r, [t])) for r in self.R)) for t in self.T}
            lp.eq(*((1, spent[t]) for t in self.T), *((-share[g], nation[t]) for t in self.T))
            for years, sign in product(self.blocks, (1, -1)):
                whole = total(*((1, nation[t]) for t in years))
                apart = total(*((1, spent[t]) for t in years), (-share[g], whole))
                lp.le((sign, apart), (-p.parameters["sector_share_band"], whole))
        for r, (b, years) in product(self.R, enumerate(self.blocks)):
            for t, part in zip(years, self.profile(r, years), strict=True):
                year = total(*((1, self.central(g, r, [t])) for g in self.G))
                lp.eq((1, year), (-part, {("Fb", r, b): 1.0}))

    def block_cost(self, r: int, b: int) -> float:
        return float(self.p.cost[:, r, self.blocks[b]].sum())

    def _soft(self) -> None:
        """Soft rules; `asked` holds each rule's slack over what it asks."""
        p, lp, par = self.p, self.lp, self.p.parameters
        self.asked: dict[str, Terms] = {}
        rate = par["central_support_rate"]
        floor = {
            (r, b): rate * self.block_cost(r, b)
            for r, b in product(self.R, range(len(self.blocks)))
            if p.supported[r]
        }
        target = par["public_share_target"]
        late = [t for t in self.T if p.years[t] == par["public_share_target_year"]]
        migrants = sum(target * p.children_migrant[:, t].sum() for t in late)
        start = np.minimum(1.0, p.start_coverage)
        goal = par["rural_level_target"]
        has_need = {
            (j, s, r, t)
            for j, s, r, t in product(self.J, self.S, self.R, self.T)
            if p.need[j, s, r, t] > 0
        }
        rural = [
            (s, r, t)
            for s, r, t in product(self.S, self.R, self.T)
            if {(0, s, r, t), (1, s, r, t)} <= has_need
        ]
        wanted: dict[str, tuple[list[Name], float]] = {
            "support_floor": ([("s1", *k) for k in floor], sum(floor.values())),
            "public_share": ([("s2", t) for t in late], migrants),
            "rural_level": ([("s3", *k) for k in rural], len(rural)),
            "no_dilution": ([("s4", *k) for k in sorted(has_need)], len(has_need)),
        }
        for name in SOFT:
            slacks, asked = wanted[name]
            active = p.modes[name] != "off" and slacks
            self.asked[name] = expression(slacks, 1 / max(asked, 1e-9)) if active else {}
        if p.modes["support_floor"] != "off":
            for (r, b), promised in floor.items():
                lp.le((promised, {(): 1.0}), (-1, {("Fb", r, b): 1.0, ("s1", r, b): 1.0}))
        if p.modes["public_share"] != "off":
            for t in late:
                lp.le(
                    (migrants, {(): 1.0}),
                    (-1, {("s2", t): 1.0}),
                    (-1, expression(("m", r, t) for r in self.R)),
                )
        if p.modes["rural_level"] != "off":
            for s, r, t in rural:
                today = min(goal, 1.0, start[1, s, r] / start[0, s, r])
                rho = today + (goal - today) * (t + 1) / len(self.T)
                if s == 0:
                    children = p.children_hukou[r, t] + p.children_migrant[r, t]
                    urban = {("a", r, t): 1 / children, ("m", r, t): 1 / children}
                else:
                    urban = {(): 1.0}
                lp.le(
                    (rho, urban),
                    (-1 / p.need[1, s, r, t], self.capacity(1, s, r, t)),
                    (-1, {("s3", s, r, t): 1.0}),
                )
        if p.modes["no_dilution"] != "off":
            for j, s, r, t in has_need:
                lp.le(
                    (start[j, s, r], {(): 1.0}),
                    (-1, {("s4", j, s, r, t): 1.0}),
                    (-1 / p.need[j, s, r, t], self.capacity(j, s, r, t)),
                )

    # -- inequality, pairwise ---------------------------------------------------------------------
    def averse_mean(self, name: str, rates: list[tuple[float, Terms]]) -> Terms:
        """``mean + lambda sum_{i<j} w_i w_j |y_i - y_j|`` with one column for every pair."""
        whole = sum(w for w, _ in rates)
        rates = [(w / whole, y) for w, y in rates]
        out = total(*rates)
        for i, k in combinations(range(len(rates)), 2):
            (wi, yi), (wk, yk), gap = rates[i], rates[k], {(name, i, k): 1.0}
            self.lp.le((1, yi), (-1, yk), (-1, gap))
            self.lp.le((1, yk), (-1, yi), (-1, gap))
            out = total((1, out), (self.p.parameters["inequality_aversion"] * wi * wk, gap))
        return out

    def _index_columns(self) -> None:
        p, lp = self.p, self.lp
        shares: list[tuple[float, Terms]] = []
        for r, (b, years) in product(self.R, enumerate(self.blocks)):
            weight, cost = float(p.settlers_mid[r, years].mean()), self.block_cost(r, b)
            if weight > 0 and cost > 0:
                gaps = expression(("gap", g, r, t) for g in self.G for t in years)
                shares.append((weight, total((1 / cost, gaps))))
        whole = sum(w for w, _ in shares)
        worst: Terms = {("tau",): 1.0}
        for i, (w, y) in enumerate(shares):
            lp.le((1, y), (-1, {("tau",): 1.0, ("above", i): 1.0}))
            worst = total(
                (1, worst), (w / whole / p.parameters["worst_share"], {("above", i): 1.0})
            )
        unmet: Terms = {}
        for s, t in product(self.S, self.T):
            rates: list[tuple[float, Terms]] = []
            for r in self.R:
                if s == 0:
                    ku, km = p.children_hukou[r, t], p.children_migrant[r, t]
                    for kind, n in (("a", ku), ("m", km)):
                        if n > 0:
                            rates.append((n, {(): 1.0, (kind, r, t): -1 / n}))
                for j in (1,) if s == 0 else (0, 1):
                    people = p.children_rural[r, t] if s == 0 else p.population[j, r, t]
                    if people > 0 and p.need[j, s, r, t] > 0:
                        rates.append((people, {("sh", j, s, r, t): 1 / p.need[j, s, r, t]}))
            index = self.averse_mean(f"pair{s}{t}", rates)
            unmet = total((1, unmet), (1 / (len(self.S) * len(self.T)), index))
        self.levels = {
            "unfunded_worst": worst,
            "unfunded": self.averse_mean("pair", shares),
            "unmet": unmet,
            "slack": self._soft_level("soft"),
            "cost": self._cost_level(),
        }

    def _soft_level(self, mode: str) -> Terms:
        names = [name for name in SOFT if self.p.modes[name] == mode]
        return total(*((1 / max(len(names), 1), self.asked[name]) for name in names))

    def _cost_level(self) -> Terms:
        p, par = self.p, self.p.parameters
        parts: list[tuple[float, Terms]] = []
        for r, t in product(self.R, self.T):
            parts += [(1, self.building(g, r, t)) for g in BUILDS.values()]
            parts += [(par["temporary_place_cost"], {("tp", r, t): 1.0})]
            parts += [(par["teacher_pay"], {("tch", r, t): 1.0})]
        for j, s, r, t in product(self.J, self.S, self.R, self.ALL):
            parts.append(
                (par["stranded_years_charge"] * p.unit_cost[j, s], {("ov", j, s, r, t): 1.0})
            )
        return total((1 / p.fund, total(*parts)))

    # -- levels -----------------------------------------------------------------------------------
    def solve(self) -> dict[str, float]:
        """Value of every level, each held for the later ones as the specification says."""
        lp, values = self.lp, {}
        cells = [("slip", r, t) for r, t in product(self.R, self.T)]
        slip = expression(cells, 1 / float(self.p.children_migrant.sum()))
        laws = [name for name in SOFT if self.p.modes[name] == "law"]
        fixed = list(lp.less)
        for _ in range(2):
            lp.less = fixed + self.rationing()
            _, x = lp.minimise(slip)
            late = np.array([[x.get(("slip", r, t), 0) > 1e-6 for t in self.T] for r in self.R])
            self.late |= late
            self.alike |= late
        lp.upper.update(dict.fromkeys(cells, 0.0))
        if laws:
            law = total(*((1, self.asked[name]) for name in laws))
            values["law"], _ = lp.minimise(law)
            self._hold(law, values["law"])
        for name, level in self.levels.items():
            values[name], _ = lp.minimise(level)
            self._hold(level, values[name])
        return values

    def _hold(self, level: Terms, value: float) -> None:
        scale = max([abs(v) for k, v in level.items() if k != ()], default=1.0)
        limit = value + max(1e-4 * abs(value), 1e-6)
        self.lp.le((1 / scale, level), (-limit / scale, {(): 1.0}))
