"""One measurement of `solve_path.py` in a process of its own, so that memory is its own too.

    python benchmarks/solve_path_run.py PATH PROBLEM SMALL_PROBLEM LIMIT

LIMIT is the largest number of regions with which the level is solved, and for the path `objectives`
the seconds that it may take. Every finding is one line of JSON on standard output as soon as it is
there, so that what was measured before a limit is not lost.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pickle
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hukou_opt.allocation.problem import Problem

#: The level that is solved: its rows are all there from the start, none is added lazily.
LEVEL = "unfunded_worst"
#: The changed budget.
RAISE = 1.01
#: Options that all paths hand to HiGHS; ours are in `Session`.
OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "primal_feasibility_tolerance": 1e-8,
    "dual_feasibility_tolerance": 1e-8,
}
#: Parts of `solve` by what they do; time inside a part counts for the innermost one.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("build", "hukou_opt.allocation.solve", "compile_problem"),
    ("load", "hukou_opt.allocation.session", "Session._pass_model"),
    ("HiGHS", "hukou_opt.allocation.session", "Session._run"),
    ("certificates", "hukou_opt.allocation.session", "Session._certified"),
    ("rows of indices", "hukou_opt.allocation.levels", "LevelSolver._add"),
    ("recomputation", "hukou_opt.allocation.solve", "recompute"),
    ("answer", "hukou_opt.allocation.solve", "read_solution"),
    ("binding rules", "hukou_opt.allocation.solve", "binding_rules"),
)


def say(**finding: Any) -> None:
    """Print one finding."""
    print(json.dumps(finding), flush=True)


def memory() -> float:
    """Most memory of this process so far, MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What the system reports of resources includes the process that started this one.
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def timed(phase: str) -> Iterator[dict[str, Any]]:
    """Time a phase, and say so with what is put into the dictionary."""
    found: dict[str, Any] = {}
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    yield found
    seconds, used = time.perf_counter() - wall, time.process_time() - processor
    say(phase=phase, seconds=seconds, cpu=used, memory=memory(), **found)


def richer(p: Problem) -> Problem:
    """The problem with the changed budget."""
    return replace(p, fund=RAISE * p.fund)


class Ours:
    """The path of `solve`: compiled Pyomo model, own HiGHS object.

    Parameters
    ----------
    build : callable
        From a problem to its program.
    """

    def __init__(self, build: Callable[[Problem], Any]) -> None:
        self.build = build

    def load(self, program: Any) -> Any:
        """Program and session."""
        from hukou_opt.allocation.session import Session

        return program, Session(program)

    def solve(self, loaded: Any) -> float:
        """Proved optimum."""
        program, session = loaded
        return float(session.minimise(*program.costs[LEVEL], name=LEVEL).value)

    def rebudget(self, loaded: Any, p: Problem) -> None:
        """Change the rows in which the fund stands, and nothing else."""
        from hukou_opt.allocation.objectives.tie_break import reference

        program, session = loaded
        volume = program.row_names.cells("fund_volume", p.years)
        there = volume >= 0
        part = p.fund * np.arange(1, len(p.years) + 1) / len(p.years)
        session.bound_rows(volume[there], np.full(there.sum(), -np.inf), part[there])
        labels = [block.label for block in p.blocks]
        for sign in (1, -1):
            rows = program.row_names.cells("far_block_definition", p.codes, labels, [sign]).ravel()
            # Both are rows of the tie-break: distance >= sign (money - aim).
            limit = -sign * reference(p).ravel()
            upward = np.isfinite(session.row_lower[rows])
            low, high = np.where(upward, limit, -np.inf), np.where(upward, np.inf, -limit)
            session.bound_rows(rows, low, high)

    def size(self, loaded: Any) -> dict[str, int]:
        """Rows, columns and coefficients."""
        matrix = loaded[0].matrix
        return {"rows": matrix.shape[0], "columns": matrix.shape[1], "nonzeros": int(matrix.nnz)}


class Appsi:
    """Pyomo's own way to HiGHS, `SolverFactory("appsi_highs")`."""

    def build(self, p: Problem) -> Any:
        """The Pyomo model with the level as its one objective."""
        import pyomo.environ as pyo

        from hukou_opt.allocation.formulation import build_model

        m = build_model(p)
        for objective in m.component_objects(pyo.Objective):
            if objective.local_name != f"level_{LEVEL}":
                objective.deactivate()
        return m

    def load(self, m: Any) -> Any:
        """Model and solver."""
        import pyomo.environ as pyo

        solver = pyo.SolverFactory("appsi_highs")
        solver.set_instance(m)
        return m, solver

    def solve(self, loaded: Any) -> float:
        """Optimum."""
        m, solver = loaded
        solver.highs_options = OPTIONS
        found = solver.solve(m, load_solutions=False)
        return float(found.problem.upper_bound)


class Linopy:
    """The same program in linopy."""

    def build(self, p: Problem) -> Any:
        """Model and levels."""
        from linopy_twin import twin

        return twin(p)

    def load(self, written: Any) -> Any:
        """HiGHS object with the level as objective."""
        return written, written.load(LEVEL)

    def solve(self, loaded: Any) -> float:
        """Optimum."""
        written, solver = loaded
        for name, value in OPTIONS.items():
            solver.setOptionValue(name, value)
        solver.run()
        return float(solver.getInfo().objective_function_value + written.levels[LEVEL][1])


def path_of(name: str) -> Any:
    """One way from a problem to an optimum."""
    if name == "appsi":
        return Appsi()
    if name == "linopy":
        return Linopy()
    if name == "tiled":
        from hukou_opt.allocation.tiling.tile import compile_problem

        return Ours(compile_problem)
    from hukou_opt.allocation.formulation import build_model, compile_model

    return Ours(lambda p: compile_model(build_model(p)))


def one_level(name: str, p: Problem, small: Problem, most_regions: float) -> None:
    """Build and load one level, solve it up to a size, and ours again with a changed budget."""
    path = path_of(name)
    # What libraries import and prepare at first use is not counted.
    path.load(path.build(small))
    say(phase="start", memory=memory())
    with timed("build"):
        built = path.build(p)
    with timed("load"):
        loaded = path.load(built)
    if isinstance(path, Ours):
        say(phase="size", **path.size(loaded))
    if len(p.codes) > most_regions:
        return
    with timed("solve") as found:
        found["value"] = path.solve(loaded)
    if isinstance(path, Ours):
        with timed("warm") as found:
            path.rebudget(loaded, richer(p))
            found["value"] = path.solve(loaded)


class Parts:
    """Stopwatch over functions of the toolkit: time inside each, without what it calls of them.

    It reads the processor's clock: one thread works, and other work on the machine does not count.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._calls: dict[str, int] = defaultdict(int)
        #: Running parts, each with its begin and with the time of those inside it.
        self._running: list[tuple[str, float, list[float]]] = []
        for part, module, name in PARTS:
            owner = importlib.import_module(module)
            *way, last = name.split(".")
            for step in way:
                owner = getattr(owner, step)
            setattr(owner, last, self._watched(part, getattr(owner, last)))

    def _watched(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            begin, inner = time.process_time(), [0.0]
            self._running.append((part, begin, inner))
            try:
                return call(*given, **named)
            finally:
                self._running.pop()
                whole = time.process_time() - begin
                self._seconds[part] += whole - inner[0]
                self._calls[part] += 1
                if self._running:
                    self._running[-1][2][0] += whole

        return watched

    def say(self) -> None:
        """Say what each part took so far; of what is running, the innermost part."""
        seconds = dict(self._seconds)
        if self._running:
            part, begin, inner = self._running[-1]
            seconds[part] = seconds.get(part, 0.0) + time.process_time() - begin - inner[0]
        for part, spent in seconds.items():
            say(phase="part", part=part, cpu=spent, calls=self._calls[part])


def objectives(p: Problem, limit: float) -> None:
    """The default objectives, level by level, proved; what is slow, by level and by part."""
    from hukou_opt.allocation.solve import solve

    parts = Parts()
    begin = last = time.perf_counter()
    started = used = time.process_time()

    def progress(level: str) -> None:
        nonlocal last, used
        now, processor = time.perf_counter(), time.process_time()
        say(phase="level", level=level, seconds=now - last, cpu=processor - used, memory=memory())
        last, used = now, processor

    def whole(finished: bool) -> None:
        parts.say()
        took = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - started}
        say(phase="whole", **took, memory=memory(), finished=finished)

    def give_up() -> None:
        whole(False)
        os._exit(1)

    # HiGHS lets other threads run while it solves, but no signal through.
    alarm = threading.Timer(limit, give_up)
    alarm.daemon = True
    alarm.start()
    answer = solve(p, progress=progress)
    alarm.cancel()
    whole(True)
    say(
        phase="answer",
        proved=all(each.holds for each in answer.certificates),
        solves=len(answer.certificates),
        cuts=answer.cuts,
        fallbacks=answer.fallbacks,
        ties_broken=answer.ties_broken,
        levels={level.name: level.value for level in answer.levels},
    )


def main() -> None:
    """Measure one path on one problem."""
    name, source, small, limit = sys.argv[1:5]
    p, tiny = (pickle.loads(Path(each).read_bytes()) for each in (source, small))
    if name == "objectives":
        objectives(p, float(limit))
    else:
        one_level(name, p, tiny, float(limit))


if __name__ == "__main__":
    main()
