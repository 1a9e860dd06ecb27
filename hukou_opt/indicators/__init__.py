"""Population-weighted measures of inequality, one per file; none of them knows the plan.

from hukou_opt.indicators import gini, indicator_table
"""

from hukou_opt.indicators.atkinson import atkinson
from hukou_opt.indicators.catalogue import (
    INDICATORS,
    Indicator,
    indicator_table,
    indicator_values,
)
from hukou_opt.indicators.concentration import concentration_index, erreygers_index
from hukou_opt.indicators.extremes import range_ratio, value_range, worst_mean
from hukou_opt.indicators.gini import gini, half_mean_difference
from hukou_opt.indicators.hoover import hoover
from hukou_opt.indicators.mean_deviation import mean_absolute_deviation
from hukou_opt.indicators.theil import TheilParts, theil, theil_parts

__all__ = [
    "gini",
    "half_mean_difference",
    "theil",
    "theil_parts",
    "TheilParts",
    "hoover",
    "atkinson",
    "concentration_index",
    "erreygers_index",
    "mean_absolute_deviation",
    "value_range",
    "range_ratio",
    "worst_mean",
    "indicator_values",
    "indicator_table",
    "INDICATORS",
    "Indicator",
]
