"""What the soft rules ask and get, from the tables of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hukou_opt.allocation.problem import AREAS, SERVICES, Problem
from hukou_opt.allocation.rules.levels import rural_target
from hukou_opt.errors import Fault

if TYPE_CHECKING:
    from hukou_opt.allocation.solution import Solution

#: Shortfall, in the unit of the rule, that counts as met (ten times the solver's tolerance and the
#: size of what is asked).
MET = 1e-6


@dataclass(frozen=True)
class Asked:
    """One cell of a soft rule: what it asks, what it gets, in the rule's unit."""

    rule: str
    section: str
    where: str
    asked: float
    got: float
    unit: str

    @property
    def short_by(self) -> float:
        """What is missing; 0 when the rule is met."""
        short = self.asked - self.got
        return short if short > MET * (1 + abs(self.asked)) else 0.0


def soft_rules(p: Problem, s: Solution) -> list[Asked]:
    """Every cell of every soft rule that is not off."""
    years, cells = len(p.years), []
    if p.modes["support_floor"] != "off":
        given = s.central_by_block(p)
        promised = p.parameters["central_support_rate"] * p.block_cost
        cells += [
            Asked(
                "support_floor",
                "plan 6.1",
                f"region {code}, {block.label}",
                float(promised[i, b]),
                float(given[i, b]),
                "100m yuan",
            )
            for i, code in enumerate(p.codes)
            if p.supported[i]
            for b, block in enumerate(p.blocks)
        ]
    year = round(p.parameters["public_share_target_year"])
    if p.modes["public_share"] != "off" and year in p.years:
        k = p.column(year)
        wanting = float(p.children_migrant[:, k].sum())
        cells.append(
            Asked(
                "public_share",
                "plan 3.1",
                f"nation, {year}",
                p.parameters["public_share_target"] * wanting,
                float(s.places_migrant[:, k].sum()),
                "10k children",
            )
        )
    need, capacity = p.need[..., :years], s.capacity[..., :years]
    coverage = np.divide(capacity, need, out=np.ones_like(need), where=need > 0)
    # Beds are compared with full urban coverage, the strictest reading that is linear.
    urban = np.ones_like(need[0])
    children = p.children_hukou + p.children_migrant
    placed = s.places_hukou + s.places_migrant
    urban[0] = np.divide(placed, children, out=np.ones_like(placed), where=children > 0)
    target = rural_target(p)
    for q, service in enumerate(SERVICES):
        for i, code in enumerate(p.codes):
            for k, t in enumerate(p.years):
                where = f"region {code}, {t}, {service}"
                if p.modes["rural_level"] != "off" and need[0, q, i, k] > 0 < need[1, q, i, k]:
                    cells.append(
                        Asked(
                            "rural_level",
                            "plan 3.3",
                            where,
                            float(target[q, i, k] * urban[q, i, k]),
                            float(coverage[1, q, i, k]),
                            "share of need",
                        )
                    )
                for a, area in enumerate(AREAS):
                    if p.modes["no_dilution"] != "off" and need[a, q, i, k] > 0:
                        cells.append(
                            Asked(
                                "no_dilution",
                                "plan 6.2",
                                f"{where}, {area}",
                                float(min(1.0, p.start_coverage[a, q, i])),
                                float(coverage[a, q, i, k]),
                                "share of need",
                            )
                        )
    return cells


def broken_rules(p: Problem, s: Solution, names: Sequence[str], most: int = 12) -> list[Fault]:
    """Faults of rules that were demanded and do not hold, the largest shortfalls first."""
    faults = []
    for name in names:
        cells = [cell for cell in soft_rules(p, s) if cell.rule == name and cell.short_by > 0]
        if not cells:
            continue
        total = sum(cell.short_by for cell in cells)
        faults.append(
            Fault(
                f"rule {name} ({cells[0].section})",
                f"cannot hold in {len(cells)} cells: short by {total:.6g} {cells[0].unit} in all",
                "make the rule soft or law, or raise the money or limits that it draws on",
            )
        )
        cells.sort(key=lambda cell: -cell.short_by)
        faults += [
            Fault(
                f"rule {name}, {cell.where}",
                f"asked {cell.asked:.6g}, got {cell.got:.6g} {cell.unit} "
                f"(short by {cell.short_by:.6g})",
                "see the rule's total above",
            )
            for cell in cells[:most]
        ]
    return faults
