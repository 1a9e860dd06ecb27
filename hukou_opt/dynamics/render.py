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
EXTERNAL_DATA = re.compile(
    r"\bGET[\s_]+(DIRECT|XLS|123|VDF|DATA|ODBC)(?![A-Z0-9])[^~|]*", re.IGNORECASE
)
#: Text that Vensim skips: comments in braces, and the end of a line that goes on.
SKIPPED = re.compile(r"\{[^{}]*\}|\\[ \t]*\r?\n")
#: A model of two thousand variables has a tenth of a megabyte.
LARGEST_FILE_BYTES = 20_000_000
#: A code that can stand inside a Vensim subscript and inside a Python string as it is.
SAFE_CODE = re.compile(r"[0-9A-Za-z_]{1,32}")
#: Where Vensim's drawing of the model begins; the equations end there.
SKETCH = "\\\\\\---///"
NAMES_IN_A_LINE = 10
#: Regions for a file that gives its own by a range of numbers.
SAMPLE_CODES = ("1", "2")
#: What a model may do without.
OPTIONAL = frozenset(
    {"the range 'year0'", "the list stock_year[year0]", "the list region_number[region]"}
)


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


def regions_and_years(path: Path) -> tuple[list[str], range]:
    """Regions and years that a model file names itself, as it would run in Vensim.

    Parameters
    ----------
    path : Path
        Vensim model file.

    Returns
    -------
    list of str
        Region codes: the range's names without a leading ``r``; 1, 2 where they are no list.
    range
        Calendar years of the run.

    Raises
    ------
    ModelError
        If the file cannot be read, or does not say when it begins and ends.
    """
    text = SKIPPED.sub(" ", _read(path))
    found = {
        name: re.search(rf"(?m)^{name}\s*=\s*(\d+)\b", text)
        for name in ("INITIAL TIME", "FINAL TIME")
    }
    faults = [
        Fault(f"{path.name}: {name}", "is no whole year", "begin a line with it, = and the year")
        for name, match in found.items()
        if match is None
    ]
    if faults:
        raise ModelError(faults)
    first, last = (int(match.group(1)) for match in found.values() if match)
    if not first < last:
        raise ModelError(
            Fault(path.name, f"ends before it begins ({first}, {last})", "mend FINAL TIME")
        )
    listed = re.search(r"(?m)^region\s*:([^~|]*)~", text)
    names = [name.strip() for name in listed.group(1).split(",")] if listed else []
    if not names or not all(SAFE_CODE.fullmatch(name) for name in names):
        names = list(SAMPLE_CODES)
    if all(re.fullmatch(r"r\w+", name) for name in names):
        names = [name[1:] for name in names]
    return names, range(first + 1, last + 1)


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
    text = _read(path).split(SKETCH)[0]
    faults = _outside(text, path.name)
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
        # The engine gives these two their values; the file must declare them.
        "TIME STEP": (r"(?m)^(TIME STEP\s*=[^~|]*)(?=~)", ""),
        "SAVEPER": (r"(?m)^(SAVEPER\s*=[^~|]*)(?=~)", ""),
    }
    for name, (pattern, content) in blocks.items():
        escaped = content.replace("\\", r"\\")
        text, number = re.subn(pattern, rf"\g<1>{escaped}", text)
        if number > 1 or (number == 0 and name not in OPTIONAL):
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


def _read(path: Path) -> str:
    """Text of a model file of believable size.

    Raises
    ------
    ModelError
        If it is no file, too large, or no UTF-8 text.
    """
    fix = "give a Vensim .mdl file in UTF-8"
    try:
        if not path.is_file():
            raise ModelError(Fault(str(path), "is no file", fix))
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise ModelError(
                Fault(
                    str(path),
                    f"is too large for a model ({size:,} bytes, at most {LARGEST_FILE_BYTES:,})",
                    fix,
                )
            )
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(Fault(str(path), f"cannot be read ({error})", fix)) from error


def _outside(text: str, name: str) -> list[Fault]:
    """Faults for equations that read other files, and for macros."""
    plain = SKIPPED.sub(" ", text)
    # An entry is equation ~ unit ~ comment; words in a comment read nothing.
    equations = [entry.split("~")[0] for entry in plain.split("|")]
    faults = [
        Fault(
            name,
            f"reads another file ({found.group(0).strip()[:80]!r})",
            "give the data as constants; a model may not open files",
        )
        for equation in equations
        for found in EXTERNAL_DATA.finditer(equation)
    ]
    if ":MACRO:" in plain.upper():
        faults.append(Fault(name, "contains a macro", "write the macro out as equations"))
    return faults


def _years(first: int, last: int) -> str:
    return f" ({year_subscript(first)}-{year_subscript(last)})\n\t"
