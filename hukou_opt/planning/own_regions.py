"""What an experiment with one's own regions must say, and which rules it has no use for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment import Experiment
from hukou_opt.parameters import Parameters
from hukou_opt.regions import Regions
from hukou_opt.regions.base_year import TIERS, BaseYear
from hukou_opt.regions.complete import MOST_URBAN

#: Units of parameters of the linear program that are amounts of the whole country.
NATIONAL_UNITS = (
    "100m yuan",
    "100m yuan/year",
    "10k persons",
    "10k seats",
    "schools",
    "hospitals",
)
#: Significant figures of a suggested amount.
HINT_DIGITS = 2
#: Opening of each size class of cities, in the words of the plan.
OPENING: Mapping[str, str] = {
    "mega": "opening of cities above 5 million (plan 5.1)",
    "large": "opening of cities of 1 to 5 million (plan 5.1)",
    "small": "opening of smaller cities and towns (plan 5.1)",
}


def national_amounts(parameters: Parameters) -> tuple[str, ...]:
    """Parameters of the allocation that are amounts of the whole country, by their unit."""
    return tuple(
        name
        for name in parameters.room("allocation")
        if parameters.rows[name].unit in NATIONAL_UNITS
    )


def check_budget(settings: Experiment, regions: Regions, parameters: Parameters) -> None:
    """Refuse an allocation among one's own regions without money of its own.

    The registry's amounts are those of the whole country. A run without allocation needs none.

    Raises
    ------
    ExperimentError
        Naming every amount that the experiment does not state, with the regions' part by head.
    """
    if regions.nation is None or not settings.allocation.enabled:
        return
    people = float(regions.figure("resident_pop").sum())
    part = people / float(regions.nation.figure("resident_pop").sum())
    faults = [
        Fault(
            f"parameters.{name}",
            f"is not stated; {parameters.rows[name].value:g} {parameters.rows[name].unit} are the "
            "whole country's",
            f"state it for your own regions: they hold {part:.2g} of the people, by head their "
            f"part would be {part * parameters.rows[name].value:.{HINT_DIGITS}g}",
        )
        for name in national_amounts(parameters)
        if name not in settings.parameters
    ]
    if faults:
        raise ExperimentError(faults)


def not_applicable(settings: Experiment, base: BaseYear) -> tuple[str, ...]:
    """Rules that cannot act on these regions, each with the reason, one line each.

    Parameters
    ----------
    settings : Experiment
        Whether the reform acts, and whether anything is allocated.
    base : BaseYear
        Classes and stocks of the regions.
    """
    data = base.data
    eastern, supported = data["eastern"].values > 0, data["supported"].values > 0
    lines: list[str] = []
    if settings.allocation.enabled:
        lines += _money(eastern, supported, data["hardship"].values > 0)
        if not float(data["initial_migrant_children"].sum()) > 0:
            lines.append(
                "share of migrant children in public schools (plan 3.1): no migrant children"
            )
    if settings.reform:
        tiers = data["tier_share"].sum("region")
        lines += [
            f"{OPENING[tier]}: no region has such cities"
            for tier in TIERS
            if not float(tiers.sel(tier=tier)) > 0
        ]
        if not data["same_cluster"].values.any():
            lines.append(
                "mutual recognition inside city clusters (plan 5.2): no two regions share one"
            )
        if eastern.all():
            lines.append("settling grant (plan 6.4): every region is eastern")
    if len(base.codes) == 1:
        lines.append("moves between regions: there is only one region")
    rural = data["initial_rural_residents"].values
    urban = data["initial_migrants"].sum("region").values
    urban = urban + data["initial_urban_hukou_residents"].values
    if bool((urban >= MOST_URBAN * (1 - 1e-9) * (urban + rural)).all()):
        lines.append(
            "rural services and land (plan 3.3, 6.3): no region has rural residents; they are held "
            f"at {1 - MOST_URBAN:.1%} of all"
        )
    return tuple(lines)


def _money(eastern: np.ndarray, supported: np.ndarray, hardship: np.ndarray) -> list[str]:
    lines = []
    if not supported.any():
        lines.append(
            "half of the certified cost from the centre (plan 6.1): no region is central, western, "
            "north-eastern or in fiscal hardship"
        )
    if not (eastern & ~hardship).any():
        lines.append("eastern levy on land revenue (plan 6.4): no eastern region pays it")
    elif not supported.any():
        lines.append("eastern levy on land revenue (plan 6.4): no supported region receives it")
    return lines
