"""Shaping: one tensor's numbers in another arrangement. (concatenate, stack, split, pad: see joining.py.)

All of these are linear maps y = P x in which each y is one of the x, so the pullback Pᵀ g sends each g back to where
its y came from, and adds up what one x was copied to:

    reshape       y holds x's entries in their order              dx = g in x's shape
    transpose     axis k of y is axis σ(k) of x                   dx = g with its axes put back, by σ⁻¹
    flip          y is x from back to front                       dx = g from back to front
    broadcast_to  y repeats x along new axes and those of size 1  dx = g summed over the copies

expand_dims and squeeze are recorded as reshape, swapaxes as transpose. Every output is a copy in C order, never a
view of its input: one pass over memory each way. Nothing is rounded but the sum in the gradient of broadcast_to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Op, Shape, pullback
from autograd_ae.core.program import unbroadcast
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.axes import Axes, TensorLike, blamed, integer, many_axes, one_axis, operands
from autograd_ae.ops.joining import concatenate, pad, split, stack

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flip",
    "pad",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
]


@pullback(r"\bar{x} = \operatorname{reshape}(\bar{y})")
def reshape_dx(out, g, _y, _x, *, shape):
    out[...] = g.reshape(out.shape)


def reshaped(x, *, shape):
    if math.prod(x) != math.prod(shape):
        raise ShapeError(
            f"{math.prod(x)} entries do not fill shape {shape}, which has {math.prod(shape)}: let -1 stand for one size"
        )
    return shape


_reshape = Op(
    "reshape", lambda x, *, shape: x.reshape(shape), reshape_dx, latex=r"y = \operatorname{reshape}(x)", shape=reshaped
)


@pullback(r"\bar{x}_{i} = \bar{y}_{\sigma^{-1}(i)}")
def transpose_dx(out, g, _y, _x, *, axes):
    np.transpose(out, axes)[...] = g


_transpose = Op(
    "transpose",
    lambda x, *, axes: np.transpose(x, axes),
    transpose_dx,
    latex=r"y_{i} = x_{\sigma(i)}",
    shape=lambda x, *, axes: tuple(x[k] for k in axes),
)


@pullback(r"\bar{x} = \operatorname{flip}(\bar{y})")
def flip_dx(out, g, _y, _x, *, axis):
    out[...] = np.flip(g, axis)


_flip = Op(
    "flip",
    lambda x, *, axis: np.flip(x, axis),
    flip_dx,
    latex=r"y_i = x_{n - 1 - i}",
    shape=lambda x, *, axis: x,
)


@pullback(r"\bar{x} = \sum_{\text{copies}} \bar{y}")
def broadcast_to_dx(out, g, _y, _x, *, shape):
    unbroadcast(out, g)


def broadcast_shape(x, *, shape):
    if len(x) > len(shape) or any(n not in (1, m) for n, m in zip(reversed(x), reversed(shape), strict=False)):
        raise ShapeError(
            f"{x} does not broadcast to {shape}: aligned at the right, each size must be equal to its target or 1"
        )
    return shape


_broadcast_to = Op(
    "broadcast_to",
    lambda x, *, shape: np.broadcast_to(x, shape),
    broadcast_to_dx,
    latex=r"y = \operatorname{broadcast}(x)",
    shape=broadcast_shape,
)


def sizes_of(shape: int | Sequence[int]) -> tuple[int, ...]:
    """A shape as a tuple of ints; a bare integer is a shape of one axis."""
    return (
        tuple(integer(n, "a size") for n in shape) if isinstance(shape, tuple | list) else (integer(shape, "a shape"),)
    )


def _completed(sizes: tuple[int, ...], x: Tensor) -> Shape:
    """-1 replaced by what is left."""
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1 or any(n < -1 for n in sizes):
        raise ShapeError(
            f"the shape {sizes} has more than one unknown or a negative size: sizes are 0 or more, and one may be -1"
        )
    if -1 in sizes and (known == 0 or x.size % known):
        raise ShapeError(f"no size at -1 makes {sizes} hold {x.size} entries: the other sizes make {known}")
    return tuple(x.size // known if n == -1 else n for n in sizes)


def reshape(x: TensorLike, shape: int | Sequence[int]) -> Tensor:
    """x's entries, in their order, in another shape; one size may be -1 and follows from the others.

    >>> reshape([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], (3, -1)).shape
    (3, 2)
    """
    (t,) = operands(x)
    with blamed("reshape", t):
        shape = _completed(sizes_of(shape), t)
    return record(_reshape, (t,), {"shape": shape})


def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """x with new axes of size 1, at the places `axis` of the result.

    >>> expand_dims([1.0, 2.0], 0).shape, expand_dims([1.0, 2.0], (0, -1)).shape
    ((1, 2), (1, 2, 1))
    """
    (t,) = operands(x)
    with blamed("expand_dims", t):
        ndim = t.ndim + (len(axis) if isinstance(axis, tuple | list) else 1)
        new = many_axes(tuple(axis) if isinstance(axis, list) else axis, ndim)
    sizes = iter(t.shape)
    return record(_reshape, (t,), {"shape": tuple(1 if k in new else next(sizes) for k in range(ndim))})


def squeeze(x: TensorLike, axis: Axes = None) -> Tensor:
    """x without the axes `axis`, which must have size 1; None drops all of size 1.

    >>> squeeze([[[1.0], [2.0]]]).shape, squeeze([[[1.0], [2.0]]], axis=-1).shape
    ((2,), (1, 2))
    """
    (t,) = operands(x)
    with blamed("squeeze", t):
        gone = tuple(k for k, n in enumerate(t.shape) if n == 1) if axis is None else many_axes(axis, t.ndim)
        wide = [k for k in gone if t.shape[k] != 1]
        if wide:
            raise ShapeError(
                f"axis {wide[0]} has size {t.shape[wide[0]]}, only axes of size 1 can be dropped: reduce it or index it"
            )
    return record(_reshape, (t,), {"shape": tuple(n for k, n in enumerate(t.shape) if k not in gone)})


def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """y with axis k = axis `axes[k]` of x; None reverses them (the transpose of a matrix).

    >>> transpose([[1.0, 2.0], [3.0, 4.0]]).data
    array([[1., 3.],
           [2., 4.]])
    """
    (t,) = operands(x)
    with blamed("transpose", t):
        order = tuple(one_axis(k, t.ndim) for k in (range(t.ndim)[::-1] if axes is None else axes))
        if sorted(order) != list(range(t.ndim)):
            raise ShapeError(f"axes={order} must name each of {t.ndim} axes once. To exchange two: ae.swapaxes")
    return record(_transpose, (t,), {"axes": order})


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """x with two axes exchanged; for a stack of matrices, swapaxes(x, -1, -2) transposes each.

    >>> swapaxes([[[1.0, 2.0, 3.0]]], 0, 2).shape
    (3, 1, 1)
    """
    (t,) = operands(x)
    with blamed("swapaxes", t):
        i, j = one_axis(axis1, t.ndim), one_axis(axis2, t.ndim)
    order = list(range(t.ndim))
    order[i], order[j] = j, i
    return record(_transpose, (t,), {"axes": tuple(order)})


def flip(x: TensorLike, axis: Axes = None) -> Tensor:
    """x from back to front along `axis`, or along all axes.

    >>> flip([1.0, 2.0, 3.0]).data
    array([3., 2., 1.])
    """
    (t,) = operands(x)
    with blamed("flip", t):
        axis = many_axes(axis, t.ndim)
    return record(_flip, (t,), {"axis": axis})


def broadcast_to(x: TensorLike, shape: int | Sequence[int]) -> Tensor:
    """x repeated to `shape`, by NumPy's rule: aligned at the right, axes that are missing or of size 1 are repeated.

    >>> broadcast_to([1.0, 2.0], (2, 2)).data
    array([[1., 2.],
           [1., 2.]])
    """
    (t,) = operands(x)
    with blamed("broadcast_to", t):
        shape = sizes_of(shape)
        if any(n < 0 for n in shape):
            raise ShapeError(f"the shape {shape} has a negative size: write the sizes out")
    return record(_broadcast_to, (t,), {"shape": shape})
