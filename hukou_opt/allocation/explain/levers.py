"""Levers: amounts that a government can move, and what they move in the linear program.

A lever is a change of the problem's inputs; what it moves in rows and bounds is read off the
program compiled with and without the change. So no rule is written down a second time, and a lever
that moves many rows, such as a fund that comes in over the years, has one price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import SECTORS, Array, Problem
from hukou_opt.allocation.tiling.tile import compile_problem
from hukou_opt.errors import Fault, SolveError

#: Part of a lever's amount by which it is moved to see what it moves.
PROBE = 1e-2
#: Part of the largest movement below which a movement is rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Lever:
    """One amount that can be moved.

    Parameters
    ----------
    name, title, title_zh : str
        Name in tables, and the lever in words: "one more <unit> of <title>".
    unit : str
        Unit of the amount.
    amount : float
        Its size in the problem.
    change : callable
        Gives the problem with the amount moved by so many units.
    """

    name: str
    title: str
    title_zh: str
    unit: str
    amount: float
    change: Callable[[Problem, float], Problem]


@dataclass(frozen=True, eq=False)
class Direction:
    """What one unit of a lever moves in a linear program.

    Parameters
    ----------
    row_lower, row_upper : ndarray, shape (row,)
        Change of the bounds of the rules' rows; 0 where a bound is not finite.
    lower, upper : ndarray, shape (column,)
        Change of the bounds of the columns.
    matrix : csr_array or None
        Change of the coefficients; None where none changes.
    """

    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    matrix: sp.csr_array | None = None

    @property
    def moves(self) -> bool:
        """Whether anything moves at all."""
        bounds = (self.row_lower, self.row_upper, self.lower, self.upper)
        return self.matrix is not None or any(each.any() for each in bounds)


def _parameter(p: Problem, changes: dict[str, float]) -> Problem:
    return replace(p, parameters={**p.parameters, **changes})


def _plus(name: str) -> Callable[[Problem, float], Problem]:
    """The problem with one parameter larger."""
    return lambda p, by: _parameter(p, {name: p.parameters[name] + by})


def _scaled(name: str) -> Callable[[Problem, float], Problem]:
    """The problem with a regional ceiling larger in proportion, by so much in all."""

    def change(p: Problem, by: float) -> Problem:
        rows: Array = getattr(p, name)
        changes = {name: rows * (1 + by / float(rows.sum()))}
        return replace(p, **changes)  # type: ignore[arg-type]

    return change


def _bonds(p: Problem, by: float) -> Problem:
    """The same amount more in every year; what a region may issue follows in proportion."""
    return replace(
        p,
        bond_total=p.bond_total + by,
        bond_ceiling=p.bond_ceiling * (1 + by / np.maximum(p.bond_total, 1e-9)),
    )


def _share(sector: str) -> Callable[[Problem, float], Problem]:
    """One sector's share larger, the others smaller in proportion."""

    def change(p: Problem, by: float) -> Problem:
        key = f"sector_share_{sector}"
        share = p.parameters[key]
        shrink = 1 - by / (1 - share)
        names = [f"sector_share_{name}" for name in SECTORS]
        shares = {name: p.parameters[name] * shrink for name in names}
        return _parameter(p, {**shares, key: share + by})

    return change


def levers(p: Problem) -> Iterator[Lever]:
    """Levers that the rules of a problem know.

    Parameters
    ----------
    p : Problem
        Inputs.
    """
    par, money = p.parameters, "100m yuan"
    yield Lever(
        "central_fund",
        "the central fund, spread over the years like the fund",
        "中央基金（按年等额到位）",
        money,
        p.fund,
        lambda p, by: replace(p, fund=p.fund + by),
    )
    if p.bond_total.sum() > 0:
        yield Lever(
            "bonds",
            "bonds in every year",
            "每年专项债券规模",
            f"{money} a year",
            float(p.bond_total.mean()),
            _bonds,
        )
    for name, title, title_zh in (
        ("local_ceiling", "money of provinces and cities, in proportion", "省市配套资金额度"),
        ("levy_ceiling", "the eastern levy, in proportion", "东部土地收入统筹资金额度"),
    ):
        total = float(getattr(p, name).sum())
        if total > 0:
            yield Lever(name, f"{title}, all years", title_zh, money, total, _scaled(name))
    if p.on("build_rate"):
        yield Lever(
            "build_rate_limit",
            "the yearly build rate",
            "每年开工比例上限",
            "percentage point",
            100 * par["build_rate_limit"],
            lambda p, by: _plus("build_rate_limit")(p, by / 100),
        )
    yield Lever(
        "temporary_place_limit",
        "temporary places over urban seats",
        "临时学位占城镇学位比例",
        "percentage point",
        100 * par["temporary_place_limit"],
        lambda p, by: _plus("temporary_place_limit")(p, by / 100),
    )
    if p.on("teachers"):
        yield Lever(
            "teacher_posts",
            "new teacher posts",
            "新增教师编制",
            "10k posts",
            par["teacher_posts"],
            _plus("teacher_posts"),
        )
    if p.on("private_partners"):
        for name, title, title_zh in (
            ("partner_schools", "schools of private partners", "社会资本学校"),
            ("partner_hospitals", "hospitals of private partners", "社会资本医院"),
        ):
            yield Lever(name, title, title_zh, "1", par[name], _plus(name))
    yield from _asked(p)
    if p.on("sector_shares"):
        for sector in SECTORS:
            yield Lever(
                f"sector_share_{sector}",
                f"the share of {sector.replace('_', ' ')} in the fund",
                f"基金部门比例（{sector}）",
                "percentage point",
                100 * par[f"sector_share_{sector}"],
                lambda p, by, sector=sector: _share(sector)(p, by / 100),  # type: ignore[misc]
            )


def _asked(p: Problem) -> Iterator[Lever]:
    """Levers of what soft rules ask."""
    par = p.parameters
    if p.on("support_floor"):
        yield Lever(
            "central_support_rate",
            "the centre's promised share of certified cost",
            "中央对受支持地区承担比例",
            "percentage point",
            100 * par["central_support_rate"],
            lambda p, by: _plus("central_support_rate")(p, by / 100),
        )
    if p.on("public_share") and round(par["public_share_target_year"]) in p.years:
        yield Lever(
            "public_share_target",
            "the target share of migrant children in public schools",
            "随迁子女公办就读比例目标",
            "percentage point",
            100 * par["public_share_target"],
            lambda p, by: _plus("public_share_target")(p, by / 100),
        )
    if p.on("seat_target") and round(par["seat_target_year"]) in p.years:
        yield Lever(
            "seat_target",
            "the target of new seats",
            "新增学位目标",
            "10k seats",
            par["seat_target"],
            _plus("seat_target"),
        )


def _difference(new: Array, old: Array, by: float) -> Array:
    """Change of bounds per unit; rounding is no change."""
    finite = np.isfinite(new) & np.isfinite(old)
    change = np.zeros_like(old)
    change[finite] = (new[finite] - old[finite]) / by
    size = np.abs(np.where(finite, old, 0.0)) / abs(by)
    change[np.abs(change) <= ROUNDING * np.maximum(size, np.abs(change).max(initial=0.0))] = 0.0
    return change


def direction(p: Problem, lever: Lever, base: LinearProgram) -> Direction:
    """What one unit of a lever moves.

    Parameters
    ----------
    p : Problem
        Inputs.
    lever : Lever
        The lever.
    base : LinearProgram
        The program compiled from them.

    Raises
    ------
    SolveError
        If the lever adds or removes rows or columns.
    """
    by = PROBE * max(abs(lever.amount), 1.0)
    moved = compile_problem(lever.change(p, by))
    if moved.row_names != base.row_names or moved.column_names != base.column_names:
        raise SolveError(
            Fault(f"lever {lever.name!r}", "adds or removes rows", "it has no price; see the rules")
        )
    matrix = sp.csr_array(moved.matrix - base.matrix)
    matrix.data[np.abs(matrix.data) <= ROUNDING] = 0.0
    matrix.data /= by
    matrix.eliminate_zeros()
    return Direction(
        _difference(moved.row_lower, base.row_lower, by),
        _difference(moved.row_upper, base.row_upper, by),
        _difference(moved.lower, base.lower, by),
        _difference(moved.upper, base.upper, by),
        matrix if matrix.nnz else None,
    )
