"""Inputs that no solve can make sense of are refused first, all faults at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from problems import STANDING, made_up_problem
from synthetic_base_year import base_year, parameters, with_values

from hukou_opt.allocation.problem import DEFAULT_MODES, Block, Problem
from hukou_opt.allocation.screen import TABLES, screen
from hukou_opt.dynamics.exchange import AREAS, SERVICES, Needs
from hukou_opt.errors import InfeasibleError, SolveError
from hukou_opt.parameters import Parameters
from hukou_opt.planning.prepare import make_blocks, make_problem

YEARS = tuple(range(2024, 2034))
TAIL = (2034, 2035)


def small(**values: float) -> Problem:
    p: Problem = made_up_problem(2, 3, 1, parameters=values)
    return p


def found(p: Problem) -> list[str]:
    return [str(fault) for fault in screen(p)]


def test_a_sound_problem_has_no_fault() -> None:
    assert found(small()) == []


@pytest.mark.parametrize("prefix", ["sector_share", "cost_split"])
def test_shares_must_sum_to_one(prefix: str) -> None:
    (fault,) = found(small(**{f"{prefix}_health": 0.35}))
    assert fault.startswith(f"parameters.{prefix}_* | the shares of ")
    assert "do not sum to 1 (0.35 + 0.35 + 0.3 + 0.1 = 1.1)" in fault
    assert found(small(**{f"{prefix}_health": 0.25 + 5e-7})) == []


@pytest.mark.parametrize("fund", [0.0, -1.0, float("nan")])
def test_the_fund_must_be_positive(fund: float) -> None:
    (fault,) = found(replace(small(), fund=fund))
    assert "parameters.central_fund_total" in fault
    assert repr(fund) in fault


def test_earmarks_and_levy_must_fit_into_net_land_revenue() -> None:
    # (.15 + .20) x .18 + .05 = .113 of gross revenue, within .18; a net share of .07 holds .0745.
    (fault,) = found(small(land_net_share=0.07))
    assert "parameters.land_net_share" in fault
    assert "(provinces 0.0105 + cities 0.014 + levy 0.05 = 0.0745)" in fault
    assert found(small(land_net_share=0.08)) == []
    # The gross reading of the plan: .35 + .05 of 1.
    assert found(small(land_net_share=1.0)) == []
    (fault,) = found(small(land_net_share=1.0, province_land_share=0.5, city_land_share=0.5))
    assert "take more than all of gross land revenue" in fault
    assert "= 1.05)" in fault


@pytest.mark.parametrize("cost", [0.0, -6.0])
def test_costs_are_above_zero(cost: float) -> None:
    (fault,) = found(small(unit_cost_urban_seat=cost))
    assert fault.startswith("parameters.unit_cost_urban_seat | must be above 0, rule money_bal")
    assert f"({cost:g})" in fault


def test_a_floor_above_its_ceiling_is_refused_where_both_act() -> None:
    changes = {"central_support_rate": 0.7, "central_support_ceiling": 0.6}
    p = small(**changes)
    assert found(p) == []
    (fault,) = found(replace(p, modes={**DEFAULT_MODES, "support_ceiling": "on"}))
    assert "central_support_rate 0.7, central_support_ceiling 0.6" in fault
    off = {**DEFAULT_MODES, "support_ceiling": "on", "support_floor": "off"}
    assert found(replace(p, modes=off)) == []


@pytest.mark.parametrize(
    ("mode", "year", "words"),
    [
        ("soft", 2023, "lies before the first year decided, 2024"),
        ("hard", 2027, "lies after the last year decided, 2026"),
        ("law", 2027, "lies after the last year decided, 2026"),
        ("soft", 2027, ""),
        ("report", 2023, ""),
        ("report", 2024.5, "is no whole year (2024.5)"),
        ("hard", 2024, ""),
        ("hard", 2026, ""),
    ],
)
def test_a_target_lies_in_the_years_decided(mode: str, year: float, words: str) -> None:
    modes = {**DEFAULT_MODES, "seat_target": mode}
    faults = found(replace(small(seat_target_year=year), modes=modes))
    assert len(faults) == bool(words)
    assert all(words in fault and "parameters.seat_target_year" in fault for fault in faults)


def test_bond_ceilings_reach_the_total_of_every_year() -> None:
    p = small()
    ceiling = p.bond_ceiling.copy()
    ceiling[:, 1] *= 0.9 * p.bond_total[1] / ceiling[:, 1].sum()
    (fault,) = found(replace(p, bond_ceiling=ceiling))
    assert fault.startswith("rule bonds_region, 2025 | ")
    assert (
        f"add up to {0.9 * p.bond_total[1]:.6g}, the year's total is {p.bond_total[1]:.6g}" in fault
    )
    assert found(replace(p, bond_ceiling=ceiling, modes={"bonds_region": "off"})) == []
    (fault,) = found(small(bond_region_multiple=0.5))
    assert "add up to 1000 of 2000" in fault


@pytest.mark.parametrize(
    "name", ["need", "existing", "cost", "population", "settlers_mid", "children_migrant"]
)
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_amounts_are_numbers_and_not_negative(name: str, value: float) -> None:
    p = small()
    values = getattr(p, name).copy()
    cell = tuple(axis - 1 for axis in values.shape)
    values[cell] = value
    (fault,) = found(replace(p, **{name: values}))
    assert fault.startswith(f"{name}, ")
    assert "region 120000, 202" in fault
    assert f"is negative or not finite, rule {TABLES[name][1]} ({value!r})" in fault


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_standing_capacity_of_a_unit_has_a_credible_peak(scale: float) -> None:
    p = small()
    (fault,) = found(replace(p, standing=scale * p.standing))
    assert fault.startswith("standing capacity | peaks at")


def test_all_faults_come_at_once() -> None:
    p = small(sector_share_health=0.3, cost_split_health=0.3, land_net_share=0.07)
    need = p.need.copy()
    need[0, 0, 0, 0] = -1.0
    assert len(found(replace(p, need=need, fund=0.0))) == 5


@pytest.mark.parametrize(
    ("last", "blocks"),
    [
        (2024, [(2024, 2024)]),
        (2025, [(2024, 2025)]),
        (2026, [(2024, 2026)]),
        (2028, [(2024, 2028)]),
        (2029, [(2024, 2026), (2027, 2029)]),
        (2033, [(2024, 2026), (2027, 2029), (2030, 2033)]),
    ],
)
def test_a_short_rest_joins_the_last_block(last: int, blocks: list[tuple[int, int]]) -> None:
    assert make_blocks(tuple(range(2024, last + 1))) == tuple(Block(*pair) for pair in blocks)


def needs(codes: tuple[str, ...]) -> Needs:
    """Needs of invented regions, every figure apart from the others."""
    random = np.random.default_rng(1)
    years = [*YEARS, *TAIL]

    def cells(low: float, high: float, *dims: str) -> xr.DataArray:
        coords: dict[str, list[Any]] = {
            "area": list(AREAS),
            "service": list(SERVICES),
            "region": list(codes),
            "year": years,
        }
        shape = [len(coords[dim]) for dim in dims]
        chosen = {dim: coords[dim] for dim in dims}
        return xr.DataArray(random.uniform(low, high, shape), chosen, dims)

    built = ("year", "region", "service", "area")
    start = ("region", "area", "service")
    names = [f"children_{group}" for group in ("hukou", "migrant", "rural")]
    names += ["stretch", "reform_settlers", "settlers", "grants", "land_revenue"]
    names += ["urban_population", "rural_population", "reform_settlers_end"]
    data = xr.Dataset(
        {
            "need": cells(50, 100, *built),
            "existing_capacity": cells(40, 100, *built),
            "hukou_first": cells(0, 1, "year"),
            **{name: cells(10, 90, "region", "year") for name in names},
        }
    )
    first = xr.Dataset({"need": cells(50, 100, *start), "capacity": cells(40, 100, *start)})
    standing = xr.DataArray(
        STANDING[:, : len(years)],
        {"service": list(SERVICES), "age": range(len(years))},
        ("service", "age"),
    )
    return Needs(data, first, standing)


def problem(registry: Parameters, **changes: object) -> Problem:
    base = base_year()
    given = {"last_year": 2033, "modes": DEFAULT_MODES, **changes}
    return make_problem(needs(base.codes), base, registry, **given)  # type: ignore[arg-type]


def test_the_problem_holds_the_needs_by_label() -> None:
    registry, base = parameters(), base_year()
    given = needs(base.codes)
    p = problem(registry)
    assert (p.codes, p.years, p.tail) == (base.codes, YEARS, TAIL)
    for a, area in enumerate(AREAS):
        for s, service in enumerate(SERVICES):
            for i, code in enumerate(base.codes):
                label = {"area": area, "service": service, "region": code}
                np.testing.assert_array_equal(p.need[a, s, i], given.data["need"].sel(label))
                start = given.start.sel(label)
                assert p.start_coverage[a, s, i] == pytest.approx(
                    float(start["capacity"] / start["need"])
                )
    assert p.unit_cost.tolist() == [
        [registry["unit_cost_urban_seat"], registry["unit_cost_urban_bed"]],
        [registry["unit_cost_rural_seat"], registry["unit_cost_rural_bed"]],
    ]
    settlers = given.data["reform_settlers"].sel(year=list(YEARS))
    np.testing.assert_allclose(
        p.cost[2],
        registry["cost_split_social_security"] * registry["service_cost_per_settler"] * settlers,
    )
    # Grants are the model's own and lie in the last sector.
    grants = given.data["grants"].sel(year=list(YEARS)).values
    service = registry["service_cost_per_settler"] * settlers.values
    np.testing.assert_allclose(p.cost.sum(axis=0), service + grants)
    np.testing.assert_allclose(p.cost[3], registry["cost_split_other"] * service + grants)


def test_settlers_at_the_end_of_the_year_make_another_bill_and_the_same_weights() -> None:
    registry = parameters()
    given = needs(base_year().codes)
    p, q = problem(registry), problem(registry, count_settlers="end_year")
    last = given.data["reform_settlers_end"].sel(year=list(YEARS)).values
    grants = given.data["grants"].sel(year=list(YEARS)).values
    service = registry["service_cost_per_settler"] * last
    np.testing.assert_allclose(q.cost.sum(axis=0), service + grants)
    np.testing.assert_array_equal(q.settlers_mid, p.settlers_mid)
    np.testing.assert_array_equal(q.expenditure, base_year().data["budget_expenditure"])


def test_the_levy_is_shared_by_migrants_and_fiscal_weakness() -> None:
    registry = parameters()
    base = base_year(("110000", "420000", "310000", "510000", "440000"))
    hard = [0.0, 0.0, 1.0, 0.0, 0.0]
    own = [0.9, 0.4, 0.5, 0.7, 0.8]
    base = with_values(
        base,
        budget_revenue=base.data["budget_expenditure"] * xr.DataArray(own, dims="region"),
        hardship=xr.DataArray(hard, base.data["hardship"].coords, "region"),
    )
    given = needs(base.codes)
    p = make_problem(given, base, registry, last_year=2033, modes=DEFAULT_MODES)
    land = given.data["land_revenue"].sel(year=list(YEARS)).values
    # First and last region pay; the third is eastern too, but short of money itself.
    pool = registry["east_levy_share"] * (land[0] + land[4])
    migrants = base.data["initial_migrants"].sum("region").values
    claim = np.array([0.0, 0.6 * migrants[1], 0.0, 0.3 * migrants[3], 0.0])
    np.testing.assert_allclose(p.levy_ceiling, claim[:, None] / claim.sum() * pool)


def test_faults_of_a_problem_are_raised_together() -> None:
    registry = parameters()
    rows = dict(registry.rows)
    for name, value in (("sector_share_health", 0.3), ("land_net_share", 0.07)):
        rows[name] = replace(rows[name], value=value)
    with pytest.raises(SolveError) as caught:
        problem(Parameters(rows))
    assert [fault.where for fault in caught.value.faults] == [
        "parameters.sector_share_*",
        "parameters.land_net_share",
    ]


def test_demands_that_nothing_can_meet_are_refused_before_the_solve() -> None:
    registry = parameters()
    rows = dict(registry.rows)
    rows["central_fund_total"] = replace(rows["central_fund_total"], value=1e-3)
    modes = {**DEFAULT_MODES, "support_floor": "hard"}
    with pytest.raises(InfeasibleError) as caught:
        problem(Parameters(rows), modes=modes)
    assert caught.value.faults[0].where == "rule support_floor, 2024-2026"
