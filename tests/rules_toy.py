"""Two regions, three years and round numbers: small enough to check every row of a rule by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hukou_opt.allocation.problem import DEFAULT_MODES, Block, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.parameters import load_parameters

#: Beijing, which pays the levy, and Hubei, which is supported.
CODES = ("110000", "420000")
YEARS = (2024, 2025, 2026)
TAIL = (2027,)
#: Every rule that can be switched on, is.
EVERY_RULE = {
    **DEFAULT_MODES,
    "seat_target": "soft",
    "performance_reward": "soft",
    "support_ceiling": "on",
    "local_sector_shares": "on",
    "building_steps": "on",
}


def constant(*rows: float, years: int) -> np.ndarray:
    """The same figure in every year, shape (row, year)."""
    return np.array(rows, dtype=float)[:, None] * np.ones(years)


def toy(modes: Mapping[str, str] = EVERY_RULE) -> Problem:
    """The problem; parameters are the registry's, but for targets that suit two regions."""
    years, span = len(YEARS), len(YEARS) + len(TAIL)
    # Axes: area (urban, rural), service (seats, beds), region, year.
    need = np.stack(
        [
            np.stack([constant(100, 60, years=span), constant(8, 6, years=span)]),
            np.stack([constant(40, 50, years=span), constant(2, 4, years=span)]),
        ]
    )
    existing = np.stack(
        [
            np.stack([constant(100, 50, years=span), constant(8, 5, years=span)]),
            np.stack([constant(40, 40, years=span), constant(2, 3, years=span)]),
        ]
    )
    settlers = np.array([[100.0, 200.0, 300.0], [50.0, 100.0, 150.0]])
    split = np.array([0.35, 0.25, 0.30, 0.10])
    parameters = {
        **load_parameters(),
        "seat_target": 20.0,
        "partner_schools": 20.0,
        "partner_hospitals": 100.0,
        "teacher_posts": 2.0,
    }
    return Problem(
        codes=CODES,
        years=YEARS,
        tail=TAIL,
        blocks=(Block(2024, 2025), Block(2026, 2026)),
        need=need,
        existing=existing,
        start_coverage=existing[..., 0] / need[..., 0],
        standing=np.array([[0.0, 0.5, 0.8, 0.9], [0.0, 0.25, 0.5, 0.75]]),
        children_hukou=constant(80, 40, years=years),
        children_migrant=constant(20, 20, years=years),
        children_rural=constant(40, 50, years=years),
        population=np.stack([constant(1000, 800, years=years), constant(300, 600, years=years)]),
        stretch=constant(2, 1, years=years),
        hukou_first=np.array([1.0, 0.5, 0.0]),
        cost=split[:, None, None] * 1.2 * settlers,
        settlers_mid=settlers,
        unit_cost=np.array([[6.0, 100.0], [4.0, 60.0]]),
        local_ceiling=constant(60, 20, years=years),
        bond_ceiling=constant(90, 60, years=years),
        levy_ceiling=constant(0, 10, years=years),
        bond_total=np.full(years, 100.0),
        fund=300.0,
        supported=np.array([False, True]),
        redeployed=np.array([[0.1, 0.2, 0.3], [0.2, 0.4, 0.6]]),
        parameters=parameters,
        modes=modes,
        fund_by_region=np.array([200.0, 100.0]),
        expenditure=np.array([1000.0, 500.0]),
    )


def answer(p: Problem) -> Solution:
    """An answer made up by hand, for the figures that are computed from one."""
    years = len(YEARS)
    empty = Solution.empty(
        p, np.minimum(p.children_hukou, 80.0), np.minimum(p.children_migrant, 12.0)
    )
    starts, partners = empty.starts.copy(), empty.partner_starts.copy()
    starts[0, 0] = [[4.0, 2.0, 0.0], [6.0, 4.0, 0.0]]
    partners[0] = [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    capacity = p.existing.copy()
    for k in range(capacity.shape[-1]):
        for u in range(min(k + 1, years)):
            built = starts[0, 0, :, u] + partners[0, :, u]
            capacity[0, 0, :, k] += p.standing[0, k - u] * built
    share = np.array([0.35, 0.25, 0.30, 0.10])[:, None, None]
    return replace(
        empty,
        central=share * np.array([[10.0, 20.0, 30.0], [20.0, 40.0, 60.0]]),
        local=share * constant(60, 20, years=years),
        levy=share * constant(0, 10, years=years),
        starts=starts,
        partner_starts=partners,
        capacity=capacity,
        temporary=constant(1, 1, years=years),
    )
