"""The named feedback loops of the model, and whether each link works in the direction it should.

`loops.csv` names every loop as a closed chain of links. A link holds where its target reads its
source directly, and answers a rise of one per cent in it, everything else frozen, in the expected
direction: in no region and no year the other way, in some region and year at all. Links through
the linear program are named, but tested where the program is.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from hukou_opt import bundled
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import no_decisions
from hukou_opt.dynamics.parse import plain
from hukou_opt.dynamics.validation.evaluate import states_of_run
from hukou_opt.dynamics.validation.links import Link, LinkResult, Probe
from hukou_opt.errors import Fault, ModelError
from hukou_opt.parameters.registry import Parameters
from hukou_opt.regions.base_year import BaseYear

FILE = Path(__file__).resolve().parent / "loops.csv"
SIGNS = {"+": 1, "-": -1}
POLARITIES = {"reinforcing": 1, "balancing": -1, "driver": 0}
#: Decisions that make links through decisions visible: starts a year and temporary places as a
#: share of seats and beds at the start, the share of cost that is paid, bonds in 100m yuan. Any
#: numbers above zero, and below one for shares, would do.
TRIAL_STARTS, TRIAL_PLACES, TRIAL_FUNDED, TRIAL_BONDS = 0.02, 0.01, 0.8, 1.0


@dataclass(frozen=True)
class Loop:
    """A named feedback loop, or the chain of a driver.

    Parameters
    ----------
    id, name : str
        Identifier and name.
    polarity : str
        ``reinforcing`` or ``balancing``; ``driver`` for a chain that does not close.
    links : tuple of Link
        In order; the last target of a loop is the first source.
    switches : dict of str to float
        Parameter values that switch it on, where it is off by default.
    note : str
        What it says about the world.
    """

    id: str
    name: str
    polarity: str
    links: tuple[Link, ...]
    switches: Mapping[str, float]
    note: str

    @property
    def outside(self) -> bool:
        """Whether it closes only through the linear program."""
        return any(link.outside for link in self.links)


@dataclass(frozen=True)
class LoopResult:
    """What was measured of one loop.

    Parameters
    ----------
    loop : Loop
        The loop.
    links : tuple of LinkResult
        One per link, in order.
    off_by_default : tuple of str
        Parameters at whose present values the loop is cut.
    """

    loop: Loop
    links: tuple[LinkResult, ...]
    off_by_default: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every link that was measured works in the expected direction."""
        return all(link.status in ("holds", "outside") for link in self.links)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """A fault per link that does not hold."""
        return tuple(
            Fault(
                f"loop {self.loop.id}: {result.link.source} -> {result.link.target}",
                f"{result.status} (expected {result.link.sign:+d}, measured {result.measured!r})",
                f"it reacts once {result.switch} is changed"
                if result.switch
                else "mend the equation, or the chain in loops.csv",
            )
            for result in self.links
            if result.status not in ("holds", "outside")
        )


@lru_cache(maxsize=1)
def load_loops() -> tuple[Loop, ...]:
    """The named loops of the shipped model, in the file's order.

    Raises
    ------
    ModelError
        If a chain has a gap or does not close, or its signs do not give its polarity.
    """
    with FILE.open(encoding="utf-8", newline="") as handle:
        return loops_from(list(csv.DictReader(handle)))


def loops_from(rows: Sequence[Mapping[str, str]]) -> tuple[Loop, ...]:
    """Loops from the rows of a table; every fault of every chain at once.

    Raises
    ------
    ModelError
        If a chain has a gap or does not close, or its signs do not give its polarity.
    """
    groups: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        groups.setdefault(row["loop"], []).append(row)
    faults: list[Fault] = []
    loops = []
    for name, group in groups.items():
        first = group[0]
        unknown = [row["sign"] for row in group if row["sign"] not in SIGNS]
        if unknown:
            faults.append(Fault(f"loop {name}", f"has the sign {unknown[0]!r}", "give + or -"))
            continue
        links = tuple(
            Link(row["from"], row["to"], SIGNS[row["sign"]], row["where"] == "outside")
            for row in group
        )
        pairs = (setting.split("=") for setting in first["switch"].split())
        switches = {name: float(value) for name, value in pairs}
        loop = Loop(name, first["name"], first["polarity"], links, switches, first["note"])
        loops.append(loop)
        faults += _chain_faults(loop, closed=first["closed"] == "yes")
    if faults:
        raise ModelError(faults)
    return tuple(loops)


def _chain_faults(loop: Loop, *, closed: bool) -> Iterator[Fault]:
    where = f"loop {loop.id}"
    for one, following in zip(loop.links, loop.links[1:], strict=False):
        if one.target != following.source:
            yield Fault(
                where,
                f"has a gap ({one.target!r}, then {following.source!r})",
                "begin each link where the one before it ends",
            )
    if closed and loop.links[-1].target != loop.links[0].source:
        yield Fault(where, f"does not close ({loop.links[-1].target!r})", "end where it begins")
    expected = POLARITIES.get(loop.polarity)
    if expected is None or closed != (expected != 0):
        yield Fault(
            where,
            f"has the polarity {loop.polarity!r}",
            "give reinforcing or balancing to a closed chain, driver to an open one",
        )
    elif closed and math.prod(link.sign for link in loop.links) != expected:
        yield Fault(
            where,
            f"is called {loop.polarity} against the product of its signs",
            "mend a sign or the polarity",
        )


def trial_decisions(base: BaseYear) -> Decisions:
    """Decisions above zero everywhere, so that links through decisions can be seen."""
    years = [int(year) for year in base.data["year"].values]
    nothing = no_decisions(base.codes, years)
    starts, places = nothing.starts.copy(), nothing.temporary_places.copy()
    for area in starts["area"].values:
        for service in starts["service"].values:
            standing = base.data[f"initial_{area}_{service}"]
            starts.loc[{"area": area, "service": service}] += TRIAL_STARTS * standing
    places += TRIAL_PLACES * base.data["initial_urban_seats"]
    return replace(
        nothing,
        starts=starts,
        temporary_places=places,
        funded_share=nothing.funded_share * TRIAL_FUNDED,
        bonds=nothing.bonds + TRIAL_BONDS,
    )


def check_loops(
    base: BaseYear,
    parameters: Parameters,
    *,
    loops: Sequence[Loop] | None = None,
    decisions: Decisions | None = None,
    path: Path | None = None,
    time_step: float = 0.25,
    trust: bool = False,
) -> list[LoopResult]:
    """Measure every link of the named loops on a run with the reform.

    Parameters
    ----------
    base : BaseYear
        State of the regions at the start.
    parameters : Parameters
        The registry.
    loops : sequence of Loop, optional
        By default those of the shipped model.
    decisions : Decisions, optional
        For all years of the base year's data; by default `trial_decisions`.
    path : Path, optional
        Model file; by default the shipped model.
    time_step : float, optional
        Euler step, years.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Returns
    -------
    list of LoopResult
        One per loop, in order. Loops that are off by default are measured switched on.

    Raises
    ------
    ModelError
        If the model cannot be run, or an equation on a loop cannot be evaluated.
    """
    chosen = load_loops() if loops is None else loops
    names = {name for loop in chosen for link in loop.links for name in (link.source, link.target)}
    state = states_of_run(
        base,
        parameters,
        trial_decisions(base) if decisions is None else decisions,
        path=bundled.model() if path is None else path,
        compared=names,
        time_step=time_step,
        trust=trust,
    )
    plainly = Probe(state, base.codes)
    return [_check_loop(loop, plainly) for loop in chosen]


def _check_loop(loop: Loop, probe: Probe) -> LoopResult:
    if not loop.switches:
        return LoopResult(loop, tuple(probe.measure(link) for link in loop.links), ())
    settings = ", ".join(f"{name}={value:g}" for name, value in loop.switches.items())
    known = all(plain(name) in probe.state.equations.by_name for name in loop.switches)
    on = probe.with_constants(loop.switches) if known else probe
    results, off = [], False
    for link in loop.links:
        result = on.measure(link)
        if result.status == "inactive" and not known:
            result = replace(result, switch=f"{settings} (not in the model)")
        elif result.status == "holds" and probe.measure(link).status == "inactive":
            result, off = replace(result, switch=settings), True
        results.append(result)
    return LoopResult(loop, tuple(results), tuple(loop.switches) if off else ())
