"""Lowering: a line of a program, `out ← run(args)`, as rows of a table; None where it has no rows and Python runs it.

`LOWERINGS` maps the very function that a line runs to how it is written in rows (`rows.py` has the words), not its
name: an op that somebody else calls `add`, or one whose rule was exchanged, is not in the table, so it is called back
and computes what it should. What else is called back: picking and joining entries, extremes, running sums and products,
einsum, softmax and norms but along the last axes, long lines of functions of the C library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_ae.core.native import has_blas
from autograd_ae.core.op import Array, Op, runnable
from autograd_ae.core.sweep import accumulate, unbroadcast
from autograd_ae.ops import (
    activations,
    arithmetic,
    choices,
    cross_entropy,
    dense,
    elementary,
    erf,
    extremes,
    gaussian,
    losses,
    matmul,
    reductions,
    shaping,
    sigmoid,
    softmax,
    sparsity,
)  # fmt: skip
from autograd_ae.runtime import formulas as f
from autograd_ae.runtime import formulas_networks as n
from autograd_ae.runtime import instructions as do
from autograd_ae.runtime import rows as to
from autograd_ae.runtime.rows import Lowering, Rows, by, by_kernel, hand_on, loss, loss_dx, refusing
from autograd_ae.runtime.rows import Row as Row
from autograd_ae.runtime.rows import dtype_of as dtype_of

HAS_BLAS = has_blas()
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
TRUTH = np.dtype(bool)


def lower(run: Callable[..., None], out: Array, args: Sequence[Array | None], params: dict[str, Any]) -> Rows:
    """The rows of a line, or None."""
    how = LOWERINGS.get(run)
    arrays = [out, *(a for a in args if a is not None)]
    if how is None or not all(a.flags.c_contiguous and a.size for a in arrays):
        return None
    kinds = {a.dtype for a in arrays}
    if len(kinds - {TRUTH}) != 1 or not kinds <= {*FLOATS, TRUTH} or (TRUTH in kinds and run not in CHOICES):
        return None
    rows = how(out, *args, **params)
    if not HAS_BLAS and rows is not None and any(row.instruction is do.product for row in rows):
        return None  # np.matmul then
    return rows


def _ops() -> dict[Op, Lowering]:
    a, e, r, s, c, g = arithmetic, elementary, reductions, sparsity, activations, gaussian
    layers = {
        "identity": do.bias_kernel, "sigmoid": dense.bias_sigmoid_kernel,
        "tanh": dense.bias_tanh_kernel, "relu": dense.bias_relu_kernel,
    }  # fmt: skip
    return {
        **{dense.FUSED[name]: to.layer(kernel) for name, kernel in layers.items()},
        matmul._matmul: to.matmul_rows,
        a._add: by(f.add), a._subtract: by(f.subtract), a._multiply: by(f.multiply), a._divide: by(f.divide),
        a._power: by(f.power), a._negative: by(f.negative), a._square: by(f.square), a._sqrt: by(f.sqrt),
        a._reciprocal: by(f.reciprocal),
        choices._abs: by(f.absolute), choices._sign: by(f.sign), choices._maximum: by(f.maximum),
        choices._minimum: by(f.minimum), choices._clip: by(f.clip), choices._where: by(f.where, chooses=True),
        e._exp: by(f.exp), e._expm1: by(f.expm1), e._log: by(f.log), e._log1p: by(f.log1p),
        e._sin: refusing(f.beyond_reach, by(f.sin), 0), e._cos: refusing(f.beyond_reach, by(f.cos), 0),
        e._tan: by(f.tan), e._arctan2: by(f.arctan2), e._sinh: by(f.sinh), e._cosh: by(f.cosh),
        e._tanh: by(f.tanh), erf._erf: by_kernel(erf.erf_kernel), erf._erfc: by_kernel(erf.erfc_kernel),
        sigmoid._sigmoid: by_kernel(sigmoid.sigmoid_kernel), c._relu: by(n.relu), c._softplus: by(n.softplus),
        c._log_sigmoid: by(n.log_sigmoid), c._leaky_relu: by(n.leaky_relu), c._elu: by(n.elu), c._silu: by(n.silu),
        c._gelu: by_kernel(c.gelu_kernel), softmax._softmax: to.along_rows(do.softmax),
        shaping._reshape: hand_on, shaping._transpose: to.transpose,
        shaping._broadcast_to: lambda out, x, **_shape: to.spread(out, x),
        r._sum: to.sum_rows, r._mean: to.mean_rows, extremes._norm: to.norm,
        losses._mse: loss(n.squared_error, "size"), losses._squared_error: loss(n.squared_error),
        s._l1: loss(f.absolute), s._l2: loss(n.square_in_double),
        s._bernoulli_kl: refusing(
            n.outside_01, to.bernoulli_kl({"lecture": n.kl_lecture, "ufldl": n.kl_ufldl}), 0
        ),
        cross_entropy._bce: refusing(n.outside_01, refusing(n.outside_01, loss(n.bce), 0), 1),
        cross_entropy._bce_with_logits: refusing(n.outside_01, loss(n.bce_with_logits), 1),
        g._gaussian_kl: loss(n.gaussian_kl), g._reparameterise: by(n.sample),
        g._gaussian_kl_from_variance: refusing(n.below_0, loss(n.gaussian_kl_from_variance), 1),
        g._reparameterise_from_variance: refusing(n.below_0, by(n.sample_from_variance), 1),
    }  # fmt: skip


def _comparisons() -> dict[Op, Lowering]:
    c = choices
    formulas = {
        c._greater: f.greater, c._greater_equal: f.greater_equal, c._less: f.less, c._less_equal: f.less_equal,
        c._equal: f.equal, c._not_equal: f.not_equal,
    }  # fmt: skip
    return {op: by(formula, truth=True) for op, formula in formulas.items()}


def _rules() -> dict[Any, Lowering]:
    """Of g, then of what a rule needs of y and the inputs."""
    a, e, c, g, s = arithmetic, elementary, activations, gaussian, sparsity
    return {
        dense.dx: to.layer_dx, dense.dW: to.layer_dW, dense.db: to.layer_db,
        dense.sigmoid_delta: by_kernel(dense.sigmoid_delta_kernel),
        dense.relu_delta: by_kernel(dense.relu_delta_kernel), dense.tanh_delta: by_kernel(dense.tanh_delta_kernel),
        matmul.da: to.matmul_da, matmul.db: to.matmul_db,
        a.add_da: hand_on, a.add_db: hand_on, a.subtract_db: by(f.negative), a.multiply_da: by(f.multiply),
        a.multiply_db: by(f.multiply), a.divide_da: by(f.divide), a.divide_db: by(f.divide_db),
        a.power_da: by(f.power_da), a.negative_dx: by(f.negative), a.square_dx: by(f.square_dx),
        a.sqrt_dx: by(f.sqrt_dx), a.reciprocal_dx: by(f.reciprocal_dx), choices.abs_dx: by(f.times_sign),
        choices.maximum_da: by(f.share_of_larger), choices.maximum_db: by(f.share_of_larger, 0, 2, 1),
        choices.minimum_da: by(f.share_of_larger, 0, 2, 1), choices.minimum_db: by(f.share_of_larger),
        choices.clip_dx: to.clip_dx, choices.where_da: by(f.where_da, 1, 0, chooses=True),
        choices.where_db: by(f.where_db, 1, 0, chooses=True),
        e.exp_dx: by(f.multiply), e.expm1_dx: by(f.times_exp), e.log_dx: by(f.divide), e.log1p_dx: by(f.log1p_dx),
        e.sin_dx: refusing(f.beyond_reach, by(f.sin_dx), 2), e.cos_dx: refusing(f.beyond_reach, by(f.cos_dx), 2),
        e.tan_dx: by(f.tan_dx), e.arctan2_dy: by(f.arctan2_dy),
        e.arctan2_dx: by(f.arctan2_dx), e.sinh_dx: by(f.sinh_dx), e.cosh_dx: by(f.cosh_dx),
        e.tanh_dx: by_kernel(e.tanh_dx_kernel), erf.erf_dx: by(n.erf_dx), erf.erfc_dx: by(n.erfc_dx),
        sigmoid.dx: by_kernel(sigmoid.dx_kernel), c.relu_dx: by(n.relu_dx), c.softplus_dx: by(n.softplus_dx),
        c.log_sigmoid_dx: by(n.log_sigmoid_dx), c.leaky_relu_dx: by(n.leaky_relu_dx), c.elu_dx: by(n.elu_dx),
        c.silu_dx: by_kernel(c.silu_dx_kernel), c.gelu_dx: by_kernel(c.gelu_dx_kernel),
        softmax.softmax_dx: to.along_rows(do.softmax_dx),
        shaping.reshape_dx: hand_on, shaping.transpose_dx: to.transpose_dx,
        shaping.broadcast_to_dx: to.summed_broadcast,
        reductions.sum_dx: to.sum_dx, reductions.mean_dx: to.mean_dx, extremes.norm_dx: to.norm_dx,
        losses.mse_dx_hat: loss_dx(n.squared_error_dx, "size"),
        losses.mse_dx: loss_dx(n.squared_error_dx, "minus size"),
        losses.squared_error_dx_hat: loss_dx(n.squared_error_dx),
        losses.squared_error_dx: loss_dx(n.squared_error_dx, "minus batch"),
        s.l1_dz: loss_dx(f.times_sign), s.l2_dz: loss_dx(n.l2_dz),
        s.bernoulli_kl_dz: to.bernoulli_kl_dz({"lecture": n.kl_lecture_dr, "ufldl": n.kl_ufldl_dr}),
        cross_entropy.bce_dp: loss_dx(n.bce_dp), cross_entropy.bce_with_logits_da: loss_dx(n.bce_with_logits_da),
        cross_entropy.bce_with_logits_dt: loss_dx(f.multiply, "minus batch"),
        g.kl_dmean: loss_dx(f.multiply), g.kl_dlog_variance: loss_dx(n.gaussian_kl_dlog_variance),
        g.kl_dvariance: loss_dx(n.gaussian_kl_dvariance), g.sample_dmean: hand_on,
        g.sample_dlog_variance: by(n.sample_dlog_variance), g.sample_dnoise: by(n.times_deviation),
        g.sample_dvariance: by(n.sample_dvariance), g.sample_from_variance_dnoise: by(n.times_root),
    }  # fmt: skip


LOWERINGS: dict[Callable[..., None], Lowering] = {
    **{op.run: how for op, how in {**_ops(), **_comparisons()}.items()},
    **{runnable(rule): how for rule, how in _rules().items()},
    accumulate: lambda out, g: [Row(do.accumulate, (out, g), (out.size,))],
    unbroadcast: to.summed_broadcast,
}
# Lines in which conditions take part.
CHOICES = {choices._where.run, *(op.run for op in _comparisons()), *map(runnable, (choices.where_da, choices.where_db))}
