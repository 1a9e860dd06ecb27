"""What a run gives: one labelled object, saved as netCDF and opened again unchanged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from hukou_opt import accessors
from hukou_opt.errors import Fault, OutputError, ResultError
from hukou_opt.result_card import card, line
from hukou_opt.result_layout import GROUPS, layout_faults
from hukou_opt.vocabulary import vocabulary

IDENTITY = "identity"


class Result:
    """Trajectory, allocation, gaps and proof of one run, labelled by region and year.

    Parameters
    ----------
    tree : DataTree
        Groups and attributes as `hukou_opt.result_layout` states them.

    Raises
    ------
    ResultError
        If groups, variables, labels or attributes are missing or misshapen; all faults at once.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        attrs = {str(name): _plain(value) for name, value in tree.attrs.items() if name != IDENTITY}
        groups = {
            name: _normalised(name, child.to_dataset(inherit=False))
            for name, child in tree.children.items()
        }
        faults = layout_faults(attrs, groups)
        if faults:
            raise ResultError(faults)
        known = [name for name in GROUPS if name in groups]
        order = [*known, *sorted(set(groups) - set(known))]
        self.tree = xr.DataTree.from_dict({f"/{name}": groups[name] for name in order})
        self.tree.attrs = dict(sorted(attrs.items()))

    @classmethod
    def build(cls, attrs: Mapping[str, Any], groups: Mapping[str, xr.Dataset]) -> Result:
        """Make a result from its attributes and groups.

        Parameters
        ----------
        attrs : mapping
            Attributes of the root.
        groups : mapping of str to Dataset
            Groups by name, without the slash. Units and labels are added from the vocabulary.
        """
        tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
        tree.attrs = dict(attrs)
        return cls(tree)

    def __getitem__(self, group: str) -> xr.Dataset:
        """Return a group by name, such as ``result["allocation"]``."""
        name = group.strip("/")
        if name not in self.tree.children:
            known = ", ".join(self.tree.children)
            raise KeyError(f"no group {name!r} in this result; it has {known}")
        return self.tree.children[name].to_dataset(inherit=False)

    def __contains__(self, group: object) -> bool:
        return isinstance(group, str) and group.strip("/") in self.tree.children

    def __getattr__(self, name: str) -> Any:
        if name in accessors.names():
            return accessors.build(name, self)
        raise AttributeError(f"'Result' object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *accessors.names()])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return line(self)

    def _repr_html_(self) -> str:
        return card(self)

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of the root: experiment, versions, certificate, convergence."""
        return {str(name): value for name, value in self.tree.attrs.items()}

    @property
    def name(self) -> str:
        """Name of the experiment."""
        return str(self.attrs["experiment"])

    @property
    def certified(self) -> bool:
        """Whether every solve passed its certificate."""
        return bool(self.attrs["certified"])

    @property
    def converged(self) -> bool:
        """Whether the rounds between model and linear program came to rest."""
        return bool(self.attrs["converged"])

    @property
    def has_allocation(self) -> bool:
        """Whether money and building were shared out in this run."""
        return bool(self.attrs["allocation"])

    @property
    def identity(self) -> str:
        """SHA-256 of the whole content, in hexadecimal."""
        digest = hashlib.sha256()
        _digest_attrs(digest, self.tree.attrs)
        for name, child in sorted(self.tree.children.items()):
            group = child.to_dataset(inherit=False)
            digest.update(f"/{name}".encode())
            _digest_attrs(digest, group.attrs)
            for key in sorted(group.variables, key=str):
                variable = group.variables[key]
                head = [str(key), list(map(str, variable.dims)), list(variable.shape)]
                digest.update(json.dumps([*head, variable.dtype.kind]).encode())
                _digest_attrs(digest, variable.attrs)
                digest.update(_bytes(variable.values))
        return digest.hexdigest()

    def save(self, path: str | Path) -> Path:
        """Write the result as one netCDF file; the same content gives the same bytes.

        Parameters
        ----------
        path : str or Path
            File to write; an existing one is replaced once the new one is complete.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        target = Path(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        tree = self.tree.copy()
        tree.attrs = {**self.tree.attrs, IDENTITY: self.identity}
        try:
            tree.to_netcdf(draft, engine="netcdf4", format="NETCDF4")
            draft.replace(target)
        except OSError as error:
            raise OutputError(
                Fault(str(target), f"cannot be written ({error})", "choose a folder of your own")
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return target


def open_result(path: str | Path) -> Result:
    """Open a saved result and check that nothing in it was altered.

    Raises
    ------
    ResultError
        If the file is missing, is no result, is incomplete, or was edited after it was written.
    """
    source = Path(path)
    if not source.is_file():
        raise ResultError(Fault(str(source), "there is no such file", "check the path"))
    try:
        with xr.open_datatree(source, engine="netcdf4") as opened:
            tree = opened.load()
    except (OSError, ValueError, KeyError) as error:
        raise ResultError(
            Fault(str(source), f"is no readable netCDF file ({error})", "run the experiment again")
        ) from error
    try:
        result = Result(tree)
    except ResultError as error:
        raise ResultError(
            Fault(f"{source.name}, {fault.where}", fault.what, fault.fix) for fault in error.faults
        ) from None
    stated = str(tree.attrs.get(IDENTITY, ""))
    if stated != result.identity:
        raise ResultError(
            Fault(
                source.name,
                f"was altered after it was written (identity {stated[:12]!r}, "
                f"content {result.identity[:12]!r})",
                "run the experiment again",
            )
        )
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    return value


def _normalised(name: str, group: xr.Dataset) -> xr.Dataset:
    """Bring a group to the forms that a netCDF file gives back: plain types, order, units."""
    layout = GROUPS.get(name, {})
    words = vocabulary()
    variables: dict[Hashable, xr.Variable] = {}
    for key in sorted(group.variables, key=str):
        variable = group.variables[key]
        dims = layout.get(str(key))
        if dims is not None and set(dims) == set(variable.dims):
            variable = variable.transpose(*dims)
        attrs = {str(attr): _plain(value) for attr, value in sorted(variable.attrs.items())}
        word = words.get(str(key))
        if word is not None and name not in {"parameters", "gaps"}:
            attrs.setdefault("units", attrs.pop("unit", word.unit))
            attrs.setdefault("long_name", word.label_en)
        # One order of attributes, so that the same content gives the same bytes.
        variables[key] = xr.Variable(
            variable.dims, _values(variable.values), dict(sorted(attrs.items()))
        )
    coords = {key: variables.pop(key) for key in list(variables) if key in group.coords}
    attrs = {str(attr): _plain(value) for attr, value in sorted(group.attrs.items())}
    return xr.Dataset(dict(variables), coords, attrs)


def _values(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind in "OTSU":
        return np.asarray([str(item) for item in array.ravel()], dtype=np.str_).reshape(array.shape)
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    return array.copy()


def _digest_attrs(digest: Any, attrs: Mapping[Hashable, Any]) -> None:
    plain = {str(name): _plain(value) for name, value in attrs.items()}
    digest.update(json.dumps(plain, sort_keys=True, ensure_ascii=False, default=list).encode())


def _bytes(values: np.ndarray) -> bytes:
    if values.dtype.kind == "U":
        return "\0".join(str(item) for item in values.ravel()).encode()
    if values.dtype.kind == "f":
        # All ways of writing "not defined" are one.
        values = np.where(np.isnan(values), np.nan, values)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
