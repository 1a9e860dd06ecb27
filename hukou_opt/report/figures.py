"""First figures: central money per head on a tile map, and the gaps year by year.

Figures are made without pyplot, so that they leave no state behind and need no screen.
"""

from __future__ import annotations

import io

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hukou_opt.report.table import require_allocation, title
from hukou_opt.result import Result
from hukou_opt.vocabulary import label, vocabulary

#: 100m yuan per 10k persons are 10,000 yuan per person.
YUAN_PER_PERSON = 10_000.0
COLOURS = "YlGnBu"
#: Share of the colour scale from which on white letters read better.
DARK = 0.55
TILE = 0.94
NOTEBOOK_DPI = 110


class Picture(Figure):
    """A matplotlib figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png", dpi=NOTEBOOK_DPI)
        return image.getvalue()


def transfers_per_head(result: Result) -> xr.DataArray:
    """Central money of all years per resident at the start.

    Returns
    -------
    DataArray, dims (region)
        Yuan per person.

    Raises
    ------
    ResultError
        If the result has no allocation, or one without certificate.
    """
    require_allocation(result)
    path = result["trajectory"]
    people = (path["urban_population"] + path["rural_population"]).isel(year=0, drop=True)
    money = result["allocation"]["central_transfers"].sum(["sector", "year"])
    return (money / people * YUAN_PER_PERSON).rename("transfers_per_head")


def tile_map(result: Result) -> Figure:
    """Draw the central money per resident, one tile per region.

    Raises
    ------
    ResultError
        If the result has no allocation, or one without certificate.
    """
    value = transfers_per_head(result)
    regions = result["regions"]
    rows, columns = regions["tile_row"].values, regions["tile_col"].values
    scale = Normalize(0.0, max(float(value.max()), 1.0))
    colours = colormaps[COLOURS]
    figure = Picture(figsize=(8.0, 7.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for at, code in enumerate(regions["region"].values):
        amount = float(value.sel(region=code))
        x, y = float(columns[at]), -float(rows[at])
        axes.add_patch(Rectangle((x, y), TILE, TILE, color=colours(scale(amount))))
        ink = "white" if float(scale(amount)) > DARK else "black"
        centre = (x + TILE / 2, y + TILE / 2)
        name = str(regions["name_en"].values[at])
        axes.annotate(
            f"{_wrapped(name)}\n{amount:,.0f}",
            centre,
            ha="center",
            va="center",
            fontsize=7,
            color=ink,
        )
    axes.set_xlim(columns.min() - 0.2, columns.max() + TILE + 0.2)
    axes.set_ylim(-rows.max() - 0.2, -rows.min() + TILE + 0.2)
    axes.set_aspect("equal")
    axes.axis("off")
    word = vocabulary()["transfers_per_head"]
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, shrink=0.6)
    years = result["allocation"]["year"].values
    bar.set_label(f"{word.label_en}, {word.unit}, {int(years[0])}–{int(years[-1])}")
    axes.set_title(title(result, "central money per resident"), fontsize=10)
    return figure


def gaps_over_time(result: Result) -> Figure:
    """Draw shortages of seats and beds and the unfunded share of certified cost, year by year.

    Raises
    ------
    ResultError
        If the result has no allocation, or one without certificate.
    """
    require_allocation(result)
    allocation = result["allocation"]
    need = result["needs"]["need"].sum("region")
    short = allocation["shortage"].sum("region").rename(need_year="year")
    share = short / need.where(need > 0)
    years = allocation["year"]
    figure = Picture(figsize=(9.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for service in share["service"].values:
        for area in share["area"].values:
            line = share.sel(service=service, area=area, year=years)
            left.plot(
                years.values,
                line.values * 100,
                label=f"{label(str(area))} {label(str(service)).lower()}",
                linestyle="-" if area == "urban" else "--",
            )
    left.set_title("Need without capacity, % of need", fontsize=10)
    left.legend(fontsize=8, frameon=False)
    cost = allocation["certified_cost"].sum(["sector", "region"])
    unfunded = allocation["unfunded"].sum(["sector", "region"])
    # Block means: the split of a block's gap over its years is not unique, the block's gap is.
    blocks = allocation["block"].values
    missing = np.zeros(len(blocks))
    for name in dict.fromkeys(blocks.tolist()):
        inside = blocks == name
        due = float(cost.values[inside].sum())
        missing[inside] = 100 * float(unfunded.values[inside].sum()) / due if due > 0 else 0.0
    right.bar(years.values, missing, color="#4c78a8", width=1.0)
    right.set_title("Certified cost without money, % (mean of the block)", fontsize=10)
    for axes in (left, right):
        axes.set_xticks(np.asarray(years.values)[::2])
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title(result, "gaps year by year"), fontsize=11)
    return figure


def _wrapped(name: str) -> str:
    return name.replace(" ", "\n")
