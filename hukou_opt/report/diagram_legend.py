"""What the signs of a diagram mean."""

from __future__ import annotations

from hukou_opt.report.diagram_ink import FONT, GREY, SMALL, Ink
from hukou_opt.report.diagram_layout import Point

LEGEND_HEIGHT = 0.95
INK = "#333333"


def draw_legend(ink: Ink, corner: Point, width: float, *, constants: bool) -> None:
    """Draw the legend in two rows above a corner of the page."""
    x0, y = corner[0], corner[1] + 0.62
    ink.axes.plot([x0, x0 + width], [y + 0.25, y + 0.25], color="#cccccc", linewidth=0.8)
    step = width / 4
    ink.box((x0, y - 0.1), (0.5, 0.2), INK)
    ink.text((x0 + 0.6, y), "stock")
    x = x0 + step
    ink.box((x, y - 0.1), (0.5, 0.2), INK, matrix=True)
    ink.text((x + 0.6, y), "stock by origin and destination")
    x += step
    ink.box((x, y - 0.1), (0.5, 0.2), INK, ghost=True)
    ink.text((x + 0.6, y), "stock of another sector")
    x += step
    ink.cloud((x + 0.1, y))
    ink.pipe([(x + 0.1, y), (x + 0.9, y)], INK)
    ink.valve((x + 0.5, y), INK)
    ink.text((x + 1.0, y), "flow from outside, with valve")
    y -= 0.34
    ink.wire([(x0, y - 0.06), (x0 + 0.5, y + 0.06)])
    ink.text((x0 + 0.6, y), "acts on (information)")
    x = x0 + step
    ink.valve((x + 0.1, y), INK)
    ink.text((x + 0.25, y), "flow", bold=True)
    ink.text((x + 0.6, y), "auxiliary")
    ink.text((x + 1.2, y), "number by year", italic=True)
    x += step
    ink.frame((x, y - 0.06), (0.35, 0.125))
    ink.text((x + 0.05, y), "name", size=SMALL, colour=GREY)
    ink.text((x + 0.4, y), "name", size=SMALL, colour=GREY)
    ink.text((x + 0.75, y), "stock, variable drawn elsewhere", size=FONT)
    x += step
    ink.text((x, y), "→ land", size=SMALL, colour=GREY, italic=True)
    ink.text((x + 0.45, y), "read there;  Σ sum over a dimension", size=FONT)
    left_out = "" if constants else "constants, values kept from the start, "
    ink.text(
        (x0, y - 0.26),
        f"Left out: {left_out}sums since the start, and variables that act on no stock. "
        "Flows in italics are defined in the sector of their colour.",
        size=SMALL,
        colour=GREY,
    )
