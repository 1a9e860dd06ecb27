"""The stock-flow side: the Vensim model, run safely, and what the linear program takes from it."""

from hukou_opt.dynamics.array_engine import ArrayEngine
from hukou_opt.dynamics.checks import Check, check_trajectory
from hukou_opt.dynamics.engine import Engine, Runner, Trajectory
from hukou_opt.dynamics.exchange import Decisions, Needs
from hukou_opt.dynamics.inputs import extend_decisions, model_constants, no_decisions
from hukou_opt.dynamics.needs import capacity_of_starts, needs_from, standing_capacity
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.step import check_step

__all__ = [
    "Decisions",
    "Needs",
    "Engine",
    "Runner",
    "Trajectory",
    "PysdEngine",
    "ArrayEngine",
    "model_constants",
    "no_decisions",
    "extend_decisions",
    "standing_capacity",
    "capacity_of_starts",
    "needs_from",
    "check_trajectory",
    "Check",
    "check_step",
]
