"""Groups, variables and attributes that every result carries; what is read back is held to it."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from hukou_opt.errors import Fault

SCHEMA_VERSION = 1

#: Attributes of the root and their kinds.
ATTRIBUTES: dict[str, type | tuple[type, ...]] = {
    "schema_version": int,
    "experiment": str,
    "title_en": str,
    "title_zh": str,
    "toolkit_version": str,
    "model_sha256": str,
    "data_identity": str,
    "base": str,
    "reform": int,
    "allocation": int,
    "converged": int,
    "rounds": int,
    "certified": int,
    "central_fund": (int, float),
    "experiment_yaml": str,
    "versions": str,
}

#: Attributes that not every result has, and their kinds.
OPTIONAL_ATTRIBUTES: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "model_state": str,
    # One line each: how the user's own regions were completed, and rules that do not apply to them.
    "region_notes": str,
    "not_applicable": str,
}

_FUND = ("sector", "region", "year")
_BUILT = ("area", "service", "region", "year")
# A dimension of one group has one set of labels: capacity reaches beyond the decision years.
_STANDING = ("area", "service", "region", "need_year")
_CELL = ("region", "year")

#: Variables of each group with their dimensions in order; a group may carry more.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "regions": dict.fromkeys(
        ("name_en", "name_zh", "macro_region", "supported", "tile_row", "tile_col"), ("region",)
    ),
    "trajectory": dict.fromkeys(
        ("urban_population", "rural_population", "urban_hukou_residents"), ("year", "region")
    ),
    "needs": {"need": _BUILT, "existing_capacity": _BUILT},
    "allocation": {
        **dict.fromkeys(
            (
                "central_transfers",
                "local_money",
                "bonds",
                "east_levy",
                "unfunded",
                "certified_cost",
                "building_cost",
            ),
            _FUND,
        ),
        "starts": _BUILT,
        "capacity": _STANDING,
        "shortage": _STANDING,
        **dict.fromkeys(("temporary_places", "places_hukou", "places_migrant"), _CELL),
        "central_unused": (),
        "block": ("year",),
    },
    # What the published path was simulated with, over all years of the run.
    "decisions": {
        "starts": _BUILT,
        **dict.fromkeys(("temporary_places", "funded_share", "bonds"), _CELL),
    },
    # Inputs of the published answer, and the answer as the linear program has it, in full.
    "problem": {
        **dict.fromkeys(("need", "existing"), _STANDING),
        "cost": _FUND,
        "fund": (),
        **dict.fromkeys(("local_ceiling", "settlers_mid"), _CELL),
        "parameter_value": ("parameter",),
    },
    "answer": {
        **dict.fromkeys(("central", "local", "bonds", "levy", "unfunded"), _FUND),
        **dict.fromkeys(("starts", "shortage"), _BUILT),
        "capacity": _STANDING,
        **dict.fromkeys(("places_hukou", "places_migrant", "temporary", "alike"), _CELL),
    },
    "gaps": {
        "value": ("case", "measure"),
        **dict.fromkeys(("label_en", "label_zh", "unit"), ("measure",)),
    },
    # Every case on every measure, and the levels by region that the figures are made of.
    "indicators": {
        "value": ("case", "measure", "period", "indicator"),
        **dict.fromkeys(("better", "unit"), ("measure", "indicator")),
        **dict.fromkeys(("level", "people"), ("case", "measure", "period", "region")),
        **dict.fromkeys(("measure_en", "measure_zh"), ("measure",)),
        **dict.fromkeys(("in_unit", "indicator_en", "indicator_zh"), ("indicator",)),
    },
    "levels": dict.fromkeys(("value", "held_at", "recomputed"), ("level",)),
    "prices": {
        **dict.fromkeys(("value", "rule", "level", "unit", "largest", "where"), ("price",)),
        "by_region": ("price", "region"),
        "by_period": ("price", "period"),
    },
    # Prices with their ranges and ranges of cells, made on request.
    "levers": {
        **dict.fromkeys(("level", "amount", "price_less", "price_more", "unique"), ("lever",)),
        "by_level": ("lever", "level_name"),
    },
    "ranges": dict.fromkeys(
        ("region", "block", "sector", "published", "lowest", "highest", "unique"), ("cell",)
    ),
    "price_check": dict.fromkeys(("level", "more", "told", "found", "with_model"), ("check",)),
    "certificate": dict.fromkeys(
        ("primal_residual", "dual_residual", "complementarity", "relative_gap"), ("solve",)
    ),
    "rounds": dict.fromkeys(("moved_fund_share", "moved_need_share", "objective"), ("round",)),
    "comparators": {
        "central_transfers": ("comparator", "region", "block"),
        **dict.fromkeys(("formula", "unused"), ("comparator", "region")),
    },
    "validation": dict.fromkeys(
        ("group", "question", "figure", "unit", "allowed", "comparison", "state", "detail"),
        ("finding",),
    ),
    "parameters": dict.fromkeys(
        ("value", "low", "high", "unit", "status", "source", "overridden"), ("parameter",)
    ),
}

#: Groups of every result; the others belong to a result with an allocation.
ALWAYS = ("regions", "trajectory", "parameters")
#: Groups that an allocation may do without: no comparator asked for, no second round needed, a file
#: from before decisions, indicators or inputs were kept; a validation is stored on request.
OPTIONAL = (
    "comparators",
    "rounds",
    "decisions",
    "indicators",
    "validation",
    "problem",
    "answer",
    "prices",
    "levers",
    "ranges",
    "price_check",
)


def layout_faults(attrs: Mapping[str, object], groups: Mapping[str, xr.Dataset]) -> list[Fault]:
    """List everything that is missing or misshapen in a result's attributes and groups."""
    faults = [
        Fault(f"attribute {name}", "is missing", "write the result with Result.save")
        for name in ATTRIBUTES
        if name not in attrs
    ]
    for name, kind in (ATTRIBUTES | OPTIONAL_ATTRIBUTES).items():
        if name in attrs and not isinstance(attrs[name], kind):
            faults.append(
                Fault(f"attribute {name}", f"is of the wrong kind ({attrs[name]!r})", str(kind))
            )
    if attrs.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        faults.append(
            Fault(
                "attribute schema_version",
                f"is not {SCHEMA_VERSION} ({attrs['schema_version']!r})",
                "open it with the toolkit version that wrote it",
            )
        )
    needed = [*ALWAYS]
    if attrs.get("allocation"):
        needed += [name for name in GROUPS if name not in ALWAYS and name not in OPTIONAL]
    faults += [
        Fault(f"group /{name}", "is missing", "run the experiment again")
        for name in needed
        if name not in groups
    ]
    for name, group in groups.items():
        faults += _group_faults(name, group)
    if not faults:
        faults += _label_faults(groups)
    return faults


def _group_faults(name: str, group: xr.Dataset) -> list[Fault]:
    faults: list[Fault] = []
    for variable, dims in GROUPS.get(name, {}).items():
        where = f"/{name}/{variable}"
        if variable not in group.variables:
            faults.append(Fault(where, "is missing", "run the experiment again"))
        elif set(group[variable].dims) != set(dims):
            found = group[variable].dims
            faults.append(Fault(where, f"has dimensions {found}", f"give it {dims}"))
    for dim in group.dims:
        labels = group.indexes.get(dim)
        if labels is None:
            faults.append(Fault(f"/{name}", f"dimension {dim!r} has no labels", "give it labels"))
        elif not labels.is_unique:
            double = labels[labels.duplicated()].tolist()
            faults.append(Fault(f"/{name}", f"{dim} stands twice ({double})", "keep one of each"))
    return faults


def _label_faults(groups: Mapping[str, xr.Dataset]) -> list[Fault]:
    """Every group with regions has the regions of the table, in its order."""
    codes = groups["regions"]["region"].values.tolist()
    return [
        Fault(f"/{name}", "has other regions than the region table, or another order", "align it")
        for name, group in groups.items()
        if "region" in group.dims and group["region"].values.tolist() != codes
    ]
