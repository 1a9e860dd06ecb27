"""The rolling horizon: observe, set the shares anew, decide to the end, carry out some years.

Plan 5.1, 6.1 and 10.2: the sharing of cost is set anew every three years. What is decided rests on
what the planner believes; what happens follows the true parameters. Money is decided as amounts:
where fewer settle than was believed, what is not needed goes back to the fund; where more settle, a
smaller share of their cost is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from hukou_opt.allocation.problem import Array, Problem
from hukou_opt.allocation.session import TIME_LIMIT
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import Aims
from hukou_opt.dynamics import (
    ArrayEngine,
    Decisions,
    Needs,
    Trajectory,
    extend_decisions,
    needs_from,
    no_decisions,
    standing_capacity,
)
from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.exchange import AREAS, SERVICES
from hukou_opt.errors import Fault, ModelError
from hukou_opt.parameters import Parameters
from hukou_opt.planning.coupling import Coupled
from hukou_opt.planning.measure import simulated
from hukou_opt.planning.prepare import certified_cost, make_blocks, make_problem
from hukou_opt.planning.rolling.ledger import Ledger
from hukou_opt.planning.rolling.observed import ObservedEngine
from hukou_opt.planning.rolling.reset import Reset
from hukou_opt.regions.base_year import BaseYear

#: The funded share of what happens is found to this, in so many passes at most: settlement answers
#: to money, and the cost that the money is divided by to settlement.
FUNDED_TOLERANCE, MOST_PASSES = 1e-7, 60


@dataclass(frozen=True)
class Setting:
    """One time at which the shares were set.

    Parameters
    ----------
    first : int
        First year that was decided.
    applied : range
        Years that were carried out before the next setting.
    coupled : Coupled
        Rounds between the believed model and the program.
    left : float
        Central money that was left when it was set, 100m yuan.
    """

    first: int
    applied: range
    coupled: Coupled
    left: float


@dataclass(frozen=True, eq=False)
class Rolled:
    """What happened: all settings, and the true path under them.

    Parameters
    ----------
    settings : tuple of Setting
        In order.
    ledger : Ledger
        Decisions and money, as carried out.
    decisions : Decisions
        The same as the model takes them.
    run : Trajectory
        The true path.
    needs : Needs
        Its needs.
    problem : Problem
        Inputs made from them, all years.
    seen : Solution
        Money, building, shortages of the true path.
    """

    settings: tuple[Setting, ...]
    ledger: Ledger
    decisions: Decisions
    run: Trajectory
    needs: Needs
    problem: Problem
    seen: Solution


@dataclass
class RollingHorizon:
    """Model, truth, belief, and what stays the same over all settings.

    Parameters
    ----------
    engine : ArrayEngine
        Engine of the whole span.
    truth, belief : mapping of str to float or DataArray
        Constants of what happens, and of what the planner believes.
    base : BaseYear
        Fiscal figures and classes.
    parameters : Parameters
        The registry with the true values.
    last_year : int
        Last decision year.
    modes : mapping of str to str
        Mode of each rule that can be switched.
    aims : Aims
        Objectives and limits.
    count_settlers : {"mid_year", "end_year"}
        Settlers who make up the certified cost of a year.
    every : int or None
        Years after which shares are set anew; None: once, at the start.
    max_rounds, tolerance
        Of the rounds within each setting.
    progress : callable
        Told in words what is being done.
    time_limit : float
        Seconds that one solve may take.
    """

    engine: ArrayEngine
    truth: Mapping[str, Constant]
    belief: Mapping[str, Constant]
    base: BaseYear
    parameters: Parameters
    last_year: int
    modes: Mapping[str, str]
    aims: Aims
    count_settlers: str
    every: int | None
    max_rounds: int
    tolerance: float
    progress: Callable[[str], None]
    time_limit: float = TIME_LIMIT
    years: tuple[int, ...] = field(init=False)
    standing: xr.DataArray = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.years = tuple(year for year in self.engine.years if year <= self.last_year)
        self.ledger = Ledger.blank(len(self.engine.codes), len(self.years))
        self.standing = standing_capacity(self.true_engine())

    def true_engine(self) -> ObservedEngine:
        """An engine of what happens, from the start."""
        nothing = no_decisions(self.engine.codes, self.engine.years)
        return ObservedEngine(self.engine, self.truth, self.truth, nothing, self.years[0] - 1)

    def roll(self) -> Rolled:
        """Set, carry out, observe, and set again to the end of the plan.

        Raises
        ------
        InfeasibleError, SolveError, CertificateError
            As a run that sets the shares once.
        ModelError
            If money and settlement do not come to agree in a carried-out year.
        """
        firsts = [self.years[0]]
        if self.every is not None:
            firsts = [block.first for block in make_blocks(self.years, self.every)]
        settings: list[Setting] = []
        coverage: Array | None = None
        for number, first in enumerate(firsts):
            after = firsts[number + 1] if number + 1 < len(firsts) else self.last_year + 1
            at = first - self.years[0]
            reset = Reset(
                self._believed(first - 1),
                self.base,
                self.parameters,
                self.last_year,
                self.modes,
                lambda words, first=first: self.progress(f"set in {first}, {words}"),  # type: ignore[misc]
                ledger=self.ledger.before(at),
                first=self.years[0],
                start_coverage=coverage,
                standing=self.standing,
                aims=self.aims,
                count_settlers=self.count_settlers,
                time_limit=self.time_limit,
            )
            left = reset.parameters["central_fund_total"]
            coupled = reset.iterate(
                max_rounds=self.max_rounds, tolerance=self.tolerance, keep_proofs=True
            )
            p, answer = coupled.best.problem, coupled.best.allocation.solution
            if coverage is None:
                coverage = p.start_coverage
            applied = range(first, after)
            self.ledger.write(p, answer, applied, self.years[0], reset.due(p))
            self._carry_out(p, applied)
            settings.append(Setting(first, applied, coupled, left))
        return self._happened(tuple(settings))

    def _believed(self, observed: int) -> ObservedEngine:
        return ObservedEngine(self.engine, self.truth, self.belief, self.decisions(), observed)

    def decisions(self) -> Decisions:
        """The ledger as the model takes it."""
        coords = {"region": list(self.engine.codes), "year": list(self.years)}
        book = self.ledger
        given = Decisions(
            starts=xr.DataArray(
                book.all_starts,
                {"area": list(AREAS), "service": list(SERVICES), **coords},
                ("area", "service", "region", "year"),
            ),
            temporary_places=xr.DataArray(book.temporary, coords, ("region", "year")),
            funded_share=xr.DataArray(book.funded, coords, ("region", "year")),
            bonds=xr.DataArray(book.bonds.sum(axis=0), coords, ("region", "year")),
        )
        return extend_decisions(given, self.engine.years)

    def _true(self) -> tuple[Decisions, Trajectory, Needs]:
        decisions = self.decisions()
        run = self.true_engine().run(decisions)
        return decisions, run, needs_from(run, decisions, self.standing)

    def _carry_out(self, p: Problem, applied: range) -> None:
        """Let what was decided happen: find the share of the true cost that the money pays."""
        blocks = [
            [year - self.years[0] for year in block.years if year in applied] for block in p.blocks
        ]
        blocks = [columns for columns in blocks if columns]
        money = [self.ledger.paid[..., columns].sum(axis=(0, 2)) for columns in blocks]
        for _ in range(MOST_PASSES):
            _, _, needs = self._true()
            cost = certified_cost(needs, self.parameters, self.count_settlers)
            moved = 0.0
            due = [cost[..., columns].sum(axis=(0, 2)) for columns in blocks]
            for columns, paid, asked in zip(blocks, money, due, strict=True):
                share = np.divide(paid, asked, out=np.ones_like(asked), where=asked > 0)
                share = np.minimum(1.0, np.maximum(0.0, share))
                before = self.ledger.funded[:, columns]
                moved = max(moved, float(np.abs(share[:, None] - before).max()))
                self.ledger.funded[:, columns] = share[:, None]
            if moved < FUNDED_TOLERANCE:
                break
        else:
            raise ModelError(
                Fault(
                    f"{applied[0]}-{applied[-1]}",
                    f"money and settlement do not come to agree (share moves by {moved!r})",
                    "report this as a bug",
                )
            )
        for columns, paid, asked in zip(blocks, money, due, strict=True):
            self.ledger.give_back(np.maximum(0.0, paid - asked), columns)

    def _happened(self, settings: tuple[Setting, ...]) -> Rolled:
        decisions, run, needs = self._true()
        p = make_problem(
            needs,
            self.base,
            self.parameters,
            last_year=self.last_year,
            modes=self.modes,
            aims=self.aims,
            count_settlers=self.count_settlers,
        )
        book, none = self.ledger, np.zeros((len(p.codes), len(p.years)))
        told = replace(
            Solution.empty(p, none, none),
            central=book.central,
            local=book.local,
            bonds=book.bonds,
            levy=book.levy,
            unfunded=p.cost * (1 - book.funded)[None],
            starts=book.starts,
            temporary=book.temporary,
            teachers=book.teachers,
            partner_starts=book.partner_starts,
        )
        seen = simulated(p, told, p.cost, run)
        return Rolled(settings, book, decisions, run, needs, p, seen)
