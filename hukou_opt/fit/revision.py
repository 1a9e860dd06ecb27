"""How far the published figures of a base year stood from what they were later revised to.

A forecast from figures as first published starts from their error. No model could have known it.
"""

from __future__ import annotations

import numpy as np

from hukou_opt.fit.protocol import Test
from hukou_opt.fit.score import MEASURES, mean_absolute
from hukou_opt.fit.vintage import VINTAGES
from hukou_opt.regions.history import load_history

#: Series that were revised, by the quantity that is scored.
REVISED = {"population": "resident_pop", "urban_share": "urban_share"}


def base_revision(test: Test) -> dict[str, float]:
    """Mean absolute error of the published figures of a test's base year, by quantity.

    In percent for the population, in percentage points for the urban share, against the series of
    today; empty for a test on the revised series.

    Parameters
    ----------
    test : Test
        Test of the protocol.

    Raises
    ------
    DataError
        If a series lacks the year.
    """
    ending = VINTAGES[test.vintage]
    if not ending:
        return {}
    # What is known today: this is hindsight, and no forecast reads it.
    history = load_history()
    errors = {}
    for quantity, name in REVISED.items():
        published = np.asarray(history.at(f"{name}{ending}", test.last), dtype=float)
        revised = np.asarray(history.at(name, test.last), dtype=float)
        errors[quantity] = mean_absolute(MEASURES[quantity].errors(published, revised))
    return errors
