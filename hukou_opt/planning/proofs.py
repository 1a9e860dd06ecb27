"""The certificates of a run as a group of its result, the published ones replayed exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import xarray as xr

from hukou_opt.allocation.certificate import Certificate
from hukou_opt.allocation.exact import Exact, figures, replay
from hukou_opt.allocation.solve import Allocation
from hukou_opt.planning.cases import Case

#: Case whose answer is published.
PUBLISHED = "plan"
#: Figures of a certificate that stand in the result.
FIGURES = tuple(
    field.name for field in fields(Certificate) if field.name not in ("name", "objective")
)


def replayed_exactly(
    allocation: Allocation, progress: Callable[[str], None] = lambda _: None
) -> tuple[Exact, ...]:
    """Every level of an answer replayed in whole numbers.

    Parameters
    ----------
    allocation : Allocation
        An answer that has kept its proofs.
    progress : callable, optional
        Told in words what is being done.

    Returns
    -------
    tuple of Exact
        One for each certificate, in order.

    Raises
    ------
    CertificateError
        If the exact figures do not prove a level.
    """
    found = []
    for proof in allocation.proofs:
        progress(f"exact replay: {proof.name}")
        exact = replay(proof)
        # Without a bound there is nothing to compare with; the certificate has proved the level.
        exact.require(bound=exact.bound is not None)
        found.append(exact)
    return tuple(found)


def certificate_group(cases: Sequence[Case], replays: Sequence[Exact] = ()) -> xr.Dataset:
    """Certificates of all cases; exact figures and the program's hash where they were replayed.

    Parameters
    ----------
    cases : sequence of Case
        Cases with their answers.
    replays : sequence of Exact, optional
        Replays of the published answer's certificates, in their order.

    Returns
    -------
    Dataset
        One row per solve; the attributes say what of the published answer was compared with the
        input tables.
    """
    labels: list[str] = []
    found: list[tuple[Certificate, Exact | None]] = []
    attrs: dict[str, int | float | str] = {}
    for case in cases:
        if case.allocation is None:
            continue
        exact: Sequence[Exact | None] = replays if case.name == PUBLISHED else ()
        for number, certificate in enumerate(case.allocation.certificates):
            labels.append(f"{case.name}:{number}:{certificate.name}")
            found.append((certificate, exact[number] if number < len(exact) else None))
        if case.name == PUBLISHED:
            program, answer = case.allocation.audited.program, case.allocation.audited.answer
            attrs = {
                "audited_rows": program.rows,
                "audited_columns": program.columns,
                "audited_levels": program.levels,
                "audit_difference": program.difference,
                "answer_rows": answer.rows,
                "answer_residual": answer.residual,
                "answer_residual_at": answer.where,
            }
    columns = {
        name: ("solve", np.array([getattr(certificate, name) for certificate, _ in found]))
        for name in FIGURES
    }
    for name in figures(None):
        columns[name] = ("solve", np.array([figures(exact)[name] for _, exact in found]))
    return xr.Dataset(columns, {"solve": labels}, attrs)
