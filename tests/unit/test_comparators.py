"""Plain formulas for the central money, and every case on measures that nobody optimised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xarray as xr
from problems import made_up_problem
from result_builder import (
    CASES,
    FUND,
    GOOD,
    PERIODS,
    RATE,
    attrs,
    groups,
    indicators,
    levels_by_case,
    result,
)
from synthetic_base_year import FIRST, base_year

from hukou_opt.allocation.objectives.tie_break import reference
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.recompute import distance_to_need
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import solve
from hukou_opt.allocation.spec import Limit, Term
from hukou_opt.dynamics import Trajectory
from hukou_opt.errors import ExperimentError, InfeasibleError, ResultError
from hukou_opt.indicators import gini, indicator_values
from hukou_opt.planning.cases import Case, check_comparators, formula_problem, formula_shares
from hukou_opt.planning.region_levels import SCORED, RegionLevels, region_levels
from hukou_opt.planning.scores import comparators, revenue_per_head, scores
from hukou_opt.regions.base_year import BaseYear
from hukou_opt.report.publish import write_tables
from hukou_opt.report.score_tables import (
    comparators_table,
    formula_table,
    indicators_table,
    with_best,
)
from hukou_opt.result import Result

FORMULAS = ("equal_per_head", "by_migrants", "by_need", "by_transfers")
START_GROUPS = ("urban_hukou_children", "migrant_children", "rural_children")


def without(base: BaseYear, name: str) -> BaseYear:
    return replace(base, data=base.data.assign({name: 0.0 * base.data[name]}))


def problem(base: BaseYear) -> Problem:
    return replace(made_up_problem(regions=3), codes=base.codes)


def start_of(p: Problem) -> Trajectory:
    """A run of one year, the start, with a tenth of migrant children out of school."""
    region = list(p.codes)
    figures = {
        "hukou_place_share_year_end": np.full(3, np.nextafter(1.0, 2.0)),
        "migrant_place_share_year_end": np.full(3, 0.9),
        "urban_hukou_children": p.children_hukou[:, 0],
        "migrant_children": p.children_migrant[:, 0],
        "rural_children": p.children_rural[:, 0],
        "urban_residents": p.population[0, :, 0],
        "rural_residents": p.population[1, :, 0],
        "urban_seats": p.existing[0, 0, :, 0],
        "rural_seats": p.existing[1, 0, :, 0],
        "urban_beds": p.existing[0, 1, :, 0],
        "rural_beds": p.existing[1, 1, :, 0],
    }
    data = xr.Dataset(
        {name: (("region", "year"), column[:, None]) for name, column in figures.items()},
        {"region": region, "year": [FIRST]},
    )
    return Trajectory(data, 0.25, "0" * 64)


def some_answer(p: Problem, seed: int = 3) -> Solution:
    """Nothing that a program would choose: random money, capacity and places."""
    draw = np.random.default_rng(seed)
    empty = Solution.empty(p, 0.7 * p.children_hukou, 0.6 * p.children_migrant)
    money = draw.random(p.cost.shape)
    return replace(
        empty,
        central=10 * money,
        local=5 * money,
        bonds=3 * money,
        levy=2 * money,
        unfunded=p.cost * draw.random(p.cost.shape),
        capacity=p.existing * draw.uniform(0.8, 1.2, p.existing.shape),
        temporary=draw.random(p.stretch.shape),
    )


def found(levels: list[RegionLevels], measure: str, period: str) -> RegionLevels:
    (one,) = [each for each in levels if (each.measure, each.period) == (measure, period)]
    return one


def case(name: str, p: Problem, s: Solution) -> Case:
    run = start_of(p)
    return Case(name, [], region_levels(p, s, run, FIRST), None, None, run)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_shares_out_the_whole_fund_in_proportion(name: str) -> None:
    base = base_year()
    p = problem(base)
    data = base.data
    migrants = data["initial_migrants"].sum("region").values
    people = data["initial_rural_residents"] + data["initial_urban_hukou_residents"]
    basis = {
        "equal_per_head": people.values + migrants,
        "by_migrants": migrants,
        "by_need": p.cost.sum(axis=(0, 2)),
        "by_transfers": data["central_transfers"].values,
    }[name]
    share = formula_shares(base, p)[name]
    assert share.sum() == pytest.approx(1)
    assert share / share[0] == pytest.approx(basis / basis[0])
    # The regions differ, or every formula would pass.
    assert np.ptp(share) > 0.01


def test_four_formulas_and_four_answers() -> None:
    base = base_year()
    # Those of the invented regions are in proportion to their people.
    transfers = base.data["central_transfers"] * xr.DataArray([1.0, 2.0, 4.0], dims="region")
    base = replace(base, data=base.data.assign(central_transfers=transfers))
    shares = formula_shares(base, problem(base))
    assert set(shares) == set(FORMULAS)
    table = np.stack([shares[name] for name in FORMULAS])
    apart = np.abs(table[:, None] - table[None]).max(axis=2)
    assert apart[~np.eye(4, dtype=bool)].min() > 1e-3


def test_a_formula_without_anything_to_go_by_is_refused_before_the_run() -> None:
    base = without(base_year(), "central_transfers")
    with pytest.raises(ExperimentError, match="'by_transfers' has nothing to share the fund by"):
        check_comparators(FORMULAS, base)
    check_comparators(("equal_per_head", "by_need"), base)
    nobody = without(base, "initial_migrants")
    with pytest.raises(ExperimentError) as caught:
        check_comparators(FORMULAS, nobody)
    assert len(caught.value.faults) == 2
    # Nobody settles: a formula by certified cost gives nothing, and nothing breaks.
    p = problem(base)
    assert formula_shares(base, replace(p, cost=0 * p.cost))["by_need"] == pytest.approx(
        np.zeros(3)
    )


def test_the_formula_is_a_ceiling_and_what_is_not_used_is_published() -> None:
    p = made_up_problem(regions=3)
    p = replace(p, fund=5 * p.fund)
    # The first region gets far more than it has bills for.
    share = np.array([0.9, 0.06, 0.04])
    formula = share * p.fund
    q = formula_problem(p, share)
    answer = solve(q)
    dummy = start_of(p)
    group = comparators(
        [
            Case("plan", [], [], answer, p, dummy),
            Case("lopsided", [], [], answer, q, dummy),
            Case("without_plan", [], [], None, None, dummy),
        ],
        p,
    )
    assert group is not None
    assert group["comparator"].values.tolist() == ["lopsided"]
    used = answer.solution.central.sum(axis=(0, 2))
    assert (used <= formula + 1e-6 * p.fund).all()
    unused = group["unused"].sel(comparator="lopsided").values
    assert unused == pytest.approx(np.maximum(0, formula - used), abs=1e-6)
    assert unused[0] > 0.1 * p.fund
    assert group["formula"].sum() == pytest.approx(p.fund)
    assert comparators([Case("without_plan", [], [], None, None, dummy)], p) is None


def test_of_equally_good_answers_the_one_nearest_to_the_formula_is_taken() -> None:
    p = made_up_problem(regions=3)
    share = np.array([0.5, 0.3, 0.2])
    # The last region has nothing to pay: its blocks share alike.
    p = replace(p, cost=p.cost * np.array([1.0, 1.0, 0.0])[:, None])
    q = formula_problem(p, share)
    aim = reference(q)
    assert aim.sum(axis=1) == pytest.approx(share * p.fund)
    assert aim[2] == pytest.approx(share[2] * p.fund / len(p.blocks))
    assert reference(p).sum() == pytest.approx(p.fund)
    near, any_other = solve(q), solve(q, break_ties=False)
    assert distance_to_need(q, near.solution) < distance_to_need(q, any_other.solution)
    assert near.solution.unfunded.sum() == pytest.approx(
        any_other.solution.unfunded.sum(), rel=1e-3
    )


def test_what_the_answer_must_meet_a_formula_need_not() -> None:
    limit = Limit(Term("unfunded_share", "worst"), 0.0)
    p = made_up_problem(regions=3, fund=1.0)
    modes = {**p.modes, "public_share": "hard", "rural_level": "law", "no_dilution": "off"}
    p = replace(p, modes=modes, aims=replace(p.aims, limits=(limit,)))
    with pytest.raises(InfeasibleError):
        solve(p, break_ties=False)
    q = formula_problem(p, np.full(3, 1 / 3))
    assert q.fund_by_region is not None
    assert q.fund_by_region == pytest.approx(np.full(3, 1 / 3))
    assert [q.modes[rule] for rule in ("public_share", "rural_level", "no_dilution")] == [
        "soft",
        "law",
        "off",
    ]
    assert q.aims.levels == p.aims.levels
    assert solve(q, break_ties=False).solution.unfunded.sum() > 0


def test_levels_by_region_are_what_their_names_say() -> None:
    p = replace(made_up_problem(regions=3, years=3), codes=base_year().codes)
    s = some_answer(p)
    levels = region_levels(p, s, start_of(p), FIRST)
    assert {each.measure for each in levels} == {each.name for each in SCORED}
    k = p.column(2026)
    children = (p.children_hukou + p.children_migrant + p.children_rural)[:, k]
    seats = s.capacity[0, 0, :, k] + s.capacity[1, 0, :, k] + s.temporary[:, k]
    one = found(levels, "seats_per_child", "2026")
    assert one.values == pytest.approx(seats / children)
    assert one.weights == pytest.approx(children)
    residents = p.population[0, :, k] + p.population[1, :, k]
    beds = s.capacity[0, 1, :, k] + s.capacity[1, 1, :, k]
    crude = found(levels, "beds_per_1000_crude", "2026")
    assert crude.values == pytest.approx(1000 * beds / residents)
    adjusted = found(levels, "beds_per_1000", "2026")
    need = p.need[0, 1, :, k] + p.need[1, 1, :, k]
    assert adjusted.values == pytest.approx(beds / need * 1000 * need.sum() / residents.sum())
    # Both ways of counting give the nation the same beds per 1,000.
    nation = 1000 * beds.sum() / residents.sum()
    for way in (crude, adjusted):
        assert np.average(way.values, weights=way.weights) == pytest.approx(nation)
    money = sum(part.sum() for part in (s.central, s.local, s.bonds, s.levy))
    spending = found(levels, "spending_per_head", "2024-2026")
    people = p.population.sum(axis=0).mean(axis=1)
    mean = np.average(spending.values, weights=spending.weights)
    # 100m yuan over 10k persons and three years.
    assert mean == pytest.approx(1e8 * money / (1e4 * people.sum()) / 3)
    unfunded = found(levels, "unfunded_share", "2024-2026")
    assert unfunded.values == pytest.approx(s.unfunded.sum(axis=(0, 2)) / p.cost.sum(axis=(0, 2)))


def test_the_start_is_the_model_s_and_noise_is_no_negative_rate() -> None:
    p = replace(made_up_problem(regions=3, years=3), codes=base_year().codes)
    run = start_of(p)
    levels = region_levels(p, some_answer(p), run, FIRST)
    year = str(FIRST)
    # The model's share is 1 and a rounding.
    assert found(levels, "unmet_hukou_children", year).values.tolist() == [0.0] * 3
    assert found(levels, "unmet_migrant_children", year).values == pytest.approx(0.1)
    adjusted = found(levels, "beds_per_1000", year)
    beds = p.existing[:, 1, :, 0].sum(axis=0)
    need = (p.existing[:, 1, :, 0] / p.start_coverage[:, 1]).sum(axis=0)
    people = p.population[..., 0].sum(axis=0)
    assert adjusted.values == pytest.approx(beds / need * 1000 * need.sum() / people.sum())
    seats = found(levels, "seats_per_child", year)
    children = sum(run.data[name].values[:, 0] for name in START_GROUPS)
    assert seats.values == pytest.approx(p.existing[:, 0, :, 0].sum(axis=0) / children)


def test_scores_are_the_indicators_of_the_stored_levels() -> None:
    base = base_year()
    p = replace(made_up_problem(regions=3, years=3), codes=base.codes)
    cases = [case("plan", p, some_answer(p)), case("other", p, some_answer(p, seed=5))]
    macro = ["Eastern", "Eastern", "Western"]
    made = scores(cases, base, macro)
    checked = 0
    rank = revenue_per_head(base)
    for cell in np.ndindex(made["value"].shape[:3]):
        people = made["people"].values[cell]
        stored = made["value"].values[cell]
        if people.sum() == 0:
            assert np.isnan(stored).all()
            continue
        measure = made["measure"].values[cell[1]]
        expected = indicator_values(
            made["level"].values[cell],
            people,
            groups=macro,
            rank=rank,
            high_is_bad=next(each.high_is_bad for each in SCORED if each.name == measure),
        )
        by_name = dict(zip(made["indicator"].values, stored, strict=True))
        assert {k: v for k, v in by_name.items() if not np.isnan(v)} == pytest.approx(
            {k: v for k, v in expected.items() if np.isfinite(v)}
        )
        checked += 1
    assert checked > 30
    assert not np.isinf(made["value"]).any()
    one = made["value"].sel(case="plan", measure="beds_per_1000_crude", period="2026")
    beds = found(cases[0].levels, "beds_per_1000_crude", "2026")
    assert float(one.sel(indicator="gini")) == pytest.approx(gini(beds.values, beds.weights))


def test_without_revenue_there_is_no_concentration_index() -> None:
    base = base_year()
    none = replace(base, data=base.data.assign(budget_revenue=np.nan * base.data["budget_revenue"]))
    assert revenue_per_head(none) is None
    p = replace(made_up_problem(regions=3, years=3), codes=base.codes)
    made = scores([case("plan", p, some_answer(p))], none, ["a", "b", "b"])
    assert np.isnan(made["value"].sel(indicator="concentration")).all()
    assert np.isfinite(made["value"].sel(indicator="gini", period="2026").values).sum() == 8


def levels_result(plan: float, other: float) -> Result:
    """Two groups of cases: all have `other`, the plan has `plan`, in both measures."""
    levels, people = levels_by_case(np.random.default_rng(1))
    levels[:] = other
    levels[CASES.index("plan")] = plan
    parts = groups()
    return Result.build(attrs(), {**parts, "indicators": indicators(levels, people)})


def test_the_best_case_is_marked_in_the_right_direction() -> None:
    table = comparators_table(levels_result(0.2, 0.1))
    text = table.text()
    rate = text.loc[("migrant children unmet", "2026", "mean")]
    assert rate["Plan"] == "20.00%"
    assert [rate[name] for name in ("Without the plan", "Equal per head")] == ["10.00%*"] * 2
    beds = text.loc[("beds & need", "2026", "mean")]
    assert beds["Plan"] == "0.200*"
    assert beds["By migrants"] == "0.100"
    # All regions have the same: no spread, and none is better.
    assert "*" not in "".join(text.loc[("beds & need", "2026", "mean absolute deviation")])
    lines = [line for line in table.notes if line.startswith("Equal per head")]
    # Rates: mean and worst fifth of 2026; beds: both, in two periods.
    assert lines == [
        "Equal per head is better than the plan on 2 of 9 figures and worse on 4: migrant children "
        "unmet 2026 (mean, mean of the worst-off fifth)."
    ]


def test_what_prints_alike_is_equal() -> None:
    table = comparators_table(levels_result(0.2, 0.2 + 2e-5))
    assert not table.marked
    assert any("better than the plan on 0 of 9 figures and worse on 0." in n for n in table.notes)
    assert comparators_table(levels_result(0.2, 0.2002)).marked


def test_relative_indices_of_unmet_need_are_shown_and_not_judged() -> None:
    table = indicators_table(result())
    tidy = table.tidy
    assert tidy is not None
    rates = tidy[(tidy["measure"] == RATE) & (tidy["indicator"] == "gini")]
    assert len(rates) == len(CASES)
    assert not rates["best"].any()
    assert (rates["against_plan"] == "").all()
    good = tidy[(tidy["measure"] == GOOD) & (tidy["indicator"] == "gini")]
    assert good["best"].sum() == 2


def test_tidy_best_is_the_extreme_of_each_row() -> None:
    for make in (comparators_table, indicators_table):
        table = make(result())
        tidy = table.tidy
        assert tidy is not None
        for _, row in tidy.groupby(["measure", "period", "indicator"]):
            how = row["better_if"].iloc[0]
            if how == "none":
                assert not row["best"].any()
                continue
            best = row["value"].max() if how == "large" else row["value"].min()
            assert (row["value"][row["best"] == 1] == best).all()
            assert row["best"].sum() == 1
            plan = row["value"][row["case"] == "plan"].item()
            gain = (row["value"] - plan) * (1 if how == "large" else -1)
            said = row["against_plan"].map({"better": 1, "equal": 0, "worse": -1})
            assert (np.sign(gain) == said).all()
        assert tidy["case"].nunique() == len(CASES)
        for language in ("measure_zh", "indicator_zh"):
            assert (tidy[language] != "").all()


def test_the_start_stands_beside_every_year_and_money_used_adds_up() -> None:
    made = result()
    table = comparators_table(made)
    group = made["indicators"]["value"].sel(case="plan", measure=GOOD, indicator="mean")
    rows = table.frame.loc["beds & need"].xs("mean", level="Indicator")
    assert rows["Base year"].tolist() == pytest.approx([float(group.sel(period=PERIODS[0]))] * 2)
    assert rows.index.tolist() == PERIODS[1:]
    used = table.frame.loc["central money used, 100m yuan"].iloc[0]
    unused = table.frame.loc["central money not used, 100m yuan"].iloc[0]
    assert np.isnan(used["Without the plan"])
    assert (used + unused).dropna().tolist() == pytest.approx([FUND] * 3)
    assert unused["Equal per head"] == pytest.approx(50.5)


def test_money_by_formula_adds_up_to_the_fund() -> None:
    frame = formula_table(result()).frame
    assert list(frame.columns) == ["Plan", "Equal per head", "By migrants"]
    regions = frame.iloc[:3]
    assert (regions.sum() == frame.loc["All regions"]).all()
    assert (frame.loc["All regions"] + frame.loc["Money not used"] == FUND).all()
    assert (frame == frame.round()).all(axis=None)
    tidy = formula_table(result()).tidy
    assert tidy is not None
    assert (tidy["formula"] - tidy["used"]).tolist() == pytest.approx(tidy["unused"].tolist())


def test_best_cases_by_name_in_a_notebook() -> None:
    made = result()
    table = comparators_table(made)
    frame = made.table.comparators()
    assert frame.equals(with_best(table))
    text = table.text()
    for row in range(len(frame)):
        marked = [name for name in text.columns if text[name].iloc[row].endswith("*")]
        assert frame["Best"].iloc[row] == ", ".join(marked)
    assert frame["Best"].iloc[0] == ""
    assert len(made.table.indicators()) > len(frame)
    assert isinstance(made.table.formula_money(), pd.DataFrame)


def test_the_workbook_prints_the_best_case_bold_and_as_a_number(tmp_path: Path) -> None:
    made = result()
    write_tables(made, tmp_path)
    table = comparators_table(made)
    sheet = openpyxl.load_workbook(tmp_path / "tables.xlsx")["comparators"]
    first, left = 4, table.frame.index.nlevels + 1
    for row in range(len(table.frame)):
        for column in range(table.frame.shape[1]):
            cell = sheet.cell(first + row, left + column)
            assert bool(cell.font.b) == ((row, column) in table.marked)
            assert isinstance(cell.value, float | int) or cell.value == "–"


def test_a_result_without_indicators_says_so() -> None:
    parts = groups()
    del parts["indicators"], parts["comparators"]
    old = Result.build(attrs(), parts)
    for make, words in (
        (comparators_table, "has no indicators"),
        (indicators_table, "has no indicators"),
        (formula_table, "has no comparators"),
    ):
        with pytest.raises(ResultError, match=words):
            make(old)
