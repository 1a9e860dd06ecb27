"""Public school places in town, by the tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.audit.index import Grid
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows
from hukou_opt.allocation.problem import Array

#: Children below which nobody is there to share places.
NOBODY = 1e-9
#: Cells in which places are shared alike; None before the solve has found them.
Regime = NDArray[np.bool_] | None


def _seats(t: Tables, v: Values) -> Array:
    """Urban seats and temporary places, shape (region, year)."""
    seats: Array = v["capacity"][0, 0, :, : t.years] + v["temporary"]
    return seats


def _even_part(t: Tables) -> Array:
    """Part of all places that migrant children have by sharing alike, shape (region, year)."""
    hukou, migrant = t.p.children_hukou, t.p.children_migrant
    part: Array = (1 - t.p.hukou_first) * migrant / np.maximum(hukou + migrant, NOBODY)
    return part


def places_total(t: Tables, v: Values) -> Rows:
    """All children in public schools fit into seats, temporary places and stretch."""
    inside = v["places_hukou"] + v["places_migrant"] - _seats(t, v)
    return make_rows("places_total", t.labels("region", "year"), inside, upper=t.p.stretch)


def places_hukou_first(t: Tables, v: Values, alike: Regime = None) -> Rows:
    """Migrant children have what hukou children leave and their even part, as priority goes."""
    first, even = t.p.hukou_first, _even_part(t)
    activity = v["places_migrant"] - (first + even) * _seats(t, v) - v["slip"]
    most = first * (t.p.stretch - t.p.children_hukou) + even * t.p.stretch
    if alike is not None:
        most = np.where(alike, np.inf, most)
    return make_rows("places_hukou_first", t.labels("region", "year"), activity, upper=most)


def places_alike(t: Tables, v: Values, alike: Regime = None) -> Rows:
    """Migrant children have their even part of all places."""
    even = _even_part(t)
    most = even * t.p.stretch
    if alike is not None:
        most = np.where(alike, most, np.inf)
    activity = v["places_migrant"] - even * _seats(t, v)
    return make_rows("places_alike", t.labels("region", "year"), activity, upper=most)


def public_share(t: Tables, v: Values) -> Rows | None:
    """Migrant children in public schools of the target year reach the share but for a slack."""
    years = t.target_year("public_share_target_year") if t.on("public_share") else []
    if not years:
        return None
    (k,) = years
    inside = v["places_migrant"][:, years].sum(axis=0) + v["slack_public_share"][k]
    asked = t.par("public_share_target") * t.p.children_migrant[:, k].sum()
    index = Grid((t.axes["year"][k : k + 1],))
    return make_rows("public_share", index, inside, lower=asked)


ROWS = (places_total, public_share)
#: Rows of which each cell has one that acts.
BY_REGIME = (places_hukou_first, places_alike)


def most_slip(t: Tables) -> Array:
    """Upper bound of the slip, shape (region, year), 10k children."""
    most: Array = t.p.hukou_first * t.p.children_hukou
    return most
