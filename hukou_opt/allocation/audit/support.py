"""What the centre owes a region and pays at most, by the tables."""

from __future__ import annotations

import numpy as np

from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import Rows, Values, make_rows

_CELL = ("region", "block")


def support_floor(t: Tables, v: Values) -> Rows | None:
    """A supported region's block money and slack reach the promised part of its cost."""
    if not t.on("support_floor"):
        return None
    return make_rows(
        "support_floor",
        t.labels(*_CELL),
        v["central_block"] + v["slack_support_floor"],
        lower=t.par("central_support_rate") * t.block_bill,
        keep=t.p.supported[:, None],
    )


def support_ceiling(t: Tables, v: Values) -> Rows | None:
    """A region's block money stays within the highest part of its cost."""
    if not t.on("support_ceiling"):
        return None
    own, other = t.par("central_support_ceiling"), t.par("other_support_ceiling")
    part = np.array([own if each else other for each in t.p.supported])
    most = part[:, None] * t.block_bill
    return make_rows("support_ceiling", t.labels(*_CELL), v["central_block"], upper=most)


def performance_reward(t: Tables, v: Values) -> Rows | None:
    """Block money and slack reach the reward for the settlers of the block before."""
    if not t.on("performance_reward"):
        return None
    return make_rows(
        "performance_reward",
        t.labels(*_CELL),
        v["central_block"] + v["slack_performance_reward"],
        lower=t.reward,
        keep=t.reward > 0,
    )


ROWS = (support_floor, support_ceiling, performance_reward)
