"""What can be seen to be wrong before the solve."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.problem import AREAS, SECTORS, SERVICES, Problem
from hukou_opt.allocation.rules.cells import Asked
from hukou_opt.errors import Fault
from hukou_opt.parameters.contradictions import Earmarks, contradictions

#: Standing capacity of one unit: its peak lies within these bounds for any credible building time.
STANDING_PEAK = (0.5, 1.0)
#: Rounding below zero that comes from subtracting capacities.
NOISE = 1e-9
#: Relative rounding of a sum of ceilings.
ROUNDING = 1e-9
#: Tables that hold amounts, their axes, and the rule that reads them first.
TABLES = {
    "need": (("area", "service", "region", "all years"), "shortage_definition"),
    "existing": (("area", "service", "region", "all years"), "capacity_path"),
    "start_coverage": (("area", "service", "region"), "no_dilution"),
    "standing": (("service", "age"), "capacity_path"),
    "children_hukou": (("region", "year"), "places_total"),
    "children_migrant": (("region", "year"), "places_total"),
    "children_rural": (("region", "year"), "rural_level"),
    "population": (("area", "region", "year"), "unmet need"),
    "stretch": (("region", "year"), "places_total"),
    "hukou_first": (("year",), "places_hukou_first"),
    "cost": (("sector", "region", "year"), "money_balance"),
    "settlers_mid": (("region", "year"), "unfunded share"),
    "unit_cost": (("area", "service"), "money_balance"),
    "local_ceiling": (("region", "year"), "local_ceiling"),
    "bond_ceiling": (("region", "year"), "bonds_region"),
    "levy_ceiling": (("region", "year"), "levy_entitlement"),
    "bond_total": (("year",), "bonds_nation"),
    "redeployed": (("region", "year"), "teachers"),
}


def screen(p: Problem) -> list[Fault]:
    """Faults of the inputs that can be seen before the solve, all at once."""
    faults = [
        each.fault for each in contradictions(p.parameters, p.modes, (p.years[0], p.years[-1]))
    ]
    if not p.fund > 0:
        faults.append(
            Fault(
                "parameters.central_fund_total",
                f"is not positive, rule fund_volume ({p.fund!r})",
                "give money",
            )
        )
    for name in TABLES:
        faults += _amounts(p, name)
    if not (p.unit_cost > 0).all():
        faults.append(
            Fault(
                "parameters.unit_cost_*",
                f"is not positive, rule money_balance ({p.unit_cost.min():g})",
                "give a cost above 0",
            )
        )
    top = p.standing.max()
    if not STANDING_PEAK[0] <= top <= STANDING_PEAK[1]:
        low, high = STANDING_PEAK
        faults.append(
            Fault(
                "standing capacity",
                f"peaks at {top:.3f} per unit started, not within {low:g} to {high:g}, "
                "rule capacity_path",
                "see the building delays",
            )
        )
    return [*faults, *_bond_ceilings(p)]


def earmarks(p: Problem) -> list[Asked]:
    """The check of earmarks against net land revenue, as a cell of the rule list."""
    marks = Earmarks.of(p.parameters)
    where = "nation, all years"
    return [
        Asked(
            "earmarks_within_revenue", "plan 7.1, 6.4", where, marks.taken, marks.net, "1", "check"
        )
    ]


def _amounts(p: Problem, name: str) -> list[Fault]:
    """One fault for each table with entries that are negative or no numbers: the first of them."""
    values = getattr(p, name)
    wrong = np.argwhere(~(np.isfinite(values) & (values >= -NOISE)))
    if not len(wrong):
        return []
    axes, rule = TABLES[name]
    labels = {
        "area": AREAS,
        "service": SERVICES,
        "sector": SECTORS,
        "region": p.codes,
        "year": p.years,
        "all years": p.all_years,
        "age": range(values.shape[-1]),
    }
    cell = [labels[axis][at] for axis, at in zip(axes, wrong[0], strict=True)]
    named = [
        f"region {x}" if axis == "region" else str(x) for axis, x in zip(axes, cell, strict=True)
    ]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return [
        Fault(
            f"{name}, {', '.join(named)}",
            f"is negative or not finite, rule {rule} ({float(values[tuple(wrong[0])])!r}{more})",
            "see the run of the stock-flow model and the fiscal columns",
        )
    ]


def _bond_ceilings(p: Problem) -> list[Fault]:
    """Years in which the regions' bond ceilings leave a part of the year's total out of reach."""
    if not p.on("bonds_region") or p.parameters["bond_region_multiple"] < 1:
        # A multiple below 1 is named by its own check.
        return []
    regions = p.bond_ceiling.sum(axis=0)
    return [
        Fault(
            f"rule bonds_region, {year}",
            f"the regions' ceilings of bonds add up to {regions[k]:.6g}, the year's total is "
            f"{p.bond_total[k]:.6g} 100m yuan",
            "see the land revenue of the regions, lower bonds_per_year, or set "
            "allocation.rules.bonds_region: off",
        )
        for k, year in enumerate(p.years)
        if regions[k] < p.bond_total[k] * (1 - ROUNDING)
    ]
