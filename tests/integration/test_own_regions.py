"""Own regions the whole way: example, one region, no money refused, rules that do not apply."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import hukou_opt as ho
from hukou_opt.cli import app
from hukou_opt.errors import ExperimentError
from hukou_opt.experiment import experiment_from
from hukou_opt.planning.inputs import parameters_of
from hukou_opt.planning.own_regions import not_applicable
from hukou_opt.regions import derive_base_year, load_regions
from hukou_opt.report.table import notes

MONEY = {
    "central_fund_total": 100.0,
    "bonds_per_year": 4.0,
    "teacher_posts": 0.05,
    "seat_target": 2.3,
    "partner_schools": 5.0,
    "partner_hospitals": 12.0,
}
#: One round and no comparators: what is asked here does not depend on them.
QUICK = {"coupling": {"max_rounds": 1}, "horizon": {"end": 2027, "tail": 2029}}


def one_region(folder: Path, share: str = "0.58", parent: str = "520000") -> Path:
    path = folder / "one.csv"
    path.write_text(
        f"code,name_en,parent,resident_pop,urban_share\nX,Alone,{parent},320,{share}\n",
        encoding="utf-8",
    )
    return path


def settings(path: Path, **changes: object) -> ho.Experiment:
    return experiment_from(
        {"name": "own", "regions": str(path), "allocation": {"comparators": []}, **QUICK, **changes}
    )


def test_own_regions_without_own_money_are_refused_with_their_part_by_head(tmp_path):
    with pytest.raises(ExperimentError) as caught:
        ho.run(settings(one_region(tmp_path)), progress=False)
    text = str(caught.value)
    assert [fault.where for fault in caught.value.faults] == [
        "parameters.central_fund_total",
        "parameters.bonds_per_year",
        "parameters.teacher_posts",
        "parameters.seat_target",
        "parameters.partner_schools",
        "parameters.partner_hospitals",
    ]
    assert "they hold 0.0023 of the people, by head their part would be 1.1e+02" in text


@pytest.mark.slow
def test_a_run_without_allocation_needs_no_money(tmp_path):
    result = ho.run(settings(one_region(tmp_path), allocation={"enabled": False}), progress=False)
    assert not result.has_allocation
    assert "Fallback for" in result.attrs["region_notes"]
    assert "moves between regions: there is only one region" in result.attrs["not_applicable"]


@pytest.mark.slow
def test_one_region_runs_to_a_proved_allocation_whose_notes_name_every_fallback(tmp_path):
    path = one_region(tmp_path)
    result = ho.run(settings(path, parameters=MONEY), progress=False)
    assert result.certified
    spent = float(result["allocation"]["central_transfers"].sum())
    assert 0 < spent <= 100 * (1 + 1e-6)
    text = " ".join(notes(result))
    for line in load_regions(path).fallbacks:
        assert line.split(": ")[0] in text
        assert line.split(": ")[1] in text
    assert "Not applicable: eastern levy" in text
    saved = ho.open_result(result.save(tmp_path / "r.nc"))
    assert saved.attrs["region_notes"] == result.attrs["region_notes"]


@pytest.mark.slow
def test_the_example_of_init_runs_as_it_is_written(tmp_path):
    runner = CliRunner()
    assert runner.invoke(app, ["init", str(tmp_path / "x"), "--example"]).exit_code == 0
    experiment = str(tmp_path / "x" / "experiment.yaml")
    done = runner.invoke(app, ["run", experiment, "--out", str(tmp_path / "out"), "--no-progress"])
    assert done.exit_code == 0, done.output
    table = (tmp_path / "out" / "allocation.csv").read_text(encoding="utf-8")
    assert "Zhejiang" in table
    assert "Guizhou" in table


@pytest.mark.parametrize(
    ("columns", "cells", "said", "not_said"),
    [
        ("macro_region", "Eastern", ["settling grant", "half of the certified cost"], ["mega"]),
        ("macro_region", "Western", ["no eastern region pays"], ["half of the certified"]),
        (
            "tier_share_mega_2020,tier_share_large_2020,tier_share_small_2020",
            "0,0,1",
            ["opening of cities above 5 million", "opening of cities of 1 to 5 million"],
            ["smaller cities"],
        ),
        ("clusters", "none", ["moves between regions"], []),
    ],
)
def test_rules_without_class_or_column_are_listed_with_their_reason(
    columns, cells, said, not_said, tmp_path
):
    path = tmp_path / "own.csv"
    path.write_text(
        "code,parent,resident_pop,urban_share,budget_revenue,budget_expenditure,"
        f"{columns}\nA,330000,300,0.6,80,100,{cells}\n",
        encoding="utf-8",
    )
    asked = settings(path, parameters=MONEY)
    base = derive_base_year(load_regions(path), parameters_of(asked), with_ranges=False)
    text = "\n".join(not_applicable(asked, base))
    for part in said:
        assert part in text
    for part in not_said:
        assert part not in text


def test_every_rule_applies_to_the_shipped_regions():
    asked = experiment_from({"name": "shipped"})
    base = derive_base_year(load_regions(), parameters_of(asked), with_ranges=False)
    assert not_applicable(asked, base) == ()
