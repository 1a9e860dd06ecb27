"""Published inequality figures, recomputed from the official figures that ship."""

from __future__ import annotations

import numpy as np
import pytest

from hukou_opt.indicators import gini
from hukou_opt.regions.history import load_history

pytestmark = pytest.mark.golden

#: Jin, J., Wang, J., Ma, X., Wang, Y. and Li, R. (2015). Equality of medical health resource
#: allocation in China based on the Gini coefficient method. Iranian Journal of Public Health
#: 44(4):445-457 (PMC4441957), abstract: beds in health care institutions by population, 31
#: provinces, 2013, from the China Statistical Yearbook 2014.
JIN_2013 = 0.070
#: It prints its three figures by population as 0.190, 0.070 and 0.070: two digits and a zero.
JIN_ROUNDING = 0.005

#: Sun, J. and Luo, H. (2017). Evaluation on equality and efficiency of health resources allocation
#: and health services utilization in China. International Journal for Equity in Health 16:127,
#: abstract: lowest and highest Gini coefficient by population of all health resources, 2011-2015,
#: from the yearbooks of 2012-2016.
SUN_YEARS = range(2011, 2016)
SUN_LOWEST, SUN_HIGHEST = 0.0644, 0.1879

#: Du, Z., Chen, Z. and Hao, Y. (2021). R package Gini 0.1.0, example of every function: people and
#: health resources of 16 regions; formulas of Ding and Hu (1994) and of Brown (1994), by which the
#: Chinese literature on health resources computes its coefficients.
DU_PEOPLE = np.fromstring(
    "382.8 522.7 192.4 227.4 490.2 108 222.5 220.5 231.2 375.3 323.9 79.9 305.7 98.7 46.1 35.3",
    sep=" ",
)
DU_RESOURCE = np.fromstring(
    "2778 3333 1673 1708 2118 1077 1850 1557 2010 2587 2482 616 2010 936 633 582", sep=" "
)
DU_GINI = 0.1216807
DU_ROUNDING = 5e-8


def beds_by_population(year: int, population: str) -> float:
    """Gini of beds per resident over the 31 provinces, weighted by residents."""
    at = load_history().values.sel(year=year)
    beds, people = at["beds_total"].values, at[population].values
    return gini(beds / people, people)


def test_the_formula_of_the_literature_on_health_resources() -> None:
    found = gini(DU_RESOURCE / DU_PEOPLE, DU_PEOPLE)
    assert found == pytest.approx(DU_GINI, abs=DU_ROUNDING)


def test_beds_by_population_2013() -> None:
    # Residents as the yearbook of 2014 printed them: before the revision after the 2020 census.
    found = beds_by_population(2013, "resident_pop_prerev")
    assert found == pytest.approx(JIN_2013, abs=JIN_ROUNDING)
    assert found == pytest.approx(0.0674, abs=5e-5)


def test_beds_by_population_lie_in_the_published_span() -> None:
    found = [beds_by_population(year, "resident_pop_prerev") for year in SUN_YEARS]
    assert all(SUN_LOWEST <= each <= SUN_HIGHEST for each in found)
    # Beds are among the most equal resources: near the lower end of the span, which falls to 2013.
    assert found == pytest.approx([0.0739, 0.0708, 0.0674, 0.0685, 0.0693], abs=5e-5)


def test_the_revision_of_residents_moves_the_figure_more_than_a_year_does() -> None:
    # The reason why a figure can only be matched with the residents of its own yearbook.
    before = beds_by_population(2013, "resident_pop_prerev")
    after = beds_by_population(2013, "resident_pop")
    assert after - before == pytest.approx(0.0062, abs=5e-5)
