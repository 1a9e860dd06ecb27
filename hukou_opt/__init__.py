"""China's household-registration reform: stock-flow model, allocation of its money, tables.

    import hukou_opt as ho
    result = ho.run("plan_as_written")
    result.table.allocation()

Names are imported when first used, so that ``import hukou_opt`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hukou_opt import accessors

if TYPE_CHECKING:
    from hukou_opt.errors import HukouOptError
    from hukou_opt.experiment import Experiment, experiment_from, load_experiment
    from hukou_opt.fit.backtest import backtest
    from hukou_opt.fit.calibrate import calibrate
    from hukou_opt.planning.explain import explain
    from hukou_opt.planning.goal_seek import goal_seek
    from hukou_opt.planning.run import run
    from hukou_opt.planning.validate import validate
    from hukou_opt.regions import load_history, load_regions
    from hukou_opt.report.compare_runs import compare
    from hukou_opt.result import Result, open_result

__version__ = "0.1.0"

__all__ = [
    "run",
    "validate",
    "explain",
    "goal_seek",
    "compare",
    "calibrate",
    "backtest",
    "open_result",
    "load_experiment",
    "experiment_from",
    "load_regions",
    "load_history",
    "Experiment",
    "Result",
    "HukouOptError",
    "__version__",
]

_WHERE = {
    "run": "hukou_opt.planning",
    "validate": "hukou_opt.planning.validate",
    "explain": "hukou_opt.planning.explain",
    "goal_seek": "hukou_opt.planning.goal_seek",
    "compare": "hukou_opt.report.compare_runs",
    "calibrate": "hukou_opt.fit.calibrate",
    "backtest": "hukou_opt.fit.backtest",
    "open_result": "hukou_opt.result",
    "Result": "hukou_opt.result",
    "load_experiment": "hukou_opt.experiment",
    "experiment_from": "hukou_opt.experiment",
    "Experiment": "hukou_opt.experiment",
    "load_regions": "hukou_opt.regions",
    "load_history": "hukou_opt.regions",
    "HukouOptError": "hukou_opt.errors",
}

accessors.register("table", "hukou_opt.report.accessor", "TableAccessor")
accessors.register("plot", "hukou_opt.report.accessor", "PlotAccessor")


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'hukou_opt' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
