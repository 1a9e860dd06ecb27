"""Program and tables say the same; where one of them is changed, the rule is named."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from problems import made_up_problem
from rules_toy import EVERY_RULE, toy

from hukou_opt.allocation.audit import audit_program, index
from hukou_opt.allocation.audit.statement import BOUND_BY, REGIME_ROWS, ROWS
from hukou_opt.allocation.formulation import LinearProgram, build_model, compile_model
from hukou_opt.allocation.objectives import INDICES, MEASURES
from hukou_opt.allocation.problem import MODES, SOFT_RULES, Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.spec import SHIPPED, Aims, LevelSpec, Limit, Term
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import CertificateError

#: One switch turned at a time, from all rules on.
SWITCHED: list[dict[str, str]] = [
    {},
    *({rule: mode} for rule in SOFT_RULES for mode in MODES),
    {"seat_target": "report"},
    {"seat_target_counts": "started"},
    *({rule.key: "off"} for rule in RULES if rule.modes == ("on", "off")),
    {"build_rate": "off", "private_partners": "off"},
]


def compiled(p: Problem) -> LinearProgram:
    return compile_model(build_model(p))


def test_every_rule_of_the_program_has_its_audit() -> None:
    rows = {*ROWS, *REGIME_ROWS}
    for rule in RULES:
        if rule.form == "rows":
            assert rule.name in rows, f"no audit of the rows of {rule.name}"
        elif rule.form == "bounds":
            assert rule.name in BOUND_BY.values(), f"no audit of the bounds of {rule.name}"


@pytest.mark.parametrize("modes", SWITCHED, ids=str)
def test_program_and_tables_agree_in_every_mode(modes: dict[str, str]) -> None:
    p = toy({**EVERY_RULE, **modes})
    program = compiled(p)
    found = audit_program(p, program)
    assert found.rows == len(program.row_names)
    assert found.columns == len(program.column_names)
    assert found.difference < 1e-12
    with_none = replace(p, fund_by_region=None, aims=Aims(tuple(SHIPPED.values())))
    audit_program(with_none, compiled(with_none))


@pytest.mark.parametrize("most", [0, 10**9])
def test_names_by_their_parts_and_in_full_are_the_same(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large programs do not write all names out."""
    p = made_up_problem(5, 4, 2, seed=6)
    monkeypatch.setattr(index, "WRITTEN_OUT", most)
    program = compile_problem(p)
    found = audit_program(p, program)
    assert found.rows == len(program.row_lower)
    assert found.difference < 1e-12
    upper = program.row_upper.copy()
    upper[program.row_cells("local_ceiling", p.codes, p.years)[1, 2]] += 1e-3
    where = r"rule local_ceiling \(plan 6.1, 7.1\), region 120000, 2026"
    with pytest.raises(CertificateError, match=where):
        audit_program(p, replace(program, row_upper=upper))


@pytest.mark.parametrize("seed", range(8))
def test_program_and_tables_agree_where_cells_are_empty(seed: int) -> None:
    draw = np.random.default_rng(seed)
    p = made_up_problem(int(draw.integers(1, 5)), int(draw.integers(1, 7)), 1, seed=seed)

    def some(values: np.ndarray) -> np.ndarray:
        """The values, a fifth of them 0."""
        return np.where(draw.random(values.shape) < 0.2, 0.0, values)

    empty = {name: some(getattr(p, name)) for name in ("need", "cost", "children_rural")}
    ceilings = {
        name: some(getattr(p, name) * draw.uniform(0, 5))
        for name in ("local_ceiling", "levy_ceiling")
    }
    modes = {"block_money": ("on", "off")[seed % 2], "seat_target": "soft"}
    settlers = some(p.settlers_mid)
    p = replace(p, **empty, **ceilings, settlers_mid=settlers, modes={**p.modes, **modes})
    p = replace(p, supported=draw.random(len(p.codes)) < 0.5, aims=Aims(tuple(SHIPPED.values())))
    for program in (compiled(p), compile_problem(p)):
        assert audit_program(p, program).rows == len(program.row_lower)


def terms(measure: str, index: str) -> list[Term]:
    """The measure by the index in every way of comparing, with and without settings."""
    found = []
    for between in MEASURES[measure].groupings:
        plain = Term(measure, index, between, standard=0.4 if index == "shortfall" else None)
        found.append(plain)
        if MEASURES[measure].services:
            found.append(replace(plain, services=("beds",), years=(2025,)))
    if index == "averse_mean":
        found += [replace(term, aversion=0.3, pairwise=True) for term in found]
    if index == "worst_mean":
        found.append(replace(found[0], part=0.35, years=(2024, 2025, 2026)))
    return found


@pytest.mark.parametrize(("measure", "index"), list(product(MEASURES, INDICES)))
def test_program_and_tables_agree_on_every_measure(measure: str, index: str) -> None:
    if INDICES[index].applies_to == "good" and not MEASURES[measure].good:
        pytest.skip("the index is for goods")
    p = made_up_problem(3, 4, 1, seed=3)
    # Regions without people, need or cost have no cells.
    need, migrant, cost = p.need.copy(), p.children_migrant.copy(), p.cost.copy()
    need[0, 1, 1], migrant[0, 2], cost[:, 2, :3] = 0.0, 0.0, 0.0
    p = replace(p, need=need, children_migrant=migrant, cost=cost)
    every = terms(measure, index)
    single = index == "leximin" or INDICES[index].ratio
    levels = [
        LevelSpec(f"one_{n}", "one term", (replace(term, weight=0.5 + n),))
        for n, term in enumerate(every)
    ]
    if not single:
        levels.append(LevelSpec("many", "all terms", tuple(every)))
    limits = () if index == "leximin" else tuple(Limit(term, 0.5) for term in every)
    p = replace(p, aims=Aims(tuple(levels), limits))
    program = compiled(p)
    found = audit_program(p, program)
    assert found.levels == len(program.costs)
    assert any(name.startswith("aim") for name in program.row_names) or index == "mean"
