"""Shadow prices in a result: every rule in every level, by region and by year."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.allocation.explain.prices import RulePrice, periods_of
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.solve import Allocation

#: Entry that is the price of the whole fund, not of one of its rows.
FUND = "central_fund"


def prices_group(p: Problem, allocation: Allocation) -> xr.Dataset:
    """Prices of the fund and of every rule, in the order of rules and levels.

    Parameters
    ----------
    p : Problem
        Inputs.
    allocation : Allocation
        Its answer.

    Returns
    -------
    Dataset
        ``value``: fall of the level if every row of the rule gave way by one unit; ``largest`` and
        ``where``: the dearest row; ``by_region`` and ``by_period``: sums of the rows that belong to
        a region, and to a year or block.
    """
    rules = {rule.name: rule for rule in RULES}
    nothing = np.zeros(len(p.codes)), np.zeros(len(periods_of(p)))
    fund = [
        RulePrice(FUND, level, "100m yuan", price, price, "", 1, int(price != 0), False, *nothing)
        for level, price in _of_fund(allocation).items()
    ]
    found = [*fund, *allocation.rule_prices]
    titles = {
        name: (rule.title, rule.title_zh, rule.section, rule.kind) for name, rule in rules.items()
    }
    titles[FUND] = (
        "The central fund, spread over the years like the fund",
        "中央基金（按年等额到位）",
        "plan 7.1",
        "hard",
    )
    about = [titles[each.rule] for each in found]
    text = {
        key: ("price", np.array([row[i] for row in about]))
        for i, key in enumerate(("title_en", "title_zh", "section", "kind"))
    }
    figures = {
        name: ("price", np.array([getattr(each, key) for each in found]))
        for name, key in {
            "value": "every_row",
            "rule": "rule",
            "level": "level",
            "unit": "unit",
            "largest": "largest",
            "where": "where",
            "rows": "rows",
            "priced": "priced",
        }.items()
    }
    figures["equation"] = ("price", np.array([int(each.equation) for each in found]))
    return xr.Dataset(
        {
            **figures,
            **text,
            "by_region": (("price", "region"), np.array([each.by_region for each in found])),
            "by_period": (("price", "period"), np.array([each.by_period for each in found])),
        },
        {
            "price": [f"{each.rule}:{each.level}" for each in found],
            "region": list(p.codes),
            "period": list(periods_of(p)),
        },
    )


def _of_fund(allocation: Allocation) -> dict[str, float]:
    return {
        name.partition(":")[2]: value
        for name, value in allocation.prices.items()
        if name.startswith(f"{FUND}:")
    }
