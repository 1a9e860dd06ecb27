"""Facts of the plan that are listed as used are used: each moves a named output.

Every parameter behind such a fact is moved inside its range, in a setting in which it can act, and
the output named beside it must change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from synthetic_base_year import YEARS, base_year, parameters, with_values

from hukou_opt import bundled
from hukou_opt.allocation.problem import DEFAULT_MODES
from hukou_opt.allocation.rules.slack_table import asked
from hukou_opt.allocation.solve import solve
from hukou_opt.cli.fact_uses import fact_uses
from hukou_opt.dynamics import ArrayEngine, model_constants, no_decisions
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.planning.coupling import Coupling
from hukou_opt.planning.prepare import make_problem
from hukou_opt.regions import derive_base_year, load_regions

#: Relative change of an output that counts: far above rounding, far below any real effect.
CHANGE = 1e-5
LAST = 2029


@dataclass(frozen=True)
class Move:
    """A parameter moved, and the output that must follow.

    Parameters
    ----------
    output : str
        Column of the run, or table of the answer.
    to : float
        Where the parameter is moved to.
    given : mapping of str to float
        Other parameters that must stand so that it can act at all.
    together : mapping of str to float
        Parameters that must move with it, such as shares that sum to 1.
    modes : mapping of str to str
        Rules that must be switched on.
    """

    output: str
    to: float
    given: Mapping[str, float] = field(default_factory=dict)
    together: Mapping[str, float] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)


#: Where keeping land is not nationwide, a swap has something to make good.
GIVE_UP = {"keep_full_share": 0.0}
#: Tenants offer less than the floor, and a floor above the offer slows renting out.
LOW_RENT = {"rent_offer": 1.0, "rent_exponent": 1.0}
MODEL: dict[str, Move] = {
    "willingness_base": Move("willingness", 1.73),
    "willingness_contribution": Move("willingness", 0.0, {"contribution_years": 0.0}),
    "settlement_cap_switch": Move("cumulative_settlers", 1.0),
    "openness_base_mega": Move("openness", 0.3),
    "openness_reform_small": Move("openness", 0.9),
    "opening_start_mega": Move("openness", 2025),
    "opening_end_mega": Move("openness", 2026),
    "opening_start_large": Move("openness", 2024),
    "opening_end_large": Move("openness", 2030),
    "opening_start_small": Move("openness", 2025),
    "opening_end_small": Move("openness", 2026),
    "pilot_share_mega": Move("openness", 0.5),
    "pilot_share_large": Move("openness", 0.3),
    "pilot_start": Move("openness", 2025, {"pilot_share_mega": 0.5, "pilot_end": 2026}),
    "cluster_recognition": Move("settlement_hazard", 0.0),
    "keep_pilot_share": Move("keep_land", 1.0),
    "keep_full_share": Move("keep_land", 0.5),
    "keep_pilot_start": Move("keep_land", 2026),
    "keep_full_start": Move("keep_land", 2025),
    "keep_full_end": Move("keep_land", 2033),
    "land_compensation_base": Move("land_security", 0.5),
    "land_compensation_reform": Move("land_security", 1.0),
    "land_compensation_start": Move("land_security", 2026),
    "land_swap_share": Move("land_security", 1.0, GIVE_UP),
    "land_swap_start": Move("land_security", 2024, GIVE_UP),
    "land_swap_end": Move("land_security", 2033, GIVE_UP),
    "settling_grant": Move("settler_grants", 2.0),
    "housing_subsidy": Move("settler_grants", 1.8),
    "grant_start": Move("settler_grants", 2026),
    "exam_opening": Move("willingness", 0.0),
    "exam_start": Move("willingness", 2025),
    "exam_end": Move("willingness", 2033),
    "contribution_years": Move("cumulative_settlers", 0.0),
    "contribution_years_plan": Move("cumulative_settlers", 7.0),
    "trusteeship": Move("abandoned_share", 0.0),
    "trusteeship_start": Move("abandoned_share", 2028),
    "accompany_ratio": Move("migrant_children", 0.9),
    "abandonment_rate": Move("abandoned_share", 0.02),
    "rent_floor": Move("land_transferred", 2.0, LOW_RENT),
    "rent_floor_start": Move("land_transferred", 2028, LOW_RENT),
    "rent_exponent": Move("land_transferred", 2.0, {"rent_offer": 1.0}),
    "lease_term": Move("land_transferred", 30.0),
}
DERIVED: dict[str, Move] = {
    "national_hukou_rate": Move("migrants", 0.467),
    "cross_province_share": Move("migrants", 0.4),
    "return_rate": Move("returns_home", 0.055),
    "migrant_children": Move("migrant_children", 1430.0),
    "public_school_share": Move("migrant_place_share_year_end", 0.68),
    "abandoned_share": Move("abandoned_share", 0.1),
}
#: Private money is cheaper than public money, and there is little of that.
PARTNERS_WANTED = {"partner_yearly_payment": 0.0, "bonds_per_year": 100.0}
#: Regions give little and the centre has much: it would pay more than its ceiling.
POOR = {"local_effort": 0.1, "central_fund_total": 5000.0}
ALLOCATION: dict[str, Move] = {
    "central_fund_total": Move("central", 3000.0),
    **{
        f"sector_share_{sector}": Move(
            "central", share + 0.05, together={"sector_share_other": 0.05}
        )
        for sector, share in (("education", 0.35), ("health", 0.25), ("social_security", 0.30))
    },
    "sector_share_other": Move("central", 0.15, together={"sector_share_education": 0.30}),
    "service_cost_per_settler": Move("unfunded", 1.6),
    "central_support_rate": Move("central", 0.7),
    "province_land_share": Move("local", 0.20),
    "province_transfer_share": Move("local", 0.0),
    "city_land_share": Move("local", 0.30),
    "bonds_per_year": Move("bonds", 10.0),
    "east_levy_share": Move("levy", 0.1),
    "teacher_posts": Move("teachers", 0.1),
    "rural_level_target": Move("asked rural_level", 0.9),
    "public_share_target": Move("asked public_share", 0.9),
    "public_share_target_year": Move("asked public_share", 2025),
    "seat_target": Move("asked seat_target", 1200.0),
    "seat_target_year": Move("got seat_target", 2025),
    "central_support_ceiling": Move("central", 0.5, POOR, modes={"support_ceiling": "on"}),
    "partner_schools": Move("partner_starts", 0.0, PARTNERS_WANTED),
    "partner_hospitals": Move("partner_starts", 0.0, PARTNERS_WANTED),
    "capacity_share_target": Move("asked capacity_share", 0.8),
    "capacity_share_target_year": Move("got capacity_share", 2024),
    "city_spending_share_target": Move("asked city_spending_share", 0.5),
}
#: Rules that state a fact without a parameter, the mode that drops them, and what follows.
RULES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "no_dilution": ({"no_dilution": "law"}, {"no_dilution": "off"}, "starts"),
    "block_money": ({"block_money": "on"}, {"block_money": "off"}, "central"),
}


def acting() -> dict[str, set[str]]:
    """Parameters behind every fact that is listed as used by model, program or experiment."""
    return {
        use.fact.id: {*use.parameters, *(use.ranges if use.experiments else ())}
        for use in fact_uses()
        if use.acts
    }


def test_every_fact_that_is_listed_as_used_is_tried() -> None:
    tried = {**MODEL, **DERIVED, **ALLOCATION}
    facts = acting()
    assert len(facts) > 50
    assert {name for names in facts.values() for name in names} == set(tried)
    # The others are stated by rules without a parameter.
    alone = {use.fact.rule for use in fact_uses() if use.acts and not facts[use.fact.id]}
    assert alone == set(RULES)


def test_every_move_stays_within_the_range_of_its_parameter() -> None:
    registry = load_parameters()
    for name, move in {**MODEL, **DERIVED, **ALLOCATION}.items():
        row = registry.rows[name]
        assert row.low <= move.to <= row.high, name
        assert move.to != row.value, name


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Largest change relative to the largest figure; 1 where the tables have other shapes."""
    if before.shape != after.shape:
        return 1.0
    scale = float(np.nanmax(np.abs(before))) if before.size else 0.0
    return float(np.nanmax(np.abs(after - before))) / max(scale, 1e-9) if before.size else 0.0


@pytest.fixture(scope="module")
def simulate() -> Callable[[Parameters], xr.Dataset]:
    """Three made-up regions in the array engine, with the reform."""
    base = base_year()
    engine = ArrayEngine(bundled.model(), base.codes, YEARS, time_step=0.25)
    nothing = no_decisions(base.codes, YEARS)

    def run(registry: Parameters) -> xr.Dataset:
        engine.reset(model_constants(base, registry, reform=True))
        return engine.run(nothing).data

    return run


@pytest.mark.parametrize("name", MODEL)
def test_of_the_model(simulate: Callable[[Parameters], xr.Dataset], name: str) -> None:
    move = MODEL[name]
    registry = parameters().override(dict(move.given))
    before, after = simulate(registry), simulate(registry.override({name: move.to}))
    assert changed(before[move.output].values, after[move.output].values) > CHANGE


@pytest.fixture(scope="module")
def provinces() -> Callable[[Parameters], xr.Dataset]:
    """The 31 provinces from their statistics to the end of the path, with the reform."""
    regions = load_regions(base=2023)
    years = range(2024, 2034)
    engine = ArrayEngine(bundled.model(), regions.codes, tuple(years), time_step=0.25)
    nothing = no_decisions(tuple(regions.codes), tuple(years))

    def run(registry: Parameters) -> xr.Dataset:
        base = derive_base_year(regions, registry, years=years, with_ranges=False)
        engine.reset(model_constants(base, registry, reform=True))
        return engine.run(nothing).data

    return run


@pytest.mark.parametrize("name", DERIVED)
def test_of_the_base_year(provinces: Callable[[Parameters], xr.Dataset], name: str) -> None:
    move = DERIVED[name]
    before = provinces(load_parameters())
    after = provinces(load_parameters().override({name: move.to}))
    assert changed(before[move.output].values, after[move.output].values) > CHANGE


@pytest.fixture(scope="module")
def allocate() -> Callable[..., dict[str, np.ndarray]]:
    """The linear program of three made-up regions, the weaker ones entitled to the levy."""
    made = base_year()
    base = with_values(made, budget_revenue=made.data["budget_expenditure"] * 0.4)
    engine = ArrayEngine(bundled.model(), base.codes, YEARS, time_step=0.25)
    registry = parameters()
    engine.reset(model_constants(base, registry, reform=True))
    coupling = Coupling(engine, base, registry, LAST, dict(DEFAULT_MODES), lambda _: None)
    needs = coupling.needs(coupling.first_run, coupling.nothing())
    known: dict[tuple[object, ...], dict[str, np.ndarray]] = {}

    def run(values: Mapping[str, float], modes: Mapping[str, str]) -> dict[str, np.ndarray]:
        key = (tuple(sorted(values.items())), tuple(sorted(modes.items())))
        if key not in known:
            known[key] = tables({"central_fund_total": 1500.0, **values}, modes)
        return known[key]

    def tables(values: Mapping[str, float], modes: Mapping[str, str]) -> dict[str, np.ndarray]:
        p = make_problem(
            needs,
            base,
            registry.override(dict(values)),
            last_year=LAST,
            modes={**DEFAULT_MODES, **modes},
        )
        answer = solve(p).solution
        names = ("central", "local", "bonds", "levy", "unfunded", "starts", "teachers")
        found = {name: np.asarray(getattr(answer, name)) for name in (*names, "partner_starts")}
        cells = [
            SimpleNamespace(rule=each.rule, asked=each.asked, got=each.got)
            for each in asked(p, answer)
        ]
        for rule in {each.rule for each in cells}:
            for what in ("asked", "got"):
                found[f"{what} {rule}"] = np.array(
                    [getattr(each, what) for each in cells if each.rule == rule]
                )
        return found

    return run


@pytest.mark.parametrize("name", ALLOCATION)
def test_of_the_linear_program(allocate: Callable[..., dict[str, np.ndarray]], name: str) -> None:
    move = ALLOCATION[name]
    before = allocate(move.given, move.modes)
    after = allocate({**move.given, **move.together, name: move.to}, move.modes)
    assert changed(before[move.output], after[move.output]) > CHANGE


@pytest.mark.parametrize("rule", RULES)
def test_of_rules_without_a_parameter(
    allocate: Callable[..., dict[str, np.ndarray]], rule: str
) -> None:
    held, dropped, output = RULES[rule]
    before, after = allocate({}, held), allocate({}, dropped)
    assert changed(before[output], after[output]) > CHANGE
