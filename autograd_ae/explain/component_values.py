"""What formulas for entries (`components.py`) compute: for all values of their indices at once, by broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_ae.explain.components import Entry, Index, bound
from autograd_ae.explain.evaluation import FUNCTIONS, RELATIONS

Array = np.ndarray
OVER: dict[str, Callable[..., Any]] = {"max": np.max, "min": np.min, "prod": np.prod}


@np.errstate(all="ignore")
def value(e: Entry, env: Mapping[Any, Array], axes: tuple[Index, ...]) -> Array:
    """Its values for all values of its free indices, as an array with the axes `axes`."""
    shape = tuple(i.size for i in axes)
    if 0 in shape:
        return np.zeros(shape)
    order = [*axes, *sorted(bound(e), key=lambda i: i.name)]
    place = {index: k for k, index in enumerate(order)}
    found = np.asarray(_value(e, env, place, len(order)), dtype=float)
    found = found.reshape((1,) * (len(order) - found.ndim) + found.shape)
    return np.broadcast_to(found.reshape(found.shape[: len(axes)]), shape)


def _grid(index: Index, place: Mapping[Index, int], rank: int) -> Array:
    shape = [1] * rank
    if index.size != 1:
        shape[place[index]] = index.size
    return np.arange(index.size).reshape(shape)


def _spread(a: Any, sizes: Mapping[int, int], rank: int) -> Array:
    """Repeated along the axes that are summed or chosen over, which it may not depend on."""
    whole = np.asarray(a)
    shape = [*whole.shape] if whole.ndim == rank else [1] * rank
    for axis, size in sizes.items():
        shape[axis] = size
    return np.broadcast_to(whole, shape)


def _value(e: Entry, env: Mapping[Any, Array], place: Mapping[Index, int], rank: int) -> Any:
    if e.kind == "num":
        return np.float64(e.data[0])
    if e.kind == "entry":
        key, indices = e.data
        return env[key][tuple(_grid(i, place, rank) for i in indices)] if indices else env[key]
    if e.kind == "index":
        sign, a, b = e.data
        return RELATIONS[sign](_grid(a, place, rank), _grid(b, place, rank)).astype(float)
    inner = [_value(a, env, place, rank) for a in e.args]
    if e.kind == "sum":
        if not e.data.size:
            return np.zeros([1] * rank)
        return _spread(inner[0], {place[e.data]: e.data.size}, rank).sum(axis=place[e.data], keepdims=True)
    if e.kind == "over":
        name, indices = e.data
        whole = _spread(inner[0], {place[i]: i.size for i in indices}, rank)
        return OVER[name](whole, axis=tuple(place[i] for i in indices), keepdims=True)
    if e.kind == "add":
        return sum(inner[1:], start=inner[0])
    if e.kind == "mul":
        result = inner[0]
        for x in inner[1:]:
            result = result * x
        return result
    if e.kind == "cases":
        return np.where(inner[1], inner[0], inner[2])
    if e.kind == "relation":
        return RELATIONS[e.data](*inner).astype(float)
    if e.kind == "fn":
        return FUNCTIONS[e.data](*inner)
    return inner[0] / inner[1] if e.kind == "div" else np.power(inner[0], inner[1])
