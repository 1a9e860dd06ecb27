"""Whether the Euler step is short enough, told from the inputs before anything runs.

A stock from which more flows out within a step than it holds turns negative, whatever the equations
say. The rates at which stocks are left follow from the inputs: some exactly, some as the most that
they can be, some as they are at the start. What cannot be known beforehand is checked at every
saved step of the run (`hukou_opt.dynamics.checks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hukou_opt.dynamics.engine import Constant
from hukou_opt.errors import Fault, ModelError

#: Two building stages share the delay.
STAGES = 2
#: Part of a stock that may leave it within one step.
MOST = 1.0

Rate = tuple[str, str, float]


def check_step(constants: Mapping[str, Constant], time_step: float) -> None:
    """Refuse a step in which more could leave a stock than it holds.

    Parameters
    ----------
    constants : mapping of str to float or DataArray
        As `hukou_opt.dynamics.model_constants` gives them.
    time_step : float
        Euler step, years.

    Raises
    ------
    ModelError
        With every stock that the step is too long for, the rate, and the step that would do.
    """
    faults = [
        Fault(
            f"time_step {time_step:g}",
            f"is too long for {stock}: {rate:.3g} of it leave a year ({why})",
            f"give a step below {MOST / rate:.3g} years, or change what sets the rate",
        )
        for stock, why, rate in leaving_rates(constants)
        # Written so that a rate that is no number is refused.
        if not time_step * rate <= MOST
    ]
    if faults:
        raise ModelError(faults)


def leaving_rates(constants: Mapping[str, Constant]) -> Iterator[Rate]:
    """Yearly rate at which each stock is left, with what sets it.

    Parameters
    ----------
    constants : mapping of str to float or DataArray
        All constants of the model but the decisions.

    Yields
    ------
    tuple of (str, str, float)
        Stock, what sets the rate, rate in 1/year; largest over regions.
    """

    def number(name: str) -> float:
        return float(np.asarray(constants[name], dtype=float))

    def array(name: str) -> np.ndarray:
        return np.asarray(constants[name], dtype=float)

    yield (
        "seats under construction",
        f"{STAGES} / seat_building_delay",
        STAGES / number("seat_building_delay"),
    )
    yield (
        "beds under construction",
        f"{STAGES} / bed_building_delay",
        STAGES / number("bed_building_delay"),
    )
    yield (
        "migrants",
        "settlement_hazard_max + return_rate (1 + return_crowding), all doors open",
        number("settlement_hazard_max") + number("return_rate") * (1 + number("return_crowding")),
    )
    migrants = array("initial_migrants")
    rural, urban = array("initial_rural_residents"), array("initial_urban_hukou_residents")
    townspeople = urban + migrants.sum(axis=0)
    people = townspeople + rural
    share = np.divide(townspeople, people, out=np.zeros_like(people), where=people > 0)
    yield (
        "rural residents",
        "migration_coefficient times the urban share at the start",
        float((array("migration_coefficient") * share).max()),
    )
    children = (
        array("initial_rural_children")
        + array("initial_migrant_children")
        + array("initial_urban_hukou_children")
    )
    first = array("school_leavers")[:, 0]
    leaving = np.divide(first, children, out=np.zeros_like(children), where=children > 0)
    yield "children", "school_leavers of the first year", float(leaving.max())
    yield "social tension", "1 / tension_delay", 1 / number("tension_delay")
    yield (
        "farmed land",
        "abandonment_rate + land_transfer_rate (1 + platform_effect) + land_construction_rate, "
        "at the start",
        number("abandonment_rate")
        + number("land_transfer_rate") * (1 + number("platform_effect"))
        + number("land_construction_rate"),
    )
    yield (
        "abandoned land",
        "reclaim_rate + trusteeship_reclaim",
        number("reclaim_rate") + number("trusteeship_reclaim"),
    )
    yield "rented land", "1 / lease_term", 1 / number("lease_term")
