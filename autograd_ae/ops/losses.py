"""Losses: how far a prediction is from its target. One scale everywhere: sum over features, mean over B samples.

Samples lie along the first axis (a vector is one sample), see `scale.py`. Targets may be traced: there is a gradient to
both arguments. The squared errors are here, the cross-entropies in `cross_entropy.py`.

    mse              Σ (x̂ − x)² / size                   dx̂ = 2g (x̂ − x)/size                 dx = −dx̂
    squared_error    Σ (x̂ − x)² / B = ‖X̂ − X‖²_F / B     dx̂ = 2g (x̂ − x)/B                    dx = −dx̂
    bce              −Σ [t ln p + (1−t) ln(1−p)] / B     dp = g ((1−t)/(1−p) − t/p)/B         dt = g ln((1−p)/p)/B
    bce_with_logits  Σ [softplus(a) − t a] / B           da = g (σ(a) − t)/B                  dt = −g a/B
    cross_entropy    −Σ t_k ln softmax(a)_k / B          da_k = g (p_k Σ_j t_j − t_k)/B       dt_k = −g ln p_k/B

Only mse (the mean of scikit-learn and of NumPy users) divides by the number of features too.

Accuracy of the squared errors: a few ulp, all terms being positive; x̂ − x has the rounding of x̂. Cost: three passes.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.cross_entropy import bce, bce_with_logits, cross_entropy  # noqa: F401  the other half of the family
from autograd_ae.ops.elementwise import on_numbers
from autograd_ae.ops.scale import batch, one_shape, some_entries


@pullback(r"\bar{\hat{x}} = 2\, \bar{y}\, (\hat{x} - x) / \text{size}")
def mse_dx_hat(out, g, _y, x_hat, x):
    np.multiply(2 * g / x.size, x_hat - x, out=out)


@pullback(r"\bar{x} = -2\, \bar{y}\, (\hat{x} - x) / \text{size}")
def mse_dx(out, g, _y, x_hat, x):
    np.multiply(-2 * g / x.size, x_hat - x, out=out)


@pullback(r"\bar{\hat{x}} = 2\, \bar{y}\, (\hat{x} - x) / B")
def squared_error_dx_hat(out, g, _y, x_hat, x):
    np.multiply(2 * g / batch(x.shape), x_hat - x, out=out)


@pullback(r"\bar{x} = -2\, \bar{y}\, (\hat{x} - x) / B")
def squared_error_dx(out, g, _y, x_hat, x):
    np.multiply(-2 * g / batch(x.shape), x_hat - x, out=out)


_mse = Op(
    "mse", lambda x_hat, x: np.sum(np.square(x_hat - x)) / x.size, mse_dx_hat, mse_dx,
    shape=some_entries, broadcasts=False, latex=r"y = \lVert \hat{x} - x \rVert^2 / \text{size}",
)  # fmt: skip
_squared_error = Op(
    "squared_error", lambda x_hat, x: np.sum(np.square(x_hat - x)) / batch(x.shape), squared_error_dx_hat,
    squared_error_dx, shape=one_shape, broadcasts=False, latex=r"y = \lVert \hat{x} - x \rVert^2 / B",
)  # fmt: skip


def mse(x_hat: TensorLike, x: TensorLike) -> Tensor:
    """The mean of (x̂ − x)² over all entries.

    >>> mse([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 4.0]]).item()
    1.25
    """
    return on_numbers(_mse, x_hat, x)


def squared_error(x_hat: TensorLike, x: TensorLike) -> Tensor:
    """‖x̂ − x‖², summed over features, averaged over samples: the lecture's loss.

    >>> squared_error([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [3.0, 4.0]]).item()
    2.5
    """
    return on_numbers(_squared_error, x_hat, x)
