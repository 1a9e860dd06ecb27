"""How each named outcome is made from the variables of a saved result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from hukou_opt.result import Result

#: Case of the gaps that is the run's own answer.
PLAN = "plan"
NO_ALLOCATION = "the run has no allocation"
#: Outcomes that are gaps of the result, by their name without its year.
STORED = (
    "unfunded",
    "unfunded_share",
    "unfunded_worst",
    "unfunded_mad",
    "unmet_education",
    "unmet_health",
    "unmet_hukou_children",
    "unmet_migrant_children",
    "unmet_rural_children",
    "unmet_urban_residents",
    "unmet_rural_residents",
    "gap_hukou_migrant",
    "gap_urban_rural_beds",
    "spread_migrant_children",
    "spread_urban_residents",
)


def last_year(result: Result) -> int:
    """Last year in which the plan decides; the last year of the path where a file does not say."""
    if "last_year" in result.attrs:
        return int(result.attrs["last_year"])
    group = result["allocation" if result.has_allocation else "trajectory"]
    return int(group["year"].values[-1])


class NotHeldError(Exception):
    """A result lacks what an outcome is made from."""

    def __init__(self, why: str, fix: str = "leave it out") -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True)
class Seen:
    """A result as seen by an outcome: amounts of the nation, or of one region."""

    result: Result
    region: str | None

    def total(self, group: str, name: str, **cells: str) -> pd.Series:
        """An amount by year: summed over regions, and over all that ``cells`` does not fix."""
        return self.by_year(self.array(group, name), **cells)

    def array(self, group: str, name: str) -> xr.DataArray:
        """A variable of a group, with its years under one name."""
        if group not in self.result:
            why = NO_ALLOCATION if not self.result.has_allocation else f"it lacks /{group}"
            raise NotHeldError(why)
        if name not in self.result[group]:
            raise NotHeldError(f"it lacks /{group}/{name}")
        values = self.result[group][name]
        return values.rename(need_year="year") if "need_year" in values.dims else values

    def by_year(self, values: xr.DataArray, **cells: str) -> pd.Series:
        """Sum over everything but years."""
        fixed = cells if self.region is None else {**cells, "region": self.region}
        picked = values.sel(fixed)
        summed = picked.sum([dim for dim in picked.dims if dim != "year"])
        return pd.Series(summed.values, summed["year"].values)

    def path(self, name: str) -> pd.Series:
        """A stock or flow of the model by year."""
        return self.total("trajectory", name)

    def mean(self, name: str, weight: str) -> pd.Series:
        """Mean of a level of the model over those concerned."""
        weights = self.array("trajectory", weight)
        return self.by_year(self.array("trajectory", name) * weights) / self.by_year(weights)

    def stored(self, stem: str) -> pd.Series:
        """Gaps whose name ends in their year; those without a year belong to the last one."""
        if self.region is not None:
            raise NotHeldError("the result holds it for the nation only", "leave the region out")
        values = self.array("gaps", "value").sel(case=PLAN)
        names = [str(each) for each in values["measure"].values]
        found = {}
        for name in names:
            year = name.removeprefix(f"{stem}_")
            if name == stem:
                found[last_year(self.result)] = float(values.sel(measure=name))
            elif name.startswith(f"{stem}_") and year.isdigit():
                found[int(year)] = float(values.sel(measure=name))
        if not found:
            raise NotHeldError("the gaps do not hold it")
        return pd.Series(found, dtype=float)


_Figure = Callable[[Seen], pd.Series]


def _path(name: str) -> _Figure:
    return lambda seen: seen.path(name)


def _over(part: str, *whole: str) -> _Figure:
    """Sum of one stock over the sum of others."""

    def figure(seen: Seen) -> pd.Series:
        people: pd.Series = sum((seen.path(name) for name in whole[1:]), seen.path(whole[0]))
        return seen.path(part) / people.where(people > 0)

    return figure


def _mean(name: str, weight: str) -> _Figure:
    return lambda seen: seen.mean(name, weight)


def _settlers(seen: Seen) -> pd.Series:
    """Settlers of a calendar year: the growth of those since the start."""
    return seen.path("reform_settlers").diff()


def _allocated(name: str, **cells: str) -> _Figure:
    return lambda seen: seen.total("allocation", name, **cells)


def _summed(name: str, **cells: str) -> _Figure:
    return lambda seen: seen.total("allocation", name, **cells).cumsum()


def _unused(seen: Seen) -> pd.Series:
    if seen.region is not None:
        raise NotHeldError("the fund is the nation's", "leave the region out")
    return pd.Series({last_year(seen.result): float(seen.array("allocation", "central_unused"))})


def _stored(stem: str) -> _Figure:
    return lambda seen: seen.stored(stem)


def _spare_seats(seen: Seen, area: str, sign: int) -> pd.Series:
    """Seats above children (sign 1), or children without a seat (sign -1), on the model's path."""
    groups = ("children_rural",) if area == "rural" else ("children_hukou", "children_migrant")
    spare = seen.array("trajectory", f"{area}_seats")
    for group in groups:
        spare = spare - seen.array("trajectory", group)
    return seen.by_year((sign * spare).clip(min=0.0))


def _short(area: str, service: str) -> _Figure:
    """Need without capacity, region by region: what one has too much of serves no other.

    With an allocation this is what temporary places leave over. Without one it is told for seats
    only: the path does not hold the need of beds.
    """

    def figure(seen: Seen) -> pd.Series:
        if not seen.result.has_allocation and service == "beds":
            raise NotHeldError(NO_ALLOCATION)
        if not seen.result.has_allocation:
            return _spare_seats(seen, area, -1)
        return seen.total("allocation", "shortage", area=area, service=service)

    return figure


def _stranded(area: str, service: str) -> _Figure:
    """Capacity above need, region by region."""

    def figure(seen: Seen) -> pd.Series:
        if not seen.result.has_allocation and service == "seats":
            return _spare_seats(seen, area, 1)
        spare = seen.array("allocation", "capacity") - seen.array("needs", "need")
        return seen.by_year(spare.clip(min=0.0), area=area, service=service)

    return figure


def _rural_level(service: str) -> _Figure:
    """Covered part of the rural need over the covered part of the urban need."""

    def figure(seen: Seen) -> pd.Series:
        need = seen.array("needs", "need")
        short = seen.array("allocation", "shortage")
        covered = {
            area: 1
            - seen.by_year(short, area=area, service=service)
            / seen.by_year(need, area=area, service=service)
            for area in ("urban", "rural")
        }
        return covered["rural"] / covered["urban"].where(covered["urban"] > 0)

    return figure


def _beds_stranded(seen: Seen) -> pd.Series:
    return _stranded("urban", "beds")(seen) + _stranded("rural", "beds")(seen)


FIGURES: Mapping[str, _Figure] = {
    "hukou_rate": _over("urban_hukou_residents", "urban_population", "rural_population"),
    "urban_share": _over("urban_population", "urban_population", "rural_population"),
    "settlers_total": _path("reform_settlers"),
    "settlers": _settlers,
    "migrants": _path("migrants_total"),
    "tension": _mean("tension", "urban_population"),
    "migrant_public_share": _mean("admission_migrant", "children_migrant"),
    "hukou_public_share": _mean("admission_hukou", "children_hukou"),
    "urban_seats": _path("urban_seats"),
    "urban_seats_short": _short("urban", "seats"),
    "rural_seats_short": _short("rural", "seats"),
    "urban_seats_stranded": _stranded("urban", "seats"),
    "rural_seats_stranded": _stranded("rural", "seats"),
    "temporary_places": _allocated("temporary_places"),
    "seats_started": _summed("starts", service="seats"),
    "urban_beds_short": _short("urban", "beds"),
    "rural_beds_short": _short("rural", "beds"),
    "beds_stranded": _beds_stranded,
    "beds_started": _summed("starts", service="beds"),
    "rural_seats_level": _rural_level("seats"),
    "rural_beds_level": _rural_level("beds"),
    "abandoned_share": _over("land_abandoned", "land_farmed", "land_transferred", "land_abandoned"),
    "abandoned_land": _path("land_abandoned"),
    "certified_cost": _summed("certified_cost"),
    "unfunded_cost": _allocated("unfunded"),
    "central_money": _summed("central_transfers"),
    "central_unused": _unused,
    "local_money": _summed("local_money"),
    "bonds": _summed("bonds"),
    "east_levy": _summed("east_levy"),
    "building_cost": _summed("building_cost"),
    "debt": _path("debt"),
    **{name: _stored(name) for name in STORED},
}
