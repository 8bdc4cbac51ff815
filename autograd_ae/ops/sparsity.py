"""Penalties S(z) that make a code sparse. Samples along the first axis, B of them (a vector is one), n units each.

    l1             Σ |z| / B        dz = g sign(z)/B,  0 at z = 0
    l2             Σ z² / B         dz = 2g z/B
    bernoulli_kl   the divergence of the mean activation ρ̂ from a wanted one, ρ

The lecture's third penalty is KL(p_Z ‖ Ber_ρ), p_Z being the empirical distribution of the *support* of z: how often an
entry is not zero. Like ‖z‖₀ the support has no useful gradient, so one takes sigmoid units and puts their mean
activation ρ̂ in the place of that frequency. What is penalised then is not a dense code but a large mean. Two choices:

    form="lecture"   KL(Ber_ρ̂ ‖ Ber_ρ) = ρ̂ ln(ρ̂/ρ) + (1−ρ̂) ln((1−ρ̂)/(1−ρ))      KL′ = ln(ρ̂/ρ) − ln((1−ρ̂)/(1−ρ))
    form="ufldl"     KL(Ber_ρ ‖ Ber_ρ̂) = ρ ln(ρ/ρ̂) + (1−ρ) ln((1−ρ)/(1−ρ̂))      KL′ = (ρ̂−ρ) / (ρ̂ (1−ρ̂))

    over="units"     ρ̂_b = mean over the units of sample b,     S = mean over samples,     dz_bj = g KL′(ρ̂_b)/(nB)
    over="batch"     ρ̂_j = mean over the batch of unit j,       S = sum over units,        dz_bj = g KL′(ρ̂_j)/B

("ufldl": Ng's notes on the sparse autoencoder, 2011, with over="batch".) Both forms are convex in ρ̂, hence in z; not in
the weights.

Domain. z must lie in [0, 1], else ValueError; 0 < ρ < 1. At ρ̂ = 0 or 1 exactly (all units dead, or saturated) "lecture"
is finite, −ln(1−ρ) or −ln ρ, "ufldl" is +∞, and the gradient of both is infinite.

Where digits are lost. Near the optimum ρ̂ = ρ both forms are of order (ρ̂−ρ)² while their two terms are of order ρ̂−ρ and
cancel. With the ratios q = ρ̂/ρ and (1−ρ̂)/(1−ρ), whose mean under Ber_ρ is 1, the same sums have only positive terms,

    KL(ρ̂ ‖ ρ) = E_ρ (q ln q − q + 1),      KL(ρ ‖ ρ̂) = E_ρ (q − 1 − ln q),

each a series near q = 1 (see `gaussian.py`): right to a few ulp as functions of ρ̂, which has the rounding of a mean.
Cost: one pass over z; the logarithms are of ρ̂ only.
"""

from __future__ import annotations

import numpy as np

from autograd_ae.core.op import Op, pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.ops.axes import TensorLike
from autograd_ae.ops.elementary import real_log1p
from autograd_ae.ops.elementwise import at_poles, on_numbers, real_domain, times_vanishing
from autograd_ae.ops.gaussian import line_minus_log
from autograd_ae.ops.scale import batch, matrix, one_shape, refuse_outside_01, some_entries

# l1 and l2.


@pullback(r"\bar{z} = \bar{y} \operatorname{sign}(z) / B")
def l1_dz(out, g, _y, z):
    np.multiply(g / batch(z.shape), np.sign(z.real), out=out)


@pullback(r"\bar{z} = 2 \bar{y}\, z / B")
def l2_dz(out, g, _y, z):
    np.multiply(2 * g / batch(z.shape), z, out=out)


_l1 = Op(
    "l1", lambda z: np.sum(np.where(z.real < 0, -z, z)) / batch(z.shape), l1_dz, shape=one_shape, broadcasts=False,
    latex=r"y = \lVert z \rVert_1 / B",
)  # fmt: skip
_l2 = Op(
    "l2", lambda z: np.sum(z * z) / batch(z.shape), l2_dz, shape=one_shape, broadcasts=False,
    latex=r"y = \lVert z \rVert_2^2 / B",
)  # fmt: skip


# bernoulli_kl. In the functions of a ratio q, u = q − 1.


@at_poles
def log_ratio(q, u):
    """ln q."""
    near = np.abs(u.real) < 0.5
    return np.where(near, real_log1p(np.where(near, u, 0)), np.log(real_domain(q)))


def entropy_excess(q, u):
    """q ln q − q + 1 ≥ 0, which is 1 at q = 0."""
    log = log_ratio(q, u)
    near = np.abs(u.real) < 0.5
    return np.where(near, np.where(near, u * log, 0) - line_minus_log(q, u), times_vanishing(log, q) - u)


def both_sides(f, r, rho):
    """Σ ρ f(q, q − 1) over the event and its complement; r is ρ̂."""
    return rho * f(r / rho, (r - rho) / rho) + (1 - rho) * f((1 - r) / (1 - rho), (rho - r) / (1 - rho))


@at_poles
def divergence(r, rho, form):
    return both_sides(entropy_excess if form == "lecture" else line_minus_log, r, rho)


@at_poles
def slope(r, rho, form):
    """∂ divergence / ∂ρ̂."""
    if form == "ufldl":
        return (r - rho) / (r * (1 - r))
    return log_ratio(r / rho, (r - rho) / rho) - log_ratio((1 - r) / (1 - rho), (rho - r) / (1 - rho))


AXIS = {"units": 1, "batch": 0}


def mean_activation(z, over):
    """ρ̂, (B, 1) over units or (1, n) over the batch."""
    return np.mean(matrix(z), axis=AXIS[over], keepdims=True)


def samples_of(z, over):
    """How many values of ρ̂ are averaged: the samples, or none where the units are summed."""
    return batch(z.shape) if over == "units" else 1


def bernoulli_kl_reference(z, *, rho, form, over):
    return np.sum(divergence(mean_activation(z, over), rho, form)) / samples_of(z, over)


def bernoulli_kl_forward(out, z, *, rho, form, over):
    refuse_outside_01("bernoulli_kl", "activations", z, "apply it to sigmoid units")
    out[...] = bernoulli_kl_reference(z, rho=rho, form=form, over=over)


@pullback(r"\bar{z} = \bar{y} \operatorname{KL}'(\hat{\rho})\, \partial\hat{\rho}/\partial z")
def bernoulli_kl_dz(out, g, _y, z, *, rho, form, over):
    weight = g / samples_of(z, over) / matrix(z).shape[AXIS[over]]
    np.multiply(weight, slope(mean_activation(z, over), rho, form), out=matrix(out))


_bernoulli_kl = Op(
    "bernoulli_kl", bernoulli_kl_reference, bernoulli_kl_dz, shape=some_entries, broadcasts=False,
    forward=bernoulli_kl_forward, latex=r"y = \operatorname{KL}(\mathrm{Ber}_{\hat{\rho}(z)}, \mathrm{Ber}_\rho)",
)  # fmt: skip


def l1(z: TensorLike) -> Tensor:
    """Σ |z| / B; gradient 0 at 0.

    >>> l1([[1.0, -2.0], [0.0, 1.0]]).item()
    2.0
    """
    return on_numbers(_l1, z)


def l2(z: TensorLike) -> Tensor:
    """Σ z² / B.

    >>> l2([[1.0, -2.0], [0.0, 1.0]]).item()
    3.0
    """
    return on_numbers(_l2, z)


def bernoulli_kl(z: TensorLike, rho: float, *, form: str = "lecture", over: str = "units") -> Tensor:
    """The divergence between Bernoulli distributions of the mean activation and of ρ, in nats.

    Parameters
    ----------
    z : activations in [0, 1], samples along the first axis.
    rho : the wanted mean activation, 0 < ρ < 1; 0.05, say.
    form : "lecture", KL(ρ̂ ‖ ρ), or "ufldl", KL(ρ ‖ ρ̂).
    over : "units", ρ̂ of each sample, averaged over samples; or "batch", ρ̂ of each unit, summed over units.

    >>> round(bernoulli_kl([[0.5, 0.5]], 0.25).item(), 6), bernoulli_kl([[0.1, 0.4]], 0.25, form="ufldl").item()
    (0.143841, 0.0)
    """
    if not isinstance(rho, int | float | np.floating) or not 0 < rho < 1:
        raise ValueError(f"bernoulli_kl: rho must be a number with 0 < rho < 1, {rho!r} arrived")
    for name, value, known in (("form", form, ("lecture", "ufldl")), ("over", over, ("units", "batch"))):
        if value not in known:
            raise ValueError(f"bernoulli_kl: {name} must be {known[0]!r} or {known[1]!r}, {value!r} arrived")
    return on_numbers(_bernoulli_kl, z, rho=float(rho), form=form, over=over)
