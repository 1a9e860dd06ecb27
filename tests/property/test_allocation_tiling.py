"""Tiled and full program agree on random problems with random zeros."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import asking, made_up_problem, own_level, permuted
from tiling_checks import differences

from hukou_opt.allocation.formulation import build_model, compile_model
from hukou_opt.allocation.objectives import MEASURES
from hukou_opt.allocation.problem import Problem
from hukou_opt.allocation.spec import DEFAULT_LEVELS, Term
from hukou_opt.allocation.tiling.groups import groups_of
from hukou_opt.allocation.tiling.tile import tiled

EXAMPLES = settings(max_examples=15, deadline=None)
#: Tables and the axis of their regions; a share of their cells, or whole regions, become 0.
TABLES = {
    "need": 2,
    "existing": 2,
    "children_hukou": 0,
    "children_migrant": 0,
    "children_rural": 0,
    "population": 1,
    "stretch": 0,
    "cost": 1,
    "settlers_mid": 0,
    "local_ceiling": 0,
    "levy_ceiling": 0,
    "redeployed": 0,
}


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A small problem with holes."""
    regions, seed = draw(st.integers(1, 5)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    p = made_up_problem(regions, years=3, tail=1, seed=seed)
    p = permuted(p, rng.permutation(regions))
    changed = {}
    for name in draw(st.sets(st.sampled_from(sorted(TABLES)), max_size=4)):
        table = getattr(p, name).copy()
        if draw(st.booleans()):
            table[rng.random(table.shape) < 0.2] = 0.0
        else:
            np.moveaxis(table, TABLES[name], 0)[rng.random(regions) < 0.5] = 0.0
        changed[name] = table
    modes = {
        "performance_reward": draw(st.sampled_from(["off", "soft", "law"])),
        "block_money": draw(st.sampled_from(["on", "off"])),
        "private_partners": draw(st.sampled_from(["on", "off"])),
        "support_floor": draw(st.sampled_from(["soft", "off"])),
    }
    measure = MEASURES[draw(st.sampled_from(sorted(MEASURES)))]
    between = draw(st.sampled_from(measure.groupings))
    index = draw(st.sampled_from(["mean", "worst", "worst_mean", "averse_mean"]))
    p = replace(p, modes=modes, **changed)
    # The need for seats in town is that of its children, as in the stock-flow model.
    need = p.need.copy()
    need[0, 0, :, : len(p.years)] = p.children_hukou + p.children_migrant
    p = replace(p, need=need)
    level = own_level(Term(measure.name, index, between))
    return asking(p, *DEFAULT_LEVELS, level, reward_share=0.1)


@given(problems())
@EXAMPLES
def test_random_problems_with_zeros(p: Problem) -> None:
    assert differences(compile_model(build_model(p)), tiled(p, groups_of(p))) == []
