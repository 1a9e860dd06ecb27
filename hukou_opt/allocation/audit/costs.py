"""The cost rows of the levels, by the tables."""

from __future__ import annotations

from collections.abc import Mapping

from hukou_opt.allocation.audit.building import seat_target
from hukou_opt.allocation.audit.capacity import all_starts
from hukou_opt.allocation.audit.indices import RATIOS, Aim
from hukou_opt.allocation.audit.levels import no_dilution, rural_level
from hukou_opt.allocation.audit.places import public_share
from hukou_opt.allocation.audit.support import performance_reward, support_floor
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.tie_break import near_need
from hukou_opt.allocation.audit.values import FAMILIES, Values
from hukou_opt.allocation.problem import SOFT_RULES

#: Rows of the soft rules.
SOFT = {
    "support_floor": support_floor,
    "public_share": public_share,
    "rural_level": rural_level,
    "no_dilution": no_dilution,
    "seat_target": seat_target,
    "performance_reward": performance_reward,
}
#: Soft rules whose shortfall is counted over all that they ask; the others over their cells.
BY_AMOUNT = ("support_floor", "public_share", "seat_target", "performance_reward")


def missed(t: Tables, v: Values, rule: str) -> float:
    """Slack of a soft rule over what it asks; 0 where it has no rows."""
    rows = SOFT[rule](t, v)
    if rows is None or not len(rows):
        return 0.0
    there = set(rows.index.texts)
    slack = f"slack_{rule}"
    labels = t.labels(*FAMILIES[slack]).texts
    total = sum(
        float(value)
        for label, value in zip(labels, v[slack].ravel(), strict=True)
        if label in there
    )
    asked = float(rows.lower.sum()) if rule in BY_AMOUNT else float(len(rows))
    return total / asked if asked > 0 else 0.0


def extra(t: Tables, v: Values) -> float:
    """Building whoever pays, temporary places, idle capacity and teachers, over the fund."""
    price = t.p.unit_cost[..., None, None]
    build = float((price * all_starts(v)).sum())
    idle = t.par("stranded_years_charge") * float((price * v["idle"]).sum())
    bought = t.par("temporary_place_cost") * float(v["temporary"].sum())
    hired = t.par("teacher_pay") * float(v["teachers_hired"].sum())
    return (build + bought + idle + hired) / t.p.fund


def _slip(t: Tables, v: Values) -> float:
    children = float(t.p.children_migrant.sum())
    return float(v["slip"].sum()) / children if children > 0 else 0.0


def _unfunded_total(t: Tables, v: Values) -> float:
    bill = float(t.p.cost.sum())
    return float(v["unfunded"].sum()) / bill if bill > 0 else 0.0


def level_values(
    t: Tables, v: Values, levels: list[list[Aim]], limits: list[Aim]
) -> Mapping[str, float]:
    """Every cost row at some values, by the name that it has in the program."""

    def in_mode(mode: str) -> list[float]:
        return [missed(t, v, rule) for rule in SOFT_RULES if t.p.modes[rule] == mode]

    soft = in_mode("soft")
    out = {
        "slip": _slip(t, v),
        "demanded": sum(in_mode("hard")),
        "law": sum(in_mode("law")),
        "slack": sum(soft) / max(len(soft), 1),
        "cost": extra(t, v),
        "near_need": near_need(t, v),
    }
    if any(level.name == "unfunded_total" for level in t.p.aims.levels):
        out["unfunded_total"] = _unfunded_total(t, v)
    for terms in levels:
        for aim in terms:
            out[aim.level] = out.get(aim.level, 0.0) + aim.term.weight * aim.value(v)
            if aim.term.index in RATIOS:
                out[f"{aim.level}:mean"] = aim.mean(v)
    for limit in limits:
        for i, (value, mean) in enumerate(zip(*limit.values(v), strict=True)):
            out[f"{limit.level}:{i}"] = float(value)
            out[f"{limit.level}:{i}:mean"] = float(mean)
    if limits:
        out["limits"] = float(v["limit_excess"].item())
    return out
