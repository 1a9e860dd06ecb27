"""The published answer against the rules: every row and bound holds at what the tables print."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hukou_opt.allocation.audit.compare import Audit, audit_program
from hukou_opt.allocation.audit.index import Grid
from hukou_opt.allocation.audit.levels import asked_rural
from hukou_opt.allocation.audit.statement import BOUND_BY, Statement
from hukou_opt.allocation.audit.support import performance_reward, support_floor
from hukou_opt.allocation.audit.tables import Tables
from hukou_opt.allocation.audit.values import FAMILIES, Rows, Values, make_rows
from hukou_opt.allocation.audit.words import place
from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import SECTORS, Array, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.errors import CertificateError, Fault

#: Faults that are listed one by one.
MOST_FAULTS = 12


@dataclass(frozen=True)
class Held:
    """How well an answer keeps the rules.

    Parameters
    ----------
    rows : int
        Rows and bounds that were looked at.
    residual : float
        Largest violation, relative to 1 + the size of the bound.
    where : str
        Name of the row or column that has it.
    """

    rows: int
    residual: float
    where: str


def values_of(t: Tables, s: Solution) -> Values:
    """All variables of the rules from the tables of an answer.

    What a table does not print follows from what it prints: money of a block from its years, idle
    capacity from capacity and need. The slack of a soft rule is not printed: what it lacks is told
    by the slack table, so every slack is as large as it needs to be.
    """
    years = t.years
    arrays: dict[str, Array] = {
        name: np.zeros(t.labels(*axes).shape) for name, axes in FAMILIES.items()
    }
    for name in ("central", "local", "levy", "unfunded", "starts", "shortage", "capacity"):
        arrays[name] = getattr(s, name)
    for name in ("temporary", "places_hukou", "places_migrant", "partner_starts"):
        arrays[name] = getattr(s, name)
    builders = [SECTORS.index(sector) for sector in t.axes["builder"]]
    arrays["bonds"] = s.bonds[builders]
    arrays["teachers_hired"] = s.teachers
    arrays["central_block"] = t.by_block(s.central.sum(axis=0))
    over = s.capacity - (1 + t.par("surplus_margin")) * t.p.need
    arrays["idle"] = np.maximum(0.0, over)
    v = Values(arrays)
    need = t.p.need[..., :years]
    covered = np.divide(s.capacity[..., :years], need, out=np.ones_like(need), where=need > 0)
    asked = np.clip(t.p.start_coverage, None, 1.0)[..., None]
    arrays["slack_no_dilution"] = np.maximum(0.0, asked - covered)
    arrays["slack_rural_level"] = np.maximum(0.0, asked_rural(t) - covered[1])
    for name, rule in (
        ("support_floor", support_floor),
        ("performance_reward", performance_reward),
    ):
        rows = rule(t, v)
        if rows is not None:
            least = dict(zip(rows.index.texts, rows.lower - rows.activity, strict=True))
            index = t.labels(*FAMILIES[f"slack_{name}"])
            lack = [max(0.0, least.get(label, 0.0)) for label in index.texts]
            arrays[f"slack_{name}"] = np.array(lack).reshape(index.shape)
    arrays["slack_public_share"] = t.par("public_share_target") * t.p.children_migrant.sum(axis=0)
    arrays["slack_seat_target"] = np.full(years, t.par("seat_target"))
    return v


def check_answer(p: Problem, s: Solution) -> Held:
    """Hold an answer to every rule that binds it, recomputed from the input tables.

    Parameters
    ----------
    p : Problem
        The tables.
    s : Solution
        The answer, with the cells in which places are shared alike.

    Returns
    -------
    Held
        Rows and largest violation.

    Raises
    ------
    CertificateError
        Naming rule, section of the plan, region and year, with what the row comes to and its bound.
    """
    t = Tables(p)
    v = values_of(t, s)
    statement = Statement(t, (), s.alike)
    found = [(rows.family, rows) for rows in statement.rule_rows(v)]
    found += [(BOUND_BY.get(rows.family, rows.family), rows) for rows in statement.bounds(v)]
    others = tuple(sector for sector in SECTORS if sector not in t.axes["builder"])
    unbuilt = Grid((others, p.codes, t.axes["year"]))
    none = s.bonds[[SECTORS.index(sector) for sector in others]]
    found.append(("bonds_build", make_rows("bonds", unbuilt, none, lower=0.0, upper=0.0)))
    broken: list[tuple[float, Fault]] = []
    count, worst, where = 0, 0.0, ""
    for rule, rows in found:
        missed = rows.missed()
        count += len(rows)
        if missed.max(initial=0.0) > worst:
            worst, where = float(missed.max()), rows.name(int(missed.argmax()))
        for row in np.flatnonzero(~(missed <= LIMIT)):
            broken.append(
                (float(np.nan_to_num(missed[row], nan=np.inf)), _fault(p, rule, rows, int(row)))
            )
    if broken:
        broken.sort(key=lambda each: -each[0])
        raise CertificateError([fault for _, fault in broken[:MOST_FAULTS]])
    return Held(count, worst, where)


def _fault(p: Problem, rule: str, rows: Rows, row: int) -> Fault:
    """A row that does not hold, in words."""
    name, value = rows.name(row), rows.activity[row]
    lower, upper = rows.lower[row], rows.upper[row]
    if lower == upper:
        asked = f"{lower:.10g}"
    elif value < lower or not np.isfinite(upper):
        asked = f"at least {lower:.10g}"
    else:
        asked = f"at most {upper:.10g}"
    return Fault(
        place(p, rule, name),
        f"{name} comes to {value:.10g} in the answer and must be {asked}",
        "the answer breaks the rule: nothing is published; report this as a bug",
    )


@dataclass(frozen=True)
class Audited:
    """A solve against the tables: its program, and its answer.

    Parameters
    ----------
    program : Audit
        Rows, columns and levels of the program as solved that are those of the tables.
    answer : Held
        Rows and bounds that the answer keeps, and its largest violation.
    """

    program: Audit
    answer: Held


def audited_solve(p: Problem, program: LinearProgram, s: Solution) -> Audited:
    """Compare program and answer of a solve with the input tables.

    Parameters
    ----------
    p : Problem
        The tables.
    program : LinearProgram
        Rows and bounds as they stood in the last solve.
    s : Solution
        The answer, with the cells in which places are shared alike.

    Raises
    ------
    CertificateError
        Naming the rule that differs or is broken.
    """
    return Audited(audit_program(p, program, alike=s.alike), check_answer(p, s))
