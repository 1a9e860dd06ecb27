"""Names, units and labels of the outcomes of a run, as `outcomes.csv` states them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).resolve().parent / "outcomes.csv"


@dataclass(frozen=True)
class Outcome:
    """One named outcome.

    Parameters
    ----------
    name : str
        Name in files and tables.
    group : str
        people, schools, hospitals, equality, land or money.
    unit : str
        Unit; ``1`` for shares and indices.
    span : {"state", "year", "total", "whole", "stored"}
        A state at the end of a year; an amount of one year; the sum from the first decision year to
        the end of a year; one figure of all decision years together; a state that the result holds
        for a few years only.
    better : {"higher", "lower", "none"}
        Which of two figures is the better one.
    label_en, label_zh : str
        Labels for headers and axes.
    """

    name: str
    group: str
    unit: str
    span: Literal["state", "year", "total", "whole", "stored"]
    better: Literal["higher", "lower", "none"]
    label_en: str
    label_zh: str

    def label(self, language: str = "en") -> str:
        """Label in one of the two languages."""
        return self.label_en if language == "en" else self.label_zh


@lru_cache(maxsize=1)
def registry() -> Mapping[str, Outcome]:
    """All outcomes by name, in the order in which tables list them."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        return {row["name"]: Outcome(**row) for row in csv.DictReader(handle)}  # type: ignore[arg-type]
