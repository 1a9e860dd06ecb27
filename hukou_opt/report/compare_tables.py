"""Runs side by side: every named outcome by experiment, and the differences to the first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hukou_opt.outcomes import Outcome
from hukou_opt.report.compare_names import GROUPS, KINDS, word
from hukou_opt.report.latex import to_html
from hukou_opt.report.longtable import Column
from hukou_opt.report.table import Kind, Table, write
from hukou_opt.report.text_table import TextTable
from hukou_opt.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Amounts below this are written with a decimal.
SMALL = 100.0
#: What stands behind the name of a run that did not come to rest.
NOT_CONVERGED = {"en": " (not converged)", "zh": "（未收敛）"}


@dataclass(frozen=True)
class Line:
    """One outcome of all runs.

    Parameters
    ----------
    outcome : Outcome
        What it is.
    year : int or None
        Year; None for what all years have together.
    values : ndarray, shape (run,)
        Figures; not a number where a run does not hold it.
    """

    outcome: Outcome
    year: int | None
    values: np.ndarray

    @property
    def differences(self) -> np.ndarray:
        """Figures of the second and later runs less that of the first."""
        differences: np.ndarray = self.values[1:] - self.values[0]
        return differences

    @property
    def kind(self) -> Kind:
        """How the figures are written."""
        if self.outcome.name in KINDS:
            return KINDS[self.outcome.name]
        if self.outcome.unit == "1":
            return "fine_percent"
        largest = float(np.nanmax(np.abs(self.values)))
        return "tenths" if largest < SMALL else "whole"


@dataclass(frozen=True)
class Comparison:
    """Runs side by side, for tables, files and notebooks.

    Parameters
    ----------
    results : tuple of Result
        The runs; the first is what the others are compared with.
    names : tuple of str
        Their names, each once.
    years : tuple of int
        Years that are shown.
    lines : tuple of Line
        Outcomes that at least one run holds.
    """

    results: tuple[Result, ...]
    names: tuple[str, ...]
    years: tuple[int, ...]
    lines: tuple[Line, ...] = field(repr=False)

    def columns(self, lang: str = "en") -> list[str]:
        """Names of the runs; those that did not come to rest say so."""
        return [
            name + ("" if each.converged or not each.has_allocation else NOT_CONVERGED[lang])
            for name, each in zip(self.names, self.results, strict=True)
        ]

    @property
    def frame(self) -> pd.DataFrame:
        """Figures and differences to the first run: one row per outcome and year."""
        return self.table().frame

    @property
    def tidy(self) -> pd.DataFrame:
        """One row per outcome, year and run."""
        rows = [
            {
                "outcome": line.outcome.name,
                "group": line.outcome.group,
                "label_en": line.outcome.label_en,
                "label_zh": line.outcome.label_zh,
                "unit": line.outcome.unit,
                "better": line.outcome.better,
                "span": line.outcome.span,
                "year": line.year,
                "experiment": name,
                "converged": int(each.converged or not each.has_allocation),
                "value": value,
                "difference": value - line.values[0],
            }
            for line in self.lines
            for name, each, value in zip(self.names, self.results, line.values, strict=True)
        ]
        return pd.DataFrame(rows).astype({"year": "Int64"})

    def table(self, lang: str = "en") -> Table:
        """The comparison as one table of figures.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language.
        """
        names = self.columns(lang)
        heads = [(word("value", lang), name) for name in names]
        heads += [(word("difference", lang).format(names[0]), name) for name in names[1:]]
        index = pd.MultiIndex.from_tuples(
            [
                (GROUPS[line.outcome.group][lang], _label(line, lang), _year(line, lang))
                for line in self.lines
            ],
            names=[word("group", lang), word("outcome", lang), word("year", lang)],
        )
        figures = [[*line.values, *line.differences] for line in self.lines]
        return Table(
            "compare",
            self.caption(lang),
            pd.DataFrame(
                figures, index=index, columns=pd.MultiIndex.from_tuples(heads), dtype=float
            ),
            (),
            tuple(line.kind for line in self.lines),
            self.tidy,
            (),
            True,
            self.notes(lang),
        )

    def words(self, lang: str = "en") -> TextTable:
        """The comparison as printed text, one section for each group of outcomes.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language.
        """
        names = self.columns(lang)
        columns = [Column(word("outcome", lang), 0.3), Column(word("year", lang))]
        columns += [Column(name) for name in names]
        columns += [Column(f"{name} − {names[0]}") for name in names[1:]]
        sections = []
        for group in dict.fromkeys(line.outcome.group for line in self.lines):
            rows = tuple(
                (
                    _label(line, lang),
                    _year(line, lang),
                    *(write(value, line.kind) for value in line.values),
                    *(_signed(value, line.kind, lang) for value in line.differences),
                )
                for line in self.lines
                if line.outcome.group == group
            )
            sections.append((GROUPS[group][lang], rows))
        return TextTable(
            "compare", self.caption(lang), tuple(columns), tuple(sections), self.notes(lang)
        )

    def caption(self, lang: str = "en") -> str:
        """Title of table and figure."""
        return word("caption", lang).format(", ".join(self.columns(lang)))

    def notes(self, lang: str = "en") -> tuple[str, ...]:
        """What the runs are, and how the figures are to be read."""
        lines = [word("reading", lang).format(self.names[0])]
        lines += [
            _about(name, each, lang) for name, each in zip(self.names, self.results, strict=True)
        ]
        return tuple(lines)

    def figure(self, lang: str = "en") -> Figure:
        """Small multiples of the leading outcomes over time.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language.
        """
        from hukou_opt.report.compare_figure import over_time

        return over_time(self, lang)

    def write(self, folder: str | Path, lang: str = "en") -> list[Path]:
        """Write the comparison as CSV, LaTeX, HTML, Excel and figures; all files or none.

        Parameters
        ----------
        folder : str or Path
            Folder to write to; it is made where missing.
        lang : {"en", "zh"}, optional
            Language.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        from hukou_opt.report.compare_files import write_comparison

        return write_comparison(self, folder, lang)

    def _repr_html_(self) -> str:
        return to_html([self.table()], self.caption())


def _label(line: Line, lang: str) -> str:
    text, unit = line.outcome.label(lang), line.outcome.unit
    if unit == "1":
        return text
    return f"{text}, {unit}" if lang == "en" else f"{text}（{word(unit, lang)}）"


def _year(line: Line, lang: str) -> str:
    return word("all_years", lang) if line.year is None else str(line.year)


def _signed(value: float, kind: Kind, lang: str) -> str:
    """A difference with its sign, that of shares in points; no sign where it rounds to nothing."""
    text = write(value, kind).replace("%", f" {word('points', lang)}")
    nothing = not re.search("[1-9]", text)
    return f"+{text}" if value > 0 and not nothing else text


def _about(name: str, result: Result, lang: str) -> str:
    attrs = result.attrs
    base = word(f"base_{attrs['base']}", lang)
    state = ""
    if result.has_allocation:
        key = "at_rest" if result.converged else "not_at_rest"
        state = word(key, lang).format(attrs["rounds"])
    else:
        state = word("no_allocation", lang)
    heading = attrs["title_en" if lang == "en" else "title_zh"]
    return word("about", lang).format(
        name, heading, base, state, attrs["toolkit_version"], result.identity[:12]
    )
