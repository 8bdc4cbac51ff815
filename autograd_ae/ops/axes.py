"""Axes and operands: from what a caller may write to what ops are given.

An axis may be written as an integer, counted from the end when negative, as a tuple of them, or as None for all. Ops
are given sorted tuples of numbers from 0 to ndim − 1, so that a recorded program prints them and no rule has to think
about signs.

What reductions share is here too: n, the shape of the result, and the spreading of g over the axes that went away.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd_ae.core.errors import CaptureError, ShapeError
from autograd_ae.core.op import Array, Op, Shape, signature
from autograd_ae.core.recording import _as_tensors, record
from autograd_ae.core.tensor import Tensor

TensorLike: TypeAlias = Tensor | np.ndarray | float | Sequence[Any]
Axes: TypeAlias = int | Sequence[int] | None


def operands(*xs: TensorLike) -> tuple[Tensor, ...]:
    """Tensors as they are; arrays and numbers as constants, Python numbers in the dtype of what they meet."""
    return xs if all(type(x) is Tensor for x in xs) else _as_tensors(xs)  # type: ignore[return-value]


def numeric(op: str, *xs: TensorLike) -> tuple[Tensor, ...]:
    """Operands of an op that adds or multiplies: not all of them boolean."""
    tensors = operands(*xs)
    for t in tensors:
        if t.data.dtype != bool:
            return tensors
    raise TypeError(
        f"{shown(op, *tensors)}: boolean values arrived; numbers are needed. "
        "To count, use ae.where(condition, 1.0, 0.0)"
    )


def shown(op: str, *tensors: Tensor) -> str:
    """An op and its operands as messages show them: `sum(h (3, 4))`."""
    return signature(op, [(t.name, t.shape) for t in tensors])


def integer(value: Any, what: str) -> int:
    """A Python int from any integer but a boolean; `what` names it in the error."""
    if not isinstance(value, bool | np.bool_):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{what} must be an integer, {type(value).__name__} arrived")


def one_axis(axis: int, ndim: int) -> int:
    """`axis` as a number from 0 to ndim − 1."""
    k = integer(axis, "an axis")
    if not -ndim <= k < ndim:
        raise ShapeError(
            f"there is no axis {k}: " + (f"use {-ndim} to {ndim - 1}" if ndim else "a 0-d tensor has none")
        )
    return k % ndim


def many_axes(axis: Axes, ndim: int) -> tuple[int, ...]:
    """`axis` as a sorted tuple of numbers from 0 to ndim − 1; None means all."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, tuple | list):
        return (one_axis(axis, ndim),)  # type: ignore[arg-type]
    axes = tuple(sorted(one_axis(k, ndim) for k in axis))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"axis={axis} names an axis of {ndim} twice: name each once")
    return axes


class blamed:
    """Put op, names and shapes before the message of an error in the arguments: `sum(h (3, 4)): there is no axis 2`."""

    __slots__ = ("op", "tensors")

    def __init__(self, op: str, *tensors: Tensor):
        self.op, self.tensors = op, tensors

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: Any, error: BaseException | None, _traceback: Any) -> None:
        if isinstance(error, IndexError | TypeError | ValueError | CaptureError):
            raise type(error)(f"{shown(self.op, *self.tensors)}: {error}") from None


# Reductions.


def count(shape: Shape, axis: Shape) -> int:
    """n, how many entries make one of the result."""
    return math.prod(shape[k] for k in axis)


def spread(a: Array, axis: Shape, keepdims: bool) -> Array:
    """`a` with the reduced axes back, at size 1, so that it broadcasts against x."""
    return a if keepdims or a.ndim == 0 else np.expand_dims(a, axis)


def reduced(x: Shape, *, axis: Shape, keepdims: bool) -> Shape:
    """The shape of a reduction that an empty axis does not trouble."""
    return tuple(1 if k in axis else n for k, n in enumerate(x) if keepdims or k not in axis)


def reduced_from_some(x: Shape, *, axis: Shape, keepdims: bool) -> Shape:
    """The shape of a reduction that needs an entry to start from."""
    if count(x, axis) == 0:
        raise ShapeError(
            f"nothing to reduce: axes {axis} of shape {x} hold no entry. Give every reduced axis at least one"
        )
    return reduced(x, axis=axis, keepdims=keepdims)


def reduce(op: Op, x: TensorLike, axis: Axes, keepdims: bool, **params: Any) -> Tensor:
    """Record a reduction of x over `axis`."""
    (t,) = numeric(op.name, x)
    with blamed(op.name, t):
        axis = many_axes(axis, t.ndim)
    return record(op, (t,), {"axis": axis, "keepdims": bool(keepdims), **params})
