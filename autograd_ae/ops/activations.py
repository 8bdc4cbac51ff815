"""Activations, element by element, and `ACTIVATIONS`, the table that layers choose from. (softmax: `softmax.py`.)

With σ the logistic function and Φ, φ the standard normal distribution and density, Φ(x) = ½ erfc(−x/√2):

    softplus     ln(1 + eˣ) = max(x, 0) + ln(1 + e)      dx = g σ(x)                      e = exp(−|x|)
    log_sigmoid  ln σ(x) = min(x, 0) − ln(1 + e)         dx = g σ(−x)
    relu         max(x, 0)                               dx = g [y > 0]
    leaky_relu   x for x > 0, else s x                   dx = g for x > 0, else s g       s = negative_slope
    elu          x for x > 0, else α (eˣ − 1)            dx = g for x > 0, else α eˣ g
    silu         x σ(x)                                  dx = g (σ(x) + x σ(x) σ(−x))
    gelu         x Φ(x)                                  dx = g (Φ(x) + x φ(x))

At the kink x = 0 the left derivative is chosen, as in PyTorch: 0 for relu, s for leaky_relu, α for elu.

Accuracy. The forms in e neither overflow nor cancel: value and gradient of softplus and log_sigmoid are right to a few
ulp from −708 (subnormal below) to the largest numbers: softplus(−700) = 9.86e-305, not 0. eˣ − 1 is expm1. The left
tails of silu and gelu keep their relative digits, gelu to x² ulp (4e-13 at x = −38), which is what one rounding of x
amounts to; near the zeros of their derivatives, −1.278 and −0.752, the error is a rounding of the two terms. Infinities
give the limits (silu(−∞) = 0 with gradient 0, where x σ(x) would be −∞ · 0) and do not warn. NaN in gives NaN out.

Sources: Nair & Hinton 2010 (relu); Maas et al. 2013 (leaky_relu); Clevert et al. 2016 (elu); Hendrycks & Gimpel 2016
(gelu, silu), the exact form, not the one by tanh. Cost: one exponential (gelu: one erfc) per element each way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops import sigmoid as logistic
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementary import real_log1p, tanh
from autograd_ae.ops.elementwise import on_numbers, times_vanishing
from autograd_ae.ops.erf import erfc_reference
from autograd_ae.ops.sigmoid import sigmoid
from autograd_ae.ops.softmax import log_softmax, logsumexp, softmax  # noqa: F401

ROOT_HALF = math.sqrt(0.5)
PHI_0 = 1 / math.sqrt(2 * math.pi)  # φ(0)


# softplus and log_sigmoid.


def softplus_reference(x):
    positive = x.real >= 0
    return np.where(positive, x, 0) + real_log1p(np.exp(np.where(positive, -x, x)))


@np.errstate(invalid="ignore")
def softplus_forward(out, x):
    np.logaddexp(0, x, out=out)


@np.errstate(invalid="ignore")
def log_sigmoid_forward(out, x):
    np.negative(x, out=out)
    np.logaddexp(0, out, out=out)
    np.negative(out, out=out)


def softplus_dx_compiled(out, g, _y, x):
    logistic.forward(out, x)
    np.multiply(g, out, out=out)


def log_sigmoid_dx_compiled(out, g, _y, x):
    logistic.forward(out, -x)
    np.multiply(g, out, out=out)


@pullback(r"\bar{x} = \bar{y} \odot \sigma(x)", kernel=softplus_dx_compiled)
def softplus_dx(out, g, _y, x):
    np.multiply(g, logistic.reference(x), out=out)


@pullback(r"\bar{x} = \bar{y} \odot \sigma(-x)", kernel=log_sigmoid_dx_compiled)
def log_sigmoid_dx(out, g, _y, x):
    np.multiply(g, logistic.reference(-x), out=out)


_softplus = Op("softplus", softplus_reference, softplus_dx, latex=r"y = \ln(1 + e^x)", forward=softplus_forward)
_log_sigmoid = Op(
    "log_sigmoid", lambda x: -softplus_reference(-x), log_sigmoid_dx, latex=r"y = \ln \sigma(x)",
    forward=log_sigmoid_forward,
)  # fmt: skip


# relu, leaky_relu, elu.


@pullback(r"\bar{x} = \bar{y} \odot [y > 0]")
def relu_dx(out, g, y, _x):
    out[...] = np.where(y.real <= 0, 0, g)


@pullback(r"\bar{x} = \bar{y} \odot (1 \text{ where } x > 0, \text{ else } s)")
def leaky_relu_dx(out, g, _y, x, *, negative_slope):
    out[...] = np.where(x.real > 0, g, negative_slope * g)


@pullback(r"\bar{x} = \bar{y} \odot (1 \text{ where } x > 0, \text{ else } \alpha e^x)")
def elu_dx(out, g, _y, x, *, alpha):
    out[...] = np.where(x.real > 0, g, alpha * g * np.exp(np.where(x.real > 0, 0, x)))


_relu = Op(
    "relu", lambda x: np.where(x.real <= 0, 0, x), relu_dx, latex=r"y = \max(x, 0)",
    forward=lambda out, x: np.maximum(x, 0, out=out),
)  # fmt: skip
_leaky_relu = Op(
    "leaky_relu", lambda x, *, negative_slope: np.where(x.real > 0, x, negative_slope * x), leaky_relu_dx,
    latex=r"y = x \text{ where } x > 0, \text{ else } s x",
)  # fmt: skip
_elu = Op(
    "elu", lambda x, *, alpha: np.where(x.real > 0, x, alpha * np.expm1(np.where(x.real > 0, 0, x))), elu_dx,
    latex=r"y = x \text{ where } x > 0, \text{ else } \alpha (e^x - 1)",
)  # fmt: skip


# silu and gelu.


def normal_cdf(x):
    return 0.5 * erfc_reference(-ROOT_HALF * x)


@jit
def gelu_kernel(out, x):
    half, root_half = x.dtype.type(0.5), x.dtype.type(ROOT_HALF)
    for i in range(x.size):
        p = half * math.erfc(-root_half * x[i])
        out[i] = p if p == 0 else x[i] * p


@jit
def gelu_dx_kernel(out, g, x):
    half, root_half, phi_0 = x.dtype.type(0.5), x.dtype.type(ROOT_HALF), x.dtype.type(PHI_0)
    for i in range(x.size):
        density = phi_0 * math.exp(-half * x[i] * x[i])
        p = half * math.erfc(-root_half * x[i])
        out[i] = g[i] * (p if density == 0 else p + x[i] * density)


def silu_compiled(out, x):
    logistic.forward(out, x)
    np.multiply(x, out, out=out, where=out != 0)


def gelu_compiled(out, x):
    gelu_kernel(out.reshape(-1), x.reshape(-1))


def gelu_dx_compiled(out, g, _y, x):
    gelu_dx_kernel(out.reshape(-1), g.reshape(-1), x.reshape(-1))


@jit
def silu_dx_kernel(out, g, x):
    one = x.dtype.type(1)
    for i in range(x.size):
        e = math.exp(-abs(x[i]))
        more, less = one / (one + e), e / (one + e)  # σ(|x|) and σ(−|x|)
        p = less if x[i] < 0 else more
        out[i] = g[i] * (p if less == 0 else p + x[i] * more * less)


def silu_dx_compiled(out, g, _y, x):
    silu_dx_kernel(out.reshape(-1), g.reshape(-1), x.reshape(-1))


@pullback(r"\bar{x} = \bar{y} \odot (\sigma(x) + x \odot \sigma(x) \odot \sigma(-x))", kernel=silu_dx_compiled)
def silu_dx(out, g, _y, x):
    s = logistic.reference(x)
    np.multiply(g, s + times_vanishing(x, s * logistic.reference(-x)), out=out)


@pullback(r"\bar{x} = \bar{y} \odot (\Phi(x) + x \odot \varphi(x))", kernel=gelu_dx_compiled)
def gelu_dx(out, g, _y, x):
    np.multiply(g, normal_cdf(x) + times_vanishing(x, PHI_0 * np.exp(-0.5 * x * x)), out=out)


_silu = Op(
    "silu", lambda x: times_vanishing(x, logistic.reference(x)), silu_dx, kernel=silu_compiled,
    latex=r"y = x \odot \sigma(x)",
)  # fmt: skip
_gelu = Op(
    "gelu", lambda x: times_vanishing(x, normal_cdf(x)), gelu_dx, kernel=gelu_compiled, latex=r"y = x \odot \Phi(x)"
)  # fmt: skip


def softplus(x: TensorLike) -> Tensor:
    """ln(1 + eˣ), a smooth max(x, 0).

    >>> softplus([-700.0, 0.0, 700.0]).data
    array([9.85967654e-305, 6.93147181e-001, 7.00000000e+002])
    """
    return on_numbers(_softplus, x)


def log_sigmoid(x: TensorLike) -> Tensor:
    """ln σ(x) = −softplus(−x).

    >>> log_sigmoid([-700.0, 0.0, 700.0]).data
    array([-7.00000000e+002, -6.93147181e-001, -9.85967654e-305])
    """
    return on_numbers(_log_sigmoid, x)


def relu(x: TensorLike) -> Tensor:
    """max(x, 0); gradient 0 at 0.

    >>> relu([-1.0, 2.0]).data
    array([0., 2.])
    """
    return on_numbers(_relu, x)


def leaky_relu(x: TensorLike, *, negative_slope: float = 0.01) -> Tensor:
    """x for x > 0, else negative_slope · x.

    >>> leaky_relu([-1.0, 2.0]).data
    array([-0.01,  2.  ])
    """
    return on_numbers(_leaky_relu, x, negative_slope=_finite("leaky_relu", "negative_slope", negative_slope))


def elu(x: TensorLike, *, alpha: float = 1.0) -> Tensor:
    """x for x > 0, else α (eˣ − 1).

    >>> elu([-1.0, 2.0]).data
    array([-0.63212056,  2.        ])
    """
    return on_numbers(_elu, x, alpha=_finite("elu", "alpha", alpha))


def silu(x: TensorLike) -> Tensor:
    """x σ(x), also called swish.

    >>> silu([-1.0, 0.0, 1.0]).data
    array([-0.26894142,  0.        ,  0.73105858])
    """
    return on_numbers(_silu, x)


def gelu(x: TensorLike) -> Tensor:
    """x Φ(x), exact.

    >>> gelu([-1.0, 0.0, 1.0]).data
    array([-0.15865525,  0.        ,  0.84134475])
    """
    return on_numbers(_gelu, x)


def _finite(op: str, name: str, value: float) -> float:
    if not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
        raise ValueError(f"{op}: {name} must be a finite number, {value!r} arrived")
    return float(value)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "silu": silu,
    "gelu": gelu,
    "softplus": softplus,
    "log_sigmoid": log_sigmoid,
    "softmax": softmax,
}
