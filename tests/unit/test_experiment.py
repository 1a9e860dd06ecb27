from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from hukou_opt import bundled
from hukou_opt.errors import ExperimentError
from hukou_opt.experiment import (
    Experiment,
    experiment_from,
    experiment_schema,
    load_experiment,
    runs_of,
)
from hukou_opt.experiment.schema import schema_text


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path | str) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        load_experiment(path)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("name", bundled.experiments())
def test_every_shipped_experiment_is_valid_and_fits_the_schema(name: str) -> None:
    for run in runs_of(name):
        assert run.name.partition(".")[0] == name
        assert run.title.en
        assert run.title.zh
        assert run.description
    raw = YAML(typ="safe", pure=True).load(bundled.experiments()[name].read_text(encoding="utf-8"))
    jsonschema.validate(raw, experiment_schema())


def test_the_list_of_experiments_names_them_all() -> None:
    text = (bundled.folder("experiments") / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(\w+)`", text))
    assert set(bundled.experiments()) <= listed


def test_shipped_experiments_say_what_the_plan_says() -> None:
    written, floor, none = map(load_experiment, ("plan_as_written", "floor_as_law", "no_reform"))
    assert written.reform
    assert written.allocation.rules.support_floor == "soft"
    assert floor.allocation.rules.support_floor == "law"
    assert floor.allocation.rules.public_share == "soft"
    assert not none.reform
    assert not none.allocation.enabled
    assert none.horizon == written.horizon


def test_shipped_schema_is_fresh() -> None:
    shipped = bundled.folder("experiments") / "schema.json"
    assert shipped.read_text(encoding="utf-8") == schema_text()


def test_schema_explains_every_key_and_refuses_others() -> None:
    schema = experiment_schema()
    parts = [schema, *schema["$defs"].values()]
    keys = [item for part in parts for item in part.get("properties", {}).values()]
    assert len(keys) > 20
    assert all(item.get("description") for item in keys)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"refrom": True}, schema)


def test_inheritance_is_deep_and_leaves_titles_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "extends: floor_as_law\nallocation:\n  rules:\n    public_share: hard\n"
        "parameters:\n  guard: 0.1\n",
    )
    child = write(tmp_path, "extends: mine.yaml\nparameters: {worst_share: 0.1}\n", "child.yaml")
    mine, grandchild = load_experiment(path), load_experiment(child)
    assert mine.name == "mine"
    assert mine.title_en == mine.title_zh == "mine"
    assert mine.allocation.rules.support_floor == "law"
    assert mine.allocation.rules.public_share == "hard"
    assert grandchild.parameters == {"guard": 0.1, "worst_share": 0.1}


def test_all_faults_come_at_once_with_lines_and_remedies(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """extends: plan_as_written
refrom: true
reform: no
horizon: {end: 2033.5, tial: 3}
parameters:
  central_fund_total: 0
  sector_share_educatoin: 0.3
  sector_share_health: 25
  inequality_aversion: abc
  guard: .nan
allocation:
  rules: {support_floor: lawful}
  comparators: equal_per_head
""",
    )
    text = "\n".join(faults(path))
    for line in (
        "line 2, refrom | is an unknown key | did you mean 'reform'?",
        "line 3, reform | must be true or false ('no')",
        "line 4, horizon.end | must be a whole number (2033.5)",
        "line 4, horizon.tial | is an unknown key | did you mean 'tail'?",
        "line 6, parameters.central_fund_total | there is no money to share out (0)",
        "line 7, parameters.sector_share_educatoin | is unknown | did you mean 'sector_share_educa",
        "a share is given as 0.35, not as 35",
        "line 9, parameters.inequality_aversion | must be a number ('abc')",
        "line 10, parameters.guard | is not finite (nan)",
        "line 12, allocation.rules.support_floor | must be 'off', 'soft', 'law' or 'hard'",
        "line 13, allocation.comparators | must be a list ('equal_per_head')",
    ):
        assert line in text
    assert len(text.splitlines()) == 11


def test_faults_of_levels_and_limits_come_at_once_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """extends: plan_as_written
horizon: {end: 2030}
allocation:
  objectives:
    - unfunded
    - unmett
    - name: unmet
      terms:
        - {measure: unmet_rates, index: gini, betwen: regions}
        - measure: unmet_rate
          index: shortfall
          years: [2023, 2026, 2033]
    - name: Beds
      guard: true
      terms: []
    - unfunded
    - 3
  limits:
    - {measure: unmet_rate, index: mean, at_most: -1, weight: 2}
    - {measure: unmet_rate, index: mean, at_most: 1, services: [], years: [2031]}
""",
    )
    text = "\n".join(faults(path))
    for line in (
        "line 6, allocation.objectives[1] | must be 'unfunded_worst'",
        "('unmett') | did you mean 'unmet'?",
        "line 7, allocation.objectives[2].name | is the name of a shipped level ('unmet')",
        "line 9, allocation.objectives[2].terms[0].measure | must be 'unfunded_share'",
        "line 9, allocation.objectives[2].terms[0].betwen | is an unknown key | did you mean "
        "'between'?",
        "line 12, allocation.objectives[2].terms[1].years | has years that are not decided (2023, "
        "2033) | give years from 2024 to 2030",
        "line 13, allocation.objectives[3].name | must be small letters, digits and _",
        "line 14, allocation.objectives[3].guard | is an unknown key | did you mean 'guarded'?",
        "line 15, allocation.objectives[3].terms | lists nothing | list at least one",
        "line 16, allocation.objectives[4] | is listed a second time ('unfunded', first in "
        "mine.yaml line 5, allocation.objectives[0])",
        "line 17, allocation.objectives[5] | must be the name of a shipped level or a group of "
        "keys (3)",
        "line 19, allocation.limits[0].at_most | must be greater than or equal to 0 (-1)",
        "line 19, allocation.limits[0].weight | is an unknown key | known names: at_most, ",
        "line 20, allocation.limits[1].services | lists nothing",
        "line 20, allocation.limits[1].years | has years that are not decided (2031)",
    ):
        assert line in text
    assert len(text.splitlines()) == 14


def test_a_wrong_item_does_not_make_its_list_empty(tmp_path: Path) -> None:
    text = "allocation: {objectives: [{name: own, terms: [{measure: unmet_rat, index: mean}]}]}\n"
    (fault,) = faults(write(tmp_path, text))
    assert "did you mean 'unmet_rate'?" in fault


def test_no_level_at_all_is_said_in_words(tmp_path: Path) -> None:
    (fault,) = faults(write(tmp_path, "allocation: {objectives: []}\n"))
    assert "line 1, allocation.objectives | lists nothing | list at least one level" in fault


def test_parameters_at_odds_are_found_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """allow_out_of_range: true
horizon: {end: 2030}
parameters:
  cost_split_health: 0.3
  unit_cost_urban_bed: 0
  land_net_share: 0.07
  central_support_rate: 0.8
  bond_region_multiple: 0.5
  public_share_target_year: 2031
  seat_target_year: 2023
  capacity_share_target_year: 2025.5
allocation:
  rules: {support_ceiling: on}
""",
    )
    text = "\n".join(faults(path))
    for line in (
        "line 4, parameters.cost_split_health | the shares of the service cost of a settler",
        "(0.35 + 0.3 + 0.3 + 0.1 = 1.05)",
        "line 5, parameters.unit_cost_urban_bed | must be above 0, rule money_balance (0)",
        "line 6, parameters.land_net_share | earmarks take more than the net part, 0.07,",
        "line 7, parameters.central_support_rate | the floor of central support lies above",
        "line 8, parameters.bond_region_multiple | the regions' ceilings of bonds add up to 1000",
        "line 9, parameters.public_share_target_year | lies after the last year decided, 2030",
        "line 10, parameters.seat_target_year | lies before the first year decided, 2024",
        "line 11, parameters.capacity_share_target_year | is no whole year (2025.5)",
    ):
        assert line in text
    assert len(text.splitlines()) == 8


def test_a_short_plan_leaves_out_targets_that_nobody_demands(tmp_path: Path) -> None:
    assert load_experiment(write(tmp_path, "horizon: {end: 2025}\n")).horizon.end == 2025
    for rule in ("public_share", "seat_target"):
        text = f"horizon: {{end: 2025}}\nallocation: {{rules: {{{rule}: law}}}}\n"
        (fault,) = faults(write(tmp_path, text))
        assert f"rule {rule} (2026)" in fault
        assert fault.startswith(f"parameters.{rule}".removesuffix("_target"))
        assert "lies after the last year decided, 2025" in fault
    off = "horizon: {end: 2025}\nallocation: {enabled: false, rules: {public_share: law}}\n"
    assert not load_experiment(write(tmp_path, off)).allocation.enabled


@pytest.mark.parametrize("fund", ["0", "-5"])
def test_no_budget_is_refused_even_when_ranges_are_off(tmp_path: Path, fund: str) -> None:
    path = write(
        tmp_path, f"allow_out_of_range: true\nparameters: {{central_fund_total: {fund}}}\n"
    )
    assert "no money to share out" in faults(path)[0]


def test_sector_shares_must_sum_to_one_after_the_change(tmp_path: Path) -> None:
    path = write(tmp_path, "parameters: {sector_share_health: 0.3}\n")
    (fault,) = faults(path)
    assert "0.35 + 0.3 + 0.3 + 0.1 = 1.05" in fault
    good = "parameters: {sector_share_health: 0.3, sector_share_education: 0.3}\n"
    assert load_experiment(write(tmp_path, good)).parameters["sector_share_health"] == 0.3


def test_out_of_range_needs_a_word(tmp_path: Path) -> None:
    text = "parameters: {guard: 1.5}\n"
    assert "is outside its range" in faults(write(tmp_path, text))[0]
    loose = load_experiment(write(tmp_path, "allow_out_of_range: true\n" + text))
    assert loose.parameters == {"guard": 1.5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: plan_as_writen\n", "unknown parent ('plan_as_writen') | did you mean"),
        ("extends: there/is/none.yaml\n", "unknown parent"),
        ("extends: mine.yaml\n", "files extend each other (mine.yaml -> mine.yaml)"),
        ("extends: [a]\n", "must be a name or a path"),
        ("a: 1\na: 2\n", "line 2 | is not valid YAML (found duplicate key"),
        ("a: [1\n", "is not valid YAML"),
        ("- 1\n", "is no mapping"),
        ("", "is empty"),
        ("time_step: 0.3\n", "line 1, time_step | must divide the year exactly"),
        ("horizon: {end: 2020}\n", "base_year < end <= tail must hold"),
        ("schema_version: 2\n", "schema_version | must be 1"),
        ("name: a/b\n", "must be letters, digits"),
        ("coupling: {max_rounds: 0}\n", "coupling.max_rounds"),
        ("parameters: 3\n", "must be a group of keys"),
    ],
)
def test_each_bad_file_has_its_words(tmp_path: Path, text: str, words: str) -> None:
    assert words in "\n".join(faults(write(tmp_path, text)))


def test_unknown_names_and_files() -> None:
    assert "did you mean 'no_reform'?" in faults("no_refrm")[0]
    assert "there is no such file" in faults("folder/none.yaml")[0]


def test_yaml_1_2_reads_numbers_as_they_look(tmp_path: Path) -> None:
    path = write(tmp_path, "coupling: {tolerance: 1e-3}\nregions: data/own.csv\n")
    loaded = load_experiment(path)
    assert loaded.coupling.tolerance == 0.001
    assert loaded.regions_source == tmp_path.resolve() / "data/own.csv"
    assert load_experiment("no_reform").regions_source == "china_provinces"


def test_resolved_text_gives_the_same_experiment_again(tmp_path: Path) -> None:
    first = load_experiment("floor_as_law")
    again = load_experiment(write(tmp_path, first.to_yaml(), "again.yaml"))
    assert again.to_yaml() == first.to_yaml()
    assert json.loads(again.model_dump_json()) == json.loads(first.model_dump_json())


def test_experiments_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_experiment("no_reform").reform = True  # type: ignore[misc]


def test_settings_in_python_are_checked_like_a_file() -> None:
    assert experiment_from({"name": "mine", "reform": False}) == Experiment(
        name="mine", reform=False
    )
    with pytest.raises(ExperimentError, match="did you mean 'reform'"):
        experiment_from({"name": "mine", "refrm": False})
    with pytest.raises(ExperimentError, match=r"name \| is missing"):
        experiment_from({})
