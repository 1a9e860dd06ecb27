"""Where the parts of a diagram stand: layers from left to right, rows, and panels on a page.

The layout is automatic and always the same for the same model. Lengths are inches, as printed; y
grows upward. Positions come from the layered method: as few crossings as sweeps over the layers
find, then each part as near to its neighbours as the room allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

#: Sweeps over the layers; the order settles after a few.
SWEEPS = 16
#: Room between parts of one layer, and the room for arrows between two layers.
ROW_GAP = 0.14
LAYER_GAP = 0.5
#: Height kept free where an arrow passes through a layer.
PASSAGE = 0.1

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Layered:
    """A drawing in layers, its lower left corner at the origin.

    Parameters
    ----------
    places : dict of str to (x, y)
        Left edge and middle height of each part.
    columns : dict of str to (left, right)
        Edges of the layer in which the part stands.
    passages : dict of (str, str) to list of (x, y)
        Points through which an arrow passes on its way over further layers.
    width, height : float
        Extent.
    """

    places: dict[str, Point]
    columns: dict[str, Point]
    passages: dict[tuple[str, str], list[Point]]
    width: float
    height: float


def depths(names: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Layers to the right of each part: 0 for parts that act on no other part.

    Raises
    ------
    ValueError
        If the links go in a circle.
    """
    readers: dict[str, list[str]] = {name: [] for name in names}
    for source, target in links:
        readers[source].append(target)
    found: dict[str, int] = {}
    open_: set[str] = set()

    def depth(name: str) -> int:
        if name in found:
            return found[name]
        if name in open_:
            raise ValueError(f"links go in a circle through {name!r}")
        open_.add(name)
        found[name] = 1 + max((depth(reader) for reader in readers[name]), default=-1)
        return found[name]

    for name in names:
        depth(name)
    return found


def components(names: Sequence[str], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Parts that hang together, each group in the order of the names."""
    group = {name: name for name in names}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for source, target in links:
        group[root(source)] = root(target)
    gathered: dict[str, list[str]] = {}
    for name in names:
        gathered.setdefault(root(name), []).append(name)
    return list(gathered.values())


def layered(sizes: Mapping[str, Size], links: Sequence[tuple[str, str]]) -> Layered:
    """Place parts in layers from left to right, causes left of effects.

    Parameters
    ----------
    sizes : mapping of str to (width, height)
        Parts to place.
    links : sequence of (str, str)
        Arrows from part to part; without circles.
    """
    depth = depths(list(sizes), links)
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in sizes:
        layers[depth[name]].append(name)
    heights = {name: size[1] for name, size in sizes.items()}
    short: list[tuple[str, str]] = []
    routes: dict[tuple[str, str], list[str]] = {}
    for source, target in links:
        stops = [source]
        for level in range(depth[source] - 1, depth[target], -1):
            stop = f"{source}>{target}@{level}"
            layers[level].append(stop)
            heights[stop] = PASSAGE
            stops.append(stop)
        stops.append(target)
        routes[source, target] = stops[1:-1]
        short += pairwise(stops)
    near: dict[str, list[str]] = {name: [] for name in heights}
    for source, target in short:
        near[source].append(target)
        near[target].append(source)
    _order(layers, near)
    rows = _rows(layers, near, heights)
    widths = [
        max((sizes[name][0] for name in layer if name in sizes), default=0.0) for layer in layers
    ]
    columns: dict[str, Point] = {}
    right = sum(widths) + LAYER_GAP * (len(layers) - 1)
    total = right
    for layer, width in zip(layers, widths, strict=True):
        columns.update(dict.fromkeys(layer, (right - width, right)))
        right -= width + LAYER_GAP
    low = min(rows[name] - heights[name] / 2 for name in rows)
    high = max(rows[name] + heights[name] / 2 for name in rows)
    passages = {
        link: [
            (x, rows[stop] - low) for stop in stops for x in (columns[stop][0], columns[stop][1])
        ]
        for link, stops in routes.items()
    }
    places = {name: (columns[name][0], rows[name] - low) for name in sizes}
    kept = {name: columns[name] for name in sizes}
    return Layered(places, kept, passages, total, high - low)


def _order(layers: list[list[str]], near: Mapping[str, list[str]]) -> None:
    """Sort each layer by the mean place of neighbours in the layer before, there and back."""
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers, near)
    for sweep in range(SWEEPS):
        downward = sweep % 2 == 0
        indices = range(1, len(layers)) if downward else range(len(layers) - 2, -1, -1)
        for index in indices:
            fixed = {name: at for at, name in enumerate(layers[index + (-1 if downward else 1)])}
            layer = layers[index]
            key = {}
            for at, name in enumerate(layer):
                places = [fixed[other] for other in near[name] if other in fixed]
                key[name] = (sum(places) / len(places) if places else float(at), at)
            layer.sort(key=lambda name: key[name])
        crossings = _crossings(layers, near)
        if crossings < fewest:
            fewest, best = crossings, [list(layer) for layer in layers]
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _crossings(layers: Sequence[Sequence[str]], near: Mapping[str, list[str]]) -> int:
    number = 0
    for left, right in pairwise(layers):
        place = {name: at for at, name in enumerate(right)}
        ends = [
            (at, place[other]) for at, name in enumerate(left) for other in near[name]
            if other in place
        ]  # fmt: skip
        number += sum(
            (first[0] - second[0]) * (first[1] - second[1]) < 0
            for at, first in enumerate(ends)
            for second in ends[at + 1 :]
        )
    return number


def _rows(
    layers: Sequence[Sequence[str]], near: Mapping[str, list[str]], heights: Mapping[str, float]
) -> dict[str, float]:
    """Middle heights: each part as near to its neighbours as its layer's order allows."""
    rows: dict[str, float] = {}
    for layer in layers:
        y = 0.0
        for name in layer:
            rows[name] = y - heights[name] / 2
            y -= heights[name] + ROW_GAP
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [
                sum(rows[other] for other in near[name]) / len(near[name])
                if near[name]
                else rows[name]
                for name in layer
            ]
            _settle(layer, wanted, heights, rows)
    return rows


def _settle(
    layer: Sequence[str],
    wanted: Sequence[float],
    heights: Mapping[str, float],
    rows: dict[str, float],
) -> None:
    """Nearest heights to those wanted, in order and without overlap (pooled violators)."""
    offsets, below = [], 0.0
    for at, name in enumerate(layer):
        if at:
            below += (heights[layer[at - 1]] + heights[name]) / 2 + ROW_GAP
        offsets.append(below)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        pools.append((want + offset, 1))
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            (first, many), (second, few) = pools[-2:]
            pools[-2:] = [((first * many + second * few) / (many + few), many + few)]
    levels = [level for level, number in pools for _ in range(number)]
    for name, level, offset in zip(layer, levels, offsets, strict=True):
        rows[name] = level - offset


def shelves(
    sizes: Sequence[Size], width: float, gap: float, *, in_order: bool = False
) -> tuple[list[Point], Size]:
    """Place rectangles on shelves and return their lower left corners and the extent.

    Low rectangles stand on top of each other in one place of a shelf where they fit.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Rectangles.
    width : float
        Widest shelf, unless one rectangle is wider.
    gap : float
        Room between rectangles.
    in_order : bool, optional
        Take them as they come instead of the highest first.
    """
    order = sorted(range(len(sizes)), key=lambda at: (0.0 if in_order else -sizes[at][1], at))
    built: list[_Shelf] = []
    placed: dict[int, tuple[_Shelf, float, float]] = {}
    for at in order:
        for shelf in built[-1:] if in_order else built:
            spot = shelf.spot(sizes[at], width, gap)
            if spot is not None:
                break
        else:
            shelf = _Shelf(sizes[at][1])
            built.append(shelf)
            spot = shelf.spot(sizes[at], max(width, sizes[at][0]), gap)
        assert spot is not None
        placed[at] = (shelf, *spot)
    tops: dict[int, float] = {}
    total = sum(shelf.height for shelf in built) + gap * (len(built) - 1)
    level = total
    for shelf in built:
        tops[id(shelf)] = level
        level -= shelf.height + gap
    places = []
    for at, size in enumerate(sizes):
        shelf, x, down = placed[at]
        places.append((x, tops[id(shelf)] - down - size[1]))
    widest = max(x + size[0] for (x, _), size in zip(places, sizes, strict=True))
    return places, (widest, total)


@dataclass
class _Shelf:
    """A shelf of one height; each column holds rectangles on top of each other."""

    height: float
    columns: list[tuple[float, float, float]] = field(default_factory=list)

    def spot(self, size: Size, width: float, gap: float) -> Point | None:
        """Left edge and distance from the top of a place for a rectangle, if there is one."""
        wide, tall = size
        for at, (x, room, used) in enumerate(self.columns):
            if wide <= room and used + gap + tall <= self.height:
                self.columns[at] = (x, room, used + gap + tall)
                return x, used + gap
        x = self.columns[-1][0] + self.columns[-1][1] + gap if self.columns else 0.0
        if x + wide > width or tall > self.height:
            return None
        self.columns.append((x, wide, tall))
        return x, 0.0
