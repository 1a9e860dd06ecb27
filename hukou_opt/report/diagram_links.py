"""How sectors act on each other: one arrow for each pair, with the number of variables read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, radians, remainder, sin
from typing import TYPE_CHECKING

from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

from hukou_opt.report.diagram_ink import FONT, SMALL, Ink, text_width
from hukou_opt.report.diagram_layout import Point

if TYPE_CHECKING:
    from hukou_opt.dynamics.structure import Structure

RADIUS = 3.3
NODE_HEIGHT = 0.42
#: How far arrows bend toward the middle of the ring, as a share of the way.
BEND = 0.35
#: How far there and back lie apart, as a share of the way.
ASIDE = 0.12
#: Least angle between two links at a sector.
APART = radians(13)
#: Where on its way a link may carry its number, the best first, and how near another may stand.
LABEL_SHARES = (0.42, 0.34, 0.5, 0.27, 0.58)
CLEAR = 0.2
#: Width of the arrow of one link and of each further one, points.
THIN, THICKER = 0.7, 0.22

Link = tuple[str, str]


@dataclass(frozen=True)
class Ring:
    """Sectors on a ring, and the links between them.

    Parameters
    ----------
    places : dict of str to (x, y)
        Middle of each sector's sign.
    links : dict of (str, str) to int
        Variables of the first sector that the second reads.
    size : (width, height)
        Extent, inches.
    """

    places: dict[str, Point]
    links: dict[Link, int]
    size: Point


def links_between(structure: Structure, live: frozenset[str]) -> dict[Link, int]:
    """Number of variables of one sector that another reads, for each pair with any.

    Parameters
    ----------
    structure : Structure
        The model.
    live : frozenset of str
        Variables that change in time and act on a stock.
    """
    read: dict[Link, set[str]] = {}
    for element in structure.elements:
        if element.name not in live and element.kind != "stock":
            continue
        for name in element.inputs:
            source = structure.element(name)
            if name in live and source.sector != element.sector:
                read.setdefault((source.sector, element.sector), set()).add(name)
    return {pair: len(names) for pair, names in read.items()}


def ring(links: Mapping[Link, int]) -> Ring:
    """Place sectors on a ring so that those with many links are near each other."""
    names = list(dict.fromkeys(name for pair in links for name in pair))
    names = _shortest(names, links)
    number = len(names)
    wide = max(text_width(name, FONT, True) for name in names) + 0.3
    middle = (RADIUS + wide / 2, RADIUS + NODE_HEIGHT)
    places = {
        name: (
            middle[0] + RADIUS * sin(2 * pi * at / number),
            middle[1] + RADIUS * cos(2 * pi * at / number),
        )
        for at, name in enumerate(names)
    }
    return Ring(places, dict(links), (2 * middle[0], 2 * middle[1]))


def _shortest(names: list[str], links: Mapping[Link, int]) -> list[str]:
    """Exchange places as long as that shortens the links, weighted by their number."""
    order = list(names)
    number = len(order)

    def length() -> float:
        place = {name: at for at, name in enumerate(order)}
        return sum(
            weight * sin(pi * abs(place[source] - place[target]) / number)
            for (source, target), weight in links.items()
        )

    best, better = length(), True
    while better:
        better = False
        for first in range(number):
            for second in range(first + 1, number):
                order[first], order[second] = order[second], order[first]
                now = length()
                # A tie must not count as better, or rounding could exchange for ever.
                if now < best - 1e-9:
                    best, better = now, True
                else:
                    order[first], order[second] = order[second], order[first]
    return order


def draw_ring(ink: Ink, ring_: Ring, corner: Point, colours: Mapping[str, str]) -> None:
    """Draw the ring with its lower left corner at a point."""
    middle = (corner[0] + ring_.size[0] / 2, corner[1] + ring_.size[1] / 2)
    at = {name: (corner[0] + x, corner[1] + y) for name, (x, y) in ring_.places.items()}
    half = {name: text_width(name, FONT, True) / 2 + 0.14 for name in at}
    bends = {link: _bend(at[link[0]], at[link[1]], middle) for link in ring_.links}
    ports = _ports(at, half, middle, bends)
    written: list[Point] = []
    for link, number in sorted(ring_.links.items(), key=lambda item: item[1]):
        curve = (ports[link[0], link], bends[link], ports[link[1], link])
        _draw_link(ink, curve, number, colours[link[0]], written)
    for name, (x, y) in at.items():
        ink.axes.add_patch(
            FancyBboxPatch(
                (x - half[name], y - NODE_HEIGHT / 2),
                2 * half[name],
                NODE_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor="white",
                edgecolor=colours[name],
                linewidth=1.6,
                zorder=5,
            )
        )
        ink.text((x, y), name, ha="center", bold=True, colour=colours[name])


def _bend(start: Point, end: Point, middle: Point) -> Point:
    """Control point of a link: toward the middle, and to the right of the way.

    So there and back are two lines.
    """
    right = (ASIDE * (end[1] - start[1]), ASIDE * (start[0] - end[0]))
    x, y = (
        (a + b) / 2 * (1 - BEND) + c * BEND + d
        for a, b, c, d in zip(start, end, middle, right, strict=True)
    )
    return x, y


def _ports(
    at: Mapping[str, Point],
    half: Mapping[str, float],
    middle: Point,
    bends: Mapping[Link, Point],
) -> dict[tuple[str, Link], Point]:
    """Where each link meets its sectors: spread, so that heads do not lie on each other."""
    ports = {}
    for name, (x, y) in at.items():
        inward = atan2(middle[1] - y, middle[0] - x)
        angles = sorted(
            (remainder(atan2(bend[1] - y, bend[0] - x) - inward, 2 * pi), link)
            for link, bend in bends.items()
            if name in link
        )
        for angle, (_, link) in zip(_spread([a for a, _ in angles]), angles, strict=True):
            ports[name, link] = _edge((x, y), inward + angle, half[name])
    return ports


def _spread(angles: Sequence[float]) -> list[float]:
    """Nearest angles to sorted ones that keep their distance (pooled violators)."""
    pools: list[tuple[float, int]] = []
    for at, angle in enumerate(angles):
        pools.append((angle - at * APART, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (first, many), (second, few) = pools[-2:]
            pools[-2:] = [((first * many + second * few) / (many + few), many + few)]
    levels = [level for level, number in pools for _ in range(number)]
    return [level + at * APART for at, level in enumerate(levels)]


def _draw_link(
    ink: Ink,
    curve: tuple[Point, Point, Point],
    number: int,
    colour: str,
    written: list[Point],
) -> None:
    """Draw a curve with a head and its number, where no other number stands near."""
    start, control, end = curve
    way = hypot(end[0] - control[0], end[1] - control[1])
    dx, dy = (end[0] - control[0]) / way, (end[1] - control[1]) / way
    neck = (end[0] - 0.1 * dx, end[1] - 0.1 * dy)
    ink.axes.add_patch(
        PathPatch(
            Path([start, control, neck], [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
            facecolor="none",
            edgecolor=colour,
            linewidth=THIN + THICKER * number,
            zorder=2,
        )
    )
    side = 0.045
    ink.axes.add_patch(
        Polygon(
            [
                end,
                (neck[0] - dy * side, neck[1] + dx * side),
                (neck[0] + dy * side, neck[1] - dx * side),
            ],
            facecolor=colour,
            edgecolor="none",
            zorder=3,
        )
    )
    spots = [_along(start, control, neck, share) for share in LABEL_SHARES]
    label = max(
        spots, key=lambda spot: min([CLEAR, *(hypot(spot[0] - x, spot[1] - y) for x, y in written)])
    )
    written.append(label)
    ink.text(label, str(number), size=SMALL, colour=colour, ha="center", halo=True)


def _along(start: Point, control: Point, end: Point, share: float) -> Point:
    x, y = (
        (1 - share) ** 2 * a + 2 * share * (1 - share) * b + share**2 * c
        for a, b, c in zip(start, control, end, strict=True)
    )
    return x, y


def _edge(node: Point, angle: float, half: float) -> Point:
    """Point on the edge of a sector's sign in a direction from its middle."""
    dx, dy = cos(angle), sin(angle)
    scale = min(
        (half + 0.03) / abs(dx) if dx else float("inf"),
        (NODE_HEIGHT / 2 + 0.03) / abs(dy) if dy else float("inf"),
    )
    return node[0] + dx * scale, node[1] + dy * scale
