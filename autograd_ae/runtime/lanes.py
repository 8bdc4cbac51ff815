"""Small dense layers: samples in the lanes of a register, whatever the number of units.

A layer of 8 inputs and 1 unit fills no register with its units, and a tile of 16 columns would be empty but for one.
But the samples of a batch all want the same done to them. So activations are kept *turned*,

    X (B, n), C order   →   Xᵀ (n + 1, S),     S = B rounded up to whole registers; the last row holds ones

and a register holds one unit for `lanes` samples. Then, with W and b where and as they lie,

    forward    y_j = f(Σ_k W_kj x_k + b_j)        broadcast a weight, multiply a row of samples, add
    back       d_k = (Σ_j W_kj d_j) ⊙ f′(y_k)     the same with W read the other way
    gradient   dW_kj = x_k · d_j, db_j = 1 · d_j  products along the samples: `lanes` of them at a time, whose sums are
                                                  then brought together by one transposition

Nothing is packed and nothing wasted but the pads, where d is zero. f and f′ go over whole rows, units and all.

**When?** A step costs little more than its arithmetic here, where BLAS needs half a microsecond a product before it
begins. But W is read once for every four registers of samples, so larger layers are faster by BLAS or by the tiles of
`gemm.py`: `small.py` draws the line.

**Rounding.** A sum over inputs or units is one chain of fused multiply-adds in their order, one over samples `lanes`
chains. |error| ≤ γ_k Σ|a||b| as in `gemm.py`.
"""

from __future__ import annotations

from typing import Any

from autograd_ae.core.jit import jit
from autograd_ae.core.native import Native, at
from autograd_ae.runtime.emitter import Emitter, intrinsic_for, tile_of
from autograd_ae.runtime.gemm import lanes
from autograd_ae.runtime.stack import IDENTITY, RELU, SIGMOID, TANH, activate

WIDE = 4  # registers of samples at a time


# The inner kernels; strides count elements.


def lane_kernel(rows: int, vectors: int, geometry: Any = tile_of) -> Any:
    """The intrinsic f(like, (out, stride, a, w, w_unit, w_step, bias, steps)) for `rows` units, `vectors` registers.

    out[r] ← Σ_s w[r·w_unit + s·w_step] a[s] + bias[r]; rows of out and of a are `stride` apart; bias 0: there is none.
    """

    def emit(
        e: Emitter, out: Any, stride: Any, a: Any, w: Any, w_unit: Any, w_step: Any, bias: Any, steps: Any
    ) -> None:
        from numba.core import cgutils

        builder, number = e.builder, e.number
        zero = e.ir.Constant(e.vector, [0.0] * e.tile.lanes)
        sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(vectors)] for _ in range(rows)]
        with cgutils.for_range(builder, steps) as loop:
            row = e.address(a, builder.mul(loop.index, stride))
            values = [e.load(row, v * e.tile.lanes) for v in range(vectors)]
            for r in range(rows):
                place = builder.add(builder.mul(number(r), w_unit), builder.mul(loop.index, w_step))
                weight = e.broadcast(e.load(w, place, e.real))
                for v in range(vectors):
                    builder.store(e.multiply_add(weight, values[v], builder.load(sums[r][v])), sums[r][v])
        nothing = builder.ptrtoint(cgutils.alloca_once_value(builder, e.ir.Constant(e.real, 0.0)), number(0).type)
        none = builder.icmp_signed("==", bias, number(0))
        for r in range(rows):
            start = e.broadcast(e.load(builder.select(none, nothing, e.address(bias, r)), 0, e.real))
            for v in range(vectors):
                place = builder.add(builder.mul(number(r), stride), number(v * e.tile.lanes))
                e.store(builder.fadd(builder.load(sums[r][v]), start), out, place)

    return intrinsic_for(8, emit, geometry)


def dots_kernel(geometry: Any = tile_of) -> Any:
    """The intrinsic `dots(like, (out, fixed, moving, stride, valid))`: `lanes` numbers at out ← fixed · moving[r].

    Rows are `stride` long, which is whole registers, and apart; beyond the `valid` ones the last stands for the rest.
    """

    def emit(e: Emitter, out: Any, fixed: Any, moving: Any, stride: Any, valid: Any) -> None:
        from numba.core import cgutils

        builder, number, n = e.builder, e.number, e.tile.lanes
        last = builder.sub(valid, number(1))
        rows = [builder.select(builder.icmp_signed("<", number(r), last), number(r), last) for r in range(n)]
        places = [e.address(moving, builder.mul(r, stride)) for r in rows]
        zero = e.ir.Constant(e.vector, [0.0] * n)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(n)]
        with cgutils.for_range(builder, builder.sdiv(stride, number(n))) as loop:
            place = builder.mul(loop.index, number(n))
            x = e.load(fixed, place)
            for s, row in zip(sums, places, strict=True):
                builder.store(e.multiply_add(x, e.load(row, place), builder.load(s)), s)
        parts = e.transposed([builder.load(s) for s in sums])
        while len(parts) > 1:
            parts = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        e.store(parts[0], out, 0)

    return intrinsic_for(5, emit, geometry)


pair_wide, one_wide = Native(lambda: lane_kernel(2, WIDE)), Native(lambda: lane_kernel(1, WIDE))
four_narrow, one_narrow = Native(lambda: lane_kernel(4, 1)), Native(lambda: lane_kernel(1, 1))
dots = Native(dots_kernel)


@jit
def multiply_rows(like, out, a, w, bias, units, steps, S, w_unit, w_step):
    """out (units, S) ← Σ_s w[i·w_unit + s·w_step] a[s] + bias[i]."""
    L, size, s = lanes(like), like.itemsize, 0
    while s < S:
        wide, i = s + WIDE * L <= S, 0
        while i < units:
            to, x = out + (i * S + s) * size, a + s * size
            weights, b = w + i * w_unit * size, bias + i * size if bias != 0 else 0
            if wide and i + 2 <= units:
                pair_wide(like, (to, S, x, weights, w_unit, w_step, b, steps))
                i += 2
            elif wide:
                one_wide(like, (to, S, x, weights, w_unit, w_step, b, steps))
                i += 1
            elif i + 4 <= units:
                four_narrow(like, (to, S, x, weights, w_unit, w_step, b, steps))
                i += 4
            else:
                one_narrow(like, (to, S, x, weights, w_unit, w_step, b, steps))
                i += 1
        s += WIDE * L if wide else L


@jit
def dots_of_rows(like, out, out_step, fixed, moving, count, S, spare):
    """out[r·out_step] ← fixed · moving[r] for `count` rows; `spare` is room for a register."""
    L, size = lanes(like), like.itemsize
    for r in range(0, count, L):
        many, rows = min(L, count - r), moving + r * S * size
        if many == L and out_step == 1:
            dots(like, (out + r * size, fixed, rows, S, many))
        else:
            dots(like, (spare, fixed, rows, S, many))
            found, target = at(spare, many, like), at(out + r * out_step * size, (many - 1) * out_step + 1, like)
            for k in range(many):
                target[k * out_step] = found[k]


@jit
def times_slope(like, d, y, n, activation):
    """d ← d ⊙ f′, from y = f(a); as the delta kernels of `ops/dense.py`."""
    d_, y_, one, zero = at(d, n, like), at(y, n, like), like.dtype.type(1), like.dtype.type(0)
    if activation == SIGMOID:
        for i in range(n):
            d_[i] = d_[i] * (y_[i] * (one - y_[i]))
    elif activation == TANH:
        for i in range(n):
            d_[i] = d_[i] * (one - y_[i] * y_[i])
    elif activation == RELU:
        for i in range(n):
            d_[i] = d_[i] * (one if y_[i] > zero else zero)


# Instructions (see `instructions.py`); S is the length of a turned row.


@jit
def lanes_turn(out, x, _b, _c, samples, units, S, back, _factors, like):
    """out (units, S) ← xᵀ for x (samples, units); `back`: out (samples, units) ← xᵀ for x (units, S)."""
    (i_out, j_out), (i_x, j_x) = ((units, 1), (1, S)) if back != 0 else ((1, S), (units, 1))
    n = (units - 1) * S + samples
    to, source = at(out, samples * units if back != 0 else n, like), at(x, n if back != 0 else samples * units, like)
    for j in range(units):
        for i in range(samples):
            to[i * i_out + j * j_out] = source[i * i_x + j * j_x]
    return 0


@jit
def lanes_forward(y, x, W, b, inputs, units, S, activation, _factors, like):
    """y ← f(Wᵀ x + b)."""
    multiply_rows(like, y, x, W, b, units, inputs, S, 1, units)
    activate(like, y, units * S, activation)
    return 0


@jit
def lanes_slope(d, y, _b, _c, n, activation, _k, _l, _factors, like):
    """d ← d ⊙ f′(y)."""
    times_slope(like, d, y, n, activation)
    return 0


@jit
def lanes_back(below, d, W, y, inputs, units, S, activation, _factors, like):
    """below ← (W d) ⊙ f′(y) for the layer below, whose output is y and activation f."""
    multiply_rows(like, below, d, W, 0, inputs, units, S, units, 1)
    if activation != IDENTITY:
        times_slope(like, below, y, inputs * S, activation)
    return 0


@jit
def lanes_gradient(dW, x, d, db, inputs, units, S, _l, _factors, like):
    """dW ← x dᵀ, db ← d 1; the row of ones follows x, room for a register follows the row of ones of d."""
    row, size = S * like.itemsize, like.itemsize
    spare = d + (units + 1) * row
    if units >= inputs:
        for k in range(inputs):
            dots_of_rows(like, dW + k * units * size, 1, x + k * row, d, units, S, spare)
    else:
        for j in range(units):
            dots_of_rows(like, dW + j * size, units, d + j * row, x, inputs, S, spare)
    dots_of_rows(like, db, 1, x + inputs * row, d, units, S, spare)
    return 0
