"""The model where a region has no villages, no towns, no farmland, or nobody at all."""

from __future__ import annotations

import xarray as xr

from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.validation.extreme import (
    CHILDREN,
    Condition,
    Extremes,
    ask,
    most,
    ratio_of,
)
from hukou_opt.dynamics.validation.report import Finding
from hukou_opt.errors import ModelError

LAND = ("land_farmed", "land_transferred", "land_abandoned")

NO_VILLAGES = ask(
    "no_villages",
    "Does nobody leave, or return to, the villages of a region that never had villagers?",
    "10k persons",
    0.0,
)
NO_LAND = ask("no_land", "Does a region without farmland stay without?", "10k mu", 0.0)
ALL_ABANDONED = ask(
    "all_abandoned",
    "Does a region whose farmland lies all abandoned take it up, year by year?",
    "largest yearly rise of the share",
    0.0,
)
NO_TOWNS = ask(
    "no_towns",
    "Does a region that starts without townspeople draw no more than it would with them?",
    "largest ratio of townspeople",
    1.0,
)
NOBODY = ask("nobody", "Can a region be empty of people?", "values that are no number", 0.0)


def empty_places(case: Extremes) -> list[Finding]:
    """Three large regions: one without villagers, one without land, one with all land abandoned."""
    villages, barren, wild = (case.by_size * len(LAND))[: len(LAND)]
    changes: dict[str, Constant] = {
        name: case.zero(name, villages)
        for name in (
            "initial_rural_residents",
            "initial_rural_children",
            "initial_migrant_children",
        )
    }
    changes["initial_migrants"] = case.zero("initial_migrants", villages, "region", "dest")
    start = {name: case.array(f"initial_{name}") for name in LAND}
    all_land = float(sum(float(start[name].sel(region=wild)) for name in LAND))
    for name in LAND:
        start[name].loc[{"region": [barren, wild]}] = 0.0
    start["land_abandoned"].loc[{"region": wild}] = all_land
    changes |= {f"initial_{name}": array for name, array in start.items()}
    return judge_empty_places(case.run(changes), villages, barren, wild)


def judge_empty_places(run: xr.Dataset, villages: str, barren: str, wild: str) -> list[Finding]:
    """What comes out of nothing in each of the three regions."""
    empty, dry = run.sel(region=villages), run.sel(region=barren)
    share = run["abandoned_share"].sel(region=wild)
    people = max(most(empty, each) for each in ("rural_residents", "moves_out", "returns_home"))
    return [
        NO_VILLAGES.judge(people, f"region {villages}"),
        NO_LAND.judge(max(most(dry, name) for name in LAND), f"region {barren}"),
        ALL_ABANDONED.judge(
            float(share.diff("year").max()),
            f"region {wild}: from {float(share[0]):.2f} to {float(share[-1]):.2f}",
        ),
    ]


def no_towns(case: Extremes) -> list[Finding]:
    """The smallest region has villages only."""
    place = case.by_size[-1]
    changes: dict[str, Constant] = {
        name: case.zero(name, place)
        for name in (
            "initial_urban_hukou_residents",
            "initial_urban_hukou_children",
            "initial_migrant_children",
        )
    }
    changes["initial_migrants"] = case.zero("initial_migrants", place, "dest")
    ratio = ratio_of(case.run(changes), case.with_reform, "urban_residents").sel(region=place)
    return [NO_TOWNS.judge(float(ratio.max()), f"region {place}")]


def nobody(case: Extremes) -> list[Finding]:
    """The smallest region has no people at all."""
    place = case.by_size[-1]
    changes: dict[str, Constant] = {
        name: case.zero(name, place)
        for name in (
            "initial_rural_residents",
            "initial_urban_hukou_residents",
            *(f"initial_{name}" for name in CHILDREN),
        )
    }
    changes["initial_migrants"] = case.zero("initial_migrants", place, "region", "dest")
    try:
        case.run(changes)
    except ModelError as error:
        return [NOBODY.judge(len(error.faults), f"region {place}: {error.faults[0]}")]
    return [NOBODY.judge(0, f"region {place}")]


EMPTY_REGIONS = (
    Condition("empty places", (NO_VILLAGES, NO_LAND, ALL_ABANDONED), empty_places),
    Condition("no towns", (NO_TOWNS,), no_towns),
    Condition("nobody", (NOBODY,), nobody),
)
