"""Theil index, and its parts between and within groups of regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hukou_opt.indicators.checks import Array, alongside, weighted


@dataclass(frozen=True)
class TheilParts:
    """A Theil index and what it is made of.

    Parameters
    ----------
    total : float
        Theil index of all regions; `between` and `within` add up to it.
    between : float
        Theil index if every region had the mean of its group.
    within : float
        Mean of the groups' own indices, weighted by their share of the whole.
    by_group : mapping of str to float
        Each group's part of `within`.
    """

    total: float
    between: float
    within: float
    by_group: Mapping[str, float]

    @property
    def between_share(self) -> float:
        """Part of the inequality that lies between groups; not a number where all are equal."""
        return self.between / self.total if self.total > 0 else float("nan")


def theil(values: ArrayLike, weights: ArrayLike) -> float:
    r"""Population-weighted Theil index (Theil's T, natural logarithm).

    .. math:: T = \sum_i w_i \frac{y_i}{\bar y} \ln \frac{y_i}{\bar y}

    A region with value 0 adds 0, the limit of :math:`y \ln y`.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0; scaled to sum to 1.

    Returns
    -------
    float
        0 (equal) to the logarithm of one over the smallest weight; 0 when all values are 0.

    Raises
    ------
    DataError
        If a value or weight is negative or missing, or nobody is concerned.

    References
    ----------
    Theil (1967), Economics and Information Theory.

    Examples
    --------
    >>> round(theil([0.0, 1.0], [1.0, 1.0]), 4)
    0.6931
    """
    return _theil(*weighted(values, weights))


def _theil(y: Array, w: Array) -> float:
    mean = float(w @ y)
    if mean <= 0:
        return 0.0
    ratio = y / mean
    logarithm = np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)
    return max(0.0, float(w @ (ratio * logarithm)))


def theil_parts(values: ArrayLike, weights: ArrayLike, groups: ArrayLike) -> TheilParts:
    r"""Theil index split into inequality between and within groups, such as macro-regions.

    .. math::

        T = \sum_g s_g \ln \frac{s_g}{w_g} + \sum_g s_g T_g, \quad
        s_g = \sum_{i \in g} w_i y_i / \bar y, \; w_g = \sum_{i \in g} w_i

    Parameters
    ----------
    values, weights : array_like, shape (region,)
        As in `theil`.
    groups : array_like, shape (region,)
        Group of each region.

    Raises
    ------
    DataError
        As in `theil`, or if `groups` has another length.

    References
    ----------
    Shorrocks (1980), The class of additively decomposable inequality measures, Econometrica
    48:613-625.

    Examples
    --------
    >>> parts = theil_parts([1.0, 1.0, 3.0, 3.0], [1, 1, 1, 1], ["east", "east", "west", "west"])
    >>> round(parts.between, 4), parts.within
    (0.1308, 0.0)
    """
    y, w = weighted(values, weights)
    names = alongside("groups", groups, weights)
    mean = float(w @ y)
    between, by_group = 0.0, {}
    for name in np.unique(names):
        inside = names == name
        people = float(w[inside].sum())
        share = float(w[inside] @ y[inside]) / mean if mean > 0 else 0.0
        if share > 0:
            between += share * float(np.log(share / people))
        by_group[str(name)] = share * _theil(y[inside], w[inside] / people)
    return TheilParts(_theil(y, w), max(0.0, between), sum(by_group.values()), by_group)
