"""Map of the errors of a back-test: one tile per province, population beside urban share.

Figures are made without pyplot, so that they leave no state behind and need no screen.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hukou_opt.report.figures import TILE, Picture

#: Blue for too low, red for too high; readable with the common forms of colour blindness.
COLOURS = "RdBu_r"
#: Distance from the middle of the colour scale from which on white letters read better.
DARK = 0.28
#: Smallest end of a colour scale: errors below it are none.
SMALLEST = 0.1
MARGIN = 0.15


@dataclass(frozen=True)
class Panel:
    """One panel of the map.

    Parameters
    ----------
    quantity : str
        Quantity of the errors.
    title, unit : str
        Title and unit in print.
    decimals : int
        Decimals of the printed errors.
    """

    quantity: str
    title: str
    unit: str
    decimals: int


PANELS = (
    Panel("population", "Population", "%", 1),
    Panel("urban_share", "Urban share", "percentage points", 1),
)


def errors_map(errors: pd.DataFrame, labels: pd.DataFrame, *, title: str, reference: str) -> Figure:
    """Draw the errors of one forecast by province, red where too high and blue where too low.

    Parameters
    ----------
    errors : DataFrame
        One line per region and quantity: ``code``, ``quantity``, ``error`` (forecast less
        outcome, in percent or percentage points).
    labels : DataFrame
        ``name_en``, ``tile_row``, ``tile_col`` by region code.
    title : str
        What was forecast from what.
    reference : str
        What the forecast is compared with.
    """
    figure = Picture(figsize=(14.0, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
        rows = errors[errors["quantity"] == panel.quantity]
        values = pd.Series(rows["error"].to_numpy(), index=rows["code"].astype(str))
        _draw(figure, axes, panel, values, labels)
    figure.suptitle(f"{title}\nForecast less {reference}", fontsize=12)
    return figure


def _draw(
    figure: Figure, axes: Axes, panel: Panel, values: pd.Series, labels: pd.DataFrame
) -> None:
    largest = max(float(values.abs().max()), SMALLEST)
    scale = Normalize(-largest, largest)
    colours = colormaps[COLOURS]
    here = labels.loc[list(values.index)]
    columns, rows = here["tile_col"].astype(float), here["tile_row"].astype(float)
    names = here["name_en"]
    for code, error in zip(values.index, values.to_numpy(dtype=float), strict=True):
        x, y = columns[code], -rows[code]
        axes.add_patch(
            Rectangle(
                (x, y), TILE, TILE, facecolor=colours(scale(error)), edgecolor="0.7", linewidth=0.5
            )
        )
        ink = "white" if abs(float(scale(error)) - 0.5) > DARK else "black"
        name = str(names[code]).replace(" ", "\n")
        axes.annotate(
            f"{name}\n{_signed(error, panel.decimals)}",
            (x + TILE / 2, y + TILE / 2),
            ha="center",
            va="center",
            fontsize=6.2,
            color=ink,
        )
    axes.set_xlim(columns.min() - MARGIN, columns.max() + TILE + MARGIN)
    axes.set_ylim(-rows.max() - MARGIN, -rows.min() + TILE + MARGIN)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(
        f"{panel.title}: mean absolute error {values.abs().mean():.2f} {panel.unit}", fontsize=10
    )
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, shrink=0.6, pad=0.02)
    bar.set_label(f"error, {panel.unit}")


def _signed(value: float, decimals: int) -> str:
    """An error with its sign; a rounded zero has none."""
    rounded = round(value, decimals) + 0.0
    return f"{rounded:+.{decimals}f}".replace("-", "\N{MINUS SIGN}") if rounded else "0"
