"""The proof of a solve once more in whole numbers: no rounding at all.

Every number of double precision is a whole number times a power of two. So row residuals, bound
residuals, the dual bound and the gap of a solve can be told exactly, as fractions; what is printed
of them is rounded away from the optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import LIMIT
from hukou_opt.allocation.proof import Proof
from hukou_opt.allocation.safe_bound import bounded_duals, box_for, cutoff_of
from hukou_opt.errors import CertificateError, Fault

Array = NDArray[np.float64]
#: Bits of the whole number in a number of double precision.
BITS = 53
#: Ratios within this of the largest are compared as fractions.
NEAR = 1e-9


@dataclass(frozen=True)
class Exact:
    """The figures of one solve as fractions.

    Parameters
    ----------
    name : str
        The level.
    primal_residual : Fraction
        Largest violation of a row or column bound, relative to 1 + the size of the bound.
    objective : Fraction
        Cost of the point, in the scale of the solve.
    bound : Fraction or None
        Lower bound of the optimum by the dual values; None where a column that needs a bound has
        none.
    sha256 : str
        SHA-256 of the program.
    """

    name: str
    primal_residual: Fraction
    objective: Fraction
    bound: Fraction | None
    sha256: str

    @property
    def gap(self) -> Fraction | None:
        """Distance of point and bound, relative to 1 + the size of the objective."""
        if self.bound is None:
            return None
        return abs(self.objective - self.bound) / (1 + abs(self.objective))

    @property
    def residual_printed(self) -> float:
        """The residual, rounded upwards."""
        return upwards(self.primal_residual)

    @property
    def gap_printed(self) -> float:
        """The gap, rounded upwards; infinite where there is no bound."""
        return np.inf if self.gap is None else upwards(self.gap)

    def require(self, *, bound: bool = True) -> None:
        """Raise CertificateError unless residual and gap are within the certificate's limit.

        Parameters
        ----------
        bound : bool, optional
            Whether a gap is asked for.
        """
        figures = [
            ("primal residual", self.residual_printed, "a row or bound is violated"),
            ("gap", self.gap_printed, "the dual values do not prove the optimum"),
        ]
        faults = [
            Fault(f"solve {self.name!r}", f"exact {words} is {value:.3g}, limit {LIMIT:g}", advice)
            for words, value, advice in figures[: 1 + bound]
            if not value <= LIMIT
        ]
        if faults:
            raise CertificateError(faults)


def upwards(value: Fraction) -> float:
    """The smallest number of double precision that is not below a fraction."""
    near = float(value)
    return near if Fraction(near) >= value else float(np.nextafter(near, np.inf))


@dataclass(frozen=True, eq=False)
class _Whole:
    """Numbers as whole numbers times one power of two."""

    numbers: NDArray[np.object_]
    power: int

    def at(self, power: int) -> NDArray[np.object_]:
        """The whole numbers for a lower power."""
        found: NDArray[np.object_] = self.numbers * (1 << (self.power - power))
        return found

    def positive(self) -> NDArray[np.bool_]:
        """Which of them are positive."""
        return np.array([number > 0 for number in self.numbers], dtype=bool)

    def negative(self) -> NDArray[np.bool_]:
        """Which of them are negative."""
        return np.array([number < 0 for number in self.numbers], dtype=bool)

    def sum(self) -> Fraction:
        """Their exact sum."""
        return Fraction(int(self.numbers.sum())) * Fraction(2) ** self.power


def _whole(values: Array) -> _Whole:
    mantissa, power = np.frexp(values)
    numbers = (mantissa * 2.0**BITS).astype(np.int64)
    powers = power.astype(np.int64) - BITS
    real = numbers != 0
    lowest = int(powers[real].min()) if real.any() else 0
    shifts = np.where(real, powers - lowest, 0)
    shifted = [int(n) << int(k) for n, k in zip(numbers, shifts, strict=True)]
    found = np.empty(len(values), dtype=object)
    found[:] = shifted
    return _Whole(found, lowest)


def _product(rows: sp.csr_array, x: _Whole) -> _Whole:
    """Exact product of a matrix and a vector."""
    a = _whole(rows.data)
    terms = a.numbers * x.numbers[rows.indices]
    out = np.zeros(rows.shape[0], dtype=object)
    filled = np.flatnonzero(np.diff(rows.indptr))
    if filled.size:
        out[filled] = np.add.reduceat(terms, rows.indptr[filled])
    return _Whole(out, a.power + x.power)


def _violation(values: _Whole, lower: Array, upper: Array) -> Fraction:
    """Largest violation relative to 1 + the size of the bound."""
    worst = Fraction(0)
    for sign, bound in ((1, lower), (-1, upper)):
        real = np.flatnonzero(np.isfinite(bound))
        whole = _whole(bound[real])
        power = min(whole.power, values.power, 0)
        wanted = whole.at(power)
        here = _Whole(values.numbers[real], values.power).at(power)
        miss = sign * (wanted - here)
        unit = 1 << -power
        over = [(m, unit + abs(b)) for m, b in zip(miss, wanted, strict=True) if m > 0]
        if over:
            # Quotients of whole numbers are rounded correctly, so the largest is among the nearest.
            ratios = [m / size for m, size in over]
            least = max(ratios) * (1 - NEAR)
            near = [Fraction(*pair) for pair, r in zip(over, ratios, strict=True) if r >= least]
            worst = max(worst, *near)
    return worst


def _priced(z: _Whole, lower: Array, upper: Array) -> Fraction | None:
    """Sum of the smallest ``z x`` inside bounds; None where one of them is endless."""
    bound = np.where(z.positive(), lower, np.where(z.negative(), upper, 0.0))
    if not np.isfinite(bound).all():
        return None
    at = _whole(bound)
    return _Whole(z.numbers * at.numbers, z.power + at.power).sum()


def replay(proof: Proof) -> Exact:
    """Compute residual, objective, dual bound and gap of a solve without rounding.

    Parameters
    ----------
    proof : Proof
        The solve.

    Returns
    -------
    Exact
        The figures as fractions.

    Raises
    ------
    CertificateError
        If a number is not finite, or a bound is not a number.
    """
    bounds = (proof.row_lower, proof.row_upper, proof.lower, proof.upper)
    numbers = (proof.cost, proof.matrix.data, proof.x, proof.y)
    if not all(np.isfinite(a).all() for a in numbers) or any(np.isnan(a).any() for a in bounds):
        raise CertificateError(
            Fault(f"solve {proof.name!r}", "has numbers that are not finite", "see the inputs")
        )
    x, cost = _whole(proof.x), _whole(proof.cost)
    activity = _product(proof.matrix, x)
    residual = max(
        _violation(activity, proof.row_lower, proof.row_upper),
        _violation(x, proof.lower, proof.upper),
    )
    objective = _Whole(cost.numbers * x.numbers, cost.power + x.power).sum()
    return Exact(proof.name, residual, objective, _bound(proof, cost, objective), proof.sha256)


def _bound(proof: Proof, cost: _Whole, objective: Fraction) -> Fraction | None:
    program = (
        proof.cost,
        proof.matrix,
        proof.row_lower,
        proof.row_upper,
        proof.lower,
        proof.upper,
    )
    cutoff = cutoff_of(float(objective))
    y, _ = bounded_duals(*program, proof.y, cutoff)
    whole_y = _whole(y)
    priced = _product(sp.csr_array(proof.matrix.T), whole_y)
    power = min(cost.power, priced.power)
    z = _Whole(cost.at(power) - priced.at(power), power)
    # Fewer bounds are called for than by reduced costs that are known up to rounding.
    box = box_for(*program, cutoff, (z.positive(), z.negative()))
    rows = _priced(whole_y, proof.row_lower, proof.row_upper)
    columns = _priced(z, box.lower, box.upper)
    if rows is None or columns is None:
        return None
    bound = rows + columns
    return bound if np.isinf(box.cutoff) else min(bound, Fraction(box.cutoff))


def figures(exact: Exact | None) -> dict[str, Any]:
    """Figures of a replay for a table; not a number where nothing was replayed."""
    if exact is None:
        return {"exact_residual": np.nan, "exact_gap": np.nan, "program_sha256": ""}
    return {
        "exact_residual": exact.residual_printed,
        "exact_gap": exact.gap_printed,
        "program_sha256": exact.sha256,
    }
