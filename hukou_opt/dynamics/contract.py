"""What a model must offer so that the toolkit can run it: one table, checked before every run.

The table is ``contract.csv``: names that the toolkit writes into a model's text, that it sets
(decisions) and that it reads (needs, capacities, people, money). Names stand for one quantity each:
a model may leave out optional ones, and may not use any of them for something else. Base-year
figures and parameters are offered under their names; a model takes what it declares.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hukou_opt.dynamics.accept import Variable
from hukou_opt.dynamics.engine import Constant
from hukou_opt.dynamics.inputs import BASE_YEAR_INPUTS, SHARED_PARAMETERS
from hukou_opt.dynamics.limits import settable
from hukou_opt.errors import Fault, ModelError, did_you_mean
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.base_year import CONTRACT as BASE_YEAR
from hukou_opt.regions.methods import read_methods

FILE = Path(__file__).resolve().with_name("contract.csv")
#: What the toolkit does with a name.
ROLES = {
    "renderer": "written into the model's text",
    "decision": "set: what the linear program decides",
    "read": "read from the run",
    "input": "offered: set where the model declares it as a constant",
}
#: Kinds of variables from which a run has values by year.
READABLE = frozenset({"Constant", "Fixed", "Auxiliary", "Stateful"})
REFORM = "reform"


@dataclass(frozen=True)
class Term:
    """One name of the contract.

    Parameters
    ----------
    name : str
        Name in the model.
    role : str
        One of `ROLES`.
    kind : str
        ``range``, ``constant``, ``control``, or ``any``.
    dims : tuple of str
        Subscript ranges; their order is free.
    unit : str
        Unit in the short form of tables.
    required : bool
        Whether a model without it is refused.
    meaning : str
        What it says.
    without : str
        What is lost where a model lacks it; empty where it is required.
    """

    name: str
    role: str
    kind: str
    dims: tuple[str, ...]
    unit: str
    required: bool
    meaning: str
    without: str

    @property
    def left_side(self) -> str:
        """Name with its ranges, as an equation begins."""
        return f"{self.name}[{','.join(self.dims)}]" if self.dims else self.name


@lru_cache(maxsize=1)
def contract() -> tuple[Term, ...]:
    """All names that the toolkit writes into a model, sets or reads, in the table's order."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Term(
                row["name"],
                row["role"],
                row["kind"],
                tuple(row["dims"].split()),
                row["unit"],
                row["required"] == "yes",
                row["meaning"],
                row["without"],
            )
            for row in csv.DictReader(handle)
        )


@lru_cache(maxsize=1)
def offered() -> tuple[Term, ...]:
    """Base-year figures, parameters and the reform switch that a model may declare."""
    base = [
        Term(name, "input", "constant", *BASE_YEAR[name], False, read_methods()[name].text, "")
        for name in BASE_YEAR_INPUTS
    ]
    rows = load_parameters().rows
    numbers = [
        Term(row.name, "input", "constant", (), row.unit, False, row.meaning, "")
        for row in rows.values()
        if row.room == "model" or row.name in SHARED_PARAMETERS
    ]
    switch = Term(
        REFORM,
        "input",
        "constant",
        (),
        "1",
        False,
        "1 with the reform, 0 without",
        "the experiment's reform switch does nothing",
    )
    return (switch, *base, *numbers)


def check_contract(variables: Mapping[str, Variable], model: str) -> list[Fault]:
    """List everything in which a model breaks the contract.

    Parameters
    ----------
    variables : mapping of str to Variable
        What the model declares.
    model : str
        Name of the model file, for messages.

    Returns
    -------
    list of Fault
        Every required name that is missing, and every name with other ranges, unit or kind; empty
        where the toolkit can run the model.
    """
    faults: list[Fault] = []
    units = _Units()
    named = {term.name for term in (*contract(), *offered())}
    own = [name for name in variables if name not in named]
    for term in contract():
        if term.kind in ("range", "control"):
            # The renderer has seen to these: it could not have written the text without them.
            continue
        variable = variables.get(term.name)
        if variable is not None:
            faults += _differences(model, term, variable, units)
        elif term.required:
            faults.append(Fault(f"{model}: {term.name}", "is missing", _remedy(term, own)))
    for term in offered():
        variable = variables.get(term.name)
        if variable is not None and variable.kind == "Constant":
            faults += _differences(model, term, variable, units)
    return faults


def require_contract(variables: Mapping[str, Variable], model: str) -> None:
    """Refuse a model that breaks the contract.

    Raises
    ------
    ModelError
        With all that `check_contract` lists.
    """
    faults = check_contract(variables, model)
    if faults:
        raise ModelError(faults)


def absent(variables: Mapping[str, Variable]) -> list[Term]:
    """Optional names that a model lacks, each with what is lost without it."""
    terms = [term for term in contract() if term.kind not in ("range", "control")]
    switch = [term for term in offered() if term.without]
    return [term for term in (*terms, *switch) if not term.required and term.name not in variables]


def computed(variables: Mapping[str, Variable]) -> list[Term]:
    """Offered names that a model computes itself, so that nothing is passed."""
    return [
        term
        for term in offered()
        if term.name in variables and variables[term.name].kind != "Constant"
    ]


def taken(
    variables: Mapping[str, Variable], constants: Mapping[str, Constant]
) -> dict[str, Constant]:
    """The constants that a model declares, of all that the toolkit could pass.

    Parameters
    ----------
    variables : mapping of str to Variable
        What the model declares.
    constants : mapping of str to float or DataArray
        As `hukou_opt.dynamics.model_constants` gives them.
    """
    declared = settable(variables)
    return {name: value for name, value in constants.items() if name in declared}


def own_constants(variables: Mapping[str, Variable], values: Mapping[str, float]) -> list[Fault]:
    """List what is wrong with the constants that an experiment sets by ``model_constants``.

    Parameters
    ----------
    variables : mapping of str to Variable
        What the model declares.
    values : mapping of str to float
        One number by name.
    """
    from_toolkit = {term.name: term for term in (*contract(), *offered())}
    parameters = set(load_parameters().rows)
    free = [name for name in settable(variables) if name not in from_toolkit]
    faults = []
    for name in values:
        where = f"model_constants.{name}"
        variable = variables.get(name)
        if name == REFORM:
            faults.append(Fault(where, "is a key of its own", "write `reform:` at the top"))
        elif name in parameters:
            faults.append(
                Fault(where, "is a parameter of the registry", "set it under `parameters:`")
            )
        elif name in from_toolkit and from_toolkit[name].role == "input":
            faults.append(
                Fault(where, "comes from the region table", "change the table, or rename yours")
            )
        elif name in from_toolkit:
            faults.append(
                Fault(where, "belongs to the toolkit", "take a name that is not in the contract")
            )
        elif variable is None:
            faults.append(Fault(where, "is not in the model", did_you_mean(name, free)))
        elif name not in free:
            faults.append(
                Fault(
                    where,
                    f"is no constant of the model ({variable.kind})",
                    "set constants only; what the model computes cannot be overwritten",
                )
            )
        elif variable.dims:
            faults.append(
                Fault(
                    where,
                    f"differs by {', '.join(variable.dims)} and cannot be one number",
                    "give its values in the model file",
                )
            )
    return faults


def _differences(model: str, term: Term, variable: Variable, units: _Units) -> Iterator[Fault]:
    where = f"{model}: {term.name}"
    if term.kind == "constant" and variable.kind not in ("Constant", "Fixed"):
        yield Fault(
            where,
            f"is computed ({variable.kind})",
            f"make it a constant, {term.left_side}= and a number: the toolkit sets it",
        )
    elif term.role == "decision" and variable.kind == "Fixed":
        yield Fault(where, "is declared unchangeable (==)", "write = for ==")
    elif variable.kind not in READABLE:
        yield Fault(where, f"has no values by year ({variable.kind})", "compute it in the model")
    if set(term.dims) != set(variable.dims) or len(term.dims) != len(variable.dims):
        yield Fault(
            where,
            f"has the ranges {variable.dims!r}",
            f"declare {term.left_side} ({term.meaning}), or take another name for yours",
        )
    if not units.same(variable.unit, term.unit):
        yield Fault(
            where,
            f"has the unit {variable.unit!r}",
            f"give it in {term.unit!r} ({term.meaning}), or take another name for yours",
        )


def _remedy(term: Term, own: Sequence[str]) -> str:
    add = f"add {term.left_side} in {term.unit}: {term.meaning}"
    words = {_plain(name): name for name in own}
    near = difflib.get_close_matches(_plain(term.name), list(words), n=1, cutoff=0.7)
    return f"did you mean {words[near[0]]!r}? Otherwise {add}" if near else add


def _plain(name: str) -> str:
    return "_".join(name.casefold().split())


class _Units:
    """Compares units by what they mean: ``ten thousand persons`` is ``10k persons``."""

    def __init__(self) -> None:
        self._registry: Any = None

    def same(self, one: str, other: str) -> bool:
        if one == other:
            return True
        # Imported here: most models spell their units as the table does.
        from hukou_opt.dynamics.validation import units

        if self._registry is None:
            self._registry = units.unit_registry()
        first, second = (units.read_unit(text, self._registry) for text in (one, other))
        return (
            first is not None
            and second is not None
            and first.units == second.units
            and math.isclose(first.magnitude, second.magnitude, rel_tol=units.ROUNDING)
        )
