"""What an experiment asks to be made small: levels, each a weighted sum of inequality measures."""

from __future__ import annotations

from dataclasses import dataclass

#: Ways of comparing: between regions (groups inside a region pooled), between town and countryside
#: of each region, between hukou and migrant children of each region, or all cells with each other.
BETWEEN = ("cells", "regions", "urban_rural", "hukou_migrant")


@dataclass(frozen=True)
class Term:
    """One inequality measure of one quantity.

    Parameters
    ----------
    measure : str
        Quantity, by its name in `hukou_opt.allocation.objectives.MEASURES`.
    index : str
        Index, by its name in `hukou_opt.allocation.objectives.INDICES`.
    between : {"cells", "regions", "urban_rural", "hukou_migrant"}
        Who is compared with whom.
    services : tuple of str
        Services of the unmet rates; other quantities have one service or none.
    years : tuple of int
        Years that count; all decision years where empty.
    standard : float or None
        Standard of the shortfall, in the unit of the quantity.
    part : float or None
        Worst-off part of the weight; the registry's `worst_share` where None.
    aversion : float or None
        Aversion to inequality; the registry's `inequality_aversion` where None.
    pairwise : bool
        Write the differences of all pairs instead of adding rows as they are needed.
    weight : float
        Weight within the level.
    """

    measure: str
    index: str
    between: str = "cells"
    services: tuple[str, ...] = ("seats", "beds")
    years: tuple[int, ...] = ()
    standard: float | None = None
    part: float | None = None
    aversion: float | None = None
    pairwise: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class LevelSpec:
    """One level: what is made small before all later levels are looked at.

    Parameters
    ----------
    name : str
        Name in tables and files.
    meaning : str
        What is made small, in words.
    terms : tuple of Term
        Its measures; empty for the built-in levels `unfunded_total`, `slack` and `cost`.
    guarded : bool
        Whether the guard limits what earlier levels may take from this one.
    """

    name: str
    meaning: str
    terms: tuple[Term, ...] = ()
    guarded: bool = False


@dataclass(frozen=True)
class Limit:
    """An inequality measure that may not exceed a given value.

    Parameters
    ----------
    term : Term
        The measure; its weight does not count.
    at_most : float
        Highest value, in the unit of the index.
    """

    term: Term
    at_most: float


#: Levels that an experiment can list by name.
SHIPPED: dict[str, LevelSpec] = {
    level.name: level
    for level in (
        LevelSpec(
            "unfunded_worst",
            "unfunded share: mean of the worst-off part",
            (Term("unfunded_share", "worst_mean"),),
        ),
        LevelSpec(
            "unfunded",
            "unfunded share: inequality-averse mean",
            (Term("unfunded_share", "averse_mean"),),
        ),
        LevelSpec(
            "unfunded_mean",
            "unfunded share: mean over all settlers",
            (Term("unfunded_share", "mean"),),
        ),
        LevelSpec(
            "unmet",
            "unmet rates of schools and beds: inequality-averse mean",
            (Term("unmet_rate", "averse_mean"),),
            guarded=True,
        ),
        LevelSpec("unfunded_total", "unfunded cost of all regions and years over the whole cost"),
        LevelSpec("slack", "what the plan's soft rules ask and do not get"),
        LevelSpec("cost", "building, temporary places, idle capacity, teachers"),
    )
}
DEFAULT_LEVELS: tuple[LevelSpec, ...] = tuple(
    SHIPPED[name] for name in ("unfunded_worst", "unfunded", "unmet", "slack", "cost")
)


@dataclass(frozen=True)
class Aims:
    """All that an experiment asks of the linear program beyond its rules.

    Parameters
    ----------
    levels : tuple of LevelSpec
        Levels in their order; the tie-break follows by itself.
    limits : tuple of Limit
        Inequality measures that may not exceed a value.
    accept_levelling_down : bool
        Whether a level may be met by making somebody worse off and nobody better off.
    """

    levels: tuple[LevelSpec, ...] = DEFAULT_LEVELS
    limits: tuple[Limit, ...] = ()
    accept_levelling_down: bool = False
