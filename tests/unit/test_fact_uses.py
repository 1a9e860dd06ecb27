"""Every fact of the plan has a use that the registries show, or a reason for having none."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hukou_opt import bundled
from hukou_opt.allocation.rules import RULES
from hukou_opt.cli import app
from hukou_opt.cli.fact_uses import fact_uses, stated_otherwise
from hukou_opt.experiment import load_experiment, shipped_runs
from hukou_opt.parameters import load_parameters
from hukou_opt.plan.facts import ROLES, chinese_words, load_facts
from hukou_opt.plan.targets import load_targets
from hukou_opt.planning.inputs import PLAN_BASE
from hukou_opt.regions.columns import read_columns
from hukou_opt.report.facts_table import ROLES_ZH, count_sentence, facts_csv, facts_table
from hukou_opt.report.scorecard_names import UNITS_ZH
from hukou_opt.report.text_lines import shown, text_lines, wrap

USES = {use.fact.id: use for use in fact_uses()}


def test_every_fact_has_a_use_or_a_reason_and_never_both() -> None:
    assert list(USES) == list(load_facts())
    for name, use in USES.items():
        assert use.used != bool(use.fact.why_not), name


def test_links_of_the_table_lead_to_what_there_is() -> None:
    registry, rules = load_parameters(), {rule.name: rule for rule in RULES}
    columns = read_columns(bundled.data_folder())[2023]
    for fact in load_facts().values():
        if fact.parameter:
            # The parameter itself names another fact as its source.
            assert registry.rows[fact.parameter].plan_fact not in ("", fact.id), fact.id
        if fact.rule:
            assert not rules[fact.rule].parameters, fact.id
            assert "plan" in rules[fact.rule].section, fact.id
        if fact.column:
            assert fact.column in columns, fact.id


def test_uses_are_those_of_the_registries() -> None:
    registry = load_parameters()
    for name, row in registry.rows.items():
        if row.plan_fact:
            assert name in USES[row.plan_fact].parameters
    for rule in RULES:
        for name in rule.parameters:
            if registry.rows[name].plan_fact:
                assert rule.name in USES[registry.rows[name].plan_fact].rules
    for target in load_targets():
        assert target.id in USES[target.fact.id].targets
        if target.base_fact:
            assert target.id in USES[target.base_fact].baselines


def test_experiments_that_vary_a_fact() -> None:
    assert "finance_mix.fund_3" in USES["central_fund_total"].experiments
    assert "plan_as_written" not in USES["central_fund_total"].experiments
    # The second of two figures is used where an experiment takes it.
    assert "plan_ch8_dates" in USES["city_bonds_year_93"].experiments
    assert "finance_mix.no_bonds" not in USES["city_bonds_year_93"].experiments
    assert "finance_mix.no_bonds" in USES["city_bonds_year"].experiments
    # A rule in another mode varies the fact that it states.
    assert "plan_targets_as_law" in USES["new_seats_2026"].experiments
    known = set(shipped_runs())
    assert all(set(use.experiments) <= known for use in USES.values())
    for name in ("finance_mix.fund_3", "plan_ch8_dates"):
        changed = load_experiment(name).parameters
        for parameter, value in changed.items():
            row = load_parameters().rows[parameter]
            if row.plan_fact and float(value) != row.value:
                assert name in USES[row.plan_fact].experiments


def test_the_plan_s_own_base_is_where_official_figures_differ() -> None:
    assert set(stated_otherwise(load_parameters())) == set(PLAN_BASE)
    assert "plan_own_figures" in USES["hukou_urban_rate_2023"].experiments


def test_every_word_is_there_in_chinese() -> None:
    words = chinese_words()
    for fact in load_facts().values():
        meaning, reason = words[fact.id]
        assert re.search(r"[\u4e00-\u9fff]", meaning), fact.id
        assert bool(reason) == bool(fact.why_not), fact.id
    assert len({meaning for meaning, _ in words.values()}) == len(words)
    assert set(ROLES_ZH) == set(ROLES)
    assert {fact.unit for fact in load_facts().values()} - {"1"} == set(UNITS_ZH)


def test_the_count_adds_up() -> None:
    numbers = [int(text) for text in re.findall(r"\d+", count_sentence(list(USES.values())))]
    assert numbers[0] == len(load_facts())
    assert numbers[0] == sum(numbers[1:])


def test_the_csv_file_has_every_use() -> None:
    rows = list(csv.DictReader(io.StringIO(facts_csv(list(USES.values())))))
    assert [row["id"] for row in rows] == list(USES)
    for row in rows:
        use = USES[row["id"]]
        assert row["experiments"].split() == list(use.experiments)
        assert row["used"] == str(int(use.used))
        assert bool(row["why_not"]) != use.used


def test_long_lists_of_experiments_are_cut_in_print_only() -> None:
    use = replace(USES["central_fund_total"], experiments=tuple("abcdefg"))
    assert use.in_words("en", 4).endswith("varied by a, b, c, d, and 3 more")
    assert "e, f, g" in use.in_words()


def test_sections_of_the_table_are_the_chapters() -> None:
    table = facts_table(list(USES.values()))
    chapters = list(dict.fromkeys(use.fact.section.split(".")[0] for use in USES.values()))
    assert len(table.sections) == len(chapters)
    assert sum(len(rows) for _, rows in table.sections) == len(USES)
    assert len(table.latex().splitlines()) > len(USES)


def test_lines_fit_the_screen_in_both_languages() -> None:
    for lang in ("en", "zh"):
        for width in (90, 120, 160):
            text = text_lines(facts_table(list(USES.values()), lang), width, below=1)
            assert max(shown(line) for line in text.splitlines()) <= width


def test_wrapping_loses_nothing() -> None:
    text = "seats 学位与床位 and beds, 户籍人口城镇化率"
    for width in range(8, 40):
        lines = wrap(text, width)
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert max(map(shown, lines)) <= max(width, 6)


@pytest.mark.parametrize("form", ["text", "csv", "md", "latex"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_command(form: str, lang: str) -> None:
    asked = ["facts", "--format", form, "--lang", lang, "--role", "budget"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    budgets = [fact for fact in load_facts().values() if fact.role == "budget"]
    text = "".join(done.stdout.split())
    for fact in budgets:
        meaning = fact.meaning if lang == "en" else chinese_words()[fact.id][0]
        assert "".join(meaning.split())[:10] in text
    others = next(fact for fact in load_facts().values() if fact.role == "target")
    assert "".join(others.meaning.split()) not in text


def test_the_command_lists_what_is_unused(tmp_path: Path) -> None:
    file = tmp_path / "unused.csv"
    done = CliRunner().invoke(app, ["facts", "--unused", "--out", str(file)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert {row["id"] for row in rows} == {name for name, use in USES.items() if not use.used}
    assert all(row["why_not"] for row in rows)


def test_the_command_names_wrong_words() -> None:
    done = CliRunner().invoke(app, ["facts", "--role", "targets", "--format", "xlsx"])
    assert done.exit_code == 2
    assert "did you mean 'target'?" in done.output
    assert "(2 faults)" in done.output
