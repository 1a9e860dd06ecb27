"""What can be seen to be wrong before the solve."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.problem import SECTORS, Problem
from hukou_opt.errors import Fault

SHARE_TOLERANCE = 1e-6
#: Standing capacity of one unit: its peak lies within these bounds for any credible building time.
STANDING_PEAK = (0.5, 1.0)
#: Rounding below zero that comes from subtracting capacities.
NOISE = 1e-9
TABLES = (
    "need",
    "existing",
    "start_coverage",
    "standing",
    "children_hukou",
    "children_migrant",
    "children_rural",
    "population",
    "stretch",
    "hukou_first",
    "cost",
    "settlers_mid",
    "unit_cost",
    "local_ceiling",
    "bond_ceiling",
    "levy_ceiling",
    "bond_total",
    "redeployed",
)


def screen(p: Problem) -> list[Fault]:
    """Faults of the inputs that can be seen before the solve."""
    par, faults = p.parameters, []
    for prefix in ("sector_share", "cost_split"):
        total = sum(par[f"{prefix}_{sector}"] for sector in SECTORS)
        if abs(total - 1) > SHARE_TOLERANCE:
            faults.append(
                Fault(f"parameters.{prefix}_*", f"shares sum to {total:.6g}", "make them sum to 1")
            )
    if not p.fund > 0:
        faults.append(
            Fault("parameters.central_fund_total", f"is not positive ({p.fund!r})", "give money")
        )
    earmarked = (par["province_land_share"] + par["city_land_share"]) * par["land_net_share"]
    if earmarked + par["east_levy_share"] > par["land_net_share"]:
        faults.append(
            Fault(
                "parameters.land_net_share",
                f"earmarks and levy take {earmarked + par['east_levy_share']:.3f} of gross land "
                f"revenue, net revenue is {par['land_net_share']:.3f}",
                "lower the earmarks or raise the net share (plan 7.1, 6.4)",
            )
        )
    for name in TABLES:
        values = getattr(p, name)
        wrong = ~(np.isfinite(values) & (values >= -NOISE))
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            faults.append(
                Fault(
                    f"{name}{where}",
                    f"is negative or not finite ({float(values[where])!r})",
                    "see the run of the stock-flow model and the fiscal columns",
                )
            )
    if not (p.unit_cost > 0).all():
        faults.append(Fault("parameters.unit_cost_*", "is not positive", "give a cost above 0"))
    top = p.standing.max()
    if not STANDING_PEAK[0] <= top <= STANDING_PEAK[1]:
        faults.append(
            Fault("standing capacity", f"peaks at {top:.3f} per unit started", "see the delays")
        )
    return faults
