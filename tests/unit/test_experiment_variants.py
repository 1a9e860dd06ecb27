from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from hukou_opt.errors import ExperimentError
from hukou_opt.experiment import (
    experiment_from,
    experiment_schema,
    load_experiment,
    runs_of,
    shipped_runs,
)

FAMILY = """\
extends: floor_as_law
title: {en: A family}
description: What all have in common.
parameters:
  guard: 0.1
allocation:
  comparators: []
variants:
  low:
    title: {en: Low, zh: 低}
    parameters: {worst_share: 0.1}
  high:
    title: {en: High}
    description: The high one.
    parameters:
      guard: 0.2
    allocation:
      rules: {public_share: hard}
    expect:
      - {quantity: hukou_rate, year: 2033, value: 0.65, relative: 0.02}
"""


def write(folder: Path, text: str, name: str = "family.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(name: Path | str) -> str:
    with pytest.raises(ExperimentError) as caught:
        runs_of(name)
    return "\n".join(str(fault) for fault in caught.value.faults)


def test_the_runs_of_a_family_are_its_variants(tmp_path: Path) -> None:
    low, high = runs_of(write(tmp_path, FAMILY))
    assert (low.name, high.name) == ("family.low", "family.high")
    assert (low.title_en, low.title_zh, high.title_zh) == ("Low", "低", "High")
    assert (low.description, high.description) == ("", "The high one.")
    assert low.parameters == {"guard": 0.1, "worst_share": 0.1}
    assert high.parameters == {"guard": 0.2}
    assert low.allocation.rules.support_floor == high.allocation.rules.support_floor == "law"
    assert (low.allocation.rules.public_share, high.allocation.rules.public_share) == (
        "soft",
        "hard",
    )
    assert low.allocation.comparators == high.allocation.comparators == ()
    assert not low.expect
    assert [(each.quantity, each.value) for each in high.expect] == [("hukou_rate", 0.65)]
    assert high.expect[0].allowed == pytest.approx(0.013)


@pytest.mark.parametrize("ending", ["family.yaml.high", "family.high"])
def test_a_variant_is_run_by_name(tmp_path: Path, ending: str) -> None:
    write(tmp_path, FAMILY)
    assert load_experiment(tmp_path / ending) == runs_of(tmp_path / ending)[0]
    assert load_experiment(tmp_path / ending) == runs_of(tmp_path / "family.yaml")[1]


def test_a_family_is_no_single_experiment(tmp_path: Path) -> None:
    path = write(tmp_path, FAMILY)
    with pytest.raises(ExperimentError) as caught:
        load_experiment(path)
    assert "is a family of 2 experiments" in str(caught.value)
    assert f"name one: {path}.low, {path}.high" in str(caught.value)


def test_an_experiment_extends_a_variant_or_what_a_family_has_in_common(tmp_path: Path) -> None:
    write(tmp_path, FAMILY)
    high = load_experiment(
        write(tmp_path, "extends: family.high\nparameters: {worst_share: 0.5}\n", "a.yaml")
    )
    assert high.name == high.title_en == "a"
    assert high.parameters == {"guard": 0.2, "worst_share": 0.5}
    assert high.allocation.rules.public_share == "hard"
    assert not high.expect
    common = load_experiment(write(tmp_path, "extends: family.yaml\n", "b.yaml"))
    assert common.parameters == {"guard": 0.1}
    assert runs_of(tmp_path / "b.yaml") == (common,)
    text = "extends: family.low\nvariants: {c: {title: {en: C}, parameters: {guard: 0.3}}}\n"
    (grown,) = runs_of(write(tmp_path, text, "grown.yaml"))
    assert grown.name == "grown.c"
    assert grown.parameters == {"guard": 0.3, "worst_share": 0.1}


def test_trust_goes_with_the_model_that_it_was_written_for(tmp_path: Path) -> None:
    write(tmp_path, "not read here", "one.mdl")
    write(tmp_path, "not read here", "two.mdl")
    text = (
        "model: one.mdl\ntrust_model: true\nvariants:\n  same: {title: {en: S}}\n"
        "  other: {title: {en: O}, model: two.mdl}\n"
    )
    path = write(tmp_path, text)
    assert load_experiment(f"{path}.same").trust_model
    with pytest.raises(ExperimentError, match=r"is not a model of the toolkit \('two.mdl'\)"):
        load_experiment(f"{path}.other")


def test_all_faults_of_a_family_come_at_once_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """title: {en: A family}
parameters: {gaurd: 0.1}
expect:
  - {quantity: hukou_rate, value: 0.5, tolerance: 1}
variants:
  one:
    title: {en: One}
    parametres: {guard: 0.1}
    horizon: {end: 2033.5}
  One:
    name: other
    extends: no_reform
    title: {zh: 二}
    parameters: {guard: 3}
  a.b:
    title: {en: Dot}
  none:
""",
    )
    text = faults(path)
    for line in (
        "family.yaml line 2, parameters.gaurd | is unknown | did you mean 'guard'?",
        "family.yaml line 3, expect | stands in a family, which is not run itself",
        "family.yaml line 8, variants.one.parametres | is an unknown key | did you mean",
        "family.yaml line 9, variants.one.horizon.end | must be a whole number (2033.5)",
        "family.yaml line 10, variants.One | differs from 'one' in capitals only ('One')",
        "family.yaml line 10, variants.One | has no English title",
        "family.yaml line 11, variants.One.name | does not belong into a variant",
        "family.yaml line 12, variants.One.extends | does not belong into a variant",
        "family.yaml line 14, variants.One.parameters.guard | is outside its range",
        "family.yaml line 15, variants.a.b | must be letters, digits, _ and - only ('a.b')",
        "family.yaml line 17, variants.none | must be a group of keys",
    ):
        assert line in text
    assert text.count("gaurd") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("variants: 3\n", "line 1, variants | must be a group of variants by name (3)"),
        ("variants: {}\n", "line 1, variants | lists nothing"),
        ("variants: {a: {title: {en: A}}, a: {}}\n", "found duplicate key"),
        ("varaints: {a: {}}\n", "varaints | is an unknown key | did you mean 'variants'?"),
        (
            "variants: {a: {title: {en: A}, variants: {b: {}}}}\n",
            "variants.a.variants | does not belong into a variant",
        ),
        ("extends: family.a\nvariants: {a: {title: {en: A}}}\n", "files extend each other"),
        ("variants: {a: {title: A}}\n", "line 1, variants.a.title | must be a group of keys"),
        ("extends: none_such.a\n", "unknown parent ('none_such.a') | known names:"),
    ],
)
def test_each_bad_family_has_its_words(tmp_path: Path, text: str, words: str) -> None:
    assert words in faults(write(tmp_path, text))


def test_unknown_variants_are_told_with_those_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path, FAMILY)
    assert "has no such variant ('lwo') | did you mean 'low'?" in faults(f"{path}.lwo")
    assert "has no variants (no_reform.yaml) | leave .low out" in faults("no_reform.low")
    assert "experiment 'no_refrm.low' | is neither" in faults("no_refrm.low")
    assert "did you mean 'no_reform'?" in faults("no_refrm.low")
    child = write(tmp_path, "extends: family.lwo\n", "child.yaml")
    assert "line 1, extends | unknown parent ('family.lwo') | did you mean 'low'?" in faults(child)


def test_keys_that_come_by_a_yaml_merge_are_read_and_placed(tmp_path: Path) -> None:
    text = (
        "variants:\n  a:\n    title: {en: A}\n    parameters: &same\n      guard: 0.2\n"
        "  b:\n    title: {en: B}\n    parameters:\n      <<: *same\n      worst_share: 0.1\n"
    )
    b = load_experiment(f"{write(tmp_path, text)}.b")
    assert b.parameters == {"guard": 0.2, "worst_share": 0.1}
    bad = faults(write(tmp_path, text.replace("guard: 0.2", "guard: 3")))
    assert "variants.b.parameters.guard | is outside its range" in bad


def test_families_are_for_files() -> None:
    with pytest.raises(ExperimentError, match=r"variants . works in a file only"):
        experiment_from({"name": "mine", "variants": {"a": {}}})


def test_the_resolved_text_of_a_variant_is_an_experiment_file(tmp_path: Path) -> None:
    high = runs_of(write(tmp_path, FAMILY))[1]
    again = load_experiment(write(tmp_path, high.to_yaml(), "again.yaml"))
    assert again.name == "family.high"
    assert again.to_yaml() == high.to_yaml()
    assert "expect" not in high.to_yaml()


def test_the_schema_knows_families() -> None:
    schema = experiment_schema()
    jsonschema.validate(YAML(typ="safe", pure=True).load(FAMILY), schema)
    for text in (
        "variants: {a: {}}",
        "variants: {a: {title: {en: A}, name: b}}",
        "variants: {a.b: {title: {en: A}}}",
        "variants: {}",
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(YAML(typ="safe", pure=True).load(text), schema)


def test_shipped_runs_are_files_and_variants() -> None:
    names = shipped_runs()
    assert len(set(names)) == len(names)
    assert "plan_as_written" in names
    for name in names:
        assert load_experiment(name).name == name


def test_expected_figures_are_checked_with_their_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """expect:
  - {quantity: hukou_rat, value: 0.5, tolerance: 0.1}
  - {quantity: hukou_rate, year: 2040, value: 0.5, tolerance: 0.1}
  - {quantity: hukou_rate, value: 0.5}
  - {quantity: hukou_rate, value: 0.5, tolerance: 0.1, relative: 0.1}
  - {quantity: debt, value: 0, relative: 0.1}
  - {quantity: debt, value: abc, tolerance: -1, yaer: 2030}
  - 3
""",
    )
    text = faults(path)
    for line in (
        "line 2, expect[0].quantity | is no outcome ('hukou_rat') | did you mean 'hukou_rate'?",
        "line 3, expect[1].year | lies outside the run (2040) | give a year from 2023 to 2038",
        "line 4, expect[2].tolerance | exactly one of tolerance and relative must be given (none)",
        "line 5, expect[3].tolerance | exactly one of tolerance and relative must be given (both)",
        "line 6, expect[4].relative | of an expected figure of 0 there is no part (0)",
        "line 7, expect[5].value | must be a number ('abc')",
        "line 7, expect[5].tolerance | must be greater than or equal to 0 (-1)",
        "line 7, expect[5].yaer | is an unknown key | did you mean 'year'?",
        "line 8, expect[6] | must be a group of keys (3)",
    ):
        assert line in text
    assert len(text.splitlines()) == 9
