"""Demanded rules that cannot all hold: which, by how much, and the least that has to change."""

from hukou_opt.allocation.infeasible.report import (
    Alternatives,
    Change,
    Conflict,
    Report,
    explain,
    repair,
)
from hukou_opt.allocation.infeasible.words import in_words

__all__ = ["Alternatives", "Change", "Conflict", "Report", "explain", "in_words", "repair"]
