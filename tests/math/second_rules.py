"""The rules a second time, from the specification (C1-C20) and the input arrays alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
from second_linear import Name, Program, Terms, expression, total

from hukou_opt.allocation.problem import Problem

SECTORS = ("education", "health", "social_security", "other")
#: Sector that builds the seats (service 0) and the beds (service 1).
BUILDS = {0: 0, 1: 1}
SOFT = (
    "support_floor",
    "public_share",
    "rural_level",
    "no_dilution",
    "seat_target",
    "performance_reward",
)


class Rules:
    """Rows of all rules of a small problem; starts are x, those of partners y."""

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

    # -- expressions ------------------------------------------------------------------------------
    def built(self, j: int, s: int, r: int, t: int) -> Terms:
        """Standing capacity at the end of year t that came from starts."""
        h = self.p.standing[s]
        kinds = [("x", j), ("y",)] if j == 0 else [("x", j)]
        return {(*kind, s, r, u): h[t - u] for kind in kinds for u in self.T if u <= t}

    def capacity(self, j: int, s: int, r: int, t: int) -> Terms:
        return {(): self.p.existing[j, s, r, t], **self.built(j, s, r, t)}

    def places(self, r: int, t: int) -> Terms:
        extra = {(): self.p.stretch[r, t], ("tp", r, t): 1.0}
        return total((1, self.capacity(0, 0, r, t)), (1, extra))

    def building(self, g: int, r: int, t: int, public: float | None = None) -> Terms:
        """Building that the purse pays, or all of it where its part of partners' starts is 1."""
        if public is None:
            public = 1 - self.p.parameters["partner_capital_share"]
        own = {
            ("x", j, s, r, t): self.p.unit_cost[j, s]
            for j, s in product(self.J, self.S)
            if BUILDS[s] == g
        }
        joint = {("y", s, r, t): public * self.p.unit_cost[0, s] for s in self.S if BUILDS[s] == g}
        return {**own, **joint}

    def paid_back(self, g: int, r: int, t: int) -> Terms:
        """Payments in year t for what partners have built in the years before."""
        par = self.p.parameters
        rate = par["partner_yearly_payment"] * par["partner_capital_share"]
        return {
            ("y", s, r, u): rate * self.p.unit_cost[0, s]
            for s, u in product(self.S, range(t))
            if BUILDS[s] == g
        }

    def central(self, g: int, r: int, years: Iterable[int]) -> Terms:
        return expression(("F", g, r, t) for t in years)

    # -- rules ------------------------------------------------------------------------------------
    def unreachable(self) -> np.ndarray:
        """Cells that the largest build, all temporary places and stretch do not bring to KU."""
        p = self.p
        out = np.zeros((len(self.R), len(self.T)), dtype=bool)
        if p.modes["build_rate"] == "off":
            return out
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
                rate = par["build_rate_limit"] * p.existing[j, s, r, t]
                new = {("x", j, s, r, t): 1.0} | ({("y", s, r, t): 1.0} if j == 0 else {})
                if p.modes["build_rate"] == "on":
                    lp.le((1, new), (-rate, {(): 1.0}))
                if p.modes["building_steps"] == "on" and t > 0:
                    step = {("x", j, s, r, t): 1.0, ("x", j, s, r, t - 1): -1.0}
                    for sign in (1, -1):
                        lp.le((sign, step), (-par["building_step"] * rate, {(): 1.0}))
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
            if p.modes["teachers"] == "off":
                continue
            posts = {("tch", r, u): par["pupils_per_teacher"] for u in range(t + 1)}
            freed = {(): par["pupils_per_teacher"] * p.redeployed[r, t]}
            seats = total(*((1, self.built(j, 0, r, t)) for j in self.J))
            lp.le((1, seats), (-1, posts), (-1, freed))
        hired = expression(("tch", r, t) for r, t in product(self.R, self.T))
        if p.modes["teachers"] == "on":
            lp.le((1, hired), (-par["teacher_posts"], {(): 1.0}))
        houses = (("partner_schools", "school_seats"), ("partner_hospitals", "hospital_beds"))
        for s, (number, size) in enumerate(houses):
            most = par[number] * par[f"partner_{size}"] / 1e4
            if p.modes["private_partners"] == "off":
                most = 0.0
            partners = expression(("y", s, r, t) for r, t in product(self.R, self.T))
            lp.le((1, partners), (-most, {(): 1.0}))

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
                bill = total(
                    (1, {(): p.cost[g, r, t]}),
                    (1, self.building(g, r, t)),
                    (1, self.paid_back(g, r, t)),
                )
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
            if p.modes["bonds_region"] == "on":
                bonds = expression(("Bd", g, r, t) for g in BUILDS.values())
                lp.le((1, bonds), (-p.bond_ceiling[r, t], {(): 1.0}))
        for t in self.T:
            bonds = expression(("Bd", g, r, t) for g in BUILDS.values() for r in self.R)
            lp.le((1, bonds), (-p.bond_total[t], {(): 1.0}))
        if p.modes["local_sector_shares"] == "on":
            local = {
                g: expression(("A", g, r, t) for r, t in product(self.R, self.T)) for g in self.G
            }
            for g, name in enumerate(SECTORS):
                share = p.parameters[f"sector_share_{name}"]
                lp.eq((1, local[g]), *((-share, local[h]) for h in self.G))

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
        for g in self.G if p.modes["sector_shares"] == "on" else ():
            spent = {t: total(*((1, self.central(g, r, [t])) for r in self.R)) for t in self.T}
            lp.eq(*((1, spent[t]) for t in self.T), *((-share[g], nation[t]) for t in self.T))
            for years, sign in product(self.blocks, (1, -1)):
                whole = total(*((1, nation[t]) for t in years))
                apart = total(*((1, spent[t]) for t in years), (-share[g], whole))
                lp.le((sign, apart), (-p.parameters["sector_share_band"], whole))
        for r, (b, years) in product(self.R, enumerate(self.blocks)):
            whole = total(*((1, self.central(g, r, years)) for g in self.G))
            lp.eq((1, whole), (-1, {("Fb", r, b): 1.0}))
            if p.modes["support_ceiling"] == "on":
                kind = "central" if p.supported[r] else "other"
                most = p.parameters[f"{kind}_support_ceiling"] * self.block_cost(r, b)
                lp.le((1, {("Fb", r, b): 1.0}), (-most, {(): 1.0}))
            if p.modes["block_money"] == "off":
                continue
            for t, part in zip(years, self.profile(r, years), strict=True):
                year = total(*((1, self.central(g, r, [t])) for g in self.G))
                lp.eq((1, year), (-part, {("Fb", r, b): 1.0}))

    def block_cost(self, r: int, b: int) -> float:
        return float(self.p.cost[:, r, self.blocks[b]].sum())

    def rewards(self) -> dict[tuple[int, int], float]:
        """Reward by region and block: settlers won in the block before share a part of the fund."""
        p = self.p
        out: dict[tuple[int, int], float] = {}
        for b, years in enumerate(self.blocks):
            if b == 0:
                continue
            before = self.blocks[b - 1]
            start = p.settlers_mid[:, before[0] - 1] if before[0] > 0 else 0.0
            won = p.settlers_mid[:, before[-1]] - start
            pot = p.parameters["reward_share"] * p.fund * len(years) / len(self.T)
            for r in self.R:
                out[r, b] = min(pot * won[r] / won.sum(), self.block_cost(r, b))
        return out

    def new_seats(self, t: int) -> Terms:
        """Urban seats that count for the target in year t."""
        if self.p.modes["seat_target_counts"] == "completed":
            return total(*((1, self.built(0, 0, r, t)) for r in self.R))
        return expression(
            (*kind, 0, r, u) for kind in (("x", 0), ("y",)) for r in self.R for u in range(t + 1)
        )

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
        counted = [t for t in self.T if p.years[t] == par["seat_target_year"]]
        reward = self.rewards()
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
            "seat_target": ([("s5", t) for t in counted], par["seat_target"]),
            "performance_reward": ([("s6", *k) for k in reward], sum(reward.values())),
        }
        for name in SOFT:
            slacks, asked = wanted[name]
            active = p.modes[name] not in ("off", "report") and slacks
            self.asked[name] = expression(slacks, 1 / max(asked, 1e-9)) if active else {}
        if p.modes["seat_target"] != "report":
            for t in counted:
                seats = total((1, self.new_seats(t)), (1, {("s5", t): 1.0}))
                lp.le((par["seat_target"], {(): 1.0}), (-1, seats))
        if p.modes["performance_reward"] != "off":
            for (r, b), money in reward.items():
                lp.le((money, {(): 1.0}), (-1, {("Fb", r, b): 1.0, ("s6", r, b): 1.0}))
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
                    urban: Terms = {("a", r, t): 1 / children, ("m", r, t): 1 / children}
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
