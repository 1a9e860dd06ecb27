"""The allocation's rules and levels a second time, for SciPy, from the specification (C1-C20).

Nothing of the Pyomo model is used, only the input arrays of `Problem`: every derived figure
(profile of a block, weights, limits, targets) is computed here again, and inequality is in its
exact pairwise form. Both programs must reach the same value at every level.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from second_linear import Terms, expression, total
from second_rules import BUILDS, SOFT, Rules

from hukou_opt.allocation.problem import Problem


class Toy(Rules):
    """The whole allocation of a small problem."""

    def __init__(self, p: Problem) -> None:
        super().__init__(p)
        self._index_columns()

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
            parts += [(1, self.building(g, r, t, public=1.0)) for g in BUILDS.values()]
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
