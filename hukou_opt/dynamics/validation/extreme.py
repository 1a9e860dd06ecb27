"""The model where the world has gone to an end: no doors, no money, no seats, no births, no people.

Each condition is put on the real base year and run once, with the reform's levers on, at a step of
a year: what must hold under these conditions holds at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import model_constants, no_decisions
from hukou_opt.dynamics.outputs import OUTPUTS
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.structure import read_structure
from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.parameters.registry import Parameter, Parameters
from hukou_opt.regions.base_year import BaseYear

GROUP = "extreme conditions"
_REFERENCE = "Barlas 1996: extreme-condition test; Sterman 2000, ch. 21"
#: What the conditions are judged by.
READ = (
    "rural_residents", "urban_residents", "urban_hukou_residents", "residents", "urban_share",
    "rural_children", "migrant_children", "urban_hukou_children", "settlers",
    "cumulative_settlers", "moves_out", "returns_home", "land_farmed", "land_transferred",
    "land_abandoned", "abandoned_share", "migrant_place_share_year_end",
)  # fmt: skip
CHILDREN = ("rural_children", "migrant_children", "urban_hukou_children")
#: Rounding of sums over regions and years, 10k persons or 10k mu.
ROUNDING = 1e-6
#: Rounding of ratios.
RATIO_ROUNDING = 1e-9
#: On the logit scale: nobody is willing, whatever the levers add.
UNWILLING = -60.0
#: Migration so much stronger than observed.
RUSH = 5.0
#: Part of the running cost that is paid where money is short.
HALF, LITTLE = 0.5, 0.2
#: Levers that act where nothing is paid: school rules, grants that draw movers, and land rules that
#: move people between village and town.
ACT_WITHOUT_MONEY = (
    "equal_enrolment", "settling_grant", "housing_subsidy", "trusteeship", "platform",
    "keep_pilot_share", "keep_full_share", "rent_exponent",
)  # fmt: skip
#: Group of the model file that holds the levers, and what marks the values of today among them.
LEVERS, TODAY = "reform", "_base"


def ask(
    name: str, words: str, unit: str, allowed: float, *, reference: str = _REFERENCE
) -> Question:
    """A question of this group."""
    return Question(f"extreme.{name}", GROUP, words, unit, allowed, reference)


DOORS = ask("doors_shut", "Does nobody settle where all doors are shut?", "10k persons", 0.0)
WILLING = ask("unwilling", "Does nobody settle where nobody wants to?", "10k persons", ROUNDING)
NO_SEATS = ask("no_seats", "Is no migrant child placed where there are no seats?", "1", 0.0)
NO_SEATS_SETTLE = ask(
    "no_seats_settlers", "Does nobody settle where there are no seats?", "10k persons", 0.0
)
NO_BIRTHS = ask(
    "no_births",
    "Are hardly any school-age children left when births have stopped for long enough?",
    "share of those at the start",
    # Leavers are numbers of the province in which a cohort lived at the census: children who moved
    # to another province since then leave school age late, at the rate of those who are left.
    0.001,
)
NO_BIRTHS_BELOW = ask(
    "no_births_negative",
    "Does no group of children fall below zero when births stop?",
    "10k persons below zero",
    ROUNDING,
)
NO_MONEY = ask(
    "no_money",
    "Without money, and without levers that need none, do settlers equal those without reform?",
    "largest relative difference",
    RATIO_ROUNDING,
)
HALF_MONEY = ask(
    "half_money",
    "Does half of the money settle no more people in any region and year than all of it?",
    "largest ratio",
    1 + RATIO_ROUNDING,
)
CAP = ask(
    "quiet_caps",
    "Where cities cap numbers, do settlers stay within the cap?",
    "largest ratio to the cap",
    1 + RATIO_ROUNDING,
)
BRAKE = ask("backlash", "Does social tension, where it brakes, lower settlement?", "ratio", 1.0)
CEILING = ask("rush", "With five times the migration, is no village overdrawn?", "urban share", 1.0)
SWITCH = Question(
    "switch.reform",
    "reform switch",
    "Without the reform, does no lever and no lack of money change anything?",
    "largest difference",
    0.0,
    "Sterman 2000, ch. 21: behaviour under switched-off policies",
)


#: Step of published runs, years.
FINE_STEP = 0.25


class Extremes:
    """The real base year, on which conditions are put.

    Parameters
    ----------
    path : Path
        Model file.
    base : BaseYear
        State of the regions at the start.
    parameters : Parameters
        The registry.
    time_step : float, optional
        Euler step, years.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.
    """

    def __init__(
        self,
        path: Path,
        base: BaseYear,
        parameters: Parameters,
        *,
        time_step: float = 1.0,
        trust: bool = False,
    ) -> None:
        self.path, self.parameters, self.trust = path, parameters, trust
        self.time_step = time_step
        years = [int(year) for year in base.data["year"].values]

        def engine(step: float) -> PysdEngine:
            return PysdEngine(path, base.codes, years, time_step=step, trust=trust)

        self.engine_at = lru_cache(engine)
        self.constants = model_constants(base, parameters, reform=True)
        self.nothing = no_decisions(base.codes, years)
        people = (
            base.data["initial_rural_residents"]
            + base.data["initial_urban_hukou_residents"]
            + base.data["initial_migrants"].sum("region").rename(dest="region")
        )
        #: Region codes from the largest to the smallest.
        self.by_size = [str(code) for code in people.sortby(people)["region"].values[::-1]]

    def run(
        self,
        changes: Mapping[str, Constant] | None = None,
        *,
        funded: float = 1.0,
        columns: tuple[str, ...] = READ,
        time_step: float | None = None,
    ) -> xr.Dataset:
        """Run with some constants changed and a part of the running cost paid."""
        decisions: Decisions = replace(
            self.nothing, funded_share=self.nothing.funded_share * funded
        )
        engine = self.engine_at(time_step or self.time_step)
        engine.reset(self.constants | dict(changes or {}))
        return engine.run(decisions, columns).data

    def array(self, name: str) -> xr.DataArray:
        """A constant by region, to be changed."""
        value = self.constants[name]
        if not isinstance(value, xr.DataArray):
            raise TypeError(f"{name} is no array")
        return value.copy(deep=True)

    def zero(self, name: str, region: str | None = None, *dims: str) -> xr.DataArray:
        """A constant with zero everywhere, or in one region along `dims`."""
        array = self.array(name)
        if region is None:
            return xr.zeros_like(array)
        for dim in dims or ("region",):
            array.loc[{dim: region}] = 0.0
        return array

    @cached_property
    def with_reform(self) -> xr.Dataset:
        """All levers, all cost paid."""
        return self.run()

    @cached_property
    def without_reform(self) -> xr.Dataset:
        """No lever."""
        return self.run({"reform": 0.0}, columns=OUTPUTS)


@dataclass(frozen=True)
class Condition:
    """One run under extreme conditions and what is asked of it.

    Parameters
    ----------
    words : str
        What the condition is, for the progress bar.
    questions : tuple of Question
        What is asked.
    answer : callable
        Runs the model and judges.
    """

    words: str
    questions: tuple[Question, ...]
    answer: Callable[[Extremes], list[Finding]]


def shut_doors(case: Extremes) -> list[Finding]:
    """No city takes anybody in."""
    shut = {name: 0.0 for name in case.constants if name.startswith("openness_")}
    return [DOORS.judge(most(case.run(shut | {"cluster_recognition": 0.0}), "settlers"))]


def unwilling(case: Extremes) -> list[Finding]:
    """No migrant wants an urban hukou."""
    return [WILLING.judge(most(case.run({"willingness_base": UNWILLING}), "settlers"))]


def no_seats(case: Extremes) -> list[Finding]:
    """Towns have no school."""
    run = case.run({"initial_urban_seats": case.zero("initial_urban_seats")})
    return [
        NO_SEATS.judge(most(run, "migrant_place_share_year_end")),
        NO_SEATS_SETTLE.judge(most(run, "settlers")),
    ]


def no_births(case: Extremes) -> list[Finding]:
    """From the first year on nobody reaches school age; as many leave it as would anyway."""
    run = case.run(
        {"school_entrants": case.zero("school_entrants")},
        # Nobody stays longer than a year in a stock that is left as fast as this: a year is too
        # long a step.
        time_step=FINE_STEP,
    )
    return judge_no_births(run)


def judge_no_births(run: xr.Dataset) -> list[Finding]:
    """Children who are left in the end, and the lowest group on the way."""
    total = sum(run[name] for name in CHILDREN).sum("region")  # type: ignore[union-attr]
    left = float(total.isel(year=-1)) / max(float(total.isel(year=0)), ROUNDING)
    lowest = min(CHILDREN, key=lambda name: float(run[name].min()))
    place = run[lowest].where(run[lowest] == run[lowest].min(), drop=True)
    where = f"{lowest} in {place['region'].values[0]}, {place['year'].values[0]}"
    return [
        NO_BIRTHS.judge(abs(left), f"all regions, end of {int(run['year'].values[-1])}"),
        NO_BIRTHS_BELOW.judge(max(0.0, -float(run[lowest].min())), f"lowest: {where}"),
    ]


def no_money(case: Extremes) -> list[Finding]:
    """Nobody pays for a settler; then with every lever on, for comparison."""
    off: dict[str, Constant] = dict.fromkeys(ACT_WITHOUT_MONEY, 0.0)
    unpaid, plain = case.run(off, funded=0.0), case.without_reform
    with_levers = case.run(funded=0.0)
    ratio = ratio_of(with_levers, plain, "cumulative_settlers")
    return [
        NO_MONEY.judge(
            apart_by(unpaid, plain, READ),
            f"with every lever on, settlers since the start are {float(ratio.min()):.3f} to "
            f"{float(ratio.max()):.3f} of those without reform, by region and year, because levers "
            "on land, schools and grants still move people",
        )
    ]


def half_money(case: Extremes) -> list[Finding]:
    """Half of the running cost is paid."""
    ratio = ratio_of(case.run(funded=HALF), case.with_reform, "cumulative_settlers")
    last = ratio.isel(year=-1)
    return [
        HALF_MONEY.judge(
            float(ratio.max()),
            f"at the end of the run {float(last.min()):.3f} to {float(last.max()):.3f} by region",
        )
    ]


def quiet_caps(case: Extremes) -> list[Finding]:
    """Cities let in no more than a share of their residents."""
    return [judge_caps(case.run({"settlement_cap_switch": 1.0}), case.parameters["settlement_cap"])]


def judge_caps(run: xr.Dataset, cap: float) -> Finding:
    """Settlers over the cap, largest of all regions and years."""
    return CAP.judge(float((run["settlers"] / (cap * run["urban_hukou_residents"])).max()))


def backlash(case: Extremes) -> list[Finding]:
    """Social tension slows settlement as much as the registry allows."""
    strongest = case.parameters.rows["tension_brake"].high
    run = case.run({"tension_brake": strongest})
    settled = [
        float(each["cumulative_settlers"].isel(year=-1).sum()) for each in (run, case.with_reform)
    ]
    return [BRAKE.judge(settled[0] / settled[1], f"settlers since the start, brake {strongest:g}")]


def rush(case: Extremes) -> list[Finding]:
    """Everybody wants to town."""
    run = case.run({"migration_coefficient": case.array("migration_coefficient") * RUSH})
    return [judge_rush(run)]


def judge_rush(run: xr.Dataset) -> Finding:
    """Largest urban share; a village below zero counts as a share above one."""
    lowest = float(run["rural_residents"].min())
    share = most(run, "urban_share")
    return CEILING.judge(
        share if lowest >= 0 else max(share, 1 - lowest), f"smallest rural population {lowest:.3g}"
    )


def moved_levers(case: Extremes) -> dict[str, float]:
    """Every lever of the model file at the end of its range that lies farther from its value."""
    rows = case.parameters.rows
    names = [
        element.name
        for element in read_structure(case.path, trust=case.trust).sector(LEVERS).elements
        if element.name in rows and TODAY not in element.name
    ]
    return {name: _far_end(rows[name]) for name in names}


def _far_end(row: Parameter) -> float:
    return row.low if row.value - row.low > row.high - row.value else row.high


def reform_switch(case: Extremes) -> list[Finding]:
    """No reform, but every lever moved and most of the cost unpaid."""
    moved = moved_levers(case)
    run = case.run(moved | {"reform": 0.0}, funded=LITTLE, columns=OUTPUTS)
    return [judge_switch(run, case.without_reform, len(moved))]


def judge_switch(run: xr.Dataset, plain: xr.Dataset, number: int) -> Finding:
    """Largest difference of any variable; what is no reform is left aside."""
    apart = {name: float(np.abs(run[name].values - plain[name].values).max()) for name in OUTPUTS}
    name = max(apart, key=lambda each: apart[each])
    told = f"{number} levers moved, {len(apart)} variables compared"
    return SWITCH.judge(apart[name], told + (f"; largest in {name}" if apart[name] else ""))


CONDITIONS = (
    Condition("all doors shut", (DOORS,), shut_doors),
    Condition("nobody willing", (WILLING,), unwilling),
    Condition("no seats", (NO_SEATS, NO_SEATS_SETTLE), no_seats),
    Condition("no births", (NO_BIRTHS, NO_BIRTHS_BELOW), no_births),
    Condition("no money", (NO_MONEY,), no_money),
    Condition("half of the money", (HALF_MONEY,), half_money),
    Condition("quiet caps", (CAP,), quiet_caps),
    Condition("backlash", (BRAKE,), backlash),
    Condition("a rush to town", (CEILING,), rush),
    Condition("reform switched off", (SWITCH,), reform_switch),
)


def most(run: xr.Dataset, name: str) -> float:
    """Largest value of a variable; not a number where any is."""
    # NumPy, unlike xarray, does not pass over values that are no numbers.
    return float(np.max(run[name].values))


def ratio_of(run: xr.Dataset, other: xr.Dataset, name: str) -> xr.DataArray:
    """Ratio of a variable in two runs, where the other is above zero."""
    return run[name] / other[name].where(other[name] > 0)


def apart_by(run: xr.Dataset, other: xr.Dataset, names: tuple[str, ...]) -> float:
    """Largest difference of two runs, relative to the largest value of each variable."""
    return max(
        float(np.max(np.abs(run[name].values - other[name].values)))
        / max(1.0, float(np.max(np.abs(other[name].values))))
        for name in names
    )
