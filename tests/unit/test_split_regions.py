"""Provinces cut into parts for benchmarks: totals stay, parts differ, nothing is forgotten."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import made_up_problem
from split_regions import DERIVED, NATIONAL, OWN_FACTORS, SAME, split

from hukou_opt.allocation.problem import Problem

#: Axis of the regions of every amount whose total stays.
AMOUNTS = {
    **OWN_FACTORS,
    "need": 2,
    "existing": 2,
    "children_hukou": 0,
    "children_migrant": 0,
    "children_rural": 0,
    "settlers_mid": 0,
}


def whole(p: Problem) -> Problem:
    """A problem with every amount that a problem may lack."""
    money = np.arange(1.0, len(p.codes) + 1)
    return replace(p, fund_by_region=money, expenditure=10 * money)


@settings(max_examples=30, deadline=None)
@given(
    regions=st.integers(1, 5),
    more=st.integers(0, 30),
    seed=st.integers(0, 10),
    empty=st.booleans(),
)
def test_totals_by_province_stay(regions: int, more: int, seed: int, empty: bool) -> None:
    p = whole(made_up_problem(regions=regions, seed=seed))
    if empty:
        cost, children = p.cost.copy(), p.children_migrant.copy()
        cost[:, 0], children[0] = 0.0, 0.0
        p = replace(p, cost=cost, children_migrant=children)
    q = split(p, regions + more, seed)
    assert len(set(q.codes)) == regions + more
    of = np.array([[code.startswith(whole_code) for code in q.codes] for whole_code in p.codes])
    assert (of.sum(axis=0) == 1).all()
    for name, axis in AMOUNTS.items():
        parts = np.moveaxis(getattr(q, name), axis, 0)
        assert np.isfinite(parts).all(), name
        assert (parts >= 0).all(), name
        sums = np.tensordot(of.astype(float), parts, 1)
        expected = np.moveaxis(getattr(p, name), axis, 0)
        assert np.allclose(sums, expected, rtol=1e-12, atol=1e-12), name
    for name in NATIONAL:
        assert np.array_equal(getattr(q, name), getattr(p, name)), name


def test_parts_differ_and_hold_together() -> None:
    p = whole(made_up_problem(regions=3, seed=1))
    q = split(p, 12)
    years = len(p.years)
    children = q.children_hukou + q.children_migrant
    assert np.allclose(q.need[0, 0, :, :years], children)
    assert np.allclose(q.need[1, 0, :, :years], q.children_rural)
    for area in range(2):
        # Beds follow the residents: need per resident stays that of the province.
        per_head = q.need[area, 1, :, 0] / q.population[area, :, 0]
        assert np.allclose(per_head, np.repeat(p.need[area, 1, :, 0] / p.population[area, :, 0], 4))
    # No quantity is another one in the same proportion everywhere: parts are no copies.
    seats = q.need[0, 0, :, 0]
    others = {name: np.moveaxis(getattr(q, name), axis, -1) for name, axis in AMOUNTS.items()}
    for name in ("existing", "cost", "local_ceiling", "children_migrant", "population"):
        ratio = others[name].reshape(-1, len(q.codes))[0] / seats
        assert len(np.unique(ratio[:4].round(9))) == 4, name
    sizes = seats[:4] / seats[:4].sum()
    assert sizes.max() > 1.2 * sizes.min()
    assert (q.supported == np.repeat(p.supported, 4)).all()
    # Coverage at the start moves with the ratio of capacity to need in the first year.
    before = np.repeat(p.start_coverage * p.need[..., 0] / p.existing[..., 0], 4, axis=2)
    assert np.allclose(q.start_coverage * q.need[..., 0] / q.existing[..., 0], before)


def test_seed_decides_and_the_same_number_changes_nothing() -> None:
    p = made_up_problem(regions=3)
    assert split(p, 3) is p
    assert np.array_equal(split(p, 7, seed=5).cost, split(p, 7, seed=5).cost)
    assert not np.array_equal(split(p, 7, seed=5).cost, split(p, 7, seed=6).cost)
    with pytest.raises(ValueError, match="3 regions cannot be cut into 2 parts"):
        split(p, 2)


def test_every_input_is_shared_out_or_kept() -> None:
    known = ["codes", *OWN_FACTORS, *SAME, *DERIVED, *NATIONAL]
    assert sorted(known) == sorted(field.name for field in fields(Problem))
