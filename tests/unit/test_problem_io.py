"""What a result keeps of the linear program comes back to the last bit."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from problems import made_up_problem
from result_builder import attrs, groups, without_allocation

from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import DEFAULT_LEVELS, Aims, LevelSpec, Limit, Term
from hukou_opt.errors import ResultError
from hukou_opt.planning.problem_io import (
    ANSWER_ARRAYS,
    ARRAYS,
    LABELS,
    TEXTS,
    answer_group,
    problem_group,
    problem_of,
    solution_of,
)
from hukou_opt.result import Result, open_result

AIMS = Aims(
    (
        *DEFAULT_LEVELS[:2],
        LevelSpec(
            "own",
            "two terms",
            (
                Term("unmet_rate", "averse_mean", "regions", ("beds",), (2025,), aversion=0.1),
                Term("unmet_rate", "shortfall", standard=1 / 3, weight=0.7),
            ),
            guarded=True,
        ),
    ),
    (Limit(Term("seats_per_child", "gini", "urban_rural"), 0.1),),
    accept_levelling_down=True,
)


def whole(**changes: object) -> Problem:
    p = made_up_problem(3, 6, 3, seed=4)
    given = {
        "modes": {"seat_target": "hard", "block_money": "off"},
        "aims": AIMS,
        "expenditure": np.array([1 / 3, 2 / 7, np.pi]),
        "fund_by_region": np.array([0.1, 0.2, 0.3]),
        "parameters": {**p.parameters, "guard": 0.1 + 0.2},
    }
    return replace(p, **{**given, **changes})


def kept(p: Problem, tmp_path: Path) -> Result:
    """A result with the problem, written and opened again."""
    codes = {code: i for i, code in enumerate(groups()["regions"]["region"].values.tolist())}
    p = replace(p, codes=tuple(codes))
    draw = np.random.default_rng(1)
    hukou, migrant = draw.random((2, 3, 6))
    s = Solution.empty(p, hukou, migrant)
    s = replace(s, alike=draw.random((3, 6)) > 0.5, starts=draw.random((2, 2, 3, 6)))
    parts = groups() | {"problem": problem_group(p), "answer": answer_group(p, s)}
    path = Result.build(attrs(), parts).save(tmp_path / "run.nc")
    opened = open_result(path)
    found = solution_of(opened)
    for field in fields(Solution):
        given, back = getattr(s, field.name), getattr(found, field.name)
        assert given.dtype == back.dtype
        assert np.array_equal(given, back), field.name
    return opened


@pytest.mark.parametrize(
    "changes", [{}, {"expenditure": None, "fund_by_region": None, "aims": Aims()}]
)
def test_a_problem_comes_back_to_the_last_bit(changes: dict[str, object], tmp_path: Path) -> None:
    p = whole(**changes)
    result = kept(p, tmp_path)
    p = replace(p, codes=tuple(result["regions"]["region"].values.tolist()))
    back = problem_of(result)
    for field in fields(Problem):
        given, found = getattr(p, field.name), getattr(back, field.name)
        if isinstance(given, np.ndarray):
            assert found.dtype == given.dtype, field.name
            assert np.array_equal(given, found), field.name
        else:
            assert given == found, field.name
            assert type(given) is type(found), field.name


def test_no_field_is_forgotten() -> None:
    assert {field.name for field in fields(Problem)} == {*ARRAYS, *LABELS, *TEXTS}
    assert {field.name for field in fields(Solution)} == set(ANSWER_ARRAYS)


def test_units_and_labels_stand_with_every_array() -> None:
    group = problem_group(whole())
    assert all(group[name].attrs["units"] for name in ARRAYS)
    assert set(group.dims) == set(group.coords)


def test_a_result_without_inputs_says_so() -> None:
    with pytest.raises(ResultError, match="run the experiment again with allocation"):
        problem_of(without_allocation())
    with pytest.raises(ResultError, match="/answer"):
        solution_of(without_allocation())
