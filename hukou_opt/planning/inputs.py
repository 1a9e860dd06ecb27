"""What a run starts from: parameters, regions, base year, and a calibration where one is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hukou_opt.errors import ExperimentError, Fault
from hukou_opt.experiment import Experiment
from hukou_opt.fit.apply import fitted_parameters, recalibrated
from hukou_opt.fit.calibration_file import SavedCalibration, read_calibration
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.plan.facts import load_facts
from hukou_opt.regions import Regions, derive_base_year, load_regions
from hukou_opt.regions.base_year import BaseYear

#: Years after the base year for which entrants and leavers of schools can be told: later ones rest
#: on births that no cohort table or projection of this version covers.
MOST_YEARS = 15
#: Parameters whose value the plan states otherwise than official statistics, with the plan's fact;
#: ``base: plan`` takes the plan's figure.
PLAN_BASE: Mapping[str, str] = {
    "national_hukou_rate": "hukou_urban_rate_2023",
    "public_school_share": "migrant_public_share_2023",
}


@dataclass(frozen=True)
class Inputs:
    """What a run starts from.

    Parameters
    ----------
    parameters : Parameters
        The registry with the experiment's values.
    regions : Regions
        Official figures.
    base : BaseYear
        State of the regions at the start, and their drivers.
    """

    parameters: Parameters
    regions: Regions
    base: BaseYear

    @property
    def years(self) -> range:
        """Calendar years of decisions and tail."""
        years = self.base.data["year"].values
        return range(int(years[0]), int(years[-1]) + 1)


def parameters_of(experiment: Experiment) -> Parameters:
    """The registry with the base of the experiment, its calibration and its own values.

    Raises
    ------
    ParameterError
        If a value is unknown, not finite or out of range.
    DataError
        If the calibration cannot be read.
    """
    parameters = load_parameters()
    if experiment.base == "plan":
        facts = load_facts()
        stated = {name: facts[fact].value for name, fact in PLAN_BASE.items()}
        parameters = parameters.override(
            {name: value for name, value in stated.items() if value is not None}
        )
    parameters = parameters.override(
        experiment.parameters, allow_out_of_range=experiment.allow_out_of_range
    )
    saved = calibration_of(experiment)
    if saved is None:
        return parameters
    # An estimate may lie outside the range that was assumed before it was made.
    return parameters.override(fitted_parameters(saved, parameters), allow_out_of_range=True)


def calibration_of(experiment: Experiment) -> SavedCalibration | None:
    """The calibration that an experiment names, if any."""
    source = experiment.calibration_source
    return None if source is None else read_calibration(source)


def inputs_of(experiment: Experiment, *, regions: str | Path | None = None) -> Inputs:
    """Read and estimate all that a run starts from; nothing is run.

    Parameters
    ----------
    experiment : Experiment
        Names regions, base year, calibration and parameters.
    regions : str or Path, optional
        Region table instead of the experiment's.

    Raises
    ------
    ExperimentError, ParameterError, DataError
        For faults in the input.
    """
    parameters = parameters_of(experiment)
    source = experiment.regions_source if regions is None else regions
    table = load_regions(source, base=experiment.base_year)
    tail = experiment.horizon.tail
    years = range(experiment.base_year + 1, tail + 1)
    base = derive_base_year(table, parameters, years=years, with_ranges=False)
    if len(years) > MOST_YEARS:
        raise ExperimentError(
            Fault(
                "horizon.tail",
                f"figures by age reach {MOST_YEARS} years beyond the base year, to "
                f"{experiment.base_year + MOST_YEARS} ({tail})",
                "end earlier",
            )
        )
    saved = calibration_of(experiment)
    if saved is not None:
        base = recalibrated(base, saved, parameters, until=experiment.horizon.end)
    return Inputs(parameters, table, base)
