"""Reductions: every way to write the axes, on shapes from 0-d to empty."""

from functools import partial

import numpy as np

from autograd_ae.ops import reductions
from autograd_ae.testing.specs.spec import OpSpec, Pick, any_shape, distinct, nonzero, normal, positive


def signed(pick: Pick, axis: int, ndim: int) -> int:
    """The axis, or the same counted from the end."""
    return axis - ndim * pick(0, 1)


def some_axes(pick: Pick, ndim: int) -> int | tuple[int, ...] | None:
    """None, one axis or a tuple of axes, of either sign, in any order."""
    kind = pick(0, 3)
    if kind == 0 or (kind == 1 and ndim == 0):
        return None
    if kind == 1:
        return signed(pick, pick(0, ndim - 1), ndim)
    chosen = [signed(pick, k, ndim) for k in range(ndim) if pick(0, 1)]
    return tuple(chosen if pick(0, 1) else chosen[::-1])


def reduction(pick: Pick, *, least: int = 0, ddof: bool = False):
    """A shape, axes and keepdims; `least` is the smallest size of a reduced axis (the others may be empty)."""
    ndim = pick(0, 3)
    axis = some_axes(pick, ndim)
    written = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {k % ndim for k in written}
    shape = tuple(pick(least if k in gone else 0, 4) for k in range(ndim))
    params = {"axis": axis, "keepdims": bool(pick(0, 1))}
    if ddof and np.prod([shape[k] for k in gone]) >= 2:
        params["ddof"] = pick(0, 1)
    return (shape,), params


def along(pick: Pick):
    """A shape and one of its axes; None also where there is none."""
    shape = any_shape(pick)
    axis = None if not shape or pick(0, 3) == 0 else signed(pick, pick(0, len(shape) - 1), len(shape))
    return (shape,), {"axis": axis}


def with_zeros(rng, shape):
    """A few factors are exactly 0: none, one or more in a product."""
    return np.where(rng.random(size=shape) < 0.2, 0.0, rng.normal(size=shape))


from_some = partial(reduction, least=1)
with_ddof = partial(reduction, least=1, ddof=True)

SPECS = [
    OpSpec("sum", reductions.sum, reduction),
    OpSpec("mean", reductions.mean, from_some),
    OpSpec("prod", reductions.prod, reduction, values=with_zeros),
    OpSpec("cumsum", reductions.cumsum, along, values=normal),
    OpSpec("var", reductions.var, with_ddof, values=normal),
    OpSpec("std", reductions.std, with_ddof, values=distinct),
    OpSpec("max", reductions.max, from_some, values=distinct),
    OpSpec("min", reductions.min, from_some, values=distinct),
    OpSpec("norm", reductions.norm, reduction, values=positive),
    OpSpec("norm_1", partial(reductions.norm, ord=1), reduction, values=nonzero),
    OpSpec("norm_inf", partial(reductions.norm, ord=np.inf), from_some, values=distinct),
]
