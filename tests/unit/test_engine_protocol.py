"""Both engines, year by year: observe, act, advance, collect, with one timing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import xarray as xr
from small_model import CODES, TEXT, YEARS

from hukou_opt.dynamics import ArrayEngine, Decisions, PysdEngine, no_decisions
from hukou_opt.dynamics.agenda import Agenda
from hukou_opt.errors import ModelError

COLUMNS = ("stock", "gain", "elapsed")
GROWTH = xr.DataArray([0.1, 0.3], {"region": list(CODES)}, ("region",))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUKOU_OPT_CACHE", str(folder / "cache"))
        (folder / "own.mdl").write_text(TEXT, encoding="utf-8")
        yield folder / "own.mdl"


@pytest.fixture(scope="module", params=[PysdEngine, ArrayEngine])
def engine(request, path):
    return request.param(path, CODES, YEARS, time_step=0.25, trust=True)


@pytest.fixture
def ready(engine):
    engine.reset({"growth": GROWTH}, COLUMNS)
    return engine


def busy() -> Decisions:
    nothing = no_decisions(CODES, YEARS)
    random = np.random.default_rng(5)
    return replace(nothing, starts=nothing.starts + random.uniform(0, 2, nothing.starts.shape))


def of(decisions: Decisions, *years: int) -> Decisions:
    return Decisions(
        **{
            each.name: getattr(decisions, each.name).sel(year=list(years))
            for each in fields(Decisions)
        }
    )


def test_year_by_year_is_the_same_as_at_once(ready):
    decisions = busy()
    whole = ready.run(decisions, COLUMNS).data
    for year in YEARS:
        assert ready.now == year - 1
        ready.act(of(decisions, year))
        ready.advance()
    assert ready.now == YEARS[-1]
    xr.testing.assert_identical(ready.collect().data, whole)


def test_what_is_observed_is_what_stands_at_the_years_end(ready):
    start = ready.observe()
    assert int(start["year"]) == 2023
    assert start["stock"].values.tolist() == [1.0, 1.0]
    ready.advance(2)
    seen = ready.observe()
    assert int(seen["year"]) == 2025
    xr.testing.assert_equal(
        seen["stock"].drop_vars("year"),
        ready.collect().data["stock"].sel(year=2025, drop=True),
    )


def test_looking_at_the_start_does_not_use_it_up(ready):
    decisions = busy()
    whole = ready.run(decisions, COLUMNS).data
    ready.restart()
    ready.observe()
    ready.act(decisions)
    ready.advance(len(YEARS))
    xr.testing.assert_identical(ready.collect().data, whole)


def test_a_decision_acts_from_the_time_at_which_it_is_taken(ready):
    ready.advance()
    before = ready.collect().data["stock"]
    late = of(busy(), 2025)
    ready.act(late)
    ready.advance()
    path = ready.collect().data["stock"]
    xr.testing.assert_identical(path.sel(year=[2023, 2024]), before)
    ready.restart()
    ready.advance(2)
    without = ready.collect().data["stock"]
    assert bool((path.sel(year=2025) > without.sel(year=2025)).all())


def test_rates_of_a_year_are_those_under_the_decisions_for_the_next(ready):
    ready.advance()
    ready.act(of(busy(), 2025))
    ready.advance()
    rate = ready.collect().data["gain"].sel(year=2024)
    started = busy().starts.sel(area="urban", service="seats", year=2025)
    grown = GROWTH * ready.collect().data["stock"].sel(year=2024)
    np.testing.assert_allclose(rate.values, (grown + started).values)


def test_a_run_at_once_leaves_the_steps_where_they_are(ready):
    ready.advance()
    ready.run(busy(), COLUMNS)
    assert ready.now == 2024
    ready.advance()
    assert ready.now == 2025


@pytest.mark.parametrize("years", [0, -1, 4])
def test_going_back_or_beyond_the_end_is_refused(ready, years):
    with pytest.raises(ModelError, match="the run ends in 2026"):
        ready.advance(years)


def test_the_past_cannot_be_decided(ready):
    ready.advance()
    with pytest.raises(ModelError, match=r"years that are past \(\[2024\]\)"):
        ready.act(of(busy(), 2024))
    with pytest.raises(ModelError, match="range"):
        ready.act(of(replace(busy(), funded_share=busy().funded_share + 1), 2025))


def test_decisions_for_other_regions_or_years_are_refused():
    agenda = Agenda(CODES, YEARS)
    other = no_decisions(("1", "9"), (2026, 2027))
    with pytest.raises(ModelError) as caught:
        agenda.put(other, 2023)
    told = str(caught.value)
    assert "beyond the run ([2027])" in told
    assert "is not for the run's regions" in told


def test_a_restart_forgets_decisions_and_time(ready):
    ready.act(busy())
    ready.advance(2)
    ready.restart()
    assert ready.now == 2023
    ready.advance(3)
    plain = ready.run(no_decisions(CODES, YEARS), COLUMNS).data
    xr.testing.assert_identical(ready.collect().data, plain)


def test_members_may_part_at_a_decision(path):
    engine = ArrayEngine(path, CODES, YEARS, time_step=0.25, trust=True)
    engine.reset({"growth": GROWTH}, COLUMNS)
    engine.advance()
    late = of(busy(), 2025, 2026)
    members = xr.DataArray([0.0, 1.0, 2.0], {"member": ["a", "b", "c"]}, ("member",))
    engine.act(replace(late, starts=late.starts * members))
    engine.advance(2)
    found = engine.collect().data["stock"]
    assert found.dims == ("year", "region", "member")
    for label, factor in (("a", 0.0), ("b", 1.0), ("c", 2.0)):
        engine.restart()
        engine.advance()
        engine.act(replace(late, starts=late.starts * factor))
        engine.advance(2)
        alone = engine.collect().data["stock"]
        np.testing.assert_allclose(found.sel(member=label).values, alone.values, rtol=1e-14)
