"""What each choice of objective changes in the allocation and in every indicator, in one run.

    python benchmarks/objectives.py             # six objectives on the shipped plan
    python benchmarks/objectives.py --guard     # services first or not, with and without bonds

Every run is the whole way: model, linear program, rounds, simulated path. Finished runs are kept in
`results/objectives` and not repeated; `--fresh` starts over. Tables are printed as Markdown;
`results/objectives/indicators.csv` has every indicator of every run.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hukou_opt as ho
from hukou_opt.experiment import Experiment

FOLDER = Path("results/objectives")
OBJECTIVES = (
    "plan_as_written",
    "efficiency_first",
    "leximin",
    "services_first",
    "equal_spending",
    "maximin",
)
BASE = "plan_as_written"
GUARDS = (0.0, 0.05, 1.0)
BONDS = (2000.0, 0.0)
HORIZON = "2024-2033"
#: Rows of the printed table of indicators: measure, period, indicators.
PRINTED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("unfunded_share", HORIZON, ("mean", "worst_fifth", "mean_deviation", "range")),
    ("spending_per_head", HORIZON, ("mean", "gini", "theil", "hoover")),
    ("unmet_migrant_children", "2026", ("mean", "worst_fifth")),
    ("unmet_urban_residents", "2026", ("mean", "worst_fifth", "mean_deviation")),
    ("unmet_urban_residents", "2033", ("mean", "worst_fifth", "mean_deviation")),
    ("beds_per_1000", "2033", ("mean", "gini", "theil", "atkinson_one")),
    ("seats_per_child", "2033", ("mean", "gini")),
)
#: Seats and beds are counted in 10k.
THOUSANDS = 10


def finished(name: str, parameters: dict[str, float] | None = None) -> ho.Result:
    """One run without comparators, from the folder if it is there."""
    path = FOLDER / f"{name}.nc"
    if path.is_file():
        return ho.open_result(path)
    shipped: Experiment = ho.load_experiment(name.partition("-")[0])
    allocation = shipped.allocation.model_copy(update={"comparators": ()})
    given = {**shipped.parameters, **(parameters or {})}
    result = ho.run(
        shipped.model_copy(update={"allocation": allocation, "parameters": given}), progress=True
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    result.save(path)
    return result


def gap(result: ho.Result, measure: str) -> float:
    """One published gap of the plan's simulated path."""
    return float(result["gaps"]["value"].sel(case="plan", measure=measure))


def fund(result: ho.Result) -> pd.Series:
    """Central transfers by region, 100m yuan."""
    series: pd.Series = (
        result["allocation"]["central_transfers"].sum(["sector", "year"]).to_series()
    )
    return series


def built(result: ho.Result, service: str) -> float:
    """Started seats or beds, partners included, thousands."""
    allocation = result["allocation"]
    return THOUSANDS * float(allocation["starts"].sel(service=service).sum())


def overview(results: dict[str, ho.Result]) -> pd.DataFrame:
    """Money and building of every run, and how much of the fund lies elsewhere."""
    first = fund(next(iter(results.values())))
    rows: dict[str, dict[str, Any]] = {}
    for name, result in results.items():
        money = fund(result)
        group = money.groupby(result["regions"]["macro_region"].to_series()).sum()
        rows[name] = {
            "rounds": f"{result.tree.attrs['rounds']}"
            + ("" if result.tree.attrs["converged"] else " (not at rest)"),
            "unfunded, 100m yuan": f"{gap(result, 'unfunded'):,.0f}",
            "of the cost": f"{gap(result, 'unfunded_share'):.2%}",
            "worst fifth": f"{gap(result, 'unfunded_worst'):.2%}",
            **{f"fund to {area}": f"{amount:,.0f}" for area, amount in group.items()},
            "regions without": f"{int((money < 1).sum())}",
            "largest": f"{money.idxmax()} {money.max():,.0f}",
            "fund moved": f"{np.abs(money - first).sum() / 2 / first.sum():.1%}",
            "seats started, thousand": f"{built(result, 'seats'):,.0f}",
            "beds started, thousand": f"{built(result, 'beds'):,.0f}",
        }
    return pd.DataFrame(rows)


def indicators(results: dict[str, ho.Result]) -> pd.DataFrame:
    """Every indicator of every run, one column a run."""
    columns = {
        name: result["indicators"]["value"].sel(case="plan").drop_vars("case").to_series().dropna()
        for name, result in results.items()
    }
    return pd.DataFrame(columns)


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `PRINTED`."""
    keys = [(m, period, each) for m, period, names in PRINTED for each in names]
    chosen = table.loc[keys].map(lambda value: f"{value:.4f}")
    chosen.index = [f"{measure} {period}: {each}" for measure, period, each in keys]
    return chosen


def markdown(table: pd.DataFrame) -> str:
    """The table in Markdown, figures to the right."""
    lines = [["", *table.columns], ["---", *("---:" for _ in table.columns)]]
    lines += [[str(name), *row] for name, row in zip(table.index, table.to_numpy(), strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guard", action="store_true", help="guard 0 to 1, with and without bonds")
    parser.add_argument("--fresh", action="store_true", help="repeat finished runs")
    given = parser.parse_args()
    if given.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    if given.guard:
        results = {}
        for bonds in BONDS:
            for guard in GUARDS:
                values = {"guard": guard, "bonds_per_year": bonds}
                name = f"{BASE}-guard{guard:g}-bonds{bonds:g}"
                results[f"guard {guard:g}, bonds {bonds:g}"] = finished(name, values)
    else:
        results = {name: finished(name) for name in OBJECTIVES}
    table = indicators(results)
    table.to_csv(FOLDER / ("guard.csv" if given.guard else "indicators.csv"))
    print(markdown(overview(results)), end="\n\n")
    print(markdown(printed(table)))


if __name__ == "__main__":
    main()
