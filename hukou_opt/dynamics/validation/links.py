"""One link between two variables of the model: whether the target answers its source, and how much.

The source is raised by one per cent in one region, everything else that the target reads is
frozen, and the target's own equation is evaluated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.parse import plain
from hukou_opt.dynamics.validation.evaluate import Array, State

#: Rise, and fall, of a source: one per cent.
RISE = 0.01
#: A target that moves by less, relative to its largest value, does not move.
STILL = 1e-12
#: Range whose subscripts are places, under this name or an alias.
PLACES = "region"
#: Figures are given for a year this far after the base year, in the middle of the reform.
YEARS_TO_THE_MIDDLE = 5
#: Values tried for a parameter when looking for what switches a link off.
TRIED = (0.0, 0.5, 1.0)

Status = Literal["holds", "outside", "inactive", "wrong sign", "mixed signs", "missing"]


@dataclass(frozen=True)
class Link:
    """One link of a loop.

    Parameters
    ----------
    source, target : str
        Variables of the model.
    sign : int
        1 where the target rises with the source, -1 where it falls.
    outside : bool
        Whether it passes through the linear program.
    """

    source: str
    target: str
    sign: int
    outside: bool = False


@dataclass(frozen=True)
class LinkResult:
    """What was measured of one link.

    Parameters
    ----------
    link : Link
        The link.
    status : str
        ``holds``; ``outside`` (not measured here); ``inactive`` (never reacts); ``wrong sign``;
        ``mixed signs`` (differ between regions or years); ``missing`` (not in the model, or the
        target does not read the source).
    measured : int or None
        Sign found: 1, -1, 0 where nothing reacts; none where not measured or mixed.
    elasticity : float or None
        Relative change of the target per relative change of the source. For a stock: change of its
        growth, as a share of the stock a year.
    region, year : str or None, int or None
        Where the elasticity was measured: the largest region and the middle of the reform, or the
        nearest to them that reacts.
    active : float
        Share of regions and years in which the link reacts.
    switch : str
        Parameters that switch the link on or off, where it is off by default or inactive.
    """

    link: Link
    status: Status
    measured: int | None = None
    elasticity: float | None = None
    region: str | None = None
    year: int | None = None
    active: float = 0.0
    switch: str = ""


class Probe:
    """Measures links on the states of one run.

    Parameters
    ----------
    state : State
        The states.
    codes : sequence of str
        Region codes, in the order of the model's subscripts.
    """

    def __init__(self, state: State, codes: Sequence[str]) -> None:
        self.state = state
        self._codes = tuple(codes)
        sizes = np.mean(state.value("residents"), axis=0)
        self._by_size = [int(at) for at in np.argsort(-sizes, kind="stable")]
        middle = state.times[0] + YEARS_TO_THE_MIDDLE
        self._by_distance = [
            int(at) for at in np.argsort(np.abs(state.times - middle), kind="stable")
        ]
        self._done: dict[tuple[str, str], LinkResult] = {}

    def with_constants(self, values: Mapping[str, float]) -> Probe:
        """A probe of the same stocks under other values of scalar constants."""
        return Probe(self.state.with_constants(values), self._codes)

    def measure(self, link: Link) -> LinkResult:
        """Measure a link and judge it by the sign expected.

        Raises
        ------
        ModelError
            If the target's equation cannot be evaluated.
        """
        equations = self.state.equations
        source, target = plain(link.source), plain(link.target)
        if source not in equations.by_name or target not in equations.by_name:
            return LinkResult(link, "missing")
        if link.outside:
            # The program's answers reach the model as constants; anything else is no answer.
            decided = equations.by_name[target].is_datum
            return LinkResult(link, "outside" if decided else "missing")
        if source not in equations.reads(target):
            return LinkResult(link, "missing")
        if (source, target) not in self._done:
            self._done[source, target] = self._scan(link, source, target)
        result = replace(self._done[source, target], link=link)
        if result.status == "holds" and result.measured != link.sign:
            return replace(result, status="wrong sign")
        return result

    def _scan(self, link: Link, source: str, target: str) -> LinkResult:
        """Raise the source in every region, and read that region's own answer in every year."""
        before = self._full(self.state.evaluate(target), target)
        # A stock is answered in its growth, and the growth is put beside the stock.
        stock = self.state.equations.by_name[target].is_stock
        size = self._full(self.state.value(target), target) if stock else before
        signs: set[int] = set()
        found: tuple[float | None, int, int] | None = None
        active: list[Array] = []
        for region in self._by_size:
            answer = self._answer(source, target, before, region)
            moved = self._moved(answer, before)
            signs |= {int(sign) for sign in np.sign(answer[moved])}
            times: NDArray[np.bool_] = np.asarray(np.any(moved, axis=1))
            active.append(times.astype(float))
            if found is None and times.any():
                at = next(time for time in self._by_distance if times[time])
                found = (self._elasticity(answer, moved, size, target, region, at), region, at)
        if found is None:
            switch = self._switch(source, target)
            return LinkResult(link, "inactive", 0, switch=switch)
        elasticity, region, at = found
        return LinkResult(
            link,
            "holds" if len(signs) == 1 else "mixed signs",
            signs.pop() if len(signs) == 1 else None,
            elasticity,
            self._codes[region],
            round(float(self.state.times[at])),
            float(np.mean(active)),
        )

    def _answer(
        self,
        source: str,
        target: str,
        before: Array,
        region: int,
        held: Mapping[str, Array] | None = None,
    ) -> Array:
        """Change of a region's own cells of the target, dims time, cell, as its source rises.

        The source is lowered as well, and the larger of both answers taken.
        """
        cells = self._own(target, region)
        values = np.array(self.state.value(source), dtype=float)
        rise = np.zeros_like(values)
        raised = self._own(source, region)
        # Of the size, so that what is negative rises too.
        rise[:, raised] = RISE * np.abs(values[:, raised])
        up, down = (
            self._full(
                self.state.evaluate(target, {**(held or {}), source: values + side * rise}), target
            )[:, cells]
            - before[:, cells]
            for side in (1, -1)
        )
        # Near a bound one of the two is cut short.
        change = np.where(np.abs(down) > np.abs(up), -down, up)
        return change

    @staticmethod
    def _moved(change: Array, before: Array) -> NDArray[np.bool_]:
        return np.asarray(np.abs(change) > STILL * float(np.max(np.abs(before), initial=0.0)))

    def _full(self, values: Array, name: str) -> Array:
        equations = self.state.equations
        sizes = [len(equations.members[dim]) for dim in equations.by_name[name].dims]
        return np.broadcast_to(values, (len(self.state.times), *sizes))

    def _places(self, name: str) -> tuple[list[NDArray[np.intp]], list[int]]:
        """Index arrays of a variable's subscripts, and which of its axes are places."""
        equations = self.state.equations
        dims = equations.by_name[name].dims
        grid = np.indices([len(equations.members[dim]) for dim in dims])
        places = [at for at, dim in enumerate(dims) if equations.roots[dim] == PLACES]
        return list(grid), places

    def _own(self, name: str, region: int) -> NDArray[np.bool_]:
        """Cells of a region: its row and its column; everything where there are no places."""
        grid, places = self._places(name)
        shape = grid[0].shape if grid else ()
        own = np.full(shape, not places)
        for at in places:
            own = own | (grid[at] == region)
        return np.asarray(own)

    def _elasticity(
        self,
        answer: Array,
        moved: NDArray[np.bool_],
        size: Array,
        target: str,
        region: int,
        at: int,
    ) -> float | None:
        """Elasticity in the cell of the region itself, or else in its largest cell that reacts."""
        grid, places = self._places(target)
        own = self._own(target, region)
        inner: NDArray[np.bool_] = own.copy()
        for axis in places:
            inner = inner & (grid[axis] == region)
        sizes = np.abs(size[at][own])
        moving: NDArray[np.bool_] = moved[at, :]
        inside: NDArray[np.bool_] = moving & inner[own]
        candidates = inside if inside.any() else moving
        cell = int(np.argmax(np.where(candidates, sizes, -1.0)))
        value = float(size[at][own][cell])
        return float(answer[at, cell]) / RISE / abs(value) if value else None

    def _switch(self, source: str, target: str) -> str:
        """Scalar parameter of the target's equation at whose other values the link reacts."""
        equations = self.state.equations
        for name in sorted(equations.reads(target) - {source}):
            if not equations.by_name[name].is_datum or equations.by_name[name].dims:
                continue
            for value in TRIED:
                held = {name: np.array([value])}
                before = self._full(self.state.evaluate(target, held), target)
                if any(
                    self._moved(self._answer(source, target, before, region, held), before).any()
                    for region in self._by_size
                ):
                    return equations.by_name[name].name
        return ""
