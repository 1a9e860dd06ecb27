"""Runs over time: small multiples of the leading outcomes, one line for each run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FuncFormatter, MaxNLocator

from hukou_opt.outcomes import last_year, registry
from hukou_opt.report.compare_names import word
from hukou_opt.report.figures import Picture
from hukou_opt.result import Result

if TYPE_CHECKING:
    from hukou_opt.report.compare_tables import Comparison

#: Panels in order; a sum of outcomes has a name of its own.
PANELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("hukou_rate",)),
    ("", ("settlers",)),
    ("", ("migrant_public_share",)),
    ("", ("abandoned_share",)),
    ("", ("urban_seats_short",)),
    ("", ("urban_seats_stranded",)),
    ("beds_short", ("urban_beds_short", "rural_beds_short")),
    ("", ("central_money",)),
)
COLUMNS = 4
#: Okabe and Ito's colours, told apart with the common forms of colour blindness.
COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", ":", "-.")
#: Fonts with Chinese letters, one of which most systems have.
CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "WenQuanYi Zen Hei",
)
#: Letters of a panel's title that fit on a line.
LINE = 34


def has_chinese_font() -> bool:
    """Whether a font with Chinese letters is at hand to draw pixels with."""
    return any(font.name in CHINESE for font in fontManager.ttflist)


@contextmanager
def fonts(lang: str) -> Iterator[None]:
    """Draw with Chinese fonts where the words are Chinese; text stays text in SVG files."""
    known = {font.name for font in fontManager.ttflist}
    family = ["DejaVu Sans"]
    if lang == "zh":
        family = [*(name for name in CHINESE if name in known), *family]
    with (
        rc_context({"svg.fonttype": "none", "svg.hashsalt": "hukou-opt", "font.family": family}),
        warnings.catch_warnings(),
    ):
        if lang == "zh":
            # The reader of an SVG file has the letters; only their widths are guessed here.
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def over_time(comparison: Comparison, lang: str = "en") -> Figure:
    """Draw the leading outcomes of all runs over time.

    Parameters
    ----------
    comparison : Comparison
        From `hukou_opt.report.compare_runs.compare`.
    lang : {"en", "zh"}, optional
        Language.
    """
    rows = -(-len(PANELS) // COLUMNS)
    names = comparison.columns(lang)
    with fonts(lang):
        figure = Picture(figsize=(3.1 * COLUMNS, 2.6 * rows + 0.9), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, COLUMNS)
        for axes, (title, outcomes) in zip(grid.ravel(), PANELS, strict=True):
            _panel(axes, comparison, title, outcomes, lang)
        handles, _ = grid.ravel()[0].get_legend_handles_labels()
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=min(len(names), COLUMNS),
            frameon=False,
            fontsize=9,
        )
        heading = comparison.caption(lang) if len(names) <= COLUMNS else word("caption", lang)
        figure.suptitle(heading.replace(": {}", "").replace("：{}", ""), fontsize=11)
    return figure


def path_of(result: Result, outcomes: tuple[str, ...]) -> pd.Series | None:
    """Sum of outcomes by year up to the last decision; None where the run lacks one of them."""
    from hukou_opt.report.compare_runs import held

    parts = [held(result, name) for name in outcomes]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    total = sum(found[1:], found[0]).dropna()
    return total[total.index <= last_year(result)]


def _panel(
    axes: Axes, comparison: Comparison, title: str, outcomes: tuple[str, ...], lang: str
) -> None:
    first = registry()[outcomes[0]]
    share = first.unit == "1"
    drawn = False
    for at, each in enumerate(comparison.results):
        path = path_of(each, outcomes)
        values = pd.Series(dtype=float) if path is None else path * (100.0 if share else 1.0)
        drawn = drawn or not values.empty
        axes.plot(
            values.index.to_numpy(),
            values.to_numpy(),
            color=COLOURS[at % len(COLOURS)],
            linestyle=DASHES[(at // len(COLOURS) + at) % len(DASHES)],
            linewidth=1.5,
            label=comparison.names[at],
        )
    label = word(title, lang) if title else first.label(lang)
    unit = "%" if share else word(first.unit, lang)
    text = f"{label}, {unit}" if lang == "en" else f"{label}（{unit}）"
    axes.set_title(_broken(text), fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    if not drawn:
        axes.text(0.5, 0.5, word("no_data", lang), transform=axes.transAxes, ha="center")
        axes.set_xticks([])
        axes.set_yticks([])
        return
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.set_xlim(*_span(comparison))
    if not share:
        axes.set_ylim(bottom=0.0)


def _span(comparison: Comparison) -> tuple[int, int]:
    """From the base year to the last decision of the longest run, the same in all panels."""
    starts = [int(each["trajectory"]["year"].values[0]) for each in comparison.results]
    return min(starts), max(last_year(each) for each in comparison.results)


def _broken(text: str) -> str:
    """A title on two lines where one is too short for it."""
    if len(text) <= LINE or " " not in text:
        return text
    # The unit stands together on the second line where the words before it fit on the first.
    at = text.rfind(", ") + 1
    if not 0 < at <= LINE:
        at = text.rfind(" ", 0, LINE)
    return text[:at] + "\n" + text[at + 1 :]
