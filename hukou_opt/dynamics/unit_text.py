"""Units as the model file writes them, and as tables show them.

Readers of Vensim files take a unit for words and numbers, and refuse ``10k``; the file therefore
writes quantities out.
"""

from __future__ import annotations

#: Words of the model file and the short forms of registry, vocabulary and tables.
WORDS = {"ten thousand": "10k", "hundred million": "100m", "1/(year*year)": "1/year^2"}


def displayed(unit: str) -> str:
    """Unit of the model file in the short form of tables, such as ``10k persons/year``."""
    for written, short in WORDS.items():
        unit = unit.replace(written, short)
    return unit
