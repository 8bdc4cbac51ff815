"""Reductions: sum, mean, prod, var and std over some axes, and the running sum. (max, min and norm: see extremes.py.)

Let y be a reduction of x₁ … x_n, the n entries along the reduced axes; every other axis is a bystander. The pullback
takes one number g = ∂L/∂y per group and gives back n, so each rule below begins by spreading g over the axes that
went away. With the mean m:

    sum    y = Σ xᵢ                  ∂y/∂xᵢ = 1
    mean   y = Σ xᵢ / n              ∂y/∂xᵢ = 1/n
    prod   y = Π xᵢ                  ∂y/∂xᵢ = Πⱼ≠ᵢ xⱼ: the product before i times the product after i, no division
    var    y = Σ (xᵢ−m)² / (n−ddof)  ∂y/∂xᵢ = 2 (xᵢ−m) / (n−ddof): the path through m adds −(2/n) Σ (xⱼ−m), which is 0
    std    y = √var                  ∂y/∂xᵢ = (xᵢ−m) / ((n−ddof) y), and 0 where y = 0 (PyTorch's convention)
    cumsum yᵢ = Σⱼ≤ᵢ xⱼ              dxⱼ = Σᵢ≥ⱼ gᵢ, the running sum from the other end

Accuracy. var takes two passes, the mean first: the textbook E[x²] − E[x]² loses all digits once m² is 1/ε times the
variance (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance"). NumPy adds pairwise along the
last axis (error ~ ε log n), one after the other along the others and in cumsum (~ ε n). In the gradient of prod a
partial product may overflow where the whole does not; zeros among the factors do no harm.

An empty axis has sum 0 and prod 1; it has no mean, var or std, and asking is an error. Cost: a few passes each way.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor, record
from autograd_ae.ops.axes import (
    Axes,
    TensorLike,
    blamed,
    count,
    integer,
    numeric,
    one_axis,
    reduce,
    reduced,
    reduced_from_some,
    spread,
)
from autograd_ae.ops.extremes import max, min, norm
from autograd_ae.ops.shaping import reshape

__all__ = ["cumsum", "max", "mean", "min", "norm", "prod", "std", "sum", "var"]


# Sums.


@pullback(r"\bar{x}_i = \bar{y}")
def sum_dx(out, g, _y, _x, *, axis, keepdims):
    out[...] = spread(g, axis, keepdims)


_sum = Op(
    "sum",
    lambda x, *, axis, keepdims: np.sum(x, axis=axis, keepdims=keepdims),
    sum_dx,
    latex=r"y = \sum_i x_i",
    forward=lambda out, x, *, axis, keepdims: np.add.reduce(x, axis=axis, out=out, keepdims=keepdims),
    shape=reduced,
)


@pullback(r"\bar{x}_i = \bar{y} / n")
def mean_dx(out, g, _y, _x, *, axis, keepdims):
    np.divide(spread(g, axis, keepdims), count(out.shape, axis), out=out)


_mean = Op(
    "mean",
    lambda x, *, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
    mean_dx,
    latex=r"y = \frac{1}{n} \sum_i x_i",
    forward=lambda out, x, *, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims, out=out),
    shape=reduced_from_some,
)


@pullback(r"\bar{x}_j = \sum_{i \ge j} \bar{y}_i")
def cumsum_dx(out, g, _y, _x, *, axis):
    np.cumsum(np.flip(g, axis), axis=axis, out=np.flip(out, axis))


_cumsum = Op(
    "cumsum",
    lambda x, *, axis: np.cumsum(x, axis=axis),
    cumsum_dx,
    latex=r"y_i = \sum_{j \le i} x_j",
    forward=lambda out, x, *, axis: np.cumsum(x, axis=axis, out=out),
    shape=lambda x, *, axis: x,
)

# Products.


def product_of_others(x):
    """Πⱼ≠ᵢ xⱼ along the last axis: running products from the left and from the right, each one step behind."""
    before, after = np.ones_like(x), np.ones_like(x)
    np.cumprod(x[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(x[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return before * after


@pullback(r"\bar{x}_i = \bar{y} \prod_{j \ne i} x_j")
def prod_dx(out, g, _y, x, *, axis, keepdims):
    last = range(-len(axis), 0)
    groups = np.moveaxis(x, axis, last)  # the reduced axes at the end, then as one
    others = product_of_others(groups.reshape(*groups.shape[: x.ndim - len(axis)], count(x.shape, axis)))
    np.moveaxis(out, axis, last)[...] = others.reshape(groups.shape)
    np.multiply(out, spread(g, axis, keepdims), out=out)


_prod = Op(
    "prod",
    lambda x, *, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    prod_dx,
    latex=r"y = \prod_i x_i",
    forward=lambda out, x, *, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims, out=out),
    shape=reduced,
)

# Variance and standard deviation.


def centred(x, axis):
    return np.asarray(x - np.mean(x, axis=axis, keepdims=True))  # an array also where x is 0-d


def var_reference(x, *, axis, keepdims, ddof):
    return np.sum(np.square(centred(x, axis)), axis=axis, keepdims=keepdims) / (count(x.shape, axis) - ddof)


def std_reference(x, *, axis, keepdims, ddof):
    d = centred(x, axis)
    d = np.where(d.real == 0, 0, d)  # adds nothing, not to first order either; √ has no derivative where all are 0
    return np.sqrt(np.sum(np.square(d), axis=axis, keepdims=keepdims) / (count(x.shape, axis) - ddof))


def var_forward(out, x, *, axis, keepdims, ddof):
    d = centred(x, axis)
    np.sum(np.square(d, out=d), axis=axis, keepdims=keepdims, out=out)
    np.divide(out, count(x.shape, axis) - ddof, out=out)


def std_forward(out, x, **params):
    var_forward(out, x, **params)
    np.sqrt(out, out=out)


@pullback(r"\bar{x}_i = \bar{y} \, \frac{2 (x_i - m)}{n - \mathrm{ddof}}")
def var_dx(out, g, _y, x, *, axis, keepdims, ddof):
    slope = 2.0 * g / (count(x.shape, axis) - ddof)
    np.multiply(centred(x, axis), spread(slope, axis, keepdims), out=out)


@pullback(r"\bar{x}_i = \bar{y} \, \frac{x_i - m}{(n - \mathrm{ddof}) \, y}")
def std_dx(out, g, y, x, *, axis, keepdims, ddof):
    slope = np.divide(g, (count(x.shape, axis) - ddof) * y, where=y.real != 0, out=np.zeros_like(y))
    np.multiply(centred(x, axis), spread(slope, axis, keepdims), out=out)


def with_freedom(x, *, axis, keepdims, ddof):
    shape = reduced_from_some(x, axis=axis, keepdims=keepdims)
    n = count(x, axis)
    if n <= ddof:
        raise ShapeError(
            f"n - ddof = {n} - {ddof} is not positive: reduce over more than {ddof} entries, or use ddof=0"
        )
    return shape


_var = Op(
    "var",
    var_reference,
    var_dx,
    latex=r"y = \frac{1}{n - \mathrm{ddof}} \sum_i (x_i - m)^2, \quad m = \frac{1}{n} \sum_i x_i",
    forward=var_forward,
    shape=with_freedom,
)
_std = Op(
    "std",
    std_reference,
    std_dx,
    latex=r"y = \sqrt{\frac{1}{n - \mathrm{ddof}} \sum_i (x_i - m)^2}, \quad m = \frac{1}{n} \sum_i x_i",
    forward=std_forward,
    shape=with_freedom,
)


def sum(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """Σ x over `axis`: an integer, a tuple of them, or None for all; 0 over an empty axis.

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).data
    array([4., 6.])
    """
    return reduce(_sum, x, axis, keepdims)


def mean(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """Σ x / n over `axis`; ShapeError over an empty one.

    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=-1, keepdims=True).data
    array([[1.5],
           [3.5]])
    """
    return reduce(_mean, x, axis, keepdims)


def prod(x: TensorLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor:
    """Π x over `axis`; 1 over an empty one. The gradient is right however many factors are zero.

    >>> prod([2.0, 3.0, 4.0]).item()
    24.0
    """
    return reduce(_prod, x, axis, keepdims)


def var(x: TensorLike, axis: Axes = None, *, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """Σ (x − m)² / (n − ddof) over `axis`, m the mean. As an estimate ddof=0 (the default) is biased, ddof=1 is not.

    ShapeError where n ≤ ddof.

    >>> var([1.0, 2.0, 3.0]).item(), var([1.0, 2.0, 3.0], ddof=1).item()
    (0.6666666666666666, 1.0)
    """
    return reduce(_var, x, axis, keepdims, ddof=integer(ddof, "ddof"))


def std(x: TensorLike, axis: Axes = None, *, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """The square root of `var`. Where it is 0 (all entries equal) so is its gradient.

    >>> std([1.0, 3.0]).item()
    1.0
    """
    return reduce(_std, x, axis, keepdims, ddof=integer(ddof, "ddof"))


def cumsum(x: TensorLike, axis: int | None = None) -> Tensor:
    """yᵢ = x₁ + … + xᵢ along `axis`, of x's shape; with axis=None along the flattened x, as in NumPy.

    >>> cumsum([1.0, 2.0, 3.0]).data
    array([1., 3., 6.])
    """
    (t,) = numeric("cumsum", x)
    if axis is None:
        t, axis = reshape(t, -1), 0
    with blamed("cumsum", t):
        axis = one_axis(axis, t.ndim)
    return record(_cumsum, (t,), {"axis": axis})
