"""A small result of three made-up regions, whole and consistent, for tests."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.indicators import INDICATORS, indicator_values
from hukou_opt.result import Result

CODES = ["110000", "410000", "440000"]
YEARS = np.arange(2024, 2030)
NEED_YEARS = np.arange(2024, 2033)
PATH_YEARS = np.arange(2023, 2033)
SECTORS = ["education", "health", "social_security", "other"]
AREAS = ["urban", "rural"]
SERVICES = ["seats", "beds"]
BLOCKS = ["2024-2026", "2027-2029"]
FUND = 1000.0
CASES = ["without_plan", "plan", "equal_per_head", "by_migrants"]
PERIODS = ["2023", "2026", "2024-2029"]
#: Scored measures: a rate of unmet need, and beds that people have; both from the start to 2026.
RATE, GOOD = "unmet_migrant_children", "beds_per_1000"


def attrs(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "schema_version": 1,
        "experiment": "made_up",
        "title_en": "A made-up run & its 50 % rule",
        "title_zh": "虚构试算",
        "toolkit_version": "0.1.0",
        "model_sha256": "0" * 64,
        "data_identity": "1" * 64,
        "base": "official",
        "reform": 1,
        "allocation": 1,
        "converged": 1,
        "rounds": 3,
        "certified": 1,
        "central_fund": FUND,
        "experiment_yaml": "name: made_up\n",
        "versions": '{"numpy": "2"}',
    }
    return {**base, **changes}


def indicators(levels: np.ndarray, people: np.ndarray) -> xr.Dataset:
    """Indicators of cases from levels and people, shape (case, measure, period, region)."""
    kinds = [each.name for each in INDICATORS]
    shape = levels.shape[:3]
    value = np.full((*shape, len(kinds)), np.nan)
    for at in np.ndindex(shape):
        if people[at].sum() > 0:
            found = indicator_values(
                levels[at],
                people[at],
                groups=["Eastern", "Central", "Eastern"],
                rank=[3.0, 1.0, 2.0],
                high_is_bad=at[1] == 0,
            )
            value[at] = [found.get(kind, np.nan) for kind in kinds]
    better = [[each.better(high_is_bad=bad) for each in INDICATORS] for bad in (True, False)]
    units = [[unit if each.in_unit else "1" for each in INDICATORS] for unit in ("1", "beds")]
    cell = ("case", "measure", "period")
    return xr.Dataset(
        {
            "value": ((*cell, "indicator"), value),
            "better": (("measure", "indicator"), np.array(better)),
            "unit": (("measure", "indicator"), np.array(units)),
            "level": ((*cell, "region"), levels),
            "people": ((*cell, "region"), people),
            "measure_en": ("measure", ["migrant children unmet", "beds & need"]),
            "measure_zh": ("measure", ["随迁子女", "床位"]),
            "in_unit": ("indicator", [int(each.in_unit) for each in INDICATORS]),
            "indicator_en": ("indicator", [each.label_en for each in INDICATORS]),
            "indicator_zh": ("indicator", [each.label_zh for each in INDICATORS]),
        },
        {
            "case": CASES,
            "measure": [RATE, GOOD],
            "period": PERIODS,
            "indicator": kinds,
            "region": CODES,
        },
    )


def levels_by_case(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random levels of the cases; all alike at the start, no rates over all years."""
    levels = draw.random((len(CASES), 2, len(PERIODS), 3))
    levels[:, 1] *= 8
    levels[:, :, 0] = levels[0, :, 0]
    people = np.tile(np.array([20.0, 30.0, 50.0]), (len(CASES), 2, len(PERIODS), 1))
    people[:, 0, 2] = 0.0
    levels[:, 0, 2] = 0.0
    return levels, people


def groups(seed: int = 1, unused: float = 30.4) -> dict[str, xr.Dataset]:
    draw = np.random.default_rng(seed)
    region = ("region", CODES)

    def money(scale: float) -> tuple[tuple[str, ...], np.ndarray]:
        return ("sector", "region", "year"), draw.random((4, 3, len(YEARS))) * scale

    transfers = draw.random((4, 3, len(YEARS)))
    transfers[:, 0, :3] = 0.0
    transfers *= (FUND - unused) / transfers.sum()
    built = draw.random((2, 2, 3, len(YEARS))) * 3
    standing = (2, 2, 3, len(NEED_YEARS))
    urban = np.linspace(5000, 6000, len(PATH_YEARS))[:, None] * np.array([0.5, 1.0, 1.5])
    cases = ["base_year", *CASES]
    value = draw.random((5, 2))
    value[0, 1] = np.nan
    parameters = ["guard", "inequality_aversion"]
    # Each formula shares out the whole fund; the third region cannot use all of it.
    idle = np.array([[0.0, 0.0, 50.5], [0.0, 0.0, 0.0]])
    given = draw.random((2, 3, 2))
    given *= ((FUND - idle.sum(axis=1)) / given.sum(axis=(1, 2)))[:, None, None]
    return {
        "regions": xr.Dataset(
            {
                "name_en": ("region", ["Beijing", "Henan", "Guang_dong"]),
                "name_zh": ("region", ["北京市", "河南省", "广东省"]),
                "macro_region": ("region", ["Eastern", "Central", "Eastern"]),
                "supported": ("region", [False, True, False]),
                "tile_row": ("region", [1, 2, 4]),
                "tile_col": ("region", [3, 3, 2]),
            },
            {"region": CODES},
        ),
        "trajectory": xr.Dataset(
            {
                "urban_population": (("year", "region"), urban),
                "rural_population": (("year", "region"), urban[::-1] * 0.6),
                "urban_hukou_residents": (("year", "region"), urban * 0.7),
                "settlers": (("year", "region"), urban * 0.01),
                "tension": (("year", "region"), urban * 1e-5),
            },
            {"year": PATH_YEARS, "region": CODES},
        ),
        "needs": xr.Dataset(
            {
                "need": (("area", "service", "region", "year"), draw.random(standing)),
                "existing_capacity": (("area", "service", "region", "year"), draw.random(standing)),
            },
            {"area": AREAS, "service": SERVICES, "region": CODES, "year": NEED_YEARS},
        ),
        "allocation": xr.Dataset(
            {
                "central_transfers": (("sector", "region", "year"), transfers),
                "local_money": money(9),
                "bonds": money(3),
                "east_levy": money(2),
                "unfunded": money(1),
                "certified_cost": money(20),
                "building_cost": money(5),
                "starts": (("area", "service", "region", "year"), built),
                "capacity": (("area", "service", "region", "need_year"), draw.random(standing)),
                "shortage": (("area", "service", "region", "need_year"), draw.random(standing)),
                "temporary_places": (("region", "year"), draw.random((3, len(YEARS)))),
                "places_hukou": (("region", "year"), draw.random((3, len(YEARS)))),
                "places_migrant": (("region", "year"), draw.random((3, len(YEARS)))),
                "central_unused": ((), unused),
                "block": ("year", [BLOCKS[0]] * 3 + [BLOCKS[1]] * 3),
            },
            {
                "sector": SECTORS,
                "area": AREAS,
                "service": SERVICES,
                "region": region,
                "year": YEARS,
                "need_year": NEED_YEARS,
            },
        ),
        "gaps": xr.Dataset(
            {
                "value": (("case", "measure"), value),
                "label_en": ("measure", ["Unfunded share, worst fifth", "Beds gap 2026"]),
                "label_zh": ("measure", ["最差五分之一缺口", "2026年床位差距"]),
                "unit": ("measure", ["1", "beds per 1,000"]),
            },
            {"case": cases, "measure": ["unfunded_worst", "beds_gap"]},
        ).set_coords(["label_en", "label_zh", "unit"]),
        "levels": xr.Dataset(
            {name: ("level", [0.1, 0.2]) for name in ("value", "held_at", "recomputed")},
            {"level": ["unfunded_worst", "unfunded_mean"]},
        ),
        "certificate": xr.Dataset(
            {
                name: ("solve", [1e-9, 2e-9])
                for name in (
                    "primal_residual",
                    "dual_residual",
                    "complementarity",
                    "relative_gap",
                )
            },
            {"solve": ["unfunded_worst", "unfunded_mean"]},
        ),
        "rounds": xr.Dataset(
            {
                name: ("round", [0.3, 0.02, 0.001])
                for name in ("moved_fund_share", "moved_need_share", "objective")
            },
            {"round": [1, 2, 3]},
        ),
        "indicators": indicators(*levels_by_case(draw)),
        "comparators": xr.Dataset(
            {
                "central_transfers": (("comparator", "region", "block"), given),
                "formula": (("comparator", "region"), given.sum(axis=2) + idle),
                "unused": (("comparator", "region"), idle),
            },
            {"comparator": ["equal_per_head", "by_migrants"], "region": CODES, "block": BLOCKS},
        ),
        "parameters": xr.Dataset(
            {
                "value": ("parameter", [0.05, 1.0]),
                "low": ("parameter", [0.0, 0.0]),
                "high": ("parameter", [1.0, 1.0]),
                "unit": ("parameter", ["1", "1"]),
                "status": ("parameter", ["assumption", "paper"]),
                "source": ("parameter", ["a", "b"]),
                "overridden": ("parameter", [False, True]),
            },
            {"parameter": parameters},
        ),
    }


def result(seed: int = 1, unused: float = 30.4, **changes: object) -> Result:
    return Result.build(attrs(**changes), groups(seed, unused))


def without_allocation() -> Result:
    parts = groups()
    kept = {name: parts[name] for name in ("regions", "trajectory", "parameters")}
    return Result.build(attrs(allocation=0, reform=0, central_fund=0.0, certified=0), kept)
