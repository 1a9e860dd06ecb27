"""What drives the flows of one sector: its auxiliaries in layers, inputs from elsewhere as lists.

Only what can change during the run and acts on a stock in the end is drawn. A variable that stands
elsewhere, in another sector or far away in this one, is repeated as a name beside its reader, so
that arrows stay short; Vensim calls such names shadow variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hukou_opt.report.diagram_flows import Pipe
from hukou_opt.report.diagram_ink import (
    FONT,
    GREY,
    LINE,
    PALE,
    SMALL,
    VALVE,
    Ink,
    text_width,
    wrapped,
)
from hukou_opt.report.diagram_layout import Layered, Point, components, depths, layered

if TYPE_CHECKING:
    from hukou_opt.dynamics.structure import Element, Structure

#: Longest line of a variable's name, letters.
LETTERS = 22
#: A variable with more readers in its sector than this is repeated as a name beside each.
MOST_ARROWS = 4
#: Layers over which an arrow may go; a longer one becomes a name.
LONGEST_ARROW = 2
PAD = 0.05
LIST = " inputs"
FIXED = "fixed"
#: Widest group, inches; a wider one is cut in two where the fewest arrows pass.
WIDEST = 11.0


@dataclass(frozen=True)
class Entry:
    """A name in a list of inputs: its heading, and whether it is a stock."""

    heading: str
    name: str
    stock: bool


@dataclass(frozen=True)
class Label:
    """What stands at a node: lines of the name, who reads it elsewhere, or a list of inputs."""

    lines: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    kind: str = "auxiliary"

    @property
    def size(self) -> Point:
        """Width and height, inches."""
        if self.entries:
            widths = [text_width(e.name, SMALL) + 0.14 for e in self.entries]
            widths += [text_width(e.heading, SMALL, True) for e in self.entries]
            return max(widths), LINE * 1.08 * len(listed(self.entries)) + PAD
        bold = self.kind == "flow"
        widths = [text_width(line, FONT, bold) for line in self.lines]
        widths += [text_width(line, SMALL) for line in self.readers]
        mark = 4 * VALVE if bold else 0.0
        return max(widths) + mark + PAD, LINE * (len(self.lines) + len(self.readers)) + PAD


@dataclass(frozen=True)
class Group:
    """Variables that hang together, laid out."""

    labels: dict[str, Label]
    links: tuple[tuple[str, str], ...]
    layout: Layered


def acting(structure: Structure, pipes: Sequence[Pipe]) -> frozenset[str]:
    """Variables that can change during the run and act, directly or not, on a stock in a pipe."""
    waiting = [name for pipe in pipes for name in pipe.names]
    found = set(waiting)
    while waiting:
        for source in structure.inputs_of(waiting.pop()):
            if source not in found:
                found.add(source)
                waiting.append(source)
    return frozenset(found & structure.varying)


def groups_of(
    structure: Structure, sector: str, pipes: Sequence[Pipe], *, constants: bool = False
) -> list[Group]:
    """Lay out what drives the flows of a sector.

    Parameters
    ----------
    structure : Structure
        The model.
    sector : str
        Sector to draw.
    pipes : sequence of Pipe
        All flows of the model.
    constants : bool, optional
        List numbers that do not change in time too.
    """
    live = acting(structure, pipes)
    in_pipes = {name for pipe in pipes for name in pipe.names}
    drawn = [
        # A flow into sums that are left out has no pipe, so it is drawn as an auxiliary.
        element
        if element.kind != "flow" or element.name in in_pipes
        else replace(element, kind="auxiliary")
        for element in structure.sector(sector).elements
        if element.name in live
        and not element.is_stock
        and (constants or not _told_by_pipe(structure, element, pipes))
    ]
    arrows = _arrows(drawn)
    while True:
        made = _laid_out(structure, drawn, arrows, live, constants)
        wide = [group for group in made if group.layout.width > WIDEST]
        given_up = {link for group in wide for link in _cut(group)}
        if not given_up:
            return made
        arrows = [link for link in arrows if link not in given_up]


def _laid_out(
    structure: Structure,
    drawn: Sequence[Element],
    arrows: Sequence[tuple[str, str]],
    live: frozenset[str],
    constants: bool,
) -> list[Group]:
    labels: dict[str, Label] = {}
    links: list[tuple[str, str]] = []
    for element in drawn:
        labels[element.name] = Label(
            tuple(wrapped(element.name, LETTERS)),
            _readers(structure, element, live),
            kind=element.kind,
        )
        entries = _entries(structure, element, arrows, constants)
        if entries:
            labels[element.name + LIST] = Label(entries=tuple(entries))
            links.append((element.name + LIST, element.name))
    links += arrows
    order = [
        key for element in drawn for key in (element.name + LIST, element.name) if key in labels
    ]
    made = []
    for group in components(order, links):
        inside = [link for link in links if link[1] in group]
        sizes = {key: labels[key].size for key in group}
        kept = {key: labels[key] for key in group}
        made.append(Group(kept, tuple(inside), layered(sizes, inside)))
    return made


def _entries(
    structure: Structure,
    element: Element,
    arrows: Sequence[tuple[str, str]],
    constants: bool,
) -> list[Entry]:
    """Inputs of a variable that are repeated as names beside it."""
    entries = []
    for name in element.inputs:
        source = structure.element(name)
        if name in structure.varying and (name, element.name) not in arrows:
            heading = source.sector if source.sector != element.sector else ""
            entries.append(Entry(heading, name, source.is_stock))
        elif name not in structure.varying and constants:
            entries.append(Entry(FIXED, name, False))
    if element.reads_time:
        entries.append(Entry("", "Time", False))
    return sorted(entries, key=_place)


def _cut(group: Group) -> list[tuple[str, str]]:
    """Arrows to give up so that a wide group falls in two: as few as possible, near the middle."""
    names = [name for name, label in group.labels.items() if not label.entries]
    arrows = [link for link in group.links if link[0] in names]
    depth = depths(names, arrows)
    deepest = max(depth.values())

    def passing(level: int) -> list[tuple[str, str]]:
        return [link for link in arrows if depth[link[0]] >= level > depth[link[1]]]

    first, last = max(1, round(deepest * 0.3)), max(1, round(deepest * 0.7))
    best = min(
        range(first, last + 1),
        key=lambda level: (len(passing(level)), abs(2 * level - deepest)),
    )
    return passing(best)


def _place(entry: Entry) -> tuple[bool, str]:
    return entry.heading == FIXED, entry.heading


def _told_by_pipe(structure: Structure, element: Element, pipes: Sequence[Pipe]) -> bool:
    """Whether the pipe and its arrow from the stock already say all about a flow."""
    ends = {
        end
        for pipe in pipes
        if element.name in pipe.names
        for end in (pipe.source, pipe.target)
        if end and structure.element(end).sector == element.sector
    }
    acts = {name for name in element.inputs if name in structure.varying}
    return bool(ends) and acts <= ends and not _read_by_variables(structure, element)


def _read_by_variables(structure: Structure, element: Element) -> bool:
    readers = map(structure.element, structure.readers_of(element.name))
    return any(not reader.is_stock for reader in readers)


def _arrows(drawn: Sequence[Element]) -> list[tuple[str, str]]:
    """Links inside the sector that are short enough, and from few enough, to be drawn as arrows."""
    names = [element.name for element in drawn]
    inside = [
        (source, element.name) for element in drawn for source in element.inputs if source in names
    ]
    readers = {name: sum(source == name for source, _ in inside) for name in names}
    arrows = [link for link in inside if readers[link[0]] <= MOST_ARROWS]
    depth = depths(names, arrows)
    return [link for link in arrows if depth[link[0]] - depth[link[1]] <= LONGEST_ARROW]


def _readers(structure: Structure, element: Element, live: frozenset[str]) -> tuple[str, ...]:
    """Other sectors that read a variable, in lines."""
    sectors = dict.fromkeys(
        reader.sector
        for reader in map(structure.element, structure.readers_of(element.name))
        if reader.sector != element.sector and (reader.name in live or reader.kind == "stock")
    )
    return tuple(wrapped("→ " + ", ".join(sectors), LETTERS)) if sectors else ()


def listed(entries: Sequence[Entry]) -> list[tuple[str, Entry | None]]:
    """Lines of a list of inputs: a heading (no entry), or an entry."""
    lines: list[tuple[str, Entry | None]] = []
    heading = ""
    for entry in entries:
        if entry.heading != heading:
            heading = entry.heading
            lines.append((heading, None))
        lines.append((entry.name, entry))
    return lines


def draw_group(ink: Ink, group: Group, corner: Point, colours: dict[str, str], own: str) -> None:
    """Draw a laid-out group with its lower left corner at a point."""
    layout = group.layout

    def shifted(point: Point) -> Point:
        return corner[0] + point[0], corner[1] + point[1]

    for source, target in group.links:
        x, y = layout.places[source]
        start = shifted((x + group.labels[source].size[0] + 0.02, y))
        edge = shifted((layout.columns[source][1], y))
        points = [start] + ([edge] if edge[0] > start[0] else [])
        points += [shifted(point) for point in layout.passages[source, target]]
        points.append(shifted((layout.places[target][0] - 0.03, layout.places[target][1])))
        ink.wire(points)
    for name, label in group.labels.items():
        at = shifted(layout.places[name])
        if label.entries:
            _draw_list(ink, label, at, colours)
        else:
            _draw_name(ink, label, at, colours.get(own, "black"))


def _draw_name(ink: Ink, label: Label, at: Point, colour: str) -> None:
    x, y = at
    flow = label.kind == "flow"
    if flow:
        ink.valve((x + 1.6 * VALVE, y), colour)
        x += 4 * VALVE
    y += LINE * (len(label.lines) + len(label.readers) - 1) / 2
    for line in label.lines:
        ink.text((x, y), line, bold=flow, italic=label.kind == "input")
        y -= LINE
    for line in label.readers:
        ink.text((x, y), line, size=SMALL, colour=GREY, italic=True)
        y -= LINE


def _draw_list(ink: Ink, label: Label, at: Point, colours: dict[str, str]) -> None:
    x, y = at
    wide, tall = label.size
    lines = listed(label.entries)
    step = LINE * 1.08
    ink.axes.plot(
        [x + wide, x + wide], [y - tall / 2 + 0.02, y + tall / 2 - 0.02], color=PALE, linewidth=1.0
    )
    y += step * (len(lines) - 1) / 2
    for text, entry in lines:
        if entry is None:
            ink.text((x, y), text, size=SMALL, colour=colours.get(text, GREY), bold=True)
        else:
            if entry.stock:
                ink.frame((x + 0.02, y - 0.06), (text_width(text, SMALL) + 0.06, 0.125))
            ink.text((x + 0.05, y), text, size=SMALL, colour=GREY)
        y -= step
