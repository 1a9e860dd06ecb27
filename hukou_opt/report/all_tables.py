"""All tables of a result, in the order in which they are written."""

from __future__ import annotations

from dataclasses import replace

from hukou_opt.report.certificate_note import certificate_note
from hukou_opt.report.score_tables import comparators_table, formula_table, indicators_table
from hukou_opt.report.scorecard_table import scorecard_table
from hukou_opt.report.table import Table, require_proof
from hukou_opt.report.tables import allocation_table, gaps_table, path_table, summary_table
from hukou_opt.result import Result


def all_tables(result: Result) -> list[Table]:
    """All tables that the result has figures for.

    Raises
    ------
    ResultError
        If the result has an allocation without certificate.
    """
    require_proof(result)
    tables = [allocation_table(result), summary_table(result)] if result.has_allocation else []
    if "gaps" in result:
        tables.append(gaps_table(result))
    if "indicators" in result:
        tables += [comparators_table(result), indicators_table(result)]
    if "comparators" in result:
        tables.append(formula_table(result))
    tables += [path_table(result), scorecard_table(result)]
    if not result.has_allocation:
        return tables
    proved = (certificate_note(result, "zh"),)
    return [replace(table, notes_zh=proved) for table in tables]
