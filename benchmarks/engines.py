"""Time and memory of the array engine beside PySD, measured in one run on this machine.

    python benchmarks/engines.py            # about three minutes
    python benchmarks/engines.py --large    # 340 regions too: some minutes more

Ratios are what counts: both engines run the same model, regions, years and step in one process.
Draws differ in every behavioural parameter of the model that has a range.
"""

from __future__ import annotations

import argparse
import gc
import platform
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import xarray as xr

from hukou_opt import bundled
from hukou_opt.dynamics import ArrayEngine, PysdEngine, model_constants, no_decisions
from hukou_opt.dynamics.accept import MEMBER
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.regions import derive_base_year, load_regions
from hukou_opt.regions.base_year import CONTRACT, BaseYear

SEED = 20240101
DRAWS = (1, 200, 1000)
LARGE_DRAWS = 10
#: Each province is cut into so many equal parts for the large case: 31 x 11 = 341 regions.
PARTS = 11
#: Switches turn equations on and off and dates shift ramps; behaviour is in the other parameters.
LEFT_AS_THEY_ARE = ("year",)
#: What an ensemble usually keeps: ten variables by region.
KEPT = (
    "urban_hukou_residents",
    "residents",
    "urban_residents",
    "migrants_here",
    "cumulative_settlers",
    "urban_seats",
    "urban_children",
    "migrant_place_share_year_end",
    "need_urban_beds",
    "abandoned_share",
)
#: Units of which a part has its share; all other figures are the same for every part.
AMOUNTS = ("10k persons", "10k seats", "10k beds", "10k mu", "100m yuan")


def draws(constants: dict, parameters: Parameters, number: int) -> tuple[dict, int]:
    """Constants with a member axis, and how many of them vary."""
    random = np.random.default_rng(SEED)
    members = {MEMBER: np.arange(number)}
    varied = dict(constants)
    count = 0
    for row in parameters.rows.values():
        switch = row.name.endswith("_switch")
        if row.name not in constants or row.unit in LEFT_AS_THEY_ARE or switch:
            continue
        if isinstance(constants[row.name], float) and row.low < row.high:
            values = random.uniform(row.low, row.high, number)
            varied[row.name] = xr.DataArray(values, members, (MEMBER,))
            count += 1
    return varied, count


def cut(base: BaseYear, parts: int) -> BaseYear:
    """Every region in equal parts: amounts are divided, rates and shares are kept."""
    codes = [f"{code}{part:02d}" for code in base.codes for part in range(parts)]
    order = np.repeat(np.arange(len(base.codes)), parts)
    variables = {}
    for name, (dims, unit) in CONTRACT.items():
        array = base.data[name]
        for dim in ("region", "dest"):
            if dim in dims:
                array = array.isel({dim: order}).assign_coords({dim: codes})
        amount = unit.split("/")[0].strip() in AMOUNTS
        by_place = sum(dim in ("region", "dest") for dim in dims) if amount else 0
        if name == "initial_destination_share":
            by_place = 1
        variables[name] = (array / parts**by_place).assign_attrs(unit=unit)
    return replace(base, data=xr.Dataset(variables))


def timed(call: Callable[[], object], repeats: int) -> float:
    """Shortest time of some calls, in seconds; the first call is not counted."""
    call()
    found = []
    for _ in range(repeats):
        gc.collect()
        begin = time.perf_counter()
        call()
        found.append(time.perf_counter() - begin)
    return min(found)


def peak(call: Callable[[], object]) -> float:
    """Most memory that a call allocates, in megabytes."""
    gc.collect()
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def compare(base: BaseYear, parameters: Parameters, numbers: tuple[int, ...], title: str) -> None:
    """Print one table for one set of regions."""
    years = [int(year) for year in base.data["year"].values]
    constants = model_constants(base, parameters, reform=True)
    nothing = no_decisions(base.codes, years)
    begin = time.perf_counter()
    arrays = ArrayEngine(bundled.model(), base.codes, years)
    ready = time.perf_counter() - begin
    reference = PysdEngine(bundled.model(), base.codes, years)
    reference.reset(constants)
    pysd = timed(lambda: reference.run(nothing, KEPT), 1)
    arrays.reset(constants)
    alone = arrays.run(nothing, KEPT).data
    both = reference.run(nothing, KEPT).data
    apart = max(
        float((abs(alone[name] - both[name]) / abs(both[name]).clip(min=1e-6)).max())
        for name in KEPT
    )
    print(f"\n{title}: {len(base.codes)} regions, {years[0]}-{years[-1]}, step 1/4 year")
    print(f"  array engine ready after {ready:.2f} s; largest difference from PySD {apart:.1e}")
    print(f"  {'engine':<28}{'ms per draw':>12}{'PySD / it':>11}{'peak MB':>9}")
    print(f"  {'PySD, one run':<28}{1000 * pysd:>12,.0f}{1:>11}{'':>9}")
    single = timed(lambda: arrays.run(nothing, KEPT), 3)
    print(f"  {'arrays, one run':<28}{1000 * single:>12,.1f}{pysd / single:>11,.0f}{'':>9}")
    for number in numbers:
        varied, count = draws(constants, parameters, number)
        arrays.reset(varied)
        seconds = timed(lambda: arrays.run(nothing, KEPT), 2) / number
        memory = peak(lambda: arrays.run(nothing, KEPT))
        label = f"arrays, {number} draws"
        print(f"  {label:<28}{1000 * seconds:>12,.2f}{pysd / seconds:>11,.0f}{memory:>9,.0f}")
    print(f"  ({count} parameters differ between draws; ten variables are kept)")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="341 regions as well")
    large = parser.parse_args().large
    versions = ", ".join(f"{name} {version(name)}" for name in ("pysd", "numpy"))
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(versions)
    parameters = load_parameters()
    base = derive_base_year(load_regions(), parameters, with_ranges=False)
    compare(base, parameters, DRAWS, "Provinces")
    if large:
        compare(cut(base, PARTS), parameters, (1, LARGE_DRAWS), "Provinces in parts")


if __name__ == "__main__":
    main()
