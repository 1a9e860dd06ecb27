"""The committed protocol of the back-test: tests, forms, naive forecasts, score."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML

from hukou_opt.fit.forecast import Form

FILE = Path(__file__).resolve().parent / "protocol.yaml"


@dataclass(frozen=True)
class Test:
    """What is forecast from what.

    Parameters
    ----------
    name : str
        Name of the test.
    vintage : {"revised", "first"}
        Series of town and country.
    first, last : int
        Window of the figures used.
    known_by : int
        Nothing that became known later is used.
    target : int
        Year to forecast.
    reference : {"census", "year_end"}
        What the forecast is scored against.
    hindsight : bool
        Whether the series were rebuilt later with the target in hand.
    """

    name: str
    vintage: str
    first: int
    last: int
    known_by: int
    target: int
    reference: str
    hindsight: bool

    #: Not a test of the test runner, whatever its name.
    __test__ = False

    @property
    def ahead(self) -> int:
        """Years from the end of the window to the target."""
        return self.target - self.last

    @property
    def years_ahead(self) -> float:
        """Years from the middle of the window to the middle of the years to come."""
        return (self.target - self.first) / 2


@dataclass(frozen=True)
class Protocol:
    """All that was fixed before scoring.

    Parameters
    ----------
    version : int
        Version of the protocol.
    fixed_on : str
        Date on which it was fixed.
    knowledge : str
        What its authors knew of the outcomes.
    primary : str
        Form on which claims rest.
    tests, forms : mapping
        By name.
    naive : mapping of str to tuple of str
        Naive forecasts by quantity.
    level : float
        Confidence level.
    draws, seed : int
        Of the bootstrap.
    identity : str
        SHA-256 of the file.
    """

    version: int
    fixed_on: str
    knowledge: str
    primary: str
    tests: Mapping[str, Test]
    forms: Mapping[str, Form]
    naive: Mapping[str, tuple[str, ...]]
    level: float
    draws: int
    seed: int
    identity: str


@lru_cache(maxsize=1)
def load_protocol() -> Protocol:
    """Read the protocol that ships with the toolkit."""
    text = FILE.read_text(encoding="utf-8")
    given = YAML(typ="safe").load(text)
    tests = {
        name: Test(
            name,
            row["vintage"],
            row["window"][0],
            row["window"][1],
            row["known_by"],
            row["target"],
            row["reference"],
            row["hindsight"],
        )
        for name, row in given["tests"].items()
    }
    forms = {
        name: Form(
            name,
            " ".join(row["text"].split()),
            row["pooled"],
            row["damped"],
            row.get("diagonal", False),
            row.get("ceiling"),
            row.get("access_held", False),
            added_later,
        )
        for part, added_later in (("forms", False), ("added_after_scoring", True))
        for name, row in given[part].items()
    }
    return Protocol(
        version=given["version"],
        fixed_on=str(given["fixed_on"]),
        knowledge=" ".join(given["knowledge"].split()),
        primary=given["primary"],
        tests=tests,
        forms=forms,
        naive={name: tuple(row) for name, row in given["naive"].items()},
        level=given["score"]["interval"],
        draws=given["score"]["draws"],
        seed=given["score"]["seed"],
        identity=hashlib.sha256(text.encode()).hexdigest(),
    )
