"""Whether the answer hangs on the computation: step, cut of regions, restart, order of regions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics.difference import Difference
from hukou_opt.dynamics.engine import Constant, Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.export import self_contained
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.second_reader import MODULE, PACKAGE, compare_with_second_reader
from hukou_opt.dynamics.validation.report import Finding, Question
from hukou_opt.regions.base_year import CONTRACT, BaseYear

GROUP = "numerics"
_STEP = "Sterman 2000, ch. 21: integration error test"
#: Stocks that stand at the start; memories since the start begin at zero and are judged apart.
STOCKS = (
    "rural_residents", "migrants", "urban_hukou_residents", "rural_children", "migrant_children",
    "urban_hukou_children", "urban_seats", "rural_seats", "urban_beds", "rural_beds",
    "land_farmed", "land_transferred", "land_abandoned",
)  # fmt: skip
SETTLED, SETTLING = "cumulative_settlers", "settlers"
#: What the runs of this file are compared by.
READ = (*STOCKS, SETTLED, SETTLING, "tension", "debt", "urban_share", "hukou_rate")
#: Indices and amounts per head, which stay as they are when a region is cut in two.
PER_HEAD = ("1", "10k yuan")
#: Names of the halves of a region that is cut in two.
HALVES = ("_a", "_b")

NATION = Question(
    "numerics.step_nation",
    GROUP,
    "Does half the step move no national stock by half a per cent?",
    "relative change",
    0.005,
    _STEP,
)
REGION = Question(
    "numerics.step_region",
    GROUP,
    "Does half the step move no regional stock by one and a half per cent?",
    "relative change",
    0.015,
    _STEP,
)
SETTLERS = Question(
    "numerics.step_settlers",
    GROUP,
    "Does half the step move settlers since the start by half a per cent at the plan's end?",
    "relative change, all regions",
    0.005,
    _STEP,
)
EARLY = Question(
    "numerics.step_first_year",
    GROUP,
    "Do settlers of the first year differ by no more than its ramps explain, and what any regional "
    "stock may?",
    "part of the bound",
    1.0,
    _STEP,
)
SPLIT = Question(
    "numerics.split",
    GROUP,
    "Does cutting the largest region in two equal halves leave all totals as they are?",
    "relative change",
    1e-9,
    "Sterman 2000, ch. 21: boundary and aggregation",
)
RESTART = Question(
    "numerics.restart",
    GROUP,
    "Does a run that is stopped and taken up again end where an unbroken one does?",
    "relative change",
    1e-12,
    "Sterman 2000, ch. 21: state determines behaviour",
)
ORDER = Question(
    "numerics.order",
    GROUP,
    "Does another order of the regions give the same answer?",
    "relative change",
    1e-12,
    "Sterman 2000, ch. 21: anomalous behaviour",
)
ENGINES = Question(
    "numerics.engines",
    GROUP,
    "Does the array engine compute what PySD computes, decisions of every kind included?",
    "relative difference",
    1e-9,
    "Rahmandad and Sterman 2012: reproducible in other software",
)
SECOND = Question(
    "numerics.second_reader",
    GROUP,
    "Does a second, independent reader of the model file compute the same?",
    "relative difference",
    1e-6,
    "Rahmandad and Sterman 2012: reproducible in other software",
)


def judge_step(coarse: Trajectory, fine: Trajectory, last_year: int) -> list[Finding]:
    """Findings from two runs whose steps differ by a factor of two.

    Settlers of the first year are measured against a bound: for a flow f that rises throughout the
    year, as a ramp does, the sums of two Euler runs with steps h and h/2 differ by at most
    :math:`h/2 (f(1) - f(0))`. Beyond the ramp they may differ as any regional stock may.

    Parameters
    ----------
    coarse, fine : Trajectory
        With `READ`.
    last_year : int
        Last year of the plan.
    """
    nation = {name: _moved(coarse, fine, name, by_region=False) for name in STOCKS}
    region = {name: _moved(coarse, fine, name, by_region=True) for name in STOCKS}
    here, there = (run.data[SETTLED].sel(year=last_year).sum("region") for run in (coarse, fine))
    first = int(coarse.data["year"].values[1])
    steps = f"steps {coarse.time_step:g} and {fine.time_step:g}"
    return [
        NATION.judge(*_worst(nation, steps)),
        REGION.judge(*_worst(region, steps)),
        SETTLERS.judge(abs(float(here / there) - 1), f"end of {last_year}, {steps}"),
        _judge_first_year(coarse, fine, first),
    ]


def _judge_first_year(coarse: Trajectory, fine: Trajectory, first: int) -> Finding:
    apart = abs((coarse.data[SETTLED] - fine.data[SETTLED]).sel(year=first))
    rate = coarse.data[SETTLING]
    bound = coarse.time_step / 2 * abs(rate.sel(year=first) - rate.sel(year=first - 1))
    settled = fine.data[SETTLED].sel(year=first)
    # Where nobody settles, rounding must not look like a breach.
    part = apart / (bound + REGION.allowed * settled).clip(min=1e-9)
    share = (apart / settled.where(settled > 0)).fillna(0.0)
    worst = str(share["region"].values[int(np.argmax(share.values))])
    total = float(apart.sum() / settled.sum()) if float(settled.sum()) > 0 else 0.0
    return EARLY.judge(
        float(np.max(part.values)),
        f"settlers of {first}: {total:.2%} of all, {float(share.max()):.2%} in {worst}",
    )


Moved = tuple[float, str]


def _moved(coarse: Trajectory, fine: Trajectory, name: str, *, by_region: bool) -> Moved:
    """Largest relative change of a stock, and where; matrices are summed by destination."""
    one, other = (run.data[name] for run in (coarse, fine))
    matrix = "dest" in one.dims
    if by_region and matrix:
        one, other = one.sum("region"), other.sum("region")
    elif not by_region:
        dims = [dim for dim in one.dims if dim != "year"]
        one, other = one.sum(dims), other.sum(dims)
    change = abs(one - other) / abs(other).clip(min=1e-9)
    values = np.asarray(change.where(other != 0, abs(one - other)).values, dtype=float)
    position = np.unravel_index(int(np.argmax(values)), values.shape)
    place = ", ".join(
        str(change.coords[dim].values[index])
        for dim, index in zip(change.dims, position, strict=True)
    )
    return float(values[position]), f"{name} ({place})"


def _worst(moved: dict[str, Moved], steps: str) -> Moved:
    ranked = sorted(moved.values(), reverse=True)
    return ranked[0][0], f"{ranked[0][1]}, {steps}; next: {ranked[1][1]} {ranked[1][0]:.2%}"


def split_region(base: BaseYear, code: str) -> BaseYear:
    """Cut one region into two equal halves; every share is kept, every amount is halved.

    People who moved between the halves are moved in equal parts. The halves are no cluster of each
    other: settling inside the region was never settling inside a cluster.

    Parameters
    ----------
    base : BaseYear
        State of the regions at the start.
    code : str
        Region to cut; the halves carry its code and a letter.
    """
    codes = list(base.codes)
    where = codes.index(code)
    order = [*range(where), where, where, *range(where + 1, len(codes))]
    parts = [code + half for half in HALVES]
    names = [*codes[:where], *parts, *codes[where + 1 :]]
    halved = xr.DataArray(
        np.where(np.isin(names, parts), 1 / len(HALVES), 1.0), {"region": names}, ("region",)
    )
    variables = {}
    for name, (dims, unit) in CONTRACT.items():
        array = base.data[name]
        amount = unit.split("/")[0].strip() not in PER_HEAD
        for dim in ("region", "dest"):
            if dim not in dims:
                continue
            array = array.isel({dim: order}).assign_coords({dim: names})
            # Shares of destinations are cut by destination only: each half sends the same shares.
            if amount or (name == "initial_destination_share" and dim == "dest"):
                array = array * halved.rename(region=dim)
        variables[name] = array.assign_attrs(unit=unit)
    cluster = variables["same_cluster"].copy(deep=True)
    cluster.loc[{"region": parts, "dest": parts}] = float(
        base.data["same_cluster"].sel(region=code, dest=code)
    )
    own = xr.DataArray(np.eye(len(names)), cluster.coords, cluster.dims)
    inside = xr.DataArray(
        np.outer(np.isin(names, parts), np.isin(names, parts)), cluster.coords, cluster.dims
    )
    variables["same_cluster"] = cluster.where(~inside | (own > 0), 0.0)
    return replace(base, data=xr.Dataset(variables))


def largest_region(base: BaseYear) -> str:
    """Code of the region with most rural and urban-hukou residents."""
    people = base.data["initial_rural_residents"] + base.data["initial_urban_hukou_residents"]
    return str(people["region"].values[int(np.argmax(people.values))])


def judge_split(whole: xr.Dataset, cut: xr.Dataset, code: str) -> Finding:
    """Totals of all regions before and after the cut."""
    apart = {}
    for name in (*STOCKS, SETTLED):
        dims = [dim for dim in whole[name].dims if dim != "year"]
        one, other = whole[name].sum(dims).values, cut[name].sum(dims).values
        apart[name] = float(np.max(np.abs(one - other) / np.maximum(1.0, np.abs(one))))
    name = max(apart, key=lambda each: apart[each])
    return SPLIT.judge(apart[name], f"region {code}; largest in {name}")


def stopped_and_resumed(
    engine: PysdEngine, decisions: Decisions, stop: int, columns: Sequence[str]
) -> xr.Dataset:
    """Run to the end of a year, then on from that state.

    The first part knows no decision of later years. Values of the start, such as the places to
    which later ones are compared, must survive the stop.

    Parameters
    ----------
    engine : PysdEngine
        Engine whose constants are set.
    decisions : Decisions
        Of the whole run.
    stop : int
        Year at whose end the run is stopped.
    columns : sequence of str
        Variables to return.
    """

    def of(first: int, last: int) -> Decisions:
        years = [year for year in engine.years if first <= year <= last]
        return Decisions(**{name: array.sel(year=years) for name, array in vars(decisions).items()})

    engine.restart()
    engine.act(of(engine.years[0], stop))
    engine.advance(stop - engine.now)
    engine.act(of(stop + 1, engine.years[-1]))
    engine.advance(engine.years[-1] - stop)
    return engine.collect().data[list(columns)]


def judge_restart(unbroken: xr.Dataset, resumed: xr.Dataset, stop: int) -> Finding:
    """Largest difference of any variable after the stop."""
    figure, name = _apart(unbroken, resumed)
    return RESTART.judge(figure, f"stopped at the end of {stop}; largest in {name}")


def reversed_regions(base: BaseYear) -> BaseYear:
    """The same base year with its regions in the opposite order."""
    codes = list(base.codes)[::-1]
    return replace(base, data=base.data.sel(region=codes, dest=codes))


def judge_order(one: xr.Dataset, other: xr.Dataset) -> Finding:
    """Largest difference by label of two runs whose regions stand in another order."""
    figure, name = _apart(one, other.sel(region=one["region"], dest=one["dest"]))
    return ORDER.judge(figure, f"regions in the opposite order; largest in {name}")


def judge_engines(reference: xr.Dataset, arrays: xr.Dataset) -> Finding:
    """Largest difference of any variable between the two engines."""
    figure, name = _apart(reference, arrays)
    return ENGINES.judge(figure, f"{len(reference)} variables; largest in {name}")


def _apart(one: xr.Dataset, other: xr.Dataset) -> Moved:
    """Largest difference of two runs, relative to the largest value of each variable."""
    apart = {
        str(name): float(np.max(np.abs(one[name].values - other[name].values)))
        / max(1.0, float(np.max(np.abs(one[name].values))))
        for name in one.data_vars
    }
    name = max(apart, key=lambda each: apart[each])
    return apart[name], name


def second_reader_of(
    path: Path,
    engine: PysdEngine,
    constants: Mapping[str, Constant],
    decisions: Decisions,
    trajectory: Trajectory,
) -> Finding:
    """Write the run into a file of its own, let the second reader run it, and compare.

    Parameters
    ----------
    path : Path
        Model file.
    engine : PysdEngine
        Engine of the run.
    constants : mapping of str to float or DataArray
        What the engine was given.
    decisions : Decisions
        Decisions of the run.
    trajectory : Trajectory
        The run.
    """
    if find_spec(MODULE) is None:
        return SECOND.not_run(f"{MODULE} is not installed (pip install {PACKAGE})")
    text = self_contained(
        path,
        engine.codes,
        engine.years,
        constants,
        decisions,
        time_step=engine.time_step,
        labels={code: code for code in engine.codes},
        header="written for a comparison of two readers",
    )
    with tempfile.TemporaryDirectory(prefix="hukou-opt-") as folder:
        file = Path(folder) / path.name
        file.write_text(text, encoding="utf-8")
        return judge_second_reader(compare_with_second_reader(file, trajectory.data))


def judge_second_reader(difference: Difference) -> Finding:
    """Largest difference between the two readers."""
    return SECOND.judge(difference.relative, f"{MODULE}; largest: {difference}")
