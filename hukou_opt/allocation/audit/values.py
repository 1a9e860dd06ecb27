"""Labelled values of the variables: at any point, not only at the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import Grid, Index, full_name
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.problem import Array

#: Axes of the variables of the rules and of the tie-break.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("central", "local", "levy", "unfunded"), ("sector", "region", "year")),
    "bonds": ("builder", "region", "year"),
    "central_block": ("region", "block"),
    "partner_starts": ("service", "region", "year"),
    **dict.fromkeys(("starts", "shortage"), ("area", "service", "region", "year")),
    **dict.fromkeys(("capacity", "idle"), ("area", "service", "region", "every")),
    **dict.fromkeys(
        ("places_hukou", "places_migrant", "temporary", "slip", "teachers_hired"),
        ("region", "year"),
    ),
    "slack_support_floor": ("region", "block"),
    "slack_public_share": ("year",),
    "slack_rural_level": ("service", "region", "year"),
    "slack_no_dilution": ("area", "service", "region", "year"),
    "slack_seat_target": ("year",),
    "slack_performance_reward": ("region", "block"),
    "far_block": ("region", "block"),
    "far_sector": ("sector", "region", "block"),
    "jump": ("area", "service", "region", "later"),
}


@dataclass(frozen=True)
class Values:
    """One value for every variable, by family.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Values in the axes of `FAMILIES`; one axis for families of the levels.
    """

    arrays: Mapping[str, Array]

    def __getitem__(self, family: str) -> Array:
        return self.arrays[family]


@dataclass(frozen=True)
class Rows:
    """The rows of one rule, by the tables.

    Parameters
    ----------
    family : str
        Name of the rule, or of the definition.
    index : Index
        Labels of the rows.
    activity : ndarray, shape (row,)
        What each row adds up to at the values given.
    lower, upper : ndarray, shape (row,)
        Its bounds.
    """

    family: str
    index: Index
    activity: Array
    lower: Array
    upper: Array

    def __len__(self) -> int:
        return len(self.index)

    def name(self, row: int) -> str:
        """Name of one row."""
        return full_name(self.family, self.index.texts[row])

    def missed(self) -> Array:
        """Violation of each row relative to 1 + the size of the bound; 0 where it holds."""
        out = np.zeros(len(self))
        for sign, bound in ((1.0, self.lower), (-1.0, self.upper)):
            real = np.isfinite(bound)
            short = sign * (bound[real] - self.activity[real]) / (1 + np.abs(bound[real]))
            out[real] = np.maximum(out[real], short)
        return out


def make_rows(
    family: str,
    index: Index,
    activity: Array,
    *,
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
    keep: NDArray[np.bool_] | None = None,
) -> Rows:
    """Rows of a family in one line, without the cells that have none."""
    shape = index.shape
    kept = None if keep is None else np.broadcast_to(keep, shape).ravel()

    def flat(values: Array | float) -> Array:
        every: Array = np.broadcast_to(np.asarray(values, dtype=float), shape).ravel()
        return every if kept is None else every[kept]

    left = index if kept is None else index.only(kept)
    return Rows(family, left, flat(activity), flat(lower), flat(upper))


def single(family: str, activity: float, *, lower: float = -np.inf, upper: float = np.inf) -> Rows:
    """A rule of one row without index."""
    return make_rows(family, Grid(()), np.array(activity), lower=lower, upper=upper)


def both_ways(
    t: Tables,
    family: str,
    axes: tuple[str, ...],
    apart: Array,
    *,
    within: Array | float = 0.0,
    upper: Array | float = 0.0,
) -> Rows:
    """Rows ``apart - within <= upper`` and ``-apart - within <= upper``; the sign comes last."""
    activity = np.stack([apart - within, -apart - within], axis=-1)
    most = np.broadcast_to(np.asarray(upper, dtype=float), apart.shape)[..., None]
    return make_rows(family, t.labels(*axes, "sign"), activity, upper=most)
