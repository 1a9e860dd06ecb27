"""A rule that was loosened or tightened, a row dropped or added: each is found and named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from problems import made_up_problem
from rules_toy import EVERY_RULE, toy

from hukou_opt.allocation import solve as solving
from hukou_opt.allocation.audit import audit_program, check_answer
from hukou_opt.allocation.audit.statement import BOUND_BY
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.rules import RULES, money
from hukou_opt.allocation.solution import Solution
from hukou_opt.errors import CertificateError

TAMPER = 1e-3
SECTION = {rule.name: rule.section for rule in RULES}
#: Rules with rows in the toy of all rules, and one that has them only without another.
FREE_YEARS = {"block_money": "off"}


@cache
def program(rule: str = "") -> tuple[Problem, LinearProgram]:
    p = toy({**EVERY_RULE, **(FREE_YEARS if rule == "block_sum" else {})})
    return p, compile_model(build_model(p))


def rows_of(program: LinearProgram, rule: str) -> np.ndarray:
    return np.flatnonzero([name.split("[")[0] == rule for name in program.row_names])


def refused(p: Problem, tampered: LinearProgram, rule: str) -> str:
    """The message, which has to name rule and section and nothing else."""
    with pytest.raises(CertificateError) as caught:
        audit_program(p, tampered)
    for fault in caught.value.faults:
        assert fault.where.startswith(f"rule {rule} ({SECTION[rule]})"), fault
    return str(caught.value)


WITH_ROWS = [rule.name for rule in RULES if rule.form == "rows"]


@pytest.mark.parametrize("rule", WITH_ROWS)
@pytest.mark.parametrize("factor", [1 + TAMPER, 1 - TAMPER])
def test_a_changed_coefficient_is_found_and_named(rule: str, factor: float) -> None:
    p, made = program(rule)
    for row in rows_of(made, rule)[[0, -1]]:
        matrix = made.matrix.copy()
        at = matrix.indptr[row + 1] - 1
        before = matrix.data[at]
        matrix.data[at] *= factor
        text = refused(p, replace(made, matrix=matrix), rule)
        assert made.row_names[row] in text
        assert f"coefficient {abs(before * factor):.10g}"[:20] in text.replace("-", "")
        assert made.column_names[matrix.indices[at]] in text


@pytest.mark.parametrize("rule", WITH_ROWS)
@pytest.mark.parametrize("change", [TAMPER, -TAMPER])
def test_a_changed_bound_is_found_and_named(rule: str, change: float) -> None:
    p, made = program(rule)
    row = rows_of(made, rule)[-1]
    low, high = made.row_lower.copy(), made.row_upper.copy()
    low[row] += change
    high[row] += change
    text = refused(p, replace(made, row_lower=low, row_upper=high), rule)
    assert f"{made.row_names[row]} has the" in text
    assert "by the tables" in text


@pytest.mark.parametrize("rule", WITH_ROWS)
def test_a_row_without_its_bound_is_found_and_named(rule: str) -> None:
    p, made = program(rule)
    row = rows_of(made, rule)[0]
    high = made.row_upper.copy()
    high[row] = np.inf if np.isfinite(high[row]) else 1e6
    refused(p, replace(made, row_upper=high), rule)


def without_row(made: LinearProgram, row: int) -> LinearProgram:
    kept = np.delete(np.arange(len(made.row_lower)), row)
    return replace(
        made,
        matrix=sp.csr_array(made.matrix[kept]),
        row_lower=made.row_lower[kept],
        row_upper=made.row_upper[kept],
        row_names=tuple(made.row_names[i] for i in kept),  # type: ignore[arg-type]
    )


def with_row(made: LinearProgram, row: int, name: str) -> LinearProgram:
    """The program with a copy of a row under another name."""
    order = np.append(np.arange(len(made.row_lower)), row)
    return replace(
        made,
        matrix=sp.csr_array(made.matrix[order]),
        row_lower=made.row_lower[order],
        row_upper=made.row_upper[order],
        row_names=(*made.row_names, name),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("rule", WITH_ROWS)
def test_a_dropped_and_an_added_row_are_found_and_named(rule: str) -> None:
    p, made = program(rule)
    row = int(rows_of(made, rule)[-1])
    name = made.row_names[row]
    text = refused(p, without_row(made, row), rule)
    assert f"{name} is missing from the program" in text
    other = f"{rule}[420000,1999]"
    text = refused(p, with_row(made, row, other), rule)
    assert f"{other} is a row that the tables do not have" in text
    assert "region 420000" in text


@pytest.mark.parametrize(("family", "rule"), BOUND_BY.items())
@pytest.mark.parametrize("side", ["lower", "upper"])
def test_a_changed_bound_of_a_column_is_found_and_named(family: str, rule: str, side: str) -> None:
    p, made = program()
    columns = [i for i, name in enumerate(made.column_names) if name.split("[")[0] == family]
    bound = getattr(made, side).copy()
    bound[columns[-1]] += TAMPER
    text = refused(p, replace(made, **{side: bound}), rule)
    assert f"{made.column_names[columns[-1]]} {side} bound is" in text


@pytest.mark.parametrize("level", list(program()[1].costs))
def test_a_changed_cost_is_found_and_named(level: str) -> None:
    p, made = program()
    cost, constant = made.costs[level]
    used = np.flatnonzero(cost)
    wrong = cost.copy()
    if used.size:
        wrong[used[0]] *= 1 + TAMPER
    else:
        wrong[0] = TAMPER
    with pytest.raises(CertificateError, match=f"level '{level}'"):
        audit_program(p, replace(made, costs={**made.costs, level: (wrong, constant)}))
    shifted = replace(made, costs={**made.costs, level: (cost, constant + TAMPER)})
    with pytest.raises(CertificateError, match=f"level '{level}'"):
        audit_program(p, shifted)
    left = {name: each for name, each in made.costs.items() if name != level}
    with pytest.raises(CertificateError, match=f"level '{level}' .* in the tables only"):
        audit_program(p, replace(made, costs=left))


def test_changed_people_of_an_index_are_found() -> None:
    p, made = program()
    first, *others = made.indices
    weights = first.weights.copy()
    weights[:2] += [TAMPER, -TAMPER]
    for wrong in (
        replace(first, weights=weights),
        replace(first, aversion=first.aversion + TAMPER),
        replace(first, cells=first.cells[::-1].copy()),
    ):
        with pytest.raises(CertificateError, match="compares others than the tables"):
            audit_program(p, replace(made, indices=(wrong, *others)))
    with pytest.raises(CertificateError, match="is no index of the program"):
        audit_program(p, replace(made, indices=tuple(others)))


#: Tables of the inputs, and a rule that has to be named when the model was built from another one.
BUILT_FROM = {
    "need": "shortage_definition",
    "existing": "capacity_path",
    "start_coverage": "no_dilution",
    "standing": "capacity_path",
    "children_hukou": "places_total",
    "children_migrant": "places_alike",
    "stretch": "places_total",
    "hukou_first": "places_alike",
    "cost": "money_balance",
    "settlers_mid": "performance_reward",
    "unit_cost": "money_balance",
    "local_ceiling": "local_ceiling",
    "bond_ceiling": "bonds_region",
    "levy_ceiling": "levy_entitlement",
    "bond_total": "bonds_nation",
    "fund": "fund_volume",
    "redeployed": "teachers",
    "fund_by_region": "formula_ceiling",
}


@pytest.mark.parametrize(("table", "rule"), BUILT_FROM.items())
def test_a_model_built_from_another_table_is_found(table: str, rule: str) -> None:
    p, _ = program()
    given = getattr(p, table)
    other: Any = given - TAMPER
    if isinstance(given, np.ndarray):
        # One cell, such that both years and blocks are touched.
        other = given.copy()
        other[(0, 1) if given.ndim == 2 else tuple(0 for _ in given.shape)] -= TAMPER
    wrong = compile_model(build_model(replace(p, **{table: other})))
    with pytest.raises(CertificateError) as caught:
        audit_program(p, wrong)
    assert any(f"rule {rule} (" in fault.where for fault in caught.value.faults), caught.value


def loosened(m: Any, p: Problem) -> None:
    """Rows of the money as they are, but bonds of the nation 5 % above the plan."""
    ORIGINAL(m, p)
    for row in m.bonds_nation.values():
        row.set_value((None, row.body, 1.05 * row.upper))


def tightened(m: Any, p: Problem) -> None:
    """Rows of the money as they are, but bonds pay for 95 % of building at most."""
    ORIGINAL(m, p)
    for (g, r, t), row in m.bonds_build.items():
        row.set_value(m.bonds[g, r, t] <= 0.95 * money.building_cost(m, p, g, r, t))


def unpaid(m: Any, p: Problem, g: str, r: str, t: int) -> Any:
    """Nothing is paid back to partners."""
    return 0.0


ORIGINAL = money.add


@pytest.mark.parametrize(
    ("name", "wrong", "rule"),
    [
        ("add", loosened, "bonds_nation"),
        ("add", tightened, "bonds_build"),
        ("partner_payment", unpaid, "money_balance"),
    ],
)
def test_a_tampered_rule_of_the_model_is_found(
    name: str, wrong: Any, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, _ = program()
    monkeypatch.setattr(money, name, wrong)
    refused(p, compile_model(build_model(p)), rule)
    # The same inside a solve: nothing is solved.
    with pytest.raises(CertificateError, match=rf"rule {rule} \("):
        solving.solve(p, progress=pytest.fail)


def test_a_tampered_program_ends_the_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    p, made = program()
    row = int(rows_of(made, "fund_volume")[0])
    monkeypatch.setattr(solving, "compile_problem", lambda _: without_row(made, row))
    with pytest.raises(CertificateError, match=r"rule fund_volume \(plan 7.1\), 2024"):
        solving.solve(p, progress=pytest.fail)


@cache
def answer() -> tuple[Problem, Solution]:
    p = made_up_problem(3, 4, 1, seed=1)
    return p, solving.solve(p).solution


def test_the_answer_keeps_every_rule() -> None:
    p, s = answer()
    held = check_answer(p, s)
    assert held.residual < 1e-8
    assert held.rows > 500


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("central", "money_balance"),
        ("local", "money_balance"),
        ("levy", "money_balance"),
        ("unfunded", "money_balance"),
        ("bonds", "money_balance"),
        ("starts", "money_balance"),
        ("partner_starts", "money_balance"),
        ("capacity", "capacity_path"),
        ("temporary", "money_balance"),
    ],
)
@pytest.mark.parametrize("change", [TAMPER, -TAMPER])
def test_a_changed_cell_of_the_answer_is_found_and_named(
    table: str, rule: str, change: float
) -> None:
    p, s = answer()
    given = getattr(s, table)
    for cell in (tuple(0 for _ in given.shape), tuple(-1 for _ in given.shape)):
        changed = given.copy()
        changed[cell] += change
        with pytest.raises(CertificateError) as caught:
            check_answer(p, replace(s, **{table: changed}))
        wheres = [fault.where for fault in caught.value.faults]
        # Bonds of a sector that does not build pay for no building.
        named = "bonds_build" if table == "bonds" and cell[0] else rule
        assert any(where.startswith(f"rule {named} (") for where in wheres), wheres
        assert "in the answer and must be" in str(caught.value)


@pytest.mark.parametrize("table", ["places_hukou", "places_migrant"])
def test_more_places_than_there_are_children_or_seats(table: str) -> None:
    p, s = answer()
    changed = getattr(s, table).copy()
    changed[0, 0] = getattr(p, table.replace("places", "children"))[0, 0] + TAMPER
    with pytest.raises(CertificateError, match=r"rule places_total \(plan 2.2.1\)"):
        check_answer(p, replace(s, **{table: changed}))


def test_not_a_number_never_keeps_a_rule() -> None:
    p, s = answer()
    central = s.central.copy()
    central[0, 0, 0] = np.nan
    with pytest.raises(CertificateError):
        check_answer(p, replace(s, central=central))


@pytest.mark.parametrize("name", ["places_hukou_first", "places_alike", "slip"])
def test_a_cell_in_the_wrong_regime_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    p, _ = answer()
    seen = solving.as_solved

    def wrong(run: Any) -> LinearProgram:
        program = seen(run)
        high = (program.upper if name == "slip" else program.row_upper).copy()
        where = program.column_cells if name == "slip" else program.row_cells
        at = where(name, p.codes[:1], p.years[:1]).ravel()
        high[at] = np.where(np.isfinite(high[at]), np.inf, 1.0)
        return replace(program, **{"upper" if name == "slip" else "row_upper": high})

    monkeypatch.setattr(solving, "as_solved", wrong)
    rule = BOUND_BY.get(name, name)
    with pytest.raises(CertificateError, match=rf"rule {rule} \(plan 8.2\), region 110000, 2024"):
        solving.solve(p)


def test_a_cell_that_is_said_to_be_in_the_other_regime_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p, s = answer()
    found: list[LinearProgram] = []
    seen = solving.as_solved
    monkeypatch.setattr(solving, "as_solved", lambda run: found.append(seen(run)) or found[-1])
    solving.solve(p)
    audit_program(p, found[0], alike=s.alike)
    flipped = s.alike.copy()
    flipped[0, 0] ^= True
    with pytest.raises(CertificateError, match=r"rule places_"):
        audit_program(p, found[0], alike=flipped)
