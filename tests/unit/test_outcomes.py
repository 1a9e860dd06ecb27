from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from result_builder import CODES, PATH_YEARS, attrs, groups, result, without_allocation

from hukou_opt.errors import ResultError
from hukou_opt.outcome_figures import FIGURES
from hukou_opt.outcomes import last_year, outcome, outcomes, registry, series
from hukou_opt.result import Result

STOCKS = (
    "reform_settlers",
    "migrants_total",
    "urban_seats",
    "rural_seats",
    "children_hukou",
    "children_migrant",
    "children_rural",
    "admission_migrant",
    "admission_hukou",
    "land_farmed",
    "land_transferred",
    "land_abandoned",
    "debt",
)


MEASURES = ["gap_hukou_migrant_2023", "gap_hukou_migrant_2026", "unfunded", "unfunded_worst"]


def whole(seed: int = 1, *, allocation: bool = True) -> Result:
    """A result whose path has everything that outcomes are made from."""
    parts = groups(seed)
    draw = np.random.default_rng(seed)
    shape = (len(PATH_YEARS), len(CODES))
    parts["trajectory"] = parts["trajectory"].assign(
        {name: (("year", "region"), draw.random(shape) + 0.1) for name in STOCKS}
    )
    parts["gaps"] = xr.Dataset(
        {"value": (("case", "measure"), [[0.1, 0.2, 5.0, 0.3], [0.01, 0.02, 4.0, 0.03]])},
        {
            "case": ["without_plan", "plan"],
            "measure": MEASURES,
            **{key: ("measure", ["a", "b", "c", "d"]) for key in ("label_en", "label_zh", "unit")},
        },
    )
    if not allocation:
        kept = {name: parts[name] for name in ("regions", "trajectory", "parameters")}
        return Result.build(attrs(allocation=0, certified=0), kept)
    return Result.build(attrs(), parts)


def test_every_outcome_has_a_name_a_unit_labels_and_a_figure() -> None:
    assert set(registry()) == set(FIGURES)
    for name, each in registry().items():
        assert each.name == name
        assert each.unit
        assert each.label("en")
        assert each.label("zh") != each.label("en")
        assert each.span in ("state", "year", "total", "whole", "stored")
        assert each.better in ("higher", "lower", "none")


@pytest.mark.parametrize("seed", range(5))
def test_national_rates_are_sums_over_sums(seed: int) -> None:
    made = whole(seed)
    path = made["trajectory"]
    for year in (2023, 2029, 2032):
        at = path.sel(year=year)
        people = sum(float(at["urban_population"][i] + at["rural_population"][i]) for i in range(3))
        rate = sum(float(at["urban_hukou_residents"][i]) for i in range(3)) / people
        assert outcome(made, "hukou_rate", year) == pytest.approx(rate, rel=1e-12)
        kids = [float(at["children_migrant"][i]) for i in range(3)]
        placed = sum(float(at["admission_migrant"][i]) * kids[i] for i in range(3))
        assert outcome(made, "migrant_public_share", year) == pytest.approx(placed / sum(kids))
        land = {n: at[f"land_{n}"].values.sum() for n in ("farmed", "transferred", "abandoned")}
        share = land["abandoned"] / sum(land.values())
        assert outcome(made, "abandoned_share", year) == pytest.approx(share)


def test_shares_of_regions_average_to_the_nation_with_their_people_as_weights() -> None:
    made = whole(3)
    shares = [outcome(made, "hukou_rate", 2030, code) for code in CODES]
    path = made["trajectory"].sel(year=2030)
    people = (path["urban_population"] + path["rural_population"]).values
    assert outcome(made, "hukou_rate", 2030) == pytest.approx(np.average(shares, weights=people))
    assert outcome(made, "hukou_rate", 2030, "Henan") == shares[1]
    assert outcome(made, "hukou_rate", 2030, "河南省") == shares[1]


def test_seats_of_one_region_do_not_serve_another() -> None:
    made = whole(5)
    allocation, need = made["allocation"], made["needs"]["need"]
    spare = 0.0
    for code in CODES:
        one = allocation["capacity"].sel(
            area="urban", service="seats", region=code, need_year=2027
        ) - need.sel(area="urban", service="seats", region=code, year=2027)
        spare += max(0.0, float(one))
    assert outcome(made, "urban_seats_stranded", 2027) == pytest.approx(spare)
    short = allocation["shortage"].sel(area="rural", service="beds", need_year=2031)
    assert outcome(made, "rural_beds_short", 2031) == pytest.approx(float(short.sum()))


def test_without_allocation_seats_are_told_from_the_path_and_money_is_not_known() -> None:
    made = whole(7, allocation=False)
    at = made["trajectory"].sel(year=2030)
    spare = (at["urban_seats"] - at["children_hukou"] - at["children_migrant"]).values
    assert outcome(made, "urban_seats_stranded", 2030) == pytest.approx(spare.clip(0).sum())
    assert outcome(made, "urban_seats_short", 2030) == pytest.approx((-spare).clip(0).sum())
    known = outcomes(made, 2030)
    assert "hukou_rate" in known
    assert not {"central_money", "unfunded", "urban_beds_short", "rural_beds_level"} & set(known)
    with pytest.raises(ResultError, match="the run has no allocation"):
        outcome(made, "central_money", 2030)


def test_totals_add_up_to_their_year_and_settlers_are_what_is_added() -> None:
    made = whole(9)
    money = made["allocation"]["central_transfers"].sum(["sector", "region"])
    total = series(made, "central_money")
    for year in total.index:
        expected = sum(float(money.sel(year=each)) for each in money["year"] if each <= year)
        assert total[year] == pytest.approx(expected)
    settled = made["trajectory"]["reform_settlers"].sum("region")
    settlers = series(made, "settlers")
    assert list(settlers.index) == list(PATH_YEARS[1:])
    assert settlers.sum() == pytest.approx(float(settled[-1] - settled[0]))


def test_stored_gaps_are_the_plans_own_in_the_years_that_the_result_holds() -> None:
    made = whole()
    assert outcome(made, "gap_hukou_migrant", 2026) == 0.02
    assert outcome(made, "unfunded") == 4.0
    assert outcome(made, "unfunded_worst") == 0.03
    with pytest.raises(ResultError, match=r"is not known for that year \(2030\) .* 2023, 2026"):
        outcome(made, "gap_hukou_migrant", 2030)
    with pytest.raises(ResultError, match="for the nation only"):
        outcome(made, "unfunded", region="Henan")


def test_what_is_not_there_is_said_in_words() -> None:
    made = result()
    with pytest.raises(ResultError, match="did you mean 'hukou_rate'"):
        outcome(made, "hukou_rat")
    with pytest.raises(ResultError, match=r"region 'Hennan' . is unknown . did you mean 'Henan'"):
        outcome(made, "hukou_rate", region="Hennan")
    with pytest.raises(ResultError, match=r"not known for that year \(2050\) . known: 2023 to"):
        outcome(made, "hukou_rate", 2050)
    with pytest.raises(ResultError, match="it lacks /trajectory/debt"):
        outcome(made, "debt")


def test_the_last_year_decided_is_the_year_where_none_is_given() -> None:
    assert last_year(result()) == 2029
    assert last_year(result(last_year=2028)) == 2028
    assert last_year(without_allocation()) == PATH_YEARS[-1]
    assert outcomes(result())["hukou_rate"] == outcome(result(), "hukou_rate", 2029)
