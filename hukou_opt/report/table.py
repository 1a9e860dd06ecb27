"""What a printed table is: figures, how each is written, what stands under it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from hukou_opt.errors import Fault, ResultError
from hukou_opt.report.certificate_note import certificate_note, proof_faults
from hukou_opt.result import Result

#: Ways of writing a figure: whole, one decimal, percent with one or two, three or four decimals,
#: three significant digits.
Kind = Literal["whole", "tenths", "percent", "fine_percent", "figure", "index", "small"]
MISSING = "–"
#: Stands behind the best figure of a row.
MARK = "*"


@dataclass(frozen=True)
class Table:
    """One table, ready for LaTeX, Excel and HTML, and its tidy form for CSV.

    Parameters
    ----------
    name : str
        Stem of the files written from it.
    caption : str
        Title, with units.
    frame : DataFrame
        Figures as printed, rows and columns labelled in English.
    column_kinds, row_kinds : tuple of Kind
        How figures are written, by column or by row; one of both is empty.
    tidy : DataFrame or None
        One row per figure; none where another table's rows hold the same figures.
    total_rows : tuple of int
        Rows that are sums.
    long : bool
        Whether it runs over several pages.
    notes : tuple of str
        Sources, certificate and identity, one sentence each.
    marked : frozenset of (int, int)
        Row and column of the figures that are marked as the best of their row.
    notes_zh : tuple of str
        What is proved, in Chinese.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    column_kinds: tuple[Kind, ...]
    row_kinds: tuple[Kind, ...]
    tidy: pd.DataFrame | None
    total_rows: tuple[int, ...]
    long: bool
    notes: tuple[str, ...]
    marked: frozenset[tuple[int, int]] = frozenset()
    notes_zh: tuple[str, ...] = ()

    def kind(self, row: int, column: int) -> Kind:
        """How one figure is written."""
        return self.row_kinds[row] if self.row_kinds else self.column_kinds[column]

    def text(self) -> pd.DataFrame:
        """Return the figures as printed text."""
        cells = [
            [
                write(value, self.kind(row, column)) + MARK * ((row, column) in self.marked)
                for column, value in enumerate(values)
            ]
            for row, values in enumerate(self.frame.to_numpy(dtype=float))
        ]
        return pd.DataFrame(cells, index=self.frame.index, columns=self.frame.columns, dtype=object)


#: Decimals of percentages; gaps between answers are small and need two.
PERCENT_DIGITS: dict[str, int] = {"percent": 1, "fine_percent": 2}
#: Decimals of other figures.
DIGITS: dict[str, int] = {"whole": 0, "tenths": 1, "figure": 3, "index": 4}


def printed(value: float, kind: Kind) -> float:
    """The figure as it is printed, percentages in hundredths; a rounded zero has no sign."""
    if kind == "small":
        return float(f"{value:.3g}") + 0.0
    if kind in PERCENT_DIGITS:
        return round(100 * value, PERCENT_DIGITS[kind]) + 0.0
    return round(value, DIGITS[kind]) + 0.0


def write(value: float, kind: Kind) -> str:
    """Write a figure; a dash where it is not defined."""
    if np.isnan(value):
        return MISSING
    if kind == "small":
        return f"{value + 0.0:.3g}"
    if kind in PERCENT_DIGITS:
        return f"{printed(value, kind):.{PERCENT_DIGITS[kind]}f}%"
    return f"{printed(value, kind):,.{DIGITS[kind]}f}"


def require_proof(result: Result) -> None:
    """Refuse a table from an allocation without a certificate.

    Raises
    ------
    ResultError
        If the result's allocation is not certified, or a figure of its certificate is too large.
    """
    faults = proof_faults(result)
    if faults:
        raise ResultError(faults)


def require_allocation(result: Result) -> None:
    """Refuse an allocation table where nothing was allocated.

    Raises
    ------
    ResultError
        If the run had its allocation switched off, or the allocation is not certified.
    """
    require_proof(result)
    if not result.has_allocation:
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                "has no allocation (allocation.enabled is false)",
                "use the path table, or run an experiment with allocation",
            )
        )


def title(result: Result, subject: str) -> str:
    """Caption of a table; it says so when the rounds did not come to rest."""
    warning = "" if result.converged or not result.has_allocation else " (rounds not converged)"
    return f"{result.attrs['title_en']}: {subject}{warning}"


def notes(result: Result) -> tuple[str, ...]:
    """Sources, certificate and identity of the figures in a table."""
    attrs = result.attrs
    base = "official statistics" if attrs["base"] == "official" else "the plan's own figures"
    lines = [
        f"Money in constant base-year prices, 100m yuan; base year from {base}.",
    ]
    if attrs.get("model_state") == "modified":
        lines.append(
            f"The stock-flow model was edited: {attrs['model']!r} is not the model that ships."
        )
    elif attrs.get("model_state") == "foreign":
        lines.append(
            f"The stock-flow model is the user's own, {attrs['model']!r}, not the toolkit's; its "
            "checks are those that its variables allow."
        )
    lines += str(attrs.get("region_notes", "")).splitlines()
    lines += [
        f"Not applicable: {line}." for line in str(attrs.get("not_applicable", "")).splitlines()
    ]
    if result.has_allocation:
        lines.append(certificate_note(result))
        rest = "at rest" if result.converged else "NOT at rest"
        lines.append(
            f"Model and allocation are {rest} after {attrs['rounds']} rounds; gaps are those of "
            "the simulated path."
        )
        if not attrs.get("ties_broken", 1):
            lines.append("Equally good answers exist: the tie-break found no proved optimum.")
        lines.append(
            "Building costs, willingness to settle and seats at the start are assumptions with "
            "wide ranges: read sizes, not last digits."
        )
    versions = json.loads(str(attrs["versions"]))
    used = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    lines.append(
        f"hukou-opt {attrs['toolkit_version']} ({used}); model {str(attrs['model_sha256'])[:12]}, "
        f"data {str(attrs['data_identity'])[:12]}, result {result.identity[:16]}."
    )
    return tuple(lines)
