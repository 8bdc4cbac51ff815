"""Joining and cutting: several tensors into one, one into several, and one into a frame.

Each y is one x or a constant, so the pullback hands every g to where its y came from:

    concatenate   y = x₀, x₁, … one after the other     dx_k = the k-th stretch of g
    stack         y = x₀, x₁, … along a new axis        dx_k = the k-th slice of g
    pad           y = x in a frame of a constant        dx = g without the frame
    split         y₀, y₁, … = stretches of x            one getitem each: see indexing.py

Outputs are copies in C order. Nothing is rounded. Cost: one pass over memory each way; but every piece of a split has
a gradient of x's whole size, so that k pieces cost k passes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Op, Shape, pullback
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.axes import TensorLike, blamed, integer, one_axis, operands
from autograd_ae.ops.indexing import getitem

Pairs = tuple[tuple[int, int], ...]


@pullback(r"\bar{x}_k = \text{stretch } k \text{ of } \bar{y}")
def concatenate_dx(out, g, _y, *_x, wrt, axis, bounds):
    before = (slice(None),) * (axis or 0)
    out[...] = g[(*before, slice(bounds[wrt], bounds[wrt + 1]))].reshape(out.shape)


def concatenated(*xs, axis, bounds):
    if axis is None:
        return (bounds[-1],)
    first = xs[0]
    for k, x in enumerate(xs):
        if len(x) != len(first) or (x[:axis], x[axis + 1 :]) != (first[:axis], first[axis + 1 :]):
            raise ShapeError(
                f"all sizes but that of axis {axis} must agree: number 0 is {first}, number {k} is {x}. "
                "Join along another axis, or along a new one with ae.stack"
            )
    return (*first[:axis], bounds[-1], *first[axis + 1 :])


_concatenate = Op(
    "concatenate",
    lambda *x, axis, bounds: np.concatenate(x, axis=axis),
    concatenate_dx,
    latex=r"y = (x_0, x_1, \dots)",
    forward=lambda out, *x, axis, bounds: np.concatenate(x, axis=axis, out=out),
    shape=concatenated,
)


@pullback(r"\bar{x}_k = \text{slice } k \text{ of } \bar{y}")
def stack_dx(out, g, _y, *_x, wrt, axis):
    out[...] = g[(*(slice(None),) * axis, wrt)]


def stacked(*xs, axis):
    for k, x in enumerate(xs):
        if x != xs[0]:
            raise ShapeError(
                f"all shapes must be equal: number 0 is {xs[0]}, number {k} is {x}. "
                "To join along an axis that is there: ae.concatenate"
            )
    return (*xs[0][:axis], len(xs), *xs[0][axis:])


_stack = Op(
    "stack",
    lambda *x, axis: np.stack(x, axis=axis),
    stack_dx,
    latex=r"y = \operatorname{stack}(x_0, x_1, \dots)",
    forward=lambda out, *x, axis: np.stack(x, axis=axis, out=out),
    shape=stacked,
)


def inside(shape: Shape, pad_width: Pairs) -> tuple[slice, ...]:
    """Where x of `shape` lies in its frame."""
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, pad_width, strict=True))


@pullback(r"\bar{x} = \bar{y} \text{ without the frame}")
def pad_dx(out, g, _y, _x, *, pad_width, constant_values):
    out[...] = g[inside(out.shape, pad_width)]


def pad_forward(out, x, *, pad_width, constant_values):
    out[...] = constant_values
    out[inside(x.shape, pad_width)] = x


_pad = Op(
    "pad",
    lambda x, *, pad_width, constant_values: np.pad(x, pad_width, constant_values=constant_values),
    pad_dx,
    latex=r"y = x \text{ in a frame of } c",
    forward=pad_forward,
    shape=lambda x, *, pad_width, constant_values: tuple(b + n + a for n, (b, a) in zip(x, pad_width, strict=True)),
)


def concatenate(tensors: Iterable[TensorLike], axis: int | None = 0) -> Tensor:
    """The tensors one after the other along an axis that they have; with axis=None all entries in one row.

    >>> concatenate([[1.0], [2.0, 3.0]]).data
    array([1., 2., 3.])
    """
    ts = _several("concatenate", tensors)
    if axis is not None:
        with blamed("concatenate", *ts):
            if any(t.ndim == 0 for t in ts):
                raise ShapeError("a 0-d tensor has no axis to be joined along: use ae.stack")
            axis = one_axis(axis, ts[0].ndim)
    bounds = [0]
    for t in ts:
        bounds.append(bounds[-1] + (t.size if axis is None else t.shape[axis] if axis < t.ndim else 0))
    return record(_concatenate, ts, {"axis": axis, "bounds": tuple(bounds)})


def stack(tensors: Iterable[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis, which is axis `axis` of the result.

    >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=-1).data
    array([[1., 3.],
           [2., 4.]])
    """
    ts = _several("stack", tensors)
    with blamed("stack", *ts):
        axis = one_axis(axis, ts[0].ndim + 1)
    return record(_stack, ts, {"axis": axis})


def _several(op: str, tensors: Iterable[TensorLike]) -> tuple[Tensor, ...]:
    try:
        ts = tuple(tensors)
    except TypeError:
        raise TypeError(
            f"{op} takes a sequence of tensors, {type(tensors).__name__} arrived: put them in a list"
        ) from None
    if not ts:
        raise ValueError(f"{op} was given an empty sequence: at least one tensor is needed")
    return operands(*ts)


def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """x cut along `axis`: into equal parts (an integer), or before each of the given indices, as in NumPy.

    >>> [part.data.tolist() for part in split([1.0, 2.0, 3.0, 4.0], 2)]
    [[1.0, 2.0], [3.0, 4.0]]
    >>> [part.data.tolist() for part in split([1.0, 2.0, 3.0, 4.0], [1])]
    [[1.0], [2.0, 3.0, 4.0]]
    """
    (t,) = operands(x)
    with blamed("split", t):
        axis = one_axis(axis, t.ndim)
        cuts = _cuts(indices_or_sections, t.shape[axis])
    before = (slice(None),) * axis
    return tuple(getitem(t, (*before, slice(a, b))) for a, b in zip([0, *cuts], [*cuts, t.shape[axis]], strict=True))


def _cuts(indices_or_sections: int | Sequence[int], size: int) -> list[int]:
    if isinstance(indices_or_sections, tuple | list | np.ndarray):
        return [integer(k, "an index to cut before") for k in indices_or_sections]
    parts = integer(indices_or_sections, "a number of parts")
    if parts < 1 or size % parts:
        raise ShapeError(
            f"an axis of size {size} does not split into {parts} equal parts: give the indices to cut before, in a list"
        )
    return [k * (size // parts) for k in range(1, parts)]


def pad(x: TensorLike, pad_width: Any, mode: str = "constant", *, constant_values: float = 0.0) -> Tensor:
    """x in a frame of `constant_values`.

    Parameters
    ----------
    pad_width : a width for every side, (before, after) for every axis, or one such pair per axis.
    mode : "constant" is the only one.

    >>> pad([[1.0]], ((0, 1), (2, 0)), constant_values=9.0).data
    array([[9., 9., 1.],
           [9., 9., 9.]])
    """
    (t,) = operands(x)
    with blamed("pad", t):
        if mode != "constant":
            raise ValueError(
                f"mode {mode!r} is not there, only 'constant': concatenate flipped or repeated slices for another frame"
            )
        if not isinstance(constant_values, int | float | np.floating):
            raise TypeError(f"constant_values is one number for all sides, {type(constant_values).__name__} arrived")
        params = {"pad_width": _pairs(pad_width, t.ndim), "constant_values": float(constant_values)}
    return record(_pad, (t,), params)


def _pairs(pad_width: Any, ndim: int) -> Pairs:
    """(before, after) for each of `ndim` axes."""
    if ndim == 0:
        raise ShapeError("a 0-d tensor has no side to pad: give it an axis with ae.expand_dims(x, 0)")
    try:
        pairs = np.broadcast_to(np.array(pad_width), (ndim, 2))
    except ValueError:
        raise ShapeError(
            f"pad_width={pad_width} is neither a width, nor (before, after), nor one such pair for each of {ndim} axes"
        ) from None
    if pairs.dtype.kind not in "iu" or (pairs < 0).any():
        raise ValueError(f"pad_width={pad_width} must hold integers, 0 or more: to cut, use an index such as x[1:]")
    return tuple((int(before), int(after)) for before, after in pairs)
