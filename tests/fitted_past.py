"""One small back-test that several tests share: a short window, one form, few draws, one round."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

from hukou_opt.fit import backtest as scoring
from hukou_opt.fit import calibrate
from hukou_opt.fit.backtest import BackTest, backtest
from hukou_opt.fit.protocol import Protocol, load_protocol
from hukou_opt.parameters.registry import load_parameters

TEST, FORM = "known_by_2015", "shrunken"
DRAWS = 200


def few_draws() -> Protocol:
    """The protocol with fewer draws."""
    return replace(load_protocol(), draws=DRAWS)


@lru_cache(maxsize=1)
def small_backtest() -> BackTest:
    """Real figures, really fitted and scored; the two fits are not repeated in turn."""
    few = few_draws()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "load_protocol", lambda: few)
        patch.setattr(calibrate, "ROUNDS", 1)
        return backtest(load_parameters(), tests=[TEST], forms=[FORM], progress=False)
