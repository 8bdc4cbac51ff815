"""max, min and norm: extremes and lengths. Notation as in reductions.py: y of x₁ … x_n, and g spread over them.

    max, min         y = x_k for the k that attain it     ∂y/∂xᵢ = [xᵢ = y]
    norm, ord=2      y = √Σ xᵢ²                           ∂y/∂xᵢ = xᵢ/y, from y² = Σ xᵢ² by 2y dy = Σ 2xᵢ dxᵢ
    norm, ord=1      y = Σ |xᵢ|                           ∂y/∂xᵢ = sign xᵢ
    norm, ord=inf    y = max |xᵢ|                         ∂y/∂xᵢ = sign xᵢ · [|xᵢ| = y]

Conventions, PyTorch's: entries that tie for an extremum share the gradient evenly (`amax`), which is the average of
the one-sided choices; the 2-norm has gradient 0 where it is 0, and sign 0 = 0. A NaN makes the result NaN, and is
what attains it. The analytic form of an extremum is the *mean of the entries that attain it*: the same value, and the
derivative that goes with the convention. In that of the 2-norm zeros are left out: they add nothing, not to first
order either, and √ has no derivative where all are zero.

Accuracy. The 2-norm is taken of x / 2ᵉ, with 2ᵉ near the largest entry, and multiplied back, both exactly: so no
square overflows at 1e200 or vanishes at 1e-200, where the plain root of squares gives inf and 0. Norms are of
vectors: over several axes all entries count as one vector (Frobenius for ord=2), as in `np.linalg.vector_norm`; never
the operator norms that `np.linalg.norm` gives for a matrix.

An empty axis has 1- and 2-norm 0; it has no max, min or largest modulus, and asking is an error. Cost: a few passes.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops.axes import Axes, TensorLike, reduce, reduced, reduced_from_some, spread


def attains(x, y):
    return (x.real == y.real) | np.isnan(x.real)  # a NaN attains NaN


def extremum(of, x, *, axis, keepdims):
    """The mean of the entries that attain it; `of` is np.max or np.min."""
    return np.mean(x, axis=axis, keepdims=keepdims, where=attains(x, of(x.real, axis=axis, keepdims=True)))


@pullback(r"\bar{x}_i = \bar{y} \, \frac{[x_i = y]}{\#\{j : x_j = y\}}")
def extremum_dx(out, g, y, x, *, axis, keepdims):
    chosen = attains(x, spread(y, axis, keepdims))
    share = spread(g, axis, keepdims) / np.sum(chosen, axis=axis, keepdims=True)
    out[...] = np.where(chosen, share, 0.0)


_max = Op(
    "max",
    lambda x, *, axis, keepdims: extremum(np.max, x, axis=axis, keepdims=keepdims),
    extremum_dx,
    latex=r"y = \max_i x_i",
    forward=lambda out, x, *, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims, out=out),
    shape=reduced_from_some,
)
_min = Op(
    "min",
    lambda x, *, axis, keepdims: extremum(np.min, x, axis=axis, keepdims=keepdims),
    extremum_dx,
    latex=r"y = \min_i x_i",
    forward=lambda out, x, *, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims, out=out),
    shape=reduced_from_some,
)


def modulus(x):
    return x * np.sign(x.real)  # |x|, analytic


def near(largest):
    """A power of two within a factor of two below `largest`; 1 where that is 0, inf or NaN."""
    _, exponent = np.frexp(largest)
    return np.where((largest > 0) & np.isfinite(largest), np.ldexp(np.ones_like(largest), exponent - 1), 1)


def norm_forward(out, x, *, axis, keepdims):
    scale = near(np.max(np.abs(x), axis=axis, keepdims=True, initial=0))
    np.sum(np.square(x / scale), axis=axis, keepdims=keepdims, out=out)
    np.sqrt(out, out=out)
    np.multiply(out, scale.reshape(out.shape), out=out)


@pullback(r"\bar{x}_i = \bar{y} \, x_i / y")
def norm_dx(out, g, y, x, *, axis, keepdims):
    length = spread(y, axis, keepdims)
    out[...] = 0.0
    np.divide(x, length, where=length.real != 0, out=out)
    np.multiply(out, spread(g, axis, keepdims), out=out)


_norm = Op(
    "norm",
    lambda x, *, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims, where=x.real != 0)),
    norm_dx,
    latex=r"y = \sqrt{\textstyle\sum_i x_i^2}",
    forward=norm_forward,
    shape=reduced,
)


@pullback(r"\bar{x}_i = \bar{y} \operatorname{sign} x_i")
def norm_1_dx(out, g, _y, x, *, axis, keepdims):
    np.multiply(spread(g, axis, keepdims), np.sign(x.real), out=out)


_norm_1 = Op(
    "norm_1",
    lambda x, *, axis, keepdims: np.sum(modulus(x), axis=axis, keepdims=keepdims),
    norm_1_dx,
    latex=r"y = \sum_i |x_i|",
    forward=lambda out, x, *, axis, keepdims: np.sum(np.abs(x), axis=axis, keepdims=keepdims, out=out),
    shape=reduced,
)


@pullback(r"\bar{x}_i = \bar{y} \operatorname{sign} x_i \, \frac{[|x_i| = y]}{\#\{j : |x_j| = y\}}")
def norm_inf_dx(out, g, y, x, *, axis, keepdims):
    extremum_dx.fn(out, g, y, modulus(x), axis=axis, keepdims=keepdims)
    np.multiply(out, np.sign(x.real), out=out)


_norm_inf = Op(
    "norm_inf",
    lambda x, *, axis, keepdims: extremum(np.max, modulus(x), axis=axis, keepdims=keepdims),
    norm_inf_dx,
    latex=r"y = \max_i |x_i|",
    forward=lambda out, x, *, axis, keepdims: np.max(np.abs(x), axis=axis, keepdims=keepdims, out=out),
    shape=reduced_from_some,
)

NORMS = {2: _norm, 1: _norm_1, np.inf: _norm_inf}


def _extreme(op: Op, pairwise: str, x: TensorLike, axis: Axes, keepdims: bool) -> Tensor:
    if isinstance(axis, Tensor | np.ndarray):
        raise TypeError(
            f"{op.name} reduces one tensor over axes, and axis was an array: of two arrays take ae.{pairwise}(a, b)"
        )
    return reduce(op, x, axis, keepdims)


def max(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The largest entry over `axis`: an integer, a tuple of them, or None for all. Of two tensors: `maximum`.

    Ties share the gradient evenly. ShapeError over an empty axis.

    >>> max([[1.0, 4.0], [3.0, 2.0]], axis=0).data
    array([3., 4.])
    """
    return _extreme(_max, "maximum", x, axis, keepdims)


def min(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The smallest entry over `axis`. Of two tensors: `minimum`. Ties as in `max`.

    >>> min([[1.0, 4.0], [3.0, 2.0]]).item()
    1.0
    """
    return _extreme(_min, "minimum", x, axis, keepdims)


def norm(x: TensorLike, ord: float = 2, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """The length of the vector that x's entries over `axis` make: √Σx² for ord=2, Σ|x| for ord=1, max |x| for ord=inf.

    The meaning of `np.linalg.vector_norm`, for matrices too. Gradient 0 where the norm is 0.

    >>> norm([3.0, -4.0]).item(), norm([3.0, -4.0], ord=1).item(), norm([3.0, -4.0], ord=np.inf).item()
    (5.0, 7.0, 4.0)
    """
    if not isinstance(ord, int | float) or ord not in NORMS:
        raise ValueError(
            f"norm has ord 2, 1 and inf, {ord!r} arrived; other powers are ae.sum(ae.abs(x) ** p) ** (1 / p)"
        )
    return reduce(NORMS[ord], x, axis, keepdims)
