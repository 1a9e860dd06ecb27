"""Run the model from a past base year: no reform, and beds begun as in the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xarray as xr

from hukou_opt import bundled
from hukou_opt.dynamics import ArrayEngine, Decisions, model_constants, no_decisions
from hukou_opt.dynamics.engine import Constant
from hukou_opt.fit.margins import Moves, between_regions, inside_regions
from hukou_opt.fit.past import Known, base_year, people
from hukou_opt.fit.trends import Trends
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.vital import growth_by_group

#: What is read from a run.
READ = (
    "residents",
    "urban_residents",
    "urban_hukou_residents",
    "rural_children",
    "migrant_children",
    "urban_hukou_children",
    "urban_beds",
    "rural_beds",
)
#: Natural growth of a past window is carried on: its later decline was not known.
HELD = {"natural_growth_trend": 0.0}
#: Access to schools and hospitals held at its level of the base year: no series of school places
#: exists, and without the building of the time the model would crowd classes that were not.
ACCESS_HELD = {
    "seat_crowding_exponent": 0.0,
    "bed_crowding_exponent": 0.0,
    "willingness_places": 0.0,
    "return_crowding": 0.0,
    "service_elasticity": 0.0,
}
#: The switch of the ceiling and the step of the shipped model.
CEILING_ON, TIME_STEP = 1.0, 0.25
#: Range of the ceiling's registry row is not that of the forms: .80 was tried elsewhere.
CEILING, CEILING_SWITCH = "urban_ceiling", "urban_ceiling_switch"


@dataclass(frozen=True)
class Form:
    """One form of the forecast, as the protocol has it.

    Parameters
    ----------
    name, text : str
        Name and description.
    pooled, damped : bool
        Whether slopes are pooled and net moves damped.
    diagonal : bool
        Whether every move from country to town stays inside its region.
    ceiling : float or None
        Ceiling of the urban share; None for none.
    access_held : bool
        Whether access to services acts on nobody, as if building had kept pace.
    added_later : bool
        Whether the form was added after the first scoring.
    """

    name: str
    text: str
    pooled: bool
    damped: bool
    diagonal: bool = False
    ceiling: float | None = None
    access_held: bool = False
    added_later: bool = False


@dataclass(frozen=True, eq=False)
class Start:
    """A base year ready to run.

    Parameters
    ----------
    base : BaseYear
        State and drivers.
    moves : Moves
        Moves of the base year.
    damping : float
        Factor on net moves.
    """

    base: BaseYear
    moves: Moves
    damping: float


def start(
    known: Known,
    found: Trends,
    form: Form,
    parameters: Parameters,
    *,
    until: int,
    years_ahead: float,
) -> Start:
    """Build the base year of a form.

    Parameters
    ----------
    known : Known
        Official figures at the base year.
    found : Trends
        What the window says.
    form : Form
        Pooling, damping, where moves go.
    parameters : Parameters
        The registry.
    until : int
        Last year to simulate.
    years_ahead : float
        Years from the middle of the window to the middle of the years to come.
    """
    stocks = people(known, parameters)
    slope, net, damping = found.expected(
        pooled=form.pooled, damped=form.damped, years_ahead=years_ahead
    )
    growth = growth_by_group(
        found.natural * stocks.total,
        stocks.rural,
        stocks.migrants_here,
        stocks.urban_hukou,
        parameters,
    )
    rate = parameters["return_rate"]
    if form.diagonal:
        moves = inside_regions(stocks, growth, slope, net, found.natural, return_rate=rate)
    else:
        floor = parameters["flow_floor_share"]
        moves = between_regions(
            stocks, growth, slope, net, found.natural, return_rate=rate, floor=floor
        )
    years = range(known.year + 1, until + 1)
    base = base_year(known, stocks, growth, moves, parameters, years)
    return Start(base, moves, damping)


@lru_cache(maxsize=8)
def engine(codes: tuple[str, ...], years: tuple[int, ...]) -> ArrayEngine:
    """The array engine of the shipped model; built once for regions and years."""
    return ArrayEngine(bundled.model(), codes, years, time_step=TIME_STEP)


def constants(begun: Start, form: Form, parameters: Parameters) -> dict[str, Constant]:
    """All constants of a run without reform."""
    given = model_constants(begun.base, parameters, reform=False)
    given |= HELD
    given["net_moves"] = xr.DataArray(
        begun.moves.other, {"region": list(begun.base.codes)}, ("region",)
    )
    if form.access_held:
        given |= ACCESS_HELD
    if form.ceiling is not None:
        given |= {CEILING_SWITCH: CEILING_ON, CEILING: form.ceiling}
    return given


def run(
    begun: Start,
    form: Form,
    parameters: Parameters,
    *,
    beds_added: Array | None = None,
    changed: Mapping[str, Constant] | None = None,
) -> xr.Dataset:
    """Simulate from the base year on.

    Parameters
    ----------
    begun : Start
        Base year.
    form : Form
        Form of the forecast.
    parameters : Parameters
        The registry.
    beds_added : array, dims (region), optional
        Beds begun every year beyond replacement, 10k; none by default.
    changed : mapping, optional
        Constants that differ, with a dimension ``member`` where many runs are made at once.

    Returns
    -------
    Dataset, dims (year, region), with ``member`` where asked
        Variables of `READ`, base year included.
    """
    years = tuple(int(year) for year in begun.base.data["year"].values)
    machine = engine(begun.base.codes, years)
    machine.reset(constants(begun, form, parameters) | dict(changed or {}))
    return machine.run(_decisions(begun, years, beds_added), READ).data


def _decisions(begun: Start, years: tuple[int, ...], beds_added: Array | None) -> Decisions:
    nothing = no_decisions(begun.base.codes, years)
    if beds_added is None:
        return nothing
    data = begun.base.data
    town = data["initial_urban_beds"].values
    share = town / (town + data["initial_rural_beds"].values)
    starts = nothing.starts.copy()
    added = np.maximum(beds_added, 0.0)[:, None]
    starts.loc[{"area": "urban", "service": "beds"}] = np.repeat(
        added * share[:, None], len(years), 1
    )
    starts.loc[{"area": "rural", "service": "beds"}] = np.repeat(
        added * (1 - share)[:, None], len(years), 1
    )
    return Decisions(starts, nothing.temporary_places, nothing.funded_share, nothing.bonds)


def hukou_rates(path: xr.Dataset) -> xr.DataArray:
    """National share of residents with urban hukou, dims (year) and ``member`` where there."""
    return path["urban_hukou_residents"].sum("region") / path["residents"].sum("region")


def children_of(path: xr.Dataset) -> xr.DataArray:
    """School-age children of all groups, 10k persons."""
    return path["rural_children"] + path["migrant_children"] + path["urban_hukou_children"]
