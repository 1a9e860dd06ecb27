"""One name, unit and label for every quantity, in English and Chinese.

Results, table headers and axes take their units and labels from `vocabulary.csv`; nothing else
states them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hukou_opt.errors import DataError, Fault

FILE = Path(__file__).resolve().parent / "vocabulary.csv"

LABELS = {
    "education": ("Education", "教育"),
    "health": ("Health", "医疗"),
    "social_security": ("Social security", "社会保障"),
    "other": ("Other", "其他"),
    "urban": ("Urban", "城镇"),
    "rural": ("Rural", "乡村"),
    "seats": ("Seats", "学位"),
    "beds": ("Beds", "床位"),
    "total": ("Total", "合计"),
    "base_year": ("Base year", "基年"),
    "without_plan": ("Without the plan", "无方案"),
    "plan": ("Plan", "方案"),
    "equal_per_head": ("Equal per head", "按人均等"),
    "by_migrants": ("By migrants", "按转移人口"),
    "by_need": ("By certified cost", "按核定成本"),
    "by_transfers": ("By today's transfers", "按现行转移支付"),
}


@dataclass(frozen=True)
class Word:
    """Name, dims, unit and labels of one quantity.

    Parameters
    ----------
    name : str
        Variable name in results.
    dims : tuple of str
        Dimensions in order.
    unit : str
        Unit; ``1`` for shares and indices.
    label_en, label_zh : str
        Labels for headers and axes.
    source : str
        The part of the toolkit that computes it.
    """

    name: str
    dims: tuple[str, ...]
    unit: str
    label_en: str
    label_zh: str
    source: str


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Word]:
    """Return all quantities by name.

    Raises
    ------
    DataError
        If a name stands twice or a row has an empty unit or label.
    """
    words: dict[str, Word] = {}
    faults: list[Fault] = []
    with FILE.open(encoding="utf-8", newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle), start=2):
            where = f"{FILE.name} line {line}"
            for key in ("name", "unit", "label_en", "label_zh", "source"):
                if not row[key]:
                    faults.append(Fault(where, f"{key} is empty", "fill it in"))
            if row["name"] in words:
                faults.append(Fault(where, f"{row['name']!r} stands twice", "keep one row"))
            words[row["name"]] = Word(
                row["name"],
                tuple(row["dims"].split()),
                row["unit"],
                row["label_en"],
                row["label_zh"],
                row["source"],
            )
    if faults:
        raise DataError(faults)
    return words


def label(name: str, language: str = "en") -> str:
    """Label of a quantity, sector, area, service or case; the name itself where none is known."""
    if name in LABELS:
        return LABELS[name][0 if language == "en" else 1]
    word = vocabulary().get(name)
    if word is None:
        return name.replace("_", " ")
    return word.label_en if language == "en" else word.label_zh
