"""What the plan wants and the linear program does not see: figures of an answer, and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hukou_opt.allocation.problem import SEAT_COUNTS, Problem
from hukou_opt.allocation.rules.cells import Asked
from hukou_opt.allocation.rules.rule import Rule

if TYPE_CHECKING:
    from hukou_opt.allocation.solution import Solution

RULES = (
    Rule(
        name="capacity_share",
        title=(
            "Room for migrant children in public schools, as the plan wants it by the target year"
        ),
        title_zh="目标年份公办学校容纳随迁子女的能力占比",
        equation=(
            "sum_r min(KM, max(0, cap + temporary - KU)) / sum_r KM >= target; room beyond a "
            "region's own children counts nowhere"
        ),
        latex=(
            r"\frac{\sum_r \min\left( N^M_{rt^*},\, \max\left( 0,\, "
            r"K_{\mathrm{urban},\mathrm{seats},rt^*} + \tau_{rt^*} - N^U_{rt^*} \right) "
            r"\right)}{\sum_r N^M_{rt^*}} \ge \theta_K"
        ),
        unit="1",
        section="plan 9.2",
        kind="report",
        form="figure",
        parameters=(
            "capacity_share_target",
            "capacity_share_target_year",
        ),
    ),
    Rule(
        name="city_spending_share",
        title="Part of public spending that goes to making migrants citizens",
        title_zh="用于农业转移人口市民化的支出占比",
        equation=(
            "mean yearly F + A + B + E / general budget expenditure of the base year >= share; "
            "the denominator stands in for city spending, which no table gives"
        ),
        latex=(
            r"\frac{1}{|T|} \sum_{g,t} \frac{F_{grt} + A_{grt} + B_{grt} + E_{grt}}{X_r} \ge "
            r"\theta_X"
        ),
        unit="1",
        section="plan 7.1",
        kind="report",
        form="figure",
        parameters=("city_spending_share_target",),
    ),
    Rule(
        name="running_bill",
        title="The bill that goes on after the last year, and what earmarks and levy cover of it",
        title_zh="期满后每年延续的账单及地方资金可覆盖部分",
        equation=(
            "cost of the last year + payments to partners <= local ceiling + levy, region by region"
        ),
        latex=(
            r"\sum_r \Bigl( \sum_g c_{grT} + \eta \sum_{s,u} \alpha\, "
            r"\kappa_{\mathrm{urban},s}\, y_{sru} \Bigr) \le \sum_r \min\left( \text{the "
            r"same}_r,\; \bar A_{rT} + \bar E_{rT} \right)"
        ),
        unit="100m yuan per year",
        section="assumption: settlers and ceilings of the last year",
        kind="report",
        form="figure",
        parameters=(
            "partner_capital_share",
            "partner_yearly_payment",
        ),
    ),
    Rule(
        name="fund_used",
        title="Part of the central fund that the answer spends",
        title_zh="中央基金的实际使用额",
        equation="sum F of C",
        latex=r"\sum_{g,r,t} F_{grt} \le C",
        unit="100m yuan",
        section="plan 7.1",
        kind="report",
        form="figure",
        parameters=("central_fund_total",),
    ),
    Rule(
        name="earmarks_within_revenue",
        title="Earmarks and levy take no more than the net revenue from land",
        title_zh="计提与统筹之和不超过土地净收益",
        equation="(province + city share) x net part + levy rate <= net part",
        latex=r"(\gamma_p + \gamma_c)\, \nu + \psi \le \nu",
        unit="1",
        section="plan 7.1, 6.4",
        kind="check",
        form="figure",
        parameters=(
            "province_land_share",
            "city_land_share",
            "land_net_share",
            "east_levy_share",
        ),
    ),
)


def seats_counted(p: Problem, s: Solution, year: int, counts: str) -> float:
    """New urban seats of an answer at the end of a year, completed or started, 10k."""
    k = p.column(year)
    starts = s.all_starts[0, 0, :, : k + 1].sum(axis=0)
    if counts == "started":
        return float(starts.sum())
    return float(starts @ p.standing[0, k::-1])


def seat_target_cell(p: Problem, s: Solution, counts: str, kind: str) -> list[Asked]:
    """The seat target by one way of counting; nothing where its year is not decided."""
    year = round(p.parameters["seat_target_year"])
    if year not in p.years:
        return []
    got = seats_counted(p, s, year, counts)
    where = f"nation, {year}, {counts}"
    return [
        Asked("seat_target", "plan 3.1", where, p.parameters["seat_target"], got, "10k seats", kind)
    ]


def _capacity_share(p: Problem, s: Solution) -> list[Asked]:
    year = round(p.parameters["capacity_share_target_year"])
    if year not in p.years or not p.children_migrant[:, p.column(year)].sum() > 0:
        return []
    k = p.column(year)
    migrant = p.children_migrant[:, k]
    room = s.capacity[0, 0, :, k] + s.temporary[:, k] - p.children_hukou[:, k]
    got = float(np.clip(room, 0.0, migrant).sum() / migrant.sum())
    target = p.parameters["capacity_share_target"]
    return [Asked("capacity_share", "plan 9.2", f"nation, {year}", target, got, "1", "report")]


def _city_spending_share(p: Problem, s: Solution) -> list[Asked]:
    if p.expenditure is None:
        return []
    money = (s.central + s.local + s.bonds + s.levy).sum(axis=(0, 2)) / len(p.years)
    target = p.parameters["city_spending_share_target"]
    return [
        Asked(
            "city_spending_share",
            "plan 7.1",
            f"region {code}, {p.years[0]}-{p.years[-1]}",
            target,
            float(money[i] / p.expenditure[i]),
            "1",
            "report",
        )
        for i, code in enumerate(p.codes)
        if p.expenditure[i] > 0
    ]


def _running_bill(p: Problem, s: Solution) -> list[Asked]:
    bill = p.cost[:, :, -1].sum(axis=0) + s.payments_after(p).sum(axis=0)
    covered = np.minimum(bill, p.local_ceiling[:, -1] + p.levy_ceiling[:, -1])
    return [
        Asked(
            "running_bill",
            "assumption",
            f"nation, each year after {p.years[-1]}",
            float(bill.sum()),
            float(covered.sum()),
            "100m yuan/year",
            "report",
        )
    ]


def _fund_used(p: Problem, s: Solution) -> list[Asked]:
    where = f"nation, {p.years[0]}-{p.years[-1]}"
    spent = float(s.central.sum())
    return [Asked("fund_used", "plan 7.1", where, p.fund, spent, "100m yuan", "report")]


def reports(p: Problem, s: Solution) -> list[Asked]:
    """Every cell of every rule that is reported only."""
    acts = p.modes["seat_target_counts"] if p.on("seat_target") else None
    counted = [
        cell
        for counts in SEAT_COUNTS
        if counts != acts
        for cell in seat_target_cell(p, s, counts, "report")
    ]
    return [
        *counted,
        *_capacity_share(p, s),
        *_city_spending_share(p, s),
        *_running_bill(p, s),
        *_fund_used(p, s),
    ]
