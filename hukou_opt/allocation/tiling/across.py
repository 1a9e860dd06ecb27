"""A number for each region of a group, which Pyomo carries like one number.

The rules are written for one region. Where a region's label stands for a whole group of regions,
its figures are arrays; wrapped as `Across` they go through Pyomo's expressions as coefficients and
constants, by the same operations in the same order as the numbers of a single region.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.numeric_types import RegisterNumericType

Array = NDArray[np.float64]


class Across:
    """One number for each region of a group.

    It is always true, and equal to nothing but itself: Pyomo drops terms whose coefficient is 0 and
    simplifies those whose coefficient is 1, which may hold for some regions and not for others.
    Zeros are dropped region by region after tiling.

    Parameters
    ----------
    values : ndarray, shape (region of the group,)
        The numbers.
    """

    __slots__ = ("values",)
    #: Keeps NumPy's own numbers from taking the operation over.
    __array_ufunc__ = None

    def __init__(self, values: Array) -> None:
        self.values = values

    def _with(self, other: Any, operation: Callable[[Any, Any], Any], *, swapped: bool) -> Any:
        if isinstance(other, Across):
            # Never stretched to each other: numbers of two groups have nothing to do in one row.
            if other.values.shape != self.values.shape:
                raise ValueError("numbers of two groups of regions in one expression")
            other = other.values
        elif not isinstance(other, int | float | np.number):
            return NotImplemented
        one, two = (other, self.values) if swapped else (self.values, other)
        if operation is np.divide and np.any(np.equal(two, 0)):
            raise ZeroDivisionError("division by zero in a region")
        return Across(operation(one, two))

    def __add__(self, other: Any) -> Any:
        return self._with(other, np.add, swapped=False)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, np.add, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, np.subtract, swapped=False)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, np.subtract, swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, np.multiply, swapped=False)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, np.multiply, swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return self._with(other, np.divide, swapped=False)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with(other, np.divide, swapped=True)

    def __neg__(self) -> Across:
        return Across(-self.values)

    def __bool__(self) -> bool:
        return True

    def __float__(self) -> float:
        raise TypeError("a number for each region is not one number")

    def __repr__(self) -> str:
        return f"Across({self.values!r})"


#: A number of one region, or one for each region of a group.
Number = float | Across


def number(value: Any) -> Any:
    """A figure of a region as Pyomo takes it: a float, or `Across` where it is an array."""
    return Across(value) if isinstance(value, np.ndarray) else float(value)


def numbers(value: Number) -> list[float]:
    """The figure of each region that a number stands for."""
    if not isinstance(value, Across):
        return [value]
    listed: list[float] = value.values.tolist()
    return listed


def register() -> None:
    """Make `Across` a numeric type of Pyomo; done twice it changes nothing."""
    RegisterNumericType(Across)
