"""A stack of dense layers by register tiles: forward, backward and the optimiser, with everything fused that can be.

Layer l of N units on K inputs, for a batch of B samples; all but W, b and the optimiser's moments is in panels
(`panels.py`):

    forward    Y = f(X W + b)            the sums of a tile (R, C) start from b and go through f in the first cache
    back       Gᵀ = W Dᵀ, D⁻ = G ⊙ f⁻′   a block (C, C) is turned, multiplied by f′ (from Y⁻), turned again: D⁻ and D⁻ᵀ
    gradient   dW = Xᵀ D, db = 1ᵀ D      C rows of dW at a time in a buffer that stays in the cache; the optimiser's own
                                         kernel then updates these rows of W, so the gradient never reaches memory

(⁻: the layer below). D = ∂L/∂A as in `ops/dense.py`. D is needed as panels (for dW) and transposed (as the panels of
the product that gives G): both come from the one pass.

W and b are the user's own arrays, in C order, read and written where they lie. A panel of W is packed just before it
is used: C (K + 1) numbers moved for 2·B·C·K flops. So whatever was done to W since the last step is seen.

Roofline: W passes from memory to the core three times a step (forward; back; update, with its moments: 5 numbers),
about 28 bytes a weight for 6·B flops. With B = 128, 102 GFLOP/s ask for 3.7 GB/s, a third of what a core gets:
compute bound. With B = 32 memory counts as much as arithmetic.

The work is cut into panels of units (forward, back) and of inputs (gradient), which threads share out: `phases.py` has
the order, `shares.py` who takes which.
"""

from __future__ import annotations

from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.ops.exponential import exp, tanh
from autograd_ae.runtime.gemm import (
    columns,
    parts,
    sum_panel,
    tile_across_panel,
    tile_along_panels,
    tile_along_rows,
    transpose,
)
from autograd_ae.runtime.panels import pack_panel, pack_weights

IDENTITY, SIGMOID, TANH, RELU = range(4)
ACTIVATION_CODES = {"identity": IDENTITY, "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU}
PACKED_BYTES = 1 << 18  # of packed weights at a time: half of a second cache of 512 KiB


# Epilogues, on contiguous pieces that are in the first cache.


@jit
def activate(like, z, n, activation):
    """z ← f(z), n numbers: the loops of `ops/dense.py` after their bias."""
    a, one, zero = at(z, n, like), like.dtype.type(1), like.dtype.type(0)
    if activation == SIGMOID:
        for i in range(n):
            e = exp(-abs(a[i]))
            a[i] = (e if a[i] < zero else one) / (one + e)
    elif activation == TANH:
        for i in range(n):
            a[i] = tanh(a[i])
    elif activation == RELU:
        for i in range(n):
            a[i] = zero if a[i] <= zero else a[i]


@jit
def finish_block(like, d, d_turned, g, y, activation):
    """D (C samples, C units) ← G ⊙ f′ and its transpose; f′ from y, as in the delta kernels of `ops/dense.py`."""
    n, one, zero = columns(like) * columns(like), like.dtype.type(1), like.dtype.type(0)
    d_, g_, y_ = at(d, n, like), at(g, n, like), at(y, n, like)
    if activation == SIGMOID:
        for i in range(n):
            d_[i] = g_[i] * (y_[i] * (one - y_[i]))
    elif activation == TANH:
        for i in range(n):
            d_[i] = g_[i] * (one - y_[i] * y_[i])
    elif activation == RELU:
        for i in range(n):
            d_[i] = g_[i] * (one if y_[i] > zero else zero)
    else:
        for i in range(n):
            d_[i] = g_[i]
    transpose(like, (d_turned, d))


# The three products. Tile t of a strip of C rows has rows t·C // T … (t + 1)·C // T − 1.


@jit
def together(like, inputs):
    """How many panels of W are packed at a time."""
    return max(1, PACKED_BYTES // ((inputs + 1) * columns(like) * like.itemsize))


@jit
def forward_panels(like, y, x, W, bias, packed, samples, inputs, units, activation, first, last):
    """Panels first … last−1 of Y ← f(X W + b).

    As many panels of W at a time as fit into half of the second cache. For each group all rows of X go by, a tile's at
    a time: these rows stay in the first cache while the panels of the group pass over them.
    """
    C, T, size = columns(like), parts(like), like.itemsize
    strips = -(-samples // C)
    height, stride = strips * C, (inputs + 1) * C * size
    group = together(like, inputs)
    for start in range(first, last, group):
        stop = min(start + group, last)
        pack_weights(like, packed, W, bias, inputs, units, start, stop)
        for t in range(strips * T):
            i, end = t * C // T, (t + 1) * C // T
            for p in range(start, stop):
                out, panel = y + (p * height + i) * C * size, packed + (p - start) * stride
                tile_along_panels(like, (end - i, out, C, x + i * C * size, C, height * C, panel, inputs))
                activate(like, out, (end - i) * C, activation)


@jit
def first_delta(like, d, d_turned, db, g, y, block, samples, units, activation, first, last):
    """Panels first … last−1 of D, Dᵀ and db of the topmost layer, whose G = ∂L/∂Y comes from outside, in C order."""
    C, size = columns(like), like.itemsize
    rows, height = -(-samples // C) * C, -(-units // C) * C
    for p in range(first, last):
        for q in range(rows // C):
            place = (p * rows + q * C) * C * size
            pack_panel(like, block, g + q * C * units * size, min(C, samples - q * C), units, p)
            finish_block(like, d + place, d_turned + (q * height + p * C) * C * size, block, y + place, activation)
        sum_panel(like, (db + p * C * size, d + p * rows * C * size, samples))


@jit
def back_panels(like, d, d_turned, db, above, W, y, block, samples, inputs, units, activation, first, last):
    """Panels first … last−1 (of the layer's inputs) of D⁻ = (D Wᵀ) ⊙ f⁻′, D⁻ᵀ and db⁻; `above` is Dᵀ of this layer."""
    C, T, size = columns(like), parts(like), like.itemsize
    area, strips = C * C * size, -(-samples // C)
    rows, height, above_height = strips * C, -(-inputs // C) * C, -(-units // C) * C
    for p in range(first, last):
        for q in range(strips):
            strip = above + q * above_height * C * size
            for t in range(T):
                i, end = t * C // T, (t + 1) * C // T
                valid = inputs - p * C - i
                if valid > 0:
                    weights = W + (p * C + i) * units * size
                    tile_along_rows(like, (end - i, block + i * C * size, C, weights, valid, units, strip, units))
            transpose(like, (block + area, block))
            place = (p * rows + q * C) * C * size
            finish_block(
                like, d + place, d_turned + (q * height + p * C) * C * size, block + area, y + place, activation
            )
        sum_panel(like, (db + p * C * size, d + p * rows * C * size, samples))


@jit
def gradient_rows(like, out, x, d, spare, samples, inputs, units, p):
    """Rows pC … of dW = Xᵀ D, as many as panel p of X has, in C order at `out`."""
    C, T, size = columns(like), parts(like), like.itemsize
    rows, width = -(-samples // C) * C, min(C, inputs - p * C)
    for q in range(-(-units // C)):
        panel, many = d + q * rows * C * size, min(C, units - q * C)
        whole = many == C and width == C
        target, stride = (out + q * C * size, units) if whole else (spare, C)
        for t in range(T):
            i, end = t * C // T, (t + 1) * C // T
            a = x + (p * rows * C + i) * size
            tile_across_panel(like, (end - i, target + i * stride * size, stride, a, C, 0, panel, samples))
        if not whole:
            for r in range(width):
                row, source = at(out + (r * units + q * C) * size, many, like), at(spare + r * C * size, many, like)
                for j in range(many):
                    row[j] = source[j]
