"""What each rule of the plan says, in files that a reader can check by hand.

Each rule with rows or bounds has an LP file on a toy of two regions and three years, each rule that
is reported or checked has its figures. ``PYTHONPATH=tests python tests/golden/test_rules.py``
writes them anew: read what has changed before you keep it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from rules_toy import EVERY_RULE, answer, toy

from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.lp_text import family, lp_name, rule_program, rule_text
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.rules.reports import reports
from hukou_opt.allocation.screen import earmarks

FOLDER = Path(__file__).parent / "rules"
FIGURES = FOLDER / "figures.csv"
#: Choices under which rules have other rows, and those rules; all rules have a file without one.
VARIANTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "started": ({"seat_target_counts": "started"}, ("seat_target",)),
    "free_years": ({"block_money": "off"}, ("fund_volume", "block_sum")),
    "no_partners": ({"private_partners": "off"}, ("build_rate",)),
}
#: Rules that have rows only under a variant.
ONLY_VARIANT = ("block_sum",)


def cases() -> dict[str, tuple[str, str]]:
    """Rule and variant by name of the file."""
    listed = {
        f"{rule.name}.lp": (rule.name, "")
        for rule in RULES
        if rule.form != "figure" and rule.name not in ONLY_VARIANT
    }
    for variant, (_, names) in VARIANTS.items():
        listed.update({f"{name}-{variant}.lp": (name, variant) for name in names})
    return listed


CASES = cases()


@cache
def program(variant: str) -> LinearProgram:
    changes = VARIANTS[variant][0] if variant else {}
    p = toy({**EVERY_RULE, **changes})
    return compile_model(build_model(p))


def figures() -> pd.DataFrame:
    """What reported and checked rules ask and get: the checks of the data, then the reports."""
    p = toy()
    by_rule = {rule.name: rule for rule in RULES}
    cells = [*earmarks(p), *reports(p, answer(p))]
    rows = [
        (c.rule, by_rule[c.rule].section, c.where, c.asked, c.got, c.short_by, c.unit)
        for c in cells
    ]
    table = pd.DataFrame(
        rows, columns=["rule", "section", "where", "asked", "got", "short", "unit"]
    )
    numbers = table.select_dtypes("number").columns
    table[numbers] = table[numbers].map(lambda value: f"{value:.9g}")
    return table


@pytest.mark.golden
@pytest.mark.parametrize("file", CASES)
def test_the_rows_of_each_rule_are_those_on_file(file: str) -> None:
    rule, variant = CASES[file]
    path = FOLDER / file
    assert path.is_file(), f"no golden file {file}: write it as the head of this file says"
    assert rule_text(program(variant), rule) == path.read_text(encoding="utf-8")


@pytest.mark.golden
def test_every_file_has_its_rule_and_every_rule_its_file() -> None:
    assert {path.name for path in FOLDER.glob("*.lp")} == set(CASES)
    assert {path.name for path in FOLDER.iterdir()} == {*CASES, FIGURES.name}
    listed = set(pd.read_csv(FIGURES)["rule"])
    for rule in RULES:
        if rule.form == "figure":
            assert rule.name in listed, f"no golden figure of {rule.name}"
        else:
            assert any(name == rule.name for name, _ in CASES.values())


@pytest.mark.golden
def test_no_row_of_the_program_is_without_a_rule() -> None:
    """Rows are rules, or define what a level of the objectives measures."""
    known = {rule.name for rule in RULES}
    with_rows = {family(name) for name in program("").row_names}
    assert {rule.name for rule in RULES if rule.form == "rows"} - with_rows == {"block_sum"}
    others = {name for name in with_rows - known if not name.endswith("_definition")}
    assert {name for name in others if not name.startswith("aim_")} == set()


@pytest.mark.golden
def test_figures_of_reports_and_checks_are_those_on_file() -> None:
    found, filed = figures(), pd.read_csv(FIGURES, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(found.astype(str), filed)


@pytest.mark.golden
@pytest.mark.parametrize("file", CASES)
def test_a_solver_reads_from_each_file_what_was_compiled(file: str) -> None:
    rule, variant = CASES[file]
    part = rule_program(program(variant), rule)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(FOLDER / file)) == highspy.HighsStatus.kOk
    read = solver.getLp()
    assert read.row_names_ == [lp_name(name) for name in part.row_names]
    assert len(set(read.col_names_)) == len(read.col_names_)
    # The reader numbers columns as they turn up.
    order = [read.col_names_.index(lp_name(name)) for name in part.column_names]
    assert len(order) == len(read.col_names_)
    matrix = sp.csc_array(
        (read.a_matrix_.value_, read.a_matrix_.index_, read.a_matrix_.start_),
        shape=(read.num_row_, read.num_col_),
    ).toarray()[:, order]
    full = program(variant)
    rows = [full.row_names.index(name) for name in part.row_names]
    columns = [full.column_names.index(name) for name in part.column_names]
    exact = {"rtol": 1e-11, "atol": 1e-12}
    np.testing.assert_allclose(matrix, full.matrix.toarray()[np.ix_(rows, columns)], **exact)
    np.testing.assert_allclose(read.row_lower_, full.row_lower[rows], **exact)
    np.testing.assert_allclose(read.row_upper_, full.row_upper[rows], **exact)
    np.testing.assert_allclose(np.array(read.col_lower_)[order], full.lower[columns], **exact)
    np.testing.assert_allclose(np.array(read.col_upper_)[order], full.upper[columns], **exact)
    # Nothing of the rule is left out: its rows have no other columns.
    assert np.count_nonzero(full.matrix.toarray()[rows]) == np.count_nonzero(matrix)


def write() -> None:
    """Write all golden files anew and remove those without a rule."""
    for path in FOLDER.glob("*.lp"):
        if path.name not in CASES:
            path.unlink()
    for file, (rule, variant) in CASES.items():
        (FOLDER / file).write_text(rule_text(program(variant), rule), encoding="utf-8")
    figures().to_csv(FIGURES, index=False, lineterminator="\n")


if __name__ == "__main__":
    write()
