"""One HiGHS object that we own: rows, bounds and costs change, the basis stays."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp
from highspy import _core as highs_core
from numpy.typing import NDArray

from hukou_opt.allocation.certificate import Certificate, certify, inner
from hukou_opt.allocation.ends import failure
from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import Array
from hukou_opt.allocation.proof import Proof
from hukou_opt.allocation.threads import claim
from hukou_opt.errors import Fault, SolveError

Index = NDArray[np.integer]

#: Feasibility and optimality tolerance handed to HiGHS; ten times tighter than the certificate's.
TOLERANCE = 1e-8
SEED = 20240101
#: Seconds that one solve may take, all its attempts together.
TIME_LIMIT = 600.0
#: Iterations after which a warm simplex is given up: a cold start is faster then.
WARM_ITERATIONS = 20000
#: Iterations after which any solve is given up, the clean-up of an interior point included.
MOST_ITERATIONS = 60000
#: Iterations after which a solve is given up for which there is another way.
BRIEF = 5000
#: Change of a cost row, whose largest cost is 1, from which on it counts as another level's.
FAR = 1e-2
#: Both limits per row, for programs of many more regions than the 31 provinces.
WARM_A_ROW, MOST_A_ROW = 1.2, 3.5
#: Numbers by which HiGHS knows its simplex methods.
DUAL, PRIMAL = 1, 4
#: Name of the attempt that goes on from the basis of the one before.
GO_ON = "go on"
#: Name of the attempt that forgets all bases, so that the rows are presolved for the new cost.
COLD = "cold simplex"
#: Name of the attempt that goes back to the basis of the solve before.
BACK = "simplex from the last basis"


@dataclass(frozen=True)
class Point:
    """A certified optimum of one solve.

    Parameters
    ----------
    x : ndarray, shape (column,)
        Primal values.
    row_dual : ndarray, shape (row,)
        Dual values of the rows at the time of the solve.
    value : float
        Objective with its constant.
    certificate : Certificate
        Proof of optimality recomputed from the numbers.
    """

    x: Array
    row_dual: Array
    value: float
    certificate: Certificate


def _scale(cost: Array) -> float:
    """Factor that brings the largest cost to 1."""
    return 1.0 / max(float(np.abs(cost).max(initial=0.0)), 1e-12)


class Session:
    """A linear program inside HiGHS, with its rows and bounds kept here too for the certificate.

    Parameters
    ----------
    program : LinearProgram
        Rows, columns and bounds to start from.
    time_limit : float, optional
        Seconds that one solve may take.
    """

    def __init__(self, program: LinearProgram, time_limit: float = TIME_LIMIT) -> None:
        self.program = program
        self.time_limit = time_limit
        self.lower, self.upper = program.lower.copy(), program.upper.copy()
        self._blocks = [program.matrix]
        self._row_lower, self._row_upper = [program.row_lower.copy()], [program.row_upper.copy()]
        self.fallbacks = 0
        #: Whether to give up where going on from the last basis does not help.
        self.brief = False
        # The class behind `highspy.Highs`: the public one prints a banner when it is made.
        self._solver = highs_core._Highs()
        self._fresh = True
        self._cost: Array = np.zeros(len(program.lower))
        for option, value in {
            "output_flag": False,
            "random_seed": SEED,
            "primal_feasibility_tolerance": TOLERANCE,
            "dual_feasibility_tolerance": TOLERANCE,
            # Devex: exact steepest-edge weights would be recomputed after every added row.
            "simplex_dual_edge_weight_strategy": 1,
        }.items():
            self._solver.setOptionValue(option, value)
        self._pass_model()

    def _pass_model(self) -> None:
        program, matrix = self.program, self.program.matrix
        columns, rows = len(program.lower), len(program.row_lower)
        # As arrays: a `HighsLp` takes its vectors number by number.
        status = self._solver.passModel(
            columns,
            rows,
            matrix.nnz,
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            np.zeros(columns),
            program.lower,
            program.upper,
            program.row_lower,
            program.row_upper,
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            # No column is an integer.
            np.zeros(columns, dtype=np.int32),
        )
        self._check(status, "load the program")

    def _check(self, status: highspy.HighsStatus, doing: str) -> None:
        if status == highspy.HighsStatus.kError:
            raise SolveError(Fault("HiGHS", f"could not {doing}", "report this as a bug"))

    @property
    def matrix(self) -> sp.csr_array:
        """All rows, added ones included."""
        if len(self._blocks) > 1:
            self._blocks = [sp.csr_array(sp.vstack(self._blocks, format="csr"))]
        return self._blocks[0]

    @property
    def row_lower(self) -> Array:
        """Lower bounds of all rows."""
        self._row_lower = [np.concatenate(self._row_lower)]
        return self._row_lower[0]

    @property
    def row_upper(self) -> Array:
        """Upper bounds of all rows."""
        self._row_upper = [np.concatenate(self._row_upper)]
        return self._row_upper[0]

    def bound_columns(self, columns: Index, lower: Array, upper: Array) -> None:
        """Replace the bounds of some columns."""
        index = np.asarray(columns, dtype=np.int32)
        self.lower[index], self.upper[index] = lower, upper
        status = self._solver.changeColsBounds(
            len(index), index, np.asarray(lower, float), np.asarray(upper, float)
        )
        self._check(status, "change column bounds")

    def bound_rows(self, rows: Index, lower: Array, upper: Array) -> None:
        """Replace the bounds of some rows."""
        index = np.asarray(rows, dtype=np.int32)
        self.row_lower[index], self.row_upper[index] = lower, upper
        # Missing in the stubs of highspy.
        status = self._solver.changeRowsBounds(  # type: ignore[attr-defined]
            len(index), index, np.asarray(lower, float), np.asarray(upper, float)
        )
        self._check(status, "change row bounds")

    def add_row(self, columns: Index, values: Array, lower: float, upper: float) -> int:
        """Add one row and return its position."""
        index = np.asarray(columns, dtype=np.int32)
        coefficients = np.asarray(values, dtype=float)
        status = self._solver.addRow(lower, upper, len(index), index, coefficients)
        self._check(status, "add a row")
        width = len(self.lower)
        self._blocks.append(
            sp.csr_array((coefficients, (np.zeros_like(index), index)), shape=(1, width))
        )
        self._row_lower.append(np.array([lower]))
        self._row_upper.append(np.array([upper]))
        return len(self.row_lower) - 1

    def minimise(
        self,
        cost: Array,
        constant: float = 0.0,
        *,
        name: str = "objective",
        near: bool = False,
    ) -> Point:
        """Minimise one cost row and prove the optimum.

        A level that has little to do with the last one is solved from nothing: presolved for its
        own cost the program is small, and dual simplex takes a fraction of the time that primal
        simplex needs from the old vertex, or interior point with its crossover.

        Parameters
        ----------
        cost : ndarray, shape (column,)
            Cost row.
        constant : float, optional
            Constant of the objective.
        name : str, optional
            Name used in errors.
        near : bool, optional
            Whether the optimum lies near the last one although the cost is another.

        Raises
        ------
        InfeasibleError
            If the rows contradict each other.
        UnboundedError, TimeLimitError, NumericalError
            If HiGHS ends without an optimum.
        CertificateError
            If the numbers do not prove the optimum.
        """
        # The solver's tolerances are absolute; costs of the size of 1 make them meaningful.
        scale = _scale(cost)
        width = len(cost)
        index = np.arange(width, dtype=np.int32)
        self._check(self._solver.changeColsCost(width, index, cost * scale), "set the cost row")
        # With a new cost the last vertex is still feasible, so primal simplex goes on from it; with
        # new rows under the same cost it is still dual feasible, so dual simplex does.
        simplex = PRIMAL if not np.array_equal(cost, self._cost) else DUAL
        far = float(np.abs(cost * scale - self._cost * _scale(self._cost)).max(initial=0.0)) > FAR
        self._cost = cost.copy()
        rows = len(self.program.row_lower)
        most_iterations = max(MOST_ITERATIONS, int(MOST_A_ROW * rows))
        warm_iterations = max(WARM_ITERATIONS, int(WARM_A_ROW * rows))
        last = self._solver.getBasis()
        # Undecided between tightly held levels, it mostly gets through when it goes on.
        warm = [("simplex", simplex, warm_iterations), (GO_ON, PRIMAL, warm_iterations)]
        cold = [(COLD, DUAL, warm_iterations)]
        attempts = [("ipx", DUAL, most_iterations), (COLD, PRIMAL, most_iterations)]
        if self._fresh:
            attempts = [*cold, *attempts]
        elif near or not far:
            attempts = [*warm, *cold, *attempts]
        else:
            attempts = [*cold, (BACK, PRIMAL, warm_iterations), warm[1], *attempts]
        if self.brief:
            # Near the last optimum a solve is short or stalls.
            attempts = [(how, which, min(most, BRIEF)) for how, which, most in attempts[:2]]
        # The limit of HiGHS counts all solves of one object, so it moves with the clock; all
        # attempts of this solve share it.
        limit = self._solver.getRunTime() + self.time_limit
        self._solver.setOptionValue("time_limit", limit)
        point: Point | None = None
        tried: list[str] = []
        for number, (method, strategy, most) in enumerate(attempts):
            if method == GO_ON:
                if self._solver.getModelStatus() != highspy.HighsModelStatus.kUnknown:
                    continue
                self.fallbacks += 1
            elif number or method == COLD:
                # A warm simplex can cycle, end undecided, wrongly infeasible or unproved, and the
                # clean-up of an interior point can stall between tightly held levels.
                self.fallbacks += number > 0
                self._solver.clearSolver()
                if method == BACK:
                    self._solver.setBasis(last)
            self._solver.setOptionValue("simplex_strategy", strategy)
            # A limit in iterations, not in seconds: the same on every machine.
            self._solver.setOptionValue("simplex_iteration_limit", most)
            solver = "simplex" if method in (GO_ON, COLD, BACK) else method
            tried.append(method)
            point = self._attempt(solver, cost, scale, constant, name)
            if point is not None and point.certificate.holds:
                break
            if self._solver.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
                break
        if point is None:
            raise self._failure(name, tried)
        point.certificate.require()
        self._fresh = False
        return point

    def _attempt(
        self, method: str, cost: Array, scale: float, constant: float, name: str
    ) -> Point | None:
        if self._run(method) != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._solver.getSolution()
        x = np.asarray(solution.col_value, dtype=float)
        dual = np.asarray(solution.row_dual, dtype=float) / scale
        return self._certified(cost, constant, x, dual, name)

    def _certified(
        self, cost: Array, constant: float, x: Array, row_dual: Array, name: str
    ) -> Point:
        """The point with its value, and the certificate in the scale of the solves."""
        scale = _scale(cost)
        certificate = certify(
            cost * scale,
            self.matrix,
            self.row_lower,
            self.row_upper,
            self.lower,
            self.upper,
            x,
            row_dual * scale,
            name=name,
        )
        return Point(x, row_dual, inner(cost, x) + constant, certificate)

    def proof(self, cost: Array, point: Point, *, name: str) -> Proof:
        """The program as it stands, with a point and its dual values, in the scale of the solves.

        Parameters
        ----------
        cost : ndarray, shape (column,)
            Cost row.
        point : Point
            Point with the dual values that prove it.
        name : str
            Name of the level.
        """
        scale = _scale(cost)
        rows = point.row_dual.size
        return Proof(
            name,
            cost * scale,
            sp.csr_array(self.matrix[:rows]) if rows < self.matrix.shape[0] else self.matrix,
            self.row_lower[:rows].copy(),
            self.row_upper[:rows].copy(),
            self.lower.copy(),
            self.upper.copy(),
            point.x,
            point.row_dual * scale,
        )

    def prove(self, cost: Array, constant: float, x: Array, bound: Point, *, name: str) -> Point:
        """Certify another point with the dual values of a solve.

        Parameters
        ----------
        cost : ndarray, shape (column,)
            Cost row.
        constant : float
            Constant of the objective.
        x : ndarray, shape (column,)
            The point.
        bound : Point
            Optimum of the rows so far, whose dual values give the lower bound.
        name : str
            Name of the level.
        """
        return self._certified(cost, constant, x, bound.row_dual, name)

    def _failure(self, name: str, tried: list[str]) -> SolveError:
        program = self.program
        return failure(
            self._solver,
            name,
            self._cost,
            program.row_names,
            program.column_names,
            self.time_limit,
            tried,
        )

    def _run(self, method: str) -> highspy.HighsModelStatus:
        claim(self._solver)
        self._solver.setOptionValue("solver", method)
        self._solver.run()
        return self._solver.getModelStatus()
