"""What an experiment file may say of its objectives: levels, their terms, and limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from hukou_opt.experiment.part import Part

Measured = Literal[
    "unfunded_share", "unmet_rate", "seats_per_child", "beds_per_1000", "spending_per_head"
]
Between = Literal["cells", "regions", "urban_rural", "hukou_migrant"]
Service = Literal["seats", "beds"]
LevelName = Literal[
    "unfunded_worst", "unfunded", "unfunded_mean", "unfunded_total", "unmet", "slack", "cost"
]


class Term(Part):
    """One inequality measure of one quantity; ``hukou-opt objectives`` lists them all."""

    measure: Measured
    """Quantity that is compared."""
    index: Literal[
        "mean",
        "shortfall",
        "worst",
        "worst_mean",
        "mean_deviation",
        "hoover",
        "gini_difference",
        "gini",
        "averse_mean",
        "leximin",
    ]
    """How unequal, or how bad, the quantity is."""
    between: Between = "cells"
    """Who is compared: all cells, regions, town and countryside, or hukou and migrant children."""
    services: tuple[Service, ...] = Field(default=("seats", "beds"), strict=False, min_length=1)
    """Services of the unmet rates."""
    years: tuple[int, ...] = Field(default=(), strict=False)
    """Years that count; all years of the plan where empty."""
    standard: float | None = None
    """Standard of the shortfall, in the unit of the quantity."""
    part: float | None = Field(default=None, gt=0, le=1)
    """Worst-off part; the parameter ``worst_share`` where missing."""
    aversion: float | None = Field(default=None, ge=0, le=1)
    """Aversion to inequality; the parameter ``inequality_aversion`` where missing."""
    pairwise: bool = False
    """Write all pairs into the program instead of adding rows as they are needed."""


class WeightedTerm(Term):
    """A term with its weight in a level."""

    weight: float = Field(default=1.0, gt=0)
    """Weight within the level."""


class Level(Part):
    """One level of the objectives: made small before all later ones are looked at."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Name in tables."""
    terms: tuple[WeightedTerm, ...] = Field(strict=False, min_length=1)
    """Inequality measures, added up with their weights."""
    guarded: bool = False
    """True: earlier levels may take from this one only what the parameter ``guard`` allows."""


class Limit(Term):
    """An inequality measure that may not exceed a value; holds before any level is looked at."""

    at_most: float = Field(ge=0)
    """Highest value, in the unit of the index."""


def _kind(value: Any) -> str:
    return "name" if isinstance(value, str) else "level"


Objective = Annotated[
    Annotated[LevelName, Tag("name")] | Annotated[Level, Tag("level")], Discriminator(_kind)
]
