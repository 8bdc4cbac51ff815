"""The variational autoencoder's two functions: the divergence of N(m, v) from N(0, 1), and sampling by derivable steps.

    gaussian_kl      F = KL(N(m, v) ‖ N(0, 1)) = ½ Σ (m² + v − 1 − ln v) / B        sum over latents, mean over samples
    reparameterise   z = m + √v ⊙ ε,   ε ~ N(0, 1) drawn outside

(Kingma & Welling 2014, appendix B; the lecture's F(M, V).) Derivation. KL = E[ln N(z; m, v) − ln N(z; 0, 1)] with
E z² = m² + v and E (z − m)² = v gives the first line. With s = ln v, hence dv = v ds,

    F:   dm = g m/B,      dv = g ½(1 − 1/v)/B,      ds = g ½(v − 1)/B
    z:   dm = g,          dv = g ε / (2√v),         ds = g ½ ε √v,            dε = g √v

Traps. The lecture's V is a *variance*. Networks usually emit its logarithm, s = ln v, which may be any real number;
that is what `gaussian_kl` and `reparameterise` take. √v is then exp(s/2); exp(s) would read a log-variance as a
log-deviation, and no gradient check would notice. The forms `…_from_variance` take v itself: v < 0 is an error; at
v = 0 F is +∞ with gradient −∞, and z has dv = ±∞. The lecture writes p_Z for the posterior and q_Z for the prior.

Where digits are lost. Near the prior, v ≈ 1, F is of order (v − 1)²/4 and v − 1 − ln v cancels: at v = 1 + 1e-8 no
digit would be left. So for |s| < 1, |v − 1| < ½ the two parts are their series,

    eˢ − 1 − s   = s²/2! + s³/3! + …
    u − ln(1 + u) = r u − 2 r³ (1/3 + r²/5 + r⁴/7 + …),     r = u/(2 + u),     since ln(1 + u) = 2 artanh r,

and F and its gradients are right to a few ulp everywhere. Cost: one transcendental and 20 products per entry.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.errors import ShapeError
from autograd_ae.core.op import Op, Shape, elementwise, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementwise import at_poles, on_numbers, real_domain
from autograd_ae.ops.scale import batch, one_shape


def exp_minus_line(s):
    """eˢ − 1 − s ≥ 0."""
    near = np.abs(s.real) < 1
    x = np.where(near, s, 0)
    series = np.ones_like(x)
    for k in range(20, 2, -1):
        series = 1 + x / k * series
    return np.where(near, 0.5 * x * x * series, np.expm1(s) - s)


@at_poles
def line_minus_log(v, u):
    """v − 1 − ln v ≥ 0, given also u = v − 1, which the caller may know better than by subtraction."""
    near = np.abs(u.real) < 0.5
    x = np.where(near, u, 0)
    r = x / (2 + x)
    series = np.zeros_like(r)
    for k in range(37, 1, -2):
        series = 1 / k + r * r * series
    return np.where(near, r * x - 2 * r**3 * series, u - np.log(real_domain(v)))


def refuse_negative(op: str, variance: np.ndarray) -> None:
    if variance.size and variance.min() < 0:
        raise ValueError(
            f"{op}: variances >= 0 were needed, one is {variance.min():.6g}; "
            f"if these are log-variances, use {op.removesuffix('_from_variance')}"
        )


# The divergence.


@pullback(r"\bar{m} = \bar{y}\, m / B")
def kl_dmean(out, g, _y, mean, _spread):
    np.multiply(g / batch(mean.shape), mean, out=out)


@pullback(r"\bar{s} = \tfrac12 \bar{y}\, (e^s - 1) / B")
def kl_dlog_variance(out, g, _y, _mean, log_variance):
    np.multiply(0.5 * g / batch(log_variance.shape), np.expm1(log_variance), out=out)


@pullback(r"\bar{v} = \tfrac12 \bar{y}\, (1 - 1/v) / B")
@at_poles
def kl_dvariance(out, g, _y, _mean, variance):
    np.multiply(0.5 * g / batch(variance.shape), (variance - 1) / variance, out=out)


def kl_reference(mean, log_variance):
    return 0.5 * np.sum(mean * mean + exp_minus_line(log_variance)) / batch(mean.shape)


def kl_from_variance_reference(mean, variance):
    return 0.5 * np.sum(mean * mean + line_minus_log(variance, variance - 1)) / batch(mean.shape)


def kl_from_variance_forward(out, mean, variance):
    refuse_negative("gaussian_kl_from_variance", variance)
    out[...] = kl_from_variance_reference(mean, variance)


_gaussian_kl = Op(
    "gaussian_kl", kl_reference, kl_dmean, kl_dlog_variance, shape=one_shape, broadcasts=False,
    latex=r"y = \tfrac12 \textstyle\sum (m^2 + e^s - 1 - s) / B",
)  # fmt: skip
_gaussian_kl_from_variance = Op(
    "gaussian_kl_from_variance", kl_from_variance_reference, kl_dmean, kl_dvariance, shape=one_shape, broadcasts=False,
    forward=kl_from_variance_forward, latex=r"y = \tfrac12 \textstyle\sum (m^2 + v - 1 - \ln v) / B",
)  # fmt: skip


# Sampling.


def shape_of_noise(mean: Shape, spread: Shape, noise: Shape) -> Shape:
    if elementwise(mean, spread, noise) != noise:
        raise ShapeError("every entry of the sample needs noise of its own: draw noise of the mean's shape (or larger)")
    return noise


@pullback(r"\bar{m} = \bar{z}")
def sample_dmean(out, g, _z, _mean, _spread, _noise):
    out[...] = g


@pullback(r"\bar{s} = \tfrac12 \bar{z} \odot \varepsilon \odot e^{s/2}")
def sample_dlog_variance(out, g, _z, _mean, log_variance, noise):
    np.multiply(0.5 * g * noise, np.exp(0.5 * log_variance), out=out)


@pullback(r"\bar{\varepsilon} = \bar{z} \odot e^{s/2}")
def sample_dnoise(out, g, _z, _mean, log_variance, _noise):
    np.multiply(g, np.exp(0.5 * log_variance), out=out)


@pullback(r"\bar{v} = \bar{z} \odot \varepsilon / (2 \sqrt{v})")
@at_poles
def sample_dvariance(out, g, _z, _mean, variance, noise):
    np.divide(0.5 * g * noise, np.sqrt(real_domain(variance)), out=out)


@pullback(r"\bar{\varepsilon} = \bar{z} \odot \sqrt{v}")
def sample_from_variance_dnoise(out, g, _z, _mean, variance, _noise):
    np.multiply(g, np.sqrt(real_domain(variance)), out=out)


def sample_from_variance(mean, variance, noise):
    return mean + np.sqrt(real_domain(variance)) * noise


def sample_from_variance_forward(out, mean, variance, noise):
    refuse_negative("reparameterise_from_variance", variance)
    out[...] = sample_from_variance(mean, variance, noise)


_reparameterise = Op(
    "reparameterise", lambda mean, log_variance, noise: mean + np.exp(0.5 * log_variance) * noise, sample_dmean,
    sample_dlog_variance, sample_dnoise, shape=shape_of_noise, broadcasts=True,
    latex=r"z = m + e^{s/2} \odot \varepsilon",
)  # fmt: skip
_reparameterise_from_variance = Op(
    "reparameterise_from_variance", sample_from_variance, sample_dmean, sample_dvariance, sample_from_variance_dnoise,
    shape=shape_of_noise, broadcasts=True, forward=sample_from_variance_forward,
    latex=r"z = m + \sqrt{v} \odot \varepsilon",
)  # fmt: skip


def gaussian_kl(mean: TensorLike, log_variance: TensorLike) -> Tensor:
    """KL(N(m, eˢ) ‖ N(0, 1)), summed over latents, averaged over samples, in nats; mean and log-variance of one shape.

    >>> gaussian_kl([[1.0, 0.0]], [[0.0, 0.0]]).item()
    0.5
    """
    return on_numbers(_gaussian_kl, mean, log_variance)


def gaussian_kl_from_variance(mean: TensorLike, variance: TensorLike) -> Tensor:
    """KL(N(m, v) ‖ N(0, 1)), the lecture's F(M, V), as `gaussian_kl` but of the variance itself.

    >>> gaussian_kl_from_variance([[1.0, 0.0]], [[1.0, 1.0]]).item()
    0.5
    """
    return on_numbers(_gaussian_kl_from_variance, mean, variance)


def reparameterise(mean: TensorLike, log_variance: TensorLike, noise: TensorLike) -> Tensor:
    """m + exp(s/2) ⊙ ε, of the noise's shape; mean and log-variance may be smaller (several samples of each code).

    >>> reparameterise([1.0, 2.0], [0.0, 0.0], [0.5, -0.5]).data
    array([1.5, 1.5])
    """
    return on_numbers(_reparameterise, mean, log_variance, noise)


def reparameterise_from_variance(mean: TensorLike, variance: TensorLike, noise: TensorLike) -> Tensor:
    """m + √v ⊙ ε, as `reparameterise` but of the variance itself.

    >>> reparameterise_from_variance([1.0, 2.0], [4.0, 4.0], [0.5, -0.5]).data
    array([2., 1.])
    """
    return on_numbers(_reparameterise_from_variance, mean, variance, noise)
