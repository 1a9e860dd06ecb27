"""From a problem to a proved optimum: time and memory of our path beside appsi_highs and linopy.

    python benchmarks/solve_path.py                         # 31, 340 and 2,850 regions
    python benchmarks/solve_path.py --sizes 31,340          # without the largest
    python benchmarks/solve_path.py --objectives            # the default objectives, level by level

Regions beyond the 31 provinces are unequal parts of them. All paths solve the same linear program,
one level of it; every measurement has a process of its own, in which the path has been used once
before on the provinces. Paths take turns within a repeat, so that a busy machine is busy for all;
medians of the repeats are compared, by wall and processor time. Needs the extra `bench` (linopy).

With more regions than `--solve-up-to` the level is built and loaded, not solved. Paths:

- ``tiled``: our path. Pyomo model of one group of like regions, tiled; own HiGHS object.
- ``whole``: the same without tiling, Pyomo model of all regions (only if asked for).
- ``appsi``: the same Pyomo model, `SolverFactory("appsi_highs")`.
- ``linopy``: the program written a second time, in linopy.
"""

from __future__ import annotations

import argparse
import json
import pickle
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from solve_path_tables import level_tables, objective_tables
from split_regions import split

from hukou_opt.allocation.problem import Problem
from hukou_opt.experiment import load_experiment
from hukou_opt.planning.aims import aims_of
from hukou_opt.planning.coupling import Coupling
from hukou_opt.planning.engines import fast_engine
from hukou_opt.planning.inputs import inputs_of
from hukou_opt.planning.run import engine_of

EXPERIMENT = "plan_as_written"
PATHS = ("tiled", "linopy", "appsi")
SIZES = (31, 340, 2850)
RUN = Path(__file__).with_name("solve_path_run.py")
#: Most regions with which every path solves the level; larger ones are built and loaded only.
MOST_REGIONS = 400
#: Seconds for one measurement of one path, all phases, and for the default objectives.
LIMIT, OBJECTIVES_LIMIT = 1800.0, 600.0
#: Seconds that a process has beyond that.
GRACE = 60.0


Finding = dict[str, Any]


def shipped() -> Problem:
    """The first round's problem of the shipped plan."""
    settings = load_experiment(EXPERIMENT)
    given = inputs_of(settings)
    engine = fast_engine(
        engine_of(settings, given.base, given.parameters, given.years),
        settings.model_source,
        trust=settings.trust_model,
    )
    coupling = Coupling(
        engine,
        given.base,
        given.parameters,
        settings.horizon.end,
        settings.allocation.rules.model_dump(),
        lambda _: None,
        aims=aims_of(settings),
        count_settlers=settings.allocation.count_settlers,
    )
    return coupling.problem(coupling.needs(coupling.first_run, coupling.nothing()))


def measured(name: str, problem: Path, small: Path, own: float, limit: float) -> list[Finding]:
    """Findings of one path in a process of its own; what it found before a limit or an error."""
    command = [sys.executable, str(RUN), name, str(problem), str(small), str(own)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            done = subprocess.run(
                command, stdout=out, stderr=err, timeout=limit + GRACE, check=False
            )
            ended = f"ended with {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            ended = f"given up after {limit:,.0f} s"
        out.seek(0)
        err.seek(0)
        found = [json.loads(line) for line in out if line.startswith("{")]
        if ended:
            print(f"{name}: {ended}\n{err.read()[-2000:]}", file=sys.stderr)
            found.append({"phase": "ended", "words": ended})
    return found


def compare(
    problems: dict[int, Path], paths: list[str], repeats: int, most: int, limit: float, out: Path
) -> pd.DataFrame:
    """Every phase of every path, size and repeat, written to a file as it comes."""
    small = next(iter(problems.values()))
    rows: list[Finding] = []
    for repeat in range(1, repeats + 1):
        for regions, problem in problems.items():
            for path in paths:
                found = measured(path, problem, small, most, limit)
                keys = {"regions": regions, "path": path, "repeat": repeat}
                rows += [{**keys, **each} for each in found]
                pd.DataFrame(rows).to_csv(out, index=False)
                took = {e["phase"]: f"{e['seconds']:.2f}" for e in found if "seconds" in e}
                print(*keys.values(), took, file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def whole(problems: dict[int, Path], limit: float) -> pd.DataFrame:
    """The default objectives at every size, one run each."""
    rows = []
    for regions, problem in problems.items():
        found = measured("objectives", problem, problem, limit, limit)
        rows += [{"regions": regions, **each} for each in found]
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, print Markdown tables and write every single figure to files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of regions")
    parser.add_argument("--paths", default=",".join(PATHS), help="which paths, in their turn")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--solve-up-to",
        type=int,
        default=MOST_REGIONS,
        help="most regions with which the level is solved; beyond, build and load only",
    )
    parser.add_argument("--limit", type=float, help="seconds for one measurement")
    parser.add_argument("--objectives", action="store_true", help="default objectives, one run")
    parser.add_argument("--out", type=Path, default=Path("results/solve_path"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    versions = ", ".join(f"{n} {version(n)}" for n in ("pyomo", "highspy", "linopy", "numpy"))
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(versions, end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        provinces, problems = shipped(), {}
        for regions in sorted(int(size) for size in given.sizes.split(",")):
            problems[regions] = Path(folder) / f"{regions}.pickle"
            problems[regions].write_bytes(pickle.dumps(split(provinces, regions)))
        if given.objectives:
            found = whole(problems, given.limit or OBJECTIVES_LIMIT)
            found.to_csv(given.out / "objectives.csv", index=False)
            print(objective_tables(found))
        else:
            found = compare(
                problems,
                given.paths.split(","),
                given.repeats,
                given.solve_up_to,
                given.limit or LIMIT,
                given.out / "levels.csv",
            )
            print(level_tables(found))


if __name__ == "__main__":
    main()
