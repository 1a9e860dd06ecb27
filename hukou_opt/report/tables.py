"""The allocation by region and block of years, the gaps, and the yearly path of the nation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.errors import Fault, ResultError
from hukou_opt.report.rounding import largest_remainder, round_half_up, round_table, snap
from hukou_opt.report.table import Kind, Table, notes, require_allocation, require_proof, title
from hukou_opt.result import Result
from hukou_opt.vocabulary import label, vocabulary

ALL_YEARS = "All years"
ALL_REGIONS = "All regions"
NOT_USED = "Money not used"
FUND = "Central fund"
#: Whole 100m yuan for money; tenths of 10k for seats and beds.
PLACES_DIGITS = 1
#: Money may miss the fund by a solver's noise, not by more.
FUND_TOLERANCE = 1e-6


def _by_block(values: xr.DataArray, block: xr.DataArray) -> xr.DataArray:
    """Sum years to the blocks in which shares are set anew, blocks in order of time."""
    names = list(dict.fromkeys(str(item) for item in block.values))
    parts = [values.isel(year=np.flatnonzero(block.values == name)).sum("year") for name in names]
    return xr.concat(parts, "block").assign_coords(block=np.array(names))


def rounded_money(result: Result) -> tuple[xr.DataArray, float, float]:
    """Round the central transfers so that cells, money not used and fund add up.

    Returns
    -------
    DataArray, dims (region, block, sector)
        Central transfers, whole 100m yuan.
    float
        Money not used.
    float
        The fund.

    Raises
    ------
    ResultError
        If transfers and money not used do not make up the fund.
    """
    require_allocation(result)
    allocation = result["allocation"]
    exact = _by_block(allocation["central_transfers"], allocation["block"])
    exact = exact.transpose("region", "block", "sector")
    fund, unused = float(result.attrs["central_fund"]), float(allocation["central_unused"])
    spent = float(exact.sum())
    if abs(spent + unused - fund) > FUND_TOLERANCE * max(fund, 1.0):
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                f"money given and money not used miss the fund ({spent:.6f} + {unused:.6f} "
                f"against {fund:.6f})",
                "run the experiment again",
            )
        )
    cells = snap(np.maximum(exact.values, 0.0))
    whole_fund = float(round_half_up(fund))
    used = min(float(round_half_up(float(cells.sum()))), whole_fund)
    regions = largest_remainder(cells.sum(axis=(1, 2)), used)
    blocks = largest_remainder(cells.sum(axis=(0, 2)), used)
    sectors = largest_remainder(cells.sum(axis=(0, 1)), used)
    region_block = round_table(cells.sum(axis=2), regions, blocks)
    flat = cells.reshape(-1, cells.shape[2])
    whole = round_table(flat, region_block.ravel(), sectors).reshape(cells.shape)
    return exact.copy(data=whole), whole_fund - used, whole_fund


def rounded_places(result: Result) -> xr.DataArray:
    """Seats and beds whose building starts, by region and block, in tenths of 10k that add up.

    Returns
    -------
    DataArray, dims (service, area, region, block)
        10k seats or beds.
    """
    require_allocation(result)
    allocation = result["allocation"]
    exact = _by_block(allocation["starts"], allocation["block"])
    exact = exact.transpose("service", "area", "region", "block")
    rounded = exact.copy()
    for service in range(exact.shape[0]):
        for area in range(exact.shape[1]):
            cells = np.maximum(exact.values[service, area], 0.0)
            scale = 10.0**PLACES_DIGITS
            cells = snap(cells * scale) / scale
            rounded.values[service, area] = round_table(cells, digits=PLACES_DIGITS)
    return rounded


def allocation_table(result: Result) -> Table:
    """Central money by sector, new seats and beds, by region and block of years.

    Raises
    ------
    ResultError
        If the result has no allocation, or one without certificate.
    """
    money, unused, fund = rounded_money(result)
    places = rounded_places(result)
    columns = _columns(money, places)
    blocks = [str(block) for block in money["block"].values]
    body: list[tuple[tuple[str, str], np.ndarray]] = []
    nation = np.zeros((len(blocks), len(columns)))
    totals: list[int] = []
    for at, name in enumerate(_names(result)):
        rows = np.stack([_row(money, places, at, block) for block in range(len(blocks))])
        nation += rows
        body += [((name, block), row) for block, row in zip(blocks, rows, strict=True)]
        totals.append(len(body))
        body.append(((name, ALL_YEARS), rows.sum(axis=0)))
    for block, row in zip([*blocks, ALL_YEARS], [*nation, nation.sum(axis=0)], strict=True):
        totals.append(len(body))
        body.append(((ALL_REGIONS, block), row))
    money_total = columns.get_loc((_money_head(), label("total")))
    for name, amount in ((NOT_USED, unused), (FUND, fund)):
        line = np.full(len(columns), np.nan)
        line[money_total] = amount
        totals.append(len(body))
        body.append(((name, ALL_YEARS), line))
    frame = pd.DataFrame(
        np.stack([row for _, row in body]),
        index=pd.MultiIndex.from_tuples([key for key, _ in body], names=["Region", "Years"]),
        columns=columns,
    )
    sectors = money.sizes["sector"] + 1
    kinds: list[Kind] = ["whole"] * sectors
    kinds += ["tenths"] * (len(columns) - sectors)
    return Table(
        "allocation",
        title(result, "allocation by region and block of years"),
        frame,
        tuple(kinds),
        (),
        _tidy_allocation(result, money, places, unused, fund),
        tuple(totals),
        True,
        notes(result),
    )


def summary_table(result: Result) -> Table:
    """The allocation on one page: money by block, seats and beds of all years."""
    whole = allocation_table(result)
    blocks = [str(item) for item in whole.frame.index.unique("Years") if item != ALL_YEARS]
    total = (_money_head(), label("total"))
    names = list(dict.fromkeys(str(name) for name in whole.frame.index.get_level_values(0)))
    heads = [(str(column[0]), str(column[1])) for column in whole.frame.columns]
    places = [head for head in heads if head[0] != _money_head()]
    rows = []
    for name in names:
        part = whole.frame.loc[name]
        by_block = [part[total].get(block, np.nan) for block in blocks]
        all_years = part.loc[ALL_YEARS]
        rows.append([*by_block, all_years[total], *(all_years[head] for head in places)])
    columns = [(_money_head(), block) for block in [*blocks, label("total")]] + places
    kinds: list[Kind] = ["whole"] * (len(blocks) + 1)
    kinds += ["tenths"] * len(places)
    frame = pd.DataFrame(
        np.array(rows, dtype=float),
        index=pd.Index(names, name="Region"),
        columns=pd.MultiIndex.from_tuples(columns),
    )
    return Table(
        "allocation_summary",
        title(result, "central money by block of years, building of all years"),
        frame,
        tuple(kinds),
        (),
        None,
        tuple(at for at, name in enumerate(names) if name in (ALL_REGIONS, NOT_USED, FUND)),
        False,
        whole.notes,
    )


def gaps_table(result: Result) -> Table:
    """Gaps before, without and after the plan, and under plain formulas for the money.

    Raises
    ------
    ResultError
        If the result has no gaps, or an allocation without certificate.
    """
    require_proof(result)
    if "gaps" not in result:
        raise ResultError(Fault(f"result {result.name!r}", "has no gaps", "use the path table"))
    gaps = result["gaps"]
    units = [str(unit) for unit in gaps["unit"].values]
    shares = [unit == "1" for unit in units]
    names = [
        text if share else f"{text}, {unit}"
        for text, unit, share in zip(gaps["label_en"].values, units, shares, strict=True)
    ]
    cases = [str(case) for case in gaps["case"].values]
    frame = pd.DataFrame(
        gaps["value"].transpose("measure", "case").values,
        index=pd.Index(names, name="Gap"),
        columns=pd.Index([label(case) for case in cases]),
    )
    tidy = gaps["value"].transpose("measure", "case").to_dataframe().reset_index()
    tidy = tidy[["measure", "label_en", "label_zh", "unit", "case", "value"]]
    return Table(
        "gaps",
        title(result, "gaps in services and funding"),
        frame,
        (),
        tuple("fine_percent" if share else "whole" for share in shares),
        tidy,
        (),
        False,
        notes(result),
    )


def path_table(result: Result) -> Table:
    """The nation year by year: urbanisation, settlers, money.

    Raises
    ------
    ResultError
        If the result has an allocation without certificate.
    """
    require_proof(result)
    path = result["trajectory"]
    people = (path["urban_population"] + path["rural_population"]).sum("region")
    series: dict[str, xr.DataArray] = {
        "urban_share": path["urban_population"].sum("region") / people,
        "hukou_rate": path["urban_hukou_residents"].sum("region") / people,
    }
    if "settlers" in path:
        series["settlers"] = path["settlers"].sum("region")
    if result.has_allocation:
        allocation = result["allocation"]
        for name in ("certified_cost", "building_cost", "central_transfers", "local_money"):
            series[name] = allocation[name].sum(["sector", "region"])
        for name in ("bonds", "east_levy", "unfunded"):
            series[name] = allocation[name].sum(["sector", "region"])
    years = pd.Index(path["year"].values, name="Year")
    words = vocabulary()
    kinds: list[Kind] = []
    columns: dict[str, pd.Series] = {}
    tidy: list[pd.DataFrame] = []
    for name, values in series.items():
        unit = words[name].unit
        kinds.append("percent" if unit == "1" else "whole")
        column = values.to_series().reindex(years)
        columns[label(name) if unit == "1" else f"{label(name)}, {unit}"] = column
        part = pd.DataFrame({"year": years, "quantity": name, "unit": unit, "value": column.values})
        tidy.append(part.dropna())
    return Table(
        "path",
        title(result, "the nation year by year"),
        pd.DataFrame(columns, index=years),
        tuple(kinds),
        (),
        pd.concat(tidy, ignore_index=True),
        (),
        False,
        notes(result),
    )


def _names(result: Result) -> list[str]:
    return [str(name) for name in result["regions"]["name_en"].values]


def _money_head() -> str:
    return f"{label('central_transfers')}, {vocabulary()['central_transfers'].unit}"


def _columns(money: xr.DataArray, places: xr.DataArray) -> pd.MultiIndex:
    heads = [(_money_head(), label(str(sector))) for sector in money["sector"].values]
    heads.append((_money_head(), label("total")))
    for service in places["service"].values:
        head = f"{label(f'{service}_started')}, {vocabulary()[f'{service}_started'].unit}"
        heads += [(head, label(str(area))) for area in places["area"].values]
    return pd.MultiIndex.from_tuples(heads)


def _row(money: xr.DataArray, places: xr.DataArray, region: int, block: int) -> np.ndarray:
    sectors = money.values[region, block]
    return np.concatenate([sectors, [sectors.sum()], places.values[:, :, region, block].ravel()])


def _tidy_allocation(
    result: Result, money: xr.DataArray, places: xr.DataArray, unused: float, fund: float
) -> pd.DataFrame:
    regions = result["regions"]
    name_en = regions["name_en"].to_series()
    name_zh = regions["name_zh"].to_series()
    parts = [_tidy_part(money, "central_transfers", "sector")]
    for service in places["service"].values:
        one = places.sel(service=service, drop=True).transpose("region", "block", "area")
        parts.append(_tidy_part(one, f"{service}_started", "area"))
    tidy = pd.concat(parts, ignore_index=True)
    tidy.insert(1, "name_en", tidy["region"].map(name_en))
    tidy.insert(2, "name_zh", tidy["region"].map(name_zh))
    nation = tidy.groupby(["block", "quantity", "part", "unit"], sort=False)["value"].sum()
    total = nation.reset_index().assign(region="all", name_en=ALL_REGIONS, name_zh="全国")
    unit = vocabulary()["central_transfers"].unit
    ends = pd.DataFrame(
        {
            "region": "all",
            "name_en": [NOT_USED, FUND],
            "name_zh": ["未使用资金", "中央资金"],
            "block": "all",
            "quantity": ["central_unused", "central_fund"],
            "part": "total",
            "value": [unused, fund],
            "unit": unit,
        }
    )
    whole = pd.concat([tidy, total[tidy.columns], ends[tidy.columns]], ignore_index=True)
    whole["value"] = whole["value"].round(PLACES_DIGITS)
    return whole


def _tidy_part(values: xr.DataArray, quantity: str, dim: str) -> pd.DataFrame:
    """One row per region, block and part, with the sums over parts and blocks as rows too."""
    cells = values.transpose("region", "block", dim).values
    cells = np.concatenate([cells, cells.sum(axis=2, keepdims=True)], axis=2)
    cells = np.concatenate([cells, cells.sum(axis=1, keepdims=True)], axis=1)
    levels = [
        [str(item) for item in values["region"].values],
        [*(str(item) for item in values["block"].values), "all"],
        [*(str(item) for item in values[dim].values), "total"],
    ]
    index = pd.MultiIndex.from_product(levels, names=["region", "block", "part"])
    frame = pd.DataFrame({"value": cells.ravel()}, index=index).reset_index()
    frame.insert(2, "quantity", quantity)
    frame["unit"] = vocabulary()[quantity].unit
    return frame
