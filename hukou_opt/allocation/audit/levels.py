"""Service levels of countryside and start, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows
from hukou_opt.allocation.problem import Array

#: Coverage below which a quotient of coverages is taken as one of this.
SMALL = 1e-9


def _over(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share


def asked_rural(t: Tables) -> Array:
    """Rural over urban coverage asked, shape (service, region, year)."""
    covered = np.clip(t.p.start_coverage, None, 1.0)
    today = np.clip(covered[1] / np.clip(covered[0], SMALL, None), None, 1.0)
    goal = t.par("rural_level_target")
    passed = np.arange(1, t.years + 1) / t.years
    start = np.minimum(today, goal)[..., None]
    asked: Array = (1 - passed) * start + passed * goal
    return asked


def rural_level(t: Tables, v: Values) -> Rows | None:
    """Rural coverage and slack less the part of urban coverage that is asked."""
    if not t.on("rural_level"):
        return None
    need, asked = t.p.need[..., : t.years], asked_rural(t)
    activity = _over(v["capacity"][1, :, :, : t.years], need[1]) + v["slack_rural_level"]
    children = t.p.children_hukou + t.p.children_migrant
    placed = v["places_hukou"] + v["places_migrant"]
    activity[0] -= asked[0] * _over(placed, children)
    least = asked.copy()
    least[0] = 0.0
    return make_rows(
        "rural_level",
        t.labels("service", "region", "year"),
        activity,
        lower=least,
        keep=(need[0] > 0) & (need[1] > 0),
    )


def no_dilution(t: Tables, v: Values) -> Rows | None:
    """Coverage and slack reach that of the start, or full coverage."""
    if not t.on("no_dilution"):
        return None
    need = t.p.need[..., : t.years]
    activity = _over(v["capacity"][..., : t.years], need) + v["slack_no_dilution"]
    return make_rows(
        "no_dilution",
        t.labels("area", "service", "region", "year"),
        activity,
        lower=np.clip(t.p.start_coverage, None, 1.0)[..., None],
        keep=need > 0,
    )


ROWS = (rural_level, no_dilution)
