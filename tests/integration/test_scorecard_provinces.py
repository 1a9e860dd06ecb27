"""The scorecard of the 31 provinces without reform: how much of the targets is the trend."""

from __future__ import annotations

import pytest

import hukou_opt as ho
from hukou_opt.plan.scorecard import Score
from hukou_opt.report.scorecard_figures import scorecard
from hukou_opt.report.scorecard_table import scorecard_words

#: Points of the hukou rate by which a target is nearly met.
NEARLY = 0.01


@pytest.fixture(scope="module")
def without() -> ho.Result:
    return ho.run("no_reform", progress=False)


def by_id(result: ho.Result) -> dict[str, Score]:
    return {each.target.id: each for each in scorecard(result)}


def test_early_targets_of_the_hukou_rate_are_nearly_met_without_reform(without: ho.Result) -> None:
    found = by_id(without)
    assert without.attrs["base"] == "official"
    for name in ("hukou_rate_2026", "hukou_rate_2029"):
        each = found[name]
        assert each.value is not None
        assert each.progress is not None
        assert each.target.target - each.value < NEARLY, name
        # Most of the way that the plan wants is the trend.
        assert each.progress > 0.8, name
    # The later ones are not.
    for name in ("hukou_rate_2030", "hukou_rate_2033", "hukou_rate_2035"):
        each = found[name]
        assert each.value is not None
        assert each.state == "behind", name
        assert each.progress is not None
        assert each.progress < 0.7, name
    assert any("without reform" in note for note in scorecard_words(without).notes)


def test_a_run_without_allocation_has_no_figures_of_money(without: ho.Result) -> None:
    found = by_id(without)
    money = [each for each in found.values() if each.target.section.startswith("7.")]
    assert money
    assert {each.state for each in money} <= {"no_data", "not_modelled"}
