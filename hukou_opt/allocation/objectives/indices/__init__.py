"""The catalogue of indices, one family per file."""

from __future__ import annotations

from hukou_opt.allocation.objectives.indices import (
    deviation,
    gini,
    leximin,
    mean,
    shortfall,
    worst,
    worst_mean,
)
from hukou_opt.allocation.objectives.indices.index import Build, Index, Settings

__all__ = ["INDICES", "Build", "Index", "Settings"]

INDICES: dict[str, Index] = {
    index.name: index
    for index in (
        mean.INDEX,
        shortfall.INDEX,
        worst.INDEX,
        worst_mean.INDEX,
        deviation.MEAN_DEVIATION,
        deviation.HOOVER,
        gini.GINI_DIFFERENCE,
        gini.GINI,
        gini.AVERSE_MEAN,
        leximin.INDEX,
    )
}
