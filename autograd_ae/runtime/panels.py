"""Panels: matrices cut into strips of C columns, C as wide as a register tile, each strip contiguous.

    Y (B, N), C order   →   panels [⌈N/C⌉][B′][C],     Y[i, j] at panel j div C, row i, place j mod C

B′ is B rounded up to a multiple of C, so that a block (C, C) of samples by units can always be read whole. What lies in
the pads (units beyond N, samples beyond B) is of no account: nothing that is kept depends on it.

Why: a tile takes C neighbours of one row at each step and goes down the rows. In C order that is one cache line every
4N bytes, and for N a power of two all of these compete for the same few sets of the cache. In a panel they are one
stream.

All kernels take addresses (int64) and `like`, an array that says the dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.runtime.gemm import columns, copy_row, prefetch

AHEAD = 12  # rows of W


def ceil(n: int, width: int) -> int:
    """How many strips of `width` cover n."""
    return -(-n // width)


def panels_of(x: np.ndarray, width: int) -> np.ndarray:
    """x (B, N) as panels (⌈N/width⌉, B′, width), zero in the pads: what the kernels do, in NumPy.

    >>> panels_of(np.arange(6.0).reshape(2, 3), 2)[1].tolist()
    [[2.0, 0.0], [5.0, 0.0]]
    """
    samples, units = x.shape
    padded = np.zeros((ceil(samples, width) * width, ceil(units, width) * width), x.dtype)
    padded[:samples, :units] = x
    return np.ascontiguousarray(padded.reshape(len(padded), -1, width).swapaxes(0, 1))


@jit
def copy_padded(like, out, a, width):
    """C numbers at `out` ← `width` of them at a, then zeros."""
    C = columns(like)
    if width >= C:
        copy_row(like, (out, a))
    else:
        row, source = at(out, C, like), at(a, width, like)
        for j in range(C):
            row[j] = source[j] if j < width else like.dtype.type(0)


@jit
def pack_panel(like, out, x, samples, units, p):
    """Panel p at `out` ← columns of x (samples, units), C order; zero beyond the last."""
    C, size = columns(like), like.itemsize
    for i in range(samples):
        copy_padded(like, out + i * C * size, x + (i * units + p * C) * size, units - p * C)


@jit
def unpack_panel(like, x, panel, samples, units, p):
    """Columns of x (samples, units), C order, ← panel p."""
    C, size = columns(like), like.itemsize
    width = min(C, units - p * C)
    for i in range(samples):
        source, target = panel + i * C * size, x + (i * units + p * C) * size
        if width == C:
            copy_row(like, (target, source))
        else:
            row, values = at(target, width, like), at(source, width, like)
            for j in range(width):
                row[j] = values[j]


@jit
def pack_weights(like, out, W, bias, inputs, units, first, last):
    """Panels first … last−1 of W (inputs, units), each headed by its part of the bias: (1 + inputs, C) at `out`.

    Row by row, so that W is read in long pieces.
    """
    C, size = columns(like), like.itemsize
    stride, whole = (inputs + 1) * C * size, min(last, units // C)
    for p in range(first, last):
        copy_padded(like, out + (p - first) * stride, bias + p * C * size, units - p * C)
    for k in range(inputs):
        row, place = W + (k * units + first * C) * size, out + (k + 1) * C * size
        for _ in range(first, whole):
            prefetch(like, (row + AHEAD * units * size,))
            copy_row(like, (place, row))
            row, place = row + C * size, place + stride
        if whole < last:
            copy_padded(like, place, row, units - whole * C)


def aligned(count: int, dtype: Any) -> np.ndarray:
    """`count` zeros that begin at a cache line."""
    size = np.dtype(dtype).itemsize
    room = np.zeros(count + 64 // size, dtype)
    start = (-room.ctypes.data % 64) // size
    return room[start : start + count]
