"""Use a calibration: moves of the base year and settlement from it instead of the estimates.

The moves are fitted to the margins that pooled slopes and damped net moves imply, as in the primary
form of the back-test. Settlement is that of the ridge at the share of reclassification in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from hukou_opt.errors import DataError, Fault
from hukou_opt.fit.calibration_file import SavedCalibration
from hukou_opt.fit.margins import Stocks, between_regions
from hukou_opt.fit.national import FITTED
from hukou_opt.fit.trends import Drift, Trends
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.regions.derive import base_year_identity

SETTLEMENT, RECLASSIFIED = FITTED


def fitted_parameters(saved: SavedCalibration, parameters: Parameters) -> Mapping[str, float]:
    """Settlement hazard of the calibration at the share of reclassification in use.

    A value that an experiment states itself stays.

    Raises
    ------
    DataError
        If the file has no estimates by reclassification.
    """
    if not saved.ridge:
        raise DataError(_no_ridge(saved))
    if SETTLEMENT in parameters.overridden:
        return {}
    shares = [each.reclassified for each in saved.ridge]
    hazards = [each.settlement for each in saved.ridge]
    return {SETTLEMENT: float(np.interp(parameters[RECLASSIFIED], shares, hazards))}


def recalibrated(
    base: BaseYear, saved: SavedCalibration, parameters: Parameters, *, until: int
) -> BaseYear:
    """Replace the moves of a base year by those of a calibration.

    Parameters
    ----------
    base : BaseYear
        State and drivers.
    saved : SavedCalibration
        Calibration whose window ends with the base year.
    parameters : Parameters
        The registry.
    until : int
        Last year of decisions; net moves are damped to the middle of the years to come.

    Raises
    ------
    DataError
        If window or regions do not fit the base year, or no matrix has the margins.
    """
    faults = []
    if saved.last != base.year:
        faults.append(
            Fault(
                f"calibration {saved.first}-{saved.last}",
                f"does not end with the base year ({base.year})",
                f"calibrate with --to {base.year}",
            )
        )
    missing = [code for code in base.codes if code not in saved.regions]
    if missing:
        faults.append(
            Fault(
                f"calibration {saved.first}-{saved.last}",
                f"has no region {', '.join(missing[:5])} ({len(missing)} missing)",
                "calibrate the same regions",
            )
        )
    if not saved.ridge:
        faults.append(_no_ridge(saved))
    if faults:
        raise DataError(faults)
    data = base.data
    stocks = Stocks(
        data["initial_rural_residents"].to_numpy(),
        data["initial_urban_hukou_residents"].to_numpy(),
        data["initial_migrants"].to_numpy(),
    )
    growth = tuple(
        data[f"natural_growth_{group}"].to_numpy() for group in ("rural", "migrant", "urban")
    )
    groups = (stocks.rural, stocks.migrants_here, stocks.urban_hukou)
    natural = sum(rate * people for rate, people in zip(growth, groups, strict=True))
    rows = [saved.regions[code] for code in base.codes]
    found = Trends(
        slope=_drift([row.slope for row in rows], [row.slope_error for row in rows], saved),
        net_moves=_drift(
            [row.net_moves for row in rows], [row.net_moves_error for row in rows], saved
        ),
        natural=natural / stocks.total,
        persistence=saved.persistence,
        pooling=saved.pooling,
    )
    slope, net, _ = found.expected(pooled=True, damped=True, years_ahead=(until - saved.first) / 2)
    moves = between_regions(
        stocks,
        (growth[0], growth[1], growth[2]),
        slope,
        net,
        found.natural,
        return_rate=parameters["return_rate"],
        floor=parameters["flow_floor_share"],
    ).matrix
    leaving = moves.sum(axis=1)
    share = data["initial_destination_share"]
    source = f"calibrated to {saved.first}-{saved.last} ({saved.identity[:12]})"
    urban_share = stocks.urban / stocks.total
    new = {
        "migration_coefficient": data["migration_coefficient"].copy(
            data=leaving / (urban_share * stocks.rural)
        ),
        "initial_destination_share": share.copy(
            data=np.divide(
                moves,
                leaving[:, None],
                out=share.to_numpy().copy(),
                where=leaving[:, None] > 0,
            )
        ),
    }
    changed = data.assign({name: _sourced(array, source) for name, array in new.items()})
    return replace(base, data=changed, identity=base_year_identity(changed))


def _no_ridge(saved: SavedCalibration) -> Fault:
    return Fault(
        f"calibration {saved.first}-{saved.last}",
        "has no estimates of settlement by reclassification",
        "write the file with hukou-opt calibrate",
    )


def _drift(mean: list[float], error: list[float], saved: SavedCalibration) -> Drift:
    return Drift(np.array(mean), np.array(error), len(saved.years) - 1)


def _sourced(array: xr.DataArray, source: str) -> xr.DataArray:
    array.attrs = {**array.attrs, "source": source}
    return array
