"""Capacity, shortage, idle capacity and teachers, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows, single
from hukou_opt.allocation.problem import Array

_BUILT = ("area", "service", "region")


def all_starts(v: Values) -> Array:
    """Starts of the public purse, and in town those of partners too."""
    total = v["starts"].copy()
    total[0] += v["partner_starts"]
    return total


def grown(t: Tables, v: Values) -> Array:
    """Capacity from the starts so far, shape (area, service, region, every year)."""
    stood: Array = np.einsum("sut,jsru->jsrt", t.ageing, all_starts(v))
    return stood


def capacity_path(t: Tables, v: Values) -> Rows:
    """Capacity less what the starts have become is what stands anyway."""
    stands = t.p.existing
    return make_rows(
        "capacity_path",
        t.labels(*_BUILT, "every"),
        v["capacity"] - grown(t, v),
        lower=stands,
        upper=stands,
    )


def shortage_definition(t: Tables, v: Values) -> Rows:
    """Shortage, capacity and temporary places together reach need."""
    served = v["shortage"] + v["capacity"][..., : t.years]
    served[0, 0] += v["temporary"]
    need = t.p.need[..., : t.years]
    return make_rows("shortage_definition", t.labels(*_BUILT, "year"), served, lower=need)


def idle_definition(t: Tables, v: Values) -> Rows:
    """Capacity less what is idle stays within need and its margin."""
    enough = (1 + t.par("surplus_margin")) * t.p.need
    return make_rows(
        "idle_definition",
        t.labels(*_BUILT, "every"),
        v["capacity"] - v["idle"],
        upper=enough,
    )


def teachers(t: Tables, v: Values) -> Rows | None:
    """New seats stay within what hired and redeployed teachers serve."""
    if not t.on("teachers"):
        return None
    per = t.par("pupils_per_teacher")
    seats = grown(t, v)[:, 0, :, : t.years].sum(axis=0)
    return make_rows(
        "teachers",
        t.labels("region", "year"),
        seats - per * np.cumsum(v["teachers_hired"], axis=1),
        upper=per * t.p.redeployed,
    )


def teacher_posts(t: Tables, v: Values) -> Rows | None:
    """All posts together."""
    if not t.on("teachers"):
        return None
    hired = float(v["teachers_hired"].sum())
    return single("teacher_posts", hired, upper=t.par("teacher_posts"))


ROWS = (capacity_path, shortage_definition, idle_definition, teachers, teacher_posts)
