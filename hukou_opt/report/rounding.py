"""Rounding that keeps printed sums: the largest remainder, for lists and for two-way tables.

References
----------
Balinski, M. L. and Young, H. P. (2001). Fair Representation. Brookings. (largest remainder)
Cox, L. H. (1987). A constructive procedure for unbiased controlled rounding. Journal of the
American Statistical Association 82:520-524. (two-way tables)
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Distance below which a figure counts as the round number beside it: a solver's noise.
SNAP = 1e-6
#: The same relative to large figures: what floating point itself loses.
RELATIVE_SNAP = 1e-12


def largest_remainder(values: Numbers, total: float | None = None, digits: int = 0) -> Numbers:
    """Round figures so that they add up to the rounded total.

    Each figure goes down or up to a neighbouring round number; those with the largest remainders
    go up, earlier ones first among equals.

    Parameters
    ----------
    values : array, 1-d
        Figures to round, not negative beyond a solver's noise.
    total : float, optional
        What they must add up to; the rounded sum of the figures by default.
    digits : int, optional
        Decimal places.

    Returns
    -------
    array
        Rounded figures; their sum is `total` to the last digit.

    Raises
    ------
    ValueError
        If a figure is not finite, or no rounding of the figures adds up to the total.
    """
    scale = 10.0**digits
    floors, rest = _split(np.asarray(values, dtype=float) * scale)
    wanted = float(floors.sum() + rest.sum() if total is None else total * scale)
    ups = round_half_up(wanted) - int(floors.sum())
    if not 0 <= ups <= int((rest > 0).sum()):
        raise ValueError(f"no rounding of {values.tolist()} adds up to {total}")
    order = np.argsort(-rest, kind="stable")
    floors[order[:ups]] += 1
    return floors / scale


def round_half_up(value: float) -> int:
    """Nearest whole number; halves go up."""
    return int(np.floor(value + 0.5 + SNAP))


def round_table(
    values: Numbers,
    row_totals: Numbers | None = None,
    column_totals: Numbers | None = None,
    digits: int = 0,
) -> Numbers:
    """Round a two-way table so that rows, columns and the grand total add up.

    Parameters
    ----------
    values : array, 2-d
        Cells to round.
    row_totals, column_totals : array, 1-d, optional
        Rounded totals that must come out; by default the largest-remainder rounding of the sums.
    digits : int, optional
        Decimal places.

    Returns
    -------
    array, 2-d
        Each cell rounded down or up. Rows always add up to `row_totals`; columns to
        `column_totals` where any such rounding exists, else as near as can be.

    Raises
    ------
    ValueError
        If a row cannot add up to its total.
    """
    table = np.asarray(values, dtype=float)
    scale = 10.0**digits
    rows = largest_remainder(table.sum(axis=1), digits=digits) if row_totals is None else row_totals
    floors, rest = _split(table * scale)
    up = np.zeros(table.shape, dtype=bool)
    for at, target in enumerate(np.rint(np.asarray(rows) * scale)):
        ups = int(target - floors[at].sum())
        if not 0 <= ups <= int((rest[at] > 0).sum()):
            raise ValueError(f"row {at} of the table cannot add up to {target / scale}")
        up[at, np.argsort(-rest[at], kind="stable")[:ups]] = True
    if column_totals is None:
        column_totals = largest_remainder(table.sum(axis=0), float(np.sum(rows)), digits)
    surplus = (floors + up).sum(axis=0) - np.rint(np.asarray(column_totals) * scale)
    while (move := _cheapest_move(rest, up, surplus)) is not None:
        for row, giver, taker in move:
            up[row, giver], up[row, taker] = False, True
        surplus[move[0][1]] -= 1
        surplus[move[-1][2]] += 1
    return (floors + up) / scale


def snap(values: Numbers) -> Numbers:
    """Put figures next to a whole number on it, so that cells and their sums agree about noise."""
    near = np.rint(values)
    tolerance = SNAP + RELATIVE_SNAP * np.abs(values)
    return np.where(np.abs(values - near) <= tolerance, near, values)


def _split(scaled: Numbers) -> tuple[Numbers, Numbers]:
    """Floors and remainders; figures next to a round number have no remainder."""
    if not np.isfinite(scaled).all():
        raise ValueError("figures to round must be finite")
    scaled = snap(scaled)
    floors = np.floor(scaled)
    return floors, scaled - floors


def _cheapest_move(
    rest: Numbers, up: NDArray[np.bool_], surplus: Numbers
) -> list[tuple[int, int, int]] | None:
    """Cheapest chain of swaps inside rows that takes one from a column with too much.

    A swap in a row lets one cell go down and another up and costs the remainder that is lost. The
    chain runs over columns (Bellman and Ford) from one with a surplus to one with a deficit.
    """
    columns = rest.shape[1]
    cost = np.full((columns, columns), np.inf)
    row_of = np.zeros((columns, columns), dtype=int)
    for giver in range(columns):
        for taker in range(columns):
            can = up[:, giver] & ~up[:, taker] & (rest[:, taker] > 0)
            if giver != taker and can.any():
                loss = np.where(can, rest[:, giver] - rest[:, taker], np.inf)
                row_of[giver, taker] = int(np.argmin(loss))
                cost[giver, taker] = loss[row_of[giver, taker]]
    distance = np.where(surplus > 0, 0.0, np.inf)
    before = np.full(columns, -1)
    for _ in range(columns - 1):
        for giver in range(columns):
            for taker in range(columns):
                through = distance[giver] + cost[giver, taker]
                if through < distance[taker] - SNAP:
                    distance[taker], before[taker] = through, giver
    ends = np.flatnonzero((surplus < 0) & np.isfinite(distance))
    if not ends.size:
        return None
    chain = [int(ends[np.argmin(distance[ends])])]
    while before[chain[-1]] >= 0 and len(chain) <= columns:
        chain.append(int(before[chain[-1]]))
    chain.reverse()
    return [(int(row_of[a, b]), a, b) for a, b in pairwise(chain)]
