"""All indicators by name, and all of them for one measure as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from numpy.typing import ArrayLike

from hukou_opt.indicators.atkinson import atkinson
from hukou_opt.indicators.checks import weighted
from hukou_opt.indicators.concentration import concentration_index, erreygers_index
from hukou_opt.indicators.extremes import range_ratio, value_range, worst_mean
from hukou_opt.indicators.gini import gini, half_mean_difference
from hukou_opt.indicators.hoover import hoover
from hukou_opt.indicators.mean_deviation import mean_absolute_deviation
from hukou_opt.indicators.theil import theil, theil_parts

#: What an indicator asks for in a comparison: a large or a small figure, or no judgement.
Better = Literal["large", "small", "none"]
#: Part of the people whose mean is the worst fifth.
FIFTH = 0.2


@dataclass(frozen=True)
class Indicator:
    """One way of summing up a measure over the regions.

    Parameters
    ----------
    name : str
        Name in results and CSV files.
    label_en, label_zh : str
        Labels in tables.
    kind : {"level", "spread", "relative", "report"}
        A level; a spread in the measure's unit; an index relative to the mean; or a figure on which
        no case is called better.
    """

    name: str
    label_en: str
    label_zh: str
    kind: Literal["level", "spread", "relative", "report"]

    @property
    def in_unit(self) -> bool:
        """Whether the figure has the unit of the measure; all others have none."""
        return self.kind in ("level", "spread")

    def better(self, *, high_is_bad: bool) -> Better:
        """Which figure is better for a measure whose high values are bad, or good.

        An index relative to the mean is no judgement on unmet need: it rises when the need that is
        unmet falls by the same number of points everywhere.
        """
        if self.kind == "level":
            return "small" if high_is_bad else "large"
        if self.kind == "spread":
            return "small"
        return "small" if self.kind == "relative" and not high_is_bad else "none"


INDICATORS: tuple[Indicator, ...] = (
    Indicator("mean", "mean", "均值", "level"),
    Indicator("worst_fifth", "mean of the worst-off fifth", "最差五分之一均值", "level"),
    Indicator("mean_deviation", "mean absolute deviation", "平均绝对偏差", "spread"),
    Indicator("half_mean_difference", "half mean difference", "平均差之半", "spread"),
    Indicator("range", "range", "极差", "spread"),
    Indicator("range_ratio", "highest over lowest", "最高与最低之比", "relative"),
    Indicator("gini", "Gini coefficient", "基尼系数", "relative"),
    Indicator("hoover", "Hoover index", "胡佛指数", "relative"),
    Indicator("theil", "Theil index", "泰尔指数", "relative"),
    Indicator("theil_between", "Theil index between groups", "泰尔指数：组间", "relative"),
    Indicator("theil_within", "Theil index within groups", "泰尔指数：组内", "relative"),
    Indicator("theil_between_share", "share of Theil between groups", "组间泰尔占比", "report"),
    Indicator("atkinson_half", "Atkinson index, aversion 0.5", "阿特金森指数（0.5）", "relative"),
    Indicator("atkinson_one", "Atkinson index, aversion 1", "阿特金森指数（1）", "relative"),
    Indicator("concentration", "concentration index", "集中指数", "report"),
    Indicator("erreygers", "Erreygers index", "埃雷格斯指数", "report"),
)


def indicator_values(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    rank: ArrayLike | None = None,
    high_is_bad: bool = False,
) -> dict[str, float]:
    """All indicators of one measure, by name; those that need what is missing are left out.

    Parameters
    ----------
    values : array_like, shape (region,)
        Levels, or rates of unmet need, >= 0.
    weights : array_like, shape (region,)
        People concerned, >= 0.
    groups : array_like, shape (region,), optional
        Groups for the parts of the Theil index, such as macro-regions.
    rank : array_like, shape (region,), optional
        Variable that orders the regions for the concentration index, such as revenue per head.
    high_is_bad : bool, optional
        True for rates of unmet need between 0 and 1; they also have an Erreygers index.

    Raises
    ------
    DataError
        If a value or weight is negative or missing, lengths differ or nobody is concerned.
    """
    y, w = weighted(values, weights)
    out = {
        "mean": float(w @ y),
        "worst_fifth": worst_mean(y, w, FIFTH, high_is_bad=high_is_bad),
        "mean_deviation": mean_absolute_deviation(y, w),
        "half_mean_difference": half_mean_difference(y, w),
        "range": value_range(y, w),
        "range_ratio": range_ratio(y, w),
        "gini": gini(y, w),
        "hoover": hoover(y, w),
        "theil": theil(y, w),
        "atkinson_half": atkinson(y, w, 0.5),
        "atkinson_one": atkinson(y, w, 1.0),
    }
    if groups is not None:
        parts = theil_parts(values, weights, groups)
        out["theil_between"], out["theil_within"] = parts.between, parts.within
        out["theil_between_share"] = parts.between_share
    if rank is not None:
        out["concentration"] = concentration_index(values, weights, rank)
        if high_is_bad:
            out["erreygers"] = erreygers_index(values, weights, rank)
    return {each.name: out[each.name] for each in INDICATORS if each.name in out}


def indicator_table(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    rank: ArrayLike | None = None,
    high_is_bad: bool = False,
) -> pd.DataFrame:
    """All indicators of one measure as a labelled table.

    Parameters
    ----------
    values, weights, groups, rank, high_is_bad
        As in `indicator_values`.

    Returns
    -------
    DataFrame, index ``indicator``
        Columns ``label_en``, ``label_zh``, ``value`` and ``in_unit`` (whether the figure has the
        unit of the values).

    Raises
    ------
    DataError
        As in `indicator_values`.

    Examples
    --------
    >>> table = indicator_table([6.0, 8.0], [1.0, 3.0])
    >>> table.loc[["mean", "gini"], "value"].round(3).tolist()
    [7.5, 0.05]
    """
    found = indicator_values(values, weights, groups=groups, rank=rank, high_is_bad=high_is_bad)
    return (
        pd.DataFrame(
            {
                each.name: {
                    "label_en": each.label_en,
                    "label_zh": each.label_zh,
                    "value": found[each.name],
                    "in_unit": each.in_unit,
                }
                for each in INDICATORS
                if each.name in found
            }
        )
        .T.rename_axis("indicator")
        .astype({"value": float, "in_unit": bool})
    )
