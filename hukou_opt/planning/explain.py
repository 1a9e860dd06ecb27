"""What a result hangs on: prices with their ranges, the range of every cell, 1 % more money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from hukou_opt.allocation.explain.cells import ALL, cells
from hukou_opt.allocation.explain.level_program import LevelProgram, Watch
from hukou_opt.allocation.explain.ranges import CellRange, cell_ranges
from hukou_opt.allocation.explain.study import (
    ONE_PERCENT,
    LeverPrice,
    MoneyCheck,
    Study,
    money_check,
)
from hukou_opt.allocation.problem import SECTORS, Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.solve import Allocation, solve
from hukou_opt.errors import ExperimentError, Fault, OutputError, ResultError
from hukou_opt.experiment import Experiment, experiment_from
from hukou_opt.planning.price_tables import prices_group
from hukou_opt.planning.problem_io import problem_of, solution_of
from hukou_opt.planning.run import progress_bar, run
from hukou_opt.result import Result

#: Difference of a level's value between the run and the solve that is repeated for the ranges:
#: relative to 1 + its size, or to the room within which it was held. What an earlier level leaves
#: open in its last digits can move a later one by more than its own tolerance.
SAME, SAME_ROOM = 2e-6, 0.5
#: How far a published cell may lie outside its range, 100m yuan: rounding of the levels' limits.
OUTSIDE = 0.05


def explain(
    result: Result,
    *,
    epsilon: float | None = None,
    region_by_sector: bool = False,
    coupled: bool = False,
    progress: bool = True,
) -> Result:
    """Find shadow prices with their ranges, and the range of every published cell.

    The levels are solved again from the inputs that the result holds; they must come out as they
    were published.

    Parameters
    ----------
    result : Result
        A run with an allocation.
    epsilon : float, optional
        How much of its optimum every level may give up in the ranges of the cells, as a share; the
        limits within which the levels were held where it is not given.
    region_by_sector : bool, optional
        Ranges of the cells by region, block and sector too.
    coupled : bool, optional
        Run model and allocation with 1 % more money too; takes as long as the run did.
    progress : bool, optional
        Show a progress bar.

    Returns
    -------
    Result
        The same result with the groups ``prices``, ``levers``, ``ranges`` and ``price_check``.

    Raises
    ------
    OutputError
        If epsilon makes no sense.
    ResultError
        If the result has no allocation or does not hold its inputs, or if the levels do not come
        out as published.
    SolveError, CertificateError
        If a level is not solved or not proved.
    """
    if epsilon is not None and not 0 < epsilon < 1:
        raise OutputError(
            Fault("epsilon", f"must lie between 0 and 1 ({epsilon!r})", "0.01 is one per cent")
        )
    p, published = problem_of(result), solution_of(result)
    settings = _settings(result) if coupled else None
    with progress_bar(progress) as step:
        watch = Watch()
        again = solve(p, progress=step, break_ties=False, watch=watch)
        limits = _limits(result, again, epsilon)

        def cells_and_rules() -> tuple[list[CellRange], list[LeverPrice]]:
            found = _ranges(p, watch, limits, region_by_sector=region_by_sector, progress=step)
            return found, Study(p, watch.levels, step).rule_prices(again.rule_prices)

        # The solver leaves the interpreter free while it works: two halves share two cores. Each
        # has solvers of its own, so neither changes what the other finds.
        with ThreadPoolExecutor(1) as beside:
            other = beside.submit(cells_and_rules)
            study = Study(p, watch.levels, step)
            levers = study.lever_prices()
            check = money_check(study, levers[0])
            ranges, rules = other.result()
    values = _published(p, published, ranges)
    _inside(result, ranges, values)
    after = None
    if settings is not None:
        after = run(_richer(settings, p.fund), progress=progress)
    groups = {name: result[name] for name in result.tree.children}
    groups |= {
        "prices": prices_group(p, again),
        "levers": _levers_group([*levers, *rules], list(watch.levels)),
        "ranges": _ranges_group(ranges, values, epsilon),
        "price_check": _check_group(result, check, p.fund, after),
    }
    return Result.build(result.attrs, groups)


def _ranges(
    p: Problem,
    watch: Watch,
    limits: Mapping[str, float],
    *,
    region_by_sector: bool,
    progress: Callable[[str], None],
) -> list[CellRange]:
    face: LevelProgram | None = watch.face
    if face is None:
        return []
    asked = cells(p, face.program, region_by_sector=region_by_sector)
    return cell_ranges(face, asked, limits=limits, progress=progress)


def _limits(result: Result, again: Allocation, epsilon: float | None) -> dict[str, float]:
    """Limit of every level as a loss; the levels must have come out as they were published."""
    table = result["levels"]
    names = [str(name) for name in table["level"].values]
    published = dict(zip(names, table["value"].values, strict=True))
    held = dict(zip(names, table["held_at"].values, strict=True))
    limits, faults = {}, []
    for level in again.levels:
        if level.name not in published:
            continue
        was = float(published[level.name])
        room = SAME_ROOM * abs(float(held[level.name]) - was)
        if abs(level.value - was) > max(SAME * (1 + abs(was)), room):
            faults.append(
                Fault(
                    f"level {level.name!r}",
                    f"was published as {was:.9g}, the inputs in the result give {level.value:.9g}",
                    "the result was made with another version or altered; run the experiment again",
                )
            )
        sign = -1.0 if level.sense == "large" else 1.0
        limit = sign * float(held[level.name])
        if epsilon is not None:
            limit = max(limit, sign * was + epsilon * abs(was))
        limits[level.name] = limit
    if faults:
        raise ResultError(faults)
    return limits


def _published(p: Problem, s: Solution, ranges: Sequence[CellRange]) -> Array:
    """Published figure of every cell, shape (cell,), 100m yuan."""
    regions = p.rows()
    blocks = {block.label: p.block_columns(block) for block in p.blocks}
    every = list(range(len(p.years)))
    out = []
    for cell in ranges:
        part = s.central[[SECTORS.index(cell.sector)]] if cell.sector != ALL else s.central
        part = part[:, [regions[cell.region]]] if cell.region != ALL else part
        out.append(float(part[..., blocks.get(cell.block, every)].sum()))
    return np.array(out)


def _inside(result: Result, ranges: Sequence[CellRange], values: Array) -> None:
    """Refuse ranges that do not hold what was published."""
    faults = [
        Fault(
            f"central transfers, region {cell.region}, {cell.block}, {cell.sector}",
            f"were published as {value:.6g}, outside their range {cell.lowest:.6g} to "
            f"{cell.highest:.6g}",
            f"result {result.name!r} does not keep its levels; run the experiment again",
        )
        for cell, value in zip(ranges, values, strict=True)
        if not cell.lowest - OUTSIDE <= value <= cell.highest + OUTSIDE
    ]
    if faults:
        raise ResultError(faults)


def _levers_group(levers: Sequence[LeverPrice], levels: list[str]) -> xr.Dataset:
    """One entry per lever and rule; not a number where there is no price or range."""
    nothing = float("nan")
    found: dict[str, list[float]] = {
        name: []
        for name in (
            "price_less",
            "price_more",
            "holds_less",
            "holds_more",
            "ends_less",
            "ends_more",
            "blocked_less",
            "blocked_more",
            "unique",
        )
    }
    for lever in levers:
        sides = lever.range
        secant = lever.secant or (nothing, nothing)
        less, more = (sides.less, sides.more) if sides else (None, None)
        found["price_less"].append(-less.slope if less else secant[0])
        found["price_more"].append(-more.slope if more else secant[1])
        for name, side in (("less", less), ("more", more)):
            found[f"holds_{name}"].append(side.until if side else nothing)
            found[f"ends_{name}"].append(side.not_beyond if side else nothing)
            found[f"blocked_{name}"].append(float(side.blocked) if side else 0.0)
        found["unique"].append(_unique(lever))
    text = {
        name: ("lever", np.array([getattr(lever, key) for lever in levers]))
        for name, key in {
            "title_en": "title",
            "title_zh": "title_zh",
            "unit": "unit",
            "kind": "kind",
            "amount": "amount",
            "level": "level",
        }.items()
    }
    by_level = [[lever.by_level.get(level, 0.0) for level in levels] for lever in levers]
    return xr.Dataset(
        {
            **text,
            **{name: ("lever", np.array(column)) for name, column in found.items()},
            "by_level": (("lever", "level_name"), np.array(by_level)),
        },
        {
            "lever": [f"{lever.kind}:{lever.name}" for lever in levers],
            "level_name": levels,
        },
    )


def _unique(lever: LeverPrice) -> float:
    """1 where both sides have one price, 0 where not; not a number where it was not looked for."""
    if lever.range is not None:
        return float(lever.range.unique())
    if lever.secant is not None:
        low, high = sorted(lever.secant)
        # Measured by steps: differences of the level's own tolerance are none.
        return float(high - low <= 1e-2 * max(abs(low), abs(high)))
    return float("nan")


def _ranges_group(ranges: Sequence[CellRange], values: Array, epsilon: float | None) -> xr.Dataset:
    columns = {
        key: ("cell", np.array([getattr(each, key) for each in ranges]))
        for key in ("region", "block", "sector", "lowest", "highest", "least", "most", "unproved")
    }
    flags = {
        key: ("cell", np.array([int(getattr(each, key)) for each in ranges]))
        for key in ("unique", "by_solve")
    }
    # Zeros have no sign.
    for key in ("lowest", "highest", "least", "most"):
        columns[key] = ("cell", columns[key][1] + 0.0)
    return xr.Dataset(
        {**columns, **flags, "published": ("cell", values)},
        {"cell": list(range(len(ranges)))},
        attrs={"epsilon": 0.0 if epsilon is None else epsilon},
    )


def _check_group(
    result: Result, check: MoneyCheck | None, fund: float, after: Result | None
) -> xr.Dataset:
    """The level that the fund moves first, with 1 % more money: told, found, found with the model.

    With the model the needs answer, and all levels, guards included, are solved anew.
    """
    nothing = float("nan")
    with_model = nothing
    if check is not None and after is not None:
        before = result["levels"]["value"].sel(level=check.level)
        with_model = float(before - after["levels"]["value"].sel(level=check.level))
    return xr.Dataset(
        {
            "level": ("check", np.array([check.level if check else ""])),
            "more": ("check", np.array([check.more if check else ONE_PERCENT * fund])),
            "told": ("check", np.array([check.told if check else nothing])),
            "found": ("check", np.array([check.found if check else nothing])),
            "within": ("check", np.array([int(check.within) if check else 0])),
            "with_model": ("check", np.array([with_model])),
        },
        {"check": ["central_fund"]},
    )


def _settings(result: Result) -> Experiment:
    """Settings of the run, read from the result."""
    advice = "run the experiment again"
    try:
        values = YAML(typ="safe", pure=True).load(str(result.attrs["experiment_yaml"]))
        return experiment_from(values)
    except (YAMLError, TypeError, ExperimentError) as error:
        raise ResultError(
            Fault("attribute experiment_yaml", f"cannot be used ({error})", advice)
        ) from error


def _richer(settings: Experiment, fund: float) -> Experiment:
    """The experiment with 1 % more money and nothing to compare."""
    parameters = {**settings.parameters, "central_fund_total": (1 + ONE_PERCENT) * fund}
    allocation = settings.allocation.model_copy(update={"comparators": ()})
    return settings.model_copy(
        update={"parameters": parameters, "allocation": allocation, "allow_out_of_range": True}
    )
