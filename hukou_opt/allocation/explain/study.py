"""Prices of all levers and rules of one solved problem, and the check by more money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from hukou_opt.allocation.explain.level_program import LevelProgram
from hukou_opt.allocation.explain.levers import Direction, Lever, direction, levers
from hukou_opt.allocation.explain.parametric import PriceRange, ValueOf, price_range, slope_of
from hukou_opt.allocation.explain.prices import PRICED, RulePrice, first_levels
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import SolveError

#: Part of a lever's amount up to which the range of its price is looked for.
REACH = 0.05
#: Step of a lever that moves coefficients, relative to its amount, on either side.
SECANT = 1e-3
#: Rules whose rows only define a quantity: no government can loosen them.
DEFINITIONS = ("money_balance", "capacity_path", "block_money", "block_sum", "fund_volume")
#: Part of the money by which the check gives more.
ONE_PERCENT = 0.01


@dataclass(frozen=True)
class LeverPrice:
    """Price of one lever, or of one rule of which every row gives way by one unit.

    Parameters
    ----------
    name, title, title_zh, unit : str
        The lever.
    kind : {"lever", "rule"}
        What it is.
    amount : float
        Its size today; not a number for a rule of many rows.
    level : str
        The first level that it moves; empty where it moves none.
    by_level : mapping of str to float
        Fall of each level per unit more, at the dual values of the solve.
    range : PriceRange or None
        One-sided prices in `level` and where they hold; None where it moves none, or where it
        moves coefficients and the range was not looked for.
    secant : tuple of float or None
        Price measured by a small step down and up, where the lever moves coefficients.
    """

    name: str
    title: str
    title_zh: str
    unit: str
    kind: str
    amount: float
    level: str
    by_level: Mapping[str, float]
    range: PriceRange | None
    secant: tuple[float, float] | None = None


def _first(by_level: Mapping[str, float]) -> str:
    return next((name for name, price in by_level.items() if abs(price) > PRICED), "")


def loosened(level: LevelProgram, rule: str) -> Direction | None:
    """Every row of a rule gives way by one unit; None where it has rows that are equations."""
    program, rules = level.program, level.rules
    rows = program.row_names.members(rule)
    low, high = program.row_lower[rows], program.row_upper[rows]
    if not rows.size or (low == high).any():
        return None
    lower, upper = np.zeros(rules), np.zeros(rules)
    lower[rows], upper[rows] = np.where(np.isfinite(low), -1.0, 0.0), np.isfinite(high) * 1.0
    columns = np.zeros(len(program.lower))
    return Direction(lower, upper, columns, columns)


def _size(level: LevelProgram, rule: str) -> float:
    """Mean size of what the rows of a rule allow or ask, at least 1."""
    rows = level.program.row_names.members(rule)
    bounds = np.concatenate([level.program.row_lower[rows], level.program.row_upper[rows]])
    real = np.abs(bounds[np.isfinite(bounds)])
    return max(float(real.mean()) if real.size else 0.0, 1.0)


class Study:
    """Looks for the prices of one problem's levels.

    Parameters
    ----------
    p : Problem
        Inputs.
    levels : mapping of str to LevelProgram
        Programs of the levels before they were held, in order.
    progress : callable
        Told in words what is being done.
    """

    def __init__(
        self, p: Problem, levels: Mapping[str, LevelProgram], progress: Callable[[str], None]
    ) -> None:
        self.p, self.levels, self.progress = p, levels, progress
        self._values: dict[str, ValueOf] = {}
        self._base: LinearProgram | None = None

    def value_of(self, level: str) -> ValueOf:
        """The level's optimum as a function of levers; one solver for each level."""
        if level not in self._values:
            self._values[level] = ValueOf(self.levels[level])
        return self._values[level]

    def base(self) -> LinearProgram:
        """The program of the problem as it is compiled."""
        if self._base is None:
            self._base = compile_problem(self.p)
        return self._base

    def lever_prices(self) -> list[LeverPrice]:
        """Prices of all levers that the problem's rules know."""
        out = []
        for lever in levers(self.p):
            self.progress(f"prices: {lever.name}")
            moved = direction(self.p, lever, self.base())
            by_level = {
                name: -slope_of(level, level.point, moved) for name, level in self.levels.items()
            }
            out.append(self._priced(lever, moved, by_level))
        return out

    def _priced(self, lever: Lever, moved: Direction, by_level: Mapping[str, float]) -> LeverPrice:
        first = _first(by_level)
        found = LeverPrice(
            lever.name,
            lever.title,
            lever.title_zh,
            lever.unit,
            "lever",
            lever.amount,
            first,
            by_level,
            None,
        )
        if not first:
            return found
        if moved.matrix is not None:
            return replace(found, secant=self._secant(first, lever))
        try:
            limits = price_range(self.value_of(first), moved, REACH * max(abs(lever.amount), 1.0))
        except SolveError:
            return found
        return replace(found, range=limits)

    def _secant(self, level: str, lever: Lever) -> tuple[float, float] | None:
        """Measured price of a lever that moves coefficients: a step down and a step up."""
        step = SECANT * max(abs(lever.amount), 1.0)
        here = self.levels[level].point.value
        try:
            less, more = (self.solved_anew(level, lever.change(self.p, by)) for by in (-step, step))
        except SolveError:
            return None
        return (less - here) / step, (here - more) / step

    def solved_anew(self, level: str, changed: Problem) -> float:
        """Value of a level in a changed problem, with the earlier levels held where they were.

        The program is compiled and solved from nothing: nothing of the search for prices is in it.
        """
        known = self.levels[level]
        program, base = compile_problem(changed), self.base()
        rules = known.rules
        added = known.program.matrix[rules:]

        def shifted(now: np.ndarray, new: np.ndarray, old: np.ndarray) -> np.ndarray:
            """Bounds of the level, whose regimes may differ from the compiled ones, plus change."""
            same = (new == old) | ~np.isfinite(new) | ~np.isfinite(old)
            with np.errstate(invalid="ignore"):
                moved: np.ndarray = np.where(same, now, now + (new - old))
            return moved

        width = len(known.program.lower)
        own = program.matrix
        # Columns that were added after the rules have no entries in them.
        top = sp.csr_array((own.data, own.indices, own.indptr), shape=(rules, width))
        columns = len(base.lower)
        lower, upper = known.program.lower.copy(), known.program.upper.copy()
        lower[:columns] = shifted(lower[:columns], program.lower, base.lower)
        upper[:columns] = shifted(upper[:columns], program.upper, base.upper)
        row_lower, row_upper = known.program.row_lower.copy(), known.program.row_upper.copy()
        row_lower[:rules] = shifted(row_lower[:rules], program.row_lower, base.row_lower)
        row_upper[:rules] = shifted(row_upper[:rules], program.row_upper, base.row_upper)
        anew = replace(
            known.program,
            matrix=sp.csr_array(sp.vstack([top, added], format="csr")),
            row_lower=row_lower,
            row_upper=row_upper,
            lower=lower,
            upper=upper,
        )
        still = Direction(np.zeros(rules), np.zeros(rules), np.zeros(columns), np.zeros(columns))
        return ValueOf(replace(known, program=anew)).solve(still, 0.0).value

    def rule_prices(self, prices: Sequence[RulePrice]) -> list[LeverPrice]:
        """One-sided prices of every rule that has a price, all its rows loosened together.

        Parameters
        ----------
        prices : sequence of RulePrice
            Prices of the rules in all levels.
        """
        out = []
        rules = {rule.name: rule for rule in RULES}
        for name, level in first_levels(prices).items():
            if name in DEFINITIONS or name.endswith("_definition"):
                continue
            program = self.levels[level]
            moved = loosened(program, name)
            if moved is None:
                continue
            self.progress(f"prices: {name}")
            rule = rules[name]
            by_level = {each.level: each.every_row for each in prices if each.rule == name}
            found = None
            try:
                reach = REACH * _size(program, name)
                found = price_range(self.value_of(level), moved, reach)
            except SolveError:
                pass
            out.append(
                LeverPrice(
                    name,
                    rule.title,
                    rule.title_zh,
                    rule.unit,
                    "rule",
                    float("nan"),
                    level,
                    by_level,
                    found,
                )
            )
        return out


@dataclass(frozen=True)
class MoneyCheck:
    """What more money does to a level, told by the price and by solving again.

    Parameters
    ----------
    level : str
        The level.
    more : float
        Money given, 100m yuan.
    told : float
        Fall of the level by its price.
    found : float
        Fall by solving again, earlier levels held where they were.
    within : bool
        Whether so much money is within the range of the price.
    """

    level: str
    more: float
    told: float
    found: float
    within: bool


def money_check(study: Study, fund: LeverPrice) -> MoneyCheck | None:
    """Solve the level that the fund moves first with 1 % more of it.

    Parameters
    ----------
    study : Study
        The levels.
    fund : LeverPrice
        Price of the fund.

    Returns
    -------
    MoneyCheck or None
        None where the fund has no price.
    """
    if not fund.level or fund.range is None:
        return None
    p = study.p
    more = ONE_PERCENT * p.fund
    study.progress("check: 1 % more money")
    found = study.solved_anew(fund.level, replace(p, fund=p.fund + more))
    here = study.levels[fund.level].point.value
    return MoneyCheck(
        fund.level, more, -fund.range.more.slope * more, here - found, more <= fund.range.more.until
    )
