"""Stocks and flows of a diagram: which pipe joins which stocks, and where boxes and pipes stand.

Stocks that flows join stand in a row; flows between neighbours are straight pipes, one below the
other; others pass above; what comes from or goes outside enters at the sides, from above and below.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from hukou_opt.report.diagram_ink import CLOUD, LINE, SMALL, text_width, wrapped
from hukou_opt.report.diagram_layout import Point, components

if TYPE_CHECKING:
    from hukou_opt.dynamics.structure import Element, Structure, Term

#: Longest line of a flow's name along and beside its pipe, letters.
ALONG, BESIDE = 22, 14
#: Longest text of a flow without a name of its own, letters.
LONGEST_TEXT = 36
#: More stocks than this are left in the file's order: trying all orders would take too long.
MOST_PERMUTED = 7
BOX_WIDTH, BOX_HEIGHT = 1.15, 0.5
#: Length of an upright pipe, and how far from the stock its valve stands.
UPRIGHT = 0.8
VALVE_LEAVING, VALVE_ENTERING = 0.27, 0.42
SIDE = 0.45
#: Distance between pipes that pass above, where they meet a stock.
PORT = 0.26
MARGIN = 0.1
#: Flows from and to outside that the end of a row takes before more go above and below.
AT_THE_END = 2


@dataclass(frozen=True)
class Pipe:
    """A flow between two stocks, or between a stock and the outside.

    Parameters
    ----------
    names : tuple of str
        Flow variables at its ends; two where one is the sum of the other over a dimension.
    label : tuple of str
        What stands beside the valve.
    source, target : str
        Stocks; empty for the outside.
    sector : str
        Sector that defines the flow.
    reads : tuple of str
        Those of the two stocks that the flow's equation reads.
    """

    names: tuple[str, ...]
    label: tuple[str, ...]
    source: str
    target: str
    sector: str
    reads: tuple[str, ...]


def pipes_of(structure: Structure) -> list[Pipe]:
    """Join what leaves one stock to what enters another where both are the same flow.

    Sums over a dimension count as the same flow: those who settle, by origin and destination, are
    those who enter the towns. Memos are left out.
    """
    ends: dict[str, tuple[list[tuple[Element, Term]], list[tuple[Element, Term]]]] = {}
    for stock in structure.elements:
        if stock.kind == "stock":
            for term in stock.terms:
                key = _origin(structure, term.name) if term.name else term.text
                ends.setdefault(key, ([], []))[0 if term.sign < 0 else 1].append((stock, term))
    pipes = []
    for key, (leaving, entering) in ends.items():
        rest = list(entering)
        waiting = []
        for stock, term in leaving:
            match = next((end for end in rest if end[0].sector == stock.sector), None)
            if match is None:
                waiting.append((stock, term))
                continue
            rest.remove(match)
            pipes.append(_pipe(structure, key, (stock, term), match))
        for end in waiting:
            # Units tell whether the same thing moves: land into land, not land into people.
            match = next((other for other in rest if other[0].unit == end[0].unit), None)
            if match is not None:
                rest.remove(match)
            pipes.append(_pipe(structure, key, end, match))
        pipes += [_pipe(structure, key, None, end) for end in rest]
    return pipes


def _origin(structure: Structure, name: str) -> str:
    """The variable of which a flow is the sum, or the flow itself."""
    sums = structure.element(name).sums
    return sums if sums and not structure.element(sums).is_stock else name


def _pipe(
    structure: Structure,
    key: str,
    leaving: tuple[Element, Term] | None,
    entering: tuple[Element, Term] | None,
) -> Pipe:
    both = [end for end in (leaving, entering) if end is not None]
    names = tuple(dict.fromkeys(term.name for _, term in both if term.name))
    sector = structure.element(names[0]).sector if names else both[0][0].sector
    if len(names) > 1:
        label: tuple[str, ...] = (key, *(f"Σ {name}" for name in names if name != key))
        sector = structure.element(key).sector
    elif names:
        label = names
    else:
        text = both[0][1].text
        label = (text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…",)
    read = {source for name in names for source in structure.inputs_of(name)}
    return Pipe(
        names,
        label,
        leaving[0].name if leaving else "",
        entering[0].name if entering else "",
        sector,
        tuple(stock.name for stock, _ in both if stock.name in read),
    )


@dataclass(frozen=True)
class Box:
    """A stock: name, lower left corner and size."""

    name: str
    corner: Point
    size: Point


@dataclass(frozen=True)
class Route:
    """A pipe on the page: its points, its valve, its label and whether an end is a cloud."""

    pipe: Pipe
    points: tuple[Point, ...]
    valve: Point
    upright: bool
    lines: tuple[str, ...]
    label: Point


@dataclass
class Row:
    """Stocks that flows join, in a row, its lower left corner at the origin."""

    boxes: list[Box] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def rows_of(pipes: Sequence[Pipe], box_widths: dict[str, float]) -> list[Row]:
    """Lay out all pipes, one row for each group of stocks that they join.

    Parameters
    ----------
    pipes : sequence of Pipe
        Flows to draw.
    box_widths : dict of str to float
        Stocks in the file's order, with the width that the name needs, inches.
    """
    joined = [(pipe.source, pipe.target) for pipe in pipes if pipe.source and pipe.target]
    rows = []
    for group in components(list(box_widths), joined):
        inside = [p for p in pipes if p.source in group or p.target in group]
        rows.append(_row(_best_order(group, inside), inside, box_widths))
    return rows


def _best_order(group: Sequence[str], pipes: Sequence[Pipe]) -> tuple[str, ...]:
    """Order with the shortest pipes; among equals, the one in which most flow to the right."""
    if len(group) > MOST_PERMUTED:
        return tuple(group)
    pairs = [(pipe.source, pipe.target) for pipe in pipes if pipe.source and pipe.target]

    def cost(order: tuple[str, ...]) -> tuple[int, int]:
        place = {name: at for at, name in enumerate(order)}
        steps = [place[target] - place[source] for source, target in pairs]
        return sum(abs(step) for step in steps), sum(step < 0 for step in steps)

    return min(permutations(group), key=cost)


def _row(order: Sequence[str], pipes: Sequence[Pipe], box_widths: dict[str, float]) -> Row:
    place = {name: at for at, name in enumerate(order)}
    last = len(order) - 1
    # Lane -1 is left of the row, lane at last is right of it.
    lanes: dict[int, list[Pipe]] = {at: [] for at in range(-1, last + 1)}
    over: list[Pipe] = []
    outside: list[Pipe] = []
    for pipe in pipes:
        if not (pipe.source and pipe.target):
            outside.append(pipe)
        elif abs(place[pipe.source] - place[pipe.target]) == 1:
            lanes[min(place[pipe.source], place[pipe.target])].append(pipe)
        else:
            over.append(pipe)
    room = max(AT_THE_END, *(len(lane) for lane in lanes.values()))
    above: dict[int, list[Pipe]] = {at: [] for at in range(last + 1)}
    below: dict[int, list[Pipe]] = {at: [] for at in range(last + 1)}
    for pipe in outside:
        at = place[pipe.source or pipe.target]
        enters = bool(pipe.target)
        side = {0: -1, last: last}.get(at)
        if last == 0:
            side = -1 if enters else 0
        if side is not None and len(lanes[side]) < room:
            lanes[side].append(pipe)
        else:
            (above if enters else below)[at].append(pipe)
    return _placed(order, lanes, over, above, below, box_widths)


def _lines(pipe: Pipe, letters: int) -> tuple[str, ...]:
    return tuple(line for part in pipe.label for line in wrapped(part, letters))


def _width(lines: Collection[str]) -> float:
    return max((text_width(line, SMALL) for line in lines), default=0.0)


def _lane_height(pipe: Pipe) -> float:
    return len(_lines(pipe, ALONG)) * LINE + 0.24 + _below(pipe)


def _below(pipe: Pipe) -> float:
    """Room under a pipe for the arrow from a stock to the valve."""
    return 0.14 if pipe.reads else 0.0


def _slot(pipe: Pipe) -> float:
    return 0.3 + _width(_lines(pipe, BESIDE))


def _placed(
    order: Sequence[str],
    lanes: dict[int, list[Pipe]],
    over: list[Pipe],
    above: dict[int, list[Pipe]],
    below: dict[int, list[Pipe]],
    box_widths: dict[str, float],
) -> Row:
    last = len(order) - 1
    row = Row()
    place = {name: at for at, name in enumerate(order)}
    ports = {at: [p for p in over if place[p.source] == at or place[p.target] == at]
             for at in range(last + 1)}  # fmt: skip
    lane_heights = {at: sum(map(_lane_height, lane)) for at, lane in lanes.items()}
    tall = max(BOX_HEIGHT, max(lane_heights.values()) + MARGIN)
    bottom = UPRIGHT + 2 * CLOUD if any(below.values()) else 0.0
    top = bottom + tall
    roof = top + (UPRIGHT + 2 * CLOUD + MARGIN if any(above.values()) else MARGIN)
    spans = {
        at: (max((_width(_lines(p, ALONG)) for p in lane), default=0.0) + SIDE if lane else 0.0)
        for at, lane in lanes.items()
    }
    x = spans[-1] + (2 * CLOUD if lanes[-1] else 0.0)
    edges: list[Point] = []
    for at, name in enumerate(order):
        wide = max(
            BOX_WIDTH,
            box_widths[name],
            sum(map(_slot, above[at])) + PORT * len(ports[at]) + MARGIN,
            sum(map(_slot, below[at])) + MARGIN,
        )
        row.boxes.append(Box(name, (x, bottom), (wide, tall)))
        edges.append((x, x + wide))
        x += wide + (spans[at] if at < last else 0.0)
    row.width = x + (spans[last] + 2 * CLOUD if lanes[last] else 0.0)
    row.height = roof
    for at, lane in lanes.items():
        left = edges[at][1] if at >= 0 else edges[0][0] - spans[-1]
        right = edges[at + 1][0] if at < last else edges[last][1] + spans[last]
        y = top - (tall - lane_heights[at]) / 2
        for pipe in lane:
            y -= _lane_height(pipe)
            level = y + 0.12 + _below(pipe)
            ends = ((left, level), (right, level))
            rightward = (
                place[pipe.source] < place[pipe.target]
                if pipe.source and pipe.target
                else bool(pipe.target) == (at == -1)
            )
            middle = ((left + right) / 2, level)
            label = (middle[0], level + 0.11)
            row.routes.append(
                Route(pipe, ends if rightward else ends[::-1], middle, False,
                      _lines(pipe, ALONG), label)
            )  # fmt: skip
    for at in range(last + 1):
        outward = [p for p in ports[at] if place[p.source] + place[p.target] > 2 * at]
        slot = edges[at][0] + MARGIN / 2 + PORT * (len(ports[at]) - len(outward))
        for pipe in above[at]:
            _upright(row, pipe, slot + 0.12, top, top + UPRIGHT)
            slot += _slot(pipe)
        slot = edges[at][0] + MARGIN / 2
        for pipe in below[at]:
            _upright(row, pipe, slot + 0.12, bottom, bottom - UPRIGHT)
            slot += _slot(pipe)
    _overpasses(row, over, place, edges, ports, top, roof)
    return row


def _upright(row: Row, pipe: Pipe, x: float, edge: float, outer: float) -> None:
    points = ((x, outer), (x, edge)) if pipe.target else ((x, edge), (x, outer))
    away = VALVE_ENTERING if pipe.target else VALVE_LEAVING
    middle = (x, edge + (away if outer > edge else -away))
    lines = _lines(pipe, BESIDE)
    row.routes.append(Route(pipe, points, middle, True, lines, (x + 0.14, middle[1])))


def _overpasses(
    row: Row,
    over: Sequence[Pipe],
    place: dict[str, int],
    edges: Sequence[Point],
    ports: dict[int, list[Pipe]],
    top: float,
    roof: float,
) -> None:
    """Pipes between stocks that are no neighbours, above the row."""

    def goes_right(pipe: Pipe, at: int) -> bool:
        return place[pipe.source] + place[pipe.target] > 2 * at

    feet: dict[tuple[Pipe, str], float] = {}
    for pipe in over:
        for end in (pipe.source, pipe.target):
            at = place[end]
            same_way = [p for p in ports[at] if goes_right(p, at) == goes_right(pipe, at)]
            step = 0.2 + PORT * same_way.index(pipe)
            right = goes_right(pipe, at)
            feet[pipe, end] = edges[at][1] - step if right else edges[at][0] + step
    level = roof
    for pipe in over:
        level += 0.1
        start, end_ = feet[pipe, pipe.source], feet[pipe, pipe.target]
        lines = _lines(pipe, ALONG)
        half = _width(lines) / 2 + 0.1
        others = [x for (other, _), x in feet.items() if other is not pipe]
        # The name stands where no other pipe passes through it.
        middle = max(
            (start + (end_ - start) * share for share in (0.5, 0.4, 0.6, 0.3, 0.7)),
            key=lambda x: min([half, *(abs(x - other) for other in others)]),
        )
        points = ((start, top), (start, level), (end_, level), (end_, top))
        row.routes.append(
            Route(pipe, points, (middle, level), False, lines, (middle, level + 0.11))
        )
        level += len(lines) * LINE + 0.2
    row.height = max(row.height, level)
