"""Faults shared by many regions are said once, and none is lost."""

from __future__ import annotations

from hukou_opt.errors import Fault
from hukou_opt.regions.gathered import NAMED, gathered


def of(code: str, what: str = "has a gap (2016)") -> Fault:
    return Fault(f"mine.csv, region {code}, 2015, column 'beds'", what, "fill it in")


def test_a_few_keep_their_own_line() -> None:
    few = [of(str(number)) for number in range(NAMED)]
    assert gathered(few) == few


def test_many_become_one_that_counts_and_names_them() -> None:
    many = [of(f"{number:06d}") for number in range(31)]
    (one,) = gathered(many)
    assert one.where == (
        "mine.csv, 31 regions (000000, 000001, 000002, 000003, 000004, ...), 2015, column 'beds'"
    )
    assert (one.what, one.fix) == (many[0].what, many[0].fix)


def test_other_words_other_columns_and_faults_without_region_stay() -> None:
    many = [of(str(number)) for number in range(NAMED + 1)]
    other = [of(str(number), f"is not a number ({number})") for number in range(NAMED + 1)]
    plain = [Fault("mine.csv", "has no region", "give one")] * 2
    found = gathered([*plain, *many, *other])
    assert found[:2] == plain
    assert len(found) == 2 + 1 + len(other)
