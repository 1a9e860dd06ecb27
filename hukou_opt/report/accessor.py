"""``result.table`` and ``result.plot``: tables and figures where a notebook looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from hukou_opt.report import explain_tables, score_tables, tables
from hukou_opt.report.all_tables import all_tables
from hukou_opt.report.latex import to_latex
from hukou_opt.report.publish import write_tables
from hukou_opt.report.scorecard_table import scorecard_table
from hukou_opt.report.table import Table
from hukou_opt.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TableAccessor:
    """Tables of a result, as pandas frames; ``result.table`` in a notebook.

    Parameters
    ----------
    result : Result
        A run with a certificate, or without allocation.
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def allocation(self) -> pd.DataFrame:
        """Central money by sector, new seats and beds, by region and block of years."""
        return tables.allocation_table(self._result).frame

    def summary(self) -> pd.DataFrame:
        """The allocation on one page."""
        return tables.summary_table(self._result).frame

    def gaps(self) -> pd.DataFrame:
        """Gaps before, without and after the plan, and under plain formulas for the money."""
        return tables.gaps_table(self._result).frame

    def comparators(self) -> pd.DataFrame:
        """The plan against no plan and plain formulas, with the best case of each row."""
        return score_tables.with_best(score_tables.comparators_table(self._result))

    def indicators(self) -> pd.DataFrame:
        """Every measure by every indicator of inequality, with the best case of each row."""
        return score_tables.with_best(score_tables.indicators_table(self._result))

    def formula_money(self) -> pd.DataFrame:
        """Central money of all years by region, under the plan and under each plain formula."""
        return score_tables.formula_table(self._result).frame

    def path(self) -> pd.DataFrame:
        """The nation year by year."""
        return tables.path_table(self._result).frame

    def scorecard(self) -> pd.DataFrame:
        """Every target of the plan: baselines, wanted, reached, progress; the state by row."""
        return scorecard_table(self._result).frame

    def levers(self) -> pd.DataFrame:
        """Price of every lever and rule and how far it holds; of a result that was explained."""
        return explain_tables.lever_table(self._result).frame

    def prices(self) -> pd.DataFrame:
        """Price of every rule in every level, and its dearest row."""
        return explain_tables.price_table(self._result).frame

    def ranges(self) -> pd.DataFrame:
        """Smallest and largest value of every cell; of a result that was explained."""
        return explain_tables.range_table(self._result).frame

    def tidy(self, name: str = "allocation") -> pd.DataFrame:
        """One row per figure of the table `name`, as in the CSV file."""
        tidy = self._named(name).tidy
        if tidy is None:
            raise KeyError(f"table {name!r} has no tidy form of its own; use 'allocation'")
        return tidy

    def latex(self, name: str = "allocation") -> str:
        """LaTeX text of the table `name`."""
        return to_latex(self._named(name))

    def write(self, folder: str | Path) -> list[Path]:
        """Write all tables as CSV, LaTeX, Excel and HTML."""
        return write_tables(self._result, folder)

    def _named(self, name: str) -> Table:
        found = {table.name: table for table in all_tables(self._result)}
        if name not in found:
            raise KeyError(f"no table {name!r}; this result has {', '.join(found)}")
        return found[name]


class PlotAccessor:
    """Figures of a result; ``result.plot`` in a notebook.

    Parameters
    ----------
    result : Result
        A run with a certificate, or without allocation.
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def tile_map(self) -> Figure:
        """Central money per resident, one tile per region."""
        from hukou_opt.report.figures import tile_map

        return tile_map(self._result)

    def gaps_over_time(self) -> Figure:
        """Shortage of seats and beds, and unfunded cost, year by year."""
        from hukou_opt.report.figures import gaps_over_time

        return gaps_over_time(self._result)
