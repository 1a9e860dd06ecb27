"""One labelled result from everything that a run has made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt import __version__
from hukou_opt.allocation.exact import Exact
from hukou_opt.allocation.problem import AREAS, SECTORS, SERVICES, Array, Problem
from hukou_opt.dynamics import Check, Decisions, Trajectory, pins
from hukou_opt.experiment import Experiment
from hukou_opt.parameters import Parameters
from hukou_opt.planning.cases import Case
from hukou_opt.planning.coupling import Coupled
from hukou_opt.planning.engines import Replay
from hukou_opt.planning.inputs import calibration_of
from hukou_opt.planning.own_regions import not_applicable
from hukou_opt.planning.price_tables import prices_group
from hukou_opt.planning.problem_io import answer_group, problem_group
from hukou_opt.planning.proofs import certificate_group
from hukou_opt.planning.rule_tables import rules_group, slack_group
from hukou_opt.planning.scores import comparators, scores
from hukou_opt.regions import Regions
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.result import Result
from hukou_opt.result_layout import SCHEMA_VERSION

#: Variables of a run that a result keeps, by the vocabulary's name.
KEPT: Mapping[str, str] = {
    "urban_population": "urban_residents",
    "rural_population": "rural_residents",
    "urban_hukou_residents": "urban_hukou_residents",
    "migrants_total": "migrants_here",
    "hukou_rate": "hukou_rate",
    "urban_share": "urban_share",
    "settlers": "settlers",
    "reform_settlers": "cumulative_settlers",
    "urban_seats": "urban_seats",
    "rural_seats": "rural_seats",
    "urban_beds": "urban_beds",
    "rural_beds": "rural_beds",
    "children_hukou": "urban_hukou_children",
    "children_migrant": "migrant_children",
    "children_rural": "rural_children",
    "land_farmed": "land_farmed",
    "land_transferred": "land_transferred",
    "land_abandoned": "land_abandoned",
    "tension": "tension",
    "admission_migrant": "migrant_place_share_year_end",
    "admission_hukou": "hukou_place_share_year_end",
    "land_revenue": "land_sale_revenue",
    "service_cost": "service_cost",
    "debt": "debt",
}
#: Regions in a row of a tile map that the table does not lay out.
TILES_A_ROW = 6
VERSIONS = ("pysd", "pyomo", "highspy", "numpy", "xarray")


def _attributes(
    settings: Experiment,
    regions: Regions,
    base: BaseYear,
    run: Trajectory,
    parameters: Parameters,
) -> dict[str, object]:
    # One's own regions say how they were completed, and which rules they have no use for.
    said = {
        "region_notes": "\n".join([*regions.notes, *base.notes]),
        "not_applicable": "\n".join(not_applicable(settings, base)),
        "calibration": _calibration(settings),
    }
    return {name: text for name, text in said.items() if text} | {
        "schema_version": SCHEMA_VERSION,
        "experiment": settings.name,
        "title_en": settings.title_en,
        "title_zh": settings.title_zh,
        "toolkit_version": __version__,
        "model": settings.model if settings.names_shipped_model else settings.model_source.name,
        "model_sha256": run.model,
        "model_state": pins.state(settings.model_source),
        "data_identity": base.identity,
        "base": settings.base,
        "reform": int(settings.reform),
        "last_year": settings.horizon.end,
        "allocation": 0,
        "converged": 0,
        "rounds": 0,
        "certified": 0,
        "central_fund": parameters["central_fund_total"],
        "experiment_yaml": settings.to_yaml(),
        "versions": json.dumps({name: version(name) for name in VERSIONS}, sort_keys=True),
    }


def _calibration(settings: Experiment) -> str:
    """Name and hash of the calibration that the run follows; empty without one."""
    saved = calibration_of(settings)
    return "" if saved is None else f"{settings.calibration} (sha256 {saved.identity})"


def _regions(regions: Regions, base: BaseYear) -> xr.Dataset:
    codes = list(base.codes)
    labels = regions.labels.loc[codes]
    columns = {
        name: ("region", labels[name].to_numpy()) for name in ("name_en", "name_zh", "macro_region")
    }
    tiles = {name: ("region", places) for name, places in _tiles(labels).items()}
    flags = {
        name: ("region", base.data[name].values.astype(int))
        for name in ("supported", "eastern", "hardship")
    }
    return xr.Dataset(columns | tiles | flags, {"region": codes})


def _tiles(labels: pd.DataFrame) -> dict[str, np.ndarray]:
    """Row and column of each region on the tile map; row by row where the table has none."""
    given = labels[["tile_row", "tile_col"]].apply(pd.to_numeric, errors="coerce")
    if given.notna().to_numpy().all():
        return {name: given[name].to_numpy().astype(int) for name in given}
    position = np.arange(len(labels))
    return {"tile_row": position // TILES_A_ROW + 1, "tile_col": position % TILES_A_ROW + 1}


def _trajectory(run: Trajectory) -> xr.Dataset:
    # A model of the user's own need not have them all; the contract says which must be there.
    kept = {
        name: run.data[source].transpose("year", "region")
        for name, source in KEPT.items()
        if source in run.data
    }
    return xr.Dataset(
        {name: (("year", "region"), array.values) for name, array in kept.items()},
        {"year": run.data["year"].values.astype(int), "region": run.data["region"].values},
    )


def _parameters(parameters: Parameters) -> xr.Dataset:
    names = sorted(parameters)
    rows = [parameters.rows[name] for name in names]
    columns = {
        key: ("parameter", np.array([getattr(row, key) for row in rows]))
        for key in ("value", "low", "high", "unit", "status", "source")
    }
    changed = np.array([int(name in parameters.overridden) for name in names])
    return xr.Dataset(columns | {"overridden": ("parameter", changed)}, {"parameter": names})


def _checks(checks: Sequence[Check]) -> xr.Dataset:
    """Figures of the checks; those that were not made say so in their name and have no figure."""
    return xr.Dataset(
        {
            "worst": ("check", np.array([check.worst for check in checks])),
            "allowed": ("check", np.array([check.allowed for check in checks])),
        },
        {"check": [check.label for check in checks]},
    )


def simulated_only(
    settings: Experiment,
    regions: Regions,
    base: BaseYear,
    parameters: Parameters,
    run: Trajectory,
    checks: Sequence[Check],
) -> Result:
    """Result of an experiment without allocation."""
    groups = {
        "regions": _regions(regions, base),
        "trajectory": _trajectory(run),
        "parameters": _parameters(parameters),
        "checks": _checks(checks),
    }
    return Result.build(_attributes(settings, regions, base, run, parameters), groups)


def _allocation(coupled: Coupled) -> xr.Dataset:
    best = coupled.best
    p, s = best.problem, best.allocation.solution
    seen = best.simulated
    years = len(p.years)
    money = ("sector", "region", "year")
    built = ("area", "service", "region", "year")
    cell = ("region", "year")
    short = np.zeros_like(seen.capacity)
    short[..., :years] = seen.shortage
    # After the last decision there are no temporary places: what is not built is short.
    after = best.simulated_problem
    short[..., years:] = np.maximum(0.0, after.need[..., years:] - seen.capacity[..., years:])
    data: dict[str, tuple[tuple[str, ...], Array]] = {
        "central_transfers": (money, s.central),
        "local_money": (money, s.local),
        "bonds": (money, s.bonds),
        "east_levy": (money, s.levy),
        # Certified cost and gap of the linear program, so that the money of the table balances;
        # the simulated path's gaps stand in /gaps.
        "unfunded": (money, s.unfunded),
        "certified_cost": (money, p.cost),
        "building_cost": (money, s.building_cost(p)),
        # Of both the public purse and partners, whose part stands beside it.
        "starts": (built, s.all_starts),
        "partner_starts": (("service", "region", "year"), s.partner_starts),
        "partner_payments": (money, s.partner_payments(p)),
        "capacity": (("area", "service", "region", "need_year"), seen.capacity),
        "shortage": (("area", "service", "region", "need_year"), short),
        "temporary_places": (cell, s.temporary),
        "places_hukou": (cell, seen.places_hukou),
        "places_migrant": (cell, seen.places_migrant),
        "teachers_hired": (cell, s.teachers),
        # A solve may spend more than the fund by its tolerance; that is no negative rest.
        "central_unused": ((), np.asarray(max(0.0, p.fund - float(s.central.sum())))),
        "block": (("year",), np.array([_block_of(p, year) for year in p.years])),
    }
    coords = {
        "sector": list(SECTORS),
        "area": list(AREAS),
        "service": list(SERVICES),
        "region": list(p.codes),
        "year": list(p.years),
        "need_year": list(p.all_years),
    }
    return xr.Dataset(data, coords)


def _decisions(given: Decisions) -> xr.Dataset:
    """Decisions as the published path was simulated with, in full precision, tail included."""
    funded = given.funded_share.assign_attrs(units="1", long_name="Funded share of running cost")
    return xr.Dataset(
        {
            "starts": given.starts,
            "temporary_places": given.temporary_places,
            "funded_share": funded,
            # Of all sectors together, unlike those of the allocation.
            "bonds": given.bonds,
        }
    )


def _block_of(p: Problem, year: int) -> str:
    return next(block.label for block in p.blocks if year in block.years)


def _gaps(cases: Sequence[Case]) -> xr.Dataset:
    first = cases[0].gaps
    values = np.array([[gap.value for gap in case.gaps] for case in cases])
    text = {
        key: ("measure", np.array([getattr(gap, key) for gap in first]))
        for key in ("label_en", "label_zh", "unit")
    }
    return xr.Dataset(
        {"value": (("case", "measure"), values)},
        {"case": [case.name for case in cases], "measure": [gap.name for gap in first], **text},
    )


def _rounds(coupled: Coupled) -> xr.Dataset:
    rounds = coupled.rounds
    return xr.Dataset(
        {
            "moved_fund_share": ("round", np.array([each.moved_fund for each in rounds])),
            "moved_need_share": ("round", np.array([each.moved_need for each in rounds])),
            "objective": ("round", np.array([each.objective[0] for each in rounds])),
            "objective_unmet": ("round", np.array([each.unmet for each in rounds])),
            "damped": ("round", np.array([int(each.damped) for each in rounds])),
        },
        {"round": list(range(1, len(rounds) + 1))},
    )


def _levels(coupled: Coupled) -> xr.Dataset:
    levels = coupled.best.allocation.levels
    columns = {
        key: ("level", np.array([getattr(level, key) for level in levels]))
        for key in (
            "value",
            "held_at",
            "final",
            "recomputed",
            "given_up",
            "meaning",
            "sense",
            "exact",
        )
    }
    # Mean of a quantity in the answer, and the mean that all could have without the level that has
    # made people worse off; not a number where no level has.
    lost = [level.levelled_down for level in levels]
    for name, key in (("levelled_mean", "mean"), ("mean_without", "reachable")):
        figures = [np.nan if each is None else getattr(each, key) for each in lost]
        columns[name] = ("level", np.array(figures))
    # Values of all cells of a leximin, the worst first.
    columns["sorted"] = (
        "level",
        np.array([" ".join(f"{value:.9g}" for value in level.sorted) for level in levels]),
    )
    return xr.Dataset(columns, {"level": [level.name for level in levels]})


def allocated(
    settings: Experiment,
    regions: Regions,
    base: BaseYear,
    parameters: Parameters,
    coupled: Coupled,
    cases: Sequence[Case],
    checks: Sequence[Check],
    replay: Replay | None = None,
    exact: Sequence[Exact] = (),
) -> Result:
    """Result of an experiment with its allocation, comparisons and certificates."""
    best = coupled.best
    labels = regions.labels.loc[list(base.codes), "macro_region"].astype(str)
    proved = all(
        certificate.holds
        for case in cases
        if case.allocation is not None
        for certificate in case.allocation.certificates
    )
    attrs = _attributes(settings, regions, base, best.run, parameters) | {
        "allocation": 1,
        "converged": int(coupled.converged),
        "rounds": len(coupled.rounds),
        "published_round": coupled.rounds.index(best) + 1,
        "cycle": int(coupled.cycle),
        "ties_broken": int(best.allocation.ties_broken),
        "certified": int(proved),
    }
    if replay is not None:
        attrs |= {
            "replay_difference": replay.difference,
            "replay_variable": replay.where,
            "replay_until": replay.until,
        }
    groups = {
        "regions": _regions(regions, base),
        "trajectory": _trajectory(best.run),
        "parameters": _parameters(parameters),
        "checks": _checks(checks),
        "needs": best.needs.data.sel(
            year=[year for year in best.needs.years if year <= settings.horizon.tail]
        ),
        "allocation": _allocation(coupled),
        "decisions": _decisions(best.decisions),
        "problem": problem_group(best.problem),
        "answer": answer_group(best.problem, best.allocation.solution),
        "gaps": _gaps(cases),
        "indicators": scores(cases, base, labels.tolist()),
        "levels": _levels(coupled),
        "prices": prices_group(best.problem, best.allocation),
        "slack": slack_group(best),
        "rules": rules_group(best),
        "certificate": certificate_group(cases, exact),
        "rounds": _rounds(coupled),
    }
    compared = comparators(cases, best.problem)
    if compared is not None:
        groups["comparators"] = compared
    return Result.build(attrs, groups)
