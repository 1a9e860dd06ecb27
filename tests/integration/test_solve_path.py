"""What the benchmark of the solve path takes for the same program is the same program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from problems import made_up_problem
from solve_path_run import LEVEL, path_of, richer
from solve_path_tables import check_optima, level_tables


@pytest.mark.parametrize("path", ["tiled", "whole"])
def test_changed_budget_in_the_session_is_the_rebuilt_program(path: str) -> None:
    ours = path_of(path)
    # All regions alike in structure, so that they are tiled.
    p = made_up_problem(regions=6, seed=4)
    p = replace(p, supported=np.ones(6, dtype=bool), levy_ceiling=np.ones_like(p.levy_ceiling))
    loaded, rebuilt = (ours.load(ours.build(each)) for each in (p, richer(p)))
    before = ours.solve(loaded)
    assert not np.array_equal(loaded[1].row_upper, rebuilt[1].row_upper)
    ours.rebudget(loaded, richer(p))
    for name in ("row_lower", "row_upper", "lower", "upper"):
        changed, whole = getattr(loaded[1], name), getattr(rebuilt[1], name)
        assert np.allclose(changed, whole, rtol=1e-12, atol=0), name
    after = ours.solve(loaded)
    assert after == pytest.approx(ours.solve(rebuilt), rel=1e-7, abs=1e-9)
    assert after < before - 1e-6


def test_all_paths_come_to_the_same_optimum() -> None:
    p = made_up_problem(regions=4, seed=1)
    values = []
    for name in ("tiled", "whole", "appsi"):
        path = path_of(name)
        values.append(path.solve(path.load(path.build(p))))
    assert np.ptp(values) < 1e-8


def found(**changes: float) -> pd.DataFrame:
    """Findings of two paths whose times are known."""
    rows = []
    for path, factor in (("tiled", 1.0), ("appsi", 4.0)):
        for phase, seconds in (("build", 1.0), ("load", 0.5), ("solve", 3.0), ("warm", 0.1)):
            if phase == "warm" and path != "tiled":
                continue
            time = {"seconds": factor * seconds, "cpu": 2 * factor * seconds}
            value = changes.get(path, 0.25) if phase in ("solve", "warm") else np.nan
            rows.append({"regions": 31, "repeat": 1, "path": path, "phase": phase, **time})
            rows[-1] |= {"memory": 100.0, "value": value}
    rows.append({"regions": 31, "repeat": 1, "path": "tiled", "phase": "size"})
    rows[-1] |= {"rows": 10, "columns": 20, "nonzeros": 30}
    return pd.DataFrame(rows)


def test_ratios_are_those_of_the_times() -> None:
    tables = level_tables(found())
    assert "| 31 | appsi | 4.0 / 4.0 | 4.0 / 4.0 | 180.0 / 180.0 |" in tables
    assert "| 31 | tiled | 1.0 / 1.0 | 1.0 / 1.0 | 45.0 / 45.0 |" in tables
    assert "| 31 | appsi | 4 | 2 | 6 | 12 | – | 18 | 100 |" in tables


def test_different_optima_give_no_table() -> None:
    check_optima(found(appsi=0.25 + 1e-9))
    with pytest.raises(ValueError, match=r"optima differ at \(31, 'solve'\)"):
        level_tables(found(appsi=0.2501))


def test_the_level_has_all_its_rows_from_the_start() -> None:
    program = path_of("tiled").build(made_up_problem())
    assert LEVEL in program.costs
    assert all(index.level != LEVEL for index in program.indices)
