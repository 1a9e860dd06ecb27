"""One solve with all that proves it: the program as it stood, the point, the dual values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import Certificate
from hukou_opt.allocation.safe_bound import safe_bound

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Proof:
    """One solve: the program as it stood, the point, and the dual values that prove it.

    Parameters
    ----------
    name : str
        The level.
    cost : ndarray, shape (column,)
        Cost row in the scale of the solve.
    matrix : csr_array, shape (row, column)
        All rows: rules, held levels, rows of the indices.
    row_lower, row_upper : ndarray, shape (row,)
        Row bounds.
    lower, upper : ndarray, shape (column,)
        Column bounds.
    x : ndarray, shape (column,)
        The point.
    y : ndarray, shape (row,)
        Dual values in the scale of the cost row.
    """

    name: str
    cost: Array
    matrix: sp.csr_array
    row_lower: Array
    row_upper: Array
    lower: Array
    upper: Array
    x: Array
    y: Array

    @property
    def sha256(self) -> str:
        """SHA-256 of cost row, rows and bounds, in hexadecimal."""
        rows = sp.csr_array(self.matrix, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        digest = hashlib.sha256()
        for where in (rows.indptr, rows.indices):
            digest.update(np.ascontiguousarray(where, dtype="<i8").tobytes())
        numbers = (
            rows.data,
            self.cost,
            self.row_lower,
            self.row_upper,
            self.lower,
            self.upper,
        )
        for part in numbers:
            # A zero has no sign.
            digest.update(np.ascontiguousarray(part + 0.0, dtype="<f8").tobytes())
        return digest.hexdigest()


def with_safe_gap(certificate: Certificate, proof: Proof) -> Certificate:
    """The certificate with the distance of its objective from a bound that rounding cannot break.

    Parameters
    ----------
    certificate : Certificate
        Proof of a point in double precision.
    proof : Proof
        The same solve.
    """
    objective = certificate.objective
    bound = safe_bound(
        proof.cost,
        proof.matrix,
        proof.row_lower,
        proof.row_upper,
        proof.lower,
        proof.upper,
        proof.y,
        objective,
    )
    return replace(certificate, safe_gap=max(0.0, objective - bound) / (1 + abs(objective)))
