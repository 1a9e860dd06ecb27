"""Parameters that are each in their range and yet cannot hold together."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from hukou_opt.errors import Fault

#: Shares that come from a table of rounded figures still count as summing to one.
SUM_TOLERANCE = 1e-6
#: Sectors of the fund and of the settlers' service cost (plan 7.1).
_SECTORS = ("education", "health", "social_security", "other")
#: Groups of shares that make up a whole, and what they split.
_WHOLES = {
    "sector_share": "the fund (rule sector_shares, plan 7.1)",
    "cost_split": "the service cost of a settler (rule money_balance)",
}
#: Costs by which money is divided: free or negative ones make every amount possible.
COSTS = (
    "service_cost_per_settler",
    "unit_cost_urban_seat",
    "unit_cost_rural_seat",
    "unit_cost_urban_bed",
    "unit_cost_rural_bed",
)
#: Years of targets, and the rule of each.
TARGET_YEARS = {
    "public_share": "public_share_target_year",
    "seat_target": "seat_target_year",
    "capacity_share": "capacity_share_target_year",
}
#: Modes in which a target draws on the answer, and in which it must hold.
_ACTS = ("soft", "law", "hard")
_DEMANDED = ("law", "hard")


@dataclass(frozen=True)
class Contradiction:
    """Parameters that cannot hold together.

    Parameters
    ----------
    names : tuple of str
        The parameters.
    fault : Fault
        What is wrong with them, and what to do.
    """

    names: tuple[str, ...]
    fault: Fault


@dataclass(frozen=True)
class Earmarks:
    """Shares of gross land revenue that the plan gives away, and the net part there is.

    Provinces and cities earmark parts of net revenue (plan 6.1, 7.1); the eastern levy is a part
    of gross revenue (plan 6.4). Where the net part is 1, the plan is read as speaking of gross
    revenue throughout (plan 9.3).
    """

    province: float
    city: float
    levy: float
    net: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Earmarks:
        """From the registry's values."""
        net = values["land_net_share"]
        return cls(
            values["province_land_share"] * net,
            values["city_land_share"] * net,
            values["east_levy_share"],
            net,
        )

    @property
    def taken(self) -> float:
        """All that is given away, share of gross land revenue."""
        return self.province + self.city + self.levy


def contradictions(
    values: Mapping[str, float],
    modes: Mapping[str, str],
    years: tuple[int, int],
    given: Collection[str] = (),
) -> Iterator[Contradiction]:
    """Find what in parameters and rules cannot hold together, before anything is run.

    Parameters
    ----------
    values : mapping of str to float
        Value of every parameter.
    modes : mapping of str to str
        Mode of each rule that can be switched.
    years : (int, int)
        First and last year decided.
    given : collection of str, optional
        Parameters that the user has set: a target year among them must be decided even where its
        rule does not bind.

    Yields
    ------
    Contradiction
        One for each group of parameters.
    """
    yield from _shares(values)
    yield from _costs(values)
    yield from _earmarks(values)
    yield from _ceiling(values, modes)
    yield from _bonds(values, modes)
    yield from _years(values, modes, years, given)


def _shares(values: Mapping[str, float]) -> Iterator[Contradiction]:
    for prefix, whole in _WHOLES.items():
        names = tuple(f"{prefix}_{sector}" for sector in _SECTORS)
        shares = [values[name] for name in names]
        total = math.fsum(shares)
        if abs(total - 1) > SUM_TOLERANCE:
            listed = " + ".join(f"{share:g}" for share in shares)
            yield Contradiction(
                names,
                Fault(
                    f"parameters.{prefix}_*",
                    f"the shares of {whole} do not sum to 1 ({listed} = {total:.6g})",
                    "give all of " + ", ".join(names) + " so that they sum to 1",
                ),
            )


def _costs(values: Mapping[str, float]) -> Iterator[Contradiction]:
    for name in COSTS:
        if not values[name] > 0:
            yield Contradiction(
                (name,),
                Fault(
                    f"parameters.{name}",
                    f"must be above 0, rule money_balance ({values[name]:g})",
                    "give what a seat, a bed or a settler costs",
                ),
            )


def _earmarks(values: Mapping[str, float]) -> Iterator[Contradiction]:
    marks = Earmarks.of(values)
    # Rounding of a sum of shares is no earmark.
    if marks.taken <= marks.net + SUM_TOLERANCE:
        return
    whole = "all" if marks.net == 1 else f"the net part, {marks.net:.4g},"
    yield Contradiction(
        ("province_land_share", "city_land_share", "east_levy_share", "land_net_share"),
        Fault(
            "parameters.land_net_share",
            f"earmarks take more than {whole} of gross land revenue, rule earmarks_within_revenue "
            f"(provinces {marks.province:.4g} + cities {marks.city:.4g} + levy {marks.levy:.4g} "
            f"= {marks.taken:.4g})",
            "lower province_land_share, city_land_share or east_levy_share, or raise "
            "land_net_share (plan 7.1, 6.4)",
        ),
    )


def _ceiling(values: Mapping[str, float], modes: Mapping[str, str]) -> Iterator[Contradiction]:
    floor, ceiling = values["central_support_rate"], values["central_support_ceiling"]
    if modes["support_ceiling"] == "on" and modes["support_floor"] in _ACTS and floor > ceiling:
        yield Contradiction(
            ("central_support_rate", "central_support_ceiling"),
            Fault(
                "parameters.central_support_rate",
                "the floor of central support lies above its ceiling, rules support_floor and "
                f"support_ceiling (central_support_rate {floor:g}, central_support_ceiling "
                f"{ceiling:g})",
                "lower the rate, raise the ceiling, or switch one of the two rules off (plan 6.1)",
            ),
        )


def _bonds(values: Mapping[str, float], modes: Mapping[str, str]) -> Iterator[Contradiction]:
    multiple, total = values["bond_region_multiple"], values["bonds_per_year"]
    if modes["bonds_region"] == "on" and multiple < 1 and total > 0:
        yield Contradiction(
            ("bond_region_multiple",),
            Fault(
                "parameters.bond_region_multiple",
                f"the regions' ceilings of bonds add up to {multiple * total:g} of {total:g} 100m "
                f"yuan in every year, rule bonds_region ({multiple:g})",
                "give 1 or more, lower bonds_per_year, or set allocation.rules.bonds_region: off",
            ),
        )


def _years(
    values: Mapping[str, float],
    modes: Mapping[str, str],
    years: tuple[int, int],
    given: Collection[str],
) -> Iterator[Contradiction]:
    first, last = years
    for rule, name in TARGET_YEARS.items():
        mode, year = modes.get(rule, "report"), values[name]
        if year != round(year):
            what = f"is no whole year ({year:g})"
        elif year < first and (mode in _ACTS or name in given):
            what = f"lies before the first year decided, {first}, rule {rule} ({year:g})"
        elif year > last and (mode in _DEMANDED or name in given):
            what = f"lies after the last year decided, {last}, rule {rule} ({year:g})"
        else:
            continue
        rest = "" if mode == "report" else f", or change allocation.rules.{rule} ({mode})"
        yield Contradiction(
            (name,), Fault(f"parameters.{name}", what, f"give a year from {first} to {last}{rest}")
        )
