"""softmax, log_softmax, logsumexp: along one axis (logsumexp: along any).

    s_i = exp(x_i) / Σ_j exp(x_j),        ℓ_i = ln s_i = x_i − lse(x),        lse(x) = ln Σ_j exp(x_j).

Derivation. ∂lse/∂x_k = exp(x_k)/Σ = s_k. Hence ∂ℓ_i/∂x_k = δ_ik − s_k, ∂s_i/∂x_k = s_i (δ_ik − s_k); the pullbacks:

    lse:  dx = g s        log_softmax:  dx = g − s Σ_i g_i        softmax:  dx = s ⊙ (g − Σ_i g_i s_i).

Where digits are lost. When m is subtracted from all x, s and ℓ do not change and lse changes by m; with m the largest
entry nothing overflows. Then ln(1 + rest), rest being the sum over the *other* entries, is taken by log1p:

    lse(x) = m + ln(1 + rest),        ℓ_i = (x_i − m) − ln(1 + rest),

so lse(0, −700) is 9.86e-305, not 0. ℓ always has its relative digits, lse except where m and ln(1 + rest) cancel. The
gradients of softmax and log_softmax lose relative digits where one s_i is near 1 (the differences above; the absolute
error stays a rounding of g); that of `cross_entropy` does not.

Infinities. An entry −∞ (the usual mask) has s = 0 and ℓ = −∞, and takes no part in lse; gradients stay finite. Where
all entries are −∞, or one is +∞, s and ℓ are 0/0 or ∞/∞: NaN, as in PyTorch; lse is then −∞ or +∞, its gradient NaN.
Over an empty axis lse = ln 0 = −∞. NaN in gives NaN out, along its row. None of this warns.

Cost: one exponential per element, and another for the gradient of lse, which is made from x, not from y: exp(x − y)
would have an error of |y| ulp.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.axes import Axes, TensorLike, blamed, count, numeric, one_axis, reduce, reduced, spread
from autograd_ae.ops.elementary import real_log1p

at_infinity = np.errstate(invalid="ignore", divide="ignore")  # ∞ − ∞ and 0/0 are the documented NaN


@at_infinity
def softmax_reference(x, *, axis):
    e = np.exp(x - np.max(x.real, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


@at_infinity
def peak(x):
    """Of each row of x (…, n): the largest entry m, where it is, exp(x − m) with 0 there, and the sum of that."""
    top = np.argmax(x.real, axis=-1, keepdims=True)
    m = np.take_along_axis(x, top, -1)
    e = np.exp(x - m)
    np.put_along_axis(e, top, 0, -1)
    return m, top, e, np.sum(e, axis=-1, keepdims=True)


@at_infinity
def log_softmax_reference(x, *, axis):
    if x.size == 0:
        return x
    rows = np.moveaxis(x, axis, -1)
    m, _, _, rest = peak(rows)
    return np.moveaxis((rows - m) - np.where(np.isinf(m), np.nan, real_log1p(rest)), -1, axis)


def softmax_and_complement(x):
    """p = softmax(x) and 1 − p along the last axis, both with all their digits: 1 − p is the sum of the others' p."""
    _, top, e, rest = peak(x)
    p = e / (1 + rest)
    q = 1 - p
    np.put_along_axis(p, top, 1 / (1 + rest), -1)
    np.put_along_axis(q, top, rest / (1 + rest), -1)
    return p, q


def rows_over(x, axes):
    """The reduced axes last and flat: (…, n)."""
    kept = [k for k in range(x.ndim) if k not in axes]
    return x.transpose(*kept, *axes).reshape(*[x.shape[k] for k in kept], count(x.shape, axes))


@at_infinity
def logsumexp_reference(x, *, axis, keepdims):
    shape = reduced(x.shape, axis=axis, keepdims=keepdims)
    if x.size == 0:
        return np.full(shape, -np.inf)
    m, _, _, rest = peak(rows_over(x, axis))
    return np.where(np.isinf(m), m, m + real_log1p(rest)).reshape(shape)


def same(x, **_params):
    return x


@pullback(r"\bar{x} = s \odot (\bar{s} - \textstyle\sum_i \bar{s}_i s_i)")
def softmax_dx(out, g, s, _x, *, axis):
    np.multiply(s, g - np.sum(g * s, axis=axis, keepdims=True), out=out)


@pullback(r"\bar{x} = \bar{\ell} - e^{\ell} \textstyle\sum_i \bar{\ell}_i")
def log_softmax_dx(out, g, y, _x, *, axis):
    np.subtract(g, np.exp(y) * np.sum(g, axis=axis, keepdims=True), out=out)


@pullback(r"\bar{x} = \bar{y} \odot \operatorname{softmax}(x)")
def logsumexp_dx(out, g, _y, x, *, axis, keepdims):
    np.multiply(spread(g, axis, keepdims), softmax_reference(x, axis=axis), out=out)


_softmax = Op(
    "softmax", softmax_reference, softmax_dx, shape=same, broadcasts=False,
    latex=r"s_i = e^{x_i} / \textstyle\sum_j e^{x_j}",
)  # fmt: skip
_log_softmax = Op(
    "log_softmax", log_softmax_reference, log_softmax_dx, shape=same, broadcasts=False,
    latex=r"\ell_i = x_i - \ln \textstyle\sum_j e^{x_j}",
)  # fmt: skip
_logsumexp = Op(
    "logsumexp", logsumexp_reference, logsumexp_dx, shape=reduced, broadcasts=False,
    latex=r"y = \ln \textstyle\sum_j e^{x_j}",
)  # fmt: skip


def softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """exp(x) / Σ exp(x) along `axis`; of x's shape.

    >>> softmax([[0.0, 0.0], [1000.0, 0.0]]).data
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return _along(_softmax, x, axis)


def log_softmax(x: TensorLike, axis: int = -1) -> Tensor:
    """x − logsumexp(x) along `axis`; of x's shape.

    >>> log_softmax([0.0, -700.0]).data
    array([-9.85967654e-305, -7.00000000e+002])
    """
    return _along(_log_softmax, x, axis)


def logsumexp(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """ln Σ exp(x) over `axis` (None: all axes), which go, or stay with size 1 under `keepdims`.

    >>> logsumexp([[0.0, 0.0], [1000.0, 0.0]], axis=1).data
    array([6.93147181e-01, 1.00000000e+03])
    """
    return reduce(_logsumexp, x, axis, keepdims)


def _along(op: Op, x: TensorLike, axis: int) -> Tensor:
    (t,) = numeric(op.name, x)
    with blamed(op.name, t):
        return record(op, (t,), {"axis": one_axis(axis, t.ndim)})
