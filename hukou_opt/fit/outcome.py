"""What happened: the figures against which forecasts are scored. Never an input of a forecast."""

from __future__ import annotations

from collections.abc import Mapping

from hukou_opt.fit.cohorts import Cohorts
from hukou_opt.fit.protocol import Test
from hukou_opt.fit.vintage import CENSUSES, FIRST_BIRTHS, births, hukou_path
from hukou_opt.regions import load_regions
from hukou_opt.regions.estimates import AGE_GROUPS
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.history import load_history

#: Reference that counted the people one by one.
CENSUS = "census"


def outcome(test: Test) -> tuple[Mapping[str, Array], float | None]:
    """Figures of the target year by quantity, dims (region), and the national hukou rate.

    Children of 6 to 14 exist for a census year only: counted ages 10-14 and the part of ages 5-9
    that births of the years give to 6-9.
    """
    history = load_history()
    rates = hukou_path(load_regions(), test.target, test.target)
    rate = rates.get(test.target)
    beds = history.at("beds_total", test.target)
    if test.reference != CENSUS:
        return {
            "population": history.at("resident_pop", test.target),
            "urban_share": history.at("urban_share", test.target),
            "beds": beds,
        }, rate
    counted = load_regions(base=test.target)
    cohorts = Cohorts(
        census=CENSUSES[0],
        counted={column: counted.figure(column) for _, _, column in AGE_GROUPS},
        births={
            year: births(history, "resident_pop", year)
            for year in range(FIRST_BIRTHS, history.last_known("birth_rate") + 1)
            if year <= test.target - 1
        },
    )
    return {
        "population": counted.figure("census_pop"),
        "urban_share": counted.figure("census_urban_share"),
        "children": cohorts.of_school_age(test.target),
        "beds": beds,
    }, rate
