"""Regions are data: write the regions and years in use into the text of a Vensim model.

A model file carries its regions in the subscript range ``region`` and its years in ``year0`` (the
base year included) and ``year``. Everything else of the file is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hukou_opt.errors import Fault, ModelError

#: Vensim functions that read other files. Data enter as constants, so none of them is needed.
EXTERNAL_DATA = re.compile(r"GET\s+(DIRECT|XLS|123|VDF|DATA|ODBC)\b[^~|]*", re.IGNORECASE)
#: A code that can stand inside a Vensim subscript and inside a Python string as it is.
SAFE_CODE = re.compile(r"[0-9A-Za-z_]{1,32}")
#: Where Vensim's drawing of the model begins; the equations end there.
SKETCH = "\\\\\\---///"
NAMES_IN_A_LINE = 10


def subscripts_for(codes: Sequence[str]) -> dict[str, str]:
    """Safe subscript of each region code, in the codes' order.

    Parameters
    ----------
    codes : sequence of str
        Region codes of the data in use.

    Returns
    -------
    dict of str to str
        ``r`` and the code where all codes are plain letters, digits and underscores, else
        ``r0001``, ``r0002`` and so on.

    Raises
    ------
    ModelError
        If there is no region or a code stands twice.
    """
    faults = [
        Fault(f"region {code!r}", "stands twice", "give each region its own code")
        for code in sorted({code for code in codes if list(codes).count(code) > 1})
    ]
    if not codes:
        faults.append(Fault("regions", "the list is empty", "give at least one region"))
    if faults:
        raise ModelError(faults)
    lowered = {code.lower() for code in codes}
    if len(lowered) == len(codes) and all(SAFE_CODE.fullmatch(code) for code in codes):
        return {code: f"r{code}" for code in codes}
    return {code: f"r{number:04d}" for number, code in enumerate(codes, start=1)}


def year_subscript(year: int) -> str:
    """Subscript of a year, as in ``y2024``."""
    return f"y{year}"


def _listed(items: Sequence[object]) -> str:
    words = [str(item) for item in items]
    lines = [
        ", ".join(words[start : start + NAMES_IN_A_LINE])
        for start in range(0, len(words), NAMES_IN_A_LINE)
    ]
    # Vensim ends a line that goes on with a backslash.
    return ", \\\n\t\t".join(lines)


def render(path: Path, subscripts: Sequence[str], years: Sequence[int]) -> str:
    """Text of the model with the regions and years in use.

    Parameters
    ----------
    path : Path
        Vensim model file; it is read and never written.
    subscripts : sequence of str
        Safe region subscripts.
    years : sequence of int
        Consecutive calendar years from the base year's successor to the end of the run.

    Raises
    ------
    ModelError
        If the file cannot be read, lacks one of the named ranges, reads other files or has macros.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            Fault(str(path), f"cannot be read ({error})", "give a Vensim .mdl file in UTF-8")
        ) from error
    text = text.split(SKETCH)[0]
    faults = [
        Fault(
            path.name,
            f"reads another file ({found.group(0).strip()[:80]!r})",
            "give the data as constants; a model may not open files",
        )
        for found in EXTERNAL_DATA.finditer(text)
    ]
    if ":MACRO:" in text.upper():
        faults.append(Fault(path.name, "contains a macro", "write the macro out as equations"))
    base, last = years[0] - 1, years[-1]
    blocks = {
        "the range 'region'": (
            r"(?m)^(region\s*:)[^~|]*(?=~)",
            "\n\t" + _listed(subscripts) + "\n\t",
        ),
        "the range 'year0'": (r"(?m)^(year0\s*:)[^~|]*(?=~)", _years(base, last)),
        "the range 'year'": (r"(?m)^(year\s*:)[^~|]*(?=~)", _years(years[0], last)),
        "the list year_end[year]": (
            r"(?m)^(year_end\[year\]\s*=)[^~|]*(?=~)",
            "\n\t" + _listed(years) + "\n\t",
        ),
        "the list stock_year[year0]": (
            r"(?m)^(stock_year\[year0\]\s*=)[^~|]*(?=~)",
            "\n\t" + _listed([base, *years]) + "\n\t",
        ),
        "the list region_number[region]": (
            r"(?m)^(region_number\[region\]\s*=)[^~|]*(?=~)",
            "\n\t" + _listed(range(1, len(subscripts) + 1)) + "\n\t",
        ),
        "INITIAL TIME": (r"(?m)^(INITIAL TIME\s*=)[^~|]*(?=~)", f" {base}\n\t"),
        "FINAL TIME": (r"(?m)^(FINAL TIME\s*=)[^~|]*(?=~)", f" {last}\n\t"),
    }
    for name, (pattern, content) in blocks.items():
        escaped = content.replace("\\", r"\\")
        text, number = re.subn(pattern, rf"\g<1>{escaped}", text)
        if number != 1:
            faults.append(
                Fault(
                    path.name,
                    f"has {name} {number} times",
                    "define it once, at the start of a line; the toolkit writes the regions and "
                    "years in use there",
                )
            )
    if faults:
        raise ModelError(faults)
    return text


def _years(first: int, last: int) -> str:
    return f" ({year_subscript(first)}-{year_subscript(last)})\n\t"
