"""Coupled plans of one experiment with changed parameters, on one translated model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from hukou_opt.allocation.levels import Orders
from hukou_opt.dynamics import (
    Engine,
    PysdEngine,
    check_step,
    check_trajectory,
    model_constants,
    no_decisions,
    pins,
)
from hukou_opt.dynamics.contract import taken
from hukou_opt.dynamics.engine import Constant
from hukou_opt.errors import ExperimentError, Fault, HukouOptError
from hukou_opt.experiment import Experiment
from hukou_opt.planning.aims import aims_of
from hukou_opt.planning.assemble import allocated, simulated_only
from hukou_opt.planning.cases import all_cases
from hukou_opt.planning.coupling import Coupling
from hukou_opt.planning.engines import fast_engine
from hukou_opt.planning.goal_seek.lever import moves
from hukou_opt.planning.inputs import Inputs, inputs_of, parameters_of
from hukou_opt.planning.own_regions import check_budget
from hukou_opt.planning.run import engine_of
from hukou_opt.result import Result


class Plans:
    """Results of an experiment by values of its parameters.

    The model is translated once; a run sets its constants and builds its linear program. Rows that
    the indices of one program needed are where the next one starts. Comparators, figures and PySD's
    repetition of the path are left out.

    Parameters
    ----------
    settings : Experiment
        What is run.
    step : callable
        Told in words what is being done.
    time_limit : float
        Seconds that one solve may take.
    """

    def __init__(
        self, settings: Experiment, step: Callable[[str], None], time_limit: float
    ) -> None:
        allocation = settings.allocation.model_copy(update={"comparators": ()})
        self.settings = settings.model_copy(update={"allocation": allocation})
        self.step, self.time_limit = step, time_limit
        self._own = parameters_of(self.settings)
        self._reference: PysdEngine | None = None
        self._fast: Engine | None = None
        self._orders: Orders | None = None

    def value(self, name: str) -> float:
        """Value of a parameter in the experiment itself."""
        return self._own[name]

    def at(self, values: Mapping[str, float]) -> Experiment:
        """The experiment with other values."""
        parameters = {**self.settings.parameters, **{k: float(v) for k, v in values.items()}}
        return self.settings.model_copy(update={"parameters": parameters})

    def check(self, lever: str, low: float, high: float) -> None:
        """Refuse a lever that changes neither the model nor the linear program.

        Raises
        ------
        ExperimentError
            If both ends would give the same run, or a calibration overrules one.
        """
        ends = [self.at({lever: value}) for value in (low, high)]
        given = [inputs_of(each) for each in ends]
        where = f"lever {lever!r}"
        for value, each in zip((low, high), given, strict=True):
            # An experiment cannot state the registry's own value against a calibration.
            if each.parameters[lever] != value:
                what = f"is set by the calibration {self.settings.calibration!r}"
                got = f"({each.parameters[lever]:g}, not {value:g})"
                raise ExperimentError(Fault(where, f"{what} {got}", "move that end a little"))
        engine = self._engine(ends[0], given[0])
        constants = [self._constants(each) for each in given]
        if _same(*constants) and not self._moves(lever, engine, given):
            raise ExperimentError(
                Fault(
                    where,
                    "changes neither the model nor the linear program of this experiment "
                    f"({low:g} and {high:g} give the same run)",
                    "choose another lever, or switch on what it belongs to",
                )
            )

    def _moves(self, lever: str, engine: Engine, given: list[Inputs]) -> bool:
        if not self.settings.allocation.enabled:
            return False
        try:
            couplings = [self._coupling(engine, each) for each in given]
            first = couplings[0]
            needs = first.needs(first.first_run, first.nothing())
            return moves(lever, *(each.problem(needs) for each in couplings))
        except HukouOptError:
            # An end that cannot be posed differs; the run itself will say why.
            return True

    def run(self, values: Mapping[str, float]) -> Result:
        """A coupled plan with other values, without comparators.

        Raises
        ------
        HukouOptError
            As `hukou_opt.planning.run`.
        """
        settings = self.at(values)
        given = inputs_of(settings)
        check_budget(settings, given.regions, given.parameters)
        engine = self._engine(settings, given)
        stretch = given.parameters["class_stretch"]
        common = settings, given.regions, given.base, given.parameters
        if not settings.allocation.enabled:
            nothing = no_decisions(engine.codes, engine.years)
            run = engine.run(nothing)
            return simulated_only(
                *common, run, check_trajectory(run, nothing, class_stretch=stretch)
            )
        coupling = self._coupling(engine, given)
        coupling.orders = self._orders
        coupled = coupling.iterate(
            max_rounds=settings.coupling.max_rounds, tolerance=settings.coupling.tolerance
        )
        self._orders = coupling.orders
        checks = check_trajectory(coupled.best.run, coupled.best.decisions, class_stretch=stretch)
        cases = all_cases(coupling, coupled, (), settings.base_year)
        return allocated(*common, coupled, cases, checks)

    def _engine(self, settings: Experiment, given: Inputs) -> Engine:
        """The engine with the constants of these inputs."""
        if self._reference is None or self._fast is None:
            self.step("model: translate")
            self._reference = engine_of(settings, given.base, given.parameters, given.years)
            self._fast = self._reference
            if settings.engine == "arrays":
                self.step("model: arrays")
                self._fast = fast_engine(
                    self._reference, settings.model_source, trust=settings.trust_model
                )
        self._fast.reset(self._constants(given))
        return self._fast

    def _constants(self, given: Inputs) -> dict[str, Constant]:
        """Constants as `hukou_opt.planning.run.engine_of` sets them."""
        settings, state = self.settings, pins.state(self.settings.model_source)
        constants = model_constants(given.base, given.parameters, reform=settings.reform)
        if state != "foreign":
            check_step(constants, settings.time_step)
        if state != "bundled" and self._reference is not None:
            constants = taken(self._reference.variables, constants)
        return constants | dict(settings.model_constants)

    def _coupling(self, engine: Engine, given: Inputs) -> Coupling:
        settings = self.settings
        return Coupling(
            engine,
            given.base,
            given.parameters,
            settings.horizon.end,
            settings.allocation.rules.model_dump(),
            self.step,
            aims=aims_of(settings),
            count_settlers=settings.allocation.count_settlers,
            time_limit=self.time_limit,
        )


def _same(one: Mapping[str, Constant], other: Mapping[str, Constant]) -> bool:
    return all(
        np.array_equal(np.asarray(value), np.asarray(other[name])) for name, value in one.items()
    )
