"""Whether a second, independent reader of Vensim files tells the same story of a model.

The engine is `simlin` (``pip install pysimlin``). It parses and simulates Vensim files with code of
its own and shares nothing with PySD.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics.difference import Difference, largest_difference
from hukou_opt.dynamics.render import subscripts_for, year_subscript
from hukou_opt.errors import Fault, ModelError

#: Name to import, and name to install.
MODULE, PACKAGE = "simlin", "pysimlin"
#: Dimensions whose labels are region codes.
PLACES = ("region", "dest", "orig")


def check_installed() -> None:
    """Make sure that the second reader is there.

    Raises
    ------
    ModelError
        If it is not installed.
    """
    if importlib.util.find_spec(MODULE) is None:
        raise ModelError(
            Fault(
                "second reader",
                f"is not installed ({MODULE!r})",
                f"pip install {PACKAGE}, or leave --second-reader out",
            )
        )


def compare_with_second_reader(path: Path, trajectory: xr.Dataset) -> Difference:
    """Run a self-contained model file in the second reader and compare it with a run of ours.

    Parameters
    ----------
    path : Path
        Vensim model file with its data inside.
    trajectory : Dataset
        Variables of the model by its own names, dims ``year`` (base year included), ``region`` and
        others; region codes in the order of the file.

    Raises
    ------
    ModelError
        If the reader is not installed, cannot open or run the file, or does not know a variable.
    """
    check_installed()
    return largest_difference(_read(Path(path), trajectory), trajectory)


def _read(path: Path, like: xr.Dataset) -> xr.Dataset:
    import simlin

    try:
        sim = simlin.load(path).simulate()
        sim.run_to_end()
        names = {_canonical(name): name for name in sim.get_var_names()}
        times = [float(time) for time in sim.get_series(names["time"])]
    except (simlin.SimlinError, KeyError) as error:
        raise ModelError(
            Fault(
                path.name,
                f"is not understood by the second reader ({str(error)[:300]})",
                "open it in Vensim; tell the toolkit's authors",
            )
        ) from error
    years = [int(year) for year in like["year"].values]
    if times != [float(year) for year in years]:
        raise ModelError(
            Fault(
                path.name,
                f"runs over other years in the second reader ({times!r})",
                f"compare it with a run of the years {years[0]} to {years[-1]}",
            )
        )
    faults: list[Fault] = []
    arrays = {}
    for name, array in like.data_vars.items():
        ranges = [dim for dim in array.dims if dim != "year"]
        cells = array.isel(year=0, drop=True).transpose(*ranges)
        subscripts = [_subscripts(cells, str(dim)) for dim in ranges]
        values = np.empty((len(years), *cells.shape))
        for at in np.ndindex(*cells.shape):
            inside = ",".join(words[i] for words, i in zip(subscripts, at, strict=True))
            # The reader names a variable of one cell without its only subscripts.
            inside = "" if cells.size == 1 else inside
            wanted = names.get(_canonical(f"{name}[{inside}]" if inside else str(name)))
            if wanted is None:
                faults.append(
                    Fault(f"{path.name}: {name}", "is unknown to the second reader", "leave it out")
                )
                break
            values[(slice(None), *at)] = sim.get_series(wanted)
        arrays[name] = xr.DataArray(values, {"year": years, **cells.coords}, ("year", *ranges))
    if faults:
        raise ModelError(faults)
    return xr.Dataset(arrays)


def _subscripts(cells: xr.DataArray, dim: str) -> list[str]:
    labels = [str(label) for label in cells[dim].values]
    if dim in PLACES:
        return list(subscripts_for(labels).values())
    if dim == "year0":
        return [year_subscript(int(label)) for label in labels]
    return labels


def _canonical(name: str) -> str:
    """Readers write names in their own way: capital letters, blanks, blanks behind commas."""
    return re.sub(r"\s+", "_", re.sub(r",\s*", ",", name.casefold()))
