"""The frozen inputs and the answer of the linear program, in a result and back, to the last bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from hukou_opt.allocation.problem import AREAS, SECTORS, SERVICES, Block, Problem
from hukou_opt.allocation.solution import Solution
from hukou_opt.allocation.spec import Aims, LevelSpec, Limit, Term
from hukou_opt.errors import Fault, ResultError
from hukou_opt.result import Result

GROUP, ANSWER = "problem", "answer"

_PLACES, _MONEY, _PEOPLE = "10k", "100m yuan", "10k persons"
_BUILT = ("area", "service", "region")
_CELL = ("region", "year")
_SPENT = ("sector", "region", "year")
#: Dimensions and unit of every array of `Problem`.
ARRAYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "need": ((*_BUILT, "need_year"), _PLACES),
    "existing": ((*_BUILT, "need_year"), _PLACES),
    "start_coverage": (_BUILT, "1"),
    "standing": (("service", "age"), "1"),
    "children_hukou": (_CELL, _PEOPLE),
    "children_migrant": (_CELL, _PEOPLE),
    "children_rural": (_CELL, _PEOPLE),
    "population": (("area", "region", "year"), _PEOPLE),
    "stretch": (_CELL, _PLACES),
    "hukou_first": (("year",), "1"),
    "cost": (_SPENT, _MONEY),
    "settlers_mid": (_CELL, _PEOPLE),
    "unit_cost": (("area", "service"), "10k yuan"),
    "local_ceiling": (_CELL, _MONEY),
    "bond_ceiling": (_CELL, _MONEY),
    "levy_ceiling": (_CELL, _MONEY),
    "bond_total": (("year",), _MONEY),
    "fund": ((), _MONEY),
    "supported": (("region",), "1"),
    "redeployed": (_CELL, _PEOPLE),
    "fund_by_region": (("region",), _MONEY),
    "expenditure": (("region",), _MONEY),
}
#: Arrays that a problem may lack.
MAY_LACK = ("fund_by_region", "expenditure")
#: Fields of `Problem` that are labels, or are kept as text.
LABELS = ("codes", "years", "tail", "blocks")
TEXTS = ("parameters", "modes", "aims")

#: Dimensions and unit of every array of `Solution`.
ANSWER_ARRAYS: Mapping[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("central", "local", "bonds", "levy", "unfunded"), (_SPENT, _MONEY)),
    "starts": ((*_BUILT, "year"), _PLACES),
    "shortage": ((*_BUILT, "year"), _PLACES),
    "capacity": ((*_BUILT, "need_year"), _PLACES),
    **dict.fromkeys(("temporary", "places_hukou", "places_migrant"), (_CELL, _PLACES)),
    "teachers": (_CELL, _PEOPLE),
    "alike": (_CELL, "1"),
    "partner_starts": (("service", "region", "year"), _PLACES),
}


def _coords(p: Problem) -> dict[str, list[Any]]:
    return {
        "area": list(AREAS),
        "service": list(SERVICES),
        "sector": list(SECTORS),
        "region": list(p.codes),
        "year": list(p.years),
        "need_year": list(p.all_years),
        "age": list(range(p.standing.shape[1])),
    }


def _dataset(
    source: object, arrays: Mapping[str, tuple[tuple[str, ...], str]], coords: dict[str, list[Any]]
) -> xr.Dataset:
    """The arrays of an object with dimensions, units and the labels that they use."""
    variables = {
        name: (dims, np.asarray(value), {"units": unit})
        for name, (dims, unit) in arrays.items()
        if (value := getattr(source, name)) is not None
    }
    used = {dim for dims, _, _ in variables.values() for dim in dims}
    return xr.Dataset(variables, {name: coords[name] for name in coords if name in used})


def problem_group(p: Problem) -> xr.Dataset:
    """Everything that a problem is made of, as one group of a result.

    Parameters
    ----------
    p : Problem
        The inputs.

    Returns
    -------
    Dataset
        Arrays with dims and units; blocks of years, parameters by name; modes and aims as JSON text
        in the attributes.
    """
    names = sorted(p.parameters)
    values = np.array([p.parameters[name] for name in names], dtype=float)
    group = _dataset(p, ARRAYS, _coords(p)).assign(
        block_first=("block", np.array([block.first for block in p.blocks], dtype=np.int64)),
        block_last=("block", np.array([block.last for block in p.blocks], dtype=np.int64)),
        parameter_value=("parameter", values),
    )
    group = group.assign_coords(block=[block.label for block in p.blocks], parameter=names)
    group.attrs = {
        "modes": json.dumps(dict(p.modes), sort_keys=True),
        "aims": json.dumps(asdict(p.aims), sort_keys=True),
    }
    return group


def answer_group(p: Problem, s: Solution) -> xr.Dataset:
    """The answer as the linear program has it, as one group of a result.

    The group ``allocation`` has capacity, shortage and places as the model has simulated them.

    Parameters
    ----------
    p : Problem
        Labels.
    s : Solution
        The answer.
    """
    return _dataset(s, ANSWER_ARRAYS, _coords(p))


def _group(result: Result, name: str) -> xr.Dataset:
    if name not in result:
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                f"has no group /{name}: nothing was allocated, or the file is older",
                "run the experiment again with allocation",
            )
        )
    return result[name]


def problem_of(result: Result) -> Problem:
    """The inputs of the published answer, exactly as they were solved.

    Parameters
    ----------
    result : Result
        A run with an allocation.

    Raises
    ------
    ResultError
        If the result does not hold them.
    """
    group = _group(result, GROUP)
    years = tuple(int(year) for year in group["year"].values)
    every = tuple(int(year) for year in group["need_year"].values)
    arrays: dict[str, Any] = {
        name: group[name].transpose(*dims).values.copy()
        for name, (dims, _) in ARRAYS.items()
        if name in group
    }
    arrays["supported"] = arrays["supported"].astype(bool)
    arrays["fund"] = float(arrays["fund"])
    names = [str(name) for name in group["parameter"].values]
    return Problem(
        codes=tuple(str(code) for code in group["region"].values),
        years=years,
        tail=every[len(years) :],
        blocks=tuple(
            Block(int(first), int(last))
            for first, last in zip(
                group["block_first"].values, group["block_last"].values, strict=True
            )
        ),
        parameters=dict(zip(names, map(float, group["parameter_value"].values), strict=True)),
        modes=json.loads(group.attrs["modes"]),
        aims=_aims(json.loads(group.attrs["aims"])),
        **arrays,
    )


def solution_of(result: Result) -> Solution:
    """The published answer as the linear program has it.

    Parameters
    ----------
    result : Result
        A run with an allocation.

    Raises
    ------
    ResultError
        If the result does not hold it.
    """
    group = _group(result, ANSWER)
    arrays: dict[str, Any] = {
        name: group[name].transpose(*dims).values.copy()
        for name, (dims, _) in ANSWER_ARRAYS.items()
    }
    arrays["alike"] = arrays["alike"].astype(bool)
    return Solution(**arrays)


def _aims(text: Mapping[str, Any]) -> Aims:
    return Aims(
        tuple(
            LevelSpec(**{**level, "terms": tuple(_term(term) for term in level["terms"])})
            for level in text["levels"]
        ),
        tuple(Limit(_term(limit["term"]), limit["at_most"]) for limit in text["limits"]),
        text["accept_levelling_down"],
    )


def _term(text: Mapping[str, Any]) -> Term:
    lists = {name: tuple(text[name]) for name in ("services", "years")}
    return Term(**{**text, **lists})
