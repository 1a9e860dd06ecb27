"""The units check: what fits, what does not, and what cannot be judged."""

from __future__ import annotations

import pytest

from hukou_opt import bundled
from hukou_opt.dynamics.validation.units import (
    check_units,
    inspect_units,
    read_unit,
    unit_registry,
)
from hukou_opt.errors import ModelError

HEAD = """{UTF-8}
region: r1, r2 ~ ~ |
dest <-> region ~ ~ |
year0: (y2023-y2025) ~ ~ |
year: (y2024-y2025) ~ ~ |
year_end[year]= 2024, 2025 ~ year ~ |
stock_year[year0]= 2023, 2024, 2025 ~ year ~ |
region_number[region]= 1, 2 ~ 1 ~ |
smallest_stock= 1e-09 ~ 1 ~ |
time_tolerance= 1e-06 ~ year ~ |
people[region]= 5 ~ ten thousand persons ~ |
head[region]= 5 ~ persons ~ |
arrivals[region]= 5 ~ ten thousand persons/year ~ |
grant= 1 ~ ten thousand yuan/person ~ |
income= 4 ~ 10k yuan/person/year ~ |
seats[region]= 5 ~ ten thousand seats ~ |
beds[region]= 5 ~ ten thousand beds ~ |
share= 0.5 ~ 1 ~ |
delay= 2 ~ year ~ |
INITIAL TIME = 2023 ~ year ~ |
FINAL TIME = 2025 ~ year ~ |
TIME STEP = 1 ~ year ~ |
SAVEPER = 1 ~ year ~ |
"""


@pytest.fixture
def faults(tmp_path):
    def check(*equations: str) -> list[str]:
        path = tmp_path / "own.mdl"
        path.write_text(HEAD + "".join(f"{each} ~ |\n" for each in equations), encoding="utf-8")
        return [str(fault) for fault in check_units(path, trust=True)]

    return check


def test_the_shipped_model_has_consistent_units():
    report = inspect_units(bundled.model())
    assert [str(fault) for fault in report.faults] == []
    assert report.equations > 200
    assert report.units > 15


@pytest.mark.parametrize(
    ("text", "factor", "unit"),
    [
        ("ten thousand persons", 1e4, "person"),
        ("10k persons", 1e4, "person"),
        ("hundred million yuan/year", 1e8, "yuan / year"),
        ("100m yuan", 1e8, "yuan"),
        ("10k seats", 1e4, "person"),
        ("beds/person", 1.0, "bed / person"),
        ("1/(year*year)", 1.0, "1 / year ** 2"),
        ("1/year^2", 1.0, "1 / year ** 2"),
        ("1", 1.0, "dimensionless"),
    ],
)
def test_unit_texts(text, factor, unit):
    found = read_unit(text, unit_registry())
    assert found is not None
    assert (found.magnitude, str(found.units)) == (factor, unit)


@pytest.mark.parametrize("text", ["metres", "people", "year/(", "ten thousend persons"])
def test_unit_texts_that_nobody_can_read(text):
    assert read_unit(text, unit_registry()) is None


@pytest.mark.parametrize(
    "equation",
    [
        # 10k yuan a person times 10k persons a year is 100m yuan a year.
        "bill[region]= grant*arrivals[region] ~ 100m yuan/year",
        "stock[region]= INTEG(arrivals[region], people[region]) ~ 10k persons",
        "start[region]= INITIAL(MAX(people[region], smallest_stock)) ~ ten thousand persons",
        "lack[region]= MAX(0, people[region] - seats[region]) ~ ten thousand seats",
        "rate[region]= people[region]/MAX(seats[region], smallest_stock)/delay ~ 1/year",
        "root= SQRT(delay*delay) ~ year",
        "logit= 1/(1 + EXP(-(share - 0.5))) ~ 1",
        "power[region]= (people[region]/seats[region])^(-share) ~ 1",
        "square= delay^2 ~ year*year",
        "all= SUM(people[region!]) ~ ten thousand persons",
        "late= IF THEN ELSE(Time > 1 * delay - time_tolerance :AND: share < 1, delay, 0) ~ year",
    ],
)
def test_equations_that_fit(faults, equation):
    assert faults(equation) == []


@pytest.mark.parametrize(
    ("equation", "part", "found", "wanted"),
    [
        # The factor counts: ten thousand persons and persons do not add up.
        ("x[region]= people[region] + head[region] ~ ten thousand persons",
         "head[region]", "persons", "ten thousand persons"),
        ("x[region]= people[region]*1 ~ persons",
         "people[region] * 1", "ten thousand persons", "persons"),
        ("x[region]= people[region] - beds[region] ~ ten thousand persons",
         "beds[region]", "ten thousand beds", "ten thousand persons"),
        ("x= share + grant/income ~ 1", "grant / income", "year", "1"),
        ("x= (1 + share)^delay ~ 1", "delay", "year", "1"),
        ("x= delay^share ~ 1", "delay", "year", "1"),
        ("x= EXP(delay) ~ 1", "delay", "year", "1"),
        ("x= SQRT(delay) ~ year", "SQRT(delay)", "1 year ** 0.5", "year"),
        ("x= IF THEN ELSE(Time > 1, 1, 0) ~ 1", "1", "1", "year"),
        ("x= IF THEN ELSE(share > 1, delay, share) ~ year", "share", "1", "year"),
        ("x[region]= INTEG(people[region], 0) ~ ten thousand persons",
         "people[region]", "ten thousand persons", "ten thousand persons/year"),
        ("x[region]= INTEG(arrivals[region], head[region]) ~ ten thousand persons",
         "head[region]", "persons", "ten thousand persons"),
        ("x[region]= MIN(people[region], 1) ~ ten thousand persons",
         "1", "1", "ten thousand persons"),
    ],
)  # fmt: skip
def test_equations_that_do_not_fit(faults, equation, part, found, wanted):
    assert faults(equation) == [f"x: {part} is {found!r}, should be {wanted!r}"]


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("x= PULSE(2024, 1) ~ 1", "function 'pulse'"),
        ("x= SMOOTH(delay, delay) ~ year", "SmoothStructure"),
        ("x= share*smallest_stock ~ 1", "a numerical guard as a factor"),
        ("x= share ~ metres", "'metres'"),
        ("x= share ~", "'none'"),
    ],
)
def test_what_cannot_be_judged_is_never_passed(faults, equation, why):
    found = faults(equation)
    assert len(found) == 1
    assert why in found[0]


def test_every_fault_is_found_at_once(faults):
    found = faults(
        "x= (1 + share)^delay + grant/income ~ 1",
        "y[region]= people[region] ~ persons",
    )
    assert [text.split(":")[0] for text in found] == ["x", "x", "y"]


def test_a_lost_factor_in_the_shipped_model_is_named(tmp_path):
    text = bundled.model().read_text(encoding="utf-8")
    whole = "leaving[region]= rural_residents[region]*migration_rate[region]"
    assert text.count(whole) == 1
    path = tmp_path / "broken.mdl"
    path.write_text(text.replace(whole, "leaving[region]= rural_residents[region]"), "utf-8")
    sound = {fault.variable for fault in check_units(bundled.model())}
    broken = check_units(path, trust=True)
    assert {fault.variable for fault in broken} - sound == {"leaving"}
    with pytest.raises(ModelError, match="not a model of the toolkit"):
        check_units(path)
