"""`hukou-opt explain`: from a saved result to sentences, tables and a result with ranges."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import result_builder
import xarray as xr
from problems import made_up_problem
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.cli import app
from hukou_opt.errors import OutputError, ResultError
from hukou_opt.experiment import Experiment
from hukou_opt.planning.price_tables import prices_group
from hukou_opt.planning.problem_io import answer_group, problem_group

YEARS = len(result_builder.YEARS)
TAIL = len(result_builder.NEED_YEARS) - YEARS


@pytest.fixture(scope="module")
def answered() -> tuple[Problem, Allocation]:
    codes = tuple(result_builder.CODES)
    p = made_up_problem(regions=3, years=YEARS, tail=TAIL, seed=3, codes=codes)
    return p, solve(p)


def result_of(p: Problem, answer: Allocation) -> ho.Result:
    """A result that holds a problem and its answer, the rest made up."""
    s = answer.solution
    groups = result_builder.groups()
    allocation = groups["allocation"].assign(
        central_transfers=(("sector", "region", "year"), s.central),
        central_unused=((), max(0.0, p.fund - float(s.central.sum()))),
    )
    levels = xr.Dataset(
        {
            **{
                key: ("level", np.array([getattr(level, key) for level in answer.levels]))
                for key in ("value", "held_at", "recomputed")
            },
            "meaning": ("level", np.array([level.meaning for level in answer.levels])),
        },
        {"level": [level.name for level in answer.levels]},
    )
    groups |= {
        "allocation": allocation,
        "levels": levels,
        "problem": problem_group(p),
        "answer": answer_group(p, s),
        "prices": prices_group(p, answer),
    }
    return ho.Result.build(result_builder.attrs(central_fund=p.fund), groups)


@pytest.fixture(scope="module")
def plain(answered: tuple[Problem, Allocation]) -> ho.Result:
    return result_of(*answered)


@pytest.fixture(scope="module")
def explained(plain: ho.Result) -> ho.Result:
    return ho.explain(plain, progress=False)


def test_what_is_published_lies_in_its_range(plain: ho.Result, explained: ho.Result) -> None:
    ranges = explained["ranges"]
    assert (ranges["lowest"] <= ranges["published"] + 0.05).all()
    assert (ranges["highest"] >= ranges["published"] - 0.05).all()
    assert (ranges["lowest"] <= ranges["least"]).all()
    assert (ranges["highest"] >= ranges["most"]).all()
    money = plain["allocation"]["central_transfers"]
    at = (ranges["region"] == "410000") & (ranges["block"] == "all") & (ranges["sector"] == "all")
    assert float(ranges["published"].where(at, drop=True).item()) == pytest.approx(
        float(money.sel(region="410000").sum())
    )
    assert float(ranges["published"][-1]) == pytest.approx(float(money.sum()))


def test_levers_say_what_they_move_and_how_far(explained: ho.Result) -> None:
    levers = explained["levers"].sel(lever="lever:central_fund")
    assert levers["level"].item() == "unfunded_worst"
    assert float(levers["price_more"]) > 0
    assert float(levers["holds_more"]) >= 0
    assert float(levers["amount"]) == explained.attrs["central_fund"]
    check = explained["price_check"].isel(check=0)
    assert float(check["more"]) == pytest.approx(0.01 * explained.attrs["central_fund"])
    told, found = float(check["told"]), float(check["found"])
    assert found == pytest.approx(told, abs=2e-6) if int(check["within"]) else found < told
    assert np.isnan(float(check["with_model"]))


def test_a_wider_epsilon_gives_wider_ranges(plain: ho.Result, explained: ho.Result) -> None:
    wide = ho.explain(plain, epsilon=0.05, progress=False)
    assert wide["ranges"].attrs["epsilon"] == 0.05
    narrow = (explained["ranges"]["highest"] - explained["ranges"]["lowest"]).sum()
    assert float((wide["ranges"]["highest"] - wide["ranges"]["lowest"]).sum()) > float(narrow)


def test_the_model_is_asked_with_one_per_cent_more(
    answered: tuple[Problem, Allocation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run with more money is the experiment's own, with nothing compared."""
    p, answer = answered
    plain = result_of(p, answer)
    given: list[Experiment] = []

    def richer(settings: Experiment, *, progress: bool) -> ho.Result:
        given.append(settings)
        lower = tuple(replace(level, value=level.value - 0.003) for level in answer.levels)
        return result_of(p, replace(answer, levels=lower))

    # The module, not the function that the package hands out under the same name.
    monkeypatch.setattr(import_module("hukou_opt.planning.explain"), "run", richer)
    found = ho.explain(plain, coupled=True, progress=False)
    (settings,) = given
    assert settings.parameters["central_fund_total"] == pytest.approx(1.01 * p.fund)
    assert settings.allocation.comparators == ()
    assert float(found["price_check"]["with_model"][0]) == pytest.approx(0.003)


def test_an_answer_that_does_not_keep_its_levels_is_refused(
    answered: tuple[Problem, Allocation],
) -> None:
    """Money moved between regions, everything else as it was."""
    p, answer = answered
    s = answer.solution
    central = s.central.copy()
    giver = int(np.argmax(central.sum(axis=(0, 2))))
    taker = (giver + 1) % len(p.codes)
    moved = 0.2 * central[:, giver]
    central[:, giver] -= moved
    central[:, taker] += moved
    tampered = replace(answer, solution=replace(s, central=central))
    with pytest.raises(ResultError, match="outside their range"):
        ho.explain(result_of(p, tampered), progress=False)


def test_levels_that_the_inputs_do_not_give_are_refused(
    answered: tuple[Problem, Allocation],
) -> None:
    p, answer = answered
    better = tuple(
        replace(level, value=0.9 * level.value) if level.name == "unfunded_worst" else level
        for level in answer.levels
    )
    with pytest.raises(ResultError, match="was published as"):
        ho.explain(result_of(p, replace(answer, levels=better)), progress=False)


@pytest.mark.parametrize("epsilon", [0.0, -0.1, 1.0, float("nan")])
def test_an_epsilon_that_makes_no_sense_is_refused(plain: ho.Result, epsilon: float) -> None:
    with pytest.raises(OutputError, match="epsilon"):
        ho.explain(plain, epsilon=epsilon, progress=False)


def test_a_result_without_its_inputs_is_refused() -> None:
    with pytest.raises(ResultError, match="no group /problem"):
        ho.explain(result_builder.result(), progress=False)


def test_the_command_prints_writes_and_saves(plain: ho.Result, tmp_path: Path) -> None:
    source, saved, out = tmp_path / "r.nc", tmp_path / "explained.nc", tmp_path / "tables"
    plain.save(source)
    done = CliRunner().invoke(
        app,
        ["explain", str(source), "--out", str(out), "--save", str(saved), "--no-progress"],
    )
    assert done.exit_code == 0, done.output
    assert "PRICES" in done.output
    assert "CHECK (1 % more of the central fund)" in done.output
    assert "are unique" in done.output
    names = {path.name for path in out.iterdir()}
    stems = ("levers", "prices", "ranges")
    assert names == {f"{stem}.{end}" for stem in stems for end in ("csv", "tex")} | {"explain.xlsx"}
    again = ho.open_result(saved)
    with (out / "ranges.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == again["ranges"].sizes["cell"]
    assert float(rows[0]["highest"]) == pytest.approx(float(again["ranges"]["highest"][0]))
    assert openpyxl.load_workbook(out / "explain.xlsx").sheetnames[:3] == list(stems)
    assert r"\begin{longtable}" in (out / "ranges.tex").read_text(encoding="utf-8")
    # The frames of a notebook are those of the files.
    assert len(again.table.ranges()) == len(rows)
    assert len(again.table.levers()) == int((again["levers"]["level"] != "").sum())


def test_the_command_speaks_chinese(plain: ho.Result, tmp_path: Path) -> None:
    plain.save(tmp_path / "r.nc")
    done = CliRunner().invoke(
        app, ["explain", str(tmp_path / "r.nc"), "--lang", "zh", "--no-progress"]
    )
    assert done.exit_code == 0, done.output
    assert "影子价格" in done.output
    assert "单元范围" in done.output


def test_wrong_options_are_all_named(tmp_path: Path) -> None:
    target = tmp_path / "r.nc"
    target.touch()
    done = CliRunner().invoke(app, ["explain", str(target), "--lang", "fr", "--save", str(target)])
    assert done.exit_code == 2
    assert "--lang 'fr'" in done.output
    assert "is the result itself" in done.output


def test_a_table_of_what_was_not_made_says_how_to_make_it(plain: ho.Result) -> None:
    with pytest.raises(ResultError, match="hukou-opt explain RESULT --save FILE"):
        plain.table.ranges()
