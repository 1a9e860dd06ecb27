"""One coupled plan: our path beside PySD and a Pyomo model rebuilt and solved in every round.

    python benchmarks/coupled.py                    # the shipped plan, one run each
    python benchmarks/coupled.py --repeats 3        # medians of three, in turns
    python benchmarks/coupled.py --indices pairs    # the plain way without pieces added later

Both ways run the same experiment from the first round to the last, with its rules and objectives
and without comparators: needs from the stock-flow model, linear program, building and money back
into the model, until fund and needs stand still. Each run has a process of its own; what is
imported and translated before the first round is timed apart and not compared. `coupled_plain.py`
says what the plain way does. Ours proves every level, audits its rows, notes the prices, and lets
PySD repeat the published path; the plain way does none of these.

The published answers are compared: central money by region and block, and all levels.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from coupled_plain import WAYS, PlainCoupling

from hukou_opt.allocation.recompute import recompute
from hukou_opt.dynamics import Engine
from hukou_opt.experiment import Experiment, load_experiment
from hukou_opt.planning.aims import aims_of
from hukou_opt.planning.coupling import Coupled, Coupling
from hukou_opt.planning.engines import fast_engine, replayed
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.planning.run import engine_of

EXPERIMENT = "plan_as_written"
PATHS = ("ours", "plain")
#: Seconds that one run may take.
LIMIT = 7200.0
#: Largest share of the fund that may lie elsewhere, and largest relative difference of a level.
SAME_FUND, SAME_LEVEL = 1e-3, 1e-3


def rounds_of(
    settings: Experiment, path: str, indices: str, progress: Callable[[str], None]
) -> Callable[[], Coupled]:
    """The rounds of a path as one call, with the model translated and nothing run yet."""
    given = inputs_of(settings)
    pysd = engine_of(settings, given.base, given.parameters, given.years)
    ours = path == "ours"
    engine: Engine = pysd
    if ours:
        engine = fast_engine(pysd, settings.model_source, trust=settings.trust_model)

    def rounds() -> Coupled:
        coupling = (Coupling if ours else PlainCoupling)(
            engine,
            given.base,
            given.parameters,
            settings.horizon.end,
            settings.allocation.rules.model_dump(),
            progress,
            aims=aims_of(settings),
            count_settlers=settings.allocation.count_settlers,
        )
        if isinstance(coupling, PlainCoupling):
            coupling.way = indices
        coupled = coupling.iterate(
            max_rounds=settings.coupling.max_rounds, tolerance=settings.coupling.tolerance
        )
        if engine is not pysd:
            progress("PySD repeats the published path")
            replayed(pysd, coupled.best.run, coupled.best.decisions)
        return coupled

    return rounds


def coupled_plan(path: str, experiment: str, indices: str) -> dict[str, Any]:
    """One coupled plan of one path, with its times and its published answer."""
    settings = load_experiment(experiment)

    def progress(words: str) -> None:
        print(f"{path}: {words}", file=sys.stderr, flush=True)

    begin, used = time.perf_counter(), time.process_time()
    rounds = rounds_of(settings, path, indices, progress)
    ready = time.perf_counter() - begin, time.process_time() - used
    begin, used = time.perf_counter(), time.process_time()
    coupled = rounds()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    return {
        "path": path,
        "start": ready[0],
        "start_cpu": ready[1],
        "seconds": seconds,
        "cpu": cpu,
        **answer_of(coupled),
    }


def answer_of(coupled: Coupled) -> dict[str, Any]:
    """The published answer: rounds, central money by region and block, levels."""
    best = coupled.best
    p, s = best.problem, best.allocation.solution
    value = recompute(p, s)
    return {
        "rounds": len(coupled.rounds),
        "converged": coupled.converged,
        "fund": s.central_by_block(p).tolist(),
        "levels": {name: value[name] for name in (level.name for level in p.aims.levels)},
    }


def apart(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """How far two answers lie apart.

    Returns
    -------
    dict of str to float
        ``fund``: share of the fund that lies in another region or block; ``largest``: largest
        difference of a cell, 100m yuan; ``level``: largest relative difference of a level.
    """
    a, b = np.array(one["fund"]), np.array(other["fund"])
    levels = [
        abs(value - other["levels"][name]) / max(abs(value), 1e-6)
        for name, value in one["levels"].items()
    ]
    return {
        "fund": float(np.abs(a - b).sum() / 2 / a.sum()),
        "largest": float(np.abs(a - b).max()),
        "level": max(levels),
    }


def measured(path: str, experiment: str, indices: str) -> dict[str, Any]:
    """One coupled plan in a process of its own."""
    command = [sys.executable, __file__, "--one", path, "--experiment", experiment]
    done = subprocess.run(
        [*command, "--indices", indices], stdout=subprocess.PIPE, timeout=LIMIT, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def tables(runs: pd.DataFrame, distance: dict[str, float]) -> str:
    """Times and their ratios in Markdown, and how far the answers lie apart."""
    middle = runs.groupby("path")[["start", "seconds", "cpu", "rounds"]].median()
    lines = [
        "| way | before the rounds, s | rounds | wall, s | processor, s | wall, times ours | "
        "processor, times ours |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    ours = middle.loc["ours"]
    for path in PATHS:
        row = middle.loc[path]
        lines.append(
            f"| {path} | {row['start']:.1f} | {row['rounds']:.0f} | {row['seconds']:.1f} | "
            f"{row['cpu']:.1f} | {row['seconds'] / ours['seconds']:.1f} | "
            f"{row['cpu'] / ours['cpu']:.1f} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"Same answer: {distance['fund']:.1e} of the fund lies elsewhere, at most "
            f"{distance['largest']:.1e} (100m yuan) in a region and block; levels differ by at "
            f"most {distance['level']:.1e} of their value.",
        ]
    )


def main() -> None:
    """Measure, compare the answers, print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default=EXPERIMENT)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--indices", choices=WAYS, default=WAYS[0], help="of the plain way")
    parser.add_argument("--out", type=Path, default=Path("results/coupled"))
    parser.add_argument("--one", choices=PATHS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(coupled_plan(given.one, given.experiment, given.indices)))
        return
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for repeat in range(given.repeats):
        for path in PATHS:
            rows.append({"repeat": repeat + 1} | measured(path, given.experiment, given.indices))
            pd.DataFrame(rows).to_csv(given.out / "coupled.csv", index=False)
    distance = apart(*(next(row for row in rows if row["path"] == path) for path in PATHS))
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, ")
    names = ("pysd", "pyomo", "highspy", "numpy")
    print(", ".join(f"{name} {version(name)}" for name in names), end="\n\n")
    print(tables(pd.DataFrame(rows), distance))
    if distance["fund"] > SAME_FUND or distance["level"] > SAME_LEVEL:
        sys.exit("The answers are not the same.")


if __name__ == "__main__":
    main()
