"""One model file with everything inside: equations, base year, parameters, levers, decisions.

The shipped model file gets its data from outside, run by run. An exported one carries them as
numbers, so that it runs in Vensim, or in any other reader of Vensim files, without the toolkit.
"""

from __future__ import annotations

import hashlib
import math
import re
import shutil
import textwrap
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from hukou_opt.dynamics.engine import Constant, Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import decision_constants, no_decisions
from hukou_opt.dynamics.labels import aligned
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.render import render, subscripts_for
from hukou_opt.errors import Fault, ModelError, did_you_mean

#: First line of a model file; it tells Vensim the encoding.
ENCODING = "{UTF-8}"
STEP = "TIME STEP"
#: Width of written lines, as in the shipped file.
WIDTH = 96
#: A constant is a table of rows and columns at most.
MOST_RANGES = 2
#: Longest name of a region that a comment shows.
LONGEST_NAME = 60

#: An equation at the start of a line: name, ranges, right side.
EQUATION = re.compile(r"(?m)^(?P<name>\w[\w ]*?)\s*(?:\[(?P<dims>[^\]]*)\])?\s*=(?P<value>[^~|]*)~")
#: A range written as a list, and a range that is another name of one.
RANGE = re.compile(r"(?m)^(?P<name>\w+)[ \t]*:(?P<items>[^=~|]*)~")
ALIAS = re.compile(r"(?m)^(?P<name>\w+)\s*<->\s*(?P<root>\w+)\s*~")
REGION_COMMENT = re.compile(r"(?m)^region\s*:[^~|]*~[^~|]*~(?P<comment>[^|]*)\|")
#: What the right side of a constant may hold: numbers, separators, line breaks.
NUMBERS = re.compile(r"[\d\s.,;eE+\-\\]+")
#: What a comment may hold of a user's own words; everything else could end the comment, or be
#: taken for code by a reader that pastes comments into it.
HARMLESS = re.compile(r"[^A-Za-z0-9_ .,()/-]+")
#: Vensim's functions that read files begin so, and readers look for them in comments too.
READS = re.compile(r"\bGET\s+", re.IGNORECASE)


def model_identity(path: Path, codes: Sequence[str], years: Sequence[int]) -> str:
    """SHA-256 of the model's text with the regions and years in use, as a run records it.

    Raises
    ------
    ModelError
        If the file cannot be read, or codes are missing or stand twice.
    """
    text = render(path, list(subscripts_for(codes).values()), years)
    return hashlib.sha256(text.encode()).hexdigest()


def self_contained(
    path: Path,
    codes: Sequence[str],
    years: Sequence[int],
    constants: Mapping[str, Constant],
    decisions: Decisions,
    *,
    time_step: float,
    labels: Mapping[str, str],
    header: str,
) -> str:
    """Text of a model with data, parameters and decisions of one run inside.

    Parameters
    ----------
    path : Path
        Vensim model file; it is read and never written.
    codes : sequence of str
        Region codes.
    years : sequence of int
        Consecutive calendar years of the run, the base year not included.
    constants : mapping of str to float or DataArray
        As `hukou_opt.dynamics.model_constants` gives them, in the model's units.
    decisions : Decisions
        For exactly these regions and years.
    time_step : float
        Euler step, years.
    labels : mapping of str to str
        Name of each region code, for comments.
    header : str
        What the file is; shown as a comment at its beginning.

    Returns
    -------
    str
        The same inputs give the same text. Every number reads back as the number of the run.

    Raises
    ------
    ModelError
        With every constant that the model does not have or computes itself, label that does not
        fit, and value that is not finite.
    """
    subscripts = subscripts_for(codes)
    text = render(path, list(subscripts.values()), years)
    values: dict[str, Constant] = {
        **constants,
        **decision_constants(decisions),
        STEP: float(time_step),
    }
    text = _with_values(text, path.name, values, _labels(text, codes, years))
    text = _with_region_names(text, subscripts, labels)
    return _with_header(text, header)


class SelfContainedModel(PysdEngine):
    """A model run by PySD with what stands in its file; nothing is set from outside.

    Parameters
    ----------
    path : Path
        Vensim model file with its data inside.
    codes : sequence of str
        Region codes, in the file's order.
    years : sequence of int
        Calendar years of the run.
    time_step : float
        Euler step, years.

    Raises
    ------
    ModelError
        If the file cannot be translated safely.
    """

    def __init__(
        self, path: Path, codes: Sequence[str], years: Sequence[int], *, time_step: float
    ) -> None:
        # Text of the toolkit's own making, yet audited like any other file.
        super().__init__(path, codes, years, time_step=time_step, trust=True)

    def _accepted(self, constants: Mapping[str, Constant]) -> dict[str, float | xr.DataArray]:  # noqa: ARG002
        # Decisions stand in the file: those that a run asks for must not overwrite them.
        return {}

    def as_written(self, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate what the file says.

        Raises
        ------
        ModelError
            If a variable is unknown, or a value is not finite.
        """
        return self.run(no_decisions(self.codes, self.years), columns)

    def forget(self) -> None:
        """Remove the translation from the cache: no other run will use it."""
        shutil.rmtree(self._translation.module.parent, ignore_errors=True)


@dataclass(frozen=True)
class _Equation:
    """Where the value of a constant stands in the text, and over which ranges it is declared."""

    dims: tuple[str, ...]
    value: str
    span: tuple[int, int]


def _with_values(
    text: str,
    name: str,
    values: Mapping[str, Constant],
    labels: Mapping[str, Sequence[Hashable]],
) -> str:
    found: dict[str, list[_Equation]] = {}
    for match in EQUATION.finditer(text):
        dims = tuple(dim.strip() for dim in (match["dims"] or "").split(",") if dim.strip())
        found.setdefault(match["name"], []).append(
            _Equation(dims, match["value"], match.span("value"))
        )
    faults: list[Fault] = []
    written: list[tuple[tuple[int, int], str]] = []
    for constant, value in values.items():
        where = f"{name}: {constant}"
        equations = found.get(constant, [])
        if not equations:
            hint = did_you_mean(constant, sorted(found))
            faults.append(Fault(where, "is not in the model", hint))
        elif len(equations) > 1:
            number = len(equations)
            faults.append(Fault(where, f"is given in parts ({number})", "write one equation"))
        elif not NUMBERS.fullmatch(equations[0].value):
            short = " ".join(equations[0].value.split())[:80]
            faults.append(
                Fault(
                    where,
                    f"is no constant of the model ({short!r})",
                    "set constants only; what the model computes cannot be overwritten",
                )
            )
        else:
            rows, problems = _rows(constant, value, equations[0].dims, labels)
            faults += problems
            if not problems:
                written.append((equations[0].span, _number_table(rows, len(equations[0].dims))))
    if faults:
        raise ModelError(faults)
    for (start, end), replacement in sorted(written, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _rows(
    constant: str,
    value: Constant,
    dims: tuple[str, ...],
    labels: Mapping[str, Sequence[Hashable]],
) -> tuple[np.ndarray, list[Fault]]:
    """Values as a table of numbers in the model's order: one row for scalars and vectors."""
    nothing = np.empty((0, 0))
    if isinstance(value, xr.DataArray) and value.dims:
        unknown = [dim for dim in dims if dim not in labels]
        if unknown or len(dims) > MOST_RANGES:
            return nothing, [
                Fault(constant, f"is declared over {dims!r}", "declare it over one or two ranges")
            ]
        array, faults = aligned(constant, value, dims, labels)
        if array is None:
            return nothing, faults
        return np.atleast_2d(array.values), []
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        return nothing, [Fault(constant, f"is no finite number ({value!r})", "give a number")]
    if dims:
        return nothing, [Fault(constant, f"is one number ({number!r})", f"give dims {dims!r}")]
    return np.array([[number]]), []


def _number_table(rows: np.ndarray, dims: int) -> str:
    """Numbers as Vensim writes them: commas inside a row, a semicolon after each row of a table."""
    if not dims:
        return f" {float(rows[0, 0])!r}\n\t"
    # The shortest text that reads back as the same number.
    lines = [", ".join(repr(float(number)) for number in row) for row in rows]
    if dims > 1:
        lines = [line + ";" for line in lines]
    wrapped = (
        textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines
    )
    # Vensim ends a line that goes on with a backslash.
    return "\n\t" + " \\\n\t\t".join(part for parts in wrapped for part in parts) + "\n\t"


def _labels(text: str, codes: Sequence[str], years: Sequence[int]) -> dict[str, Sequence[Hashable]]:
    """Labels of every range of the model, in its order: codes, years, or the model's own words."""
    labels: dict[str, Sequence[Hashable]] = {
        match["name"]: [item.strip() for item in match["items"].replace("\\", "").split(",")]
        for match in RANGE.finditer(text)
    }
    labels |= {
        "region": [str(code) for code in codes],
        "year": [int(year) for year in years],
        "year0": [int(years[0]) - 1, *(int(year) for year in years)],
    }
    for match in ALIAS.finditer(text):
        if match["root"] in labels:
            labels[match["name"]] = labels[match["root"]]
    return labels


def _with_region_names(text: str, subscripts: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Say behind the range of regions which region each subscript is."""

    def described(match: re.Match[str]) -> str:
        words = " ".join(match["comment"].split())
        words = f"{words}. " if words else ""
        listed = ", ".join(
            " ".join(
                part
                for part in (
                    subscript,
                    # A subscript that is not made from the code says nothing by itself.
                    "" if subscript == f"r{code}" else plain(code),
                    plain(names.get(code, "")),
                )
                if part
            )
            for code, subscript in subscripts.items()
        )
        comment = _comment(f"{words}The regions: {listed}")
        whole, start = match.group(0), match.start()
        return whole[: match.start("comment") - start] + f"\t{comment}\n\t|"

    return REGION_COMMENT.sub(described, text, count=1)


def _with_header(text: str, header: str) -> str:
    stars = "*" * 56
    comment = _comment(plain(header, len(header)))
    body = text.removeprefix(ENCODING).lstrip("\n")
    return f"{ENCODING}\n{stars}\n\t.about\n{stars}~\n\t\t{comment}\n\t|\n\n{body}"


def _comment(words: str) -> str:
    """Words in lines, in the way of the shipped file; no word is cut."""
    lines = textwrap.wrap(words, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n\t\t".join(lines)


def plain(words: str, longest: int = LONGEST_NAME) -> str:
    """Reduce a user's words to letters, digits and harmless signs, for a comment.

    Parameters
    ----------
    words : str
        Any text, such as a region's name from a table.
    longest : int, optional
        Most characters.

    Returns
    -------
    str
        ASCII text; accents are dropped, other scripts and signs left out.
    """
    ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    kept = " ".join(HARMLESS.sub(" ", ascii_words).split())[:longest].strip()
    return READS.sub("GET-", kept)
