"""Where the plan's facts are used, read from the registries that use them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hukou_opt.experiment import Experiment
    from hukou_opt.parameters import Parameters
    from hukou_opt.plan.facts import PlanFact
    from hukou_opt.report.facts_table import FactUse


@lru_cache(maxsize=1)
def fact_uses() -> tuple[FactUse, ...]:
    """Every fact of the plan with all places where it is used, in the plan's order."""
    from hukou_opt.allocation.rules import RULES
    from hukou_opt.experiment import load_experiment, shipped_runs
    from hukou_opt.parameters import load_parameters
    from hukou_opt.plan.facts import load_facts
    from hukou_opt.plan.targets import load_targets
    from hukou_opt.report.facts_table import FactUse

    registry = load_parameters()
    runs = {name: load_experiment(name) for name in shipped_runs()}
    modes = {name: _modes(run) for name, run in runs.items()}
    uses = []
    for fact in load_facts().values():
        own = [name for name, row in registry.rows.items() if row.plan_fact == fact.id]
        rules = [
            rule
            for rule in RULES
            if rule.name == fact.rule or set(rule.parameters) & {*own, fact.parameter}
        ]
        keys = {rule.key for rule in rules if rule.modes}
        uses.append(
            FactUse(
                fact=fact,
                parameters=tuple(own),
                ranges=(fact.parameter,) if fact.parameter else (),
                rules=tuple(rule.name for rule in rules),
                columns=(fact.column,) if fact.column else (),
                targets=tuple(each.id for each in load_targets() if each.fact.id == fact.id),
                baselines=tuple(each.id for each in load_targets() if each.base_fact == fact.id),
                experiments=tuple(
                    name
                    for name, run in runs.items()
                    if _changes(run, registry, own)
                    or _takes(run, registry, fact)
                    or any(modes[name][key] != _default_modes()[key] for key in keys)
                ),
            )
        )
    return tuple(uses)


def stated_otherwise(registry: Parameters) -> tuple[str, ...]:
    """Parameters whose official value is not the plan's: an experiment may start from the plan's.

    Parameters
    ----------
    registry : Parameters
        The shipped values.
    """
    from hukou_opt.plan.facts import load_facts

    facts = load_facts()
    found = []
    for name, row in registry.rows.items():
        if row.room != "derivation" or row.status != "official" or not row.plan_fact:
            continue
        stated = facts[row.plan_fact].value
        if stated is not None and not math.isclose(stated, row.value):
            found.append(name)
    return tuple(found)


def _changes(run: Experiment, registry: Parameters, own: Sequence[str]) -> bool:
    """Whether a run gives one of the parameters another value than the registry's."""
    if run.base == "plan" and set(own) & set(stated_otherwise(registry)):
        return True
    return any(
        not math.isclose(float(run.parameters[name]), registry[name])
        for name in own
        if name in run.parameters
    )


def _takes(run: Experiment, registry: Parameters, fact: PlanFact) -> bool:
    """Whether a run gives a parameter the very figure of a fact that is not the parameter's own."""
    name = fact.parameter
    if not name or name not in run.parameters or fact.value is None:
        return False
    value = float(run.parameters[name])
    return math.isclose(value, fact.value) and not math.isclose(value, registry[name])


@lru_cache(maxsize=1)
def _default_modes() -> Mapping[str, str]:
    """Modes of the rules where an experiment is silent."""
    from hukou_opt.experiment.schema import Rules

    return {name: str(value) for name, value in Rules().model_dump().items()}


def _modes(run: Experiment) -> Mapping[str, str]:
    """Modes of the rules of a run; those of a run without allocation change nothing."""
    if not run.allocation.enabled:
        return _default_modes()
    return {name: str(value) for name, value in run.allocation.rules.model_dump().items()}
