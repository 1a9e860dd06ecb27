"""Limits of building and the target of new seats, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.capacity import all_starts
from hukou_opt.allocation.audit.index import Grid
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, both_ways, make_rows
from hukou_opt.allocation.problem import Array

#: Persons, seats and beds are counted in this many.
UNIT = 10_000.0


def build_rate_together(t: Tables, v: Values) -> Rows | None:
    """Public and private starts in town share one limit."""
    if not (t.on("build_rate") and t.on("private_partners")):
        return None
    return make_rows(
        "build_rate_together",
        t.labels("service", "region", "year"),
        v["starts"][0] + v["partner_starts"],
        upper=t.build_limit[0],
    )


def private_partners(t: Tables, v: Values) -> Rows | None:
    """What partners start in all, of each service."""
    if not t.on("private_partners"):
        return None
    schools = t.par("partner_schools") * t.par("partner_school_seats")
    hospitals = t.par("partner_hospitals") * t.par("partner_hospital_beds")
    return make_rows(
        "private_partners",
        t.labels("service"),
        v["partner_starts"].sum(axis=(1, 2)),
        upper=np.array([schools, hospitals]) / UNIT,
    )


def building_steps(t: Tables, v: Values) -> Rows | None:
    """Starts change from year to year by a part of the limit at most."""
    if not t.on("building_steps"):
        return None
    return both_ways(
        t,
        "building_steps",
        ("area", "service", "region", "later"),
        np.diff(v["starts"], axis=-1),
        upper=t.par("building_step") * t.build_limit[..., 1:],
    )


def seat_target(t: Tables, v: Values) -> Rows | None:
    """New urban seats by the target year, standing or started, reach the target but for a slack."""
    years = t.target_year("seat_target_year") if t.on("seat_target") else []
    if not years:
        return None
    (k,) = years
    by_year = all_starts(v)[0, 0].sum(axis=0)[: k + 1]
    started = t.p.modes["seat_target_counts"] == "started"
    counted = np.ones(k + 1) if started else t.ageing[0, : k + 1, k]
    seats: Array = np.array([counted @ by_year + v["slack_seat_target"][k]])
    index = Grid((t.axes["year"][k : k + 1],))
    return make_rows("seat_target", index, seats, lower=t.par("seat_target"))


ROWS = (build_rate_together, private_partners, building_steps, seat_target)


def most_starts(t: Tables) -> Array:
    """Upper bound of public starts, shape (area, service, region, year)."""
    limit = t.build_limit if t.on("build_rate") else np.full_like(t.build_limit, np.inf)
    return limit


def most_partner_starts(t: Tables) -> Array:
    """Upper bound of private starts, shape (service, region, year)."""
    if not t.on("private_partners"):
        return np.zeros_like(t.build_limit[0])
    town: Array = most_starts(t)[0]
    return town
