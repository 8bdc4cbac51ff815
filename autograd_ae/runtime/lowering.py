"""Lowering: a line of a program, `out ← run(args)`, as rows of a table; None where it has no rows and Python runs it.

`LOWERINGS` maps the very function that a line runs to how it is written in rows, not its name: an op that somebody else
calls `add`, or one whose rule was exchanged, is not in the table, so it is called back and computes what it should.

Rows take arrays of one dtype in C order. Where shapes are beyond them (broadcasting that is neither of rows nor of
columns, sums over inner axes), a lowering returns None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_ae.core.jit import Kernel
from autograd_ae.core.native import has_blas
from autograd_ae.core.op import Array, Op, runnable
from autograd_ae.core.sweep import accumulate, unbroadcast
from autograd_ae.ops import (
    activations,
    arithmetic,
    cross_entropy,
    dense,
    elementary,
    gaussian,
    losses,
    matmul,
    reductions,
    shaping,
    sigmoid,
    sparsity,
)
from autograd_ae.ops.axes import count
from autograd_ae.ops.scale import batch
from autograd_ae.runtime import instructions as do
from autograd_ae.runtime import instructions_training as train

HAS_BLAS = has_blas()
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Row(NamedTuple):
    """An instruction on arrays. Factors that change from step to step are an array of eight float64, shared by rows."""

    instruction: Kernel
    arrays: Sequence[Array]  # destination, then up to three operands
    sizes: Sequence[int] = ()
    factors: Sequence[float] | Array = ()
    dtype: np.dtype | None = None  # of the kernel; by default that of the last operand


def dtype_of(row: Row) -> np.dtype:
    """The dtype that the row's instruction is compiled for."""
    return row.dtype or row.arrays[-1].dtype


Rows = list[Row] | None


def lower(run: Callable[..., None], out: Array, args: Sequence[Array | None], params: dict[str, Any]) -> Rows:
    """The rows of a line, or None."""
    how = LOWERINGS.get(run)
    arrays = [out, *(a for a in args if a is not None)]
    plain = all(a.dtype == out.dtype and a.flags.c_contiguous and a.size for a in arrays)
    if how is None or not plain or out.dtype not in FLOATS:
        return None
    rows = how(out, *args, **params)
    if not HAS_BLAS and rows is not None and any(row.instruction is do.product for row in rows):
        return None  # np.matmul then
    return rows


# Products.


def product(out: Array, a: Array, b: Array, transposed: int = 0) -> Row:
    k = a.shape[0] if transposed & 1 else a.shape[1]
    return Row(do.product, (out, a, b), (*out.shape, k, transposed))


def layer(bias: Kernel) -> Callable[..., Rows]:
    def rows(out: Array, x: Array, W: Array, b: Array) -> Rows:
        y = dense.rows(out)
        return [product(y, dense.rows(x), W), Row(bias, (y, b), y.shape)]

    return rows


def layer_dx(out: Array, g: Array, _y: None, _x: None, W: Array, _b: None) -> Rows:
    return [product(dense.rows(out), dense.rows(g), W, 2)]


def layer_dW(out: Array, g: Array, _y: None, x: Array, _W: None, _b: None) -> Rows:
    return [product(out, dense.rows(x), dense.rows(g), 1)]


def layer_db(out: Array, g: Array, _y: None, _x: None, _W: None, _b: None) -> Rows:
    return [Row(do.sum_rows, (out, g), dense.rows(g).shape, [1])]


def matmul_rows(out: Array, a: Array, b: Array) -> Rows:
    return [product(out, a, b)] if out.ndim == a.ndim == b.ndim == 2 else None


def matmul_da(out: Array, g: Array, _y: None, _a: None, b: Array) -> Rows:
    return [product(out, g, b, 2)] if out.ndim == g.ndim == b.ndim == 2 else None


def matmul_db(out: Array, g: Array, _y: None, a: Array, _b: None) -> Rows:
    return [product(out, a, g, 1)] if out.ndim == g.ndim == a.ndim == 2 else None


# Elementwise.


def view(operands: Sequence[Array], out: Array) -> tuple[int, int, list[int]] | None:
    """Rows and columns by which all operands are whole, repeated over rows, over columns, or a number."""
    shapes = [(1,) * (out.ndim - a.ndim) + a.shape for a in operands]
    for cut in range(out.ndim + 1):
        rows, columns = math.prod(out.shape[:cut]), math.prod(out.shape[cut:])
        of = [_stride(shape, out.shape, cut, columns) for shape in shapes]
        if None not in of:
            return rows, columns, of  # type: ignore[return-value]
    return None


def _stride(shape: Sequence[int], full: Sequence[int], cut: int, columns: int) -> int | None:
    """2 · (stride of rows) + (stride of columns) of an operand, or None where this cut does not fit it."""
    own_rows, own_columns = math.prod(shape[:cut]), math.prod(shape[cut:])
    if own_rows not in (1, math.prod(full[:cut])) or own_columns not in (1, columns):
        return None
    column = 1 if own_columns > 1 or columns == 1 else 0
    row = 0 if own_rows == 1 else own_columns
    return 2 * row + column


def binary(instruction: Kernel) -> Callable[..., Rows]:
    def rows(out: Array, a: Array, b: Array) -> Rows:
        found = view((a, b), out)
        return None if found is None else [Row(instruction, (out, a, b), (*found[:2], *found[2]))]

    return rows


def spread(out: Array, a: Array, divisor: float = 1) -> Rows:
    """out ← a / divisor, repeated."""
    if a.shape == out.shape and divisor == 1:
        return [Row(do.copy, (out, a), (out.size,))]
    found = view((a,), out)
    return None if found is None else [Row(do.spread, (out, a), (*found[:2], *found[2]), [divisor])]


def unary(instruction: Kernel) -> Callable[..., Rows]:
    return lambda out, x, **_params: [Row(instruction, (out, x), (out.size,))]


def pullback(instruction: Kernel) -> Callable[..., Rows]:
    """A rule of g and of what it needs of y and x."""
    return lambda out, g, *needed: [
        Row(instruction, (out, g, *(a for a in needed if a is not None)), (out.size,)),
    ]


def hand_on(out: Array, g: Array, *_rest: Any, **_params: Any) -> Rows:
    return [Row(do.copy, (out, g), (out.size,))]


# Sums.


def reduce(out: Array, x: Array, axis: tuple[int, ...], divisor: float) -> Rows:
    """Σ over all, the leading or the trailing axes, divided."""
    kept = [k for k in range(x.ndim) if k not in axis]
    n, m = math.prod(x.shape[k] for k in axis), math.prod(x.shape[k] for k in kept)
    if m == 1:
        return [Row(do.total, (out, x), (x.size,), [divisor])]
    if tuple(axis) == tuple(range(len(axis))):
        return [Row(do.sum_rows, (out, x), (n, m), [divisor])]
    if kept == list(range(len(kept))):
        return [Row(do.sum_columns, (out, x), (m, n), [divisor])]
    return None


def sum_rows(out: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return reduce(out, x, axis, 1)


def mean_rows(out: Array, x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return reduce(out, x, axis, count(x.shape, axis))


def spread_back(out: Array, g: Array, axis: tuple[int, ...], keepdims: bool, divisor: float) -> Rows:
    return spread(out, g if keepdims else np.expand_dims(g, axis), divisor)


def sum_dx(out: Array, g: Array, _y: None, _x: None, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return spread_back(out, g, axis, keepdims, 1)


def mean_dx(out: Array, g: Array, _y: None, _x: None, *, axis: tuple[int, ...], keepdims: bool) -> Rows:
    return spread_back(out, g, axis, keepdims, count(out.shape, axis))


def summed_broadcast(out: Array, g: Array) -> Rows:
    lead = g.ndim - out.ndim
    repeated = (k for k in range(g.ndim) if k < lead or (out.shape[k - lead] == 1 and g.shape[k] != 1))
    return reduce(out, g, tuple(repeated), 1)


# Losses: each with the divisor of its scale.


def loss(instruction: Kernel, divisor: Callable[[Array], float] = lambda x: batch(x.shape)) -> Callable[..., Rows]:
    return lambda out, *xs: [Row(instruction, (out, *xs), (xs[0].size,), [divisor(xs[0])])]


def loss_dx(instruction: Kernel, divisor: Callable[[Array], float] = lambda x: batch(x.shape)) -> Callable[..., Rows]:
    def rows(out: Array, g: Array, _y: None, *xs: Array | None) -> Rows:
        return [Row(instruction, (out, g, *(x for x in xs if x is not None)), (out.size,), [divisor(out)])]

    return rows


def sample(out: Array, mean: Array, log_variance: Array, noise: Array) -> Rows:
    if not mean.shape == log_variance.shape == out.shape:
        return None
    return [Row(train.sample, (out, mean, log_variance, noise), (out.size,))]


def sample_dlog_variance(out: Array, g: Array, _y: None, _mean: None, log_variance: Array, noise: Array) -> Rows:
    if log_variance.shape != out.shape:
        return None
    return [Row(train.sample_dlog_variance, (out, g, log_variance, noise), (out.size,))]


def _binary_pullback(instruction: Kernel) -> Callable[..., Rows]:
    """da = g ⊙ b and the like: g with the other operand, which may be repeated."""
    of_two = binary(instruction)
    return lambda out, g, *needed: of_two(out, g, *(x for x in needed if x is not None))


def _ops() -> dict[Op, Callable[..., Rows]]:
    a, e, r, s = arithmetic, elementary, reductions, sparsity
    size: Callable[[Array], float] = lambda x: x.size  # noqa: E731
    return {
        dense.FUSED["identity"]: layer(do.bias_identity), dense.FUSED["sigmoid"]: layer(do.bias_sigmoid),
        dense.FUSED["tanh"]: layer(do.bias_tanh), dense.FUSED["relu"]: layer(do.bias_relu),
        matmul._matmul: matmul_rows,
        a._add: binary(do.add), a._subtract: binary(do.subtract), a._multiply: binary(do.multiply),
        a._divide: binary(do.divide), a._negative: unary(do.negative), a._square: unary(do.square),
        a._sqrt: unary(do.sqrt), e._exp: unary(do.exp), e._tanh: unary(do.tanh), sigmoid._sigmoid: unary(do.sigmoid),
        activations._relu: unary(do.relu), activations._softplus: unary(do.softplus),
        shaping._reshape: unary(do.copy), r._sum: sum_rows, r._mean: mean_rows,
        losses._mse: loss(train.squared_error, size), losses._squared_error: loss(train.squared_error),
        s._l1: loss(train.l1), s._l2: loss(train.l2), cross_entropy._bce_with_logits: loss(train.bce_with_logits),
        gaussian._gaussian_kl: loss(train.gaussian_kl), gaussian._reparameterise: sample,
    }  # fmt: skip


def _rules() -> dict[Any, Callable[..., Rows]]:
    a, g = arithmetic, gaussian
    size: Callable[[Array], float] = lambda x: x.size  # noqa: E731
    minus: dict[str, Callable[[Array], float]] = {"size": lambda x: -x.size, "batch": lambda x: -batch(x.shape)}
    return {
        dense.dx: layer_dx, dense.dW: layer_dW, dense.db: layer_db,
        dense.sigmoid_delta: pullback(do.sigmoid_delta), dense.tanh_delta: pullback(do.tanh_delta),
        dense.relu_delta: pullback(do.relu_delta), matmul.da: matmul_da, matmul.db: matmul_db,
        a.add_da: hand_on, a.add_db: hand_on, a.subtract_db: pullback(do.negative),
        a.multiply_da: _binary_pullback(do.multiply), a.multiply_db: _binary_pullback(do.multiply),
        a.divide_da: _binary_pullback(do.divide), a.negative_dx: pullback(do.negative),
        a.square_dx: pullback(do.square_dx), elementary.exp_dx: _binary_pullback(do.multiply),
        sigmoid.dx: pullback(do.sigmoid_dx), elementary.tanh_dx: pullback(do.tanh_dx),
        activations.relu_dx: pullback(do.relu_dx),
        shaping.reshape_dx: hand_on, reductions.sum_dx: sum_dx, reductions.mean_dx: mean_dx,
        losses.mse_dx_hat: loss_dx(train.squared_error_dx, size),
        losses.mse_dx: loss_dx(train.squared_error_dx, minus["size"]),
        losses.squared_error_dx_hat: loss_dx(train.squared_error_dx),
        losses.squared_error_dx: loss_dx(train.squared_error_dx, minus["batch"]),
        sparsity.l1_dz: loss_dx(train.l1_dz), cross_entropy.bce_with_logits_da: loss_dx(train.bce_with_logits_da),
        g.kl_dmean: loss_dx(train.gaussian_kl_dmean), g.kl_dlog_variance: loss_dx(train.gaussian_kl_dlog_variance),
        g.sample_dmean: hand_on, g.sample_dlog_variance: sample_dlog_variance,
    }  # fmt: skip


LOWERINGS: dict[Callable[..., None], Callable[..., Rows]] = {
    **{op.run: rows for op, rows in _ops().items()},
    **{runnable(rule): rows for rule, rows in _rules().items()},
    accumulate: lambda out, g: [Row(do.accumulate, (out, g), (out.size,))],
    unbroadcast: summed_broadcast,
}
