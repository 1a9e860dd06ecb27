"""Shares set anew from the observed state: true path, believed path, money that goes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from synthetic_base_year import YEARS, base_year, parameters

from hukou_opt import bundled
from hukou_opt.allocation.problem import DEFAULT_MODES
from hukou_opt.allocation.spec import Aims
from hukou_opt.dynamics import ArrayEngine, model_constants, no_decisions
from hukou_opt.errors import ExperimentError
from hukou_opt.experiment import experiment_from, load_experiment
from hukou_opt.planning.rolling import ObservedEngine, RollingHorizon
from hukou_opt.planning.rolling.result import as_coupled, check_rolling

LAST = 2033
#: Logit of 85 % and of 37 %.
EAGER, RELUCTANT = 1.73, -0.53


@pytest.fixture(scope="module")
def base():
    return base_year()


@pytest.fixture(scope="module")
def engine(base):
    return ArrayEngine(bundled.model(), base.codes, YEARS)


def constants(base, willingness: float):
    changed = parameters().override({"willingness_base": willingness})
    return model_constants(base, changed, reform=True)


def horizon(engine, base, belief: float, every: int | None, fund: float = 3000.0):
    return RollingHorizon(
        engine,
        constants(base, RELUCTANT),
        constants(base, belief),
        base,
        parameters().override({"central_fund_total": fund}),
        LAST,
        DEFAULT_MODES,
        Aims(),
        "mid_year",
        every,
        12,
        0.005,
        lambda _: None,
    )


def busy(codes, years):
    nothing = no_decisions(codes, years)
    random = np.random.default_rng(3)
    return replace(
        nothing,
        starts=nothing.starts + random.uniform(0, 3, nothing.starts.shape),
        funded_share=nothing.funded_share * random.uniform(0.5, 1, nothing.funded_share.shape),
    )


def test_an_observed_engine_with_a_right_belief_is_the_tail_of_the_whole_run(engine, base) -> None:
    truth = constants(base, RELUCTANT)
    decisions = busy(base.codes, YEARS)
    engine.reset(truth)
    whole = engine.run(decisions).data
    observed = ObservedEngine(engine, truth, truth, decisions, 2026)
    assert observed.years == tuple(range(2027, YEARS[-1] + 1))
    later = [year for year in YEARS if year > 2026]
    tail = observed.run(
        replace(
            decisions,
            **{
                name: getattr(decisions, name).sel(year=later)
                for name in ("starts", "temporary_places", "funded_share", "bonds")
            },
        )
    ).data
    xr.testing.assert_identical(tail, whole.sel(year=slice(2026, None)))


def test_a_wrong_belief_changes_the_future_and_not_what_is_observed(engine, base) -> None:
    truth, belief = constants(base, RELUCTANT), constants(base, EAGER)
    nothing = no_decisions(base.codes, YEARS)
    later = no_decisions(base.codes, [year for year in YEARS if year > 2026])
    right = ObservedEngine(engine, truth, truth, nothing, 2026).run(later).data
    wrong = ObservedEngine(engine, truth, belief, nothing, 2026).run(later).data
    settled = "cumulative_settlers"
    xr.testing.assert_identical(wrong[settled].sel(year=2026), right[settled].sel(year=2026))
    assert (wrong[settled].sel(year=2030) > right[settled].sel(year=2030) * 1.05).all()
    assert wrong["willingness"].sel(year=2026).min() > right["willingness"].sel(year=2026).max()


@pytest.fixture(scope="module")
def rolled(engine, base):
    return {
        (belief, every): horizon(engine, base, belief, every).roll()
        for belief, every in ((EAGER, None), (EAGER, 3), (RELUCTANT, None), (RELUCTANT, 3))
    }


def test_money_is_never_more_than_the_fund_and_balances_where_it_is_paid(rolled) -> None:
    for (belief, every), found in rolled.items():
        seen, p, book = found.seen, found.problem, found.ledger
        assert seen.central.sum() <= p.fund * (1 + 1e-9), (belief, every)
        assert np.all(seen.unfunded >= 0)
        assert np.all(seen.unfunded <= p.cost + 1e-9)
        outlay = seen.building_cost(p) + seen.partner_payments(p)
        outlay[0] += p.parameters["temporary_place_cost"] * seen.temporary
        paid = (p.cost - seen.unfunded + outlay).sum(axis=(0, 2))
        given = (seen.central + seen.local + seen.bonds + seen.levy).sum(axis=(0, 2))
        # Money is given for seats and beds, for places that are rented, and for running cost.
        assert given == pytest.approx(paid, rel=1e-6, abs=1e-6), (belief, every)
        assert np.all((book.funded >= 0) & (book.funded <= 1))


def test_settings_go_by_the_plans_blocks_and_the_fund_that_is_left(rolled) -> None:
    assert [each.first for each in rolled[EAGER, None].settings] == [2024]
    found = rolled[EAGER, 3]
    assert [each.first for each in found.settings] == [2024, 2027, 2030]
    assert [len(each.applied) for each in found.settings] == [3, 3, 4]
    spent = found.ledger.central.sum(axis=(0, 1))
    left = [3000.0 - spent[:at].sum() for at in (0, 3, 6)]
    assert [each.left for each in found.settings] == pytest.approx(left, rel=1e-9)


def test_a_plan_set_once_with_a_right_belief_is_what_happens(rolled) -> None:
    found = rolled[RELUCTANT, None]
    best = found.settings[0].coupled.best
    assert found.seen.unfunded.sum() == pytest.approx(best.simulated.unfunded.sum(), rel=0.02)
    assert found.seen.shortage == pytest.approx(best.simulated.shortage, abs=0.05)


def test_what_is_published_is_what_happened_with_the_proofs_of_all_settings(rolled) -> None:
    found = rolled[EAGER, 3]
    coupled = as_coupled(found)
    assert coupled.rounds[-1] is coupled.best
    assert len(coupled.rounds) == 1 + sum(len(each.coupled.rounds) for each in found.settings)
    names = [each.name for each in coupled.best.allocation.certificates]
    assert {name.split(":")[0] for name in names} == {"2024", "2027", "2030"}
    value = {level.name: level.value for level in coupled.best.allocation.levels}
    # The worst-off fifth is never better off than all together, on the path that happened.
    weight, share = found.problem.block_weight, found.seen.unfunded_share(found.problem)
    assert value["unfunded_worst"] >= float((weight * share).sum()) - 1e-9


def test_what_a_rolling_horizon_cannot_do_is_refused_at_once() -> None:
    settings = experiment_from(
        {
            "name": "odd",
            "engine": "pysd",
            "rolling": {"every": 3, "believed": {"central_fund_total": 4000.0}},
            "allocation": {"rules": {"performance_reward": "soft"}},
        }
    )
    with pytest.raises(ExperimentError) as caught:
        check_rolling(settings, parameters())
    text = str(caught.value)
    for where in (
        "allocation.comparators",
        "allocation.rules.performance_reward",
        "engine",
        "rolling.believed.central_fund_total",
    ):
        assert where in text
    check_rolling(load_experiment("rolling.every_three_years"), parameters())
