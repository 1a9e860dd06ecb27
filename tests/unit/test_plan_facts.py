from __future__ import annotations

import re

import pytest

from hukou_opt.plan.facts import FILE, load_facts


def test_the_plan_s_leading_figures() -> None:
    facts = load_facts()
    assert len(facts) > 200
    assert facts["central_fund_total"].value == 50_000
    assert facts["hukou_urban_rate_2033"].value == 0.65
    assert facts["hukou_urban_rate_2033"].year_to == 2033
    shares = ("sector_share_edu", "sector_share_health", "sector_share_ss", "sector_share_other")
    assert sum(facts[name].value or 0 for name in shares) == pytest.approx(1)


def test_ranges_hold_their_values() -> None:
    for fact in load_facts().values():
        if fact.low is not None and fact.high is not None and fact.value is not None:
            assert fact.low <= fact.value <= fact.high, fact.id


def test_the_wording_is_our_own() -> None:
    assert not re.search(r"[\u4e00-\u9fff]", FILE.read_text(encoding="utf-8"))
