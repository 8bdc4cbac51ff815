"""What arrives at a gradient check, made arrays of floats; and what a call reveals.

A call reveals mutated inputs, answers that differ the second time, gradients that share memory, misfit shapes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.tensor import Tensor
from autograd_ae.testing.verdict import Check, disagrees, undecided

Array = np.ndarray
Claim = Callable[[list[Array], Array], Sequence[Any]]
FLOATS = (np.float32, np.float64)


def array_of(value: Any, who: str) -> Array:
    """A real array, whatever array type it came in (a tensor of this project, of torch, of JAX, a list, a number).

    Raises
    ------
    TypeError : it is not numbers, or complex ones.
    """
    if isinstance(value, Tensor):
        return value.data
    if hasattr(value, "detach"):  # torch
        value = value.detach()
        value = (value.cpu() if hasattr(value, "cpu") else value).numpy()
    try:
        array = np.asarray(value)
    except Exception:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        got = "complex numbers" if array.dtype.kind == "c" else type(value).__name__
        raise TypeError(f"{who} gave {got}; a number or an array of real numbers is needed")
    return array


def refuse_no_function(**given: Any) -> None:
    """TypeError for an argument that should be a function and is none."""
    for name, value in given.items():
        if not callable(value):
            raise TypeError(
                f"{name} is of type {type(value).__name__}; a function is needed, which is called at other points too"
            )


def value_of(y: Any) -> Array:
    """The value of a function as a float64 array, whatever array type it came in."""
    return array_of(y, "f").astype(np.float64)


def point_of(x: Any) -> tuple[list[Array], list[str]]:
    """The point as float arrays (copies, in C order; integers become float64), and the names its tensors carry."""
    given = list(x) if isinstance(x, tuple) else [x]
    names = [t.name or "" if isinstance(t, Tensor) else "" for t in given]
    arrays = [np.array(array_of(a, f"x (argument {k})"), order="C") for k, a in enumerate(given)]
    arrays = [a if a.dtype in FLOATS else a.astype(np.float64) for a in arrays]
    if not arrays:
        raise ValueError("x is an empty tuple: an array, or a tuple of at least one array, is needed")
    for k, a in enumerate(arrays):
        if not np.isfinite(a).all():
            raise ValueError(f"x (argument {k}) holds NaN or infinity: give a point at which f is defined")
    return arrays, names


def names_of(f: Callable[..., Any], count: int) -> list[str]:
    """The names of f's parameters, where there is one for each argument."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [""] * count
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return plain[:count] if len(plain) >= count else [""] * count


def as_list(gradients: Any, xs: list[Array], who: str) -> list[Any]:
    """One gradient per argument; a lone argument's may come bare, or as a nested list of numbers."""
    count = len(xs)
    if not isinstance(gradients, tuple | list):
        gradients = [gradients]
    elif count == 1 and isinstance(gradients, list) and _shape(gradients) == xs[0].shape:
        gradients = [np.asarray(gradients)]
    if len(gradients) != count:
        raise ValueError(
            f"{who} returned {len(gradients)} gradient(s) for {count} argument(s): return a tuple with one for each"
        )
    return list(gradients)


def _shape(nested: list[Any]) -> tuple[int, ...] | None:
    try:
        return np.shape(nested)
    except ValueError:  # ragged
        return None


def called_twice(
    call: Callable[[list[Array]], list[Any]], xs: list[Array], who: str
) -> tuple[list[Array], Check | None]:
    """The results, and a verdict if calling shows that inputs are mutated or that a second call answers differently."""
    copies = [x.copy() for x in xs]
    first = call(copies)
    kept = [np.array(array_of(g, who)) for g in first]
    for k, (a, b) in enumerate(zip(copies, xs, strict=True)):
        if not np.array_equal(a, b):
            return kept, disagrees(f"{who} mutates its inputs: argument {k} was changed in place. Work on a copy")
    again = [array_of(g, who) for g in call([x.copy() for x in xs])]
    if len(kept) != len(again) or not all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, again, strict=True)
    ):
        return kept, undecided(
            f"{who} is not deterministic: two calls at one point gave different results. "
            "Pass the random numbers in, or seed inside"
        )
    shared = _sharing(first) if len(first) > 1 else ""
    return kept, disagrees(shared) if shared else None


def _sharing(gradients: list[Any]) -> str:
    arrays = [array_of(g, "the gradient") for g in gradients]
    for k, g in enumerate(arrays):
        for j, h in enumerate(arrays[:k]):
            if np.shares_memory(g, h):
                return (
                    f"the gradients of arguments {j} and {k} share memory (views of each other): "
                    "adding to one changes the other. Return copies"
                )
    return ""


def wrong_shape(claimed: list[Array], xs: list[Array], names: list[str]) -> Check | None:
    """A disagreement where a gradient does not have its argument's shape."""
    for k, (g, a) in enumerate(zip(claimed, xs, strict=True)):
        if g.shape != a.shape:
            turned = g.ndim > 1 and g.shape == a.shape[::-1]
            hint = (
                " (transposed? For Y = XW with samples in rows, dW = XᵀG)"
                if turned
                else " (was the sum over samples, or over broadcast axes, forgotten?)"
                if g.size > a.size
                else ""
            )
            called = names[k] or f"argument {k}"
            return disagrees(f"the gradient of {called} has shape {g.shape}, {called} has shape {a.shape}{hint}")
    return None


def takes_cotangent_first(vjp: Callable[..., Any]) -> bool:
    try:
        first = next(iter(inspect.signature(vjp).parameters))
    except (TypeError, ValueError, StopIteration):
        return False
    return first in ("u", "g", "ct", "cotangent", "dy", "gy", "grad_output", "upstream")


def written_at(fn: Callable[..., Any]) -> str:
    """`grad_f (file.py:12)`: where a function was written; empty when Python does not know."""
    code = getattr(fn, "__code__", None)
    if code is None:
        return ""
    return f"{getattr(fn, '__name__', 'function')} ({code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno})"
