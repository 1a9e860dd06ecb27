"""Moves across province borders within five years: one table per census or population survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.regions.history_columns import MOVES, SeriesColumn, periods


def no_moves(codes: Sequence[str]) -> xr.Dataset:
    """Lay out the moves of a table that has none: no period."""
    empty = np.empty((len(codes), 0))
    return xr.Dataset(
        {
            **dict.fromkeys(MOVES, (("region", "period"), empty)),
            "known_year": ("period", np.empty(0, dtype=np.int64)),
        },
        coords={"region": list(codes), "period": np.empty(0, dtype="<U9")},
    )


def read_moves(
    folder: Path, codes: Sequence[str], about: Mapping[str, Sequence[SeriesColumn]]
) -> xr.Dataset:
    """Read the moves of a shipped table, with the year in which each period became known.

    Parameters
    ----------
    folder : Path
        Folder of the table.
    codes : sequence of str
        Region codes in the table's order.
    about : mapping of str to sequence of SeriesColumn
        Spans of every series; those of the moves are the periods.

    Returns
    -------
    Dataset, dims (region, period)
        ``in_moves``, ``out_moves``, 10k persons, and ``known_year`` (period).
    """
    path = folder / "moves_5yr.csv"
    if not path.is_file():
        return no_moves(codes)
    cells = pd.read_csv(path, dtype={"code": str}).set_index(["code", "period"])
    known = periods(about[MOVES[0]])
    labels = sorted(set(cells.index.get_level_values("period")))
    index = pd.MultiIndex.from_product([codes, labels])
    full = cells.reindex(index)
    shape = (len(codes), len(labels))
    return xr.Dataset(
        {
            **{
                name: (("region", "period"), full[name].to_numpy().reshape(shape)) for name in MOVES
            },
            "known_year": ("period", [known[label] for label in labels]),
        },
        coords={"region": list(codes), "period": labels},
    )
