"""Past base years and the back-test, made once for all tests that read them."""

from __future__ import annotations

from functools import lru_cache

from hukou_opt.fit.backtest import BackTest, backtest
from hukou_opt.fit.forecast import Form
from hukou_opt.fit.past import Known
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.fit.trends import Trends, Window, trends
from hukou_opt.fit.vintage import known_at, window_of
from hukou_opt.fit.window_fit import WindowFit, as_it_is, fit_window
from hukou_opt.parameters import Parameters, load_parameters
from hukou_opt.regions.history import History, load_history

TESTS = ("revised", "first_published", "known_by_2015", "to_2023")
WINDOW: Form = as_it_is(access_held=False)


@lru_cache
def registry() -> Parameters:
    return load_parameters()


@lru_cache
def history(name: str) -> History:
    return load_history(known_by=load_protocol().tests[name].known_by)


@lru_cache
def window(name: str) -> Window:
    test = load_protocol().tests[name]
    return window_of(history(name), test.vintage, test.first, test.last)


@lru_cache
def found(name: str) -> Trends:
    return trends(window(name))


@lru_cache
def known(name: str, year: int) -> Known:
    return known_at(history(name), load_protocol().tests[name].vintage, year)


@lru_cache
def fitted(name: str) -> WindowFit:
    """The window reproduced with the registry's national parameters."""
    first = load_protocol().tests[name].first
    return fit_window(window(name), known(name, first), found(name), registry(), form=WINDOW)


@lru_cache
def whole() -> BackTest:
    """The primary form and all naive forecasts in all tests."""
    return backtest(registry(), forms=[load_protocol().primary], progress=False)
