"""Cross-entropies: −ln of the probability that a prediction gives to its target, in nats. Scale: see `losses.py`.

    bce              −Σ [t ln p + (1−t) ln(1−p)] / B     dp = g ((1−t)/(1−p) − t/p)/B         dt = g ln((1−p)/p)/B
    bce_with_logits  Σ [softplus(a) − t a] / B           da = g (σ(a) − t)/B                  dt = −g a/B
    cross_entropy    −Σ t_k ln softmax(a)_k / B          da_k = g (p_k Σ_j t_j − t_k)/B       dt_k = −g ln p_k/B

Derivation of bce_with_logits: with p = σ(a), ln p = a − softplus(a) and ln(1 − p) = −softplus(a), so the bracket of bce
is softplus(a) − t a, whose derivative is σ(a) − t: no division is left. Of cross_entropy: ln p_k = a_k − lse(a), and
the gradient of lse is p = softmax(a) (see `softmax.py`).

Where digits are lost. softplus(a) − t a and σ(a) − t cancel for a confident right answer (a = 700, t = 1: a difference
of two 700s that is 9.86e-305). Instead, sums whose terms have one sign wherever the targets are 0 or 1:

    softplus(a) − t a = ln(1 + e) + |a| (1 − t where a ≥ 0, else t),  e = exp(−|a|)
    σ(a) − t          = (1 − t) σ(a) − t σ(−a)
    p_k Σ_j t_j − t_k = p_k Σ_{j≠k} t_j − t_k Σ_{j≠k} p_j

right to a few ulp for any logits; ±∞ where that is right costs 0. bce can be no better than its p, and 1 − p has lost
its digits before a p near 1 arrives here: prefer logits. At p = 0 or 1, what the target calls impossible counts 0
(0 ln 0 = 0) and what it calls possible costs +∞, with an infinite gradient (PyTorch cuts off at 100).

The kernel of bce_with_logits takes ln(1 + e) as ln(u) · e/(u − 1) with u = 1 + e rounded: the rounding of u cancels
between ln(u) and u − 1 (Goldberg 1991, theorem 4), and ln is faster than log1p. It adds in float64, sample by sample.

Cost: with logits one exp and one ln per element forward and one exp back, in one pass each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.jit import jit
from autograd_ae.core.op import Op, Shape, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops import sigmoid as logistic
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementary import real_log1p
from autograd_ae.ops.elementwise import at_poles, on_numbers, real_domain, times_vanishing
from autograd_ae.ops.scale import batch, matrix, one_shape, refuse_outside_01
from autograd_ae.ops.softmax import log_softmax_reference, softmax_and_complement

# Binary cross-entropy of probabilities.


@at_poles
def bce_reference(p, t):
    likelihood = times_vanishing(np.log(real_domain(p)), t) + times_vanishing(real_log1p(-p), 1 - t)
    return (0 - np.sum(likelihood)) / batch(t.shape)  # 0 − 0 is 0, where −0 would print as -0.0


def bce_forward(out, p, t):
    refuse_outside_01("bce", "probabilities", p, "give logits to bce_with_logits, or apply sigmoid")
    refuse_outside_01("bce", "targets", t, "scale them (pixels / 255)")
    out[...] = bce_reference(p, t)


@pullback(r"\bar{p} = \bar{y} \left( \frac{1 - t}{1 - p} - \frac{t}{p} \right) / B")
@at_poles
def bce_dp(out, g, _y, p, t):
    wrong = np.divide(1 - t, 1 - p, out=np.zeros_like(out), where=t != 1)
    right = np.divide(t, p, out=np.zeros_like(out), where=t != 0)
    np.multiply(g / batch(t.shape), wrong - right, out=out)


@pullback(r"\bar{t} = \bar{y} \ln \frac{1 - p}{p} / B")
@at_poles
def bce_dt(out, g, _y, p, _t):
    np.multiply(g / batch(p.shape), real_log1p(-p) - np.log(real_domain(p)), out=out)


_bce = Op(
    "bce", bce_reference, bce_dp, bce_dt, shape=one_shape, broadcasts=False, forward=bce_forward,
    latex=r"y = -\textstyle\sum [t \ln p + (1 - t) \ln(1 - p)] / B",
)  # fmt: skip


# Binary cross-entropy of logits.


def bce_with_logits_reference(a, t):
    yes = a.real >= 0
    size, against = (
        np.where(yes, a, -a),
        np.where(yes, 1 - t, t),
    )  # |a|, and how much the target speaks against its sign
    return np.sum(real_log1p(np.exp(-size)) + times_vanishing(size, against)) / batch(t.shape)


@jit
def bce_with_logits_kernel(out, a, t):
    """out ← Σ over samples of Σ over features, of (B, n) matrices."""
    one = a.dtype.type(1)
    total = 0.0
    for i in range(a.shape[0]):
        sample = 0.0
        for j in range(a.shape[1]):
            size = abs(a[i, j])
            e = math.exp(-size)
            u = one + e
            sample += e if u == one else math.log(u) * (e / (u - one))
            against = one - t[i, j] if a[i, j] >= 0 else t[i, j]
            if against != 0:
                sample += size * against
        total += sample
    out[0] = total / a.shape[0]


@jit
def bce_with_logits_da_kernel(out, g, a, t):
    """out ← g (σ(a) − t) / B; g of shape (1,)."""
    one = a.dtype.type(1)
    weight = g[0] / a.dtype.type(a.shape[0])
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            e = math.exp(-abs(a[i, j]))
            more, less = one / (one + e), e / (one + e)  # σ(|a|) and σ(−|a|)
            p, q = (more, less) if a[i, j] >= 0 else (less, more)
            out[i, j] = weight * ((one - t[i, j]) * p - t[i, j] * q)


def bce_with_logits_forward(out, a, t):
    refuse_outside_01("bce_with_logits", "targets", t, "scale them (pixels / 255)")
    out[...] = bce_with_logits_reference(a, t)


def bce_with_logits_compiled(out, a, t):
    refuse_outside_01("bce_with_logits", "targets", t, "scale them (pixels / 255)")
    bce_with_logits_kernel(out.reshape(1), matrix(a), matrix(t))


def bce_with_logits_da_compiled(out, g, _y, a, t):
    bce_with_logits_da_kernel(matrix(out), g.reshape(1), matrix(a), matrix(t))


@pullback(r"\bar{a} = \bar{y}\, (\sigma(a) - t) / B", kernel=bce_with_logits_da_compiled)
def bce_with_logits_da(out, g, _y, a, t):
    np.multiply(g / batch(t.shape), (1 - t) * logistic.reference(a) - t * logistic.reference(-a), out=out)


@pullback(r"\bar{t} = -\bar{y}\, a / B")
def bce_with_logits_dt(out, g, _y, a, _t):
    np.multiply(-g / batch(a.shape), a, out=out)


_bce_with_logits = Op(
    "bce_with_logits", bce_with_logits_reference, bce_with_logits_da, bce_with_logits_dt, shape=one_shape,
    broadcasts=False, forward=bce_with_logits_forward, kernel=bce_with_logits_compiled,
    latex=r"y = \textstyle\sum [\operatorname{softplus}(a) - t \odot a] / B",
)  # fmt: skip


# Cross-entropy of logits over classes, the last axis.


def some_classes(a: Shape, t: Shape) -> Shape:
    if not a or a[-1] == 0:
        raise ShapeError("the last axis of the logits holds the classes: give at least one")
    if t == a[:-1]:
        raise ShapeError("classes are given as an array of integers, not floats: targets.astype(int)")
    return one_shape(a, t)


def cross_entropy_reference(a, t):
    likelihood = times_vanishing(log_softmax_reference(a, axis=-1), t)
    return (0 - np.sum(likelihood)) / batch(t.shape)


@pullback(r"\bar{a} = \bar{y} \left( \operatorname{softmax}(a) \textstyle\sum_j t_j - t \right) / B")
def cross_entropy_da(out, g, _y, a, t):
    p, q = softmax_and_complement(a)
    np.multiply(g / batch(t.shape), p * (np.sum(t, axis=-1, keepdims=True) - t) - t * q, out=out)


@pullback(r"\bar{t} = -\bar{y} \ln \operatorname{softmax}(a) / B")
def cross_entropy_dt(out, g, _y, a, _t):
    np.multiply(-g / batch(a.shape), log_softmax_reference(a, axis=-1), out=out)


_cross_entropy = Op(
    "cross_entropy", cross_entropy_reference,
    cross_entropy_da, cross_entropy_dt, shape=some_classes, broadcasts=False,
    latex=r"y = -\textstyle\sum t \odot \ln \operatorname{softmax}(a) / B",
)  # fmt: skip


def bce(p: TensorLike, t: TensorLike) -> Tensor:
    """Binary cross-entropy of probabilities p against targets t, both in [0, 1], in nats per sample.

    >>> bce([[0.5, 1.0]], [[1.0, 1.0]]).item()
    0.6931471805599453
    """
    return on_numbers(_bce, p, t)


def bce_with_logits(a: TensorLike, t: TensorLike) -> Tensor:
    """Binary cross-entropy of p = σ(a) against targets t in [0, 1], in nats per sample, exact in the tails.

    >>> bce_with_logits([[0.0, 700.0]], [[1.0, 1.0]]).item()
    0.6931471805599453
    """
    return on_numbers(_bce_with_logits, a, t)


def cross_entropy(logits: TensorLike, targets: Any) -> Tensor:
    """Cross-entropy of softmax(logits) over the last axis, in nats per sample.

    Parameters
    ----------
    logits : (B, …, K), or (K,) for one sample.
    targets : probabilities of the logits' shape, or an integer array of classes 0 … K − 1 of shape (B, …). Classes are
        constants of a captured program; to give new ones at each replay, pass one-hot rows as an argument.

    >>> cross_entropy([[0.0, 0.0], [700.0, 0.0]], np.array([1, 0])).item()
    0.34657359027997264
    """
    return on_numbers(_cross_entropy, logits, _one_hot(logits, targets))


def _one_hot(logits: TensorLike, targets: Any) -> Any:
    """Classes as rows of 0 and 1; what is not an integer array passes."""
    if isinstance(targets, Tensor) or np.asarray(targets).dtype.kind not in "iu":
        return targets
    a, k = logits if isinstance(logits, Tensor | np.ndarray) else np.asarray(logits, float), np.asarray(targets)
    if not a.shape or k.shape != a.shape[:-1]:
        raise ShapeError(
            f"cross_entropy: logits {a.shape} need integer classes of shape {a.shape[:-1]}, {k.shape} arrived; "
            "targets of the logits' shape are probabilities and must be floats"
        )
    if k.size and not 0 <= k.min() <= k.max() < a.shape[-1]:
        raise ValueError(
            f"cross_entropy: classes must lie in 0 … {a.shape[-1] - 1} (there are {a.shape[-1]} logits), "
            f"{k.min()} … {k.max()} arrived"
        )
    return (k[..., None] == np.arange(a.shape[-1])).astype(a.dtype)
