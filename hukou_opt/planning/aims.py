"""The experiment's objectives and limits, as the linear program takes them."""

from __future__ import annotations

from hukou_opt.allocation.spec import SHIPPED, Aims, LevelSpec, Limit, Term
from hukou_opt.experiment import Experiment
from hukou_opt.experiment import objectives as settings


def _term(given: settings.Term) -> Term:
    values = {name: getattr(given, name) for name in type(given).model_fields}
    values.pop("at_most", None)
    return Term(**values)


def _level(given: str | settings.Level) -> LevelSpec:
    if isinstance(given, str):
        return SHIPPED[given]
    meaning = " + ".join(
        f"{term.index.replace('_', ' ')} of {term.measure.replace('_', ' ')}"
        for term in given.terms
    )
    return LevelSpec(given.name, meaning, tuple(_term(t) for t in given.terms), given.guarded)


def aims_of(experiment: Experiment) -> Aims:
    """Levels in their order, limits, and whether levelling down is accepted."""
    allocation = experiment.allocation
    return Aims(
        tuple(_level(each) for each in allocation.objectives),
        tuple(Limit(_term(each), each.at_most) for each in allocation.limits),
        allocation.accept_levelling_down,
    )
