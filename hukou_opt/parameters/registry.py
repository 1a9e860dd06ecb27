"""The registry: every parameter of model, estimates and linear program, in one place.

A parameter is one row of a CSV file in this folder: name, value, low, high, unit, status, year in
which the value became known, source, plan_fact, meaning. Model, derivations and rules read their
numbers here and nowhere else.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from hukou_opt.errors import Fault, ParameterError, did_you_mean

STATUSES = ("official", "plan", "paper", "assumption")
COLUMNS = (
    "name",
    "value",
    "low",
    "high",
    "unit",
    "status",
    "known_year",
    "source",
    "plan_fact",
    "meaning",
)
#: Known year of a row that states none: later than every year, so that a back-test refuses it.
NOT_STATED = 9999
FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Parameter:
    """One number of the model, the estimates or the linear program.

    Parameters
    ----------
    name : str
        Name by which experiments override it.
    value, low, high : float
        Value in use and the range within which a study may vary it, in `unit`.
    unit : str
        Unit; ``1`` for a share or an index.
    status : {"official", "plan", "paper", "assumption"}
        Where the value comes from.
    source : str
        Plan section, statistical publication, paper, or the reason of the assumption.
    plan_fact : str
        Identifier of the plan's fact, empty where there is none.
    meaning : str
        What the number says, in the field's words.
    room : str
        The file in which it stands: ``derivation``, ``model`` or ``allocation``.
    known_year : int
        Year in which the value became known: that of the publication, of the plan, of the paper;
        for an assumption, the year of the knowledge on which its size rests.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    status: str
    source: str
    plan_fact: str
    meaning: str
    room: str
    known_year: int = NOT_STATED


class Parameters(Mapping[str, float]):
    """All parameters of one run; ``parameters["bed_standard"]`` is the value in use.

    Parameters
    ----------
    rows : mapping of str to Parameter
        The registry's rows by name.
    overridden : frozenset of str
        Names whose value an experiment has changed.
    """

    def __init__(
        self, rows: Mapping[str, Parameter], overridden: frozenset[str] = frozenset()
    ) -> None:
        self.rows = dict(rows)
        self.overridden = overridden

    def __getitem__(self, name: str) -> float:
        try:
            return self.rows[name].value
        except KeyError:
            raise ParameterError(
                Fault(f"parameter {name!r}", "is unknown", did_you_mean(name, list(self.rows)))
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def room(self, name: str) -> dict[str, float]:
        """Values of one room (``derivation``, ``model``, ``allocation``) by name."""
        return {row.name: row.value for row in self.rows.values() if row.room == name}

    def later_than(self, year: int) -> tuple[str, ...]:
        """Names of the parameters whose value became known after a year."""
        return tuple(name for name, row in self.rows.items() if row.known_year > year)

    def require_known_by(self, year: int, names: Iterable[str]) -> None:
        """Refuse parameters whose value a study of an earlier year could not have had.

        Parameters
        ----------
        year : int
            Last year whose knowledge may be used.
        names : iterable of str
            The parameters that the study takes from here.

        Raises
        ------
        ParameterError
            With every name that is unknown, or whose value became known after the year.
        """
        faults: list[Fault] = []
        for name in names:
            if name not in self.rows:
                faults.append(
                    Fault(f"parameter {name!r}", "is unknown", did_you_mean(name, list(self.rows)))
                )
                continue
            row = self.rows[name]
            if row.known_year > year:
                when = (
                    f"became known in {row.known_year}, after {year}"
                    if row.known_year != NOT_STATED
                    else "does not say when it became known"
                )
                faults.append(
                    Fault(
                        f"parameter {name!r}",
                        f"{when} ({row.value:g})",
                        "fit it, or give it with known_year as an assumption that was possible "
                        "then",
                    )
                )
        if faults:
            raise ParameterError(faults)

    def override(
        self,
        values: Mapping[str, float],
        *,
        allow_out_of_range: bool = False,
        known_year: int | None = None,
    ) -> Parameters:
        """Return a copy with other values; all faults are listed at once.

        Parameters
        ----------
        values : mapping of str to float
            New values by name, in the registry's units.
        allow_out_of_range : bool, optional
            Accept values outside [low, high]; not finite ones are refused all the same.
        known_year : int, optional
            Year in which the new values were known or could be assumed; without it those of the
            registry stand.

        Raises
        ------
        ParameterError
            For unknown names, values that are not finite numbers, or values out of range.
        """
        faults: list[Fault] = []
        rows = dict(self.rows)
        for name, value in values.items():
            where = f"parameters.{name}"
            if name not in rows:
                faults.append(Fault(where, "is unknown", did_you_mean(name, list(rows))))
                continue
            row = rows[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                faults.append(
                    Fault(where, f"is not a number ({value!r})", f"give a number in {row.unit}")
                )
                continue
            if not math.isfinite(value):
                faults.append(Fault(where, f"is not finite ({value!r})", "give a finite number"))
                continue
            if not (row.low <= value <= row.high) and not allow_out_of_range:
                unit = "" if row.unit == "1" else f" {row.unit}"
                percent = row.unit == "1" and row.high <= 1 < value
                hint = "a share is given as 0.35, not as 35; " if percent else ""
                faults.append(
                    Fault(
                        where,
                        f"is outside its range {row.low:g} to {row.high:g}{unit} ({value!r})",
                        f"{hint}give a value inside, or set allow_out_of_range: true at the top "
                        "level of the experiment",
                    )
                )
                continue
            known = row.known_year if known_year is None else known_year
            rows[name] = replace(row, value=float(value), known_year=known)
        if faults:
            raise ParameterError(faults)
        changed = frozenset(name for name in values if values[name] != self.rows[name].value)
        return Parameters(rows, self.overridden | changed)


def _read(path: Path) -> tuple[list[Parameter], list[Fault]]:
    faults: list[Fault] = []
    rows: list[Parameter] = []
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            return [], [Fault(path.name, f"has columns {reader.fieldnames}", f"use {COLUMNS}")]
        for line, raw in enumerate(reader, start=2):
            where = f"{path.name} line {line}"
            if None in raw or None in raw.values():
                faults.append(Fault(where, "has too many or too few fields", "quote commas"))
                continue
            try:
                value, low, high = (float(raw[key]) for key in ("value", "low", "high"))
                known_year = int(raw["known_year"])
            except ValueError as error:
                faults.append(Fault(where, str(error), "give numbers, and a whole year"))
                continue
            if low > high:
                faults.append(
                    Fault(where, f"low lies above high ({low:g}, {high:g})", "swap the two")
                )
            elif not low <= value <= high:
                faults.append(Fault(where, f"value not in its range ({value})", "widen the range"))
            if raw["status"] not in STATUSES:
                faults.append(Fault(where, f"unknown status {raw['status']!r}", f"use {STATUSES}"))
            for key in ("name", "unit", "source", "meaning"):
                if not raw[key].strip():
                    faults.append(Fault(where, f"{key} is empty", "fill it in"))
            rows.append(
                Parameter(
                    raw["name"],
                    value,
                    low,
                    high,
                    raw["unit"],
                    raw["status"],
                    raw["source"],
                    raw["plan_fact"],
                    raw["meaning"],
                    path.stem,
                    known_year,
                )
            )
    return rows, faults


@lru_cache(maxsize=1)
def load_parameters() -> Parameters:
    """Load the shipped registry.

    Raises
    ------
    ParameterError
        If a row has no unit, source or meaning, lies outside its range, or stands twice.
    """
    rows: dict[str, Parameter] = {}
    faults: list[Fault] = []
    for path in sorted(FOLDER.glob("*.csv")):
        read, found = _read(path)
        faults += found
        for row in read:
            if row.name in rows:
                faults.append(Fault(path.name, f"{row.name!r} stands twice", "keep one row"))
            rows[row.name] = row
    if faults:
        raise ParameterError(faults)
    return Parameters(rows)
