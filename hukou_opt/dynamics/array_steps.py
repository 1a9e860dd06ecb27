"""The array engine year by year: observe, act, advance, collect."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hukou_opt.dynamics.agenda import Agenda
from hukou_opt.dynamics.compiler.program import Run
from hukou_opt.dynamics.compiler.state import State
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.limits import check_end

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """What a simulation needs: compiled functions and the inputs for them.

    Parameters
    ----------
    run : Run
        Functions for what varies between members.
    inputs : list
        Constants and decisions in the program's order.
    members : list or None
        Labels of the members; none for a single run.
    room : list of (tuple of int, bool)
        Shape of each variable asked for, without years, and whether it varies by member.
    """

    run: Run
    inputs: list[Any]
    members: list[Hashable] | None
    room: list[tuple[tuple[int, ...], bool]]

    @property
    def number(self) -> int:
        """Number of members."""
        return len(self.members) if self.members else 1


class Steps:
    """A simulation that is taken some years at a time.

    Parameters
    ----------
    name : str
        Name of the model, for messages.
    codes, years : sequence
        Regions and calendar years.
    time_step : float
        Euler step, years.
    prepare : callable
        Functions and inputs for some decisions.
    """

    def __init__(
        self,
        name: str,
        codes: Sequence[str],
        years: Sequence[int],
        time_step: float,
        prepare: Callable[[Decisions], Prepared],
    ) -> None:
        self._name, self._years, self._step, self._prepare = name, years, time_step, prepare
        self.now = years[0] - 1
        self.agenda = Agenda(codes, years)
        self._state: State | None = None
        self._run: Run | None = None
        self._rows: list[list[Array]] = []
        self._present: list[Array] | None = None

    def _state_for(self, prepared: Prepared) -> State:
        span = (self._years[0] - 1, self._years[-1])
        return State(prepared.run, prepared.inputs, prepared.number, self._step, span)

    def _shown(self, state: State, prepared: Prepared) -> list[Array]:
        out = [
            np.empty((1, *shape, prepared.number) if member else (1, *shape))
            for shape, member in prepared.room
        ]
        state.show(out, 0)
        return [each[0] for each in out]

    def advance(self, years: int) -> None:
        """Simulate some years on under what has been decided."""
        check_end(self.now, self.now + years, self._years)
        prepared = self._prepare(self.agenda.decisions)
        if self._state is None:
            self._state = self._state_for(prepared)
            self._state.begin(self._name)
        elif prepared.run is not self._run:
            # Decisions that differ between members have come in.
            wider = self._state_for(prepared)
            wider.take_over(self._state)
            self._state = wider
        else:
            self._state.change(prepared.inputs)
        self._run = prepared.run
        for _ in range(years):
            self._rows.append(self._shown(self._state, prepared))
            self._state.advance()
        self.now += years
        self._present = self._shown(self._state, prepared)

    def rows(self) -> tuple[Prepared, list[list[Array]]]:
        """Values at all year ends reached, the present one last."""
        prepared = self._prepare(self.agenda.decisions)
        if self._present is None:
            # Another state: looking at the start must not use it up.
            state = self._state_for(prepared)
            state.begin(self._name)
            self._present = self._shown(state, prepared)
        rows = [
            [
                np.broadcast_to(
                    value if not member or value.ndim > len(shape) else value[..., None],
                    (*shape, prepared.number) if member else shape,
                )
                for value, (shape, member) in zip(row, prepared.room, strict=True)
            ]
            for row in (*self._rows, self._present)
        ]
        return prepared, rows
