"""Stock-flow diagrams of the model: an overview, and one figure for each sector.

Drawn by matplotlib alone from the structure that ``dynamics`` reads; the same model gives the same
bytes. Figures are as large as their content; letters have at least seven points as printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hukou_opt.report.diagram_drivers import acting, draw_group, groups_of
from hukou_opt.report.diagram_flows import Pipe, Row, pipes_of, rows_of
from hukou_opt.report.diagram_ink import (
    CLOUD,
    FONT,
    GREY,
    HEAD,
    LINE,
    SMALL,
    TITLE,
    Ink,
    text_width,
    wrapped,
)
from hukou_opt.report.diagram_layout import Point, shelves
from hukou_opt.report.diagram_legend import LEGEND_HEIGHT, draw_legend
from hukou_opt.report.diagram_links import Ring, draw_ring, links_between, ring
from hukou_opt.report.figures import Picture
from hukou_opt.report.publish import FIGURE_DPI, staged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hukou_opt.dynamics.structure import Structure

FORMATS = ("svg", "png")
#: Dark colours that eyes of all kinds tell apart (Paul Tol, "muted" and "dark"); names always
#: stand beside them, so that nothing rests on colour alone.
COLOURS = (
    "#332288", "#117733", "#AA4499", "#0077BB", "#882255", "#997700",
    "#CC3311", "#22887A", "#222255", "#77771A", "#B8405A", "#225555",
)  # fmt: skip
#: Widths of the page's content, inches: a landscape A4 page, and a landscape A2 page.
SECTOR_WIDTH, OVERVIEW_WIDTH = 11.0, 22.6
EDGE = 0.35
GAP = 0.4
BOX_LETTERS = 20


def overview(structure: Structure) -> Figure:
    """Draw the stocks and flows of all sectors, and how many links join the sectors.

    Parameters
    ----------
    structure : Structure
        What ``read_structure`` of the stock-flow side returns.
    """
    pipes = pipes_of(structure)
    colours = _colours(structure)
    panels: list[_Panel] = []
    for sector in structure.sectors:
        stocks = {element.name for element in sector.elements if element.kind == "stock"}
        shown = [pipe for pipe in pipes if pipe.source in stocks or pipe.target in stocks]
        if shown:
            panels.append(_flow_panel(structure, sector.name, shown, colours, titled=True))
    links = links_between(structure, acting(structure, pipes))
    panels.append(_ring_panel(ring(links), colours))
    title = "Stocks and flows by sector, and the links between sectors"
    return _page(title, panels, OVERVIEW_WIDTH)


def sector_figure(structure: Structure, sector: str, *, constants: bool = False) -> Figure:
    """Draw one sector: its stocks and flows, and below them what drives the flows.

    Parameters
    ----------
    structure : Structure
        What ``read_structure`` of the stock-flow side returns.
    sector : str
        Name of a sector.
    constants : bool, optional
        Show numbers that do not change in time too.

    Raises
    ------
    ModelError
        If the model has no such sector.
    """
    found = structure.sector(sector)
    pipes = pipes_of(structure)
    colours = _colours(structure)
    stocks = {element.name for element in found.elements if element.kind == "stock"}
    shown = [
        pipe
        for pipe in pipes
        if pipe.source in stocks
        or pipe.target in stocks
        or (pipe.sector == found.name and pipe.source and pipe.target)
    ]
    panels = [_flow_panel(structure, found.name, shown, colours)] if shown else []
    groups = groups_of(structure, found.name, pipes, constants=constants)
    if groups:
        places, extent = shelves(
            [(group.layout.width, group.layout.height) for group in groups], SECTOR_WIDTH, GAP
        )

        def draw(ink: Ink, corner: Point) -> None:
            for group, (x, y) in zip(groups, places, strict=True):
                draw_group(ink, group, (corner[0] + x, corner[1] + y), colours, found.name)

        panels.append(_Panel(extent, draw))
    title = f"Sector {found.name}: {found.title}" if found.title else f"Sector {found.name}"
    return _page(title, panels, 0.0, constants=constants)


def drawn_sectors(structure: Structure) -> list[str]:
    """Sectors with something that changes in time and acts on a stock."""
    live = acting(structure, pipes_of(structure))
    return [
        sector.name
        for sector in structure.sectors
        if any(e.kind == "stock" or e.name in live for e in sector.elements)
    ]


def write_diagrams(
    structure: Structure,
    folder: str | Path,
    *,
    sectors: Sequence[str] | None = None,
    formats: Sequence[str] = FORMATS,
    constants: bool = False,
) -> list[Path]:
    """Write the overview and one file for each sector, all of them or none.

    Parameters
    ----------
    structure : Structure
        What ``read_structure`` of the stock-flow side returns.
    folder : str or Path
        Folder to write to; it is made where missing.
    sectors : sequence of str, optional
        Draw these sectors only, without the overview.
    formats : sequence of {"svg", "png"}, optional
        Kinds of files.
    constants : bool, optional
        Show numbers that do not change in time too.

    Returns
    -------
    list of Path
        Files written, in order of their names.

    Raises
    ------
    ModelError
        If the model has no such sector.
    OutputError
        If the folder cannot be written; nothing is left behind.
    """
    figures: dict[str, Figure] = {}
    if sectors is None:
        figures["overview"] = overview(structure)
    for name in drawn_sectors(structure) if sectors is None else sectors:
        figure = sector_figure(structure, name, constants=constants)
        figures[f"sector_{structure.sector(name).name.replace(' ', '_')}"] = figure
    nothing: dict[str, dict[str, str | None]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    # Text stays text, and identifiers are the same each time.
    with (
        staged(folder) as written,
        rc_context({"svg.fonttype": "none", "svg.hashsalt": "hukou-opt"}),
    ):
        for name, figure in figures.items():
            for kind in formats:
                figure.savefig(
                    written.folder / f"{name}.{kind}", dpi=FIGURE_DPI, metadata=nothing[kind]
                )
    return written.paths


@dataclass(frozen=True)
class _Panel:
    """A part of the page: its extent, and how it is drawn at a lower left corner."""

    size: Point
    draw: Callable[[Ink, Point], None]


def _colours(structure: Structure) -> dict[str, str]:
    names = drawn_sectors(structure)
    return {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}


def _page(title: str, panels: Sequence[_Panel], width: float, *, constants: bool = False) -> Figure:
    """Place panels on shelves under a title, or in their order below each other; then the legend.

    Without width for shelves, the panels stand below each other.
    """
    sizes = [panel.size for panel in panels]
    if width:
        places, (wide, tall) = shelves(sizes, width, GAP)
    else:
        wide = max(size[0] for size in sizes)
        tall = sum(size[1] for size in sizes) + GAP * (len(sizes) - 1)
        places = []
        level = tall
        for size in sizes:
            places.append((0.0, level - size[1]))
            level -= size[1] + GAP
    wide = max(wide, SECTOR_WIDTH)
    full = (wide + 2 * EDGE, tall + 2 * EDGE + LEGEND_HEIGHT + 0.35)
    figure = Picture(figsize=full)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0.0, full[0])
    axes.set_ylim(0.0, full[1])
    axes.axis("off")
    ink = Ink(axes)
    ink.text((EDGE, full[1] - EDGE), title, size=TITLE, bold=True)
    for panel, (x, y) in zip(panels, places, strict=True):
        panel.draw(ink, (EDGE + x, EDGE + LEGEND_HEIGHT + y))
    draw_legend(ink, (EDGE, EDGE - 0.15), wide, constants=constants)
    return figure


def _flow_panel(
    structure: Structure,
    sector: str,
    pipes: Sequence[Pipe],
    colours: dict[str, str],
    *,
    titled: bool = False,
) -> _Panel:
    ends = {end for pipe in pipes for end in (pipe.source, pipe.target)}
    widths = {
        element.name: max(text_width(line, FONT, True) for line in _box_lines(element.name)) + 0.22
        for element in structure.elements
        if element.name in ends
    }
    # Stocks of other sectors, repeated here, come last.
    rows = sorted(
        rows_of(pipes, widths),
        key=lambda row: all(structure.element(box.name).sector != sector for box in row.boxes),
    )
    places, (wide, tall) = shelves(
        [(row.width, row.height) for row in rows], SECTOR_WIDTH, GAP, in_order=True
    )
    head = 0.35 if titled else 0.1

    def draw(ink: Ink, corner: Point) -> None:
        if titled:
            ink.text(
                (corner[0], corner[1] + tall + head - 0.1),
                sector,
                size=HEAD,
                colour=colours[sector],
                bold=True,
            )
        for row, (x, y) in zip(rows, places, strict=True):
            _draw_row(ink, structure, sector, row, (corner[0] + x, corner[1] + y), colours)

    return _Panel((wide, tall + head), draw)


def _box_lines(name: str) -> list[str]:
    return wrapped(name, BOX_LETTERS)


def _draw_row(
    ink: Ink,
    structure: Structure,
    sector: str,
    row: Row,
    corner: Point,
    colours: dict[str, str],
) -> None:
    def shifted(point: Point) -> Point:
        return corner[0] + point[0], corner[1] + point[1]

    for box in row.boxes:
        stock = structure.element(box.name)
        ghost = stock.sector != sector
        ink.box(
            shifted(box.corner),
            box.size,
            colours[sector],
            matrix=len(stock.dims) > 1,
            ghost=ghost,
        )
        middle = shifted((box.corner[0] + box.size[0] / 2, box.corner[1] + box.size[1] / 2))
        lines = _box_lines(box.name) + ([f"({stock.sector})"] if ghost else [])
        for at, line in enumerate(lines):
            y = middle[1] + LINE * ((len(lines) - 1) / 2 - at)
            ink.text(
                (middle[0], y), line, ha="center", bold=not ghost, colour=GREY if ghost else "black"
            )
    for route in row.routes:
        pipe = route.pipe
        colour = colours.get(pipe.sector, GREY)
        points = [shifted(point) for point in route.points]
        if not pipe.source:
            ink.cloud(points[0])
        if not pipe.target:
            ink.cloud(points[-1])
            points[-1] = _before(points[-2], points[-1], 1.7 * CLOUD)
        ink.pipe(points, colour)
        valve = shifted(route.valve)
        ink.valve(valve, colour, upright=route.upright)
        x, y = shifted(route.label)
        foreign = pipe.sector != sector
        for at, line in enumerate(route.lines):
            rise = (len(route.lines) - 1) / 2 - at if route.upright else len(route.lines) - 1 - at
            ink.text(
                (x, y + LINE * rise + (0.0 if route.upright else LINE / 2)),
                line,
                size=SMALL,
                ha="left" if route.upright else "center",
                colour=colours.get(pipe.sector, GREY) if foreign else "black",
                italic=foreign,
            )
        _own_arrows(ink, pipe, route.upright, points, valve)


def _before(start: Point, end: Point, distance: float) -> Point:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    share = 1.0 - distance / length
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _own_arrows(
    ink: Ink,
    pipe: Pipe,
    upright: bool,
    points: Sequence[Point],
    valve: Point,
) -> None:
    """Short arrows from the stocks of a straight pipe to its valve, where the flow reads them."""
    if len(points) > 2:
        return
    for stock, edge in ((pipe.source, points[0]), (pipe.target, points[-1])):
        if stock not in pipe.reads:
            continue
        if upright:
            ink.arrow((edge[0] - 0.13, edge[1]), (valve[0] - 0.1, valve[1]),
                      bend=0.4 if edge[1] > valve[1] else -0.4)  # fmt: skip
        else:
            ink.arrow((edge[0], edge[1] - 0.09), (valve[0], valve[1] - 0.1),
                      bend=0.28 if edge[0] < valve[0] else -0.28)  # fmt: skip


def _ring_panel(made: Ring, colours: dict[str, str]) -> _Panel:
    def draw(ink: Ink, corner: Point) -> None:
        ink.text(
            (corner[0], corner[1] + made.size[1] + 0.2),
            "Links between sectors (number of variables read)",
            size=HEAD,
            bold=True,
        )
        draw_ring(ink, made, corner, colours)

    return _Panel((made.size[0], made.size[1] + 0.4), draw)
