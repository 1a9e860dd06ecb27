"""The whole way on the 31 provinces: what a finished run proves, adds up to, and says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from processes import process

import hukou_opt as ho
from hukou_opt import bundled

pytestmark = pytest.mark.slow

#: Largest figure of a certificate, and part of the fund that rounding of a solve may move.
PROOF = 1e-6
BALANCE = 1e-9
MONEY = ["central_transfers", "local_money", "bonds", "east_levy", "unfunded"]
COMPARATORS = ("equal_per_head", "by_migrants", "by_need", "by_transfers")


@pytest.fixture(scope="module")
def money(spine: ho.Result) -> xr.Dataset:
    return spine["allocation"]


@pytest.fixture(scope="module")
def values(spine: ho.Result) -> pd.Series:
    """Parameters of the run by name."""
    return spine["parameters"]["value"].to_series()


# Proof


def test_the_run_is_proved_and_at_rest(spine: ho.Result) -> None:
    assert spine.certified
    assert spine.converged
    proof = spine["certificate"]
    names = ("primal_residual", "dual_residual", "complementarity", "relative_gap")
    assert set(proof.data_vars) >= {*names, "safe_gap", "exact_gap", "program_sha256"}
    for name in names:
        assert float(proof[name].max()) <= PROOF, name
        assert float(proof[name].min()) >= 0, name
    solves = pd.Series(proof["solve"].values).str.split(":")
    for case in ("plan", "equal_per_head", "by_migrants"):
        assert {"guard", "unmet", "unfunded", "cost"} & set(solves[solves.str[0] == case].str[2])
    last = spine["rounds"].isel(round=-1)
    assert float(last["moved_fund_share"]) < 0.005
    assert float(last["moved_need_share"]) < 0.005


def test_every_level_is_held_and_recomputed(spine: ho.Result) -> None:
    levels = spine["levels"]
    close = PROOF * (1 + abs(levels["held_at"]))
    assert bool((levels["final"] <= levels["held_at"] + close).all())
    assert bool((levels["recomputed"] <= levels["final"] + 2 * close).all())
    assert bool((levels["recomputed"] >= levels["value"] - 2 * close).all())
    # A level that is 0 everywhere shows nothing.
    assert bool((levels["value"] > 0).all())


def test_every_invariant_of_the_published_path_holds(spine: ho.Result) -> None:
    checks = spine["checks"]
    assert checks.sizes["check"] > 50
    assert bool((checks["worst"] <= checks["allowed"]).all())
    balances = [name for name in checks["check"].values if re.match(r"\w+: .*(change|leave)", name)]
    assert len(balances) >= 4
    assert float(checks["worst"].sel(check=balances).max()) <= BALANCE
    hukou = [name for name in balances if name.startswith(("people", "hukou"))]
    assert len(hukou) == 2


def test_farmland_and_stocks_of_the_saved_path(spine: ho.Result) -> None:
    path = spine["trajectory"]
    for name in path.data_vars:
        assert bool(np.isfinite(path[name]).all()), name
        assert float(path[name].min()) >= 0, name
    for name in ("urban_share", "hukou_rate", "admission_hukou", "admission_migrant", "tension"):
        assert float(path[name].max()) <= 1 + BALANCE, name
    land = path["land_farmed"] + path["land_transferred"] + path["land_abandoned"]
    # Land is built over, never made.
    assert bool((land.diff("year") <= BALANCE * land.isel(year=0)).all())
    assert path["year"].values.tolist() == list(range(2023, 2039))


def test_national_sums_of_the_start(spine: ho.Result) -> None:
    """Official totals of end-2023, each within the accuracy that it is published with."""
    start = spine["trajectory"].sel(year=2023).sum("region")
    people = float(start["urban_population"] + start["rural_population"])
    assert people == pytest.approx(140_800, rel=0.001)
    assert float(start["urban_population"]) / people == pytest.approx(0.661, abs=0.001)
    assert float(start["urban_beds"] + start["rural_beds"]) == pytest.approx(1017, abs=1)
    children = start["children_hukou"] + start["children_migrant"] + start["children_rural"]
    assert float(children) == pytest.approx(16_060, rel=0.002)
    assert spine["regions"].sizes["region"] == 31


# Money


def test_transfers_and_money_not_used_are_the_fund(spine: ho.Result, money: xr.Dataset) -> None:
    fund = spine.attrs["central_fund"]
    assert fund == 50_000
    given = money["central_transfers"]
    assert float(given.min()) >= 0
    unused = float(money["central_unused"])
    assert unused >= -PROOF * fund
    assert float(given.sum()) + unused == pytest.approx(fund, rel=BALANCE)


def test_sectors_get_their_shares_of_what_is_used(money: xr.Dataset, values: pd.Series) -> None:
    by_sector = money["central_transfers"].sum(["region", "year"])
    share = (by_sector / by_sector.sum()).to_series()
    assert share.sum() == pytest.approx(1)
    for sector, planned in zip(share.index, (0.35, 0.25, 0.30, 0.10), strict=True):
        assert values[f"sector_share_{sector}"] == planned
        assert share[sector] == pytest.approx(planned, abs=PROOF), sector


def test_no_year_spends_money_that_has_not_come_in(spine: ho.Result, money: xr.Dataset) -> None:
    fund = spine.attrs["central_fund"]
    spent = money["central_transfers"].sum(["sector", "region"]).cumsum("year").values
    come_in = fund * np.arange(1, len(spent) + 1) / len(spent)
    assert len(spent) == 10
    assert np.all(spent <= come_in + PROOF * fund)


def test_money_balances_in_every_sector_region_and_year(
    money: xr.Dataset, values: pd.Series
) -> None:
    """Recomputed from the saved tables alone: money and gap make up running cost and building."""
    paid = sum((money[name] for name in MONEY), xr.zeros_like(money["bonds"]))
    urban_cost = xr.DataArray(
        [values["unit_cost_urban_seat"], values["unit_cost_urban_bed"]],
        {"service": ["seats", "beds"]},
        ("service",),
    )
    private = values["partner_capital_share"] * urban_cost * money["partner_starts"]
    paid_back = values["partner_yearly_payment"] * (private.cumsum("year") - private)
    building = (
        money["starts"]
        * xr.DataArray(
            [
                [values["unit_cost_urban_seat"], values["unit_cost_urban_bed"]],
                [values["unit_cost_rural_seat"], values["unit_cost_rural_bed"]],
            ],
            {"area": ["urban", "rural"], "service": ["seats", "beds"]},
            ("area", "service"),
        )
    ).sum("area") - private
    due = money["certified_cost"].copy()
    places = values["temporary_place_cost"] * money["temporary_places"]
    outlay = building + paid_back
    due.loc[{"sector": "education"}] += outlay.sel(service="seats", drop=True) + places
    due.loc[{"sector": "health"}] += outlay.sel(service="beds", drop=True)
    assert float(abs(paid - due).max()) <= PROOF * float(due.max())
    assert float((abs(paid - due) / (1 + due)).max()) <= PROOF
    built = building.sum("service") - money["building_cost"].sum("sector")
    assert float(abs(built).max()) <= PROOF
    assert bool((money["unfunded"] <= money["certified_cost"] + PROOF).all())
    assert all(float(money[name].min()) >= 0 for name in MONEY)


def test_capacity_shortage_and_places_are_those_of_the_simulated_path(
    spine: ho.Result, money: xr.Dataset
) -> None:
    path, need = spine["trajectory"], spine["needs"]["need"].rename(year="need_year")
    years = money["year"].values
    for area in ("urban", "rural"):
        for service in ("seats", "beds"):
            stock = path[f"{area}_{service}"].rename(year="need_year")
            published = money["capacity"].sel(area=area, service=service, drop=True)
            apart = abs(published / stock.sel(need_year=published["need_year"]) - 1)
            assert float(apart.max()) <= BALANCE
    served = money["capacity"].copy()
    at = {"area": "urban", "service": "seats", "need_year": years}
    served.loc[at] += money["temporary_places"].rename(year="need_year")
    short = (need - served).clip(min=0.0)
    assert float(abs(short - money["shortage"]).max()) <= PROOF
    for group in ("hukou", "migrant"):
        share, children = path[f"admission_{group}"], path[f"children_{group}"]
        placed = (share * children).sel(year=years)
        assert float(abs(placed - money[f"places_{group}"]).max()) <= PROOF


# What it says


def test_the_plan_leaves_the_worst_off_less_unfunded_than_any_formula(spine: ho.Result) -> None:
    gaps = spine["gaps"]["value"].sel(measure="unfunded_worst").to_series()
    plan = gaps.pop("plan")
    assert set(gaps.index) == {"without_plan", *COMPARATORS}
    assert 0 < plan < gaps.min()


def test_one_more_yuan_of_the_fund_would_help(spine: ho.Result) -> None:
    prices = spine["prices"]["value"].to_series()
    assert prices["central_fund:unfunded_worst"] > 0
    assert np.isfinite(prices).all()


def test_comparators_keep_to_their_formula(spine: ho.Result) -> None:
    path = spine["trajectory"].sel(year=2023)
    basis = {
        "equal_per_head": path["urban_population"] + path["rural_population"],
        "by_migrants": path["migrants_total"],
    }
    assert spine["comparators"]["comparator"].values.tolist() == list(COMPARATORS)
    fund = spine.attrs["central_fund"]
    given = spine["comparators"]["central_transfers"].sum("block")
    for name, people in basis.items():
        most = fund * people / people.sum()
        over = given.sel(comparator=name) - most
        assert float(over.max()) <= PROOF * fund, name
        # In some region the formula is what binds, else it would be no comparison.
        assert float(abs(over).min()) <= PROOF * fund, name
    formula, unused = spine["comparators"]["formula"], spine["comparators"]["unused"]
    assert np.allclose(formula.sum("region"), fund)
    assert np.allclose(given + unused, formula, atol=PROOF * fund)


def test_card_tables_and_figures_in_a_notebook(spine: ho.Result) -> None:
    card = spine._repr_html_()
    for words in (spine.attrs["title_en"], spine.attrs["title_zh"], "<b>certificate</b>: every"):
        assert words in card
    assert "✗" not in card
    table = spine.table.summary()
    assert len(table) == 31 + 3
    assert spine.table.gaps().shape == (spine["gaps"].sizes["measure"], 2 + len(COMPARATORS))
    assert set(spine.table.comparators()["Best"]) - {""}
    assert list(spine.table.path().index) == list(range(2023, 2039))


@pytest.mark.plots
def test_figures_show_all_regions(spine: ho.Result) -> None:
    import matplotlib.pyplot as plt

    drawn = spine.plot.tile_map()
    texts = "\n".join(text.get_text() for axes in drawn.axes for text in axes.texts)
    assert len([text for axes in drawn.axes for text in axes.texts]) >= 31, texts
    lines = spine.plot.gaps_over_time()
    assert sum(len(axes.lines) for axes in lines.axes) > 0
    for figure in (drawn, lines):
        figure.canvas.draw()
        plt.close(figure)


# Once more


def test_the_same_problem_has_the_same_answer_in_every_process() -> None:
    code = (
        "import hashlib, dataclasses, numpy as np\n"
        "from problems import made_up_problem\n"
        "from hukou_opt.allocation.solve import solve\n"
        "answer = solve(made_up_problem(seed=3))\n"
        "digest = hashlib.sha256()\n"
        "for field in dataclasses.fields(answer.solution):\n"
        "    digest.update(np.ascontiguousarray(getattr(answer.solution, field.name)).tobytes())\n"
        "digest.update(repr([answer.levels, answer.prices]).encode())\n"
        "print(digest.hexdigest(), float(answer.solution.starts.sum()))\n"
    )
    first, second = (process(code, seed=seed) for seed in (1, 2))
    assert first == second
    assert float(first.split()[1]) > 0


@pytest.fixture(scope="module")
def two_folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The command line's files of the same experiment from two processes."""
    tmp_path = tmp_path_factory.mktemp("no_reform")
    code = "from hukou_opt.cli import main; main()"
    for seed in (1, 2):
        said = process(
            code,
            "run",
            "no_reform",
            "--no-progress",
            "--out",
            str(seed),
            seed=seed,
            folder=tmp_path,
        )
        for path in (tmp_path / str(seed)).iterdir():
            assert f"{seed}/{path.name}" in said
    return tmp_path / "1", tmp_path / "2"


@pytest.fixture(scope="module")
def unreformed(two_folders: tuple[Path, Path]) -> ho.Result:
    return ho.open_result(two_folders[0] / "result.nc")


def test_a_run_without_allocation_is_the_same_bytes_in_every_process(
    two_folders: tuple[Path, Path], unreformed: ho.Result
) -> None:
    one, two = two_folders
    names = sorted(path.name for path in one.iterdir())
    assert {"result.nc", "path.csv", "tables.xlsx", "experiment.yaml"} <= set(names)
    assert names == sorted(path.name for path in two.iterdir())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert not unreformed.has_allocation
    assert unreformed.attrs["reform"] == 0
    checks = unreformed["checks"]
    assert bool((checks["worst"] <= checks["allowed"]).all())


def test_a_table_of_ones_own_runs_as_well(tmp_path: Path) -> None:
    """Two regions of other names, without a place on the map of provinces."""
    shipped = bundled.data_folder("china_provinces") / "2023.csv"
    table = pd.read_csv(shipped, dtype=str).iloc[[1, 4]].assign(code=["north", "south"])
    table.to_csv(tmp_path / "own.csv", index=False)
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: no_reform\nregions: own.csv\ntime_step: 0.5\n", encoding="utf-8")
    own = ho.run(mine, progress=False)
    assert own["regions"]["region"].values.tolist() == ["north", "south"]
    people = own["trajectory"]["urban_population"] + own["trajectory"]["rural_population"]
    start = people.sel(year=2023).values
    assert start == pytest.approx(table["resident_pop"].astype(float).to_numpy())
    assert list(own.table.path().index) == list(range(2023, 2039))


def test_reform_moves_people_and_hukou(spine: ho.Result, unreformed: ho.Result) -> None:
    """The levers matter: against the path without reform more people settle."""
    base = unreformed["trajectory"].sum("region")
    plan = spine["trajectory"].sum("region")
    assert float(plan["urban_population"].sel(year=2023)) == pytest.approx(
        float(base["urban_population"].sel(year=2023)), rel=BALANCE
    )
    later = {"year": 2033}
    settled = plan["urban_hukou_residents"].sel(later) / base["urban_hukou_residents"].sel(later)
    assert float(settled) > 1.05
