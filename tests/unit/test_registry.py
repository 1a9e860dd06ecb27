from __future__ import annotations

import re
from pathlib import Path

import pytest

from hukou_opt.errors import ParameterError
from hukou_opt.parameters.registry import (
    COLUMNS,
    NOT_STATED,
    Parameter,
    Parameters,
    _read,
    load_parameters,
)
from hukou_opt.plan.facts import load_facts

#: Later years in a source are projections.
LAST_OBSERVED = 2025


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


def test_every_parameter_says_when_it_became_known() -> None:
    rows = load_parameters().rows.values()
    assert [row.name for row in rows if row.known_year == NOT_STATED] == []
    # The plan has figures of 2023 and first deadlines in 2024.
    assert {row.known_year for row in rows if row.status == "plan"} == {2024}


def test_no_value_is_known_before_the_years_its_source_speaks_of() -> None:
    """A figure of 2017 is published later; the plan's dates lie ahead and are left out."""
    early = {}
    for row in load_parameters().rows.values():
        if row.unit == "year" or row.status == "plan" or "plan" in row.source.lower():
            continue
        years = [int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", row.source)]
        past = [year for year in years if year <= LAST_OBSERVED]
        if past and row.known_year < max(past):
            early[row.name] = (row.known_year, row.source)
    assert early == {}


def test_an_earlier_year_knows_fewer_parameters() -> None:
    parameters = load_parameters()
    then, now = parameters.later_than(2016), parameters.later_than(2024)
    assert set(now) < set(then) < set(parameters)
    assert "public_school_share" in then
    assert "public_school_share" not in parameters.later_than(2018)
    assert "inequality_aversion" not in then


def test_later_parameters_are_refused_by_name_all_at_once() -> None:
    parameters = load_parameters()
    parameters.require_known_by(2016, ["inequality_aversion", "pupils_per_teacher"])
    parameters.require_known_by(2018, ["public_school_share"])
    with pytest.raises(ParameterError) as caught:
        parameters.require_known_by(2016, ["public_school_share", "guard", "gaurd"])
    first, second, third = map(str, caught.value.faults)
    assert first.startswith(
        "parameter 'public_school_share' | became known in 2018, after 2016 (0.8) | fit it, or "
    )
    assert second.startswith("parameter 'guard' | became known in 2024, after 2016 (0.05) | ")
    assert third == "parameter 'gaurd' | is unknown | did you mean 'guard'?"


def test_an_assumption_that_was_possible_then_is_accepted() -> None:
    parameters = load_parameters()
    given = parameters.override({"public_school_share": 0.7}, known_year=2014)
    given.require_known_by(2016, ["public_school_share"])
    assert given.rows["public_school_share"].known_year == 2014
    silent = parameters.override({"public_school_share": 0.7})
    with pytest.raises(ParameterError, match=r"after 2016 \(0.7\)"):
        silent.require_known_by(2016, ["public_school_share"])


def test_a_parameter_without_a_year_is_later_than_every_year() -> None:
    bare = Parameter("a", 1.0, 0.0, 2.0, "1", "assumption", "test", "", "test", "model")
    with pytest.raises(ParameterError, match="does not say when it became known"):
        Parameters({"a": bare}).require_known_by(2500, ["a"])


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ("0.5,0.6,0.4", "low lies above high (0.6, 0.4)"),
        ("0.7,0.4,0.6", "value not in its range (0.7)"),
        ("0.5,0.4,0.6", ""),
    ],
)
def test_a_row_with_a_wrong_range_is_refused(tmp_path: Path, figures: str, words: str) -> None:
    path = tmp_path / "mine.csv"
    row = f"share,{figures},1,assumption,2024,a reason,,a meaning"
    path.write_text(",".join(COLUMNS) + f"\n{row}\n", encoding="utf-8")
    _, faults = _read(path)
    assert [f"mine.csv line 2 | {words}" in str(fault) for fault in faults] == [True] * bool(words)
