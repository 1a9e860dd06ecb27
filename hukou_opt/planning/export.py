"""From a saved result to one model file that runs without the toolkit, checked before it is kept.

The result holds decisions and trajectory; the base year is derived again from the region table. The
file is written only if its own run, with nothing set from outside, is the run of the result.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import xarray as xr
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hukou_opt import bundled
from hukou_opt.dynamics import Decisions, model_constants, no_decisions
from hukou_opt.dynamics.difference import Difference, largest_difference
from hukou_opt.dynamics.export import SelfContainedModel, model_identity, plain, self_contained
from hukou_opt.dynamics.inputs import SHARED_PARAMETERS
from hukou_opt.dynamics.second_reader import check_installed, compare_with_second_reader
from hukou_opt.errors import (
    DataError,
    ExperimentError,
    Fault,
    ModelError,
    OutputError,
    ParameterError,
    ResultError,
)
from hukou_opt.experiment import Experiment, experiment_from
from hukou_opt.parameters import Parameters
from hukou_opt.planning.assemble import KEPT
from hukou_opt.planning.inputs import inputs_of, parameters_of
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.result import Result

#: Largest difference between the file's own run and the saved one; only rounding is left.
SAME_RUN = 1e-9
#: Largest difference to the second reader, whose arithmetic goes in another order.
SAME_STORY = 1e-6
SUFFIX = ".mdl"
#: Characters of an identity in the file; the full one stands in the result.
SHORT = 16
AGAIN = "run the experiment again and export the new result"


@dataclass(frozen=True)
class Export:
    """A model file that was written, and how far its own run is from the result's.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Its size in bytes.
    difference : Difference
        Largest difference between the file's run in PySD and the saved trajectory.
    second_reader : Difference or None
        The same for the second reader; None where it was not asked for.
    """

    path: Path
    size: int
    difference: Difference
    second_reader: Difference | None


def export_model(
    result: Result,
    path: str | Path,
    *,
    regions: str | Path | None = None,
    overwrite: bool = False,
    second_reader: bool = False,
) -> Export:
    """Write the model of a result with its data and decisions inside, ready for Vensim.

    Parameters
    ----------
    result : Result
        A run, with or without allocation.
    path : str or Path
        Model file to write, ending in ``.mdl``.
    regions : str or Path, optional
        Region table of the run, where it no longer lies where the experiment says.
    overwrite : bool, optional
        Replace an existing file.
    second_reader : bool, optional
        Let a second, independent reader run the file too, before it is kept.

    Returns
    -------
    Export
        Path, size and differences found.

    Raises
    ------
    ResultError
        If settings, parameters, region data or model are no longer those of the run, the result
        holds no decisions, or the file's run is not the result's. Nothing is written.
    ModelError
        If the second reader is missing, cannot read the file or tells another story.
    OutputError
        If the file exists or cannot be written.
    """
    target = Path(path)
    _check_target(target, overwrite)
    if second_reader:
        check_installed()
    settings = _settings(result)
    if not settings.names_shipped_model or settings.model_constants:
        raise ResultError(
            Fault(
                "the result's model",
                f"is not the toolkit's as it ships ({settings.model!r})",
                "open the model file itself in Vensim; only the toolkit's own model is exported",
            )
        )
    parameters = _parameters(result, settings)
    base = _base_year(result, settings, regions)
    years = list(range(settings.base_year + 1, settings.horizon.tail + 1))
    _check_same(result, settings, parameters, base, years)
    text = self_contained(
        bundled.model(),
        base.codes,
        years,
        model_constants(base, parameters, reform=settings.reform),
        _decisions(result, base, years),
        time_step=settings.time_step,
        labels=_names(result),
        header=_header(result),
    )
    saved = _saved(result)
    other = None
    with _draft(target, text) as draft:
        difference = _own_run(draft, base, years, settings.time_step, saved)
        if second_reader:
            other = _second_run(draft, saved)
        # A run takes a while: somebody else may have written in the meantime.
        _check_target(target, overwrite)
        size = draft.stat().st_size
        draft.replace(target)
    return Export(target, size, difference, other)


def _check_target(target: Path, overwrite: bool) -> None:
    fault = None
    if target.suffix.lower() != SUFFIX:
        fault = Fault(str(target), "does not end in .mdl", "Vensim opens no other; name it so")
    elif target.is_dir():
        fault = Fault(str(target), "is a folder", "name a file with --out")
    elif target.exists() and not overwrite:
        fault = Fault(str(target), "exists", "add --force, or name another file with --out")
    elif not target.absolute().parent.is_dir():
        fault = Fault(str(target), "lies in no folder", "make the folder first")
    if fault:
        raise OutputError(fault)


@contextmanager
def _draft(target: Path, text: str) -> Iterator[Path]:
    """The file in a hidden folder beside the target, so that it can be moved there in one step."""
    folder: Path | None = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
        draft = folder / target.name
        draft.write_text(text, encoding="utf-8", newline="\n")
        yield draft
    except OSError as error:
        raise OutputError(
            Fault(
                str(target),
                f"cannot be written ({error.strerror or error})",
                "name a file in a folder of your own with --out",
            )
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _settings(result: Result) -> Experiment:
    """Settings of the run, checked like a file's."""
    try:
        values = YAML(typ="safe", pure=True).load(str(result.attrs["experiment_yaml"]))
        if not isinstance(values, dict):
            raise ResultError(
                Fault("attribute experiment_yaml", f"holds no settings ({values!r})", AGAIN)
            )
        return experiment_from(values)
    except YAMLError as error:
        raise ResultError(
            Fault("attribute experiment_yaml", f"cannot be read ({error})", AGAIN)
        ) from error
    except ExperimentError as error:
        raise ResultError(
            Fault(f"settings of the run, {fault.where}", fault.what, AGAIN)
            for fault in error.faults
        ) from error


def _parameters(result: Result, settings: Experiment) -> Parameters:
    try:
        return parameters_of(settings)
    except ParameterError as error:
        raise ResultError(
            Fault(f"result {result.name}, {fault.where}", fault.what, AGAIN)
            for fault in error.faults
        ) from error


def _base_year(result: Result, settings: Experiment, regions: str | Path | None) -> BaseYear:
    try:
        return inputs_of(settings, regions=regions).base
    except DataError as error:
        # A result keeps the table's path as the experiment gave it, from that file's folder.
        hint = "name the run's region table with --regions"
        raise ResultError(
            Fault(f"region table of {result.name}, {fault.where}", fault.what, hint)
            for fault in error.faults
        ) from error


def _check_same(
    result: Result,
    settings: Experiment,
    parameters: Parameters,
    base: BaseYear,
    years: list[int],
) -> None:
    """Refuse a result that was made from other inputs than those at hand; all reasons at once."""
    faults = [*_changed_parameters(result, parameters)]
    codes = [str(code) for code in result["regions"]["region"].values]
    if list(base.codes) != codes or base.identity != result.attrs["data_identity"]:
        faults.append(
            Fault(
                "region data",
                f"are no longer those of the run (identity {base.identity[:SHORT]}, in the result "
                f"{str(result.attrs['data_identity'])[:SHORT]})",
                f"name the run's table with --regions, restore the data, or {AGAIN}",
            )
        )
    identity = model_identity(bundled.model(), codes, years)
    if identity != result.attrs["model_sha256"]:
        faults.append(
            Fault(
                f"model {bundled.model().name}",
                f"is no longer that of the run (identity {identity[:SHORT]}, in the result "
                f"{str(result.attrs['model_sha256'])[:SHORT]})",
                f"restore the model file, or {AGAIN}",
            )
        )
    if result.has_allocation and "decisions" not in result:
        faults.append(
            Fault(
                "group /decisions",
                "is missing: the result was written before decisions were kept "
                f"(toolkit {result.attrs['toolkit_version']})",
                AGAIN,
            )
        )
    if settings.allocation.enabled != result.has_allocation:
        faults.append(
            Fault(
                "attribute allocation",
                f"contradicts the settings ({result.attrs['allocation']!r})",
                AGAIN,
            )
        )
    if faults:
        raise ResultError(faults)


def _changed_parameters(result: Result, parameters: Parameters) -> Iterator[Fault]:
    table = result["parameters"]
    names, values = table["parameter"].values, table["value"].values
    saved = {str(name): float(value) for name, value in zip(names, values, strict=True)}
    for name, row in sorted(parameters.rows.items()):
        # What the linear program alone reads has done its work: decisions stand in the result.
        read = row.room != "allocation" or name in SHARED_PARAMETERS
        before, now = saved.get(name, row.value), row.value
        if read and before != now:
            yield Fault(
                f"parameter {name}",
                f"is no longer that of the run ({now!r}, in the result {before!r})",
                f"restore the registry, or {AGAIN}",
            )


def _decisions(result: Result, base: BaseYear, years: list[int]) -> Decisions:
    if not result.has_allocation:
        return no_decisions(base.codes, years)
    group = result["decisions"]
    return Decisions(
        starts=group["starts"],
        temporary_places=group["temporary_places"],
        funded_share=group["funded_share"],
        bonds=group["bonds"],
    )


def _names(result: Result) -> dict[str, str]:
    table = result["regions"]
    return {
        str(code): str(name)
        for code, name in zip(table["region"].values, table["name_en"].values, strict=True)
    }


def _header(result: Result) -> str:
    attrs = result.attrs
    reform = "with the reform" if attrs["reform"] else "without the reform"
    decided = (
        "with the decisions of the allocation"
        if result.has_allocation
        else "without allocation, nothing built beyond replacement"
    )
    return (
        f"Self-contained export of experiment {plain(result.name)}, {reform}, {decided}. "
        f"Data, parameters and decisions stand in this file as numbers. "
        f"Written by hukou-opt {plain(str(attrs['toolkit_version']))}. "
        f"Identity of the result {result.identity}. "
        f"Identity of the data {attrs['data_identity']}. "
        f"Identity of the model {attrs['model_sha256']}."
    )


def _saved(result: Result) -> xr.Dataset:
    """The saved trajectory under the model's own names."""
    path = result["trajectory"]
    return xr.Dataset({source: path[name] for name, source in KEPT.items() if name in path})


def _second_run(path: Path, saved: xr.Dataset) -> Difference:
    """Let the second reader run the file and compare it with the saved run."""
    difference = compare_with_second_reader(path, saved)
    if not difference.relative <= SAME_STORY:
        raise ModelError(
            Fault(
                "second reader",
                f"differs from the saved run by {difference}",
                f"more than {SAME_STORY:g} is no rounding; tell the toolkit's authors",
            )
        )
    return difference


def _own_run(
    path: Path, base: BaseYear, years: list[int], time_step: float, saved: xr.Dataset
) -> Difference:
    """Run the file as it stands and compare it with the saved run."""
    model = SelfContainedModel(path, base.codes, years, time_step=time_step)
    try:
        run = model.as_written([str(name) for name in saved.data_vars])
    finally:
        model.forget()
    try:
        difference = largest_difference(run.data, saved)
    except ModelError as error:
        raise ResultError(error.faults) from error
    if not difference.relative <= SAME_RUN:
        raise ResultError(
            Fault(
                "exported model",
                f"does not run as the saved result did (it differs by {difference})",
                f"nothing was written; the toolkit has changed since the run, {AGAIN}",
            )
        )
    return difference
