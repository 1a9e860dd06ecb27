"""One block of members on its way through time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.compiler.program import Run
from hukou_opt.dynamics.compiler.refusals import UnsupportedError
from hukou_opt.errors import Fault

Array = NDArray[np.float64]


class State:
    """Stocks of one block of members, and the functions that move them on.

    Parameters
    ----------
    run : Run
        Compiled functions.
    inputs : list
        Constants in the program's order.
    number : int
        Members of the block.
    time_step : float
        Euler step, years.
    span : (float, float)
        Model times of the start and the end.
    every : float, optional
        Time between rows of the results, as the model reads it.
    """

    def __init__(
        self,
        run: Run,
        inputs: list[Any],
        number: int,
        time_step: float,
        span: tuple[float, float],
        *,
        every: float = 1.0,
    ) -> None:
        self._run, self._inputs, self._number = run, inputs, number
        self._step, self._span, self._every = time_step, span, every
        self._steps = 0
        self._work = {name: run.memory(name, number) for name in run.functions}
        self._stocks: list[Array] = []
        self._kept: list[Any] = []
        self._once: tuple[Any, ...] = ()
        self._change: list[Array] = []

    @property
    def time(self) -> float:
        """Present model time."""
        return self._span[0] + self._steps * self._step

    def _call(self, name: str) -> tuple[Any, ...]:
        constants = self._run.functions[name].constants
        # Branches that are not chosen are computed all the same; what comes out is checked.
        with np.errstate(all="ignore"):
            return self._run.code[name](
                self._inputs,
                self._stocks,
                self._kept,
                self._once,
                self._work[name],
                constants,
                self.time,
                self._step,
                float(self._span[0]),
                float(self._span[1]),
                self._every,
                self._number,
            )

    def begin(self, name: str) -> None:
        """Values at the start: stocks, INITIAL(), and what never changes."""
        graph, traits = self._run.graph, self._run.traits
        found = self._call("first")
        stocks, rest = found[: len(graph.stocks)], found[len(graph.stocks) :]
        kept, delays = rest[: len(graph.kept)], rest[len(graph.kept) :]
        for (variable, order, _), delay in zip(graph.delays, delays, strict=True):
            if order * self._step > float(np.min(delay)):
                raise UnsupportedError(
                    Fault(
                        f"{name}: {variable}",
                        f"delays by less than its {order:g} stages need "
                        f"({float(np.min(delay))!r} years)",
                        "shorten the step, or run it with PySD, which drops stages",
                    )
                )

        def whole(value: Any, labels: tuple[str, ...], member: bool) -> Array:
            shape = (*graph.shape(labels), *((self._number,) if member else ()))
            return np.array(np.broadcast_to(value, shape), dtype=float)

        self._stocks = [
            whole(value, slot.labels, traits.stock_member(at))
            for at, (value, slot) in enumerate(zip(stocks, graph.stocks, strict=True))
        ]
        self._kept = [
            whole(value, slot.labels, traits.kept_member(at))
            if slot.labels or traits.kept_member(at)
            else float(value)
            for at, (value, slot) in enumerate(zip(kept, graph.kept, strict=True))
        ]
        self._change = [np.empty_like(stock) for stock in self._stocks]
        self.prepare()

    def change(self, inputs: list[Any]) -> None:
        """Other constants or decisions from now on; stocks and values kept stay as they are."""
        self._inputs = inputs
        self.prepare()

    def take_over(self, other: State) -> None:
        """Go on from another state, of fewer members: each member starts from the same place."""
        graph, traits = self._run.graph, self._run.traits

        def spread(value: Any, labels: tuple[str, ...], member: bool) -> Any:
            if not member:
                return value
            shape = (*graph.shape(labels), self._number)
            wide = value if np.ndim(value) > len(labels) else np.asarray(value)[..., None]
            return np.array(np.broadcast_to(wide, shape), dtype=float)

        self._stocks = [
            spread(value, slot.labels, traits.stock_member(at))
            for at, (value, slot) in enumerate(zip(other._stocks, graph.stocks, strict=True))
        ]
        self._kept = [
            spread(value, slot.labels, traits.kept_member(at))
            for at, (value, slot) in enumerate(zip(other._kept, graph.kept, strict=True))
        ]
        self._change = [np.empty_like(stock) for stock in self._stocks]
        self._steps = other._steps
        self.prepare()

    def prepare(self) -> None:
        """Compute what never changes, again after constants have been changed."""
        self._once = self._call("prepare")

    def advance(self) -> None:
        """One year on."""
        for _ in range(round(1 / self._step)):
            self.step()

    def step(self) -> None:
        """One Euler step on."""
        flows = self._call("step")
        with np.errstate(all="ignore"):
            for flow, change in zip(flows, self._change, strict=True):
                np.multiply(flow, self._step, out=change)
            # A flow may be another stock itself: all flows are read before any stock moves.
            for stock, change in zip(self._stocks, self._change, strict=True):
                np.add(stock, change, out=stock)
        self._steps += 1

    def show(self, out: Sequence[Array], row: int) -> None:
        """Write the variables asked for into a row of the results."""
        for room, value in zip(out, self._call("show"), strict=True):
            room[row] = value
