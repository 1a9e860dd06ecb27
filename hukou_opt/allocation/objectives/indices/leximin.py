"""Leximin: the worst-off cell first, then the next, down to the best-off."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from hukou_opt.allocation.objectives.indices.index import Build, Index


def build(given: Build) -> list[Any]:
    """A ceiling over the losses of all cells; `leximin.py` lowers it cell after cell."""
    ceiling = given.add("ceiling", pyo.Var())
    given.add(
        "below",
        pyo.Constraint(
            given.members,
            rule=lambda _, pool, member: given.loss(pool, member) <= ceiling,
        ),
    )
    # The ceiling is over the cells of all pools together, so it is counted once in all.
    return [ceiling for _ in given.pools]


INDEX = Index(
    name="leximin",
    title="Leximin: the worst-off first, then the next",
    title_zh="字典序最小化（先最差者，再次差者）",
    equation="lexicographic minimum of y sorted from the worst down",
    latex=r"\operatorname{lex\,min}\;(y_{(1)}\ge y_{(2)}\ge\dots\ge y_{(n)})",
    exact="to 1e-5 of each cell: one program per step, each within 1e-7",
    applies_to="all",
    monotone=True,
    spread=False,
    ratio=False,
    reference="Sen (1970); Ogryczak, Pioro and Tomaszewski (2005)",
    build=build,
)
