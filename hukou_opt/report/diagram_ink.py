"""The signs of a stock-flow diagram: boxes, pipes with valves, clouds, arrows and wrapped names.

Coordinates are inches on the printed page.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

from hukou_opt.report.diagram_layout import Point

#: Sizes in points as printed; the smallest is the least that prints well.
SMALL = 7.0
FONT = 7.5
HEAD = 10.0
TITLE = 12.0
POINTS_PER_INCH = 72.0
#: Height of a line of text, inches.
LINE = 0.135
#: A reader of the SVG may have another font; its letters may be wider by this factor.
SLACK = 1.06
GREY = "#666666"
PALE = "#999999"
PIPE, PIPE_INSIDE = 4.4, 2.4
CLOUD = 0.11
#: Circles of a cloud: place and radius in parts of its size.
BUMPS = (
    (-0.9, -0.1, 0.8), (0.9, -0.1, 0.8), (-0.35, 0.5, 0.85), (0.45, 0.45, 0.75), (0.0, -0.45, 0.85)
)  # fmt: skip
VALVE = 0.075
HEAD_LENGTH = 0.13


@cache
def text_width(text: str, size: float = FONT, bold: bool = False) -> float:
    """Width of one line of text as printed, inches."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS_PER_INCH * SLACK


def wrapped(name: str, letters: int) -> list[str]:
    """Lines of a name, broken after underscores and blanks where it is longer than allowed."""
    pieces: list[str] = []
    word = ""
    for letter in name:
        word += letter
        if letter in "_ ":
            pieces.append(word)
            word = ""
    pieces.append(word)
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1] + piece.rstrip()) > letters:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip(" ") for line in lines if line]


class Ink:
    """Draw signs on axes whose unit is the inch.

    Parameters
    ----------
    axes : Axes
        Axes that fill the page.
    """

    def __init__(self, axes: Axes) -> None:
        self.axes = axes

    def text(
        self,
        at: Point,
        text: str,
        *,
        size: float = FONT,
        colour: str = "black",
        ha: str = "left",
        va: str = "center",
        bold: bool = False,
        italic: bool = False,
        halo: bool = False,
    ) -> None:
        """Write lines of text; a halo keeps arrows from touching them."""
        self.axes.text(
            *at,
            text,
            fontsize=size,
            color=colour,
            ha=ha,
            va=va,
            weight="bold" if bold else "normal",
            style="italic" if italic else "normal",
            linespacing=LINE * POINTS_PER_INCH / size / 1.17,
            parse_math=False,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6} if halo else None,
        )

    def box(
        self, corner: Point, size: Point, colour: str, *, matrix: bool = False, ghost: bool = False
    ) -> None:
        """Draw a stock: double where it has two dimensions, dashed where it stands elsewhere."""
        ink = PALE if ghost else colour
        frames = [(0.0, 1.5), (0.045, 0.9)] if matrix else [(0.0, 1.5)]
        for inset, width in frames:
            self.axes.add_patch(
                Rectangle(
                    (corner[0] + inset, corner[1] + inset),
                    size[0] - 2 * inset,
                    size[1] - 2 * inset,
                    facecolor="white",
                    edgecolor=ink,
                    linewidth=width,
                    linestyle=(0, (4, 2)) if ghost else "-",
                    zorder=4,
                )
            )

    def frame(self, corner: Point, size: Point) -> None:
        """Draw a thin frame: a stock whose name is repeated."""
        self.axes.add_patch(
            Rectangle(corner, *size, facecolor="white", edgecolor=PALE, linewidth=0.7, zorder=4)
        )

    def cloud(self, at: Point) -> None:
        """Draw where a flow comes from or goes to outside the model."""
        for edge in (True, False):
            for x, y, r in BUMPS:
                self.axes.add_patch(
                    Circle(
                        (at[0] + x * CLOUD, at[1] + y * CLOUD),
                        r * CLOUD,
                        facecolor="white",
                        edgecolor=GREY if edge else "none",
                        linewidth=1.6 if edge else 0.0,
                        zorder=4 if edge else 4.1,
                    )
                )

    def pipe(self, points: Sequence[Point], colour: str) -> None:
        """Draw a flow as a double line with a head at its last point."""
        (x0, y0), (x1, y1) = points[-2:]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        neck = (x1 - dx * HEAD_LENGTH, y1 - dy * HEAD_LENGTH)
        xs, ys = zip(*points[:-1], neck, strict=True)
        for width, ink in ((PIPE, colour), (PIPE_INSIDE, "white")):
            self.axes.plot(
                xs,
                ys,
                color=ink,
                linewidth=width,
                solid_capstyle="butt",
                solid_joinstyle="miter",
                zorder=3,
            )
        side = HEAD_LENGTH * 0.62
        self.axes.add_patch(
            Polygon(
                [
                    (x1, y1),
                    (neck[0] - dy * side, neck[1] + dx * side),
                    (neck[0] + dy * side, neck[1] - dx * side),
                ],
                facecolor=colour,
                edgecolor=colour,
                zorder=3.5,
            )
        )

    def valve(self, at: Point, colour: str, *, upright: bool = False) -> None:
        """Draw the valve of a flow: two triangles that meet in the pipe."""
        x, y = at
        a, b = VALVE, VALVE * 1.25
        corners = [(x - a, y + b), (x + a, y + b), (x - a, y - b), (x + a, y - b)]
        if upright:
            corners = [(x + b, y - a), (x + b, y + a), (x - b, y - a), (x - b, y + a)]
        self.axes.add_patch(
            Polygon(corners, facecolor="white", edgecolor=colour, linewidth=1.1, zorder=5)
        )

    def arrow(self, start: Point, end: Point, *, bend: float = 0.0, colour: str = GREY) -> None:
        """Draw an information link as a thin curved arrow."""
        self.axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle="-|>",
                mutation_scale=6,
                shrinkA=0,
                shrinkB=0,
                linewidth=0.8,
                color=colour,
                zorder=2,
            )
        )

    def wire(self, points: Sequence[Point], colour: str = GREY) -> None:
        """Draw an information link through points, flat at each of them, with a head at the end."""
        vertices, codes = [points[0]], [Path.MOVETO]
        for (x0, y0), (x1, y1) in pairwise(points):
            middle = (x0 + x1) / 2
            vertices += [(middle, y0), (middle, y1), (x1, y1)]
            codes += [Path.CURVE4] * 3
        self.axes.add_patch(
            PathPatch(
                Path(vertices, codes), facecolor="none", edgecolor=colour, linewidth=0.8, zorder=2
            )
        )
        x, y = points[-1]
        self.axes.add_patch(
            Polygon(
                [(x, y), (x - 0.075, y + 0.032), (x - 0.075, y - 0.032)],
                facecolor=colour,
                edgecolor="none",
                zorder=2,
            )
        )
