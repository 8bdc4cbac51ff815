"""What every optimiser asks of its arguments: numbers in range; arrays that can be updated in place."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import NDArray

Array = NDArray[Any]
COMPARE = {"above": operator.gt, "below": operator.lt, "minimum": operator.ge, "maximum": operator.le}


def check_number(name: str, value: object, condition: str = "finite", **bounds: float) -> float:
    """`value` as a float, not NaN; bounds are any of above, below (exclusive), minimum, maximum (inclusive)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r} of type {type(value).__name__}; a real number is needed")
    number = float(value)
    if math.isnan(number) or not all(COMPARE[bound](number, limit) for bound, limit in bounds.items()):
        raise ValueError(f"{name} is {value!r}; it must be {condition}")
    return number


def check_integer(name: str, value: object, minimum: int) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r} of type {type(value).__name__}; a whole number is needed")
    if value < minimum:
        raise ValueError(f"{name} is {value!r}; it must be at least {minimum}")
    return int(value)


def check_bool(name: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r} of type {type(value).__name__}; True or False is needed")
    return bool(value)


def array_list(name: str, arrays: Iterable[Array], *, scalars: bool = False) -> list[Array]:
    """A list of float32 or float64 arrays, or one clear error; `scalars` lets NumPy scalars pass as 0-d arrays."""
    if isinstance(arrays, np.ndarray) or not isinstance(arrays, Iterable):
        raise TypeError(f"{name} is a single {type(arrays).__name__}; pass a sequence of arrays, such as [array]")
    items = [np.asarray(a) if scalars and isinstance(a, np.generic) else a for a in arrays]
    for i, a in enumerate(items):
        if not isinstance(a, np.ndarray):
            raise TypeError(f"{name}[{i}] is of type {type(a).__name__}; a NumPy array is needed (a tensor's .data)")
        if a.dtype != np.float32 and a.dtype != np.float64:
            raise TypeError(f"{name}[{i}] has dtype {a.dtype}; float32 or float64 in native byte order is needed")
    return [a if type(a) is np.ndarray else a.view(np.ndarray) for a in items]


def check_in_place(name: str, arrays: Sequence[Array]) -> None:
    """Every array writeable, and no two of them share memory (one of them would be updated twice)."""
    for i, a in enumerate(arrays):
        if not a.flags.writeable:
            raise ValueError(f"{name}[{i}] of shape {a.shape} is read-only and is to be changed in place; pass a copy")
    occupied = sorted((*byte_bounds(a), i) for i, a in enumerate(arrays) if a.size)
    for place, (_, end, i) in enumerate(occupied):
        for start, _, j in occupied[place + 1 :]:
            if start >= end:
                break
            if np.shares_memory(arrays[i], arrays[j]):
                first, second = sorted((i, j))
                raise ValueError(
                    f"{name}[{first}] and {name}[{second}] share memory, so one change would be made twice; "
                    "pass each array once (tied weights: one array, with the sum of both gradients)"
                )


def check_parameters(params: Iterable[Array], name: str = "params") -> list[Array]:
    """Arrays to optimise: float32 or float64, C-contiguous, aligned, writeable, disjoint, at least one."""
    arrays = array_list(name, params)
    if not arrays:
        raise ValueError(f"{name} is empty; there is nothing to optimise")
    for i, a in enumerate(arrays):
        if not (a.flags.c_contiguous and a.flags.aligned):
            raise ValueError(
                f"{name}[{i}] of shape {a.shape} and strides {a.strides} is not a C-contiguous, aligned array; "
                "pass np.array(a, order='C') and keep that array as the parameter"
            )
    check_in_place(name, arrays)
    return arrays


def describe_nonfinite(name: str, arrays: Sequence[Array]) -> str:
    """Names the first array with a NaN or an infinity; an empty string when there is none."""
    for i, a in enumerate(arrays):
        bad = np.argwhere(~np.isfinite(a))
        if len(bad):
            where = tuple(int(k) for k in bad[0])
            return f"{name}[{i}] of shape {a.shape} has {len(bad)} non-finite entries, the first {a[where]} at {where}"
    return ""
