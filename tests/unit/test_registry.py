from __future__ import annotations

import pytest

from hukou_opt.errors import ParameterError
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.plan.facts import load_facts


def test_every_plan_fact_of_the_registry_is_in_the_plan() -> None:
    facts = load_facts()
    named = {row.name: row.plan_fact for row in load_parameters().rows.values() if row.plan_fact}
    assert {name: fact for name, fact in named.items() if fact not in facts} == {}


def test_every_parameter_of_the_plan_names_its_fact_or_section() -> None:
    bare = [
        row.name
        for row in load_parameters().rows.values()
        if row.status == "plan" and not row.plan_fact and "plan" not in row.source.lower()
    ]
    assert bare == []


def test_the_fund_is_the_plan_s() -> None:
    assert load_parameters()["central_fund_total"] == load_facts()["central_fund_total"].value


def test_override_lists_all_faults_and_notes_what_changed() -> None:
    parameters = load_parameters()
    changed = parameters.override({"guard": 0.1, "worst_share": parameters["worst_share"]})
    assert changed["guard"] == 0.1
    assert changed.overridden == {"guard"}
    assert parameters.overridden == frozenset()
    with pytest.raises(ParameterError) as caught:
        parameters.override({"gaurd": 1.0, "guard": 7.0, "worst_share": float("inf")})
    assert len(caught.value.faults) == 3
    assert "did you mean 'guard'?" in str(caught.value)


def test_an_unknown_name_has_a_suggestion() -> None:
    with pytest.raises(ParameterError, match="did you mean 'guard'"):
        load_parameters()["gaurd"]
